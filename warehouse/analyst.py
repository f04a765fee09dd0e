"""SQL of strangers: one statement over one published state, in an engine that can reach nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import pyarrow as pa

from warehouse.allowed_sql import checked
from warehouse.duckdb_engine import define_views
from warehouse.errors import QueryTooLarge, SegmentMissing, UnusableQuery
from warehouse.manifest import Manifest

MEMORY: Final = "1GB"
DISK: Final = "4GB"
"""What sorting and joining may put into temporary files."""
THREADS: Final = 2
BATCH_ROWS: Final = 8192


@contextmanager
def asked(directory: Path, manifest: Manifest, query: str) -> Iterator[pa.RecordBatchReader]:
    """The rows of `query` at `manifest`, batch after batch.

    Raises UnusableQuery, QueryTooLarge and SegmentMissing, from the reader too.
    """
    with TemporaryDirectory(prefix="simplicity-sql-") as spill, duckdb.connect(config=_config(spill)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        define_views(connection, directory, manifest)
        _lock(connection, directory, manifest)
        with _told(directory):
            yield connection.sql(checked(connection, query)).to_arrow_reader(BATCH_ROWS)


def _config(spill: str) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": MEMORY,
        "temp_directory": spill,
        "max_temp_directory_size": DISK,
        "threads": THREADS,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "preserve_insertion_order": True,
    }


def _lock(connection: duckdb.DuckDBPyConnection, directory: Path, manifest: Manifest) -> None:
    """From here on the engine opens the manifest's files and no others, and no setting can be changed."""
    home = directory.resolve()
    paths = ", ".join("'" + str(home / path).replace("'", "''") + "'" for path in sorted(manifest.paths()))
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


@contextmanager
def _told(directory: Path) -> Iterator[None]:
    """Errors of the engine as ours; none tells where files are."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise QueryTooLarge(f"the statement needs more than {MEMORY} of memory and {DISK} of disk") from error
    except (duckdb.IOException, FileNotFoundError) as error:
        raise SegmentMissing(directory) from error
    except (duckdb.Error, pa.ArrowException) as error:
        raise UnusableQuery(str(error)) from error
