"""Parquet files of the lake: how they are written, and how rows of a height range are read back."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.errors import NewerFormat
from warehouse.files import UNFINISHED, HashedFile, make_directory, sync_directory
from warehouse.manifest import File, Manifest, Segment
from warehouse.tables import SCHEMA_VERSION, TABLES, Table

ROW_GROUP: Final = 131_072
"""Rows of a group in files that are written once and soon replaced."""

SEARCH_GROUP: Final = 32_768
"""Rows of a group in compacted files and folds: what a point query reads and decodes at least."""


def write_segment(directory: Path, table: Table, rows: pa.Table, first: int, last: int) -> Segment:
    """A new segment, written for speed. Durable on return, visible only once a manifest names it."""
    file = _write(directory, *_place(table, first, last), table, [rows], _fresh(table), ROW_GROUP)
    return Segment(table.name, first, last, file)


def write_compacted(
    directory: Path, table: Table, parts: Iterable[pa.Table], most_rows: int, first: int, last: int
) -> Segment:
    """A segment written for size and for search; its rows are those of `parts`, `most_rows` at most."""
    properties = _searchable(table, most_rows)
    file = _write(directory, *_place(table, first, last), table, parts, properties, SEARCH_GROUP)
    return Segment(table.name, first, last, file, searchable=True)


def write_sorted(directory: Path, folder: str, name: str, table: Table, rows: pa.Table) -> File:
    """A file outside the segments, laid out for search: `folder`/`name`-….parquet."""
    return _write(directory, folder, name, table, [rows], _searchable(table, rows.num_rows), SEARCH_GROUP)


def _place(table: Table, first: int, last: int) -> tuple[str, str]:
    return f"segments/{table.name}", f"{first:08d}-{last:08d}"


def _fresh(table: Table) -> dict[str, Any]:
    return {
        "compression": {name: "none" if name in table.dense else "lz4" for name in table.schema.names},
        "use_dictionary": [name for name in table.repetitive if name not in table.dense],
        "write_statistics": list(table.sort),
    }


def _searchable(table: Table, most_rows: int) -> dict[str, Any]:
    filters = {name: {"ndv": max(min(most_rows, SEARCH_GROUP), 1), "fpp": 0.01} for name in table.searched}
    return {
        "compression": "zstd",
        "use_dictionary": list(table.repetitive) or True,
        "bloom_filter_options": filters or None,
        "sorting_columns": pq.SortingColumn.from_ordering(table.schema, [(name, "ascending") for name in table.sort]),
        "write_page_index": True,
    }


def _write(
    directory: Path,
    folder: str,
    name: str,
    table: Table,
    parts: Iterable[pa.Table],
    properties: dict[str, Any],
    group: int,
) -> File:
    home = directory / folder
    make_directory(home.parent)
    make_directory(home)
    unfinished = home / f"{name}-{secrets.token_hex(4)}{UNFINISHED}"
    rows = 0
    with HashedFile(unfinished) as file, pq.ParquetWriter(file, table.schema, **properties) as writer:
        for part in regrouped(parts, group):
            writer.write_table(part, row_group_size=group)
            rows += part.num_rows
    path = home / f"{name}-{file.sha256[:12]}.parquet"
    unfinished.rename(path)
    sync_directory(home)
    return File(str(path.relative_to(directory)), rows, file.bytes, file.sha256)


def regrouped(parts: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """The same rows in tables whose lengths are multiples of `size`, except the last."""
    held: list[pa.Table] = []
    count = 0
    for part in parts:
        held.append(part)
        count += part.num_rows
        if count >= size:
            whole = pa.concat_tables(held)
            cut = count - count % size
            yield whole.slice(0, cut)
            held, count = [whole.slice(cut)], count - cut
    if count:
        yield pa.concat_tables(held)


def read_parts(
    directory: Path,
    segments: Iterable[Segment],
    columns: Sequence[str] | None = None,
    heights: tuple[int, int] | None = None,
) -> Iterator[pa.Table]:
    """Rows of `segments` in order, in tables of bounded size; only those from `heights[0]` to `heights[1]` included."""
    for segment in segments:
        if segment.schema_version > SCHEMA_VERSION:
            raise NewerFormat(directory / segment.file.path, "schema version", segment.schema_version, SCHEMA_VERSION)
        first, last = heights or (segment.first, segment.last)
        if segment.first > last or segment.last < first:
            continue
        table = TABLES[segment.table]
        whole = first <= segment.first and segment.last <= last
        wanted = list(columns or table.schema.names)
        read = wanted if whole or table.height in wanted else [*wanted, table.height]
        with pq.ParquetFile(directory / segment.file.path) as file:
            groups = range(file.num_row_groups) if whole else _groups(file.metadata, table.height, first, last)
            for batch in file.iter_batches(ROW_GROUP, groups, read):
                part = pa.Table.from_batches([batch])
                if not whole:
                    at = part[table.height]
                    part = part.filter(pc.and_(pc.greater_equal(at, first), pc.less_equal(at, last)))
                if part.num_rows:
                    yield part.select(wanted).cast(_columns(table, wanted))


def _groups(metadata: pq.FileMetaData, height: str, first: int, last: int) -> list[int]:
    """Row groups that can hold rows of the heights: all whose statistics do not say otherwise."""
    column = metadata.schema.names.index(height)
    found = []
    for number in range(metadata.num_row_groups):
        told = metadata.row_group(number).column(column).statistics
        if told is None or not told.has_min_max or (told.min <= last and told.max >= first):
            found.append(number)
    return found


def read_rows(
    directory: Path,
    manifest: Manifest,
    name: str,
    columns: Sequence[str] | None = None,
    heights: tuple[int, int] | None = None,
) -> pa.Table:
    """All rows of a fact table that `manifest` publishes, in the table's order."""
    parts = list(read_parts(directory, manifest.of(name), columns, heights))
    return pa.concat_tables(parts) if parts else _columns(TABLES[name], columns).empty_table()


def _columns(table: Table, columns: Sequence[str] | None) -> pa.Schema:
    return pa.schema([table.schema.field(name) for name in columns or table.schema.names])
