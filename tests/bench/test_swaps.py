"""How fast trades are judged, and that it depends on neither their number nor the positions of the past."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from engine.judge import Engine
from engine.modules.registry import installed
from engine.schemas import State
from ingest.networks import REGTEST
from tests.helpers.swap_chain import POOLS, SwapChain

pytestmark = pytest.mark.bench

ACTIVE = 50 * 2 * POOLS
"""Positions that the trades meet."""


def prepared(chain: SwapChain) -> State:
    """The state before the first trade."""
    engine = Engine(REGTEST, None, installed())
    for batch in chain.preparation():
        engine.judge(*batch)
    return engine.state()


@pytest.mark.parametrize(
    ("blocks", "expired"),
    [(5, 0), (10, 0), (5, 9 * ACTIVE)],
    ids=["5000-trades", "10000-trades", "5000-trades-after-ten-times-the-positions"],
)
def test_trades(blocks: int, expired: int, benchmark: BenchmarkFixture) -> None:
    """1,000 trades a block over 200 pools with 50 active positions a side, from archive tables to facts with hashes."""
    chain = SwapChain(expired=expired)
    batches = list(chain.trades(blocks))
    state = prepared(chain)

    def setup() -> tuple[tuple[Engine], dict[str, object]]:
        return (Engine(REGTEST, state, installed()),), {}

    def judge(engine: Engine) -> int:
        return sum(engine.judge(*batch).modules["executions"].num_rows for batch in batches)

    trades = benchmark.pedantic(judge, setup=setup, rounds=3, warmup_rounds=1)
    assert trades == blocks * chain.trades_a_block
    assert benchmark.stats is not None
    opened = len(state.modules["positions"])
    benchmark.extra_info |= {
        "trades": trades,
        "opened": opened,
        "trades_per_second": trades / benchmark.stats.stats.min,
    }
