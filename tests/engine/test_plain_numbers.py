"""Numbers of swap payloads as the plain path reads them, from JSON text on (R-SWAP-NUM-1, D-46)."""

import json
from decimal import Decimal
from typing import Any

import pytest

from engine.plain.numbers import integer, is_missing, number, recorded
from engine.plain.payloads import Operation, parse_payload

EVERY_DIGIT = {"５": 5, "٥": 5, "५": 5, "\U0001d7ef": 3}


def member(literal: str) -> Any:
    """The value that a payload's member has after parsing."""
    parsed = parse_payload(f'{{"p":"brc-20","op":"swap","amt":{literal}}}'.encode())
    assert isinstance(parsed, Operation)
    return parsed.members["amt"]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"10"', "10"),
        ('" 5 "', "5"),
        ('"\\u00a05\\u2003"', "5"),
        ('"+1"', "1"),
        ('"-1.5"', "-1.5"),
        ('".5"', "0.5"),
        ('"5."', "5"),
        ('"1e1"', "1E+1"),
        ('"1E-3"', "0.001"),
        ('"1_0"', "10"),
        ('"_1__0_"', "10"),
        ('"1_.5"', "1.5"),
        ('"5\\n"', "5"),
        ("10", "10"),
        ("-3", "-3"),
        ("123456789012345678901234567890123456789", "123456789012345678901234567890123456789"),
        ("123456789012345678.123456", "123456789012345680"),
        ("100.00000000000000001", "100"),
        ("1e2", "100"),
        ("0.1", "0.1"),
        ('"123456789012345678.123456"', "123456789012345678.123456"),
        ("1e400", "Infinity"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ('"inf"', "Infinity"),
        ('"-iNfInItY"', "-Infinity"),
        *((json.dumps(digit), str(value)) for digit, value in EVERY_DIGIT.items()),
    ],
)
def test_a_number_is_read(literal: str, value: str) -> None:
    """R-SWAP-NUM-1: the liberal grammar, and JSON numbers through a binary double unless they are integers."""
    read = number(member(literal))
    assert read is not None
    assert read == Decimal(value)


@pytest.mark.parametrize("literal", ["NaN", '"nan"', '"NaN123"', '"-nan"', '"sNaN"'])
def test_nan_is_a_number(literal: str) -> None:
    """R-SWAP-NUM-1: NaN passes as a number; what it means is decided later."""
    read = number(member(literal))
    assert read is not None
    assert read.is_nan()


@pytest.mark.parametrize(
    "literal",
    [
        '"x"',
        '"1 0"',
        '"1,0"',
        '"0x10"',
        '"--1"',
        '"."',
        '"1e"',
        '" "',
        '"1.2.3"',
        "true",
        "[1]",
        '{"a":1}',
        '"½"',
        '"²"',
    ],
)
def test_no_number(literal: str) -> None:
    """R-SWAP-NUM-1: everything else is present, but not a number."""
    value = member(literal)
    assert not is_missing(value)
    assert number(value) is None


def test_digits_of_a_later_unicode_are_no_digits() -> None:
    """D-46: U+11F50 is a digit since Unicode 15 only, whatever the interpreter knows."""
    assert number("\U00011f51") is None
    assert integer("\U00011f51") is None


@pytest.mark.parametrize("literal", ["0", "-0", "0.0", "-0.0", "0e5", '""', "null", "false", "[]", "{}"])
def test_falsy_values_are_missing(literal: str) -> None:
    """D-46; `"0"` is a text and therefore there."""
    assert is_missing(member(literal))
    assert not is_missing(member('"0"'))
    assert not is_missing(member("NaN"))


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"10"', 10),
        ('" 1_0 "', 10),
        ('"+10"', 10),
        ('"-10"', -10),
        ('"007"', 7),
        ('"１２"', 12),
        ("10", 10),
        ("-4", -4),
        ("100000000000000000000000000000", 10**29),
        ('"10.0"', None),
        ("10.0", None),
        ("1e1", None),
        ('"1e1"', None),
        ('"1__0"', None),
        ('"_10"', None),
        ('"x"', None),
        ("true", None),
        ("NaN", None),
        ("[10]", None),
    ],
)
def test_lock_is_an_integer(literal: str, value: int | None) -> None:
    """R-SWAP-NUM-1: no fraction, no exponent, underscores between digits only."""
    assert integer(member(literal)) == value


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("1", 10**8),
        ("-0.000000005", -1),
        ("0.000000004999", 0),
        ("0.000000005", 1),
        ("1e-999999", 0),
        ("1e-999999999", 0),
        ("1e29", 10**37),
        ("999999999999999999999999999999.99999999", 10**38 - 1),
        ("999999999999999999999999999999.999999995", None),
        ("1e30", None),
        ("1e999999999", None),
        ("-1e30", None),
        ("NaN", None),
        ("sNaN", None),
        ("-Infinity", None),
    ],
)
def test_recorded_amount(text: str, units: int | None) -> None:
    """Half away from zero to 8 decimals, below 10^30; NaN and infinities are never recorded (D-3)."""
    assert recorded(Decimal(text)) == units


def test_no_number_is_recorded_as_nothing() -> None:
    assert recorded(None) is None
