"""Rows changed as a forger would: in segments with the right digest, listed by the manifest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from warehouse.manifest import read_manifest, write_manifest
from warehouse.segments import read_rows, write_compacted
from warehouse.tables import TABLES

Row = dict[str, Any]
Change = Callable[[list[Row]], object]
Test = Callable[[Row], bool]


def rewrite(directory: Path, table: str, change: Change) -> None:
    """Change the rows of a fact table."""
    manifest = read_manifest(directory)
    segments = manifest.of(table)
    rows = read_rows(directory, manifest, table).to_pylist()
    change(rows)
    forged = pa.Table.from_pylist(rows, schema=TABLES[table].schema)
    segment = write_compacted(directory, TABLES[table], [forged], len(rows), segments[0].first, segments[-1].last)
    write_manifest(directory, manifest.with_segments([*(s for s in manifest.segments if s.table != table), segment]))


def set_where(found: Test, **values: Any) -> Change:
    """Set columns of the last row that matches: a value, or a function of the old one."""

    def change(rows: list[Row]) -> None:
        row = [row for row in rows if found(row)][-1]
        for name, value in values.items():
            row[name] = value(row[name]) if callable(value) else value

    return change


def drop_where(found: Test) -> Change:
    """Drop the last row that matches."""

    def change(rows: list[Row]) -> None:
        rows.remove([row for row in rows if found(row)][-1])

    return change


def repeated(rows: list[Row]) -> None:
    """The last row twice."""
    rows.append(dict(rows[-1]))


def any_row(_: Row) -> bool:
    return True
