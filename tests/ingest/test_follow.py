"""The stream of blocks and rewinds: it ends on the node's best chain, whatever the node and its chain do meanwhile."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ingest.blockjson import parent_of
from ingest.breaker import CircuitBreaker
from ingest.errors import ChainMoved, ConnectionCut, IngestError, NodeBehind, NodeUnreachable, WrongNetwork
from ingest.follow import Extend, Item, Rewind, follow
from ingest.networks import REGTEST
from ingest.node import Node
from ingest.patience import Patience
from ingest.source import RawBlock, Tip
from tests.helpers.node import FakeNode, Fault, Known, Request

HARD_BITS = 0x200FFFFF
"""Eight times the work of an ordinary regtest block."""


class Indexer:
    """Takes items in as the lake does: keeps a hash a height, and refuses what does not join."""

    def __init__(self, start: int = 0) -> None:
        self.start = start
        self.hashes: dict[int, str] = {}
        self.items: list[Item] = []

    @property
    def tip(self) -> Tip | None:
        return Tip(max(self.hashes), self.hashes[max(self.hashes)]) if self.hashes else None

    @property
    def rewinds(self) -> list[int]:
        return [item.height for item in self.items if isinstance(item, Rewind)]

    def take(self, item: Item) -> None:
        self.items.append(item)
        if isinstance(item, Rewind):
            assert self.tip is not None
            assert self.start - 1 <= item.height < self.tip.height
            self.hashes = {height: hash_ for height, hash_ in self.hashes.items() if height <= item.height}
            return
        assert item.blocks
        for block in item.blocks:
            assert block.height == (self.tip.height + 1 if self.tip else self.start)
            assert not self.tip or parent_of(block) == self.tip.hash
            self.hashes[block.height] = block.hash

    def run(self, node: Node, **options: Any) -> None:
        options = {"poll": 0.01} | options
        for item in follow(node, self.tip, self.hashes.get, start=self.start, **options):
            self.take(item)


class Story:
    """A patience whose waits are the moments at which the next thing happens."""

    def __init__(self, *events: Callable[[], object]) -> None:
        self._events = iter(events)
        self.errors: list[type[IngestError]] = []
        self.over = False

    @property
    def patience(self) -> Patience:
        return Patience(None, lambda: self.over, self._note, first_wait=0.001, longest_wait=0.002, sleep=self._sleep)

    def _note(self, error: IngestError, _seconds: float) -> None:
        self.errors.append(type(error))

    def _sleep(self, _seconds: float) -> None:
        event = next(self._events, None)
        if event is None:
            self.over = True
        else:
            event()


@contextmanager
def node_of(fake: FakeNode, **options: Any) -> Iterator[Node]:
    defaults: dict[str, Any] = {"patience": Patience(deadline=0), "breaker": CircuitBreaker(pause=0.0)}
    node = Node(fake.url, REGTEST, **(defaults | options))
    try:
        yield node
    finally:
        node.close()


def best_hashes(fake: FakeNode, start: int = 0) -> dict[int, str]:
    return {block.height: block.hash for block in fake.best[start:]}


# Getting to the tip


def test_first_sync_arrives_at_the_tip_in_batches_and_then_has_nothing_to_do() -> None:
    with FakeNode(148) as fake, node_of(fake) as node:
        indexer = Indexer()
        indexer.run(node, batch_blocks=20)
        assert indexer.hashes == best_hashes(fake)
        assert [len(item.blocks) for item in indexer.items if isinstance(item, Extend)] == [20] * 7 + [8]
        items = len(indexer.items)
        indexer.run(node)
        assert len(indexer.items) == items


def test_batches_are_bounded_by_bytes() -> None:
    with FakeNode(50) as fake, node_of(fake) as node:
        indexer = Indexer()
        indexer.run(node, batch_bytes=1)
        assert [len(item.blocks) for item in indexer.items if isinstance(item, Extend)] == [1] * 50
        assert indexer.hashes == best_hashes(fake)


def test_it_begins_at_the_start_and_ends_at_the_stop_height() -> None:
    with FakeNode(100) as fake, node_of(fake) as node:
        indexer = Indexer(start=40)
        indexer.run(node, stop_height=59, follow_tip=True)
        assert sorted(indexer.hashes) == list(range(40, 60))
        indexer.run(node, stop_height=61)
        assert sorted(indexer.hashes) == list(range(40, 62))


def test_a_start_above_the_tip_waits_for_the_chain_to_get_there() -> None:
    with FakeNode(10) as fake, node_of(fake) as node:
        indexer = Indexer(start=12)
        indexer.run(node)
        assert indexer.items == []
        story = Story(lambda: fake.mine(2), lambda: fake.mine(3))
        indexer.run(node, follow_tip=True, patience=story.patience)
        assert indexer.hashes == best_hashes(fake, 12)


def test_blocks_that_arrive_while_syncing_are_taken_too() -> None:
    with FakeNode(30) as fake, node_of(fake) as node:
        indexer = Indexer()
        for item in follow(node, None, indexer.hashes.get, start=0, batch_blocks=10):
            indexer.take(item)
            if len(indexer.items) in (2, 4):
                fake.mine(10)
        assert indexer.hashes == best_hashes(fake)
        assert fake.height == 49


def test_following_takes_each_block_as_it_is_mined() -> None:
    with FakeNode(5) as fake, node_of(fake) as node:
        indexer = Indexer()
        story = Story(fake.mine, lambda: None, lambda: fake.mine(3), fake.mine)
        indexer.run(node, follow_tip=True, patience=story.patience)
        assert [len(item.blocks) for item in indexer.items if isinstance(item, Extend)] == [5, 1, 3, 1]
        assert indexer.hashes == best_hashes(fake)
        assert story.errors == []


# Reorganisations


@pytest.mark.parametrize("depth", [1, 2, 3, 6, 17, 100, 147])
def test_a_reorganisation_rewinds_to_the_fork_and_follows_the_other_branch(depth: int) -> None:
    with FakeNode(148) as fake, node_of(fake) as node:
        indexer = Indexer()
        indexer.run(node)
        fake.reorganise(depth)
        asked = fake.count("getblockhash")
        indexer.run(node)
        assert indexer.rewinds == [147 - depth]
        assert indexer.hashes == best_hashes(fake)
        assert fake.count("getblockhash") - asked < 20


def test_a_branch_of_the_same_height_counts_as_a_reorganisation() -> None:
    with FakeNode(20) as fake, node_of(fake) as node:
        indexer = Indexer()
        indexer.run(node)
        fake.reorganise(3, 3)
        indexer.run(node)
        assert indexer.rewinds == [16]
        assert indexer.hashes == best_hashes(fake)


def test_a_reorganisation_below_the_start_takes_everything_back() -> None:
    with FakeNode(60) as fake, node_of(fake) as node:
        indexer = Indexer(start=50)
        indexer.run(node)
        fake.reorganise(30)
        indexer.run(node)
        assert indexer.rewinds == [49]
        assert indexer.hashes == best_hashes(fake, 50)


def test_a_chain_that_never_had_our_blocks_at_all_is_followed_from_the_start() -> None:
    with FakeNode(60) as ours, FakeNode(1) as theirs:
        theirs.mine(70)
        indexer = Indexer(start=1)
        with node_of(ours) as node:
            indexer.run(node)
        with node_of(theirs) as node:
            indexer.run(node)
        assert indexer.rewinds == [0]
        assert indexer.hashes == best_hashes(theirs, 1)


@pytest.mark.parametrize("rest", [True, False])
@pytest.mark.parametrize("request_number", range(1, 12))
def test_a_reorganisation_at_any_moment_of_a_fetch_is_noticed(rest: bool, request_number: int) -> None:
    with FakeNode(60, rest=rest) as fake, node_of(fake, batch_blocks=4) as node:
        indexer = Indexer()
        indexer.run(node, stop_height=20)
        seen = iter(range(1, 10**6))

        def script(_: Request) -> None:
            if next(seen) == request_number:
                fake.reorganise(45, 50)

        fake.script = script
        indexer.run(node, batch_blocks=7, patience=Patience(deadline=10, first_wait=0.001, longest_wait=0.002))
        indexer.run(node)
        assert indexer.hashes == best_hashes(fake)
        assert indexer.rewinds
        assert set(indexer.rewinds) == {14}


def test_a_shorter_branch_with_more_work_is_followed() -> None:
    with FakeNode(60) as fake, node_of(fake) as node:
        indexer = Indexer()
        indexer.run(node)
        fake.reorganise(5, 2, bits=HARD_BITS)
        indexer.run(node)
        assert indexer.rewinds == [54]
        assert indexer.hashes == best_hashes(fake)
        assert fake.height == 56


# A node that is behind is not a reorganisation


def test_a_node_behind_on_our_chain_is_waited_for_and_nothing_is_rewound() -> None:
    with FakeNode(60) as fake, node_of(fake) as node:
        indexer = Indexer()
        indexer.run(node)
        lost: list[Known] = fake.best[50:]
        fake.forget(10)
        before = best_hashes(fake)
        with pytest.raises(NodeBehind, match="ends at 49, below 59"):
            indexer.run(node, patience=Patience(deadline=0))

        story = Story(lambda: fake.best.extend(lost[:5]), lambda: fake.best.extend(lost[5:]), fake.mine)
        indexer.run(node, follow_tip=True, patience=story.patience)
        assert story.errors == [NodeBehind, NodeBehind]
        assert indexer.rewinds == []
        assert indexer.hashes == best_hashes(fake)
        assert before.items() <= indexer.hashes.items()


def test_a_shorter_branch_with_less_work_is_waited_for() -> None:
    with FakeNode(60) as fake, node_of(fake) as node:
        indexer = Indexer()
        indexer.run(node)
        fake.reorganise(10, 5)
        story = Story(lambda: fake.mine(3), lambda: fake.mine(3))
        indexer.run(node, follow_tip=True, patience=story.patience)
        assert story.errors == [NodeBehind, NodeBehind]
        assert indexer.rewinds == [49]
        assert indexer.hashes == best_hashes(fake)


def test_a_shorter_branch_of_a_node_that_does_not_know_our_tip_is_waited_for() -> None:
    with FakeNode(60) as ours, FakeNode(40) as theirs:
        theirs.mine(10)
        indexer = Indexer()
        with node_of(ours) as node:
            indexer.run(node)
        with node_of(theirs) as node, pytest.raises(NodeBehind):
            indexer.run(node, patience=Patience(deadline=0))
        assert indexer.rewinds == []


def test_a_node_in_its_initial_download_is_waited_for_and_nothing_is_rewound() -> None:
    with FakeNode(60) as fake, node_of(fake) as node:
        indexer = Indexer()
        indexer.run(node)
        lost = fake.best[1:]
        fake.forget(59)
        fake.initial_download, fake.headers_ahead = True, 59

        def catch_up() -> None:
            fake.best.extend(lost)
            fake.initial_download, fake.headers_ahead = False, 0

        indexer.run(node, follow_tip=True, patience=Story(lambda: None, catch_up, fake.mine).patience)
        assert indexer.rewinds == []
        assert indexer.hashes == best_hashes(fake)


def test_two_nodes_behind_one_address_are_no_reorganisation() -> None:
    """The tip is told by a node that has it, the hash at our height by one that is behind."""
    with FakeNode(60) as fake, node_of(fake) as node:
        indexer = Indexer()
        indexer.run(node)
        fake.mine()
        ahead, behind = list(fake.best), fake.best[:55]
        calls = iter(range(10**6))

        def script(request: Request) -> None:
            flapping = request.asks("getblockhash") and next(calls) == 0
            fake.best[:] = behind if flapping else ahead

        fake.script = script
        story = Story(lambda: None)
        indexer.run(node, follow_tip=True, patience=story.patience)
        assert story.errors == [ChainMoved]
        assert indexer.rewinds == []
        assert indexer.hashes == best_hashes(fake)


# Trouble


def test_an_absent_node_is_waited_for() -> None:
    with FakeNode(5) as fake, node_of(fake) as node:
        indexer = Indexer()
        story = Story(fake.vanish, lambda: None, fake.appear, lambda: fake.mine(2))
        indexer.run(node, follow_tip=True, patience=story.patience)
        assert story.errors[0] in (NodeUnreachable, ConnectionCut)
        assert story.errors[-1] is NodeUnreachable
        assert indexer.hashes == best_hashes(fake)


def test_an_absent_node_is_named_when_patience_ends() -> None:
    with FakeNode(5) as fake, node_of(fake) as node:
        fake.vanish()
        with pytest.raises(NodeUnreachable):
            Indexer().run(node, patience=Patience(deadline=0))


def test_what_cannot_pass_is_raised_while_following() -> None:
    with FakeNode(5) as fake, node_of(fake) as node:

        def other_chain() -> None:
            fake.chain = "main"

        with pytest.raises(WrongNetwork):
            Indexer().run(node, follow_tip=True, patience=Story(other_chain).patience)


def test_blocks_before_a_trouble_are_kept() -> None:
    """A connection that never lasts for a whole batch still makes progress."""
    with FakeNode(148, rest=False) as fake, node_of(fake, batch_blocks=4) as node:
        indexer = Indexer()
        node.tip()
        counter = iter(range(1, 10**6))
        fake.script = lambda request: Fault.CUT if request.asks("getblock") and next(counter) % 3 == 0 else None
        indexer.run(node, batch_blocks=144, patience=Patience(deadline=10, first_wait=0.001, longest_wait=0.002))
        assert indexer.hashes == best_hashes(fake)
        assert len(indexer.items) > 5


def test_a_stop_ends_the_stream_between_two_batches() -> None:
    with FakeNode(100) as fake, node_of(fake) as node:
        indexer = Indexer()
        stopping = [False]
        patience = Patience(stop=lambda: stopping[0])
        for item in follow(node, None, indexer.hashes.get, start=0, batch_blocks=10, patience=patience):
            indexer.take(item)
            stopping[0] = len(indexer.items) == 3
        assert len(indexer.hashes) == 30
        indexer.run(node)
        assert indexer.hashes == best_hashes(fake)


def test_a_stop_ends_the_wait_for_new_blocks_and_for_a_lost_node() -> None:
    with FakeNode(3) as fake, node_of(fake) as node:
        indexer = Indexer()
        indexer.run(node, follow_tip=True, patience=Story().patience)
        fake.vanish()
        indexer.run(node, follow_tip=True, patience=Story(lambda: None).patience)
        assert len(indexer.hashes) == 3


class Listed:
    """A source made of a list, that may send what it should not."""

    def __init__(self, blocks: list[RawBlock], tip: Tip) -> None:
        self._blocks = blocks
        self._tip = tip

    def tip(self) -> Tip:
        return self._tip

    def hash_at(self, height: int) -> str | None:
        return next((block.hash for block in self._blocks if block.height == height), None)

    def blocks(self, start: int, stop: int) -> Iterator[RawBlock]:
        return iter(self._blocks)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("chosen", "message"),
    [([0, 2], "out of turn"), ([1, 2], "out of turn"), ([0, 1], "end at 1, before 2"), ([], "end at -1, before 2")],
)
def test_a_source_that_leaves_out_blocks_is_not_believed(chosen: list[int], message: str) -> None:
    with FakeNode(3) as fake, node_of(fake) as node:
        blocks = list(node.blocks(0, 3))
    source = Listed([blocks[n] for n in chosen], Tip(2, blocks[2].hash))
    with pytest.raises(ChainMoved, match=message):
        list(follow(source, None, dict[int, str]().get, start=0, patience=Patience(deadline=0)))


@pytest.mark.parametrize("seed", range(12))
def test_storms_of_reorganisations_and_faults_lose_nothing(seed: int) -> None:
    dice = random.Random(seed)
    with FakeNode(dice.randrange(20, 148), rest=bool(seed % 2)) as fake:
        patience = Patience(deadline=20, first_wait=0.0005, longest_wait=0.001)
        with node_of(fake, patience=patience, batch_blocks=5) as node:
            indexer = Indexer(start=dice.choice([0, 1, 15]))
            node.tip()

            reorganisations = iter(range(10))

            def script(_: Request) -> Fault | None:
                if dice.random() < 0.03 and next(reorganisations, None) is not None:
                    depth = dice.randrange(1, min(fake.height, 100))
                    fake.reorganise(depth, depth + dice.randrange(0, 4))
                return dice.choice([Fault.CUT, Fault.BUSY, Fault.GARBAGE]) if dice.random() < 0.1 else None

            for _ in range(4):
                fake.mine(dice.randrange(0, 6))
                fake.script = script
                indexer.run(node, patience=patience, batch_blocks=dice.choice([1, 7, 50]))
            fake.recover()
            indexer.run(node, patience=patience)
            assert indexer.hashes == best_hashes(fake, indexer.start)
