"""Both judging paths, for tests that hold whichever of them judges."""

from typing import Any

import pytest

from engine.judge import Engine
from engine.plain import PlainEngine


@pytest.fixture(params=[PlainEngine, Engine], ids=["plain", "compiled"])
def engine_class(request: pytest.FixtureRequest) -> Any:
    """A class whose instances, made from a network, judge blocks."""
    return request.param
