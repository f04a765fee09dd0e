"""Amounts: texts to units, and arithmetic on two limbs, held to Python's integers and decimals."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.amounts import (
    Amount,
    Integer,
    Real,
    add,
    can_sum,
    decimals,
    exceeds,
    from_decimals,
    limbs,
    read_amount,
    read_recorded,
    subtract,
)
from engine.compiled import compiled
from engine.schemas import AMOUNT
from ingest.networks import AMOUNT_LIMIT

U128 = st.integers(0, 2**128 - 1)
DIGITS = st.text("0123456789", min_size=1, max_size=45)


NO_TEXTS: list[object] = [None, True, False, [], {}, Integer("1"), Real("1.0")]
HUGE = ["9" * 30 + ".999999995", Integer("1" + "0" * 30), "1e" + "9" * 3000, Real("1e400")]
UNUSABLE: list[object] = [None, True, [], {}, Real("NaN"), Real("Infinity"), *HUGE]


@compiled
def pairs(a: Any, b: Any, sums: Any, differences: Any) -> Any:
    """Kernels see limbs as scalars; this hands them some."""
    sums[0], sums[1] = add(a[0], a[1], b[0], b[1])
    differences[0], differences[1] = subtract(a[0], a[1], b[0], b[1])
    return exceeds(a[0], a[1], b[0], b[1])


def number(pair: Any) -> int:
    return int(pair[1]) << 64 | int(pair[0])


@settings(deadline=None)
@given(U128, U128)
def test_limbs_compute_as_integers_do(a: int, b: int) -> None:
    sums, differences = np.zeros(2, np.uint64), np.zeros(2, np.uint64)
    with np.errstate(over="ignore"):
        is_more = pairs(np.array(limbs(a), np.uint64), np.array(limbs(b), np.uint64), sums, differences)
    assert number(sums) == (a + b) % 2**128
    assert number(differences) == (a - b) % 2**128
    assert bool(is_more) == (a > b)


def rounded(text: str) -> int | None:
    """Units by the standard library's decimals, None from 10^30 on."""
    with localcontext(prec=200):
        units = int((Decimal(text) * 10**8).to_integral_value(ROUND_HALF_UP))
    return units if abs(units) < AMOUNT_LIMIT else None


@given(DIGITS, DIGITS | st.none())
def test_plain_texts_round_half_away_from_zero(whole: str, fraction: str | None) -> None:
    """R-CORE-AMT-1, R-CORE-AMT-3, R-CORE-AMT-4, D-23."""
    text = whole if fraction is None else f"{whole}.{fraction}"
    units = rounded(text)
    excess = bool(fraction and fraction[8:].strip("0"))
    assert read_amount(text) == Amount(units, units is None, excess)
    assert read_amount(text + "\n").units == units


@given(st.sampled_from(["", "+", "-"]), DIGITS, DIGITS, st.integers(-60, 60), st.sampled_from(["", " ", "\t\n\r\v\f"]))
def test_recorded_texts_take_signs_exponents_and_blanks(
    sign: str, whole: str, fraction: str, exponent: int, blank: str
) -> None:
    """R-CORE-AMT-5, D-3."""
    text = f"{sign}{whole}.{fraction}e{exponent}"
    assert read_recorded(blank + text + blank) == rounded(text)


@pytest.mark.parametrize(
    "value",
    ["", ".", "+1", "-1", "1e1", " 1", "1 ", "1_0", "１", "1.", ".5", "0x1", "1\n\n", "\n1", "1,0", *NO_TEXTS],
)
def test_other_spellings_are_no_amounts(value: object) -> None:
    """R-CORE-AMT-1: a JSON string of ASCII digits, with digits on both sides of a dot."""
    assert read_amount(value) == Amount(None)


@pytest.mark.parametrize(
    "value",
    ["", ".", "e5", "1_0", "１", "5\u00a0", "NaN", "Infinity", "1e30", "1 0", "--1", "1e", "0x1", *UNUSABLE],
)
def test_what_is_no_finite_decimal_in_range_is_recorded_as_absent(value: object) -> None:
    """R-CORE-AMT-5, D-3."""
    assert read_recorded(value) is None


@pytest.mark.parametrize(
    ("value", "units"),
    [
        (Integer("123456789012345678"), 123456789012345678 * 10**8),
        (Real("123456789012345678.123456"), 123456789012345680 * 10**8),
        (Real("0.000000005"), 1),
        (Real("-0.0"), 0),
        (Integer("-7"), -7 * 10**8),
        ("0e" + "9" * 3000, 0),
        ("1e-" + "9" * 3000, 0),
        ("-0.000000005", -1),
        ("9" * 30 + ".999999994", AMOUNT_LIMIT - 1),
    ],
)
def test_recorded_numbers(value: object, units: int) -> None:
    """R-SWAP-NUM-1: numbers with a fraction pass through the shortest text of a binary double."""
    assert read_recorded(value) == units


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            ["0", "-0", "1", " 5 ", "1_0", "１", "1e1", ".5", "Infinity", Integer("-0"), Integer("7"), Real("-0.0")],
            True,
        ),
        (["", "x", "-10", "-1e-9", "NaN", "-Infinity", "\ud800", "1e" + "9" * 30, "1 0"], False),
        ([None, True, False, [], {}, Integer("-1"), Real("NaN"), Real("-Infinity"), Real("-0.5")], False),
        ([Real("Infinity"), Real("1e400"), Integer("9" * 5000)], True),
    ],
)
def test_what_a_sum_can_take(values: list[object], expected: bool) -> None:
    """R-CORE-MULTI-4."""
    assert [can_sum([value]) for value in values] == [expected] * len(values)


@pytest.mark.parametrize("build", [pa.array, lambda *arguments: pa.chunked_array([pa.array(*arguments)])])
def test_limbs_are_the_bytes_of_decimals(build: Callable[..., Any]) -> None:
    units = [0, 1, -1, AMOUNT_LIMIT - 1, 1 - AMOUNT_LIMIT]
    tokens = [Decimal(unit).scaleb(-8, Context(prec=60)) for unit in units]
    column = build([None, *tokens], AMOUNT)
    pairs_of_column = from_decimals(column)[1:]
    assert [tuple(map(int, pair)) for pair in pairs_of_column] == [limbs(unit) for unit in units]
    assert decimals(pairs_of_column).equals(pa.array(tokens, AMOUNT))
    present = np.array([True, False, True, True, False])
    assert decimals(pairs_of_column, present).to_pylist()[1::3] == [None, None]
