"""A state of the lake in SQL: DuckDB over the segments that one manifest names."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any, Final

import duckdb
import pyarrow as pa

from warehouse.duckdb_engine import definitions, fact_rows, files_rows
from warehouse.errors import StateGone
from warehouse.manifest import Segment
from warehouse.snapshot import Snapshot
from warehouse.store import Folded, Values
from warehouse.words import teach

FIRST_SPAN: Final = 8
FIRST_ROWS: Final = 500_000
"""Segments of the first look, and rows if it takes more than one of them; each further one takes twice as many."""

LONGEST_PAGE: Final = 1001
"""Rows of a sorted page for which the engine first looks for their places, then for all their columns."""

MEMORY_LIMIT: Final = "1GB"

BATCH_ROWS: Final = 100_000


def open_database() -> duckdb.DuckDBPyConnection:
    """An engine without tables of its own. Queries in several threads take a `cursor()` each."""
    database = duckdb.connect(config={"memory_limit": MEMORY_LIMIT})
    database.execute("SET GLOBAL parquet_metadata_cache = true")
    database.execute(f"SET GLOBAL late_materialization_max_rows = {LONGEST_PAGE}")
    teach(database)
    return database


class LakeStore:
    """What `warehouse.store.Store` asks for, of a snapshot."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._cursor = cursor

    def fetch(self, query: str, values: Values) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with _still_there():
            return self._cursor.execute(query, dict(values)).fetchall()

    def batches(self, query: str, values: Values) -> Iterator[pa.RecordBatch]:
        """The same in batches, when they are too many to be fetched at once."""
        with _still_there():
            yield from self._cursor.sql(query, params=dict(values)).to_arrow_reader(BATCH_ROWS)

    def facts(self, table: str, first: int, last: int) -> str:
        """The relation of a fact table's rows from block `first` to block `last`."""
        return f"({fact_rows(self.snapshot.directory, self.snapshot.manifest, table, first, last)})"

    def spans(self, table: str, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Heights of segments from the newest on, in spans that double."""
        segments = [part for part in self.snapshot.manifest.of(table) if part.first <= last and part.last >= first]
        most, rows = FIRST_SPAN, FIRST_ROWS
        while segments:
            sums = accumulate(part.file.rows for part in reversed(segments[-most:]))
            size = max(1, sum(held <= rows for held in sums))
            span, segments = segments[-size:], segments[:-size]
            yield max(span[0].first, first), min(span[-1].last, last)
            most, rows = 2 * most, 2 * rows

    def folded(self, height: int) -> Folded | None:
        """The newest fold up to `height`."""
        fold = self.snapshot.manifest.fold_at(height)
        if fold is None:
            return None
        balances, supplies = (
            files_rows(self.snapshot.directory, [file.path]) for file in (fold.balances, fold.supplies)
        )
        return Folded(fold.height, f"({balances})", f"({supplies})")

    def hashes(self, heights: Sequence[int]) -> dict[int, str]:
        """Hashes of the blocks of ascending heights, from the segments that have them."""

        def has_any(part: Segment) -> bool:
            at = bisect_left(heights, part.first)
            return at < len(heights) and heights[at] <= part.last

        paths = [part.file.path for part in self.snapshot.manifest.of("blocks") if has_any(part)]
        source = files_rows(self.snapshot.directory, paths)
        query = f"SELECT height, hash FROM ({source}) WHERE height IN (SELECT unnest($heights))"
        return dict(self.fetch(query, {"heights": list(heights)}))

    def views(self, height: int) -> dict[str, str]:
        """The query behind each public name after block `height`, each after those that it reads."""
        return definitions(self.snapshot.directory, self.snapshot.manifest, height)

    def interrupt(self) -> None:
        """Give up what is being asked; from another thread."""
        self._cursor.interrupt()


@contextmanager
def _still_there() -> Iterator[None]:
    """A file that has gone was replaced and its grace time is over."""
    try:
        yield
    except (duckdb.IOException, FileNotFoundError) as error:
        raise StateGone(str(error)) from error
