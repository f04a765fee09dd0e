"""DuckDB over the lake: in memory, views under the public names, one published height at a time."""

from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from engine.schemas import FOLD, SUPPLIES
from ingest.source import Tip
from warehouse.manifest import Manifest, read_manifest
from warehouse.tables import CURRENT, FACTS, STATES, TABLES, Table
from warehouse.view_texts import VIEWS, at_heights, view_text


def connect(directory: Path, height: int | None = None, manifest: Manifest | None = None) -> duckdb.DuckDBPyConnection:
    """A connection to the lake as it is published now (or by `manifest`), or as it was after block `height`.

    Views: the public names of `warehouse.tables`, and `tip` with network, height, hash and cumulative_hash.
    """
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    define_views(connection, directory, manifest or read_manifest(directory), height)
    return connection


def refresh(connection: duckdb.DuckDBPyConnection, directory: Path) -> Tip | None:
    """Let the views show what is published now; the answer says which block that is."""
    manifest = read_manifest(directory)
    define_views(connection, directory, manifest)
    return manifest.tip


def define_views(
    connection: duckdb.DuckDBPyConnection, directory: Path, manifest: Manifest, height: int | None = None
) -> None:
    """Point all views at the files of `manifest` in one transaction: no query sees two heights."""
    connection.execute(f"BEGIN;\n{script(directory, manifest, height)}COMMIT;")


def script(directory: Path, manifest: Manifest, height: int | None = None) -> str:
    """The views as text, for any DuckDB shell: `duckdb -init FILE`."""
    views = definitions(directory, manifest, height)
    macros = macro_definitions(directory, manifest, height)
    return "".join(
        [
            *(f"CREATE OR REPLACE VIEW {name} AS\n{text};\n" for name, text in views.items()),
            *(f"CREATE OR REPLACE MACRO {name}(at_height) AS TABLE\n{text};\n" for name, text in macros.items()),
        ]
    )


def definitions(directory: Path, manifest: Manifest, height: int | None = None) -> dict[str, str]:
    """The query behind each view by its name, each after those that it reads."""
    tip = manifest.tip.height if manifest.tip else manifest.start_height - 1
    height = tip if height is None else height
    fold = manifest.fold_at(height)
    views = {name: fact_rows(directory, manifest, name, manifest.start_height, height) for name in FACTS}
    views["records"] = views.pop("operations")
    folded = fold.height if fold else manifest.start_height - 1
    views["recent_events"] = fact_rows(directory, manifest, "balance_events", folded + 1, height)
    views["fold"] = _select(directory, [fold.balances.path] if fold else [], FOLD)
    views["fold_supplies"] = _select(directory, [fold.supplies.path] if fold else [], SUPPLIES)
    later = fact_rows(directory, manifest, "supplies", folded + 1, height)
    views["recent_supplies"] = f"FROM fold_supplies UNION ALL {later}"
    views["tip"] = (
        f"SELECT '{manifest.network}' AS network, height, hash, cumulative_hash FROM blocks WHERE height = {height}"
    )
    views |= {CURRENT + name: _newest(TABLES[name]) for name in STATES}
    return views | {name: view_text(name) for name in VIEWS}


def macro_definitions(directory: Path, manifest: Manifest, height: int | None = None) -> dict[str, str]:
    """The query behind each table macro by its name; `at_height` in it is what the macro is called with.

    They read the views, and the folds up to `height`.
    """
    last = manifest.next_height - 1 if height is None else height
    folds = sorted((fold for fold in manifest.folds if fold.height <= last), key=lambda fold: fold.height)
    bounds = [fold.height for fold in folds]
    # For a height that is written as a number all conditions but one are false before anything is read.
    branches = [
        f"{_select(directory, [fold.balances.path], FOLD)} WHERE at_height >= {fold.height}"
        + (f" AND at_height < {following}" if following else "")
        for fold, following in zip(folds, [*bounds[1:], None], strict=False)
    ]
    folded = "".join(f" WHEN at_height >= {bound} THEN {bound}" for bound in reversed(bounds))
    since = f"CASE{folded} ELSE {manifest.start_height - 1} END" if folds else str(manifest.start_height - 1)
    parts = {
        "fold": " UNION ALL ".join(branches) or _select(directory, [], FOLD),
        "recent_events": f"FROM balance_events WHERE height > {since} AND height <= at_height",
        "changes": view_text("changes"),
    }
    defined = ",\n".join(f"{name} AS (\n{text}\n)" for name, text in parts.items())
    return at_heights(f"WITH {defined}\n{view_text('balances')}", {name: view_text(name) for name in VIEWS})


def fact_rows(directory: Path, manifest: Manifest, name: str, first: int, last: int) -> str:
    """The query for a fact table's rows from block `first` to block `last`."""
    table = TABLES[name]
    wanted = [part for part in manifest.of(name) if part.first <= last and part.last >= first]
    text = _select(directory, [part.file.path for part in wanted], table.schema)
    conditions = []
    if any(part.first < first for part in wanted):
        conditions.append(f"{table.height} >= {first}")
    if any(part.last > last for part in wanted):
        conditions.append(f"{table.height} <= {last}")
    return f"{text} WHERE {' AND '.join(conditions)}" if conditions else text


def _newest(table: Table) -> str:
    """The newest version of everything that a table has versions of."""
    key = ", ".join(table.versions_of)
    return f"FROM {table.name} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY height DESC) = 1"


def _select(directory: Path, paths: list[str], schema: pa.Schema) -> str:
    if not paths:
        nulls = ", ".join(f'NULL::{_sql_type(field.type)} AS "{field.name}"' for field in schema)
        return f"SELECT * FROM (SELECT {nulls}) WHERE false"
    return files_rows(directory, paths)


def files_rows(directory: Path, paths: list[str]) -> str:
    """The query for the rows of files, one at least, by their paths in the lake."""
    home = directory.resolve()
    listed = ", ".join("'" + str(home / path).replace("'", "''") + "'" for path in paths)
    return f"SELECT * FROM read_parquet([{listed}])"


def _sql_type(type_: pa.DataType) -> str:
    if pa.types.is_decimal(type_):
        return f"DECIMAL({type_.precision},{type_.scale})"
    if pa.types.is_fixed_size_binary(type_):
        return "BLOB"
    return _SQL_TYPES[type_]


_SQL_TYPES: Final = {
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.bool_(): "BOOLEAN",
    pa.uint8(): "UTINYINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.timestamp("s", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
}
