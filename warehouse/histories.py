"""Pages of operations and rows of blocks, read by DuckDB straight from the segments that one manifest names."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb
import pyarrow as pa

from warehouse.manifest import Manifest, Segment
from warehouse.snapshot import Snapshot

FIRST_SPAN: Final = 8
"""Segments of the first look; each further one takes twice as many."""

MEMORY_LIMIT: Final = "1GB"

BATCH_ROWS: Final = 100_000

Place = tuple[int, int, int]
"""Height, transaction and place in the processing order: by what histories are sorted."""


class Operation(NamedTuple):
    """A record with the hash of its block."""

    height: int
    op_index: int
    time: datetime
    tx_index: int
    txid: str
    vout: int
    operation: str
    ticker: str | None
    amount: str | None
    """In tokens, with 8 decimals."""
    from_address: str | None
    to_address: str | None
    valid: bool
    marketplace: bool
    step: int | None
    ticker_text: str | None
    code: str | None
    step_code: str | None
    divergence: str | None
    multi: bool
    payload: bytes | None
    """Only where the transaction was asked for."""
    block_hash: str

    @property
    def place(self) -> Place:
        """By what histories are sorted."""
        return self.height, self.tx_index, self.op_index


class BlockHashes(NamedTuple):
    """What identifies a block and its effects, as 64 hex digits each."""

    height: int
    hash: str
    event_hash: str
    cumulative_hash: str
    record_hash: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which operations are asked for; what is None does not matter."""

    ticker: str | None = None
    address: str | None = None
    """Of the sender or the recipient."""
    op_type: str | None = None
    height: int | None = None
    include_invalid: bool = False

    @property
    def condition(self) -> str:
        """The filter in SQL, with `values` for its parameters."""
        parts = {
            "ticker": "ticker = $ticker",
            "address": "(from_address = $address OR to_address = $address)",
            "op_type": "operation = $op_type",
            "height": "height = $height",
        }
        wanted = [part for name, part in parts.items() if getattr(self, name) is not None]
        return " AND ".join([*([] if self.include_invalid else ["valid"]), *wanted]) or "true"

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the condition."""
        names = ("ticker", "address", "op_type", "height")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


OPERATION: Final = (
    "height, op_index, epoch(block_time)::BIGINT, tx_index, txid, vout, operation, ticker, amount::VARCHAR, "
    "from_address, to_address, valid, marketplace, step, ticker_text, code, step_code, divergence, multi"
)


def open_database() -> duckdb.DuckDBPyConnection:
    """An engine without tables of its own. Queries in several threads take a `cursor()` each."""
    database = duckdb.connect(config={"memory_limit": MEMORY_LIMIT})
    database.execute("SET parquet_metadata_cache = true")
    return database


class Histories:
    """Questions about the past, as of one manifest. Not for use by several threads at once."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, directory: Path, manifest: Manifest) -> None:
        self._cursor = cursor
        self.directory = directory.resolve()
        self.manifest = manifest

    @property
    def snapshot(self) -> Snapshot:
        """The same state of the lake, for whole tables."""
        return Snapshot(self.directory, self.manifest)

    def page(self, wanted: Filter, limit: int, skip: int = 0, behind: Place | None = None) -> list[Operation]:
        """A page of operations, of those behind a place: newest first, but those of one block by transaction.

        Segments are visited in that order and only until the page is full.
        """
        condition, values = _behind(wanted, behind)
        segments = self._operation_segments(wanted, behind)
        end = "" if wanted.height is not None else " DESC"
        order = f"ORDER BY height{end}, tx_index{end}, op_index{end} LIMIT $limit OFFSET $skip"
        page: list[Operation] = []
        for span in _spans(segments):
            found = self._operations(span, f"{condition} {order}", {**values, "limit": limit - len(page), "skip": skip})
            page += found
            if len(page) == limit:
                break
            if found:
                skip = 0
            elif skip:
                skip -= self._count(span, condition, values)
        return page

    def count(self, wanted: Filter, behind: Place | None = None) -> int:
        """How many operations there are behind a place."""
        return self._count(self._operation_segments(wanted, behind), *_behind(wanted, behind))

    def of_transaction(self, txid: str) -> list[Operation]:
        """Every record of a transaction in processing order, refused ones too; empty when there is none."""
        segments = self.manifest.of("operations")
        return self._operations(segments, "txid = $txid ORDER BY op_index", {"txid": txid}, payload="payload")

    def block_hashes(self, first: int, last: int) -> list[BlockHashes]:
        """Hashes of the blocks from `first` to `last` that are published."""
        query = (
            f"SELECT {', '.join(BlockHashes._fields)} FROM read_parquet($files) "
            "WHERE height BETWEEN $first AND $last ORDER BY height"
        )
        rows = self.rows(self.segments("blocks", first, last), query, {"first": first, "last": last})
        return [BlockHashes(*row) for row in rows]

    def segments(self, table: str, first: int, last: int) -> list[Segment]:
        """Those of a table that may hold rows from block `first` to block `last`."""
        return [part for part in self.manifest.of(table) if part.first <= last and part.last >= first]

    def rows(self, segments: Sequence[Segment], query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a query over `read_parquet($files)`; none without segments."""
        return self.file_rows([segment.file.path for segment in segments], query, values)

    def file_rows(self, paths: Sequence[str], query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """The same over files by their paths in the lake."""
        if not paths:
            return []
        return self.fetch(query, {**values, "files": self.files(paths)})

    def fetch(self, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of any query."""
        return self._cursor.execute(query, values).fetchall()

    def batches(self, query: str, values: dict[str, Any]) -> Iterator[pa.RecordBatch]:
        """The same in batches, when they are too many to be fetched at once."""
        yield from self._cursor.sql(query, params=values).to_arrow_reader(BATCH_ROWS)

    def files(self, paths: Sequence[str]) -> list[str]:
        """Where files of the lake are."""
        return [str(self.directory / path) for path in paths]

    def _operation_segments(self, wanted: Filter, behind: Place | None) -> Sequence[Segment]:
        """Those that may hold what is wanted; a block lies in one."""
        if wanted.height is not None:
            return self.segments("operations", wanted.height, wanted.height)
        return self.manifest.of("operations") if behind is None else self.segments("operations", 0, behind[0])

    def _count(self, segments: Sequence[Segment], condition: str, values: dict[str, Any]) -> int:
        rows = self.rows(segments, f"SELECT count(*) FROM read_parquet($files) WHERE {condition}", values)
        return int(rows[0][0]) if rows else 0

    def _operations(
        self, segments: Sequence[Segment], condition: str, values: dict[str, Any], payload: str = "NULL"
    ) -> list[Operation]:
        query = f"SELECT {OPERATION}, {payload} FROM read_parquet($files) WHERE {condition}"
        rows = self.rows(segments, query, values)
        if not rows:
            return []
        hashes = self._hashes(sorted({row[0] for row in rows}))
        return [
            Operation._make([*row[:2], datetime.fromtimestamp(row[2], UTC), *row[3:], hashes[row[0]]]) for row in rows
        ]

    def _hashes(self, heights: list[int]) -> dict[int, str]:
        segments = [part for part in self.manifest.of("blocks") if _any_between(heights, part.first, part.last)]
        query = "SELECT height, hash FROM read_parquet($files) WHERE height IN (SELECT unnest($heights))"
        return dict(self.rows(segments, query, {"heights": heights}))


def _behind(wanted: Filter, place: Place | None) -> tuple[str, dict[str, Any]]:
    """The filter in SQL with its parameters, for what lies behind a place in the order of its pages."""
    if place is None:
        return wanted.condition, wanted.values
    names = ("at_height", "at_tx", "at_op")
    sign = "<" if wanted.height is None else ">"
    # The plain comparison of heights is for the statistics of segments, which know nothing of rows.
    condition = f"height {sign}= $at_height AND (height, tx_index, op_index) {sign} ($at_height, $at_tx, $at_op)"
    return f"{wanted.condition} AND {condition}", wanted.values | dict(zip(names, place, strict=True))


def _any_between(heights: Sequence[int], first: int, last: int) -> bool:
    at = bisect_left(heights, first)
    return at < len(heights) and heights[at] <= last


def _spans(segments: Sequence[Segment]) -> Iterator[Sequence[Segment]]:
    """All segments, the newest first, in spans that double."""
    end, size = len(segments), FIRST_SPAN
    while end > 0:
        yield segments[max(end - size, 0) : end]
        end, size = end - size, 2 * size
