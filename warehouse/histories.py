"""Pages of operations and rows of blocks, read by DuckDB straight from the segments that one manifest names."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from warehouse.manifest import Manifest, Segment

FIRST_SPAN: Final = 8
"""Segments of the first look; each further one takes twice as many."""

MEMORY_LIMIT: Final = "1GB"


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
    block_hash: str


class BlockHashes(NamedTuple):
    """What identifies a block and its effects, as 64 hex digits each."""

    height: int
    hash: str
    event_hash: str
    cumulative_hash: str
    record_hash: str


OPERATION: Final = (
    "height, op_index, epoch(block_time)::BIGINT, tx_index, txid, vout, operation, ticker, amount::VARCHAR, "
    "from_address, to_address, valid, marketplace"
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
        self._directory = directory.resolve()
        self._manifest = manifest

    def of_ticker(self, ticker: str, op_type: str | None, skip: int, limit: int) -> list[Operation]:
        """Valid operations of a ticker, newest first."""
        return self._newest("ticker = $ticker", {"ticker": ticker}, op_type, skip, limit)

    def of_address(
        self, address: str, ticker: str | None, op_type: str | None, skip: int, limit: int
    ) -> list[Operation]:
        """Valid operations that the address sent or received, newest first."""
        condition = "(from_address = $address OR to_address = $address)"
        if ticker is None:
            return self._newest(condition, {"address": address}, op_type, skip, limit)
        return self._newest(
            f"{condition} AND ticker = $ticker", {"address": address, "ticker": ticker}, op_type, skip, limit
        )

    def of_block(self, height: int, skip: int, limit: int) -> list[Operation]:
        """Valid operations of a block, by transaction, then in processing order."""
        segments = [segment for segment in self._manifest.of("operations") if segment.first <= height <= segment.last]
        tail = "ORDER BY tx_index, op_index LIMIT $limit OFFSET $skip"
        values = {"height": height, "limit": limit, "skip": skip}
        return self._operations(segments, f"valid AND height = $height {tail}", values)

    def of_transaction(self, txid: str) -> list[Operation]:
        """Every record of a transaction in processing order, refused ones too; empty when there is none."""
        return self._operations(self._manifest.of("operations"), "txid = $txid ORDER BY op_index", {"txid": txid})

    def block_hashes(self, first: int, last: int) -> list[BlockHashes]:
        """Hashes of the blocks from `first` to `last` that are published."""
        segments = [part for part in self._manifest.of("blocks") if part.first <= last and part.last >= first]
        query = (
            f"SELECT {', '.join(BlockHashes._fields)} FROM read_parquet($files) "
            "WHERE height BETWEEN $first AND $last ORDER BY height"
        )
        rows = self._rows(segments, query, {"first": first, "last": last})
        return [BlockHashes(*row) for row in rows]

    def _newest(
        self, condition: str, values: dict[str, Any], op_type: str | None, skip: int, limit: int
    ) -> list[Operation]:
        """A page of valid operations. Segments are visited from the newest down and only until the page is full."""
        condition = f"valid AND {condition}"
        if op_type is not None:
            condition, values = f"{condition} AND operation = $op_type", {**values, "op_type": op_type}
        order = "ORDER BY height DESC, tx_index DESC, op_index DESC LIMIT $limit OFFSET $skip"
        page: list[Operation] = []
        for span in _spans(self._manifest.of("operations")):
            found = self._operations(span, f"{condition} {order}", {**values, "limit": limit - len(page), "skip": skip})
            page += found
            if len(page) == limit:
                break
            if found:
                skip = 0
            elif skip:
                query = f"SELECT count(*) FROM read_parquet($files) WHERE {condition}"
                skip -= self._rows(span, query, values)[0][0]
        return page

    def _operations(self, segments: Sequence[Segment], condition: str, values: dict[str, Any]) -> list[Operation]:
        rows = self._rows(segments, f"SELECT {OPERATION} FROM read_parquet($files) WHERE {condition}", values)
        if not rows:
            return []
        hashes = self._hashes(sorted({row[0] for row in rows}))
        return [Operation(*(*row[:2], datetime.fromtimestamp(row[2], UTC), *row[3:], hashes[row[0]])) for row in rows]

    def _hashes(self, heights: list[int]) -> dict[int, str]:
        segments = [part for part in self._manifest.of("blocks") if _any_between(heights, part.first, part.last)]
        query = "SELECT height, hash FROM read_parquet($files) WHERE height IN (SELECT unnest($heights))"
        return dict(self._rows(segments, query, {"heights": heights}))

    def _rows(self, segments: Sequence[Segment], query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        if not segments:
            return []
        files = [str(self._directory / segment.file.path) for segment in segments]
        return self._cursor.execute(query, {**values, "files": files}).fetchall()


def _any_between(heights: Sequence[int], first: int, last: int) -> bool:
    at = bisect_left(heights, first)
    return at < len(heights) and heights[at] <= last


def _spans(segments: Sequence[Segment]) -> Iterator[Sequence[Segment]]:
    """All segments, the newest first, in spans that double."""
    end, size = len(segments), FIRST_SPAN
    while end > 0:
        yield segments[max(end - size, 0) : end]
        end, size = end - size, 2 * size
