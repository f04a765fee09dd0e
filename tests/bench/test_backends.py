"""The same questions over HTTP, answered from the lake's files and from ClickHouse in this process."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter, sleep
from typing import Any, Final

import httpx
import pyarrow.parquet as pq
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from api.app import create_app
from api.options import Options
from tests.bench.test_publish import OPERATIONS
from tests.helpers.api import running
from tests.helpers.clickhouse_lake import publish
from tests.helpers.formula_chain import Plan
from tests.helpers.formula_lake import kept_lake
from warehouse.clickhouse.backend import ClickHouseBackend
from warehouse.lake_backend import LakeBackend
from warehouse.manifest import read_manifest

pytestmark = pytest.mark.bench

GENEROUS: Final = Options(anonymous_rate="100000000/minute")
ASKED: Final = 40
"""Accounts, each question being asked about all of them."""
WARMING: Final = 3

QUESTIONS: Final = {
    "balance": "/v1/indexer/address/{address}/brc20/{ticker}/info",
    "token": "/v1/indexer/brc20/{ticker}/info",
    "holders": "/v1/indexer/brc20/{ticker}/holders?limit=100",
    "history of a token": "/v1/indexer/brc20/{ticker}/history?limit=100",
    "history of an address": "/v1/indexer/address/{address}/brc20/{ticker}/history?limit=100",
    "a block": "/v1/indexer/brc20/history-by-height/{height}?limit=100",
    "balance at a height": "/v1/indexer/address/{address}/brc20/{ticker}/info?height={height}",
    "holders at a height": "/v1/indexer/brc20/{ticker}/holders?limit=100&height={height}",
    "hashes of 1,000 blocks": "/v1/indexer/brc20/block-hashes?from=0&to={height}&limit=1000",
}


@pytest.fixture(scope="module")
def lake() -> Path:
    return kept_lake(Plan(OPERATIONS, OPERATIONS // 10))


@pytest.fixture(scope="module")
def accounts(lake: Path) -> list[dict[str, Any]]:
    """What fills the questions: accounts by chance, and heights of the older half of the chain."""
    manifest, random = read_manifest(lake), Random(1)
    rows = pq.read_table(lake / manifest.folds[-1].balances.path, columns=["ticker", "address"])
    rows = rows.filter([not text.startswith("POOL::") for text in rows["address"].to_pylist()])
    chosen = rows.take([random.randrange(rows.num_rows) for _ in range(ASKED)]).to_pylist()
    return [{**account, "height": random.randrange(manifest.next_height // 2)} for account in chosen]


@pytest.fixture(scope="module", params=["lake", "clickhouse"])
def client(
    request: pytest.FixtureRequest, lake: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    home = tmp_path_factory.mktemp("backend")
    address = f"chdb://{home}/database"
    if request.param == "clickhouse":
        publish(lake, address)
    backend = LakeBackend(lake) if request.param == "lake" else ClickHouseBackend(address)
    with running(create_app(home, backend=backend, options=GENEROUS)) as client:
        while client.get("/ready").status_code != 200:
            sleep(0.1)
        yield client


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question(
    client: httpx.Client, accounts: list[dict[str, Any]], question: str, benchmark: BenchmarkFixture
) -> None:
    """One after the other, each about another account."""
    paths = [QUESTIONS[question].format(**account) for account in accounts]
    for path in paths[:WARMING]:
        assert client.get(path).status_code == 200, path
    seconds: list[float] = []

    def asked() -> None:
        for path in paths:
            started = perf_counter()
            client.get(path).raise_for_status()
            seconds.append(perf_counter() - started)

    benchmark.pedantic(asked, rounds=1)
    shown = sorted(1000 * second for second in seconds)
    print(f"\n{question}: median {median(shown):.1f} ms, worst {shown[-1]:.1f} ms")
    benchmark.extra_info |= {"median_ms": median(shown), "worst_ms": shown[-1]}
