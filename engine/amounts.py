"""Amounts: texts to whole units of 10^-8 (R-CORE-AMT-*), and 128-bit arithmetic on two unsigned 64-bit limbs.

Limbs are (low, high) in two's complement: exactly the bytes of an Arrow decimal128.
"""

import re
from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation, Overflow, localcontext
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.compiled import helper
from engine.schemas import AMOUNT
from engine.unicode14 import has_later_digit
from ingest.networks import AMOUNT_LIMIT, DECIMALS

ONE: Final = 10**DECIMALS
"""Units in one token."""

_PLAIN: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?\n?")
_SCIENTIFIC: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")
_INTEGER_DIGITS: Final = 30
_FARTHEST_EXPONENT: Final = 10**9
_VAST: Final = 999_000
"""Exponents from about 10^6 on overflow, whatever is added."""
_BLANKS: Final = " \t\n\r\v\f"
_LIMB: Final = (1 << 64) - 1


class Integer(str):
    """A JSON number without fraction and exponent, as it was written."""


class Real(str):
    """A JSON number with fraction or exponent, or one of NaN, Infinity, -Infinity, as it was written."""


class Amount(NamedTuple):
    """What R-CORE-AMT-1 makes of a member that is present."""

    units: int | None
    """Rounded half away from zero to 10^-8 (D-23); None when the member is no amount."""
    out_of_range: bool = False
    """The grammar holds, but the rounded value reaches 10^30 (R-CORE-AMT-4, D-3)."""
    excess: bool = False
    """A digit beyond the eighth decimal is not zero, so that rounding changed the value."""


def read_amount(value: object) -> Amount:
    """Read `m`, `l` or `amt` of an operation by R-CORE-AMT-1."""
    match = _PLAIN.fullmatch(value) if type(value) is str else None
    if match is None:
        return Amount(None)
    whole, fraction = match[1], match[2] or ""
    units = _magnitude(whole, fraction, 0)
    return Amount(units, units is None, bool(fraction[DECIMALS:].strip("0")))


def read_recorded(value: object) -> int | None:
    """Units that the record of an operation carries for its raw `amt`, None when it is unusable (R-CORE-AMT-5, D-3)."""
    if isinstance(value, Real):
        text = repr(float(value))
    elif isinstance(value, Integer):
        text = value
    elif isinstance(value, str):
        text = value.strip(_BLANKS)
    else:
        return None
    match = _SCIENTIFIC.fullmatch(text)
    if match is None or not (match[2] or match[3]):
        return None
    units = _magnitude(match[2], match[3] or "", _exponent(match[4] or "0"))
    return -units if units is not None and match[1] == "-" else units


def can_sum(values: Iterable[object]) -> bool:
    """Whether R-CORE-MULTI-4 can add the `amt` of steps, read by R-SWAP-NUM-1: numbers, none negative, and a total that
    a decimal of 50 digits can express."""
    total = Decimal(0)
    with localcontext(Context(prec=50)):
        try:
            for value in values:
                number = Decimal(_number_text(value))
                if number.is_nan() or (number.is_signed() and not number.is_zero()):
                    return False
                total += number
        except (InvalidOperation, Overflow):
            return False
    return True


def is_vast(value: object) -> bool:
    """Whether a few numbers like this one may be too much for `can_sum` together, though each alone is not."""
    try:
        number = Decimal(_number_text(value))
    except InvalidOperation:
        return False
    return number.is_finite() and number.adjusted() > _VAST


def _number_text(value: object) -> str:
    """The value as the predecessor's language writes it; what is no number there has a text that is none."""
    if isinstance(value, Real):
        return repr(float(value))
    return value if isinstance(value, str) and not has_later_digit(value) else ""


def _magnitude(whole: str, fraction: str, exponent: int) -> int | None:
    """Units of the digits `whole.fraction` times 10^exponent, None from 10^30 on; never builds a huge integer."""
    digits = whole + fraction
    significant = digits.lstrip("0")
    if not significant:
        return 0
    point = len(whole) + exponent - (len(digits) - len(significant))
    if point > _INTEGER_DIGITS:
        return None
    kept = point + DECIMALS
    if kept < 0:
        return 0
    units = int(significant[:kept].ljust(kept, "0") or "0") + (significant[kept : kept + 1] >= "5")
    return units if units < AMOUNT_LIMIT else None


def _exponent(text: str) -> int:
    """The exponent, or one that is as far away as makes no difference for any text that fits into a block."""
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").lstrip("0")
    return sign * (_FARTHEST_EXPONENT if len(digits) > 9 else int(digits or "0"))


def limbs(units: int) -> tuple[int, int]:
    """(low, high) of a signed 128-bit integer."""
    return units & _LIMB, units >> 64 & _LIMB


def decimals(amounts: npt.NDArray[np.uint64], present: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Rows of (low, high) as AMOUNT, sharing their memory; null where not `present`."""
    mask = None if present is None or present.all() else pa.array(present).buffers()[1]
    return pa.Array.from_buffers(AMOUNT, len(amounts), [mask, pa.py_buffer(np.ascontiguousarray(amounts))])


def from_decimals(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.uint64]:
    """Rows of (low, high) of an AMOUNT column; what stands in a null row is not defined."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros((len(array), 2), np.uint64)
    return np.frombuffer(buffer, np.uint64).reshape(-1, 2)[array.offset : array.offset + len(array)]


@helper
def add(a_low: Any, a_high: Any, b_low: Any, b_high: Any) -> Any:
    """(low, high) of a + b."""
    low = a_low + b_low
    return low, a_high + b_high + (np.uint64(1) if low < a_low else np.uint64(0))


@helper
def subtract(a_low: Any, a_high: Any, b_low: Any, b_high: Any) -> Any:
    """(low, high) of a - b."""
    return a_low - b_low, a_high - b_high - (np.uint64(1) if a_low < b_low else np.uint64(0))


@helper
def exceeds(a_low: Any, a_high: Any, b_low: Any, b_high: Any) -> Any:
    """Whether a > b, for amounts that are not negative."""
    return a_high > b_high or (a_high == b_high and a_low > b_low)
