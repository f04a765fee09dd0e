"""Merging keeps every row, whatever happens meanwhile, and leaves few files."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.helpers.judged import FactMaker
from tests.helpers.lakes import assert_same_state, content, facts_of
from warehouse.compact import FEW, compact_step
from warehouse.lake import Lake
from warehouse.segments import SEARCH_GROUP, write_compacted
from warehouse.tables import FACTS, TABLES


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.create(tmp_path, "regtest", 100)


def grown(lake: Lake, blocks: int = 30) -> FactMaker:
    maker = FactMaker(modules=True)
    for _ in range(blocks):
        lake.commit(*maker.extend(1))
    return maker


def test_steps_end_with_few_segments_and_the_same_rows(lake: Lake) -> None:
    maker = grown(lake)
    steps = 0
    while compact_step(lake):
        steps += 1
        assert content(lake.snapshot) == facts_of(maker)
    assert steps
    assert all(len(lake.manifest.of(name)) <= FEW for name in FACTS)
    assert not compact_step(lake)
    assert_same_state(lake.state(), maker.state())
    assert_same_state(lake.state(111), maker.state(111))


def test_few_small_segments_are_left_alone(lake: Lake) -> None:
    grown(lake, FEW)
    assert not compact_step(lake)


def test_segments_grow_through_the_limits(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """With limits of a few kilobytes the same rule must leave one size after the other behind."""
    monkeypatch.setattr("warehouse.compact.LIMITS", (8_000, 16_000, 32_000))
    maker = grown(lake, 45)
    while compact_step(lake):
        pass
    assert content(lake.snapshot) == facts_of(maker)
    sizes = [segment.file.bytes for segment in lake.manifest.of("operations")]
    assert len(sizes) < 8
    assert max(sizes) > 16_000
    assert max(sizes) < 64_000


def test_a_large_segment_is_rewritten_once_for_search(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.compact.LIMITS", (100,))
    maker = FactMaker(modules=True)
    lake.commit(*maker.extend(20))
    assert not any(segment.searchable for segment in lake.manifest.segments)
    for _ in FACTS:
        assert compact_step(lake)
    assert not compact_step(lake)
    assert all(segment.searchable for segment in lake.manifest.segments)
    assert content(lake.snapshot) == facts_of(maker)


def test_a_rewind_after_a_merge_cuts_the_merged_segment(lake: Lake) -> None:
    maker = grown(lake)
    while compact_step(lake):
        pass
    for height in (125, 117, 104):
        lake.rewind(height)
        maker.rewind(height)
        assert content(lake.snapshot) == facts_of(maker)
        assert_same_state(lake.state(), maker.state())


def test_a_rewind_during_a_step_voids_it(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = grown(lake)

    def rewind_meanwhile(*arguments: object) -> object:
        written = write_compacted(*arguments)  # type: ignore[arg-type]
        lake.rewind(105)
        return written

    monkeypatch.setattr("warehouse.compact.write_compacted", rewind_meanwhile)
    assert not compact_step(lake)
    maker.rewind(105)
    assert content(lake.snapshot) == facts_of(maker)


def test_a_commit_during_a_step_is_kept(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = grown(lake)

    def commit_meanwhile(*arguments: object) -> object:
        written = write_compacted(*arguments)  # type: ignore[arg-type]
        lake.commit(*maker.extend(1))
        return written

    monkeypatch.setattr("warehouse.compact.write_compacted", commit_meanwhile)
    assert compact_step(lake)
    assert content(lake.snapshot) == facts_of(maker)


def test_compacted_files_are_laid_out_for_search(lake: Lake) -> None:
    grown(lake)
    while compact_step(lake):
        pass
    segment = lake.manifest.of("operations")[0]
    metadata = pq.read_metadata(lake.directory / segment.file.path)
    group = metadata.row_group(0)
    assert group.num_rows <= SEARCH_GROUP
    names = TABLES["operations"].schema.names
    assert [names[column.column_index] for column in group.sorting_columns] == ["height", "op_index"]
    by_name = {group.column(position).path_in_schema: group.column(position) for position in range(group.num_columns)}
    assert by_name["txid"].compression == "ZSTD"
    assert by_name["txid"].statistics.has_min_max
    filters = lake.snapshot.connect().execute(
        "SELECT path_in_schema FROM parquet_metadata(?) WHERE bloom_filter_offset IS NOT NULL",
        [str(lake.directory / segment.file.path)],
    )
    assert {name for (name,) in filters.fetchall()} == set(TABLES["operations"].searched)
