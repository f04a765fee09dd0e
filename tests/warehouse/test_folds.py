"""Folds are what the facts say, and everything above them too."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from engine.schemas import FOLD
from tests.helpers.judged import FactMaker
from tests.helpers.lakes import assert_same_state
from warehouse.compact import compact_step
from warehouse.folds import KEPT, fold_due, make_fold
from warehouse.lake import Lake
from warehouse.serving_tables import write_serving


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.create(tmp_path, "regtest", 100)


def expected_rows(maker: FactMaker) -> list[dict[str, object]]:
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for block in maker.per_block:
        for event in block["balance_events"]:
            key = event["ticker"], event["address"]
            credit = rows.get(key, {"credit_height": 0})["credit_height"]
            rows[key] = {
                "ticker": event["ticker"],
                "address": event["address"],
                "script": event["script"],
                "balance": event["balance_after"],
                "last_height": event["height"],
                "credit_height": credit if event["cause"] == "transfer_debit" else event["height"],
            }
    return [rows[key] for key in sorted(rows)]


def test_folds_on_folds_hold_every_account_with_its_heights(lake: Lake) -> None:
    maker = FactMaker(seed=4, modules=True)
    for _ in range(KEPT + 2):
        lake.commit(*maker.extend(7))
        assert make_fold(lake)
        fold = lake.manifest.folds[-1]
        found = pq.read_table(lake.directory / fold.balances.path, schema=FOLD)
        assert found.to_pylist() == expected_rows(maker)
        assert not make_fold(lake), "nothing has happened since"
    assert [fold.height for fold in lake.manifest.folds] == [120, 127, 134]
    for height in range(99, 135):
        assert_same_state(lake.state(height), maker.state(height))


def test_an_empty_lake_has_nothing_to_fold(lake: Lake) -> None:
    assert not fold_due(lake.manifest)
    assert not make_fold(lake)


def test_rewinds_fall_back_on_older_folds_and_then_on_none(lake: Lake) -> None:
    maker = FactMaker(seed=4, modules=True)
    for _ in range(3):
        lake.commit(*maker.extend(6))
        make_fold(lake)
    for height, folds in ((117, [105, 111, 117]), (114, [105, 111]), (111, [105, 111]), (103, [])):
        lake.rewind(height)
        maker.rewind(height)
        assert [fold.height for fold in lake.manifest.folds] == folds
        assert_same_state(lake.state(), maker.state())


def test_a_rewind_during_a_fold_voids_it(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other blocks of the same heights must not be mistaken for the folded ones."""
    maker = FactMaker(seed=4, modules=True)
    lake.commit(*maker.extend(8))

    def reorganise_meanwhile(*arguments: object) -> object:
        maker.rewind(103)
        lake.rewind(103)
        lake.commit(*maker.extend(6, branch="other"))
        return write_serving(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("warehouse.folds.write_serving", reorganise_meanwhile)
    assert not make_fold(lake)
    assert lake.manifest.folds == ()
    assert_same_state(lake.state(), maker.state())


def test_a_fold_is_due_by_events_and_by_blocks(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = FactMaker(seed=4)
    lake.commit(*maker.extend(10))
    events = sum(len(block["balance_events"]) for block in maker.per_block)
    assert not fold_due(lake.manifest)
    monkeypatch.setattr("warehouse.folds.MOST_EVENTS", events)
    assert not fold_due(lake.manifest)
    monkeypatch.setattr("warehouse.folds.MOST_EVENTS", events - 1)
    assert fold_due(lake.manifest)
    make_fold(lake)
    assert not fold_due(lake.manifest)
    monkeypatch.setattr("warehouse.folds.MOST_BLOCKS", 3)
    lake.commit(*maker.extend(3))
    assert not fold_due(lake.manifest)
    lake.commit(*maker.extend(1))
    assert fold_due(lake.manifest)


def test_merged_segments_below_a_fold_do_not_make_the_next_one_due(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = FactMaker(seed=4)
    for _ in range(30):
        lake.commit(*maker.extend(1))
    make_fold(lake)
    lake.commit(*maker.extend(1))
    while compact_step(lake):
        pass
    monkeypatch.setattr("warehouse.folds.MOST_EVENTS", 20)
    assert len(lake.manifest.of("balance_events")) == 1
    assert not fold_due(lake.manifest)


def test_folds_that_are_no_longer_listed_are_removed_with_their_folder(tmp_path: Path) -> None:
    maker = FactMaker(seed=4)
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        lake.commit(*maker.extend(8))
        make_fold(lake)
        lake.rewind(104)
    with Lake.open(lake.directory, grace=0):
        assert list((lake.directory / "folds").iterdir()) == []
