"""Both judging paths, for tests that hold whichever of them judges."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from engine.plain import PlainEngine

ENGINES = [pytest.param(PlainEngine, id="plain")]
if find_spec("engine.judge") is not None:
    ENGINES.append(pytest.param(import_module("engine.judge").Engine, id="compiled"))


@pytest.fixture(params=ENGINES)
def engine_class(request: pytest.FixtureRequest) -> Any:
    """A class whose instances, made from a network, judge blocks."""
    return request.param
