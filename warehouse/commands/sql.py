"""`simplicity sql`: one question, one answer."""

from typing import Annotated

import typer

import settings
from warehouse.answers import Format, answer
from warehouse.duckdb_engine import connect
from warehouse.manifest import read_manifest


def sql(
    data: settings.Data,
    query: Annotated[str, typer.Argument(help="One SELECT statement over the tables of docs/tables.md.")],
    format: Annotated[Format, settings.setting("format", "How the rows are written.")] = Format.TABLE,
    output: settings.Output = None,
    height: Annotated[
        int | None, settings.setting("height", "Answer from the state after this block, not the newest.", min=0)
    ] = None,
) -> None:
    """Answer a SELECT over the published tables; amounts stay exact in every format."""
    manifest = read_manifest(data)
    if height is not None:
        manifest.check_height(height)
    answer(connect(data, height, manifest), query, format, output)
