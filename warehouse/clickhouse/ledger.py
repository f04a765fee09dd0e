"""Which segments of the lake have their rows in ClickHouse, and whether the rows there are still the lake's.

Rows go by heights: a segment that was merged from others, or written anew, adds none. It is looked at instead: its
blocks must be those that are published, and its rows as many.
"""

from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.ddl import STORED
from warehouse.clickhouse.errors import WrongTarget
from warehouse.clickhouse.marks import Mark
from warehouse.manifest import Segment
from warehouse.snapshot import Snapshot
from warehouse.tables import TABLES

TABLE: Final = f"{STORED}segments"

_SAME: Final = ("height", "hash", "cumulative_hash", "record_hash", "operations", "balance_events", "candidates")

_SCHEMA: Final = pa.schema(
    {
        "table_name": pa.string(),
        "first_height": pa.int32(),
        "last_height": pa.int32(),
        "rows": pa.uint64(),
        "sha256": pa.string(),
        "generation": pa.uint32(),
    }
)


@dataclass(slots=True)
class Ledger:
    """The table `lake_segments`, of which the hashes are kept in mind."""

    connection: Connection
    _known: set[tuple[str, str]] | None = field(default=None)

    def forget(self) -> None:
        """After a rewind: segments that reached over it are no longer there as a whole."""
        self._known = None

    def note(self, snapshot: Snapshot, mark: Mark) -> None:
        """Write down all segments whose rows are visible under `mark`."""
        new = self._new(snapshot, mark.height)
        if not new:
            return
        columns = [
            [part.table for part in new],
            [part.first for part in new],
            [part.last for part in new],
            [part.file.rows for part in new],
            [part.file.sha256 for part in new],
            [mark.generation] * len(new),
        ]
        rows = pa.table(columns, _SCHEMA)
        self.connection.insert(TABLE, rows, f"{mark.sequence}:{new[0].file.sha256}:{len(new)}")
        assert self._known is not None
        self._known |= {(part.table, part.file.sha256) for part in new}

    def parting(self, snapshot: Snapshot, mark: Mark) -> int:
        """The last height up to which the lake holds what ClickHouse shows; `mark.height` if it holds all of it.

        Raises WrongTarget when not even the first block is the same.
        """
        start, tip = mark.start_height, snapshot.manifest.next_height - 1
        top = min(mark.height, tip)
        if mark.height < start or tip < start:
            return mark.height
        if not self._same_at(snapshot, top):
            low = start - 1
            while top - low > 1:
                middle = (low + top) // 2
                low, top = (middle, top) if self._same_at(snapshot, middle) else (low, middle)
            top = low
            if top < start:
                self._refuse_other_chain(snapshot, start)
        return min([top, *self._differing(snapshot, top)])

    def _same_at(self, snapshot: Snapshot, height: int) -> bool:
        ours = snapshot.rows("blocks", ["hash", "cumulative_hash"], (height, height)).to_pylist()
        theirs = self.connection.rows(f"SELECT hash, cumulative_hash FROM blocks WHERE height = {height}")
        return [tuple(row.values()) for row in ours] == theirs

    def _refuse_other_chain(self, snapshot: Snapshot, start: int) -> None:
        found = self.connection.rows(f"SELECT hash FROM blocks WHERE height = {start}")
        ours = snapshot.block_hash(start)
        if found and found[0][0] != ours:
            raise WrongTarget(self.connection.target.name, f"block {start}", found[0][0], ours)

    def _differing(self, snapshot: Snapshot, top: int) -> list[int]:
        """For each new segment up to `top` whose rows are not those that are there, the height below the first."""
        found = []
        for part in self._new(snapshot, top):
            if part.table == "blocks":
                found += self._other_blocks(snapshot, part)
            elif self._count(part) != part.file.rows:
                found.append(part.first - 1)
        return found

    def _other_blocks(self, snapshot: Snapshot, part: Segment) -> list[int]:
        """The height below the first block of a segment that is another there, if there is one."""
        ours = snapshot.rows("blocks", _SAME, (part.first, part.last))
        between = f"height BETWEEN {part.first} AND {part.last}"
        theirs = self.connection.rows(f"SELECT {', '.join(_SAME)} FROM blocks WHERE {between} ORDER BY height")
        rows = zip(*(column.to_pylist() for column in ours.columns), strict=True)
        known = set(theirs)
        return [row[0] - 1 for row in rows if row not in known][:1]

    def _count(self, part: Segment) -> int:
        height = TABLES[part.table].height
        name = "records" if part.table == "operations" else part.table
        between = f"{height} BETWEEN {part.first} AND {part.last}"
        count: int = self.connection.rows(f"SELECT count() FROM {name} WHERE {between}")[0][0]
        return count

    def _new(self, snapshot: Snapshot, height: int) -> list[Segment]:
        if self._known is None:
            self._known = set(self.connection.rows("SELECT table_name, sha256 FROM segments"))
        return [
            part
            for part in snapshot.manifest.segments
            if part.last <= height and (part.table, part.file.sha256) not in self._known
        ]
