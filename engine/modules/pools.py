"""Pools and positions: the state of swaps (R-SWAP-STATE-1, R-SWAP-STATE-3), as rows and back."""

from bisect import insort
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from engine.modules.decimals import MOST, ZERO, floor8, q8
from engine.modules.registry import Account

ACTIVE: Final = "active"
CLOSED: Final = "closed"
EXPIRED: Final = "expired"

Row = dict[str, Any]
Indices = tuple[Decimal | None, Decimal | None]
"""Liquidity index now of each side of a pool, None where the ticker is no `y` ticker."""


@dataclass(slots=True, eq=False)
class Position:
    """Liquidity of one owner. Amounts in tokens, unrounded within a block."""

    id: int
    txid: str
    vout: int
    owner: Account
    pool: "Pool"
    side: int
    """Of the source in the pool: 0 for token A, 1 for token B."""
    amount: Decimal
    locked: Decimal
    lock: int
    start: int
    unlock: int
    units: Decimal
    """On the source's side; there are none on the other."""
    entry: list[Decimal]
    """Fee per share of both sides when the position was opened."""
    multiplier: Decimal
    index: Decimal | None
    """Liquidity index when the position was opened, of a `y` source."""
    status: str = ACTIVE
    closed_height: int | None = None
    accumulated: Decimal = ZERO
    """Of the destination, received in trades."""
    reward: list[Decimal] = field(default_factory=lambda: [ZERO, ZERO])

    def worth(self, index: Decimal | None) -> Decimal:
        """What the position offers, given the source's index now, None for a source without (R-SWAP-EXE-3, D-43)."""
        if self.index is None or index is None:
            return self.locked
        return floor8(self.locked * (index / self.index))

    def take(self, taken: Decimal, worth: Decimal) -> None:
        """Give up so much of what the position is worth (R-SWAP-EXE-6, D-43)."""
        if taken >= worth:
            self.locked = ZERO
        elif self.index is None:
            self.locked -= taken
        else:
            self.locked -= self.locked * (taken / worth)

    def leave(self, status: str, height: int) -> None:
        """Stop being active, or after being closed become expired."""
        if self.status == ACTIVE:
            self.closed_height = height
            self.pool.sides[self.side].active.remove(self)
        self.status = status

    def round(self) -> None:
        """To stored precision (R-SWAP-STATE-5)."""
        self.locked, self.units, self.accumulated = q8(self.locked), q8(self.units), q8(self.accumulated)
        self.entry, self.reward = [q8(value) for value in self.entry], [q8(value) for value in self.reward]

    def row(self) -> Row:
        """The position's version in POSITIONS, without height."""
        units, accumulated = [ZERO, ZERO], [ZERO, ZERO]
        units[self.side], accumulated[1 - self.side] = self.units, self.accumulated
        return {
            "position_id": self.id,
            "txid": self.txid,
            "vout": self.vout,
            "owner_address": self.owner.address,
            "owner_script": self.owner.script,
            "pool": self.pool.id,
            "source": self.pool.sides[self.side].token,
            "destination": self.pool.sides[1 - self.side].token,
            "amount": q8(self.amount),
            "locked": self.locked,
            "lock_blocks": self.lock,
            "start_height": self.start,
            "unlock_height": self.unlock,
            "status": self.status,
            "closed_height": self.closed_height,
            "units_a": units[0],
            "units_b": units[1],
            "entry_a": self.entry[0],
            "entry_b": self.entry[1],
            "multiplier": self.multiplier,
            "reward_a": self.reward[0],
            "reward_b": self.reward[1],
            "accumulated_a": accumulated[0],
            "accumulated_b": accumulated[1],
            "index_at_lock": None if self.index is None else f"{self.index:f}",
        }


def _order(position: Position) -> tuple[int, int]:
    """Who is traded against and settled first (R-SWAP-EXE-2, R-SWAP-EXP-2)."""
    return position.unlock, position.id


