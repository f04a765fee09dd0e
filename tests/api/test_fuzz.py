"""Whatever the document of the API allows or forbids may be sent: the server answers, and as the document says."""

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode, HookContext
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.keys import Scope, create_key
from api.options import Options
from tests.helpers.api import running
from tests.helpers.examples import ALICE, BOB, CAROL, DAVE, LOCKED, NETWORK_HEIGHT, REFUSED, TRANSFER, W_MINT
from tests.helpers.mempool import MempoolNode

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ENDLESS: Final = {"/v1/events"}
"""Answers that end when the client leaves."""

PEOPLE: Final = [ALICE, BOB, CAROL, DAVE]
TICKERS: Final = ["WTF", "lol", "W", "CRV", "yWTF", "Ywtf", "STONES", "%", "a/b"]
LEFT_OUT: Final = object()
KNOWN: Final[dict[str, list[Any]]] = {
    "address": [*PEOPLE, LOCKED],
    "owner": PEOPLE,
    "executor": PEOPLE,
    "creator": PEOPLE,
    "script_address": [LOCKED],
    "ticker": TICKERS,
    "src": TICKERS,
    "dst": TICKERS,
    "pool_id": ["LOL-WTF", "wtf-lol", "WTF-yWTF", "-"],
    "txid": [TRANSFER, REFUSED, W_MINT],
    "height": [0, 116, 130, 147, 148],
    "current_block": [0, 116, 130, 147, 148],
    "position_id": [1, 2],
    "swap_position_id": [1, 2],
    "execution_id": [126000001],
    "operation_id": [126000001],
    "change_id": [1260000001],
    "amount": ["1", "0.00000001"],
    "op_type": ["transfer", "mint", LEFT_OUT],
    "cursor": [LEFT_OUT] * 4,
}
"""Values of the recorded chain, which chance would not find."""

Operation = APIOperation[Any, Any, Any, Any]

SCHEMA = schemathesis.openapi.from_dict(create_app(Path("nowhere")).openapi())


class Server(NamedTuple):
    """Where the application is, and who asks it."""

    url: str
    session: requests.Session


def _or_known(parameters: dict[str, Any] | None) -> st.SearchStrategy[dict[str, Any] | None]:
    """What was generated, most parameters exchanged for known values where there are some."""
    if not isinstance(parameters, dict):
        return st.just(parameters)
    chosen = st.fixed_dictionaries({name: _one_or_known(name, value) for name, value in parameters.items()})
    return chosen.map(lambda values: {name: value for name, value in values.items() if value is not LEFT_OUT})


def _one_or_known(name: str, value: Any) -> st.SearchStrategy[Any]:
    known = KNOWN.get(name)
    return st.sampled_from([value, *known]) if known else st.just(value)


@SCHEMA.hook
def flatmap_path_parameters(_context: HookContext, value: Any) -> st.SearchStrategy[Any]:
    return _or_known(value)


@SCHEMA.hook
def flatmap_query(_context: HookContext, value: Any) -> st.SearchStrategy[Any]:
    return _or_known(value)


OPERATIONS: Final = [
    found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok) and found.ok().path not in ENDLESS
]


@pytest.fixture(scope="module")
def server(lake: Path) -> Iterator[Server]:
    """Refuses nothing to the session, which has a key of every scope."""
    _, key = create_key(lake, "everything", list(Scope), "1000000000/minute")
    options = Options(anonymous_rate="1000000000/minute")
    with (
        MempoolNode([TRANSFER]) as node,
        running(
            create_app(
                lake,
                options=options,
                network_height=lambda: NETWORK_HEIGHT,
                node=node.connect,
                query_deadline=120,
            )
        ) as client,
        requests.Session() as session,
    ):
        session.headers["X-API-Key"] = key
        yield Server(str(client.base_url), session)


def fuzz(operation: Operation, server: Server, examples: int, derandomize: bool) -> None:
    """Ask one operation with input by its schema, and with input against it."""
    for mode in GenerationMode:

        @settings(
            max_examples=examples,
            derandomize=derandomize,
            database=None,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case[Any]) -> None:
            case.call_and_validate(server.url, server.session, checks=CHECKS, timeout=120)

        with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
            ask()  # where no input can break the schema, there is nothing to ask


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_route_answers_any_input_as_documented(operation: Operation, server: Server) -> None:
    fuzz(operation, server, examples=3, derandomize=True)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_route_answers_much_input_as_documented(operation: Operation, server: Server) -> None:
    fuzz(operation, server, examples=300, derandomize=False)
