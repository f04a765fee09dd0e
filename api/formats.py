"""Rows in the formats that clients may choose: JSON, CSV, NDJSON, Arrow, Parquet.

Texts spell amounts in plain notation, times with `Z`, bytes as hex; Arrow and Parquet keep the types.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from io import BytesIO, StringIO
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq


class Format(Enum):
    """A format by its short name."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"
    ARROW = "arrow"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """What stands in Accept and Content-Type."""
        return MEDIA_TYPES[self]


MEDIA_TYPES: Final = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv",
    Format.NDJSON: "application/x-ndjson",
    Format.ARROW: "application/vnd.apache.arrow.stream",
    Format.PARQUET: "application/vnd.apache.parquet",
}
_BY_MEDIA_TYPE: Final = {media_type: format_ for format_, media_type in MEDIA_TYPES.items()}

Batches = Iterable[pa.RecordBatch]


@lru_cache(256)
def chosen(accept: str) -> Format:
    """The format that an Accept header likes best; JSON when it names none of ours."""
    best, liking = Format.JSON, 0.0
    for part in accept.split(","):
        name, *parameters = (each.strip() for each in part.split(";"))
        format_ = _BY_MEDIA_TYPE.get(name.lower())
        quality = _quality(parameters)
        if format_ is not None and quality > liking:
            best, liking = format_, quality
    return best


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def encoded(format_: Format, schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    """The rows of `batches` piece by piece. Of columns with the same name all but the first get a number."""
    names = _distinct(schema.names)
    if names != schema.names:
        schema = pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
        batches = (batch.rename_columns(names) for batch in batches)
    return _ENCODERS[format_](schema, batches)


def _distinct(names: list[str]) -> list[str]:
    taken: list[str] = []
    for name in names:
        number, key = 0, name
        while key in taken:
            number, key = number + 1, f"{name}_{number + 1}"
        taken.append(key)
    return taken


def plain(value: Any) -> Any:
    """A value as JSON tells it."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, timedelta) or not isinstance(value, (str, int, float, bool, type(None))):
        return str(value)
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return str(value)
    return value


def _rows(batches: Batches) -> Iterator[list[list[Any]]]:
    """Each batch as rows of plain values."""
    for batch in batches:
        columns = [[plain(value) for value in column.to_pylist()] for column in batch.columns]
        yield [list(row) for row in zip(*columns, strict=True)]


def _json(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    between = b""
    yield b"["
    for rows in _rows(batches):
        if rows:
            yield between + orjson.dumps([dict(zip(schema.names, row, strict=True)) for row in rows])[1:-1]
            between = b","
    yield b"]"


def _ndjson(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    for rows in _rows(batches):
        yield b"".join(orjson.dumps(dict(zip(schema.names, row, strict=True))) + b"\n" for row in rows)


def _csv(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    yield _lines([schema.names])
    for rows in _rows(batches):
        yield _lines([[_cell(value) for value in row] for row in rows])


def _lines(rows: list[list[Any]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(errors="replace")


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value).decode() if isinstance(value, (list, dict)) else value


class _Sink(BytesIO):
    """What writers have written since the last look."""

    def __init__(self) -> None:
        super().__init__()
        self._written = 0

    def tell(self) -> int:
        return self._written + super().tell()

    def taken(self) -> bytes:
        piece = self.getvalue()
        self._written += len(piece)
        self.seek(0)
        self.truncate()
        return piece


def _arrow(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    return _written(lambda sink: pa.ipc.new_stream(sink, schema), batches)


def _parquet(schema: pa.Schema, batches: Batches) -> Iterator[bytes]:
    return _written(lambda sink: pq.ParquetWriter(sink, schema, compression="zstd"), batches)


def _written(open_: Callable[[_Sink], Any], batches: Batches) -> Iterator[bytes]:
    sink = _Sink()
    with open_(sink) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield sink.taken()
    yield sink.taken()


_ENCODERS: Final[dict[Format, Callable[[pa.Schema, Batches], Iterator[bytes]]]] = {
    Format.JSON: _json,
    Format.CSV: _csv,
    Format.NDJSON: _ndjson,
    Format.ARROW: _arrow,
    Format.PARQUET: _parquet,
}
