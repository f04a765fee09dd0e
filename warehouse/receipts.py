"""Accounts of receipt tokens after one block: what programs keep of those who stake."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from immutables import Map

from warehouse.arrays import Texts, integers

COLUMNS: Final = ("ticker", "address", "scaled", "height")


class Receipt(NamedTuple):
    """An account of the program that keeps a `y` ticker."""

    scaled: Decimal
    height: int
    """Newest block that changed it."""


class Columns:
    """Accounts sorted by (ticker, address), searched in place."""

    def __init__(self, frame: pl.DataFrame) -> None:
        frame = frame.select(COLUMNS).sort("ticker", "address")
        columns = frame.drop("ticker").to_arrow()
        addresses, scaled = (columns[name].cast(pa.large_string()).combine_chunks() for name in ("address", "scaled"))
        self._addresses, self._scaled = Texts(addresses), Texts(scaled)
        self._heights = integers(columns["height"].combine_chunks())
        self._by_address = integers(pc.sort_indices(addresses).cast(pa.uint32()))
        self._tickers: list[str] = []
        self._stops: list[int] = []
        for ticker, length in frame.group_by("ticker", maintain_order=True).len().iter_rows():
            self._tickers.append(ticker)
            self._stops.append((self._stops[-1] if self._stops else 0) + length)

    def find(self, ticker: str, address: str) -> Receipt | None:
        """An account; None when it is not there."""
        start, stop = self._range(ticker)
        key = address.encode()
        row = bisect_left(self._addresses, key, start, stop)
        return self._receipt(row) if row < stop and self._addresses[row] == key else None

    def of(self, address: str) -> Iterator[tuple[str, Receipt]]:
        """Accounts of an address by ticker."""
        key = address.encode()
        for place in range(bisect_left(self._by_address, key, key=self._addresses.__getitem__), len(self._by_address)):
            row = self._by_address[place]
            if self._addresses[row] != key:
                return
            yield self._tickers[int(np.searchsorted(self._stops, row, side="right"))], self._receipt(row)

    def items(self, ticker: str) -> Iterator[tuple[str, Receipt]]:
        """Accounts of a ticker by address."""
        return ((self._addresses[row].decode(), self._receipt(row)) for row in range(*self._range(ticker)))

    def _range(self, ticker: str) -> tuple[int, int]:
        at = bisect_left(self._tickers, ticker)
        if at == len(self._tickers) or self._tickers[at] != ticker:
            return 0, 0
        return self._stops[at - 1] if at else 0, self._stops[at]

    def _receipt(self, row: int) -> Receipt:
        return Receipt(Decimal(self._scaled[row].decode()), self._heights[row])


@dataclass(frozen=True, eq=False)
class Receipts:
    """Never changes; the next one shares what it did not touch. What was there at first stays in columns."""

    _first: Columns | None = None
    _since: Map[str, Map[str, Receipt]] = field(default_factory=Map)
    """Accounts that have changed since, by ticker, then address."""
    _touched: Map[str, frozenset[str]] = field(default_factory=Map)
    """Address to tickers of those."""

    def find(self, ticker: str, address: str) -> Receipt | None:
        """An account; None when it never was there."""
        changed = self._since.get(ticker, Map()).get(address)
        return changed if changed or self._first is None else self._first.find(ticker, address)

    def of(self, address: str) -> Iterator[tuple[str, Receipt]]:
        """Every account of an address."""
        touched = self._touched.get(address, frozenset())
        yield from ((ticker, self._since[ticker][address]) for ticker in touched)
        if self._first is not None:
            yield from (item for item in self._first.of(address) if item[0] not in touched)

    def items(self, ticker: str) -> Iterator[tuple[str, Receipt]]:
        """Every account of a ticker by its address, in no order."""
        changed: Map[str, Receipt] = self._since.get(ticker, Map())
        yield from changed.items()
        if self._first is not None:
            yield from (item for item in self._first.items(ticker) if item[0] not in changed)

    def after(self, rows: pl.DataFrame) -> "Receipts":
        """With the newest version of each account that further blocks changed."""
        if self._first is None:
            return replace(self, _first=Columns(rows))
        since, touched = dict[str, dict[str, Receipt]](), self._touched.mutate()
        for ticker, address, scaled, height in rows.select(COLUMNS).iter_rows():
            since.setdefault(ticker, {})[address] = Receipt(Decimal(scaled), height)
            touched[address] = touched.get(address, frozenset()) | {ticker}
        changes = self._since.mutate()
        for ticker, accounts in since.items():
            changes[ticker] = changes.get(ticker, Map()).update(accounts)
        return replace(self, _since=changes.finish(), _touched=touched.finish())
