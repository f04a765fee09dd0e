"""Questions about swaps after one block: positions, pools, what is offered in them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

import pyarrow as pa

from engine.modules.pools import Indices, Pool, pool_of, position_of
from engine.modules.registry import StateTable
from engine.modules.stakes import RECEIPT
from engine.modules.swap import POOLS, POSITIONS
from engine.schemas import AMOUNT
from warehouse.programs import Programs
from warehouse.view_queries import ViewQueries
from warehouse.words import one_of, text_of

Status = Literal["active", "closed", "expired"]


class Position(NamedTuple):
    """A liquidity position. Amounts are text in tokens with 8 decimals."""

    position_id: int
    txid: str
    vout: int
    owner_address: str
    pool: str
    source: str
    destination: str
    amount: str
    locked: str
    start_height: int
    unlock_height: int
    status: Status
    closed_height: int | None
    units_a: str
    units_b: str
    multiplier: str
    reward_a: str
    reward_b: str
    accumulated_a: str
    accumulated_b: str
    op_index: int | None
    """Record of the `init` in its block."""


class Direction(NamedTuple):
    """What is offered in a pool one way."""

    pool: str
    source: str
    destination: str
    active_positions: int
    locked: str
    """In tokens, with 8 decimals."""
    next_unlock_height: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which positions are asked for; what is None does not matter."""

    owner: str | None = None
    source: str | None = None
    destination: str | None = None
    pool: str | None = None
    position_id: int | None = None
    unlock_height: int | None = None
    """The highest."""
    status: Status | None = None

    @property
    def lasting(self) -> str:
        """What no version of a position changes, in SQL."""
        parts = {
            "owner": "owner_address = $owner",
            "source": "source = $source",
            "destination": "destination = $destination",
            "pool": "pool = $pool",
            "position_id": "position_id = $position_id",
            "unlock_height": "unlock_height <= $unlock_height",
        }
        return " AND ".join(part for name, part in parts.items() if getattr(self, name) is not None) or "true"

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the conditions."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


_AMOUNTS: Final = {field.name for field in POSITIONS.schema if field.type == AMOUNT}
_COLUMNS: Final = ", ".join(text_of(name) if name in _AMOUNTS else name for name in Position._fields[:-1])


class Exchange:
    """Pools and positions after the block of `views`."""

    def __init__(self, views: ViewQueries) -> None:
        self._views = views

    def positions(self, wanted: Wanted, limit: int, skip: int = 0) -> list[Position]:
        """A page of positions, the first to unlock first."""
        query = f"""
            SELECT {_COLUMNS}
            FROM positions
            INNER JOIN (
                SELECT * FROM ({_versions(wanted)}) ORDER BY unlock_height, position_id LIMIT $limit OFFSET $skip
            ) AS page USING (position_id, height, unlock_height, status)
            ORDER BY unlock_height, position_id
        """
        rows = self._views.rows(query, {**wanted.values, "limit": limit, "skip": skip})
        found = [Position._make([*row, None]) for row in rows]
        inits = self._inits({each.start_height for each in found})
        return [each._replace(op_index=inits.get((each.txid, each.vout))) for each in found]

    def _inits(self, heights: set[int]) -> dict[tuple[str, int], int]:
        """Records of the `init` operations of blocks, by transaction and output."""
        if not heights:
            return {}
        # The plain comparison of heights is for the statistics of segments, which know nothing of lists.
        query = f"""
            SELECT txid, vout, op_index FROM records
            WHERE height BETWEEN $low AND $high AND height IN {one_of("heights")}
                AND operation = 'swap_init' AND valid
        """
        values = {"low": min(heights), "high": max(heights), "heights": sorted(heights)}
        return {(txid, vout): op_index for txid, vout, op_index in self._views.rows(query, values)}

    def count(self, wanted: Wanted) -> int:
        """How many there are."""
        return int(self._views.rows(f"SELECT count(*) FROM ({_versions(wanted)})", wanted.values)[0][0])

    def directions(self, wanted: Wanted) -> list[Direction]:
        """Pools by what active positions offer in them, each way for itself, the first to unlock first."""
        query = f"""
            SELECT pool, source, destination, count(*), {text_of("sum(locked)")}, min(unlock_height)
            FROM ({_latest(wanted)}) GROUP BY ALL ORDER BY min(unlock_height), pool, source
        """
        return [Direction._make(row) for row in self._views.rows(query, wanted.values)]

    def pool(self, names: list[str]) -> tuple[Pool, Indices] | None:
        """The first pool that exists of those names, with its active positions, as the engine has it, and the
        liquidity index of each side that is a receipt."""
        found = self._dicts(POOLS, f"current_pools WHERE pool IN {one_of('names')}", {"names": names})
        if not found:
            return None
        pool = pool_of(min(found, key=lambda row: names.index(row["pool"])))
        wanted = Wanted(pool=pool.id, status="active")
        for row in self._dicts(POSITIONS, f"({_latest(wanted)})", wanted.values):
            pool.open(position_of(row, pool))
        a, b = (self._index(side.token) for side in pool.sides)
        return pool, (a, b)

    def _index(self, ticker: str) -> Decimal | None:
        keeper = Programs(self._views).program(ticker) if ticker.startswith(RECEIPT) else None
        return None if keeper is None else Decimal(keeper.liquidity_index)

    def _dicts(self, table: StateTable, source: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        binary = [pa.types.is_binary(field.type) for field in table.schema]
        names = [f"hex({name})" if hex_ else name for name, hex_ in zip(table.schema.names, binary, strict=True)]
        return [
            {
                name: bytes.fromhex(value) if hex_ else value
                for name, value, hex_ in zip(table.schema.names, row, binary, strict=True)
            }
            for row in self._views.rows(f"SELECT {', '.join(names)} FROM {source}", values)
        ]


def _versions(wanted: Wanted) -> str:
    """Which versions of positions are wanted, in SQL: looked for in few columns, for whole rows are wide."""
    newest = f"""
        SELECT position_id, max(height) AS height, unlock_height, max_by(status, height) AS status
        FROM positions WHERE {wanted.lasting} GROUP BY position_id, unlock_height
    """
    return newest if wanted.status is None else f"SELECT * FROM ({newest}) WHERE status = $status"


def _latest(wanted: Wanted) -> str:
    """Positions that are wanted, as they are by then, in SQL."""
    latest = f"""
        SELECT * FROM positions WHERE {wanted.lasting}
        QUALIFY row_number() OVER (PARTITION BY position_id ORDER BY height DESC) = 1
    """
    return latest if wanted.status is None else f"SELECT * FROM ({latest}) WHERE status = $status"
