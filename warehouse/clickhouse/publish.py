"""The lake's rows into ClickHouse: whole heights, shown by one mark after all tables have them."""

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.ddl import STORED, statements
from warehouse.clickhouse.ledger import Ledger
from warehouse.clickhouse.marks import Marks
from warehouse.clickhouse.purge import Purge
from warehouse.segments import read_parts
from warehouse.snapshot import LakeReader, Snapshot
from warehouse.tables import FACTS, TABLES

STEP_ROWS: Final = 2_000_000
"""Records, events and candidates of a step, about; what a restart does again at most."""

INSERT_ROWS: Final = 500_000
"""Rows of one insert at most: the server holds them in memory, sorted several times."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one mark brought: readers now see `height`, and `rows` were inserted for it. `back`: a reorganisation."""

    height: int
    rows: int
    back: bool


class Publisher:
    """Brings one database to the state of one lake. Only one may at a time; it notices when it is not the only one."""

    def __init__(self, directory: Path, connection: Connection, cluster: str | None = None) -> None:
        """Make what is missing in the database, and claim a generation. Raises PublishError and LakeError."""
        self._reader = LakeReader(directory)
        self._connection = connection
        manifest = self._reader.snapshot().manifest
        manifest.check_current(directory)
        first, *others = statements(connection.target.database, cluster)
        connection.run(first)
        connection.use_database()
        self._marks = Marks(connection, manifest)
        if connection.rows(f"EXISTS TABLE {STORED}commits")[0][0]:
            self._marks.newest()
        for statement in others:
            connection.run(statement)
        self.mark = self._marks.claim()
        self._ledger = Ledger(connection)
        self._purge = Purge(connection, cluster)
        self._published: int | None = None

    def step(self) -> Step | None:
        """Publish what fits into one step; None when ClickHouse shows what the lake has published."""
        snapshot = self._reader.snapshot()
        snapshot.manifest.check_current(snapshot.directory)
        if snapshot.manifest.sequence == self._published:
            return None
        try:
            step = self._step(snapshot)
        except FileNotFoundError:
            if self._reader.snapshot().manifest.sequence == snapshot.manifest.sequence:
                raise
            # The writer replaced files meanwhile; what was inserted stays unseen.
            self.mark = self._marks.claim()
            return self.step()
        if step is None:
            self._published = snapshot.manifest.sequence
        return step

    def tidy(self, grace: float) -> None:
        """Remove rows that no reader has been able to see for `grace` seconds."""
        self._purge.due(self.mark, grace)

    def _step(self, snapshot: Snapshot) -> Step | None:
        tip = snapshot.manifest.next_height - 1
        if snapshot.manifest.tip is None:
            return None
        parting = self._ledger.parting(snapshot, self.mark)
        back = parting < self.mark.height
        if back:
            self.mark = self._marks.claim()
        base = self.mark.back_to(parting) if back else self.mark
        height = self._end(snapshot, parting)
        fold = snapshot.manifest.fold_at(tip) if height == tip else None
        due = fold is not None and fold.height > base.fold_height
        if height == self.mark.height and not back and not due:
            self._ledger.note(snapshot, self.mark)
            return None
        inserted = {name: self._insert(snapshot, name, parting + 1, height) for name in FACTS}
        if not self._arrived(inserted, parting + 1, height):
            self.mark = self._marks.claim()
            return self._step(snapshot)
        rows = sum(inserted.values())
        block = snapshot.rows("blocks", ["hash", "cumulative_hash"], (height, height)).to_pylist()
        shown = (block[0]["hash"], block[0]["cumulative_hash"]) if block else ("", "")
        mark = base.up_to(height, *shown)
        if fold is not None and due:
            accounts = self._insert_fold(snapshot, fold.balances.path, mark.sequence)
            found = f"SELECT count() FROM {STORED}balances WHERE fold = {mark.sequence}"
            if self._connection.rows(found) != [(accounts,)]:
                self.mark = self._marks.claim()
                return self._step(snapshot)
            rows += accounts
            mark = mark.with_fold(mark.sequence, fold.height)
        self._marks.show(mark)
        self.mark = mark
        if back:
            self._ledger.forget()
        self._ledger.note(snapshot, mark)
        return Step(height, rows, back)

    def _end(self, snapshot: Snapshot, above: int) -> int:
        """The last height of the step that follows `above`."""
        tip = snapshot.manifest.next_height - 1
        if above >= tip:
            return above
        counts = snapshot.rows("blocks", ["operations", "balance_events", "candidates"], (above + 1, tip))
        total = 0
        for offset, row in enumerate(zip(*(column.to_pylist() for column in counts.columns), strict=True)):
            total += sum(row)
            if total >= STEP_ROWS:
                return above + 1 + offset
        return tip

    def _insert(self, snapshot: Snapshot, name: str, first: int, last: int) -> int:
        """Rows of the heights from `first` to `last`: those of small segments together."""
        parts = [part for part in snapshot.manifest.of(name) if part.first <= last and part.last >= first]
        generation = self.mark.generation
        named = hashlib.sha256("".join(part.file.sha256 for part in parts).encode()).hexdigest()
        count = 0
        gathered = _gathered(read_parts(snapshot.directory, parts, heights=(first, last)))
        for number, rows in enumerate(_ahead(gathered)):
            marked = rows.append_column("generation", pa.repeat(pa.scalar(generation, pa.uint32()), rows.num_rows))
            self._connection.insert(STORED + name, marked, f"{named}:{generation}:{first}-{last}:{number}")
            count += rows.num_rows
        return count

    def _arrived(self, inserted: Mapping[str, int], first: int, last: int) -> bool:
        """Whether all rows of the heights are there under our generation.

        A server that dies between taking note of an insert and keeping its rows takes the repetition for known.
        """
        counts = " UNION ALL ".join(
            f"SELECT '{name}', count() FROM {STORED}{name} WHERE generation = {self.mark.generation}"
            f" AND {TABLES[name].height} BETWEEN {first} AND {last}"
            for name in inserted
        )
        return dict(self._connection.rows(counts)) == inserted

    def _insert_fold(self, snapshot: Snapshot, path: str, number: int) -> int:
        """All accounts, under a number that no fold had."""
        count = 0
        with pq.ParquetFile(snapshot.directory / path) as file:
            for batch in file.iter_batches(INSERT_ROWS):
                rows = pa.Table.from_batches([batch]).append_column(
                    "fold", pa.repeat(pa.scalar(number, pa.uint64()), batch.num_rows)
                )
                self._connection.insert(f"{STORED}balances", rows, f"{path}:{number}:{count}")
                count += batch.num_rows
        return count


def _gathered(parts: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of about INSERT_ROWS."""
    held: list[pa.Table] = []
    for part in parts:
        held.append(part)
        if sum(table.num_rows for table in held) >= INSERT_ROWS:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _ahead(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same tables, of which the next is read while one is inserted."""
    with ThreadPoolExecutor(1, "read") as reader:
        reading = reader.submit(next, tables, None)
        while (table := reading.result()) is not None:
            reading = reader.submit(next, tables, None)
            yield table
