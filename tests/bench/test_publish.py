"""ClickHouse in this process: loading 50 million operations and 5 million balances, then every view."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.bench.test_views import ANALYTIC_VIEWS, BAR, STATES
from tests.helpers.formula_lake import kept_lake
from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.publish import Publisher
from warehouse.clickhouse.target import Target

pytestmark = pytest.mark.bench

ROWS_BAR = 200_000
"""Rows a second."""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    home: Path = tmp_path_factory.mktemp("clickhouse")
    target = Target.of(f"chdb://{home}/database")
    with closing(Connection(target, Event(), 60.0, lambda error, seconds: None)) as connection:
        yield connection


def test_loading(connection: Connection, benchmark: BenchmarkFixture) -> None:
    """Every segment, the newest fold, and the mark that makes them visible."""
    started = time.perf_counter()

    def load() -> int:
        publisher, rows = Publisher(kept_lake(), connection, None), 0
        while step := publisher.step():
            rows += step.rows
        return rows

    rows = benchmark.pedantic(load, rounds=1)
    seconds = time.perf_counter() - started
    print(f"\n{rows:,} rows in {seconds:.0f} s: {rows / seconds:,.0f} rows a second")
    benchmark.extra_info |= {"rows": rows, "rows_per_second": rows / seconds}
    assert rows > 100_000_000
    assert rows / seconds >= ROWS_BAR


@pytest.mark.parametrize("view", [*ANALYTIC_VIEWS, *STATES])
def test_a_view(connection: Connection, view: str, benchmark: BenchmarkFixture) -> None:
    """All its columns and rows are made and thrown away."""
    seconds = []

    def asked() -> None:
        started = time.perf_counter()
        connection.run(f"SELECT * FROM {view} {STATES.get(view, '')} FORMAT Null")
        seconds.append(time.perf_counter() - started)

    benchmark.pedantic(asked, rounds=2)
    print(f"\n{view}: {min(seconds):.2f} s")
    assert min(seconds) <= BAR
