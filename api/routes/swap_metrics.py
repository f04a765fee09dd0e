"""Figures about swaps: positions, trades, fees, rewards."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.accounts import AddressFilter, wanted_address
from api.answers import answer, documented
from api.errors import PoolNotFound
from api.pages import paged
from api.parameters import current
from api.parts import LongPart
from api.periods import (
    EndBlock,
    EndDate,
    StartBlock,
    StartDate,
    dated,
    newest_blocks,
    newest_days,
    newest_hours,
)
from api.pool_ids import PoolPath, pool_names
from api.swap_metric_rows import (
    DailyFees,
    DirectionsMetrics,
    FeeTotals,
    FillRate,
    GlobalMetrics,
    PoolMetrics,
    PoolRewardMetrics,
    PoolsRewards,
    PositionRewards,
    RewardTotals,
    TimeSeries,
    TopExecutors,
    daily_fees,
    day_row,
    direction_metrics,
    executor_row,
    fee_totals,
    fill_rate_row,
    global_row,
    pool_metrics,
    pool_rewards_row,
    position_rewards_row,
    reward_totals,
)
from api.view_pages import Items, Parted, ask_views, items, kind_of, page_of_views
from warehouse.exchange_figures import DayFees, Direction, PoolName, PoolRewards
from warehouse.exchange_metrics import EVER, ExchangeMetrics, Period, known_pool
from warehouse.view_queries import ViewQueries

router = APIRouter(prefix="/v1/indexer/swap", tags=["swap metrics"])

DEFAULT_DAYS = 30
MOST_DAYS = 36_500

Days = Annotated[int | None, Query(ge=1, le=MOST_DAYS, description="So many times 24 hours before the newest block.")]
YearDays = Annotated[int, Query(ge=1, le=365, description="UTC days, that of the newest block included.")]
MaybeYearDays = Annotated[int | None, Query(ge=1, le=365, description="UTC days, that of the newest block included.")]
PoolFilter = Annotated[
    str | None, Query(max_length=4000, description="Only this pool, in either order of its tickers and any case.")
]


@router.get("/metrics/global", **documented("global_metrics", GlobalMetrics))
async def global_metrics(request: Request) -> Response:
    """Positions and valid executions of the whole exchange."""
    return answer(global_row(await ask_views(request, lambda views: ExchangeMetrics(views).overview())))


@router.get("/metrics/pools", **documented("pools_metrics", DirectionsMetrics))
async def pools_metrics(request: Request, part: LongPart, pool_id: PoolFilter = None) -> Response:
    """Pools, each way for itself, by pool and `src_ticker`."""
    names = None if pool_id is None else pool_names(pool_id)

    def asked(views: ViewQueries, limit: int, skip: int) -> tuple[int, list[Direction]]:
        found = ExchangeMetrics(views).directions(names)
        return len(found), found[skip : skip + limit]

    _, rows, cursor = await page_of_views(request, kind_of("metrics/pools", names), part, asked)
    return paged({"items": [direction_metrics(row) for row in rows], "next_cursor": cursor}, cursor)


@router.get("/metrics/pools/{pool_id:any}", **documented("pool_metrics", PoolMetrics))
async def metrics_of_pool(
    request: Request,
    pool_id: PoolPath,
    start_date: StartDate = None,
    end_date: EndDate = None,
    start_block: StartBlock = None,
    end_block: EndBlock = None,
    days: Days = None,
) -> Response:
    """One pool, and its trades in a period: of `days`, else of dates, else of blocks, else of the last 144 blocks."""
    dates = dated(start_date, end_date)

    def asked(views: ViewQueries) -> PoolMetrics:
        metrics, name = ExchangeMetrics(views), _pool(views, pool_id)
        if days is not None:
            period = newest_hours(metrics.now(), days)
        elif dates != EVER:
            period = dates
        elif start_block is not None or end_block is not None:
            period = Period(first=start_block, last=end_block)
        else:
            period = newest_blocks(views.height)
        return pool_metrics(name, metrics.pool(name), metrics.trades(name), metrics.trades(name, period))

    return answer(await ask_views(request, asked))


@router.get("/metrics/timeseries", **documented("time_series", TimeSeries))
async def time_series(request: Request, days: YearDays = 7) -> Response:
    """Valid executions day by day, the newest first; days without any are left out."""

    def asked(views: ViewQueries) -> TimeSeries:
        metrics = ExchangeMetrics(views)
        return TimeSeries(items=[day_row(day) for day in metrics.days(newest_days(metrics.now(), days))])

    return answer(await ask_views(request, asked))


@router.get("/metrics/top-executors", **documented("top_executors", TopExecutors))
async def top_executors(request: Request, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> Response:
    """Who trades most often, then by address. Unlike tokens are no order."""
    found = await ask_views(request, lambda views: ExchangeMetrics(views).executors(limit))
    return answer(TopExecutors(items=[executor_row(row) for row in found]))


@router.get("/metrics/fill-rate", **documented("fill_rate", FillRate))
async def fill_rate(request: Request) -> Response:
    """How positions end."""
    return answer(fill_rate_row(await ask_views(request, lambda views: ExchangeMetrics(views).filling())))


@router.get("/metrics/rewards", **documented("rewards", RewardTotals))
async def rewards(request: Request) -> Response:
    """What all positions were paid out of fees."""

    def asked(views: ViewQueries) -> RewardTotals:
        metrics = ExchangeMetrics(views)
        return reward_totals(metrics.rewards(), metrics.overview().positions.expired)

    return answer(await ask_views(request, asked))


@router.get("/metrics/rewards/pools", **documented("pools_rewards", PoolsRewards))
async def pools_rewards(request: Request, part: LongPart, pool_id: PoolFilter = None) -> Response:
    """Fees and rewards of pools, by pool."""
    names = None if pool_id is None else pool_names(pool_id)

    def asked(views: ViewQueries, limit: int, skip: int) -> tuple[int, list[PoolRewards]]:
        found = ExchangeMetrics(views).rewards(names)
        return len(found), found[skip : skip + limit]

    _, rows, cursor = await page_of_views(request, kind_of("metrics/rewards", names), part, asked)
    return paged({"items": [pool_rewards_row(row) for row in rows], "next_cursor": cursor}, cursor)


@router.get("/metrics/rewards/pools/{pool_id:any}", **documented("pool_rewards", PoolRewardMetrics))
async def pool_rewards(request: Request, pool_id: PoolPath) -> Response:
    """Fees and rewards of one pool."""
    found = await ask_views(request, lambda views: ExchangeMetrics(views).rewards([_pool(views, pool_id).pool]))
    return answer(pool_rewards_row(found[0]))


@router.get("/metrics/rewards/positions", **documented("position_rewards", Items[PositionRewards]))
async def position_rewards(
    request: Request,
    part: Parted,
    owner: AddressFilter = None,
    pool_id: PoolFilter = None,
    has_rewards: Annotated[bool | None, Query(description="Only positions that were, or were not, rewarded.")] = None,
) -> Response:
    """What positions have earned, the last to unlock first."""
    address = wanted_address(current(request), owner, "owner")
    names = None if pool_id is None else pool_names(pool_id)
    total, rows, cursor = await page_of_views(
        request,
        kind_of("metrics/positions", (address, names, has_rewards)),
        part,
        lambda views, limit, skip: ExchangeMetrics(views).position_rewards(address, names, has_rewards, limit, skip),
    )
    return items(part, total, [position_rewards_row(row) for row in rows], cursor)


@router.get("/metrics/fees", **documented("fees", FeeTotals))
async def fees(request: Request) -> Response:
    """All fees that trades ever paid."""

    def asked(views: ViewQueries) -> FeeTotals:
        metrics = ExchangeMetrics(views)
        return fee_totals(metrics.fees_by_side(), metrics.fees(), metrics.count_pools())

    return answer(await ask_views(request, asked))


@router.get("/pools/{pool_id:any}/fees/daily", **documented("daily_fees", DailyFees))
async def fees_by_day(
    request: Request,
    pool_id: PoolPath,
    days: MaybeYearDays = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
) -> Response:
    """Fees of a pool by UTC day: of `days`, else of dates, else of the last 30 days."""
    dates = dated(start_date, end_date)

    def asked(views: ViewQueries) -> DailyFees:
        metrics, name = ExchangeMetrics(views), _pool(views, pool_id)
        now = metrics.now()
        period = dates if days is None and dates != EVER else newest_days(now, days or DEFAULT_DAYS)
        live = metrics.trades(name, newest_blocks(views.height))
        today = DayFees(datetime.fromtimestamp(now, UTC).date(), live.fees, live.executions)
        return daily_fees(name, today, metrics.daily_fees(name, period))

    return answer(await ask_views(request, asked))


def _pool(views: ViewQueries, text: str) -> PoolName:
    """A pool that exists. Raises InvalidPoolId and PoolNotFound."""
    names = pool_names(text)
    found = known_pool(views, names)
    if found is None:
        raise PoolNotFound(f"there is no pool {names[0]}: no position was ever opened in it", "pool_id")
    return found
