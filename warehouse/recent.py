"""The newest valid operations of every token, kept in memory: what histories are asked for most.

They are read once, from the newest blocks that together hold enough; then each new block adds its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from immutables import Map

from ingest.networks import DECIMALS
from warehouse.arrays import Amounts
from warehouse.histories import Operation
from warehouse.store import Published

KEPT: Final = 256
"""Operations of each token."""

READ: Final = 1_000_000
"""Operations that are read at first: of tokens for which they do not suffice, nothing is known."""

FEW: Final = 100_000
"""Operations that new blocks may add at once; an indexer that catches up brings more."""

_PLACE: Final = ("height", "tx_index", "op_index")
_PLAIN: Final = (
    *("height", "op_index", "tx_index", "txid", "vout", "operation", "ticker", "from_address", "to_address", "valid"),
    *("marketplace", "step", "ticker_text", "code", "step_code", "divergence", "multi"),
)
_COLUMNS: Final = (*_PLAIN, "block_time", "amount")

Ranges = dict[str, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Recent:
    """Operations up to one block. Never changes; the next one shares what it did not touch."""

    is_all: bool
    """Whether it began with the chain's first block."""
    table: pa.Table
    """Those that were read at first, by ticker, then newest first, with their blocks' hashes."""
    ranges: Ranges
    """Rows of each ticker in it."""
    newer: Map[str, tuple[Operation, ...]] = field(default_factory=Map)
    """Those of blocks since, newest first."""

    def page(self, ticker: str, rows: int) -> Sequence[Operation] | None:
        """The newest `rows` operations of a token; fewer only if it has no more. None when they are not known."""
        newer = self.newer.get(ticker, ())
        # Where some of the newer ones were let go, older ones do not follow them.
        start, stop = self.ranges.get(ticker, (0, 0)) if len(newer) < KEPT else (0, 0)
        known = len(newer) + stop - start
        if known < rows and not (self.is_all and known < KEPT):
            return None
        older = max(min(stop - start, rows - len(newer)), 0)
        return [*newer[:rows], *_operations(self.table.slice(start, older))]

    def after(self, snapshot: Published, heights: tuple[int, int]) -> "Recent":
        """With the blocks of a range, which follow."""
        table, ranges = _newest(snapshot, heights)
        added = _operations(table)
        newer = self.newer.mutate()
        for ticker, (start, stop) in ranges.items():
            newer[ticker] = (*added[start:stop], *newer.get(ticker, ()))[:KEPT]
        return replace(self, newer=newer.finish())


def read_recent(snapshot: Published) -> Recent:
    """What the newest blocks hold."""
    first, last = snapshot.manifest.start_height, snapshot.manifest.next_height - 1
    counts = snapshot.rows("blocks", ("operations",))["operations"].to_numpy()[::-1].cumsum()
    begin = max(first, last + 1 - max(1, int((counts <= READ).sum())))
    return Recent(begin == first, *_newest(snapshot, (begin, last)))


def are_few(snapshot: Published, heights: tuple[int, int]) -> bool:
    """Whether the blocks of a range hold so little that it is taken in at once."""
    return int(pc.sum(snapshot.rows("blocks", ("operations",), heights)["operations"]).as_py() or 0) <= FEW


def _newest(snapshot: Published, heights: tuple[int, int]) -> tuple[pa.Table, Ranges]:
    """Valid operations of blocks by ticker, newest first, no more than are kept, and the rows of each ticker."""
    operations = snapshot.rows("operations", _COLUMNS, heights)
    blocks = snapshot.rows("blocks", ("height", "hash"), heights)
    frame = pl.from_arrow(operations.select(["ticker", "valid", *_PLACE]))
    assert isinstance(frame, pl.DataFrame)
    chosen = (
        frame.with_row_index("row")
        .filter(pl.col("valid") & pl.col("ticker").is_not_null())
        .sort("ticker", *_PLACE, descending=[False, True, True, True])
        .group_by("ticker", maintain_order=True)
        .head(KEPT)
    )
    hashes = blocks["hash"].take(pc.index_in(operations["height"], blocks["height"].combine_chunks()))
    rows = operations.append_column("block_hash", hashes).take(chosen["row"].to_arrow()).combine_chunks()
    ranges, start = {}, 0
    for ticker, length in chosen.group_by("ticker", maintain_order=True).len().iter_rows():
        ranges[ticker] = (start, start + length)
        start += length
    return rows, ranges


def _operations(rows: pa.Table) -> list[Operation]:
    if not rows.num_rows:
        return []
    columns = {name: rows[name].to_pylist() for name in (*_PLAIN, "block_hash")}
    columns["time"] = _times(rows["block_time"])
    columns["amount"] = _texts(rows["amount"].chunk(0))
    columns["payload"] = [None] * rows.num_rows
    return list(map(Operation._make, zip(*(columns[name] for name in Operation._fields), strict=True)))


def _times(times: pa.ChunkedArray) -> list[datetime]:
    """Instants in UTC; a block's operations share one."""
    seconds = times.cast(pa.int64()).to_pylist()
    known = {second: datetime.fromtimestamp(second, UTC) for second in set(seconds)}
    return [known[second] for second in seconds]


def _texts(amounts: pa.Array) -> list[str | None]:
    """Amounts with 8 decimals; null stays null."""
    units, valid = Amounts(amounts), amounts.is_valid().to_pylist()
    return [_text(units[row]) if is_valid else None for row, is_valid in enumerate(valid)]


def _text(units: int) -> str:
    whole, fraction = divmod(units, 10**DECIMALS)
    return f"{whole}.{fraction:08d}"
