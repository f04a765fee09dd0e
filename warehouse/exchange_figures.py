"""What is told of the exchange: positions, trades, fees and rewards."""

from datetime import date
from typing import NamedTuple

Sums = dict[str, int]
"""Units of 10^-8 by ticker."""


class PoolName(NamedTuple):
    """A pool and its two tickers."""

    pool: str
    token_a: str
    token_b: str


class Counts(NamedTuple):
    """Positions by what became of them."""

    total: int
    active: int
    closed: int
    expired: int


class Overview(NamedTuple):
    """The whole exchange."""

    positions: Counts
    locked: Sums
    executions: int
    volumes: Sums
    """What was sold."""
    active_pools: int
    executors: int


class Side(NamedTuple):
    """What a pool keeps of one of its tickers, as text in tokens with 8 decimals."""

    fees: str
    fee_per_share: str
    units: str
    liquidity: str


class Direction(NamedTuple):
    """A pool one way: positions that lock `source`, trades that sell it. Sums are in units of 10^-8."""

    name: PoolName
    source: str
    destination: str
    positions: Counts
    active_locked: int
    locked: int
    next_unlock_height: int | None
    executions: int
    volume: int
    sides: tuple[Side, Side]


class Trades(NamedTuple):
    """Trades of a pool in a period, by what was bought. Sums are units of 10^-8."""

    executions: int
    executors: int
    volumes: Sums
    fees: Sums


class PoolFigures(NamedTuple):
    """Positions of a pool. Sums are units of 10^-8 by the ticker that is locked."""

    positions: Counts
    active: dict[str, int]
    """Active positions by what they lock."""
    deposited: Sums
    locked: Sums
    sold_out: int
    hours: float | None


class Filling(NamedTuple):
    """How positions end."""

    total: int
    active: int
    sold_out: int
    hours: float | None


class Day(NamedTuple):
    """Trades of a UTC day."""

    day: date
    executions: int
    executors: int
    volumes: Sums


class DayFees(NamedTuple):
    """Fees of a pool on a UTC day, in units of 10^-8 by ticker."""

    day: date
    fees: Sums
    trades: int


class Executor(NamedTuple):
    """Who trades. `last` is in seconds."""

    address: str
    executions: int
    volumes: Sums
    last: int


class PoolRewards(NamedTuple):
    """A pool's fees, and what was paid out of them. Sums are units of 10^-8."""

    name: PoolName
    sides: tuple[Side, Side]
    paid_a: int
    paid_b: int
    rewarded: int


class PositionReward(NamedTuple):
    """What a position has earned. Amounts are text in tokens with 8 decimals."""

    position_id: int
    txid: str
    vout: int
    owner: str
    pool: str
    source: str
    destination: str
    locked: str
    units_a: str
    units_b: str
    multiplier: str
    reward_a: str
    reward_b: str
    status: str
    unlock_height: int
