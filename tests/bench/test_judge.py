"""How fast the compiled path judges, from archive tables in memory to facts with hashes, and in how much memory."""

import resource
from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.judge import Engine
from ingest.networks import REGTEST
from tests.helpers.chains import mixed_chain, runestone_chain

Chain = Iterator[tuple[pa.Table, pa.Table]]

pytestmark = pytest.mark.bench


def test_memory_of_judging(benchmark: BenchmarkFixture) -> None:
    """10 million operations that leave 2.3 million balances; first in the file, since the peak is the process's."""

    def judge() -> int:
        engine = Engine(REGTEST)
        for batch in mixed_chain(10_000_000):
            engine.judge(*batch)
        return len(engine.state().balances)

    balances = benchmark.pedantic(judge, rounds=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    benchmark.extra_info |= {"balances": balances, "peak_mib": peak}
    assert balances >= 2_000_000
    assert peak <= 4096


@pytest.mark.parametrize(
    ("chain", "operations"), [(runestone_chain, 4_000_000), (mixed_chain, 5_000_000)], ids=["runestones", "mixed"]
)
def test_judge(chain: Callable[[int], Chain], operations: int, benchmark: BenchmarkFixture) -> None:
    """Judging alone, with its digests in a second thread; no file is read or written."""
    batches = list(chain(operations))

    def judge() -> int:
        engine = Engine(REGTEST)
        return sum(len(engine.judge(*batch).operations) for batch in batches)

    judged = benchmark.pedantic(judge, rounds=3, warmup_rounds=1)
    assert benchmark.stats is not None
    benchmark.extra_info |= {"operations": judged, "operations_per_second": judged / benchmark.stats.stats.min}
