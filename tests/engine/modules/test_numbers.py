"""Numbers of swap payloads (R-SWAP-NUM-1, D-46) and the roundings that store them."""

import json
from decimal import Decimal, InvalidOperation, getcontext, localcontext
from typing import Any

import pytest

from engine.amounts import Integer, Real
from engine.modules.decimals import LIMIT, MOST, fifty_digits, floor8, floor27, is_storable, plain, q8, q27, recorded
from engine.modules.numbers import is_missing, read_decimal, read_integer

_LONG = "0.1234567890123456789012345678901234567890123456789012345678901"
SPELLINGS = [
    ("5", "5"),
    ("005.50", "5.5"),
    (" 5 ", "5"),
    ("\t5\r\n", "5"),
    ("\u00a05\u2003", "5"),
    ("+5", "5"),
    ("-5", "-5"),
    ("-0", "0"),
    ("5.", "5"),
    (".5", "0.5"),
    ("+.5", "0.5"),
    ("1e1", "10"),
    ("1E+1", "10"),
    ("1.5e-3", "0.0015"),
    ("1_0", "10"),
    ("1_000.5_0", "1000.5"),
    ("１２．５", None),
    ("１２", "12"),
    ("٣", "3"),
    ("٣.٤e٢", "340"),
    (_LONG, _LONG),
    ("Infinity", "Infinity"),
    ("-inf", "-Infinity"),
    ("1e400", "1e400"),
    ("", None),
    (" ", None),
    (".", None),
    ("e1", None),
    ("1e", None),
    ("1 0", None),
    ("+ 5", None),
    ("--5", None),
    ("1,000", None),
    ("1'000", None),
    ("0x10", None),
    ("1.2.3", None),
    ("½", None),
    ("1\u066b5", None),
    ("\u200b1", None),
    ("1\x00", None),
    ("\ud800", None),
    ("five", None),
    ("\U00011f50", None),
    ("1e9999999999999999999", None),
]
JSON_NUMBERS = [
    ("5", "5"),
    ("-5", "-5"),
    ("123456789012345678901234567890", "123456789012345678901234567890"),
    ("0.1", "0.1"),
    ("5.0", "5.0"),
    ("1e2", "100"),
    ("1e22", "1e22"),
    ("123456789012345678.123456", "123456789012345680"),
    ("100.00000000000000001", "100"),
    ("0.00000000000000000000001", "1e-23"),
    ("1e400", "Infinity"),
    ("-Infinity", "-Infinity"),
]


def member(text: str) -> Any:
    """A JSON value as payloads are parsed."""
    return json.JSONDecoder(parse_int=Integer, parse_float=Real, parse_constant=Real).decode(text)


@pytest.mark.parametrize(("text", "number"), SPELLINGS)
def test_texts_are_read_with_the_grammar_of_the_predecessors_language(text: str, number: str | None) -> None:
    """R-SWAP-NUM-1, D-46. A digit of a later Unicode than 14 is none; text is never shortened."""
    assert read_decimal(text) == (None if number is None else Decimal(number))


@pytest.mark.parametrize("text", ["NaN", "nan", "-NaN", "sNaN", "NaN123", " nan "])
def test_a_text_that_says_it_is_no_number_is_read_as_that(text: str) -> None:
    number = read_decimal(text)
    assert number is not None
    assert number.is_nan()


@pytest.mark.parametrize(("text", "number"), JSON_NUMBERS)
def test_json_integers_are_exact_and_other_json_numbers_pass_through_a_double(text: str, number: str) -> None:
    """R-SWAP-NUM-1."""
    assert read_decimal(member(text)) == Decimal(number)


@pytest.mark.parametrize("text", ["true", "[1]", '["1"]', '{"1":1}'])
def test_other_json_values_are_no_numbers(text: str) -> None:
    assert read_decimal(member(text)) is None
    assert read_integer(member(text)) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('"10"', 10),
        ('" +10 "', 10),
        ('"-10"', -10),
        ('"1_0"', 10),
        ('"１０"', 10),
        ('"007"', 7),
        ("10", 10),
        ('"10.0"', None),
        ("10.0", None),
        ("1e1", None),
        ('"1e1"', None),
        ('"_10"', None),
        ('"1__0"', None),
        ('"ten"', None),
        ('"10\\u0000"', None),
        ('"\\ud807\\udf51"', None),
    ],
)
def test_lock_is_read_as_an_integer(text: str, number: int | None) -> None:
    """R-SWAP-NUM-1."""
    assert read_integer(member(text)) == number


@pytest.mark.parametrize("text", ["null", "false", "0", "-0", "0.0", "0e5", "1e-400", '""', "[]", "{}"])
def test_what_is_false_counts_as_missing(text: str) -> None:
    """R-SWAP-NUM-1, D-46; empty containers by analogy."""
    assert is_missing(member(text))


@pytest.mark.parametrize("text", ["true", "1", "0.1", "NaN", '"0"', '" "', '"false"', "[0]", '{"a":0}'])
def test_what_is_true_is_not_missing(text: str) -> None:
    assert not is_missing(member(text))


def test_storing_rounds_half_away_from_zero_and_keeps_the_digits_before() -> None:
    """R-SWAP-STATE-5, R-CURVE-STATE-5: the places say where to round, not the fifty digits."""
    assert q8(Decimal("1.000000005")) == Decimal("1.00000001")
    assert q8(Decimal("-1.000000005")) == Decimal("-1.00000001")
    assert q8(Decimal("1.00000000499999999999999999999999999999999999999999999")) == 1
    assert str(q8(Decimal("-0.000000001"))) == "0"
    assert floor8(Decimal("7.499999999")) == Decimal("7.49999999")
    index = Decimal("2401000000000000000000000000000.0000000000000000005")
    assert str(q27(index)) == f"{index}00000000"
    assert q27(Decimal("0.1234567890123456789012345675")) == Decimal("0.123456789012345678901234568")
    assert floor27(Decimal("0.1234567890123456789012345678")) == Decimal("0.123456789012345678901234567")


def test_arithmetic_of_modules_has_fifty_digits_whatever_the_context() -> None:
    """R-CORE-CONST-9, D-96."""

    @fifty_digits
    def third() -> Decimal:
        return Decimal(1) / 3

    with localcontext() as context:
        context.prec = 9
        assert str(third()) == "0." + "3" * 50
        assert getcontext().prec == 9


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("1.234567885", "1.23456789"),
        ("-1", "-1"),
        ("1e-999999999999", "0"),
        ("999999999999999999999999999999.999999994", "999999999999999999999999999999.99999999"),
        ("999999999999999999999999999999.999999995", None),
        ("1e30", None),
        ("-1e30", None),
        ("1e999999999999", None),
        ("Infinity", None),
        ("NaN", None),
        ("sNaN", None),
    ],
)
def test_what_cannot_be_stored_is_not_recorded(text: str, record: str | None) -> None:
    """R-CORE-CONST-8, R-CORE-AMT-4, D-3."""
    assert recorded(Decimal(text)) == (None if record is None else Decimal(record))


def test_an_amount_that_cannot_be_stored_is_told_apart() -> None:
    assert Decimal("1e30") == LIMIT
    assert not is_storable(LIMIT)
    assert is_storable(MOST)
    assert is_storable(MOST.copy_negate())
    with pytest.raises(InvalidOperation):
        is_storable(Decimal("NaN"))


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E+2", "100"), ("1.50", "1.50"), ("5E-9", "0.000000005"), ("0E+7", "0"), ("1E-2001", "1E-2001")],
)
def test_plain_notation_does_not_write_out_a_payloads_exponent(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
