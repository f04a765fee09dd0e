"""The reader's connection to ClickHouse, for questions in the words of `warehouse.words`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from warehouse.clickhouse.connection import PASSING_ERRORS, PASSWORD_ERRORS, PERMISSION_ERRORS, innermost
from warehouse.clickhouse.target import Target
from warehouse.errors import BackendUnavailable
from warehouse.store import Values

SETTINGS: Final = {
    # Nulls as in the standard, and as in the lake's other engine.
    "join_use_nulls": 1,
    "cast_keep_nullable": 1,
    "aggregate_functions_null_for_empty": 1,
    "prefer_column_name_to_alias": 1,
}

UNPUBLISHED: Final = frozenset({"UNKNOWN_DATABASE", "UNKNOWN_TABLE"})
"""The server's names for what is not there before the first publication."""

_PARAMETER: Final = re.compile(r"\$(\w+)")
_TYPES: Final = {bool: "Bool", int: "Int64", str: "String"}


def connected(target: Target) -> Client:
    """A client for the target's database. Raises BackendUnavailable while nobody answers."""
    options = target.options | {"database": target.database, "settings": SETTINGS}
    if target.folder is None:
        # Long lists do not fit into the address of a request.
        options["form_encode_query_params"] = True
    with told(target):
        return clickhouse_connect.get_client(**options)


def check(target: Target) -> None:
    """Raises BackendUnavailable, which says what to do, where nobody answers or the user is not let in.

    That nothing is published yet is no obstacle.
    """
    folder = target.folder
    if folder is None:
        with told(target):
            clickhouse_connect.get_client(**target.options).close()
    elif not folder.is_dir():
        raise BackendUnavailable(f"{target.name} is not there: run `simplicity publish` to it, or correct --backend")


def bound(query: str, values: Values) -> str:
    """`query` with its `$name` parameters as ClickHouse writes them, by the types of their values."""
    return _PARAMETER.sub(lambda match: f"{{{match[1]}:{_type(values[match[1]])}}}", query)


@contextmanager
def told(target: Target) -> Iterator[None]:
    """What may pass or be put right, as BackendUnavailable; whatever else goes wrong is a defect of the question."""
    try:
        yield
    except ClickHouseError as error:
        name = getattr(error, "name", None)
        if name is not None and name not in PASSING_ERRORS | UNPUBLISHED | PASSWORD_ERRORS | PERMISSION_ERRORS:
            raise
        raise BackendUnavailable(f"{target.name} {_trouble(name, innermost(error))}") from error


def _trouble(name: str | None, why: str) -> str:
    if name is None:
        return f"does not answer ({why}): start the server, or correct --backend"
    if name in PASSWORD_ERRORS:
        return "refuses the user or the password: correct them in --backend or SIMPLICITY_BACKEND"
    if name in PERMISSION_ERRORS:
        return f"does not permit it: its user needs SELECT there, and `readonly` 0 or 2 ({why})"
    return f"cannot answer now: {why}"


def _type(value: Any) -> str:
    if isinstance(value, list):
        return f"Array({_type(value[0]) if value else 'String'})"
    return _TYPES[type(value)]
