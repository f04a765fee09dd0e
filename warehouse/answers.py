"""The answer to one SQL query, written as a table, CSV, JSON, Parquet or Arrow."""

import csv
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Final, TextIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import UnusableQuery


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    ARROW = "arrow"


BINARY: Final = frozenset({Format.PARQUET, Format.ARROW})
"""Formats that need a file."""

BATCH_ROWS: Final = 122_880
"""Rows that are held at once."""


def plain(value: object) -> object:
    """`value` as JSON can carry it: amounts as plain decimal text, bytes as hex, times as ISO 8601 with `Z`."""
    match value:
        case Decimal():
            return format(value, "f")
        case bytes():
            return value.hex()
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case list():
            return [plain(item) for item in value]
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def write_json(relation: duckdb.DuckDBPyRelation, out: TextIO) -> None:
    """One array of objects, a line each, row by row."""
    names = relation.columns
    separator = "[\n"
    for row in relation.iter_rows():
        item = dict(zip(names, map(plain, row), strict=True))
        out.write(separator + json.dumps(item, ensure_ascii=False))
        separator = ",\n"
    out.write("[]\n" if separator == "[\n" else "\n]\n")


def write_csv(relation: duckdb.DuckDBPyRelation, out: TextIO) -> None:
    """A header and a line a row; null is an empty field."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(relation.columns)
    writer.writerows(map(plain, row) for row in relation.iter_rows())


def write_table(relation: duckdb.DuckDBPyRelation, out: TextIO) -> None:
    """For reading on a terminal: the engine's own drawing, which leaves out the middle of a long answer."""
    out.write(f"{relation}\n")


def write_parquet(relation: duckdb.DuckDBPyRelation, path: Path) -> None:
    """Through Arrow, which keeps integers of 128 bits; the engine's own writer makes floats of them."""
    rows = relation.to_arrow_reader(BATCH_ROWS)
    with pq.ParquetWriter(path, rows.schema, compression="zstd") as file:
        for batch in rows:
            file.write_batch(batch)


def write_arrow(relation: duckdb.DuckDBPyRelation, path: Path) -> None:
    """An Arrow IPC file, also known as Feather."""
    rows = relation.to_arrow_reader(BATCH_ROWS)
    with pa.ipc.new_file(path, rows.schema) as file:
        for batch in rows:
            file.write_batch(batch)


def answer(connection: duckdb.DuckDBPyConnection, query: str, format: Format, output: Path | None) -> None:
    """Run `query` and write its rows to `output`, or to standard output; a file appears whole or not at all.

    Raises UnusableQuery when the engine refuses the query, when it has no rows to give, or when Parquet or Arrow is
    asked for without a file.
    """
    if format in BINARY and output is None:
        raise UnusableQuery(f"{format.value} needs a file: add --output FILE")
    try:
        statements = connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type is not duckdb.StatementType.SELECT:
            raise UnusableQuery("write one SELECT statement")
        _interruptible(connection, lambda: _answered(connection.sql(query), format, output))
    except duckdb.Error as error:
        raise UnusableQuery(str(error)) from error
    except BrokenPipeError:
        # The reader has seen enough, as `head` does; what is still held for it must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise UnusableQuery(f"cannot write {output}: {error.strerror}") from error


def _interruptible(connection: duckdb.DuckDBPyConnection, work: Callable[[], None]) -> None:
    """Do `work` in a thread, so that Ctrl-C ends its query: the engine looks for no signals."""
    with ThreadPoolExecutor(1, "answer") as thread:
        running = thread.submit(work)
        try:
            running.result()
        except KeyboardInterrupt:
            while not running.done():
                connection.interrupt()
                wait([running], timeout=0.1)
            raise


def _answered(relation: duckdb.DuckDBPyRelation, format: Format, output: Path | None) -> None:
    if output is None:
        write(relation, format, None)
        return
    partial = output.with_name(output.name + ".partial")
    try:
        write(relation, format, partial)
        os.replace(partial, output)
    finally:
        partial.unlink(missing_ok=True)


def write(relation: duckdb.DuckDBPyRelation, format: Format, path: Path | None) -> None:
    if format in BINARY:
        assert path is not None
        (write_parquet if format is Format.PARQUET else write_arrow)(relation, path)
        return
    writer = {Format.CSV: write_csv, Format.JSON: write_json, Format.TABLE: write_table}[format]
    if path is None:
        writer(relation, sys.stdout)
    else:
        with path.open("w", encoding="utf-8", newline="") as out:
            writer(relation, out)
