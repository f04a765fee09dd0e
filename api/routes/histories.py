"""Operations: of a token, an address, a block, a transaction, or all of them."""

from collections.abc import Sequence
from zlib import crc32

from fastapi import APIRouter, Request, Response

from api.answers import answer, documented
from api.envelopes import MaxResults, envelope
from api.errors import TransactionNotFound
from api.ledgers import check_published
from api.pages import Cursor, HistoryPaged, Page, Part, cursor_of, cut, key_of, paged
from api.parameters import (
    AddressPath,
    HeightPath,
    IncludeInvalid,
    OpType,
    TickerFilter,
    TickerPath,
    TxidPath,
    checked_address,
    current,
    known_ticker,
    ticker_of,
)
from api.rows import HistoryEnvelope, HistoryRow, history_row
from warehouse.histories import Filter, Operation, Place
from warehouse.serving_view import View

router = APIRouter(prefix="/v1/indexer", tags=["history"])


@router.get("/brc20/history/all", **documented("history_all", HistoryEnvelope))
async def whole_history(
    request: Request,
    ticker: TickerFilter = None,
    op_type: OpType = None,
    max_results: MaxResults = None,
    include_invalid: IncludeInvalid = False,
    cursor: Cursor = None,
) -> Response:
    """Operations of a token, or of all tokens, newest first."""
    known = known_ticker(current(request), ticker) if ticker else None
    wanted = Filter(ticker=known, op_type=op_type, include_invalid=include_invalid)
    return await _whole(request, wanted, max_results, cursor)


@router.get("/brc20/history-by-height/{height}", **documented("history_by_height", list[HistoryRow]))
async def history_by_height(
    request: Request, height: HeightPath, page: HistoryPaged, include_invalid: IncludeInvalid = False
) -> Response:
    """Operations of a block, by transaction, then in processing order."""
    check_published(current(request), height)
    return await _page(request, Filter(height=height, include_invalid=include_invalid), page)


@router.get("/brc20/history-by-height/{height}/all", **documented("history_by_height_all", HistoryEnvelope))
async def whole_history_by_height(
    request: Request,
    height: HeightPath,
    max_results: MaxResults = None,
    include_invalid: IncludeInvalid = False,
    cursor: Cursor = None,
) -> Response:
    """The same as a whole."""
    check_published(current(request), height)
    wanted = Filter(height=height, include_invalid=include_invalid)
    return await _whole(request, wanted, max_results, cursor)


@router.get("/brc20/{ticker:any}/tx/{txid}/history", **documented("transaction_history", list[HistoryRow]))
async def transaction_history(request: Request, ticker: TickerPath, txid: TxidPath) -> Response:
    """Valid operations of a token in one transaction, in processing order; 404 when the transaction has no record."""
    view = current(request)
    known = known_ticker(view, ticker)
    rows: list[Operation] = await request.app.state.queries.ask(
        view.manifest, lambda histories: histories.of_transaction(txid.lower())
    )
    if not rows:
        raise TransactionNotFound(f"transaction {txid.lower()} has no record up to height {view.tip.height}", "txid")
    return answer([history_row(row) for row in rows if row.valid and row.ticker == known])


@router.get("/brc20/{ticker:any}/history", **documented("token_history", list[HistoryRow]))
async def token_history(
    request: Request,
    ticker: TickerPath,
    page: HistoryPaged,
    op_type: OpType = None,
    include_invalid: IncludeInvalid = False,
) -> Response:
    """Operations of a token, newest first."""
    known = known_ticker(current(request), ticker)
    return await _page(request, Filter(ticker=known, op_type=op_type, include_invalid=include_invalid), page)


@router.get("/brc20/{ticker:any}/history/all", **documented("token_history_all", HistoryEnvelope))
async def whole_token_history(
    request: Request,
    ticker: TickerPath,
    op_type: OpType = None,
    max_results: MaxResults = None,
    include_invalid: IncludeInvalid = False,
    cursor: Cursor = None,
) -> Response:
    """The same as a whole."""
    known = known_ticker(current(request), ticker)
    wanted = Filter(ticker=known, op_type=op_type, include_invalid=include_invalid)
    return await _whole(request, wanted, max_results, cursor)


@router.get("/address/{address}/history", **documented("address_history", list[HistoryRow]))
async def address_history(
    request: Request,
    address: AddressPath,
    page: HistoryPaged,
    ticker: TickerFilter = None,
    op_type: OpType = None,
    include_invalid: IncludeInvalid = False,
) -> Response:
    """Operations that the address sent or received, newest first."""
    return await _page(request, _of_address(request, address, ticker, op_type, include_invalid), page)


