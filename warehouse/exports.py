"""One table as other programs take it: its rows of some heights, or the files that hold them."""

from collections.abc import Iterator
from pathlib import Path

from warehouse.allowed_sql import PUBLIC
from warehouse.errors import UnusableQuery
from warehouse.manifest import Manifest
from warehouse.tables import CURRENT, FACTS, TABLES, Kind


def selection(table: str, first: int | None = None, last: int | None = None) -> str:
    """The query for the rows of `table` from block `first` to block `last`, both included, in the table's order.

    Raises UnusableQuery when there is no such table, or when its rows do not belong to blocks.
    """
    if table not in PUBLIC:
        raise UnusableQuery(f"there is no table {table}: docs/tables.md lists them")
    query = f"SELECT * FROM {table}"
    if (first, last) != (None, None):
        height = _height_of(table)
        query += f" WHERE {height} BETWEEN {first or 0} AND {'2147483647' if last is None else last}"
    return query + _order(table)


def public_paths(
    directory: Path, manifest: Manifest, table: str | None = None, first: int | None = None, last: int | None = None
) -> Iterator[Path]:
    """The Parquet files of the fact `table`, or of all, that have rows between the two heights, lowest heights first.

    At the ends of the range files can have rows of other heights too. Raises UnusableQuery when `table` has no files.
    """
    if table is not None and table not in FACTS:
        raise UnusableQuery(f"{table} has no files of its own: facts have, which are {', '.join(FACTS)}")
    home = directory.resolve()
    for segment in manifest.segments:
        wanted = table in (None, segment.table)
        if wanted and (last is None or segment.first <= last) and (first is None or segment.last >= first):
            yield home / segment.file.path


def _height_of(name: str) -> str:
    """The column with the block of a row."""
    table = TABLES.get(name)
    if table is not None and table.kind is Kind.FACT:
        return table.height
    if table is not None and "height" in table.key:
        return "height"
    raise UnusableQuery(f'{name} is a state, not rows by block: ask `simplicity sql --height H "FROM {name}"`')


def _order(name: str) -> str:
    table = TABLES.get(name)
    keys = table.sort if table else TABLES[name.removeprefix(CURRENT)].versions_of if name.startswith(CURRENT) else ()
    return f" ORDER BY {', '.join(keys)}" if keys else ""
