"""Amounts of payloads as integers of 10^-8 tokens (section 6). One text has three readings, each with its grammar."""

import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

from engine.unicode14 import has_later_digit
from ingest.networks import AMOUNT_LIMIT, DECIMALS

_AMOUNT: Final = re.compile(r"[0-9]+(?:\.([0-9]+))?\n?")
"""R-CORE-AMT-1, with the one trailing line feed of D-23."""
_NUMERIC: Final = re.compile(r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_BLANKS: Final = " \t\n\v\f\r"
_FAR: Final = 10**8
"""An exponent beyond it decides alone: no payload in a block has so many digits."""
_ROUNDING: Final = Context(prec=60, rounding=ROUND_HALF_UP, Emax=10 * _FAR, Emin=-10 * _FAR)
_PROTOCOL: Final = Context(prec=50, rounding=ROUND_HALF_EVEN)
"""R-CORE-CONST-9."""


def is_amount(value: Any) -> bool:
    """Whether `value` is an amount string (R-CORE-AMT-1). How large it is is not asked."""
    return isinstance(value, str) and _AMOUNT.fullmatch(value) is not None


def amount(value: Any) -> int | None:
    """Units of an amount string, rounded half away from zero (R-CORE-AMT-1, R-CORE-AMT-2, R-CORE-AMT-3, D-23).

    None when it is not an amount string or reaches 10^30 once rounded (R-CORE-AMT-4, D-3).
    """
    return _units(Decimal(value.rstrip("\n"))) if is_amount(value) else None


def has_digits_beyond(value: Any) -> bool:
    """Whether an amount string has a non-zero digit behind its eighth decimal, which D-23 rounds away."""
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    return match is not None and match[1] is not None and match[1][DECIMALS:].strip("0") != ""


def recorded_amount(value: Any) -> int | None:
    """Units that a record carries for the raw `amt`, whether or not the operation is valid (R-CORE-AMT-5, D-3).

    A number or the text of a finite ASCII decimal, negative ones too; otherwise None. JSON numbers with a fraction or
    an exponent arrive as binary doubles and are read through their shortest text (R-SWAP-NUM-1).
    """
    match = _NUMERIC.fullmatch(_text(value).strip(_BLANKS)) if _is_number(value) or isinstance(value, str) else None
    if match is None:
        return None
    sign, digits, exponent = match.groups(default="0")
    shift = exponent.lstrip("+-0")
    power = min(int(shift[:10] or "0"), _FAR) * (-1 if exponent.startswith("-") else 1)
    return _units(Decimal(f"{sign}{digits}e{power}"))


def summable(values: list[Any]) -> bool:
    """Whether every `amt` of a multi-transfer can be added up as a non-negative number (R-CORE-MULTI-4).

    Numbers are read as R-SWAP-NUM-1 says: blanks, signs, exponents, underscores and other digits than ASCII pass.
    """
    total = Decimal(0)
    try:
        for value in values:
            text = _text(value)
            number = Decimal(text)
            if number.is_nan() or number < 0 or has_later_digit(text):
                return False
            total = _PROTOCOL.add(total, number)
    except ArithmeticError:
        return False
    return True


def _units(number: Decimal) -> int | None:
    if number.copy_abs() >= 10**30:
        return None
    rounded = number.quantize(Decimal(1).scaleb(-DECIMALS), context=_ROUNDING)
    units = int(rounded.scaleb(DECIMALS, _ROUNDING))
    return units if abs(units) < AMOUNT_LIMIT else None


def _is_number(value: Any) -> bool:
    return isinstance(value, Decimal | float)


def _text(value: Any) -> str:
    """The text of a JSON value: digits of an integer, shortest text of a double, a string itself."""
    return value if isinstance(value, str) else str(value)
