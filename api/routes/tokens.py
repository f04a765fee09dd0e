"""Tokens and who holds them."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import answer, documented
from api.envelopes import MaxResults, envelope
from api.ledgers import AtHeight, Ledger, Moment, ask_aside, ask_page, at, pinned
from api.listings import Wanted
from api.pages import Cursor, Paged, Part, cursor_of, cut, paged
from api.parameters import TickerPath, current, ticker_not_found, ticker_of
from api.rows import (
    Balance,
    BalanceEnvelope,
    TokenEnvelope,
    TokenInfo,
    VirtualHolders,
    balance,
    token_info,
)
from warehouse.change_log import POOL_ACCOUNT
from warehouse.serving_map import Account
from warehouse.serving_view import View

router = APIRouter(prefix="/v1/indexer/brc20", tags=["tokens"])

FEW = 100
"""Holders that are told as fast as a balance is looked up."""

IncludeVirtual = Annotated[
    bool, Query(description="An object that also tells what positions lock beyond their pool's balance.")
]


@router.get("/list", **documented("list", list[TokenInfo]))
async def token_list(request: Request, wanted: Wanted, page: Paged, height: AtHeight = None) -> Response:
    """Deployed tokens, newest deploy first unless asked for otherwise."""
    tokens, cursor = await ask_page(request, wanted.kind, page, height, wanted.page)
    return paged([token_info(token) for token in tokens], cursor)


@router.get("/list/all", **documented("list_all", TokenEnvelope))
async def whole_token_list(
    request: Request, wanted: Wanted, max_results: MaxResults = None, height: AtHeight = None, cursor: Cursor = None
) -> Response:
    """The same as a whole."""
    moment, offset = pinned(current(request), wanted.kind, cursor, height)
    tokens, hash_ = await at(request, moment, wanted.whole)

    async def more(skip: int, limit: int) -> tuple[Sequence[TokenInfo], int]:
        return [token_info(token) for token in tokens[skip : skip + limit]], skip + limit

    total = max(len(tokens) - offset, 0)
    return await envelope(
        request, total, max_results, offset, more, lambda place: cursor_of(wanted.kind, (moment.height, hash_, place))
    )


@router.get("/{ticker:any}/info", **documented("token_info", TokenInfo))
async def info(request: Request, ticker: TickerPath, height: AtHeight = None) -> Response:
    """A token and its supply."""
    view = current(request)
    if height is None and (at_hand := info_at_hand(view, ticker)):
        return answer(at_hand)
    known = ticker_of(ticker)
    figures = await ask_aside(request, height, lambda ledger: ledger.figures(known))
    if figures is None:
        raise ticker_not_found(known, view.tip.height if height is None else height)
    return answer(token_info(figures))


def info_at_hand(view: View, ticker: str) -> TokenInfo | None:
    """A token that exists at the published height; of receipts, whose holders have to be counted, nothing."""
    known = ticker_of(ticker)
    figures = None if known in view.extensions.keepers else view.figures(known)
    return None if figures is None else token_info(figures)


@router.get("/{ticker:any}/holders", **documented("holders", list[Balance] | VirtualHolders))
async def holders(
    request: Request,
    ticker: TickerPath,
    page: Paged,
    include_virtual: IncludeVirtual = False,
    height: AtHeight = None,
) -> Response:
    """Accounts with a balance above zero, largest first, then by address. Pool accounts count."""
    known = ticker_of(ticker)

    def asked(ledger: Ledger, skip: int, limit: int) -> Sequence[tuple[Account, Account | None]]:
        _check_known(ledger, known)
        found = ledger.holders(known, skip, limit)
        if not include_virtual:
            return [(account, None) for account in found]
        return [(account, _virtual(ledger, account)) for account in found]

    is_quick = page.limit <= FEW and _is_at_hand(current(request), known)
    rows, cursor = await ask_page(request, _holders(known), page, height, asked, is_quick)
    listed = [balance(account) for account, _ in rows]
    if not include_virtual:
        return paged(listed, cursor)
    virtual = [balance(account) for _, account in rows if account]
    return paged(VirtualHolders(holders=listed, virtual_accounting=virtual or None), cursor)


@router.get("/{ticker:any}/holders/all", **documented("holders_all", BalanceEnvelope))
async def all_holders(
    request: Request, ticker: TickerPath, max_results: MaxResults = None, height: AtHeight = None, cursor: Cursor = None
) -> Response:
    """The same as a whole."""
    known = ticker_of(ticker)
    kind = _holders(known)
    moment, offset = pinned(current(request), kind, cursor, height)

    def count(ledger: Ledger) -> int:
        _check_known(ledger, known)
        return ledger.count_holders(known)

    total, hash_ = await at(request, moment, count)
    fixed = Moment(moment.height, hash_)

    async def more(skip: int, limit: int) -> tuple[Sequence[Balance], int]:
        accounts, _ = await at(request, fixed, lambda ledger: ledger.holders(known, skip, limit))
        return await asyncio.to_thread(lambda: [balance(account) for account in accounts]), skip + limit

    return await envelope(
        request,
        max(total - offset, 0),
        max_results,
        offset,
        more,
        lambda place: cursor_of(kind, (moment.height, hash_, place)),
    )


def holders_at_hand(view: View, ticker: str, limit: int) -> Part | None:
    """The first holders of a token that exists at the published height; of receipts nothing."""
    known = ticker_of(ticker)
    if not _is_at_hand(view, known) or not view.knows(known):
        return None
    found = view.holders(known, 0, limit + 1)
    accounts, cursor = cut(found, limit, _holders(known), lambda _: (view.tip.height, view.tip.hash, limit))
    return Part([balance(account) for account in accounts], cursor)


def _is_at_hand(view: View, ticker: str) -> bool:
    """Whether short pages of its holders are told without holding up others; receipts have to be counted."""
    return ticker not in view.extensions.keepers and view.tells_holders_at_once(ticker)


def _holders(ticker: str) -> str:
    """What cursors of this list are marked with."""
    return f"holders/{ticker}"


def _check_known(ledger: Ledger, ticker: str) -> None:
    """Raises TickerNotFound."""
    if not ledger.knows(ticker):
        raise ticker_not_found(ticker, ledger.height)


def _virtual(ledger: Ledger, account: Account) -> Account | None:
    """What active positions of a pool's account lock beyond its balance."""
    if not account.address.startswith(POOL_ACCOUNT):
        return None
    pool = account.address.removeprefix(POOL_ACCOUNT)
    missing = ledger.extensions.locks.by_pool.get((pool, account.ticker), 0) - account.balance
    return account._replace(address=f"POOL:PARTIAL::{pool}", balance=missing) if missing > 0 else None
