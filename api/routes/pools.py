"""Pools of swaps: what they hold, and what a trade would come to."""

from collections import defaultdict
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import answer, documented
from api.errors import PoolNotFound
from api.ledgers import AtHeight
from api.numbers import LONGEST, percentage, read_number
from api.parameters import TickerPath, current, ticker_not_found
from api.periods import newest_blocks
from api.pool_ids import PoolPath, SwapTicker, pool_names, swap_ticker
from api.pool_transaction_rows import transaction_row
from api.quotes import Quote, quote, read_order
from api.rows import amount_text
from api.swap_metric_rows import PoolMetrics, pool_metrics
from api.swap_rows import (
    Happened,
    LockedPool,
    LockedToken,
    LockedTokens,
    PoolDetail,
    PoolDirection,
    Reserves,
    TokenTvl,
    Tvl,
    TwoTvls,
    direction_row,
    two_reserves,
)
from api.view_pages import Items, Offset, Parted, ask_views, items, kind_of, page_of_views
from engine.modules.decimals import ZERO
from engine.modules.pools import Indices, Pool, pool_id
from engine.tickers import WRAPPED
from ingest.networks import DECIMALS
from warehouse import pool_transactions
from warehouse.exchange import Direction, Exchange, Wanted
from warehouse.exchange_figures import PoolName
from warehouse.exchange_metrics import ExchangeMetrics
from warehouse.pool_transactions import PoolTransactions
from warehouse.serving_view import View
from warehouse.view_queries import ViewQueries

router = APIRouter(prefix="/v1/indexer/swap", tags=["swap"])

ENOUGH = 2
"""Active positions each way of a pool that counts as active."""

Amount = Annotated[str, Query(max_length=LONGEST)]


@router.get("/tvl/{ticker:any}", **documented("tvl", Tvl))
async def tvl(request: Request, ticker: TickerPath) -> Response:
    """What active positions lock of a token."""
    view = current(request)
    known = swap_ticker(ticker) or ""
    if not view.knows(known):
        raise ticker_not_found(known, view.tip.height)
    locked = view.extensions.locks.by_ticker.get(known, 0)
    token, supply = view.token(known), view.supply(known)
    most = token.max_supply if token else 0
    if known == WRAPPED and supply is not None:
        most = supply.minted - supply.burned
    text = amount_text(locked)
    return answer(
        Tvl(
            ticker=known,
            total_locked_positions_sum=text,
            deploy_remaining_supply=amount_text(most + locked if token else 0),
            tvl_estimate=text,
        )
    )


@router.get("/pools", **documented("pools", Items[PoolDirection]))
async def pools(request: Request, part: Parted, src: SwapTicker = None, dst: SwapTicker = None) -> Response:
    """Pools with active positions, each way for itself, the first to unlock first, then by pool and `src`."""
    wanted = Wanted(source=swap_ticker(src), destination=swap_ticker(dst), status="active")

    def asked(views: ViewQueries, limit: int, skip: int) -> tuple[int, list[Direction]]:
        found = Exchange(views).directions(wanted)
        return len(found), found[skip : skip + limit]

    total, rows, cursor = await page_of_views(request, kind_of("pools", wanted), part, asked)
    return items(part, total, [direction_row(row) for row in rows], cursor)


@router.get("/pools/{pool_id:any}/reserves", **documented("reserves", Reserves))
async def reserves(request: Request, pool_id: PoolPath, height: AtHeight = None) -> Response:
    """What a pool trades against: what its active positions offer."""
    pool, indices = await _pool(request, pool_id, height)
    openings = [each.start for side in pool.sides for each in side.active]
    return answer(
        Reserves(pool_id=pool.id, last_updated_height=max(openings, default=None), **two_reserves(pool, indices))
    )


@router.get("/pools/{pool_id:any}/detail", **documented("pool_detail", PoolDetail))
async def detail(
    request: Request,
    pool_id: PoolPath,
    include_transactions: bool = False,
    transactions_limit: Annotated[int, Query(ge=1, le=100)] = 20,
    transactions_offset: Offset = 0,
    include_metrics: bool = True,
) -> Response:
    """A pool with what its tokens lock, its figures of the last 144 blocks and of all, and what happened in it."""
    view = current(request)
    names = pool_names(pool_id)

    def asked(views: ViewQueries) -> tuple[Pool, Indices, PoolMetrics | None, Happened | None]:
        pool, indices = _found(Exchange(views).pool(names), names)
        metrics = _metrics(views, pool) if include_metrics else None
        happened = _happened(views, pool, transactions_limit, transactions_offset) if include_transactions else None
        return pool, indices, metrics, happened

    pool, indices, metrics, happened = await ask_views(request, asked)
    a, b = pool.sides
    active = [*a.active, *b.active]
    return answer(
        PoolDetail(
            pool=PoolDirection(
                pool_id=pool.id,
                src=a.token,
                dst=b.token,
                active_positions=len(active),
                locked_sum=f"{sum((each.locked for each in a.active), ZERO):.{DECIMALS}f}",
                next_expiration_height=min((each.unlock for each in active), default=None),
            ),
            reserves=two_reserves(pool, indices),
            tvl=TwoTvls(token_a=_tvl(view, a.token), token_b=_tvl(view, b.token)),
            metrics=metrics,
            transactions=happened,
            is_pool_active=all(len(side.active) >= ENOUGH for side in pool.sides),
        )
    )


