"""Killed anywhere, it restarts alone, keeps what it acknowledged, and ends where an undisturbed run ends."""

import subprocess
import time
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
from warehouse.manifest import read_manifest

PATIENCE = 120.0


def published(lake: Path) -> int:
    """Height that readers see, -1 while there is none. A manifest that cannot be read fails the test."""
    if not (lake / "manifest.json").exists():
        return -1
    tip = read_manifest(lake).tip
    return -1 if tip is None else tip.height


def wait_for_progress(child: "subprocess.Popen[bytes]", lake: Path, before: int) -> None:
    """Until the child has published a block, or has ended."""
    deadline = time.monotonic() + PATIENCE
    while child.poll() is None and published(lake) == before:
        assert time.monotonic() < deadline, "no block was published"
        time.sleep(0.002)


def killed_often(lake: Path, node: FakeNode, rounds: int, random: Random) -> int:
    """Start and kill until `rounds` kills have hit a run that had work left; how many blocks were published between.

    A run that reaches the end takes the lake back to a random height, so that there is work again.
    """
    kills = 0
    while kills < rounds:
        before = published(lake)
        child = sync_process(lake, node.url, random.choice([1, 1, 1, 7, 40]))
        try:
            if random.random() < 0.8:
                wait_for_progress(child, lake, before)
                time.sleep(random.uniform(0, 0.4))
            else:
                time.sleep(random.uniform(0, 2))
            alive = child.poll() is None
            child.kill()
        finally:
            _, message = child.communicate()
        after = published(lake)
        assert after >= before, f"height {before} was published and is gone"
        if alive and after < node.height:
            kills += 1
        elif child.returncode not in (0, -9):
            raise AssertionError(message.decode())
        if after == node.height:
            with open_or_create(lake) as opened:
                opened.rewind(random.randint(0, node.height - 1))
    return kills


def crash_story(tmp_path: Path, blocks: int, rounds: int, seed: int) -> None:
    random = Random(seed)
    traffic = Traffic(seed)
    with FakeNode() as node:
        for _ in range(blocks):
            node.mine(txs=traffic.txs(random.randint(0, 5)))
        kills = killed_often(tmp_path / "killed", node, rounds, random)
        assert kills == rounds, "a run that kills nothing shows nothing"
        index(tmp_path / "killed", Node(node.url, REGTEST))
        index(tmp_path / "undisturbed", Node(node.url, REGTEST))
    with open_or_create(tmp_path / "killed") as killed, open_or_create(tmp_path / "undisturbed") as undisturbed:
        assert killed.manifest.cumulative_hash == undisturbed.manifest.cumulative_hash
        rows = content(killed.snapshot)
        for name, expected in content(undisturbed.snapshot).items():
            assert rows[name].equals(expected), name
        assert_same_state(killed.state(), undisturbed.state())
    assert audit(tmp_path / "killed") == []


def test_a_few_kills_change_nothing(tmp_path: Path) -> None:
    crash_story(tmp_path, blocks=150, rounds=6, seed=1)


@pytest.mark.slow
def test_three_hundred_kills_change_nothing(tmp_path: Path) -> None:
    crash_story(tmp_path, blocks=400, rounds=300, seed=2)
