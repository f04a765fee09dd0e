"""The plain and the compiled path say the same about every chain, however it is cut into batches."""

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.judge import Engine
from engine.plain import PlainEngine
from engine.schemas import Judged, State
from tests.helpers.audit import assert_conserved, assert_same
from tests.helpers.builders import Blocks, candidates, headers
from tests.helpers.strange_chains import NETWORK, chains


def assert_paths_agree(blocks: Blocks, cuts: list[int], restored: int) -> None:
    """Judge whole by the plain path and in pieces by the compiled one, restored from its own state before one piece."""
    plain = PlainEngine(NETWORK)
    expected = plain.judge(headers(blocks), candidates(blocks))
    compiled = Engine(NETWORK)
    heights = list(blocks)
    borders = sorted({0, len(heights), *(cut % (len(heights) + 1) for cut in cuts)})
    parts = []
    for piece, (first, last) in enumerate(pairwise(borders)):
        if piece == restored:
            compiled = Engine(NETWORK, compiled.state())
        part = {height: blocks[height] for height in heights[first:last]}
        table = headers(part)
        parts.append(compiled.judge(table, candidates(part)))
    assert_same(expected, joined(parts))
    assert_conserved(*parts)
    assert_same_state(plain.state(), compiled.state())


def joined(parts: list[Judged]) -> Judged:
    names = ("blocks", "operations", "balance_events", "tokens", "supplies")
    return Judged(*(pa.concat_tables([getattr(part, name) for part in parts]) for name in names))


def assert_same_state(first: State, second: State) -> None:
    assert (first.height, first.hash, first.cumulative_hash) == (second.height, second.hash, second.cumulative_hash)
    for name, keys in (
        ("balances", ("ticker", "address")),
        ("tokens", ("deploy_height", "deploy_op_index")),
        ("supplies", ("ticker",)),
    ):
        tables = [getattr(state, name).sort_by([(key, "ascending") for key in keys]) for state in (first, second)]
        assert tables[0].equals(tables[1]), (name, tables[0].to_pylist(), tables[1].to_pylist())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(chains(), st.lists(st.integers(0, 6), max_size=4), st.integers(0, 3))
def test_paths_agree_on_strange_chains(blocks: Blocks, cuts: list[int], restored: int) -> None:
    """Promises 3 and 5 of the design: same bytes out, whatever comes in."""
    assert_paths_agree(blocks, cuts, restored)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(chains(), st.lists(st.integers(0, 6), max_size=4), st.integers(0, 3))
def test_paths_agree_on_many_strange_chains(blocks: Blocks, cuts: list[int], restored: int) -> None:
    """The same, longer."""
    assert_paths_agree(blocks, cuts, restored)
