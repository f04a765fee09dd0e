"""Lists in the format that the client prefers: one place for every route that answers an array."""

from functools import lru_cache
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

import orjson
import pyarrow as pa
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.formats import Format, chosen, encoded

SQL: Final = "/v1/sql"
"""Writes its formats itself, with the types of its columns."""

TYPES: Final = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), float: pa.float64()}
"""Amounts are text in every format: they are exact so, and the same everywhere."""


class Columns:
    """Turns the array of a JSON answer into the format of Accept. Answers that are no arrays pass as they are."""

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
                if body and not body.startswith(b"["):
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
    return chosen(Headers(scope=scope).get("accept", ""))


def _is_json(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type") == Format.JSON.media_type


def _converted(body: bytes, scope: Scope, format_: Format) -> bytes:
    rows: list[dict[str, Any]] = orjson.loads(body)
    schema = _schema(_row_of(scope["route"].response_model))
    columns = {field.name: [_value(row.get(field.name), field.type) for row in rows] for field in schema}
    table = pa.table(columns, schema=schema)
    return b"".join(encoded(format_, schema, table.to_batches()))


def _row_of(model: Any) -> Any:
    """What a list is a list of; some routes answer either a list or something else."""
    if get_origin(model) is list:
        return get_args(model)[0]
    return next(_row_of(kind) for kind in get_args(model) if get_origin(kind) is list)


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
