"""What watching costs: of a lookup while nobody wants traces, of a batch of blocks, and of a lookup that is traced."""

import asyncio
import tarfile
import threading
import timeit
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_benchmark.fixture import BenchmarkFixture

from api.access import _trace
from api.app import create_app
from api.options import Options
from api.tracing import Tracing
from ingest.files import BlockFiles
from ingest.follow import follow
from ingest.networks import REGTEST
from ingest.stages import Watch, timed
from tests.helpers.recorded import DATA, people, recorded_lake
from warehouse.indexer import Indexer
from warehouse.lake import Lake

pytestmark = pytest.mark.bench

REQUESTS = 3_000
SHARE_BAR = 0.01
"""Of the time that is watched."""
BALANCE = f"/v1/indexer/address/{people()['alice']}/brc20/WTF/info"
GENEROUS = Options(anonymous_rate="100000000/minute")


def seconds(function: Callable[[], object], times: int = 100_000) -> float:
    return min(timeit.repeat(function, number=times, repeat=5)) / times


async def lookups(app: FastAPI) -> float:
    """Median seconds of a balance lookup through the whole application, without a network in between."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": BALANCE,
        "raw_path": BALANCE.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8080),
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    took = []
    async with app.router.lifespan_context(app):
        for _ in range(REQUESTS):
            began = perf_counter()
            await app({**scope, "state": {}}, receive, send)
            took.append(perf_counter() - began)
    assert set(statuses) == {200}
    return median(took)


def test_a_lookup_pays_nothing_for_traces_that_nobody_wants(tmp_path: Path, benchmark: BenchmarkFixture) -> None:
    """All that is done for them is one look at the request's state; with them a lookup has one span."""
    lake = recorded_lake(tmp_path)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    off = asyncio.run(lookups(create_app(lake, options=GENEROUS)))
    on = asyncio.run(lookups(create_app(lake, options=GENEROUS, tracing=Tracing(provider))))
    scope: dict[str, Any] = {"state": {}}
    benchmark.pedantic(_trace, (scope,), rounds=1000, iterations=100)
    look = seconds(lambda: _trace(scope))
    benchmark.extra_info |= {
        "lookup_us": 1e6 * off,
        "traced_lookup_us": 1e6 * on,
        "look_ns": 1e9 * look,
        "share": look / off,
    }
    assert look / off <= SHARE_BAR


def test_stages_are_timed_for_less_than_a_hundredth(tmp_path: Path, benchmark: BenchmarkFixture) -> None:
    """Blocks one by one, as at the tip, most of them without an operation: what is timed is as short as it gets."""
    with tarfile.open(DATA / "blocks.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    source = BlockFiles(tmp_path / "blocks", REGTEST)
    with Lake.create(tmp_path / "lake", "regtest", 0) as lake:
        indexer = Indexer(lake)
        stream = follow(source, None, indexer.hash_at, start=0, batch_blocks=1)
        steps = list(indexer.index(stream, threading.Event()))
    source.close()
    judged = median(stage.seconds for step in steps for stage in step.stages if stage.name == "judge")
    whole = median(sum(stage.seconds for stage in step.stages) for step in steps)
    benchmark.pedantic(timed, ("judge", int), rounds=1000, iterations=100)
    once = seconds(lambda: timed("judge", int)) - seconds(int)
    fetch = seconds(lambda: Watch("fetch").end())
    benchmark.extra_info |= {
        "timing_ns": 1e9 * once,
        "judge_us": 1e6 * judged,
        "share_of_judging": once / judged,
        "share_of_all": (3 * once + fetch) / whole,
    }
    assert once / judged <= SHARE_BAR
    assert (3 * once + fetch) / whole <= SHARE_BAR
