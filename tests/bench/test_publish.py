"""ClickHouse in this process: loading 50 million operations and 5 million balances, then every view.

SIMPLICITY_BENCH_OPERATIONS makes it smaller: so many operations, and a tenth as many balances.
"""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Final

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.bench.test_views import ANALYTIC_VIEWS, BAR, STATES
from tests.helpers.formula_chain import Plan
from tests.helpers.formula_lake import WHOLE, kept_lake
from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.publish import Publisher
from warehouse.clickhouse.target import Target

pytestmark = pytest.mark.bench

OPERATIONS: Final = int(os.environ.get("SIMPLICITY_BENCH_OPERATIONS", WHOLE.operations))
ROWS_BAR: Final = 200_000
"""Rows a second."""

STORED: Final = """
SELECT table, count(), sum(rows), sum(bytes_on_disk)
FROM system.parts
WHERE active AND database = currentDatabase() AND rows > 0
GROUP BY table
ORDER BY table
"""


@pytest.fixture(scope="module")
def lake() -> Path:
    """Made before anything is measured, if it is not there."""
    return kept_lake(Plan(OPERATIONS, OPERATIONS // 10))


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    home: Path = tmp_path_factory.mktemp("clickhouse")
    target = Target.of(f"chdb://{home}/database")
    with closing(Connection(target, Event(), 60.0, lambda error, seconds: None)) as connection:
        yield connection


def test_loading(lake: Path, connection: Connection, benchmark: BenchmarkFixture) -> None:
    """Every segment, the newest fold, and the marks that make them visible."""

    def load() -> int:
        publisher, rows = Publisher(lake, connection), 0
        while step := publisher.step():
            rows += step.rows
        return rows

    started = time.perf_counter()
    rows = benchmark.pedantic(load, rounds=1)
    rate = rows / (time.perf_counter() - started)
    # Publisher and engine are one process; making the lake in it, if it was not there, counts too.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    stored = connection.rows(STORED)
    parts = sum(count for _, count, _, _ in stored)
    print(f"\n{rows:,} rows at {rate:,.0f} rows a second, {parts} parts, {peak:,} MiB at most")
    for table, count, held, size in stored:
        print(f"{table}: {count} parts, {held:,} rows, {size / held:.1f} bytes a row")
    benchmark.extra_info |= {"rows": rows, "rows_per_second": rate, "parts": parts, "peak_mib": peak}
    assert rows > 2 * OPERATIONS
    assert rate >= ROWS_BAR


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
