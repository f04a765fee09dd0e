"""Whatever the document of the API allows or forbids may be sent: the server answers, and as the document says."""

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode, HookContext
from schemathesis.core.result import Ok

from api.app import create_app
from tests.helpers.fuzzing import CHECKS, ENDLESS, Server, or_known, unlimited

Operation = APIOperation[Any, Any, Any, Any]

SCHEMA = schemathesis.openapi.from_dict(create_app(Path("nowhere")).openapi())


@SCHEMA.hook
def flatmap_path_parameters(_context: HookContext, value: Any) -> st.SearchStrategy[Any]:
    return or_known(value)


@SCHEMA.hook
def flatmap_query(_context: HookContext, value: Any) -> st.SearchStrategy[Any]:
    return or_known(value)


OPERATIONS: Final = [
    found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok) and found.ok().path not in ENDLESS
]


@pytest.fixture(scope="module")
def server(lake: Path) -> Iterator[Server]:
    with unlimited(lake) as server:
        yield server


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
