"""Every view of the lake over 50 million operations and 5 million balances, within 4 GiB of memory."""

import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.helpers.formula_chain import LARGEST
from tests.helpers.formula_lake import kept_lake
from warehouse.duckdb_engine import connect

pytestmark = pytest.mark.bench

MEMORY = "4GiB"
BAR = 5.0
VOLUME_BAR = 2.0
DISTRIBUTION_BAR = 0.3
"""Seconds."""
BATCH_ROWS = 100_000

NEWEST_DAY = "WHERE height > (SELECT height FROM tip) - 144"
STATES = {
    "balances": "",
    "holders": f"WHERE ticker = '{LARGEST}'",
    "supply": "",
    "y_balances": "",
    "operations": f"{NEWEST_DAY} ORDER BY height DESC, op_index DESC LIMIT 1000",
    "balance_changes": NEWEST_DAY,
    "settlements": NEWEST_DAY,
    "current_positions": "",
    "current_pools": "",
    "current_vaults": "",
}
"""What the facts amount to: of what has a row for every operation or event, the newest day."""


INNER = {"changes", "latest_supplies", "dues", "closing_lines"}
"""Steps towards other views."""
FOLDER = files("warehouse").joinpath("views")
NAMES = {file.name.removesuffix(".sql") for file in FOLDER.iterdir() if file.name.endswith(".sql")}
ANALYTIC_VIEWS = sorted(NAMES - INNER - STATES.keys())


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(kept_lake()) as connection:
        spilled: Path = tmp_path_factory.mktemp("spilled")
        connection.execute(f"SET memory_limit = '{MEMORY}'; SET temp_directory = '{spilled}'")
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """All of them are read, in batches."""
    return sum(batch.num_rows for batch in connection.sql(query).to_arrow_reader(BATCH_ROWS))


def timed(connection: duckdb.DuckDBPyConnection, query: str, benchmark: BenchmarkFixture, bar: float) -> None:
    """The faster of two: files are in the page cache by then."""
    seconds = []

    def asked() -> int:
        started = time.perf_counter()
        found = rows(connection, query)
        seconds.append(time.perf_counter() - started)
        return found

    found = benchmark.pedantic(asked, rounds=2)
    print(f"\n{query}: {found:,} rows in {min(seconds):.2f} s")
    assert found > 0
    assert min(seconds) <= bar


@pytest.mark.parametrize("view", ANALYTIC_VIEWS)
def test_an_analytic_view(connection: duckdb.DuckDBPyConnection, view: str, benchmark: BenchmarkFixture) -> None:
    timed(connection, f"FROM {view}", benchmark, BAR)


@pytest.mark.parametrize("view", STATES)
def test_a_view_of_states(connection: duckdb.DuckDBPyConnection, view: str, benchmark: BenchmarkFixture) -> None:
    timed(connection, f"FROM {view} {STATES[view]}", benchmark, BAR)


def test_daily_volume_of_every_token(connection: duckdb.DuckDBPyConnection, benchmark: BenchmarkFixture) -> None:
    timed(connection, "FROM daily_volume", benchmark, VOLUME_BAR)


def test_distribution_of_a_million_holders(connection: duckdb.DuckDBPyConnection, benchmark: BenchmarkFixture) -> None:
    (holders,) = connection.sql(f"SELECT holders FROM supply WHERE ticker = '{LARGEST}'").fetchall()[0]
    assert holders >= 1_000_000
    timed(connection, f"FROM holder_distribution WHERE ticker = '{LARGEST}'", benchmark, DISTRIBUTION_BAR)