@dataclass(slots=True)
class Side:
    """One token of a pool."""

    token: str
    liquidity: Decimal = ZERO
    units: Decimal = ZERO
    fees: Decimal = ZERO
    """Collected and not yet paid out."""
    fee_per_share: Decimal = ZERO
    active: list[Position] = field(default_factory=list)
    """Positions with this source, in order of unlocking."""

    def offers(self, height: int, index: Decimal | None) -> list[tuple[Position, Decimal]]:
        """Positions from earlier blocks with something locked, and what each is worth, in order (R-SWAP-EXE-2)."""
        return [(each, each.worth(index)) for each in self.active if each.start < height and each.locked]

    def round(self) -> None:
        """To stored precision (R-SWAP-STATE-5)."""
        self.liquidity, self.units = q8(self.liquidity), q8(self.units)
        self.fees, self.fee_per_share = q8(self.fees), q8(self.fee_per_share)

    def settle(self) -> None:
        """Stored precision and nothing below zero, after a group was paid (R-SWAP-EXP-4)."""
        self.round()
        self.liquidity, self.units = max(ZERO, self.liquidity), max(ZERO, self.units)


@dataclass(slots=True, eq=False)
class Pool:
    """Two tokens in code-point order (R-SWAP-POOL-1), and the account that holds what was locked (R-SWAP-STATE-2)."""

    sides: tuple[Side, Side]
    id: str = field(init=False)
    account: Account = field(init=False)
    written: Row | None = None
    """The latest version."""

    def __post_init__(self) -> None:
        self.id = pool_id(self.sides[0].token, self.sides[1].token)
        self.account = Account(f"POOL::{self.id}", None)

    def side(self, token: str) -> int:
        """Place of the token's side."""
        return 0 if token == self.sides[0].token else 1

    def trades(self, one: str, other: str) -> bool:
        """Whether the two tickers are the pool's: other pairs can have the same id when tickers contain hyphens."""
        return {one, other} == {side.token for side in self.sides}

    def open(self, position: Position) -> None:
        """Let the position in."""
        insort(self.sides[position.side].active, position, key=_order)

    def round(self) -> None:
        """To stored precision (R-SWAP-STATE-5)."""
        for side in self.sides:
            side.round()

    def version(self, indices: Indices) -> Row | None:
        """The pool's version in POOLS, without height; None where it says no more than the latest one."""
        latest, self.written = self.written, self._row(indices)
        return None if self.written == latest else self.written

    def _row(self, indices: Indices) -> Row:
        """Reserves of `y` tickers can outgrow a column."""
        a, b = self.sides
        reserves = [
            sum((position.worth(index) for position in side.active), ZERO)
            for side, index in zip(self.sides, indices, strict=True)
        ]
        return {
            "pool": self.id,
            "token_a": a.token,
            "token_b": b.token,
            "liquidity_a": a.liquidity,
            "liquidity_b": b.liquidity,
            "units_a": a.units,
            "units_b": b.units,
            "fees_a": a.fees,
            "fees_b": b.fees,
            "fee_per_share_a": a.fee_per_share,
            "fee_per_share_b": b.fee_per_share,
            "reserve_a": min(q8(reserves[0]), MOST),
            "reserve_b": min(q8(reserves[1]), MOST),
        }


def new_pool(one: str, other: str) -> Pool:
    """An empty pool of two tickers."""
    a, b = sorted((one, other))
    return Pool((Side(a), Side(b)))


def pool_id(one: str, other: str) -> str:
    """Name of the pool of two tickers, in either order (R-SWAP-POOL-1)."""
    return "-".join(sorted((one, other)))


def position_of(row: Row, pool: Pool) -> Position:
    """The position that a row of POSITIONS describes."""
    side = pool.side(row["source"])
    here, there = ("a", "b") if side == 0 else ("b", "a")
    index = row["index_at_lock"]
    return Position(
        id=row["position_id"],
        txid=row["txid"],
        vout=row["vout"],
        owner=Account(row["owner_address"], row["owner_script"]),
        pool=pool,
        side=side,
        amount=row["amount"],
        locked=row["locked"],
        lock=row["lock_blocks"],
        start=row["start_height"],
        unlock=row["unlock_height"],
        units=row[f"units_{here}"],
        entry=[row["entry_a"], row["entry_b"]],
        multiplier=row["multiplier"],
        index=None if index is None else Decimal(index),
        status=row["status"],
        closed_height=row["closed_height"],
        accumulated=row[f"accumulated_{there}"],
        reward=[row["reward_a"], row["reward_b"]],
    )


def pool_of(row: Row) -> Pool:
    """The pool that a row of POOLS describes, still without positions."""
    a, b = (
        Side(row[f"token_{x}"], row[f"liquidity_{x}"], row[f"units_{x}"], row[f"fees_{x}"], row[f"fee_per_share_{x}"])
        for x in "ab"
    )
    return Pool((a, b), {name: value for name, value in row.items() if name != "height"})
