"""What a reader sees: one published state of the lake, however the writer goes on."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from engine.schemas import BALANCES, SUPPLIES, State
from ingest.candidates import CANDIDATES, HEADERS
from warehouse.duckdb_engine import connect
from warehouse.errors import CountMismatch, HeightUnknown, SegmentMissing
from warehouse.manifest import Manifest, read_manifest
from warehouse.segments import read_parts, read_rows
from warehouse.tables import CURRENT, STATES, TABLES, Table

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The lake at one manifest. A read raises FileNotFoundError once the writer has removed what it replaced."""

    directory: Path
    manifest: Manifest

    @property
    def origin(self) -> str:
        """Where the lake is."""
        return str(self.directory.resolve())

    def rows(
        self, table: str, columns: Sequence[str] | None = None, heights: tuple[int, int] | None = None
    ) -> pa.Table:
        """Rows of a fact table in its order, of the heights `heights[0]` to `heights[1]` included or of all."""
        return read_rows(self.directory, self.manifest, table, columns, heights)

    def connect(self, height: int | None = None) -> duckdb.DuckDBPyConnection:
        """SQL over this state, or over the state after block `height`."""
        return connect(self.directory, height, self.manifest)

    def block_hash(self, height: int) -> str | None:
        """Hash of the block at `height`, None where the lake has none."""
        blocks = self.manifest.of("blocks")
        at = bisect_right(blocks, height, key=lambda segment: segment.first) - 1
        if at < 0 or height > blocks[at].last:
            return None
        return _hashes(self.directory / blocks[at].file.path)[height - blocks[at].first]

    def state(self, height: int | None = None) -> State:
        """All that judging the block after `height` (the tip if None) depends on.

        Balances are sorted by (ticker, address), supplies by ticker, the tables of modules by their keys. One height
        below the first block is the empty state. Raises HeightUnknown and RebuildNeeded.
        """
        self.manifest.check_current(self.directory)
        first, tip = self.manifest.start_height, self.manifest.next_height - 1
        height = tip if height is None else height
        if not first - 1 <= height <= tip:
            raise HeightUnknown(height, first, tip if tip >= first else None)
        block = self.rows("blocks", ["hash", "cumulative_hash"], (height, height)).to_pylist()
        with self.connect(height) as connection:
            balances = connection.sql("SELECT ticker, address, script, balance FROM balances ORDER BY ticker, address")
            supplies = connection.sql(f"SELECT {', '.join(SUPPLIES.names)} FROM latest_supplies ORDER BY ticker")
            return State(
                height=height if block else None,
                hash=block[0]["hash"] if block else None,
                cumulative_hash=block[0]["cumulative_hash"] if block else "",
                balances=balances.to_arrow_table().cast(BALANCES),
                tokens=self.rows("tokens", heights=(first, height)),
                supplies=supplies.to_arrow_table().cast(SUPPLIES),
                modules={name: _newest(connection, TABLES[name]) for name in STATES},
            )

    def archive(self, batch_rows: int) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Headers and candidates of consecutive blocks, whole blocks of about `batch_rows` candidates together.

        Raises CountMismatch when the archive does not hold what its blocks count.
        """
        blocks = self.rows("blocks", [*HEADERS.names, "candidates"])
        parts = read_parts(self.directory, self.manifest.of("candidates"))
        held = CANDIDATES.empty_table()
        for batch in _cut(blocks, batch_rows):
            count = sum(batch["candidates"].to_pylist())
            while held.num_rows < count and (part := next(parts, None)) is not None:
                held = pa.concat_tables([held, part])
            candidates, held = held.slice(0, count), held.slice(count)
            last = batch["height"][-1].as_py()
            if candidates.num_rows != count or (count and candidates["height"][-1].as_py() > last):
                raise CountMismatch("candidates", last, count, candidates.num_rows)
            yield batch.select(HEADERS.names), candidates


class LakeReader:
    """Reads a lake that another process may be writing. Takes no lock."""

    def __init__(self, directory: Path) -> None:
        """Raises LakeNotFound when there is no lake."""
        self.directory = directory
        self.snapshot()

    def snapshot(self) -> Snapshot:
        """The state published last."""
        return Snapshot(self.directory, read_manifest(self.directory))

    def read(self, question: Callable[[Snapshot], T]) -> T:
        """The answer to `question` from one published state.

        It is asked again of a newer state if the writer has meanwhile removed the files of the first. Raises
        SegmentMissing when a file is gone that the manifest still names.
        """
        snapshot = self.snapshot()
        while True:
            try:
                return question(snapshot)
            except (FileNotFoundError, duckdb.IOException) as error:
                newer = self.snapshot()
                if newer.manifest.sequence == snapshot.manifest.sequence:
                    lost = sorted(path for path in newer.manifest.paths() if not (self.directory / path).exists())
                    if not lost:
                        raise
                    raise SegmentMissing(self.directory / lost[0]) from error
                snapshot = newer


def _newest(connection: duckdb.DuckDBPyConnection, table: Table) -> pa.Table:
    key = ", ".join(table.versions_of)
    return connection.sql(f"FROM {CURRENT}{table.name} ORDER BY {key}").to_arrow_table().cast(table.schema)


def _cut(blocks: pa.Table, batch_rows: int) -> Iterator[pa.Table]:
    """Slices of `blocks`, each with one block at least and no more than `batch_rows` candidates if it can be."""
    first = rows = 0
    for position, count in enumerate(blocks["candidates"].to_pylist()):
        if position > first and rows + count > batch_rows:
            yield blocks.slice(first, position - first)
            first, rows = position, 0
        rows += count
    if first < blocks.num_rows:
        yield blocks.slice(first)


@lru_cache(maxsize=64)
def _hashes(path: Path) -> list[str]:
    """Block hashes of a segment by height; segments never change."""
    with pq.ParquetFile(path) as file:
        hashes: list[str] = file.read(["hash"])["hash"].to_pylist()
    return hashes
