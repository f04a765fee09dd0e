"""The writer: facts become segments, and one manifest after the other says which of them are published."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from engine.schemas import Judged, State
from ingest.source import Tip
from warehouse.commit import extended, facts
from warehouse.errors import LakeExists, RebuildNeeded
from warehouse.files import UNFINISHED, exclusive
from warehouse.manifest import NAME, Manifest, read_any_manifest, write_manifest
from warehouse.rederive import Generation
from warehouse.rewind import rewound
from warehouse.snapshot import Snapshot

GRACE: Final = 600.0
"""Seconds for which a file stays after it was replaced: a reader may still hold the manifest that names it."""


class Lake:
    """The one writer of a lake. Commits, rewinds and replacements may come from different threads.

    Where an older version wrote the tables it can read the archive and derive them anew; all else raises
    RebuildNeeded.
    """

    def __init__(self, directory: Path, grace: float = GRACE) -> None:
        """Take the lock and read what is published. Raises LakeInUse, LakeNotFound, NewerFormat, ManifestDamaged."""
        self.directory = directory
        read_any_manifest(directory)
        self.rewinds = 0
        """How often published blocks were taken back by this writer; work that began before must not be published."""
        self._grace = grace
        self._publishing = threading.RLock()
        self._resources = ExitStack()
        self._resources.enter_context(exclusive(directory / "lock"))
        self.manifest = read_any_manifest(directory)
        self._retired = dict(self._unlisted())
        self._sweep()

    @classmethod
    def create(cls, directory: Path, network: str, start_height: int) -> "Lake":
        """A new, empty lake whose first block will be `start_height`. Raises LakeExists, LakeInUse."""
        directory.mkdir(parents=True, exist_ok=True)
        with exclusive(directory / "lock"):
            if (directory / NAME).exists():
                raise LakeExists(directory)
            write_manifest(directory, Manifest(network, start_height))
        return cls(directory)

    @classmethod
    def open(cls, directory: Path, grace: float = GRACE) -> "Lake":
        """The lake in `directory`, for writing. What an interrupted writer left behind is removed."""
        return cls(directory, grace)

    def close(self) -> None:
        """Let the next writer in."""
        self._resources.close()

    def __enter__(self) -> "Lake":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def snapshot(self) -> Snapshot:
        """What is published, for reading."""
        return Snapshot(self.directory, self.manifest)

    @property
    def tip(self) -> Tip | None:
        """The last published block."""
        return self.manifest.tip

    def needs_rebuild(self) -> bool:
        """Whether another version, or other modules, derived the tables."""
        try:
            self.manifest.check_current(self.directory)
        except RebuildNeeded:
            return True
        return False

    def block_hash(self, height: int) -> str | None:
        """Hash of the published block at `height`, None where there is none."""
        return self.snapshot.block_hash(height)

    def state(self, height: int | None = None) -> State:
        """All that judging the block after `height`, or after the tip, depends on."""
        return self.snapshot.state(height)

    def archive(self, batch_rows: int) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Headers and candidates of all published blocks in height order, about `batch_rows` candidates at a time."""
        return self.snapshot.archive(batch_rows)

    def commit(self, judged: Judged, candidates: pa.Table) -> None:
        """Publish consecutive blocks that follow the tip: all of them, durably, or none.

        Raises HeightGap, ChainBroken, CountMismatch and SchemaMismatch, and then nothing has changed.
        """
        tables = {**facts(judged), "candidates": candidates}
        self.publish(lambda published: extended(self.directory, published, tables))

    def rewind(self, height: int) -> None:
        """Take back every block above `height`; afterwards the lake is as if it had never seen them."""
        with self._publishing:
            if height < self.manifest.next_height - 1:
                self.replace_history(lambda published: rewound(self.directory, published, height))

    def rederive(self) -> Generation:
        """A new generation of the derived tables, to be filled from `archive` and published once it is whole."""
        return Generation(self.snapshot, self.replace_history)

    def publish(self, change: Callable[[Manifest], Manifest]) -> None:
        """Make `change` of the published manifest the next one. Files that it no longer names are retired."""
        with self._publishing:
            before = self.manifest
            after = change(before)
            if after == before:
                return
            after.check_current(self.directory)
            after = replace(after, sequence=before.sequence + 1)
            gone = before.paths() - after.paths()
            now = time.time()
            for path in gone:
                os.utime(self.directory / path, (now, now))
            write_manifest(self.directory, after)
            self.manifest = after
            self._retired |= dict.fromkeys(gone, now)
            self._sweep()

    def replace_history(self, change: Callable[[Manifest], Manifest]) -> None:
        """Publish a change of rows that were published before; folds that are being made are void."""
        with self._publishing:
            self.publish(change)
            self.rewinds += 1

    def _unlisted(self) -> Iterator[tuple[str, float]]:
        """Files that no manifest will name again, with the time since when; unfinished ones are removed."""
        named = self.manifest.paths()
        (self.directory / (NAME + UNFINISHED)).unlink(missing_ok=True)
        for folder in ("segments", "folds"):
            for path in sorted((self.directory / folder).rglob("*")):
                if path.name.endswith(UNFINISHED):
                    path.unlink()
                elif path.is_file() and (name := str(path.relative_to(self.directory))) not in named:
                    yield name, path.stat().st_mtime

    def _sweep(self) -> None:
        """Remove retired files whose grace time is over."""
        due = time.time() - self._grace
        for path in [path for path, since in self._retired.items() if since <= due]:
            del self._retired[path]
            if path not in self.manifest.paths():
                (self.directory / path).unlink(missing_ok=True)
                if path.startswith("folds/"):
                    with suppress(OSError):
                        (self.directory / path).parent.rmdir()
