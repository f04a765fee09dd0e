"""What chance sends to the whole application: values of the recorded chain, and what every answer must hold to."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import requests
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
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


class Server(NamedTuple):
    """Where the application is, and who asks it."""

    url: str
    session: requests.Session


@contextmanager
def unlimited(lake: Path) -> Iterator[Server]:
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


def or_known(parameters: dict[str, Any] | None) -> st.SearchStrategy[dict[str, Any] | None]:
    """What was generated, most parameters exchanged for known values where there are some."""
    if not isinstance(parameters, dict):
        return st.just(parameters)
    chosen = st.fixed_dictionaries({name: _one_or_known(name, value) for name, value in parameters.items()})
    return chosen.map(lambda values: {name: value for name, value in values.items() if value is not LEFT_OUT})


def _one_or_known(name: str, value: Any) -> st.SearchStrategy[Any]:
    known = KNOWN.get(name)
    return st.sampled_from([value, *known]) if known else st.just(value)
