"""Lists in the format that the client prefers: one place for every route that answers one, in an envelope or not."""

from functools import lru_cache
from types import NoneType
from typing import Any, Final, NamedTuple, get_args, get_origin, get_type_hints

import orjson
import pyarrow as pa
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.formats import Format, chosen, encoded

SQL: Final = "/v1/sql"
"""Writes its formats itself, with the types of its columns."""

TYPES: Final = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), float: pa.float64()}
"""Amounts are text in every format: they are exact so, and the same everywhere."""


MEMBERS: Final = ("items", "data")
"""Members of envelopes that hold the rows; the rest of an envelope is left out."""


class Columns:
    """Turns the list of a JSON answer into the format of Accept. What is none, or is streamed, passes as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        format_ = Format.JSON if scope["type"] != "http" or scope["path"] == SQL else wanted(scope)
        if format_ is Format.JSON:
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = b""
        passing = False

        async def send_converted(message: Message) -> None:
            nonlocal start, body, passing
            if message["type"] == "http.response.start":
                start = message
                passing = message["status"] != 200 or not _is_json(message)
                if passing:
                    await send(message)
            elif passing:
                await send(message)
            else:
                body += message.get("body", b"")
                if body and not _may_hold_rows(body, start, scope):
                    passing = True
                    await send(start)
                    await send({**message, "body": body})
                elif not message.get("more_body", False):
                    converted = _converted(body, scope, format_)
                    headers = MutableHeaders(raw=start["headers"])
                    headers["content-type"] = format_.media_type
                    headers["content-length"] = str(len(converted))
                    await send(start)
                    await send({"type": "http.response.body", "body": converted})

        await self.app(scope, receive, send_converted)


def wanted(scope: Scope) -> Format:
    """The format that the request prefers."""
    return chosen(next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"), ""))


def _is_json(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type") == Format.JSON.media_type


class _Rows(NamedTuple):
    """Where the rows of an answer stand, and their documented shape."""

    member: str | None
    shape: Any


def _may_hold_rows(body: bytes, start: Message, scope: Scope) -> bool:
    """Whether an answer that begins so is a list that is there as a whole."""
    if body.startswith(b"["):
        return True
    whole = "content-length" in Headers(raw=start["headers"])
    return whole and any(rows.member for rows in _rows_of(scope["route"].response_model))


def _converted(body: bytes, scope: Scope, format_: Format) -> bytes:
    answer = orjson.loads(body)
    found = [rows for rows in _rows_of(scope["route"].response_model) if _holds(answer, rows.member)]
    rows: list[dict[str, Any]] = answer if found[0].member is None else answer[found[0].member]
    schemas = [_schema(each.shape) for each in found]
    schema = next((each for each in schemas if rows and each.names == [*rows[0]]), schemas[0])
    columns = {field.name: [_value(row.get(field.name), field.type) for row in rows] for field in schema}
    table = pa.table(columns, schema=schema)
    return b"".join(encoded(format_, schema, table.to_batches()))


def _holds(answer: Any, member: str | None) -> bool:
    return isinstance(answer, list) if member is None else isinstance(answer, dict) and member in answer


@lru_cache(maxsize=256)
def _rows_of(model: Any) -> list[_Rows]:
    """The lists that answers of this shape can be; some routes answer one of several."""
    if get_origin(model) is list:
        return [_Rows(None, get_args(model)[0])]
    envelope = get_origin(model) or model
    if not hasattr(envelope, "__required_keys__"):
        return [rows for kind in get_args(model) for rows in _rows_of(kind)]
    given = dict(zip(getattr(envelope, "__parameters__", ()), get_args(model), strict=True))
    hints = get_type_hints(envelope)
    shapes = {name: get_args(hints[name])[0] for name in MEMBERS if get_origin(hints.get(name)) is list}
    return [_Rows(name, given.get(shape, shape)) for name, shape in shapes.items()]


@lru_cache(maxsize=256)
def _schema(row: type) -> pa.Schema:
    """Columns of the rows of a route, by their documented shape; what is no plain value is JSON text."""
    hints = get_type_hints(row)
    return pa.schema([(name, TYPES.get(_without_null(hint), pa.string())) for name, hint in hints.items()])


def _without_null(hint: Any) -> Any:
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    return kinds[0] if len(kinds) == 1 and NoneType in get_args(hint) else hint


def _value(value: Any, type_: pa.DataType) -> Any:
    return orjson.dumps(value).decode() if type_ == pa.string() and isinstance(value, (list, dict)) else value
