"""`simplicity sql` writes exact amounts in every format, and a file appears whole or not at all."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import polars
import pytest

from warehouse.answers import Format, answer
from warehouse.errors import UnusableQuery

QUERY = """
    SELECT 99999999999999999999.00000001::DECIMAL(38, 8) AS amount, 'é,"' AS ticker, NULL AS nothing,
           '\\xAB'::BLOB AS script, TIMESTAMPTZ '2026-01-02 03:04:05+00' AS time,
           DATE '2026-01-02' AS day, [0.5::DECIMAL(3, 2)] AS list
    FROM range(3)
"""
ROW = {
    "amount": "99999999999999999999.00000001",
    "ticker": 'é,"',
    "nothing": None,
    "script": "ab",
    "time": "2026-01-02T03:04:05Z",
    "day": "2026-01-02",
    "list": ["0.50"],
}


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def test_json_is_one_array_with_amounts_as_text(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    answer(connection, QUERY, Format.JSON, tmp_path / "out")
    assert json.loads((tmp_path / "out").read_text()) == [ROW] * 3


def test_json_of_no_rows_is_an_empty_array(
    connection: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(connection, "SELECT 1 AS one WHERE false", Format.JSON, None)
    assert json.loads(capsys.readouterr().out) == []


def test_csv_on_standard_output_adds_to_what_was_written(
    connection: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(connection, "SELECT 1.5::DECIMAL(38, 8) AS amount, NULL AS nothing", Format.CSV, None)
    answer(connection, QUERY, Format.CSV, None)
    lines = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert lines[:2] == [["amount", "nothing"], ["1.50000000", ""]]
    assert lines[3][:4] == [ROW["amount"], ROW["ticker"], "", "ab"]


@pytest.mark.parametrize("format", [Format.PARQUET, Format.ARROW])
def test_integers_of_128_bits_do_not_become_floats(
    format: Format, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """A sum of integers is such a one."""
    answer(connection, "SELECT sum(9007199254740993) AS total FROM range(10)", format, tmp_path / "out")
    rows = polars.read_parquet(tmp_path / "out") if format is Format.PARQUET else polars.read_ipc(tmp_path / "out")
    assert rows["total"].to_list() == [Decimal(90071992547409930)]


def test_parquet_keeps_decimals(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    answer(connection, QUERY, Format.PARQUET, tmp_path / "out")
    table = polars.read_parquet(tmp_path / "out")
    assert table.schema["amount"] == polars.Decimal(38, 8)
    assert table["amount"].to_list() == [Decimal("99999999999999999999.00000001")] * 3


def test_table_is_drawn(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    answer(connection, QUERY, Format.TABLE, tmp_path / "out")
    assert "99999999999999999999.00000001" in (tmp_path / "out").read_text()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT",
        "",
        "CREATE TABLE t (a INT)",
        "SELECT 1; SELECT 2",
        "SELECT 1/0::DECIMAL FROM nowhere",
        "INSTALL httpfs",
    ],
)
def test_anything_but_one_select_is_refused(connection: duckdb.DuckDBPyConnection, query: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableQuery):
        answer(connection, query, Format.CSV, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_query_that_fails_midway_leaves_no_file(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    failing = "SELECT CASE WHEN range < 200000 THEN 1 ELSE error('late') END AS n FROM range(300000)"
    with pytest.raises(UnusableQuery, match="late"):
        answer(connection, failing, Format.CSV, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_parquet_needs_a_file_and_a_folder_that_exists(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UnusableQuery, match="--output"):
        answer(connection, QUERY, Format.PARQUET, None)
    with pytest.raises(UnusableQuery):
        answer(connection, QUERY, Format.JSON, tmp_path / "absent" / "out")
