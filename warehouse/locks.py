"""What active positions lock, after one block: sums, and behind them what each position contributes."""

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

import polars as pl
import pyarrow as pa
from immutables import Map

from engine.modules.decimals import FIFTY_DIGITS
from engine.schemas import AMOUNT
from ingest.networks import DECIMALS
from warehouse.arrays import Amounts, integers

COLUMNS: Final = ("position_id", "pool", "source", "status", "locked")


def _none() -> "memoryview[int]":
    return integers(pa.array([], pa.int64()))


@dataclass(frozen=True, eq=False)
class Locks:
    """Amounts in units of 10^-8. Never changes; the next one shares what it did not touch.

    Positions that were there at first are columns: a million objects would stop the process whenever Python looks
    for garbage.
    """

    by_ticker: Map[str, int] = field(default_factory=Map)
    by_pool: Map[tuple[str, str], int] = field(default_factory=Map)
    """By pool and ticker."""
    _numbers: "memoryview[int]" = field(default_factory=_none)
    """Active positions that were there at first, ascending."""
    _amounts: Amounts = field(default_factory=lambda: Amounts(pa.array([], AMOUNT)))
    """What they lock."""
    _since: Map[int, int] = field(default_factory=Map)
    """What positions lock that have changed since."""

    def after(self, rows: pl.DataFrame) -> "Locks":
        """With the newest version of each position that further blocks changed."""
        if not len(self._numbers) and not self._since:
            return _first(rows)
        by_ticker, by_pool, since = self.by_ticker.mutate(), self.by_pool.mutate(), self._since.mutate()
        for number, pool, source, status, locked in rows.select(COLUMNS).iter_rows():
            now = _units(locked) if status == "active" else 0
            change = now - self._locked(number)
            by_ticker[source] = by_ticker.get(source, 0) + change
            by_pool[pool, source] = by_pool.get((pool, source), 0) + change
            since[number] = now
        return replace(self, by_ticker=by_ticker.finish(), by_pool=by_pool.finish(), _since=since.finish())

    def _locked(self, number: int) -> int:
        if number in self._since:
            return self._since[number]
        at = bisect_left(self._numbers, number)
        return self._amounts[at] if at < len(self._numbers) and self._numbers[at] == number else 0


def _first(rows: pl.DataFrame) -> Locks:
    active = rows.filter(pl.col("status") == "active").select(COLUMNS).sort("position_id")
    sums = active.group_by("pool", "source", maintain_order=True).agg(pl.col("locked").sum())
    by_ticker: dict[str, int] = {}
    by_pool = {}
    for pool, source, locked in sums.iter_rows():
        by_pool[pool, source] = _units(locked)
        by_ticker[source] = by_ticker.get(source, 0) + by_pool[pool, source]
    columns = active.select("position_id", "locked").to_arrow().combine_chunks()
    numbers, amounts = (columns[name].combine_chunks() for name in columns.column_names)
    if not active.height:
        return Locks()
    return Locks(Map(by_ticker), Map(by_pool), integers(numbers), Amounts(amounts.cast(AMOUNT)))


def _units(amount: Decimal) -> int:
    return int(FIFTY_DIGITS.scaleb(amount, DECIMALS))
