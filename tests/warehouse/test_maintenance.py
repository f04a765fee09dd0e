"""Folding and merging beside the commits."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.judged import FactMaker
from tests.helpers.lakes import assert_same_state, content, facts_of
from warehouse.compact import FEW
from warehouse.lake import Lake
from warehouse.maintenance import Maintenance


def test_commits_and_rewinds_go_on_while_the_lake_is_kept_in_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.maintenance.REST", 0.0)
    monkeypatch.setattr("warehouse.folds.MOST_BLOCKS", 10)
    maker = FactMaker()
    with Lake.create(tmp_path, "regtest", 100) as lake:
        with Maintenance(lake) as maintenance:
            for turn in range(150):
                lake.commit(*maker.extend(1, branch=str(turn)))
                maintenance.due()
                if turn % 23 == 22:
                    lake.rewind(lake.manifest.next_height - 5)
                    maker.rewind(lake.manifest.next_height - 1)
        assert lake.manifest.folds
        assert len(lake.manifest.of("blocks")) < 6 * FEW
        assert content(lake.snapshot) == facts_of(maker)
        assert_same_state(lake.state(), maker.state())


def test_the_thread_rests_after_a_step_and_a_due_fold_is_made_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.maintenance.REST", 1e9)
    monkeypatch.setattr("warehouse.folds.MOST_BLOCKS", 0)
    maker = FactMaker()
    with Lake.create(tmp_path, "regtest", 100) as lake:
        with Maintenance(lake) as maintenance:
            for height in (100, 101):
                lake.commit(*maker.extend(1))
                maintenance.due()
                _until(lambda: bool(lake.manifest.folds))
                assert [fold.height for fold in lake.manifest.folds] == [100], height
        assert [fold.height for fold in lake.manifest.folds] == [100, 101]


def test_nothing_is_folded_on_the_way_out_of_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.folds.MOST_BLOCKS", 0)
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*FactMaker().extend(2))
        with pytest.raises(KeyboardInterrupt), Maintenance(lake):
            raise KeyboardInterrupt
        assert lake.manifest.folds == ()


def test_a_failed_step_is_reported_at_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.folds.MOST_BLOCKS", 0)
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*FactMaker().extend(2))
        (tmp_path / "folds").write_text("in the way")
        with pytest.raises(NotADirectoryError), Maintenance(lake) as maintenance:
            _until(maintenance.due)


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
