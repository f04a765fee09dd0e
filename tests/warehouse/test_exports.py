"""`simplicity export`: a table's rows exactly and in order, or the files that hold them."""

import csv
from pathlib import Path

import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from simplicity import app
from tests.helpers.recorded import TIP, recorded_lake
from warehouse.allowed_sql import PUBLIC
from warehouse.duckdb_engine import connect
from warehouse.manifest import read_manifest
from warehouse.snapshot import Snapshot
from warehouse.tables import FACTS, TABLES


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_lake(tmp_path_factory.mktemp("home"))


def export(lake: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["export", "--data", str(lake), *map(str, arguments)])


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_can_be_exported(name: str, lake: Path, tmp_path: Path) -> None:
    result = export(lake, "--table", name, "--output", tmp_path / "rows.parquet")
    assert result.exit_code == 0, result.output
    with connect(lake) as connection:
        rows = connection.sql(f"SELECT * FROM {name}").to_arrow_table()
    exported = pq.read_table(tmp_path / "rows.parquet")
    assert exported.schema.names == rows.schema.names
    assert exported.num_rows == rows.num_rows
    if name in TABLES and TABLES[name].sort:
        keys = list(zip(*(exported[column].to_pylist() for column in TABLES[name].sort), strict=True))
        assert keys == sorted(keys)


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_a_fact_in_a_file_is_the_fact_in_the_lake(format: str, lake: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows"
    result = export(
        lake, "--table", "balance_events", "--format", format, "--output", file, "--from", "110", "--to", "125"
    )
    assert result.exit_code == 0, result.output
    expected = Snapshot(lake, read_manifest(lake)).rows("balance_events", heights=(110, 125))
    found = pq.read_table(file) if format == "parquet" else pa.ipc.open_file(file).read_all()
    assert found.num_rows == expected.num_rows > 20
    assert found.to_pylist() == expected.to_pylist()
    assert found.schema.field("delta").type == pa.decimal128(38, 8)


def test_csv_goes_to_standard_output_with_all_digits(lake: Path) -> None:
    result = export(lake, "--table", "supply", "--format", "csv")
    rows = {row["ticker"]: row for row in csv.DictReader(result.stdout.splitlines())}
    assert rows["WTF"]["circulating"] == "6000000.00000000"


def test_heights_choose_rows_to_both_ends(lake: Path) -> None:
    result = export(lake, "--table", "blocks", "--format", "csv", "--from", "145")
    assert [row["height"] for row in csv.DictReader(result.stdout.splitlines())] == ["145", "146", "147"]
    result = export(lake, "--table", "tokens", "--format", "csv", "--to", "112")
    assert {row["deploy_height"] for row in csv.DictReader(result.stdout.splitlines())} <= set(map(str, range(113)))


def test_the_listed_files_hold_what_the_table_holds(lake: Path) -> None:
    """Before a file is listed the manifest names it: what was replaced is not listed, though it may still be there."""
    (lake / "segments/blocks/00000000-00000003-replaced.parquet").touch()
    result = export(lake, "--list", "--table", "blocks")
    assert result.exit_code == 0
    heights = polars.scan_parquet(result.stdout.split()).select("height").collect()["height"].to_list()
    assert heights == list(range(TIP + 1))


def test_the_files_of_some_heights_are_listed_alone(lake: Path) -> None:
    names = [Path(path).name[:17] for path in export(lake, "--list", "--table", "blocks", "--from", "5", "--to", "9")
             .stdout.split()]  # fmt: skip
    assert names == ["00000004-00000007", "00000008-00000011"]
    tables = {Path(path).parent.name for path in export(lake, "--list").stdout.split()}
    assert tables <= set(FACTS)
    assert {"blocks", "operations", "balance_events"} <= tables


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--table", "nonsense"], 2, "nonsense"),
        (["--table", "records", "--format", "csv"], 2, "no table records"),
        (["--table", "holders", "--to", "120", "--format", "csv"], 2, "sql --height"),
        (["--table", "current_pools", "--to", "120", "--format", "csv"], 2, "sql --height"),
        (["--table", "blocks"], 2, "--output"),
        (["--format", "csv"], 2, "--table"),
        (["--list", "--table", "holders"], 2, "no files of its own"),
        (["--table", "blocks", "--format", "csv", "--to", "148"], 3, "height 148"),
        (["--table", "blocks", "--format", "json"], 2, "json"),
    ],
)
def test_what_cannot_be_exported_is_told(arguments: list[str], code: int, says: str, lake: Path) -> None:
    result = export(lake, *arguments)
    assert result.exit_code == code
    assert says in result.output


def test_a_failed_export_leaves_the_file_that_was_there(lake: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("before")
    segment = next(iter((lake / "segments/executions").glob("*.parquet")))
    content = segment.read_bytes()
    segment.write_bytes(bytes(200) + content[200:])
    try:
        assert export(lake, "--table", "executions", "--format", "csv", "--output", file).exit_code == 2
    finally:
        segment.write_bytes(content)
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