@router.get("/address/{address}/history/all", **documented("address_history_all", HistoryEnvelope))
async def whole_address_history(
    request: Request,
    address: AddressPath,
    ticker: TickerFilter = None,
    op_type: OpType = None,
    max_results: MaxResults = None,
    include_invalid: IncludeInvalid = False,
    cursor: Cursor = None,
) -> Response:
    """The same as a whole."""
    wanted = _of_address(request, address, ticker, op_type, include_invalid)
    return await _whole(request, wanted, max_results, cursor)


@router.get("/address/{address}/brc20/{ticker:any}/history", **documented("address_token_history", list[HistoryRow]))
async def address_token_history(
    request: Request,
    address: AddressPath,
    ticker: TickerPath,
    page: HistoryPaged,
    op_type: OpType = None,
    include_invalid: IncludeInvalid = False,
) -> Response:
    """Operations of a token that the address sent or received, newest first."""
    return await _page(request, _of_address(request, address, ticker, op_type, include_invalid), page)


@router.get(
    "/address/{address}/brc20/{ticker:any}/history/all", **documented("address_token_history_all", HistoryEnvelope)
)
async def whole_address_token_history(
    request: Request,
    address: AddressPath,
    ticker: TickerPath,
    op_type: OpType = None,
    max_results: MaxResults = None,
    include_invalid: IncludeInvalid = False,
    cursor: Cursor = None,
) -> Response:
    """The same as a whole."""
    wanted = _of_address(request, address, ticker, op_type, include_invalid)
    return await _whole(request, wanted, max_results, cursor)


def _of_address(
    request: Request, address: str, ticker: str | None, op_type: str | None, include_invalid: bool
) -> Filter:
    return Filter(
        ticker=None if ticker is None else ticker_of(ticker),
        address=checked_address(current(request), address),
        op_type=op_type,
        include_invalid=include_invalid,
    )


async def _page(request: Request, wanted: Filter, page: Page) -> Response:
    kind = _kind(wanted)
    behind = _place(page.cursor, kind)
    found = _recent(current(request), wanted, page)
    if found is None:
        found = await request.app.state.queries.ask(
            current(request).manifest, lambda histories: histories.page(wanted, page.limit + 1, page.skip, behind)
        )
    rows, cursor = cut(found, page.limit, kind, lambda row: row.place)
    return paged([history_row(row) for row in rows], cursor)


def history_at_hand(view: View, ticker: str, limit: int) -> Part | None:
    """The newest operations of a token, where they are in memory."""
    known = ticker_of(ticker)
    wanted = Filter(ticker=known)
    found = _recent(view, wanted, Page(0, limit, None)) if view.knows(known) else None
    if found is None:
        return None
    rows, cursor = cut(found, limit, _kind(wanted), lambda row: row.place)
    return Part([history_row(row) for row in rows], cursor)


def _recent(view: View, wanted: Filter, page: Page) -> Sequence[Operation] | None:
    """The page if it is one of a token's newest, and one more row if there is one; None when it has to be read."""
    if view.recent is None or wanted.ticker is None or wanted != Filter(ticker=wanted.ticker) or page.cursor:
        return None
    rows = view.recent.page(wanted.ticker, page.skip + page.limit + 1)
    return None if rows is None else rows[page.skip :]


async def _whole(request: Request, wanted: Filter, max_results: int | None, cursor: str | None) -> Response:
    kind, manifest, queries = _kind(wanted), current(request).manifest, request.app.state.queries
    start = _place(cursor, kind)
    total: int = await queries.ask(manifest, lambda histories: histories.count(wanted, start))

    async def more(place: Place | None, limit: int) -> tuple[Sequence[HistoryRow], Place | None]:
        rows: list[Operation] = await queries.ask(
            manifest, lambda histories: histories.page(wanted, limit, behind=place)
        )
        return [history_row(row) for row in rows], rows[-1].place if rows else place

    return await envelope(request, total, max_results, start, more, lambda place: cursor_of(kind, place or ()))


def _kind(wanted: Filter) -> str:
    """What cursors of this list are marked with."""
    return f"history/{crc32(repr(wanted).encode()):08x}"


def _place(cursor: str | None, kind: str) -> Place | None:
    """The place that a cursor names. Raises InvalidCursor."""
    key = key_of(cursor, kind, int, int, int)
    return None if key is None else (key[0], key[1], key[2])
