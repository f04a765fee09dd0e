"""`simplicity export`: a table for other programs."""

from typing import Annotated, Literal

import settings
from warehouse.answers import Format, answer
from warehouse.duckdb_engine import connect
from warehouse.errors import UnusableQuery
from warehouse.exports import public_paths, selection
from warehouse.manifest import read_manifest


def export(
    data: settings.Data,
    table: Annotated[
        str | None, settings.setting("table", "A table or view of docs/tables.md.", metavar="NAME")
    ] = None,
    format: Annotated[
        Literal["parquet", "csv", "arrow"], settings.setting("format", "How the rows are written.")
    ] = "parquet",
    first: Annotated[int | None, settings.setting("from", "First height of the rows.", min=0)] = None,
    last: Annotated[int | None, settings.setting("to", "Last height of the rows.", min=0)] = None,
    output: settings.Output = None,
    list_files: Annotated[
        bool, settings.setting("list", "Print the Parquet files of the lake that hold the rows, and end.")
    ] = False,
) -> None:
    """Write a table's rows to a file that appears whole or not at all, or list the files that hold them."""
    manifest = read_manifest(data)
    for height in (first, last):
        if height is not None:
            manifest.check_height(height)
    if list_files:
        for path in public_paths(data, manifest, table, first, last):
            print(path)
    elif table is None:
        raise UnusableQuery("say which table to export with --table NAME, or --list the files of all")
    else:
        answer(connect(data, manifest=manifest), selection(table, first, last), Format(format), output)
