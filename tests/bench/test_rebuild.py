"""From the archive to published tables: operations a second, and peak memory with two million balances."""

import json
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.judge import Engine
from ingest.networks import REGTEST
from tests.helpers.chains import FIRST_HEIGHT, mixed_chain, runestone_chain
from warehouse.audit import audit
from warehouse.indexer import rederive
from warehouse.lake import Lake

Chain = Iterator[tuple[pa.Table, pa.Table]]

pytestmark = pytest.mark.bench


def archived(directory: Path, chain: Chain) -> None:
    """A lake whose archive is the chain."""
    engine = Engine(REGTEST)
    with Lake.create(directory, "regtest", FIRST_HEIGHT) as lake:
        for headers, candidates in chain:
            lake.commit(engine.judge(headers, candidates), candidates)


@pytest.mark.parametrize(
    ("chain", "operations"), [(runestone_chain, 4_000_000), (mixed_chain, 5_000_000)], ids=["runestones", "mixed"]
)
def test_rebuild(chain: Callable[[int], Chain], operations: int, tmp_path: Path, benchmark: BenchmarkFixture) -> None:
    archived(tmp_path / "lake", chain(operations))

    def rebuild() -> int:
        with Lake.open(tmp_path / "lake") as lake:
            return sum(step.operations for step in rederive(lake, threading.Event()))

    judged = benchmark.pedantic(rebuild, rounds=3, warmup_rounds=0)
    assert benchmark.stats is not None, "give --benchmark-enable"
    benchmark.extra_info |= {"operations": judged, "operations_per_second": judged / benchmark.stats.stats.min}
    assert audit(tmp_path / "lake") == []


def test_memory_of_a_rebuild(tmp_path: Path, benchmark: BenchmarkFixture) -> None:
    """Peak resident memory of `simplicity rebuild` over 10 million operations that leave 2 million balances."""
    archived(tmp_path / "lake", mixed_chain(10_000_000))
    command = [sys.executable, "-m", "simplicity"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    benchmark.pedantic(
        lambda: subprocess.run([*command, "rebuild", "--data", str(tmp_path / "lake")], check=True), rounds=1
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert peak > before, "another child was larger: the peak is not the rebuild's"
    report = subprocess.run(
        [*command, "status", "--data", str(tmp_path / "lake"), "--json"], check=True, capture_output=True
    )
    balances = json.loads(report.stdout)["balances_above_zero"]
    benchmark.extra_info |= {"balances": balances, "peak_mib": peak // 1024}
    assert balances >= 2_000_000
