"""`simplicity.duckdb` in the lake: all views in one file, for any program that opens DuckDB files.

It holds no rows: its views read the files that the manifest names. It is replaced as a whole, so that whoever has it
open keeps the published state in which it was opened, for as long as replaced files stay.
"""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import duckdb

from warehouse.duckdb_engine import script
from warehouse.errors import CatalogueNotWritten
from warehouse.files import UNFINISHED
from warehouse.lake import Lake
from warehouse.manifest import Manifest
from warehouse.tables import TABLES

NAME: Final = "simplicity.duckdb"

STORAGE: Final = "v1.0.0"
"""The oldest layout of DuckDB files that has all we need: every DuckDB from 1.0 on reads it, the newest ones too."""

LOOKS: Final = 0.05
"""Seconds between two looks at what is published."""

REST: Final = 1.0
"""Seconds that the thread rests after it wrote the file: while blocks come in numbers it keeps a tenth of its time."""


def write_catalogue(directory: Path, manifest: Manifest, output: Path | None = None) -> None:
    """Let `output`, by default the lake's own catalogue, show `manifest`; it appears whole or not at all.

    The views name files by their absolute paths: they work from any folder, but not in a copy of the lake. Raises
    CatalogueNotWritten.
    """
    path = directory / NAME if output is None else output
    unfinished = path.with_name(path.name + UNFINISHED)
    _remove(unfinished)
    try:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{_quoted(unfinished)}' AS catalogue (STORAGE_VERSION '{STORAGE}')")
            connection.execute("USE catalogue")
            connection.execute(f"BEGIN;\n{script(directory, manifest)}{''.join(_comments())}COMMIT;")
            connection.execute("USE memory; DETACH catalogue")
        # Nobody can change by accident what is replaced at the next block.
        unfinished.chmod(0o444)
        os.replace(unfinished, path)
    except (OSError, duckdb.Error) as error:
        raise CatalogueNotWritten(path, str(error)) from error
    finally:
        _remove(unfinished)


class Catalogue:
    """Keeps the catalogue of a lake current from `__enter__` to `__exit__`, in a thread of its own.

    A block is visible in it a moment after its commit; while commits come faster than one a second, some of them are.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._shown = -1
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1, "catalogue")

    def __enter__(self) -> "Catalogue":
        self._watching = self._pool.submit(self._watch)
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Show what was published last. Raises CatalogueNotWritten."""
        self._stop.set()
        self._pool.shutdown()
        if error is None:
            self._watching.result()
            self._renew()

    def _watch(self) -> None:
        while not self._stop.wait(LOOKS):
            if self._renew():
                self._stop.wait(REST)

    def _renew(self) -> bool:
        """Show what is published now; whether that was not shown yet."""
        manifest = self._lake.manifest
        if manifest.sequence == self._shown:
            return False
        write_catalogue(self._lake.directory, manifest)
        self._shown = manifest.sequence
        return True


def _comments() -> Iterator[str]:
    """What each table and column means, where clients show it."""
    for table in TABLES.values():
        yield f"COMMENT ON VIEW {table.name} IS '{_quoted(table.row)}';\n"
        for field in table.schema:
            meaning = field.metadata[b"doc"].decode()
            yield f"COMMENT ON COLUMN {table.name}.\"{field.name}\" IS '{_quoted(meaning)}';\n"


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")


def _remove(unfinished: Path) -> None:
    """The file and what DuckDB leaves beside it when it is killed."""
    for path in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
        path.unlink(missing_ok=True)
