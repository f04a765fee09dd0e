"""Pools and positions (section 1 of the swap rules): immutable, in tokens, in the block unrounded (R-SWAP-STATE-5)."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, Literal

from engine.plain.decimals import ZERO, q8, q27
from engine.plain.parties import Party

ACTIVE: Final = "active"
CLOSED: Final = "closed"
EXPIRED: Final = "expired"

Name = Literal["a", "b"]


@dataclass(frozen=True, slots=True)
class PoolSide:
    """What a pool counts of one of its tokens (R-SWAP-STATE-1)."""

    liquidity: Decimal = ZERO
    """Deposited, less principal paid out: trades do not reduce it (R-SWAP-LP-2)."""
    units: Decimal = ZERO
    fees: Decimal = ZERO
    """Collected and not paid out."""
    fee_per_share: Decimal = ZERO
    reserve: Decimal = ZERO
    """What active positions offered at the end of the last block that changed the pool; no rule asks for it."""

    def rounded(self) -> "PoolSide":
        return PoolSide(q8(self.liquidity), q8(self.units), q8(self.fees), q8(self.fee_per_share), q8(self.reserve))

    def columns(self, name: Name) -> dict[str, Any]:
        return {
            f"liquidity_{name}": self.liquidity,
            f"units_{name}": self.units,
            f"fees_{name}": self.fees,
            f"fee_per_share_{name}": self.fee_per_share,
            f"reserve_{name}": self.reserve,
        }

    @classmethod
    def of(cls, row: dict[str, Any], name: Name) -> "PoolSide":
        return cls(**{part: row[f"{part}_{name}"] for part in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Pool:
    """A pair of tokens, A before B by code points (R-SWAP-POOL-1)."""

    token_a: str
    token_b: str
    a: PoolSide = PoolSide()
    b: PoolSide = PoolSide()

    @property
    def key(self) -> str:
        return f"{self.token_a}-{self.token_b}"

    @property
    def account(self) -> Party:
        """Holder of the pool's tokens (R-SWAP-STATE-2)."""
        return Party(f"POOL::{self.key}", None)

    @property
    def tokens(self) -> tuple[str, str]:
        return self.token_a, self.token_b

    def side(self, ticker: str) -> PoolSide:
        return self.a if ticker == self.token_a else self.b

    def with_side(self, ticker: str, side: PoolSide) -> "Pool":
        return replace(self, a=side) if ticker == self.token_a else replace(self, b=side)

    def rounded(self) -> "Pool":
        return replace(self, a=self.a.rounded(), b=self.b.rounded())

    def columns(self) -> dict[str, Any]:
        sides = self.a.columns("a") | self.b.columns("b")
        return {"pool": self.key, "token_a": self.token_a, "token_b": self.token_b} | sides

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Pool":
        return cls(row["token_a"], row["token_b"], PoolSide.of(row, "a"), PoolSide.of(row, "b"))


@dataclass(frozen=True, slots=True)
class PositionSide:
    """What a position counts of one of its pool's tokens (R-SWAP-STATE-3)."""

    units: Decimal = ZERO
    entry: Decimal = ZERO
    """The pool's fee per share when the position was opened."""
    reward: Decimal = ZERO
    accumulated: Decimal = ZERO
    """Received from executors."""

    def rounded(self) -> "PositionSide":
        return PositionSide(q8(self.units), q8(self.entry), q8(self.reward), q8(self.accumulated))

    def columns(self, name: Name) -> dict[str, Any]:
        return {f"{part}_{name}": getattr(self, part) for part in self.__slots__}

    @classmethod
    def of(cls, row: dict[str, Any], name: Name) -> "PositionSide":
        return cls(**{part: row[f"{part}_{name}"] for part in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Position:
    """Liquidity that its owner locked (R-SWAP-STATE-3). Numbers follow the order of the inits (D-93)."""

    position_id: int
    txid: str
    vout: int
    owner: Party
    pool: str
    source: str
    destination: str
    amount: Decimal
    locked: Decimal
    lock_blocks: int
    start_height: int
    multiplier: Decimal
    index_at_lock: Decimal | None
    """Of the program that keeps the source, if that is a `y` ticker."""
    a: PositionSide
    b: PositionSide
    status: str = ACTIVE
    closed_height: int | None = None

    @property
    def key(self) -> int:
        return self.position_id

    @property
    def unlock_height(self) -> int:
        return self.start_height + self.lock_blocks

    @property
    def source_is_a(self) -> bool:
        return self.source < self.destination

    def side(self, ticker: str) -> PositionSide:
        return self.a if (ticker == self.source) == self.source_is_a else self.b

    def with_side(self, ticker: str, side: PositionSide) -> "Position":
        return replace(self, a=side) if (ticker == self.source) == self.source_is_a else replace(self, b=side)

    def rounded(self) -> "Position":
        return replace(self, amount=q8(self.amount), locked=q8(self.locked), a=self.a.rounded(), b=self.b.rounded())

    def columns(self) -> dict[str, Any]:
        return {
            "position_id": self.position_id,
            "txid": self.txid,
            "vout": self.vout,
            "owner_address": self.owner.address,
            "owner_script": self.owner.script,
            "pool": self.pool,
            "source": self.source,
            "destination": self.destination,
            "amount": self.amount,
            "locked": self.locked,
            "lock_blocks": self.lock_blocks,
            "start_height": self.start_height,
            "unlock_height": self.unlock_height,
            "status": self.status,
            "closed_height": self.closed_height,
            "multiplier": self.multiplier,
            "index_at_lock": None if self.index_at_lock is None else f"{q27(self.index_at_lock):f}",
            **self.a.columns("a"),
            **self.b.columns("b"),
        }

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Position":
        index = row["index_at_lock"]
        return cls(
            position_id=row["position_id"],
            txid=row["txid"],
            vout=row["vout"],
            owner=Party(row["owner_address"], row["owner_script"]),
            pool=row["pool"],
            source=row["source"],
            destination=row["destination"],
            amount=row["amount"],
            locked=row["locked"],
            lock_blocks=row["lock_blocks"],
            start_height=row["start_height"],
            multiplier=row["multiplier"],
            index_at_lock=None if index is None else Decimal(index),
            a=PositionSide.of(row, "a"),
            b=PositionSide.of(row, "b"),
            status=row["status"],
            closed_height=row["closed_height"],
        )
