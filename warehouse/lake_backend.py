"""The backend of a lake in a folder of this machine: Parquet and Arrow files, and DuckDB."""

import os
from collections.abc import Hashable
from functools import cached_property
from pathlib import Path
from typing import Final

import duckdb

from warehouse.lake_store import LakeStore, open_database
from warehouse.manifest import NAME, Fold, Manifest, read_manifest
from warehouse.serving_map import ServingMap
from warehouse.snapshot import Snapshot
from warehouse.store import Published


class LakeBackend:
    """What `warehouse.backend.Backend` asks for. The lake need not exist yet."""

    pause: Final = 0.05

    def __init__(self, directory: Path) -> None:
        self.directory: Final = directory

    @cached_property
    def _database(self) -> duckdb.DuckDBPyConnection:
        return open_database()

    def stamp(self) -> Hashable | None:
        """The manifest's file status."""
        try:
            status = os.stat(self.directory / NAME)
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def published(self) -> Snapshot:
        """The newest state. Raises LakeError."""
        return Snapshot(self.directory, read_manifest(self.directory))

    def fold(self, snapshot: Published) -> Fold | None:
        """The newest fold of the manifest."""
        return snapshot.manifest.fold_at(snapshot.manifest.next_height - 1)

    def opened(self, snapshot: Published, fold: Fold) -> ServingMap:
        """Its serving files, mapped."""
        return ServingMap.open((self.directory / fold.serving[0].path).parent)

    def at(self, manifest: Manifest) -> LakeStore:
        """The state in SQL, for one question."""
        return LakeStore(self._database.cursor(), Snapshot(self.directory, manifest))

    def close(self) -> None:
        """Close the database, if one was opened."""
        if "_database" in self.__dict__:
            self._database.close()
