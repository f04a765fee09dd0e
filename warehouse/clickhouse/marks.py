"""What readers of ClickHouse see: the newest row of `lake_commits`, and who may write the next.

A publisher owns a generation, a number that no other has. It inserts rows under it and shows them with a mark. Marks
of older generations than the newest count for nothing, so that a publisher that was thought dead can do no harm; rows
that no mark shows, left by a crash, are never seen. A generation is given up, and another claimed, whenever rows may
have been inserted that no mark of it shows.
"""

import itertools
import os
import secrets
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.ddl import STORED
from warehouse.clickhouse.errors import OtherSchema, TakenOver, WrongTarget
from warehouse.manifest import Manifest
from warehouse.tables import SCHEMA_VERSION

TABLE: Final = f"{STORED}commits"

_SCHEMA: Final = pa.schema(
    {
        "sequence": pa.uint64(),
        "generation": pa.uint32(),
        "publisher": pa.string(),
        "network": pa.string(),
        "start_height": pa.int32(),
        "schema_version": pa.uint32(),
        "height": pa.int32(),
        "hash": pa.string(),
        "cumulative_hash": pa.string(),
        "ends": pa.list_(pa.int32()),
        "fold": pa.uint64(),
        "fold_height": pa.int32(),
        "fold_time": pa.int64(),
        "claimed": pa.int64(),
    }
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A row of `lake_commits`; see there for the columns."""

    sequence: int
    generation: int
    publisher: str
    network: str
    start_height: int
    schema_version: int
    height: int
    hash: str
    cumulative_hash: str
    ends: tuple[int, ...]
    fold: int
    fold_height: int
    fold_time: int
    claimed: int

    def back_to(self, height: int) -> "Mark":
        """The mark as it would show nothing above `height`; the fold is void if it reaches above.

        Times begin anew: until it holds, readers see what it hides.
        """
        now = int(time.time())
        cut = replace(self, height=height, ends=tuple(min(end, height + 1) for end in self.ends), claimed=now)
        return cut.with_fold(0, self.start_height - 1) if self.fold_height > height else cut

    def up_to(self, height: int, hash_: str, cumulative_hash: str) -> "Mark":
        """The next mark, which shows this generation's rows of the heights that follow."""
        ends = (*self.ends[:-1], height + 1) if height > self.height else self.ends
        return replace(
            self, sequence=self.sequence + 1, height=height, hash=hash_, cumulative_hash=cumulative_hash, ends=ends
        )

    def with_fold(self, fold: int, height: int) -> "Mark":
        """The same with other accounts."""
        return replace(self, fold=fold, fold_height=height, fold_time=int(time.time()))


class Marks:
    """Reads and writes marks for one publisher."""

    def __init__(self, connection: Connection, manifest: Manifest) -> None:
        self._connection = connection
        self._manifest = manifest
        self._publisher = f"process {os.getpid()} on {socket.gethostname()}, {secrets.token_hex(8)}"

    def newest(self) -> Mark | None:
        """The mark that holds, None in a new database. Raises WrongTarget and OtherSchema for one of another lake."""
        rows = self._connection.rows(f"SELECT {', '.join(_SCHEMA.names)} FROM {TABLE} ORDER BY sequence DESC LIMIT 1")
        if not rows:
            return None
        values = dict(zip(_SCHEMA.names, rows[0], strict=True))
        mark = Mark(**{**values, "ends": tuple(values["ends"])})
        target, ours = self._connection.target.name, self._manifest
        if mark.network != ours.network:
            raise WrongTarget(target, "network", mark.network, ours.network)
        if mark.start_height != ours.start_height:
            raise WrongTarget(target, "start height", mark.start_height, ours.start_height)
        if mark.schema_version != SCHEMA_VERSION:
            raise OtherSchema(target, mark.schema_version, SCHEMA_VERSION)
        return mark

    def claim(self) -> Mark:
        """A new generation, with a mark of it that shows what the newest shows. Raises TakenOver if others claim."""
        before = self.newest() or self._nothing()
        generation = before.generation + 1
        now = int(time.time())
        mark = replace(
            before,
            sequence=generation << 32,
            generation=generation,
            publisher=self._publisher,
            ends=(*before.ends, *[0] * (generation + 1 - len(before.ends))),
            claimed=now,
        )
        self._write(mark)
        claims = self._connection.rows(
            f"SELECT DISTINCT publisher FROM {TABLE} WHERE generation >= {generation} ORDER BY publisher"
        )
        if claims != [(self._publisher,)]:
            raise TakenOver(self._connection.target.name)
        return mark

    def show(self, mark: Mark) -> None:
        """Let `mark` hold. Raises TakenOver when another generation has begun.

        A server that dies in the middle may have noted the row and lost it: then it is written under another token.
        """
        for attempt in itertools.count():
            newest = self.newest()
            if newest == mark:
                return
            if newest is None or newest.publisher != self._publisher or newest.generation != mark.generation:
                raise TakenOver(self._connection.target.name)
            self._write(mark, attempt)

    def _write(self, mark: Mark, attempt: int = 0) -> None:
        values: Sequence[object] = [getattr(mark, name) for name in _SCHEMA.names]
        row = pa.table([pa.array([value], field.type) for value, field in zip(values, _SCHEMA, strict=True)], _SCHEMA)
        self._connection.insert(TABLE, row, f"{mark.sequence}:{mark.publisher}:{attempt}")

    def _nothing(self) -> Mark:
        start = self._manifest.start_height
        return Mark(0, 0, "", self._manifest.network, start, SCHEMA_VERSION, start - 1, "", "", (), 0, start - 1, 0, 0)
