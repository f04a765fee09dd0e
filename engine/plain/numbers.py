"""Numbers in payloads of swaps, stakes, claims and burns of W (R-SWAP-NUM-1): more liberal than amounts (section 6)."""

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, Final

from engine.unicode14 import has_later_digit
from ingest.networks import AMOUNT_LIMIT, DECIMALS

_ROUNDING: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_UNIT: Final = Decimal(1).scaleb(-DECIMALS)
_LIMIT: Final = Decimal(AMOUNT_LIMIT).scaleb(-DECIMALS)


def is_missing(value: Any) -> bool:
    """Whether a member counts as absent: it is not there, or 0, "", null, false, [] or {} (D-46). NaN is there."""
    return not value


def number(value: Any) -> Decimal | None:
    """`amt` or `slip` with all its digits, NaN and the infinities included; None when it is no number.

    The grammar is that of Python's `Decimal` in the year of Unicode 14 (D-46): white space around, a sign, an exponent,
    underscores anywhere, a leading or trailing dot, decimal digits of any script. A JSON number is read through its
    text: an integer as it stands, any other through the shortest text of its binary double.
    """
    text = _text(value)
    if has_later_digit(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def integer(value: Any) -> int | None:
    """`lock`: text of Python's `int`, or a JSON integer; None for anything else, as `10.0` and true."""
    text = _text(value)
    if has_later_digit(text):
        return None
    try:
        return int(text)
    except ValueError:
        return None


def recorded(value: Decimal | None) -> int | None:
    """Units of 10^-8 that the record of an operation with this `amt` carries, rounded half away from zero.

    None for what no record can hold: NaN, infinities, and 10^30 or more (R-CORE-AMT-4, D-3).
    """
    if value is None or not value.is_finite() or value.copy_abs() >= _LIMIT:
        return None
    rounded = value.quantize(_UNIT, context=_ROUNDING)
    return int(rounded.scaleb(DECIMALS, _ROUNDING)) if rounded.copy_abs() < _LIMIT else None


def _text(value: Any) -> str:
    """The text of a JSON value; that of true, lists and objects is never a number."""
    return value if isinstance(value, str) else str(value)
