"""Shapes of figures about swaps, under the names that clients know. Sums of unlike tokens have `*_by_ticker` beside."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from api.change_rows import ByTicker, by_ticker
from api.numbers import Number, number_text
from api.rows import Amount, Time, amount_text, time_text
from engine.modules.decimals import fifty_digits
from warehouse.exchange_figures import (
    Day,
    DayFees,
    Direction,
    Executor,
    Filling,
    Overview,
    PoolFigures,
    PoolName,
    PoolRewards,
    PositionReward,
    Side,
    Sums,
    Trades,
)

ENOUGH = 2
"""Active positions each way of a pool that counts as active."""

Unlike = Annotated[str, Field(description="Sum over unlike tokens, a number without a unit: see `*_by_ticker`.")]
Hours = Annotated[float | None, Field(description="Mean time in which positions sold out, by block times.")]


class GlobalMetrics(TypedDict):
    """The whole exchange."""

    total_positions: int
    active_positions: int
    expired_positions: int
    closed_positions: int
    total_locked_by_ticker: ByTicker
    total_executions: int
    total_volume_by_ticker: Annotated[ByTicker, Field(description="What was sold in valid executions.")]
    unique_pools: Annotated[int, Field(description="Pools with an active position.")]
    unique_executors: int


class Accumulators(TypedDict):
    """What a pool keeps of its two tickers."""

    fees_collected_a: Annotated[str, Field(description="Not yet paid out.")]
    fees_collected_b: Annotated[str, Field(description="Not yet paid out.")]
    fee_per_share_a: Amount
    fee_per_share_b: Amount
    total_lp_units_a: Amount
    total_lp_units_b: Amount
    total_liquidity_a: Amount
    total_liquidity_b: Amount


class DirectionMetrics(Accumulators):
    """A pool one way."""

    pool_id: str
    src_ticker: str
    dst_ticker: str
    total_positions: int
    active_positions: int
    closed_positions: int
    expired_positions: int
    active_locked: Amount
    total_locked: Annotated[str, Field(description="What trades have left of all positions, settled ones too.")]
    next_expiration_height: int | None
    total_executions: Annotated[int, Field(description="Valid executions in this pool that sold `src_ticker`.")]
    total_volume: Annotated[str, Field(description="What they sold.")]


class DirectionsMetrics(TypedDict):
    """Pools, each way for itself."""

    items: list[DirectionMetrics]
    next_cursor: Annotated[str | None, Field(description="Where to go on; null at the end.")]


class PoolMetrics(TypedDict):
    """A pool. `*_24h` are those of the period that was asked for, by default of the last 144 blocks."""

    active_positions: int
    expired_positions: int
    completed_positions: int
    total_positions: int
    total_locked: Unlike
    total_locked_by_ticker: Annotated[ByTicker, Field(description="All that was ever deposited.")]
    current_locked_token_a: Amount
    current_locked_token_b: Amount
    total_volume_token_a: Annotated[str, Field(description="What trades bought, fees included.")]
    total_volume_token_b: Amount
    total_executions: int
    volume_24h_token_a: Amount
    volume_24h_token_b: Amount
    executions_24h: int
    fees_collected_total_token_a: Annotated[str, Field(description="All fees that trades ever paid.")]
    fees_collected_total_token_b: Amount
    fees_collected_24h_token_a: Amount
    fees_collected_24h_token_b: Amount
    fill_rate: Annotated[str, Field(description="Percentage of positions that sold out, settled since or not.")]
    avg_fill_time_hours: Hours
    unique_executors: int
    is_pool_active: Annotated[bool, Field(description="At least 2 active positions each way.")]


class DayMetrics(TypedDict):
    """Trades of a UTC day."""

    date: str
    executions: int
    volume: Unlike
    volume_by_ticker: Annotated[ByTicker, Field(description="What was sold.")]
    unique_executors: int


class TimeSeries(TypedDict):
    """Days with trades, the newest first."""

    items: list[DayMetrics]


class ExecutorMetrics(TypedDict):
    """Who trades."""

    executor: str
    executions: int
    total_volume: Unlike
    volume_by_ticker: Annotated[ByTicker, Field(description="What was sold.")]
    last_execution: Time


class TopExecutors(TypedDict):
    """Who trades most often."""

    items: list[ExecutorMetrics]


class FillRate(TypedDict):
    """How positions end."""

    total_initiated: int
    filled_positions: Annotated[int, Field(description="Sold out, settled since or not.")]
    expired_positions: Annotated[int, Field(description="Settled with something left.")]
    active_positions: int
    fill_rate_percent: Number
    avg_fill_time_hours: Hours


class RewardTotals(TypedDict):
    """What positions were paid out of fees."""

    total_rewards_distributed_a: Unlike
    total_rewards_distributed_b: Unlike
    total_rewards_by_ticker: ByTicker
    total_positions_with_rewards: int
    total_positions_expired: int
    avg_reward_per_position: Unlike


class PoolRewardMetrics(Accumulators):
    """Fees of a pool and what was paid out of them; `src_ticker` is its first ticker."""

    pool_id: str
    src_ticker: str
    dst_ticker: str
    total_rewards_distributed_a: Amount
    total_rewards_distributed_b: Amount
    positions_with_rewards: int


class PoolsRewards(TypedDict):
    """Pools by id."""

    items: list[PoolRewardMetrics]
    next_cursor: Annotated[str | None, Field(description="Where to go on; null at the end.")]


class PositionRewards(TypedDict):
    """What a position has earned."""

    position_id: int
    position_ref: Annotated[str, Field(description="`txid:vout` of the operation that opened it; never changes.")]
    owner: str
    pool_id: str
    src_ticker: str
    dst_ticker: str
    amount_locked: Amount
    lp_units_a: Amount
    lp_units_b: Amount
    reward_multiplier: Amount
    reward_a_distributed: Amount
    reward_b_distributed: Amount
    status: str
    unlock_height: int


class FeeTotals(TypedDict):
    """All fees that trades ever paid; never less than before, whatever was paid out since."""

    total_fees_collected_a: Unlike
    total_fees_collected_b: Unlike
    total_fees_by_ticker: ByTicker
    total_fees_collected_usd_estimate: Annotated[str | None, Field(description="Always null: prices are not indexed.")]
    total_pools: int
    active_pools: int


class FeeDay(TypedDict):
    """Fees of a pool on a UTC day."""

    date: str
    fees_token_a: Amount
    fees_token_b: Amount
    ticker_a: str
    ticker_b: str
    total_changes: Annotated[int, Field(description="Trades that paid them.")]


class DailyFees(TypedDict):
    """Fees of a pool day by day, the newest first; days without trades are left out."""

    pool_id: str
    ticker_a: str
    ticker_b: str
    live_24h: Annotated[FeeDay, Field(description="The last 144 blocks, under the day of the newest one.")]
    historical: list[FeeDay]
    total_days: int
    period_start: Annotated[str | None, Field(description="The oldest day of the list.")]
    period_end: str | None


def global_row(found: Overview) -> GlobalMetrics:
    """The whole exchange as clients know it."""
    return GlobalMetrics(
        total_positions=found.positions.total,
        active_positions=found.positions.active,
        expired_positions=found.positions.expired,
        closed_positions=found.positions.closed,
        total_locked_by_ticker=by_ticker(found.locked),
        total_executions=found.executions,
        total_volume_by_ticker=by_ticker(found.volumes),
        unique_pools=found.active_pools,
        unique_executors=found.executors,
    )


def direction_metrics(found: Direction) -> DirectionMetrics:
    """A pool one way as clients know it."""
    return DirectionMetrics(
        pool_id=found.name.pool,
        src_ticker=found.source,
        dst_ticker=found.destination,
        total_positions=found.positions.total,
        active_positions=found.positions.active,
        closed_positions=found.positions.closed,
        expired_positions=found.positions.expired,
        active_locked=amount_text(found.active_locked),
        total_locked=amount_text(found.locked),
        next_expiration_height=found.next_unlock_height,
        total_executions=found.executions,
        total_volume=amount_text(found.volume),
        **_accumulators(found.sides),
    )


def pool_metrics(name: PoolName, found: PoolFigures, ever: Trades, period: Trades) -> PoolMetrics:
    """A pool as clients know it."""
    _, a, b = name
    return PoolMetrics(
        active_positions=found.positions.active,
        expired_positions=found.positions.expired,
        completed_positions=found.positions.closed,
        total_positions=found.positions.total,
        total_locked=amount_text(sum(found.deposited.values())),
        total_locked_by_ticker=by_ticker(found.deposited),
        current_locked_token_a=_of(found.locked, a),
        current_locked_token_b=_of(found.locked, b),
        total_volume_token_a=_of(ever.volumes, a),
        total_volume_token_b=_of(ever.volumes, b),
        total_executions=ever.executions,
        volume_24h_token_a=_of(period.volumes, a),
        volume_24h_token_b=_of(period.volumes, b),
        executions_24h=period.executions,
        fees_collected_total_token_a=_of(ever.fees, a),
        fees_collected_total_token_b=_of(ever.fees, b),
        fees_collected_24h_token_a=_of(period.fees, a),
        fees_collected_24h_token_b=_of(period.fees, b),
        fill_rate=_ratio(100 * found.sold_out, found.positions.total),
        avg_fill_time_hours=found.hours,
        unique_executors=ever.executors,
        is_pool_active=all(found.active.get(ticker, 0) >= ENOUGH for ticker in (a, b)),
    )


def day_row(found: Day) -> DayMetrics:
    """A day as clients know it."""
    return DayMetrics(
        date=found.day.isoformat(),
        executions=found.executions,
        volume=amount_text(sum(found.volumes.values())),
        volume_by_ticker=by_ticker(found.volumes),
        unique_executors=found.executors,
    )


def executor_row(found: Executor) -> ExecutorMetrics:
    """An executor as clients know it."""
    return ExecutorMetrics(
        executor=found.address,
        executions=found.executions,
        total_volume=amount_text(sum(found.volumes.values())),
        volume_by_ticker=by_ticker(found.volumes),
        last_execution=time_text(datetime.fromtimestamp(found.last, UTC)),
    )


def fill_rate_row(found: Filling) -> FillRate:
    """How positions end, as clients know it."""
    return FillRate(
        total_initiated=found.total,
        filled_positions=found.sold_out,
        expired_positions=found.total - found.active - found.sold_out,
        active_positions=found.active,
        fill_rate_percent=_ratio(100 * found.sold_out, found.total),
        avg_fill_time_hours=found.hours,
    )


@fifty_digits
def reward_totals(found: list[PoolRewards], expired: int) -> RewardTotals:
    """Rewards of all pools."""
    sums: Sums = {}
    for pool in found:
        for ticker, paid in ((pool.name.token_a, pool.paid_a), (pool.name.token_b, pool.paid_b)):
            if paid:
                sums[ticker] = sums.get(ticker, 0) + paid
    a, b = sum(pool.paid_a for pool in found), sum(pool.paid_b for pool in found)
    rewarded = sum(pool.rewarded for pool in found)
    return RewardTotals(
        total_rewards_distributed_a=amount_text(a),
        total_rewards_distributed_b=amount_text(b),
        total_rewards_by_ticker=by_ticker(sums),
        total_positions_with_rewards=rewarded,
        total_positions_expired=expired,
        avg_reward_per_position=_ratio(a + b, rewarded * 10**8),
    )


def pool_rewards_row(found: PoolRewards) -> PoolRewardMetrics:
    """A pool's rewards as clients know them."""
    return PoolRewardMetrics(
        pool_id=found.name.pool,
        src_ticker=found.name.token_a,
        dst_ticker=found.name.token_b,
        total_rewards_distributed_a=amount_text(found.paid_a),
        total_rewards_distributed_b=amount_text(found.paid_b),
        positions_with_rewards=found.rewarded,
        **_accumulators(found.sides),
    )


