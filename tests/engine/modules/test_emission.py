"""Emission of curve programs: R-CURVE-EMIT-*."""

from decimal import Decimal
from typing import Any

import pytest

from engine.modules.decimals import fifty_digits, q8
from engine.modules.emission import EXPONENTIAL, LINEAR, emission
from tests.helpers.scenarios import vectors

emitted = fifty_digits(emission)


@pytest.mark.parametrize("vector", vectors("EMIT"), ids=lambda vector: vector["id"])
def test_vectors(vector: dict[str, Any]) -> None:
    """R-CURVE-EMIT-1, R-CURVE-EMIT-2: every digit of fifty."""
    given, expected = vector["input"], vector["expected"]
    heights = (int(given[name]) for name in ("start_block", "from_block", "to_block"))
    result = emitted(given["type"], Decimal(given["max_supply"]), int(given["lock"]), *heights)
    assert result == Decimal(expected["emission"])
    assert f"{q8(result):.8f}" == expected["stored8"]


@pytest.mark.parametrize("type_", [LINEAR, EXPONENTIAL])
def test_nothing_is_emitted_outside_the_duration(type_: str) -> None:
    """R-CURVE-EMIT-1, R-CURVE-EMIT-3."""
    assert emitted(type_, Decimal(1000), 10, 100, 50, 100) == 0
    assert emitted(type_, Decimal(1000), 10, 100, 110, 200) == 0
    assert emitted(type_, Decimal(1000), 10, 100, 0, 500) == emitted(type_, Decimal(1000), 10, 100, 100, 110)


def test_borders_of_a_short_duration_are_rounded_down() -> None:
    """R-CURVE-EMIT-2: with D = 7 the borders are B, B + 2 and B + 4."""
    blocks = [emitted(EXPONENTIAL, Decimal(7), 7, 0, block, block + 1) for block in range(7)]
    assert blocks == [Decimal(text) for text in ["1.25"] * 2 + ["0.416666666666666667"] * 2 + ["0.3125"] * 3]


def test_a_span_is_the_sum_of_its_blocks() -> None:
    """R-CURVE-EMIT-2, whose products are exact for these numbers."""
    blocks = [emitted(EXPONENTIAL, Decimal(1000), 40, 7, block, block + 1) for block in range(7, 47)]
    assert emitted(EXPONENTIAL, Decimal(1000), 40, 7, 7, 47) == sum(blocks)
