"""Arithmetic of modules: tokens as decimals of 50 significant digits, and the ways to bring them back to a grid.

A `Decimal` is an amount in tokens, exact; an `int` is one in units of 10^-8 tokens, as records and events show it.
Operators round by the context in force: whatever calculates with tokens runs inside `precisely`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Final

from ingest.networks import DECIMALS

ZERO: Final = Decimal(0)
RAY: Final = Decimal(10) ** 27
"""One, as the indices of curve programs count it."""

_PROTOCOL: Final = Context(prec=50, rounding=ROUND_HALF_EVEN)
_WIDE: Final = Context(prec=1000)
"""Room enough to round any result of 50 digits without an error."""
_UNIT: Final = Decimal(1).scaleb(-DECIMALS)
_RAY_UNIT: Final = Decimal(1).scaleb(-27)


@contextmanager
def precisely() -> Iterator[None]:
    """Every operation of the block or function so marked keeps 50 digits, half to even (R-CORE-CONST-9, D-96)."""
    with localcontext(_PROTOCOL):
        yield


def q8(number: Decimal) -> Decimal:
    """Rounded to 8 decimals, half away from zero (R-CORE-BLK-7)."""
    return number.quantize(_UNIT, "ROUND_HALF_UP", _WIDE)


def q27(number: Decimal) -> Decimal:
    """Rounded to 27 decimals, half away from zero (R-CURVE-STATE-5)."""
    return number.quantize(_RAY_UNIT, "ROUND_HALF_UP", _WIDE)


def floor8(number: Decimal) -> Decimal:
    """The next lower number of 8 decimals."""
    return number.quantize(_UNIT, "ROUND_FLOOR", _WIDE)


def floor27(number: Decimal) -> Decimal:
    """The next lower number of 27 decimals."""
    return number.quantize(_RAY_UNIT, "ROUND_FLOOR", _WIDE)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Sum, added in order."""
    result = ZERO
    for amount in amounts:
        result += amount
    return result


def units(tokens: Decimal) -> int:
    """Units of 10^-8, rounded half away from zero."""
    return int(q8(tokens).scaleb(DECIMALS, _WIDE))


def tokens(units: int) -> Decimal:
    """Tokens of a number of units."""
    return Decimal(units).scaleb(-DECIMALS, _WIDE)


def plain_text(number: Decimal) -> str:
    """All digits, without exponent."""
    return f"{number:f}"