def position_rewards_row(found: PositionReward) -> PositionRewards:
    """A position's rewards as clients know them."""
    return PositionRewards(
        position_id=found.position_id,
        position_ref=f"{found.txid}:{found.vout}",
        owner=found.owner,
        pool_id=found.pool,
        src_ticker=found.source,
        dst_ticker=found.destination,
        amount_locked=found.locked,
        lp_units_a=found.units_a,
        lp_units_b=found.units_b,
        reward_multiplier=found.multiplier,
        reward_a_distributed=found.reward_a,
        reward_b_distributed=found.reward_b,
        status=found.status,
        unlock_height=found.unlock_height,
    )


def fee_totals(sides: tuple[int, int], fees: Sums, pools: tuple[int, int]) -> FeeTotals:
    """All fees as clients know them."""
    return FeeTotals(
        total_fees_collected_a=amount_text(sides[0]),
        total_fees_collected_b=amount_text(sides[1]),
        total_fees_by_ticker=by_ticker(fees),
        total_fees_collected_usd_estimate=None,
        total_pools=pools[0],
        active_pools=pools[1],
    )


def daily_fees(name: PoolName, live: DayFees, days: list[DayFees]) -> DailyFees:
    """Fees of a pool as clients know them."""
    return DailyFees(
        pool_id=name.pool,
        ticker_a=name.token_a,
        ticker_b=name.token_b,
        live_24h=_fee_day(name, live),
        historical=[_fee_day(name, day) for day in days],
        total_days=len(days),
        period_start=days[-1].day.isoformat() if days else None,
        period_end=days[0].day.isoformat() if days else None,
    )


def _fee_day(name: PoolName, found: DayFees) -> FeeDay:
    return FeeDay(
        date=found.day.isoformat(),
        fees_token_a=_of(found.fees, name.token_a),
        fees_token_b=_of(found.fees, name.token_b),
        ticker_a=name.token_a,
        ticker_b=name.token_b,
        total_changes=found.trades,
    )


def _accumulators(sides: tuple[Side, Side]) -> Accumulators:
    a, b = sides
    return Accumulators(
        fees_collected_a=a.fees,
        fees_collected_b=b.fees,
        fee_per_share_a=a.fee_per_share,
        fee_per_share_b=b.fee_per_share,
        total_lp_units_a=a.units,
        total_lp_units_b=b.units,
        total_liquidity_a=a.liquidity,
        total_liquidity_b=b.liquidity,
    )


def _of(sums: Sums, ticker: str) -> str:
    return amount_text(sums.get(ticker, 0))


@fifty_digits
def _ratio(part: int, whole: int) -> str:
    """One number divided by another, 0 by nothing."""
    return number_text(Decimal(part) / whole if whole else Decimal(0))
