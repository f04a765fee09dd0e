"""A reorganisation of any depth leaves the lake as if it had never seen the orphaned blocks (R-CORE-REORG-1, D-30)."""

import subprocess
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from ingest.networks import REGTEST
from ingest.node import Node
from tests.helpers.indexing import index, open_or_create, sync_process
from tests.helpers.lakes import assert_same_state, content
from tests.helpers.node import FakeNode
from tests.helpers.traffic import Traffic
from warehouse.audit import audit
from warehouse.compact import compact_step
from warehouse.folds import make_fold


def mine_busily(node: FakeNode, blocks: int, traffic: Traffic) -> None:
    for _ in range(blocks):
        node.mine(txs=traffic.txs(traffic.random.randint(0, 6)))


def assert_as_if_indexed_anew(lake: Path, anew: Path, node: FakeNode) -> None:
    index(anew, Node(node.url, REGTEST))
    with open_or_create(lake) as stormy, open_or_create(anew) as calm:
        assert stormy.tip == calm.tip
        assert stormy.manifest.cumulative_hash == calm.manifest.cumulative_hash
        for name, rows in content(calm.snapshot).items():
            assert content(stormy.snapshot)[name].equals(rows), name
        assert_same_state(stormy.state(), calm.state())
    assert audit(lake) == []


def storm(node: FakeNode, lake: Path, seed: int, rounds: int, deepest: int) -> None:
    """Reorganisations of random depth, with folds and compactions in between, each followed to its end."""
    random = Random(seed)
    traffic = Traffic(seed)
    mine_busily(node, deepest + 20, traffic)
    for _ in range(rounds):
        index(lake, Node(node.url, REGTEST), batch=random.choice([1, 7, 144]))
        with open_or_create(lake) as opened:
            if random.random() < 0.3:
                make_fold(opened)
            while random.random() < 0.7 and compact_step(opened):
                pass
        depth = random.randint(1, deepest)
        node.reorganise(depth, length=random.randint(depth, depth + 3), txs=traffic.txs(3))
        mine_busily(node, random.randint(0, 4), traffic)
    index(lake, Node(node.url, REGTEST))


@pytest.mark.parametrize("seed", range(2))
def test_a_storm_equals_the_winning_chain_alone(seed: int, tmp_path: Path) -> None:
    with FakeNode() as node:
        storm(node, tmp_path / "stormy", seed, rounds=6, deepest=12)
        assert_as_if_indexed_anew(tmp_path / "stormy", tmp_path / "calm", node)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_a_long_storm_equals_the_winning_chain_alone(seed: int, tmp_path: Path) -> None:
    with FakeNode() as node:
        storm(node, tmp_path / "stormy", seed, rounds=25, deepest=100)
        assert_as_if_indexed_anew(tmp_path / "stormy", tmp_path / "calm", node)


def killed_storm(tmp_path: Path, rounds: int, deepest: int) -> None:
    """The command is killed in the middle of following one reorganisation after the other."""
    random, traffic, kills = Random(7), Traffic(7), 0
    with FakeNode() as node:
        mine_busily(node, deepest + 20, traffic)
        for _ in range(rounds):
            child = sync_process(tmp_path / "stormy", node.url, random.choice([1, 7]))
            with suppress(subprocess.TimeoutExpired):
                child.wait(random.uniform(0.5, 3.0))
            child.kill()
            child.communicate()
            kills += child.returncode == -9
            node.reorganise(random.randint(1, deepest), txs=traffic.txs(3))
            mine_busily(node, random.randint(0, 4), traffic)
        assert kills, "a run that kills nothing shows nothing"
        index(tmp_path / "stormy", Node(node.url, REGTEST))
        assert_as_if_indexed_anew(tmp_path / "stormy", tmp_path / "calm", node)


def test_a_storm_with_kills_equals_the_winning_chain_alone(tmp_path: Path) -> None:
    killed_storm(tmp_path, rounds=4, deepest=12)


@pytest.mark.slow
def test_a_long_storm_with_kills_equals_the_winning_chain_alone(tmp_path: Path) -> None:
    killed_storm(tmp_path, rounds=60, deepest=100)


def test_the_chain_moves_while_it_is_read(tmp_path: Path) -> None:
    """The stream runs ahead of the commits; a branch that is abandoned meanwhile leaves nothing behind."""
    traffic = Traffic(5)
    with FakeNode() as node:
        mine_busily(node, 40, traffic)
        asked = 0

        def move_now_and_then(_request: object) -> None:
            nonlocal asked
            asked += 1
            if asked % 31 == 0 and asked < 200:
                node.reorganise(traffic.random.randint(1, 15), txs=traffic.txs(2))

        node.script = move_now_and_then
        index(tmp_path / "stormy", Node(node.url, REGTEST), batch=3, threads=2)
        node.recover()
        index(tmp_path / "stormy", Node(node.url, REGTEST), batch=3)
        assert_as_if_indexed_anew(tmp_path / "stormy", tmp_path / "calm", node)