@router.get("/quote", **documented("quote", Quote))
async def quoted(
    request: Request,
    src: Annotated[str, Query(max_length=2000, description="Ticker to pay with.")],
    dst: Annotated[str, Query(max_length=2000, description="Ticker to receive.")],
    amount: Annotated[str, Query(max_length=LONGEST, description="Most of `src` to pay.")],
    slippage: Annotated[str, Query(max_length=LONGEST, description="Most that is tolerated, in percent.")],
    height: AtHeight = None,
) -> Response:
    """What an `exe` in the next block would come to, if it were the first to change the pool."""
    order = read_order(swap_ticker(src) or "", swap_ticker(dst) or "", amount, slippage)
    name = pool_id(order.source, order.destination)
    found, at = await ask_views(request, lambda views: (Exchange(views).pool([name]), views.height), height)
    if found is None or not found[0].trades(order.source, order.destination):
        raise PoolNotFound(f"no position between {order.source} and {order.destination} was ever opened")
    pool, indices = found
    return answer(quote(pool, order, at + 1, indices))


@router.get("/tokens/locked", **documented("swap_tokens_locked", LockedTokens))
async def tokens_locked(
    request: Request,
    min_amount: Annotated[str | None, Query(max_length=LONGEST, description="Only tokens locked at least so.")] = None,
) -> Response:
    """Tokens that active positions lock, largest amount first, then by ticker; their pools by id."""
    view = current(request)
    least = None if min_amount is None else read_number(min_amount, "min_amount")
    rows = await ask_views(request, lambda views: Exchange(views).directions(Wanted(status="active")))
    by_token: dict[str, list[Direction]] = defaultdict(list)
    for row in rows:
        by_token[row.source].append(row)
    sums = {ticker: sum(Decimal(row.locked) for row in found) for ticker, found in by_token.items()}
    order = sorted((ticker for ticker in sums if least is None or sums[ticker] >= least), key=lambda t: (-sums[t], t))
    tokens = [_locked(view, ticker, Decimal(sums[ticker]), by_token[ticker]) for ticker in order]
    return answer(LockedTokens(total_tokens=len(tokens), tokens=tokens))


async def _pool(request: Request, text: str, height: int | None = None) -> tuple[Pool, Indices]:
    """The pool with its active positions. Raises InvalidPoolId, PoolNotFound and BlockNotFound."""
    names = pool_names(text)
    return _found(await ask_views(request, lambda views: Exchange(views).pool(names), height), names)


def _found(pool: tuple[Pool, Indices] | None, names: list[str]) -> tuple[Pool, Indices]:
    """Raises PoolNotFound."""
    if pool is None:
        raise PoolNotFound(f"there is no pool {names[0]}: no position was ever opened in it", "pool_id")
    return pool


def _metrics(views: ViewQueries, pool: Pool) -> PoolMetrics:
    metrics, name = ExchangeMetrics(views), PoolName(pool.id, *(side.token for side in pool.sides))
    return pool_metrics(
        name, metrics.pool(name), metrics.trades(name), metrics.trades(name, newest_blocks(views.height))
    )


def _happened(views: ViewQueries, pool: Pool, limit: int, skip: int) -> Happened:
    total, rows = PoolTransactions(views).page(pool_transactions.Wanted(pools=(pool.id,)), limit, skip)
    return Happened(total=total, limit=limit, offset=skip, items=[transaction_row(row) for row in rows])


def _tvl(view: View, ticker: str) -> TokenTvl:
    return TokenTvl(ticker=ticker, tvl_estimate=amount_text(view.extensions.locks.by_ticker.get(ticker, 0)))


def _locked(view: View, ticker: str, locked: Decimal, rows: list[Direction]) -> LockedToken:
    token = view.token(ticker)
    listed = [
        LockedPool(
            pool_id=row.pool,
            paired_ticker=row.destination,
            amount_locked=row.locked,
            active_positions=row.active_positions,
            next_expiration_height=row.next_unlock_height,
        )
        for row in sorted(rows, key=lambda row: row.pool)
    ]
    return LockedToken(
        ticker=ticker,
        total_locked=f"{locked:.{DECIMALS}f}",
        active_pools_count=len(listed),
        pools=listed,
        total_active_positions=sum(row.active_positions for row in rows),
        locked_percentage_of_supply=percentage(locked, token.max_supply if token else 0),
    )
