"""Connections to ClickHouse for questions: a server by address, or the engine in this process."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from warehouse.errors import BackendUnavailable
from warehouse.store import Values

SETTINGS: Final = {
    # Nulls as in the standard, and as in the lake's other engine.
    "join_use_nulls": 1,
    "cast_keep_nullable": 1,
    "aggregate_functions_null_for_empty": 1,
    "prefer_column_name_to_alias": 1,
}

PASSING: Final = frozenset(
    {
        None,
        "ALL_CONNECTION_TRIES_FAILED",
        "AUTHENTICATION_FAILED",
        "KEEPER_EXCEPTION",
        "MEMORY_LIMIT_EXCEEDED",
        "NETWORK_ERROR",
        "QUOTA_EXCEEDED",
        "SOCKET_TIMEOUT",
        "TIMEOUT_EXCEEDED",
        "TOO_MANY_SIMULTANEOUS_QUERIES",
        "UNKNOWN_DATABASE",
        "UNKNOWN_TABLE",
    }
)
"""Errors of a server that is away, busy, or not yet published to, by its names; without name it was never reached."""

_PARAMETER: Final = re.compile(r"\$(\w+)")
_TYPES: Final = {bool: "Bool", int: "Int64", str: "String"}


def connected(address: str, **settings: int | float) -> Client:
    """A client for questions in the words of `warehouse.words`. Raises BackendUnavailable while nobody answers."""
    # Without sessions, which take one query after the other, and with long lists outside the address.
    transport = (
        {} if address.startswith("chdb:") else {"autogenerate_session_id": False, "form_encode_query_params": True}
    )
    with told():
        return clickhouse_connect.get_client(dsn=address, settings={**SETTINGS, **settings}, **transport)


def bound(query: str, values: Values) -> str:
    """`query` with its `$name` parameters as ClickHouse writes them, by the types of their values."""
    return _PARAMETER.sub(lambda match: f"{{{match[1]}:{_type(values[match[1]])}}}", query)


@contextmanager
def told() -> Iterator[None]:
    """What may pass, as BackendUnavailable; whatever else goes wrong is a defect of the question."""
    try:
        yield
    except ClickHouseError as error:
        if getattr(error, "name", None) not in PASSING:
            raise
        raise BackendUnavailable(f"ClickHouse cannot answer now: {error}") from error


def _type(value: Any) -> str:
    if isinstance(value, list):
        return f"Array({_type(value[0]) if value else 'String'})"
    return _TYPES[type(value)]
