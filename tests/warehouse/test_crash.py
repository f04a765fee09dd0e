"""Whatever instant the writer dies at, what was acknowledged is there and nothing else is."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.helpers.judged import FactMaker
from tests.helpers.lake_writer import START, chain
from tests.helpers.lakes import assert_same_state, content, facts_of
from warehouse.audit import audit
from warehouse.compact import compact_step
from warehouse.errors import LakeNotFound
from warehouse.files import file_sha256
from warehouse.folds import make_fold
from warehouse.lake import Lake
from warehouse.manifest import NAME

ROOT = Path(__file__).parents[2]


def assert_sound(directory: Path, whole: FactMaker, acknowledged: int) -> int:
    """The lake opens by itself, holds a beginning of the chain up to `acknowledged` at least, and can go on."""
    try:
        lake = Lake.open(directory, grace=0)
    except LakeNotFound:
        assert acknowledged < START
        return START - 1
    with lake:
        tip = lake.manifest.next_height - 1
        assert tip >= acknowledged
        begun = FactMaker(per_block=whole.per_block[: tip - START + 1])
        assert content(lake.snapshot) == facts_of(begun)
        assert_same_state(lake.state(), begun.state())
        there = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
        assert there <= {*lake.manifest.paths(), NAME, "lock"}
    assert audit(directory) == []
    return tip


def killed_rounds(directory: Path, rounds: Iterator[int]) -> int:
    """Run the writer again and again on one lake, let it die each time, and count the deaths."""
    whole, acknowledged, deaths = chain(), START - 1, 0
    for number in rounds:
        died = subprocess.run(
            [sys.executable, "-m", "tests.helpers.lake_writer", str(directory), "dies", str(number)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert died.stderr == ""
        deaths += died.returncode == -9
        for word, height in (line.split() for line in died.stdout.splitlines()):
            acknowledged = int(height) if word == "committed" else min(acknowledged, int(height))
        acknowledged = assert_sound(directory, whole, acknowledged)
    return deaths


def test_a_writer_killed_at_some_disk_calls_loses_nothing(tmp_path: Path) -> None:
    assert killed_rounds(tmp_path / "lake", iter([1, 3, 40, 333, 601])) == 5


@pytest.mark.slow
def test_a_writer_killed_at_any_disk_call_loses_nothing(tmp_path: Path) -> None:
    random = Random(1)
    numbers = [*range(1, 40), *(random.randrange(40, 1500) for _ in range(160))]
    assert killed_rounds(tmp_path / "lake", iter(numbers)) == len(numbers)


@pytest.mark.slow
def test_a_writer_killed_at_any_time_loses_nothing(tmp_path: Path) -> None:
    """Kills from outside, which also strike between disk calls and inside the library that writes Parquet."""
    whole, random, acknowledged = chain(), Random(2), START - 1
    for _ in range(100):
        command = [sys.executable, "-m", "tests.helpers.lake_writer", str(tmp_path / "lake"), "runs"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline()]
            time.sleep(random.random())
            writer.kill()
            lines += writer.stdout.readlines()
        assert writer.returncode == -9
        for word, height in (line.split() for line in lines if line.endswith("\n")):
            acknowledged = int(height) if word == "committed" else min(acknowledged, int(height))
        acknowledged = assert_sound(tmp_path / "lake", whole, acknowledged)


class PowerCuts:
    """Copies the lake before every call that touches the disk, as a power cut would leave it.

    In a copy, content that was not synced is cut in half, and names whose directory was not synced are gone. The
    manifest is the exception: its newest name counts as durable, which is the harder case.
    """

    def __init__(self, directory: Path, copies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory, self.copies = directory, copies
        self.count = 0
        self._one_by_one = threading.RLock()
        self.step = ""
        self.steps: list[str] = []
        self._synced = {path.stat().st_ino for path in directory.iterdir()}
        self._names: dict[Path, int] = {}
        self._record_names(directory)
        monkeypatch.setattr(os, "fsync", self._before(os.fsync, self._note_sync))
        monkeypatch.setattr(os, "utime", self._before(os.utime))
        for name in ("rename", "unlink", "rmdir"):
            monkeypatch.setattr(Path, name, self._before(getattr(Path, name)))

    def _before(self, function: Callable[..., Any], after: Callable[..., None] | None = None) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            with self._one_by_one:
                self._copy()
                result = function(*arguments, **options)
                if after is not None:
                    after(*arguments)
                return result

        return call

    def _note_sync(self, descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if path.is_dir():
            self._record_names(path)
        else:
            self._synced.add(path.stat().st_ino)

    def _record_names(self, directory: Path) -> None:
        for known in [known for known in self._names if known.parent == directory]:
            del self._names[known]
        self._names |= {path: path.stat().st_ino for path in directory.iterdir()}

    def _durable(self, path: Path) -> bool:
        return all(
            self._names.get(part) == part.stat().st_ino
            for part in (path, *path.parents)
            if part != self.directory and self.directory in part.parents
        )

    def _copy(self) -> None:
        copy = self.copies / str(self.count)
        copy.mkdir(parents=True)
        for path in self.directory.rglob("*"):
            if path.is_dir() or not (path.name == NAME or self._durable(path)):
                continue
            target = copy / path.relative_to(self.directory)
            target.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes()
            target.write_bytes(content if path.stat().st_ino in self._synced else content[: len(content) // 2])
        self.count += 1
        self.steps.append(self.step)


def test_a_power_cut_between_any_two_disk_calls_leaves_the_state_before_or_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, directory = FactMaker(seed=3), tmp_path / "lake"
    whole.extend(60)
    lake = Lake.create(directory, "regtest", START)
    cuts = PowerCuts(directory, tmp_path / "copies", monkeypatch)
    published: dict[str, tuple[int, int]] = {}

    def step(name: str, act: Callable[[], object]) -> None:
        before, cuts.step = lake.manifest.next_height - START, name
        act()
        published[name] = before, lake.manifest.next_height - START

    def rederive() -> None:
        generation = lake.rederive()
        generation.commit(whole.judged(0, 21)[0])
        generation.publish()

    step("commit many", lambda: lake.commit(*whole.judged(0, 9)))
    step("commit one", lambda: lake.commit(*whole.judged(9, 10)))
    step("fold", lambda: make_fold(lake))
    step("rewind", lambda: lake.rewind(START + 6))
    step("commit again", lambda: lake.commit(*whole.judged(7, 11)))
    monkeypatch.setattr("warehouse.compact.FEW", 1)
    step("merge", lambda: compact_step(lake))
    step("commit more", lambda: lake.commit(*whole.judged(11, 21)))
    step("rederive", rederive)
    monkeypatch.undo()
    lake.close()

    assert set(cuts.steps) == set(published)
    found = [_published_blocks(cuts.copies / str(number), whole) for number in range(cuts.count)]
    for number, (name, blocks) in enumerate(zip(cuts.steps, found, strict=True)):
        assert blocks in published[name], f"{name}, copy {number}"
    assert {blocks for pair in published.values() for blocks in pair} <= {*found, 21}


def _published_blocks(directory: Path, whole: FactMaker) -> int:
    """How many blocks a copy holds, all of them as in the chain."""
    with Lake.open(directory, grace=0) as lake:
        count = lake.manifest.next_height - START
        begun = FactMaker(per_block=whole.per_block[:count])
        assert content(lake.snapshot) == facts_of(begun)
        for file in (file for fold in lake.manifest.folds for file in fold.files):
            assert file_sha256(directory / file.path) == file.sha256
        return count
