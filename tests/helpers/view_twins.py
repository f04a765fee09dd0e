"""The views of ClickHouse beside those of DuckDB: names, columns with their types, and rows."""

import math
import re
from typing import Any, Final

import duckdb
import pyarrow as pa

from tests.helpers.published import rows_of
from warehouse.clickhouse.client import SETTINGS
from warehouse.clickhouse.connection import Connection

OF_A_READER: Final = f"SETTINGS {', '.join(f'{name} = {value}' for name, value in SETTINGS.items())}"
"""What the API asks with; anyone else has the server's own settings."""

NEAR: Final = 1e-12
"""Relative difference of two doubles: the last digits depend on the order of steps."""

Columns = list[tuple[str, str]]

_WRAPPED: Final = re.compile(r"(?:LowCardinality|Nullable)\((.*)\)")
_TYPES: Final = {
    "Bool": "BOOLEAN",
    "Date": "DATE",
    "DateTime('UTC')": "TIMESTAMP WITH TIME ZONE",
    "Decimal(38, 8)": "DECIMAL(38,8)",
    "Float64": "DOUBLE",
    "Int32": "INTEGER",
    "Int64": "BIGINT",
    "String": "VARCHAR",
    "UInt8": "UTINYINT",
}


def names_of_duckdb(lake: duckdb.DuckDBPyConnection) -> set[str]:
    """Views and table macros."""
    views = lake.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal")
    macros = lake.sql(
        "SELECT function_name FROM duckdb_functions() WHERE NOT internal AND function_type = 'table_macro'"
    )
    return {name for (name,) in [*views.fetchall(), *macros.fetchall()]}


def names_of_clickhouse(connection: Connection) -> set[str]:
    """Views, those with parameters too."""
    query = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"
    return {name for (name,) in connection.rows(query)}


def columns_of_duckdb(lake: duckdb.DuckDBPyConnection, view: str) -> Columns:
    """Names and types; bytes and text are one type, as ClickHouse has it."""
    found = lake.sql(f"FROM {view}")
    types = (str(each).replace("BLOB", "VARCHAR") for each in found.types)
    return [*zip(found.columns, types, strict=True)]


def columns_of_clickhouse(connection: Connection, view: str) -> Columns:
    """The same, in the words of DuckDB."""
    return [(name, _plain(kind)) for name, kind, *_ in connection.rows(f"DESCRIBE (SELECT * FROM {view})")]


def assert_same_rows(connection: Connection, lake: duckdb.DuckDBPyConnection, view: str) -> int:
    """Both answer with the same columns and rows, in any order; how many. `view` may have a height: `holders_at(7)`.

    ClickHouse is asked by its own settings and by those of the API.
    """
    expected = lake.sql(f"FROM {view}").to_arrow_table()
    doubles = {field.name for field in expected.schema if pa.types.is_floating(field.type)}
    exact = {*expected.schema.names} - doubles
    theirs = rows_of(expected, expected.schema, tuple(sorted(exact)))
    for settings in ("", OF_A_READER):
        found = connection.arrow(f"SELECT * FROM {view.replace('(', '(at_height = ')} {settings}")
        assert found.schema.names == expected.schema.names, view
        ours = rows_of(found, expected.schema, tuple(sorted(exact)))
        assert [_only(row, exact) for row in ours] == [_only(row, exact) for row in theirs], view
        for one, other in zip(ours, theirs, strict=True):
            assert all(_near(one[name], other[name]) for name in doubles), (view, one, other)
    return len(theirs)


def _near(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=NEAR)
    return one is None and other is None


def _only(row: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in names}


def _plain(kind: str) -> str:
    while inner := _WRAPPED.fullmatch(kind):
        kind = inner[1]
    return "VARCHAR" if kind.startswith("FixedString") else _TYPES[kind]
