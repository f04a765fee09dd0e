"""Rows in and out of files, whatever the sizes of their parts."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.segments import read_parts, regrouped, write_compacted, write_segment
from warehouse.tables import TABLES

SUPPLIES = TABLES["supplies"]


def supplies(count: int) -> pa.Table:
    """A supply row a block, from height 0."""
    nothing = pa.array([0] * count).cast(SUPPLIES.schema.field("minted").type)
    columns = [
        pa.array(range(count), pa.int32()),
        pa.array(["T"] * count),
        nothing,
        nothing,
        nothing,
        pa.array([0] * count),
    ]
    return pa.Table.from_arrays(columns, schema=SUPPLIES.schema)


@given(lengths=st.lists(st.integers(0, 25), max_size=12), size=st.integers(1, 20))
def test_regrouping_keeps_rows_and_makes_multiples(lengths: list[int], size: int) -> None:
    numbers = pa.table({"n": list(range(sum(lengths)))})
    ends = [sum(lengths[: position + 1]) for position in range(len(lengths))]
    parts = [numbers.slice(end - length, length) for end, length in zip(ends, lengths, strict=True)]
    groups = list(regrouped(parts, size))
    assert [n for group in groups for n in group["n"].to_pylist()] == numbers["n"].to_pylist()
    assert all(group.num_rows % size == 0 for group in groups[:-1])
    assert all(group.num_rows for group in groups)


@pytest.mark.parametrize("compacted", [False, True])
def test_large_segments_are_cut_into_groups_and_read_back_by_height(
    tmp_path: Path, compacted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.segments.ROW_GROUP", 64)
    monkeypatch.setattr("warehouse.segments.SEARCH_GROUP", 16)
    rows = supplies(1000)
    if compacted:
        parts = [rows.slice(start, 7) for start in range(0, 1000, 7)]
        segment = write_compacted(tmp_path, SUPPLIES, parts, 1000, 0, 999)
    else:
        segment = write_segment(tmp_path, SUPPLIES, rows, 0, 999)
    metadata = pq.read_metadata(tmp_path / segment.file.path)
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert set(sizes[:-1]) == {16 if compacted else 64}
    found = list(read_parts(tmp_path, [segment], heights=(100, 612)))
    assert pa.concat_tables(found) == rows.slice(100, 513)
    assert max(part.num_rows for part in found) <= 64
