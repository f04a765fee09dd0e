"""Shapes of answers about swaps. Field names are those that clients know."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from api.pool_transaction_rows import PoolTransaction
from api.rows import OPERATIONS_PER_BLOCK, Amount, Time, time_text
from api.swap_metric_rows import PoolMetrics
from engine.modules.decimals import ZERO, fifty_digits
from engine.modules.pools import Indices, Pool
from ingest.networks import DECIMALS
from warehouse import exchange
from warehouse.histories import Operation

Percent = Annotated[str | None, Field(description="In percent, 2 decimals; null while the maximum supply is unknown.")]


class Position(TypedDict):
    """A liquidity position."""

    id: int
    position_ref: Annotated[str, Field(description="`txid:vout` of the operation that opened it; never changes.")]
    owner: str
    src: str
    dst: str
    pool_id: str
    amount: Annotated[str, Field(description="What was deposited, in tokens of `src`.")]
    amount_locked: Annotated[str, Field(description="What trades have left of it.")]
    lock_start_height: int
    unlock_height: int
    status: Annotated[exchange.Status, Field(description="closed: sold out before the unlock height.")]
    closed_height: Annotated[int | None, Field(description="Block in which it stopped being active.")]
    init_operation_id: int | None
    lp_units_a: Amount
    lp_units_b: Amount
    reward_multiplier: Amount
    reward_a_distributed: Amount
    reward_b_distributed: Amount
    accumulated_a: Annotated[str, Field(description="Received in trades and not yet paid out before the unlock.")]
    accumulated_b: Annotated[str, Field(description="The same of the pool's second ticker.")]


class Tvl(TypedDict):
    """What positions lock of a token."""

    ticker: str
    total_locked_positions_sum: Amount
    deploy_remaining_supply: Annotated[
        str, Field(description="Maximum supply, of W what is wrapped, plus what positions lock.")
    ]
    tvl_estimate: Amount


class PoolDirection(TypedDict):
    """What active positions offer in a pool, one way."""

    pool_id: str
    src: str
    dst: str
    active_positions: int
    locked_sum: Annotated[str, Field(description="In tokens of `src`.")]
    next_expiration_height: int | None


class Reserves(TypedDict):
    """What a pool trades against."""

    pool_id: str
    token_a: str
    token_b: str
    reserve_a: Amount
    reserve_b: Amount
    last_updated_height: Annotated[int | None, Field(description="Opening of the newest active position.")]


class TwoReserves(TypedDict):
    """The reserves of a pool."""

    reserve_a: Amount
    reserve_b: Amount
    token_a: str
    token_b: str


class TokenTvl(TypedDict):
    """What positions of all pools lock of a token."""

    ticker: str
    tvl_estimate: Amount


class TwoTvls(TypedDict):
    """The two tokens of a pool."""

    token_a: TokenTvl
    token_b: TokenTvl


class Happened(TypedDict):
    """A page of what happened in a pool, newest first."""

    total: int
    limit: int
    offset: int
    items: list[PoolTransaction]


class PoolDetail(TypedDict):
    """A pool with all that belongs to it."""

    pool: Annotated[PoolDirection, Field(description="`src` is token A; positions of both ways are counted.")]
    reserves: TwoReserves
    tvl: TwoTvls
    metrics: Annotated[PoolMetrics | None, Field(description="Unless they were asked not to be told.")]
    transactions: Annotated[Happened | None, Field(description="If they were asked for.")]
    is_pool_active: Annotated[bool, Field(description="At least 2 active positions each way.")]


class Execution(TypedDict):
    """A trade or a claim that took effect."""

    id: int
    op_id: Annotated[str, Field(description="`txid:vout`, which never changes.")]
    txid: str
    executor: str
    ticker: Annotated[str, Field(description="What was paid; of a claim the `y` ticker.")]
    amount: Amount
    block_height: int
    timestamp: Time


class LockedPool(TypedDict):
    """What a pool locks of a token."""

    pool_id: str
    paired_ticker: str
    amount_locked: Amount
    active_positions: int
    next_expiration_height: int | None


class LockedToken(TypedDict):
    """A token that positions lock."""

    ticker: str
    total_locked: Amount
    active_pools_count: int
    pools: list[LockedPool]
    total_active_positions: int
    locked_percentage_of_supply: Percent


class LockedTokens(TypedDict):
    """All tokens that positions lock."""

    total_tokens: int
    tokens: list[LockedToken]


def position_row(position: exchange.Position) -> Position:
    """A position as clients know it."""
    at = position.op_index
    return Position(
        id=position.position_id,
        position_ref=f"{position.txid}:{position.vout}",
        owner=position.owner_address,
        src=position.source,
        dst=position.destination,
        pool_id=position.pool,
        amount=position.amount,
        amount_locked=position.locked,
        lock_start_height=position.start_height,
        unlock_height=position.unlock_height,
        status=position.status,
        closed_height=position.closed_height,
        init_operation_id=None if at is None else position.start_height * OPERATIONS_PER_BLOCK + at,
        lp_units_a=position.units_a,
        lp_units_b=position.units_b,
        reward_multiplier=position.multiplier,
        reward_a_distributed=_paid(position.reward_a),
        reward_b_distributed=_paid(position.reward_b),
        accumulated_a=position.accumulated_a,
        accumulated_b=position.accumulated_b,
    )


def direction_row(direction: exchange.Direction) -> PoolDirection:
    """One way of a pool as clients know it."""
    return PoolDirection(
        pool_id=direction.pool,
        src=direction.source,
        dst=direction.destination,
        active_positions=direction.active_positions,
        locked_sum=direction.locked,
        next_expiration_height=direction.next_unlock_height,
    )


@fifty_digits
def two_reserves(pool: Pool, indices: Indices) -> TwoReserves:
    """What active positions offer on each side, at the indices of receipts."""
    a, b = (
        f"{sum((each.worth(index) for each in side.active), ZERO):.{DECIMALS}f}"
        for side, index in zip(pool.sides, indices, strict=True)
    )
    return TwoReserves(reserve_a=a, reserve_b=b, token_a=pool.sides[0].token, token_b=pool.sides[1].token)


def execution_row(operation: Operation) -> Execution:
    """A trade or a claim as clients know it. Those that took effect have all that is told of them."""
    assert operation.from_address is not None
    assert operation.ticker is not None
    assert operation.amount is not None
    return Execution(
        id=operation.height * OPERATIONS_PER_BLOCK + operation.op_index,
        op_id=f"{operation.txid}:{operation.vout}",
        txid=operation.txid,
        executor=operation.from_address,
        ticker=operation.ticker,
        amount=operation.amount,
        block_height=operation.height,
        timestamp=time_text(operation.time),
    )


def _paid(reward: str) -> str:
    """What rewards came to: the last of a group can be recorded as -10^-8, of which nothing is paid (R-SWAP-EXP-3)."""
    return "0.00000000" if reward.startswith("-") else reward
