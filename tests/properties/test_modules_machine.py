"""Modules over many blocks and rewinds: both paths stay equal, nothing is lost, and going back forgets.

One machine a module, so that its traffic is dense, and one for all of them among plain operations. A step adds a
transaction to the block, closes the block, lets idle blocks pass or goes back to an earlier state.
"""

from dataclasses import replace
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from engine.judge import Engine
from engine.plain import PlainEngine
from engine.schemas import Judged, State
from tests.helpers.audit import assert_conserved, assert_same
from tests.helpers.builders import Blocks, candidates, headers
from tests.helpers.chain import Tx
from tests.helpers.module_chains import MODULES, NETWORK, TRAFFIC, opening
from tests.helpers.strange_chains import FIRST
from tests.properties.test_paths_agree import assert_same_state, joined

SETTINGS: Final = settings(deadline=None, suppress_health_check=list(HealthCheck), stateful_step_count=40)


OPENING: Final = len(opening())


def opened() -> tuple[dict[int, list[Tx]], list[Judged], list[State]]:
    """Blocks, results and states of the opening, in containers of their own."""
    blocks, parts, states = _opened()
    return dict(blocks), list(parts), list(states)


@cache
def _opened() -> tuple[dict[int, list[Tx]], list[Judged], list[State]]:
    engine = Engine(NETWORK)
    blocks, parts, states = {}, [], [engine.state()]
    for height, txs in enumerate(opening(), start=FIRST):
        blocks[height] = [replace(tx, locktime=100 * height + place) for place, tx in enumerate(txs)]
        part = {height: blocks[height]}
        parts.append(engine.judge(headers(part), candidates(part)))
        states.append(engine.state())
    return blocks, parts, states


class Machine(RuleBasedStateMachine):
    """A chain that grows and shrinks under both paths at once."""

    traffic: st.SearchStrategy[Tx]

    def __init__(self) -> None:
        super().__init__()
        self.blocks, self.parts, self.states = opened()
        """Blocks by height, one result a block, the state before the first and after each."""
        self.compiled, self.plain = Engine(NETWORK, self.states[-1]), PlainEngine(NETWORK)
        self.plain.restore(self.states[-1])
        self.pending: list[Tx] = []
        self.salt = 10**6

    @rule(data=st.data())
    def add(self, data: st.DataObject) -> None:
        self.pending.append(self.salted(data.draw(self.traffic)))

    @rule()
    @precondition(lambda self: self.pending)
    def close_block(self) -> None:
        self.judge({FIRST + len(self.parts): self.pending})
        self.pending = []

    @rule(count=st.integers(1, 6))
    def idle(self, count: int) -> None:
        """Several blocks in one range, the first with what was pending."""
        first = FIRST + len(self.parts)
        self.judge({height: self.pending if height == first else [] for height in range(first, first + count)})
        self.pending = []

    @rule(back=st.integers(1, 12))
    @precondition(lambda self: len(self.parts) > OPENING)
    def rewind(self, back: int) -> None:
        """Each path goes on from what the compiled one knew then; the blocks that follow are others."""
        keep = max(len(self.parts) - back, OPENING)
        event(f"rewinds {len(self.parts) - keep} blocks")
        del self.parts[keep:], self.states[keep + 1 :]
        self.blocks = {height: txs for height, txs in self.blocks.items() if height < FIRST + keep}
        self.compiled.restore(self.states[-1])
        self.plain.restore(self.states[-1])
        for engine in (self.compiled, self.plain):
            assert_same_state(engine.state(), self.states[-1])

    def teardown(self) -> None:
        """The surviving blocks at once, by paths that have seen no others, come to the same."""
        whole = PlainEngine(NETWORK)
        judged = whole.judge(headers(self.blocks), candidates(self.blocks))
        assert_same(judged, joined(self.parts))
        assert_conserved(judged)
        assert_same_state(whole.state(), self.states[-1])

    def judge(self, blocks: Blocks) -> None:
        """Judge a range at once on the plain path and block by block on the compiled one."""
        judged = self.plain.judge(headers(blocks), candidates(blocks))
        assert_conserved(judged, opening=self.states[-1])
        for height, txs in blocks.items():
            part = {height: txs}
            self.parts.append(self.compiled.judge(headers(part), candidates(part)))
            self.states.append(self.compiled.state())
            self.blocks[height] = list(txs)
        assert_same(judged, joined(self.parts[-len(blocks) :]))
        assert_same_state(self.plain.state(), self.states[-1])
        for cause in set(judged.balance_events["cause"].to_pylist()):
            event(f"cause {cause}")

    def salted(self, tx: Tx) -> Tx:
        self.salt += 1
        return replace(tx, locktime=self.salt)


class Swaps(Machine):
    traffic = MODULES["swap"]


class Curves(Machine):
    traffic = MODULES["curve"]


class Wraps(Machine):
    traffic = MODULES["wrap"]


class Everything(Machine):
    traffic = TRAFFIC


MACHINES: Final[list[Any]] = [Swaps, Curves, Wraps, Everything]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__.lower())
def test_modules_under_growth_and_rewinds(machine: Any) -> None:
    """R-CORE-REORG-1, D-30, promises 2 to 4 of the design."""
    run(machine, 6)


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__.lower())
def test_modules_under_long_growth_and_rewinds(machine: Any) -> None:
    """The same, longer."""
    run(machine, 300)


def run(machine: Any, examples: int) -> None:
    run_state_machine_as_test(machine, settings=settings(SETTINGS, max_examples=examples))
