"""Commit, reopen, rewind and read back: the lake against a ledger kept in a dictionary."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.schemas import BALANCE_EVENTS, Judged
from tests.helpers.judged import FactMaker
from tests.helpers.lakes import assert_same_state, content, facts_of
from warehouse import errors
from warehouse.lake import Lake
from warehouse.manifest import read_manifest
from warehouse.tables import FACTS


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.create(tmp_path / "lake", "regtest", 100)


def test_commits_are_read_back_after_reopening(lake: Lake) -> None:
    maker = FactMaker(modules=True)
    for count in (1, 7, 1, 12):
        lake.commit(*maker.extend(count))
    lake.close()
    with Lake.open(lake.directory) as reopened:
        assert content(reopened.snapshot) == facts_of(maker)
        assert_same_state(reopened.state(), maker.state())
        tip = maker.per_block[-1]["blocks"][0]
        assert reopened.tip is not None
        assert (reopened.tip.height, reopened.tip.hash) == (120, tip["hash"])
        assert reopened.manifest.cumulative_hash == tip["cumulative_hash"]


def test_state_of_every_height_is_the_ledger_of_that_height(lake: Lake) -> None:
    maker = FactMaker(seed=2, modules=True)
    for count in (5, 1, 9, 3):
        lake.commit(*maker.extend(count))
    for height in range(99, 118):
        assert_same_state(lake.state(height), maker.state(height))


@pytest.mark.parametrize("height", [98, 106])
def test_state_outside_the_published_heights_is_refused(lake: Lake, height: int) -> None:
    lake.commit(*FactMaker().extend(6))
    with pytest.raises(errors.HeightUnknown, match="heights: 100 to 105"):
        lake.state(height)


@pytest.mark.parametrize("depth", [1, 3, 4, 9, 13, 20])
def test_a_rewind_equals_never_having_seen_the_blocks(lake: Lake, tmp_path: Path, depth: int) -> None:
    """R-CORE-REORG-1, at any depth (D-30)."""
    maker = FactMaker(seed=3, modules=True)
    for count in (6, 6, 1, 1, 6):
        lake.commit(*maker.extend(count))
    height = 119 - depth
    lake.rewind(height)
    maker.rewind(height)
    assert content(lake.snapshot) == facts_of(maker)
    assert_same_state(lake.state(), maker.state())
    lake.commit(*maker.extend(4, branch="other"))
    assert content(lake.snapshot) == facts_of(maker)
    assert_same_state(lake.state(), maker.state())


def test_a_rewind_below_the_first_block_leaves_an_empty_lake_that_can_begin_again(lake: Lake) -> None:
    maker = FactMaker(modules=True)
    lake.commit(*maker.extend(5))
    lake.rewind(3)
    assert lake.tip is None
    assert lake.manifest.segments == ()
    assert lake.manifest.cumulative_hash == ""
    assert_same_state(lake.state(), FactMaker().state())
    lake.commit(*FactMaker(seed=9).extend(2))
    assert lake.manifest.next_height == 102


def test_a_rewind_to_the_tip_or_above_changes_nothing(lake: Lake) -> None:
    lake.commit(*FactMaker().extend(5))
    before = read_manifest(lake.directory)
    lake.rewind(104)
    lake.rewind(900)
    assert read_manifest(lake.directory) == before


def test_block_hash_knows_every_published_height_and_no_other(lake: Lake) -> None:
    maker = FactMaker()
    for count in (4, 1, 1):
        lake.commit(*maker.extend(count))
    assert lake.block_hash(99) is None
    assert lake.block_hash(106) is None
    expected = [block["blocks"][0]["hash"] for block in maker.per_block]
    assert [lake.block_hash(height) for height in range(100, 106)] == expected


def test_empty_tables_and_empty_commits_write_no_segment(lake: Lake) -> None:
    maker = FactMaker(operations=0)
    judged, candidates = maker.extend(3)
    lake.commit(judged, candidates)
    assert [segment.table for segment in lake.manifest.segments] == ["blocks"]
    sequence = lake.manifest.sequence
    lake.commit(*maker.judged(0, 0))
    assert lake.manifest.sequence == sequence


@pytest.mark.parametrize("rows", [1, 20, 10_000])
def test_the_archive_gives_whole_blocks_in_order(lake: Lake, rows: int) -> None:
    maker = FactMaker(seed=5)
    for count in (3, 1, 10):
        lake.commit(*maker.extend(count))
    batches = list(lake.archive(rows))
    headers = pa.concat_tables([batch for batch, _ in batches])
    candidates = pa.concat_tables([rows for _, rows in batches])
    judged, expected = maker.all()
    assert headers.equals(judged.blocks.select(headers.schema.names))
    assert candidates.equals(expected)
    for batch, found in batches:
        assert found["height"].to_pylist() == sorted(found["height"].to_pylist())
        assert set(found["height"].to_pylist()) <= set(batch["height"].to_pylist())
        assert batch.num_rows == 1 or found.num_rows <= rows


def _without_first(table: pa.Table) -> pa.Table:
    return table.slice(1)


def _with_column(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    position = table.schema.get_field_index(name)
    return table.set_column(position, table.schema.field(name), pa.array(values, table.schema.field(name).type))


def _change_first(name: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    return lambda table: _with_column(table, name, [value, *table[name].to_pylist()[1:]])


@pytest.mark.parametrize(
    ("table", "spoil", "error", "says"),
    [
        ("blocks", _without_first, errors.HeightGap, "block 105 was offered where 104 must come next"),
        ("blocks", _change_first("previous_hash", "ab" * 32), errors.ChainBroken, "block 104 has parent abab"),
        ("blocks", _change_first("cumulative_hash", "ab" * 32), errors.ChainBroken, "has cumulative hash abab"),
        ("blocks", _change_first("operations", 99), errors.CountMismatch, "operations: block 104 counts 99 rows"),
        ("blocks", lambda table: table.drop(["time"]), errors.SchemaMismatch, "columns are"),
        ("operations", _without_first, errors.CountMismatch, "operations: block"),
        ("balance_events", _without_first, errors.CountMismatch, "balance_events: block"),
        ("candidates", _without_first, errors.CountMismatch, "candidates: block"),
        ("supplies", _change_first("height", 103), errors.CountMismatch, "supplies: block 103 counts 0 rows"),
        ("supplies", _change_first("height", 999), errors.CountMismatch, "supplies: block 999 counts 0 rows"),
        ("tokens", _change_first("deploy_height", 103), errors.CountMismatch, "tokens: block 103 counts 0 rows"),
        ("operations", _change_first("height", 109), errors.CountMismatch, "operations: block"),
        ("positions", _change_first("height", 103), errors.CountMismatch, "positions: block 103 counts 0 rows"),
        ("fills", _change_first("height", 999), errors.CountMismatch, "fills: block 999 counts 0 rows"),
        ("pools", lambda table: table.drop(["reserve_a"]), errors.SchemaMismatch, "columns are"),
        (
            "balance_events",
            lambda table: table.set_column(0, "height", table["height"].cast(pa.int64())),
            errors.SchemaMismatch,
            "height is int64, not int32",
        ),
        (
            "balance_events",
            lambda table: pa.Table.from_arrays(
                [pa.nulls(table.num_rows, pa.int32()), *table.columns[1:]], schema=BALANCE_EVENTS
            ),
            errors.SchemaMismatch,
            "height has",
        ),
    ],
)
def test_blocks_that_do_not_join_are_refused_and_nothing_changes(
    lake: Lake, table: str, spoil: Callable[[pa.Table], pa.Table], error: type[errors.LakeError], says: str
) -> None:
    maker = FactMaker(seed=12, modules=True)
    lake.commit(*maker.extend(4))
    judged, candidates = maker.extend(8)
    before, files = read_manifest(lake.directory), sorted(lake.directory.rglob("*"))
    spoilt: Judged = judged
    if table == "candidates":
        candidates = spoil(candidates)
    elif table in judged.modules:
        spoilt = replace(judged, modules={**judged.modules, table: spoil(judged.modules[table])})
    else:
        spoilt = replace(judged, **{table: spoil(getattr(judged, table))})
    with pytest.raises(error, match=says):
        lake.commit(spoilt, candidates)
    assert read_manifest(lake.directory) == before
    assert sorted(lake.directory.rglob("*")) == files
    lake.commit(judged, maker.judged(4, 12)[1])


def test_rows_of_a_module_that_is_not_installed_are_refused(lake: Lake) -> None:
    """They would be lost without a word."""
    judged, candidates = FactMaker(modules=True).extend(3)
    unknown = replace(judged, modules={**judged.modules, "loans": judged.modules["pools"]})
    with pytest.raises(errors.SchemaMismatch, match="rows for loans"):
        lake.commit(unknown, candidates)
    assert lake.tip is None


def test_two_writers_are_not_admitted(lake: Lake) -> None:
    with pytest.raises(errors.LakeInUse, match=r"process \d+ on .* since"):
        Lake.open(lake.directory)
    with pytest.raises(errors.LakeInUse):
        Lake.create(lake.directory, "regtest", 100)
    lake.close()
    Lake.open(lake.directory).close()


def test_a_lake_is_not_created_over_another_nor_opened_where_none_is(lake: Lake, tmp_path: Path) -> None:
    lake.close()
    with pytest.raises(errors.LakeExists, match="already holds a lake"):
        Lake.create(lake.directory, "regtest", 100)
    with pytest.raises(errors.LakeNotFound, match="run `simplicity sync`"):
        Lake.open(tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_files_that_were_replaced_stay_for_the_grace_time(tmp_path: Path) -> None:
    maker = FactMaker(seed=3, modules=True)
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*maker.extend(6))
        old = lake.manifest.paths()
        lake.rewind(102)
        assert all((tmp_path / path).exists() for path in old)
    with Lake.open(tmp_path) as lake:
        assert all((tmp_path / path).exists() for path in old)
    with Lake.open(tmp_path, grace=0) as lake:
        assert not any((tmp_path / path).exists() for path in old)
        maker.rewind(102)
        assert content(lake.snapshot) == facts_of(maker)
        current = lake.manifest.paths()
        lake.rewind(101)
        assert not any((tmp_path / path).exists() for path in current - lake.manifest.paths())
        assert {path.relative_to(tmp_path).parts[1] for path in tmp_path.rglob("*.parquet")} <= set(FACTS)


def test_a_block_taken_back_and_committed_again_keeps_its_files(tmp_path: Path) -> None:
    """Files are named by content, so the second commit brings back a name that was about to be removed."""
    maker = FactMaker(seed=3, modules=True)
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*maker.extend(3))
        again = maker.extend(1)
        lake.commit(*again)
        lake.rewind(102)
        lake.commit(*again)
    with Lake.open(tmp_path, grace=0) as lake:
        assert content(lake.snapshot) == facts_of(maker)
