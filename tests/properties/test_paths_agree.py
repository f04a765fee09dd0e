"""The plain and the compiled path say the same about every chain, however it is cut into batches."""

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.judge import Engine
from engine.plain import PlainEngine
from engine.schemas import Judged, State
from ingest.networks import Network
from tests.helpers import module_chains, strange_chains
from tests.helpers.audit import assert_conserved, assert_same
from tests.helpers.builders import Blocks, candidates, headers

SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
CUTS = st.lists(st.integers(0, 30), max_size=5)


def assert_paths_agree(network: Network, blocks: Blocks, cuts: list[int], restored: int) -> None:
    """Judge whole by the plain path and in pieces by the compiled one, restored from its state before one."""
    plain = PlainEngine(network)
    expected = plain.judge(headers(blocks), candidates(blocks))
    compiled = Engine(network)
    heights = list(blocks)
    borders = sorted({0, len(heights), *(cut % (len(heights) + 1) for cut in cuts)})
    parts = []
    for piece, (first, last) in enumerate(pairwise(borders)):
        if piece == restored:
            compiled = Engine(network, compiled.state())
        part = {height: blocks[height] for height in heights[first:last]}
        table = headers(part)
        parts.append(compiled.judge(table, candidates(part)))
    assert_same(expected, joined(parts))
    assert_conserved(*parts)
    assert_same_state(plain.state(), compiled.state())


def joined(parts: list[Judged]) -> Judged:
    names = ("blocks", "operations", "balance_events", "tokens", "supplies")
    tables = {name: pa.concat_tables([getattr(part, name) for part in parts]) for name in names}
    modules = {name: pa.concat_tables([part.modules[name] for part in parts]) for name in parts[0].modules}
    return Judged(**tables, modules=modules)


def assert_same_state(first: State, second: State) -> None:
    assert (first.height, first.hash, first.cumulative_hash) == (second.height, second.hash, second.cumulative_hash)
    for name, keys in (
        ("balances", ("ticker", "address")),
        ("tokens", ("deploy_height", "deploy_op_index")),
        ("supplies", ("ticker",)),
    ):
        tables = [getattr(state, name).sort_by([(key, "ascending") for key in keys]) for state in (first, second)]
        assert tables[0].equals(tables[1]), (name, tables[0].to_pylist(), tables[1].to_pylist())
    assert first.modules.keys() == second.modules.keys()
    for name, table in first.modules.items():
        assert table.equals(second.modules[name]), (name, table.to_pylist(), second.modules[name].to_pylist())


@settings(SETTINGS, max_examples=150)
@given(strange_chains.chains(), CUTS, st.integers(0, 3))
def test_paths_agree_on_strange_chains(blocks: Blocks, cuts: list[int], restored: int) -> None:
    """Promises 3 and 5 of the design: same bytes out, whatever comes in."""
    assert_paths_agree(strange_chains.NETWORK, blocks, cuts, restored)


@settings(SETTINGS, max_examples=60)
@given(module_chains.chains(), CUTS, st.integers(0, 3))
def test_paths_agree_on_chains_of_modules(blocks: Blocks, cuts: list[int], restored: int) -> None:
    """The same where positions, programs and vaults take effect."""
    assert_paths_agree(module_chains.NETWORK, blocks, cuts, restored)


@settings(SETTINGS, max_examples=40)
@given(module_chains.odd_chains())
def test_paths_refuse_odd_operations_of_modules_alike(blocks: Blocks) -> None:
    """The same where one thing about each operation is odd."""
    assert_paths_agree(module_chains.NETWORK, blocks, [], 0)


@pytest.mark.slow
@settings(SETTINGS, max_examples=3000)
@given(strange_chains.chains(), CUTS, st.integers(0, 3))
def test_paths_agree_on_many_strange_chains(blocks: Blocks, cuts: list[int], restored: int) -> None:
    """The same, longer."""
    assert_paths_agree(strange_chains.NETWORK, blocks, cuts, restored)


@pytest.mark.slow
@settings(SETTINGS, max_examples=1500)
@given(module_chains.chains(), CUTS, st.integers(0, 3))
def test_paths_agree_on_many_chains_of_modules(blocks: Blocks, cuts: list[int], restored: int) -> None:
    """The same, longer."""
    assert_paths_agree(module_chains.NETWORK, blocks, cuts, restored)


@pytest.mark.slow
@settings(SETTINGS, max_examples=1500)
@given(module_chains.odd_chains())
def test_paths_refuse_many_odd_operations_of_modules_alike(blocks: Blocks) -> None:
    """The same, longer."""
    assert_paths_agree(module_chains.NETWORK, blocks, [], 0)
