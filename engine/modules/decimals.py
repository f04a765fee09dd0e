"""Decimals of modules: 50 significant digits, half even, in the order that a rule writes (R-CORE-CONST-9).

Values are stored with 8 or 27 places, rounded half away from zero (R-SWAP-STATE-5, R-CURVE-STATE-5).
"""

from collections.abc import Callable
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from ingest.networks import AMOUNT_LIMIT, DECIMALS

P = ParamSpec("P")
R = TypeVar("R")

FIFTY_DIGITS: Final = Context(prec=50, rounding=ROUND_HALF_EVEN)
LIMIT: Final = Decimal(f"{AMOUNT_LIMIT}E-{DECIMALS}")
"""First amount in tokens that cannot be stored (R-CORE-CONST-8)."""
MOST: Final = Decimal(f"{AMOUNT_LIMIT - 1}E-{DECIMALS}")
"""Greatest amount in tokens that can be stored."""
ZERO: Final = Decimal(0)

_ROUNDING: Final = Context(prec=200)
"""Rounding to places keeps every digit before them, also beyond the fiftieth."""
_EIGHTH: Final = Decimal("1E-8")
_TWENTY_SEVENTH: Final = Decimal("1E-27")
_LEAST_EXPONENT: Final = -2000
"""Of numbers in plain notation: a payload is no longer, so only its exponents reach below."""


def fifty_digits(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function's decimal arithmetic with 50 digits, whatever the caller's context is (D-96)."""

    @wraps(function)
    def exact(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext(FIFTY_DIGITS):
            return function(*args, **kwargs)

    return exact


def q8(value: Decimal) -> Decimal:
    """`value` with 8 places, rounded half away from zero; never a negative zero."""
    return value.quantize(_EIGHTH, ROUND_HALF_UP, _ROUNDING) or ZERO


def floor8(value: Decimal) -> Decimal:
    """The greatest multiple of 10^-8 that is not above `value`."""
    return value.quantize(_EIGHTH, ROUND_FLOOR, _ROUNDING)


def q27(value: Decimal) -> Decimal:
    """`value` with 27 places, rounded half away from zero; never a negative zero."""
    return value.quantize(_TWENTY_SEVENTH, ROUND_HALF_UP, _ROUNDING) or ZERO


def floor27(value: Decimal) -> Decimal:
    """The greatest multiple of 10^-27 that is not above `value`."""
    return value.quantize(_TWENTY_SEVENTH, ROUND_FLOOR, _ROUNDING)


def is_storable(value: Decimal) -> bool:
    """Whether `value`, rounded to 8 places, is a finite amount in range (R-CORE-CONST-8)."""
    return -LIMIT < value < LIMIT and -LIMIT < q8(value) < LIMIT


def recorded(amount: Decimal) -> Decimal | None:
    """What a record carries for an amount that was read: None where it cannot be stored (D-3), as for NaN."""
    return q8(amount) if amount.is_finite() and is_storable(amount) else None


def plain(value: Decimal) -> str:
    """`value` in plain notation; in scientific notation only where an exponent asks for thousands of zeros."""
    exponent = value.as_tuple().exponent
    return f"{value:f}" if isinstance(exponent, int) and exponent >= _LEAST_EXPONENT else str(value)
