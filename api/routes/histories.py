"""Valid operations: of a token, an address, a block, a transaction."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import answer, documented
from api.errors import BlockNotFound, TransactionNotFound
from api.parameters import (
    AddressPath,
    HeightPath,
    HistorySkip,
    Limit,
    OpType,
    TickerPath,
    TxidPath,
    checked_address,
    current,
    known_ticker,
)
from api.queries import Queries
from api.rows import HistoryRow, history_row
from engine.tickers import normalise
from warehouse.histories import Histories, Operation
from warehouse.serving_view import View

router = APIRouter(prefix="/v1/indexer", tags=["history"])


async def asked(request: Request, view: View, question: Callable[[Histories], list[Operation]]) -> list[Operation]:
    """The answer of the history at the height of `view`."""
    queries: Queries = request.app.state.queries
    return await queries.ask(view.manifest, question)


@router.get("/brc20/history-by-height/{height}", **documented("history_by_height", list[HistoryRow]))
async def history_by_height(
    request: Request, height: HeightPath, skip: HistorySkip = 0, limit: Limit = 100
) -> Response:
    """Valid operations of a block, by transaction, then in processing order."""
    view = current(request)
    if not view.manifest.start_height <= height <= view.tip.height:
        published = f"{view.manifest.start_height} to {view.tip.height}"
        raise BlockNotFound(f"block {height} is not published (heights: {published})", "height")
    rows = await asked(request, view, lambda histories: histories.of_block(height, skip, limit))
    return answer([history_row(row) for row in rows])


@router.get("/brc20/{ticker:path}/tx/{txid}/history", **documented("transaction_history", list[HistoryRow]))
async def transaction_history(request: Request, ticker: TickerPath, txid: TxidPath) -> Response:
    """Valid operations of a token in one transaction, in processing order; 404 when the transaction has no record."""
    view = current(request)
    known = known_ticker(view, ticker)
    rows = await asked(request, view, lambda histories: histories.of_transaction(txid.lower()))
    if not rows:
        raise TransactionNotFound(f"transaction {txid.lower()} has no record up to height {view.tip.height}", "txid")
    return answer([history_row(row) for row in rows if row.valid and row.ticker == known])


@router.get("/brc20/{ticker:path}/history", **documented("token_history", list[HistoryRow]))
async def token_history(
    request: Request, ticker: TickerPath, op_type: OpType = None, skip: HistorySkip = 0, limit: Limit = 100
) -> Response:
    """Valid operations of a token, newest first."""
    view = current(request)
    known = known_ticker(view, ticker)
    rows = await asked(request, view, lambda histories: histories.of_ticker(known, op_type, skip, limit))
    return answer([history_row(row) for row in rows])


@router.get("/address/{address}/history", **documented("address_history", list[HistoryRow]))
async def address_history(
    request: Request,
    address: AddressPath,
    ticker: Annotated[str | None, Query(max_length=2000, description="Only this token.")] = None,
    op_type: OpType = None,
    skip: HistorySkip = 0,
    limit: Limit = 100,
) -> Response:
    """Valid operations that the address sent or received, newest first."""
    view = current(request)
    checked = checked_address(view, address)
    normal = normalise(ticker) if ticker else ticker
    rows = await asked(request, view, lambda histories: histories.of_address(checked, normal, op_type, skip, limit))
    return answer([history_row(row) for row in rows])
