"""Decimal numbers that clients send or get: exact, in plain notation."""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Annotated, Final

from pydantic import Field

from api.errors import InvalidParameter
from ingest.networks import DECIMALS

Number = Annotated[
    str, Field(description="Exact number with up to 50 digits: plain notation, at least 8 decimals, no zero beyond.")
]
Exact = Annotated[str, Field(description="Exact number: plain notation, always 27 decimals.")]

LONGEST: Final = 100
"""Characters of a number that is sent."""

PRECISE: Final = Context(prec=100, rounding=ROUND_HALF_EVEN)
_HUNDREDTH: Final = Decimal("0.01")
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def number_text(value: Decimal) -> str:
    """`value` in plain notation: each value has one spelling."""
    whole, _, decimals = f"{value:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(DECIMALS, '0')}"


def read_number(text: str, field: str) -> Decimal:
    """A number as it was sent. Raises InvalidParameter."""
    if not _NUMBER.fullmatch(text):
        raise InvalidParameter(f"{field}: {text!r} is no decimal number", field)
    return Decimal(text)


def percentage(part: Decimal, whole: int) -> str | None:
    """An amount in percent of another in units of 10^-8, 2 decimals, half to even; None of nothing."""
    if not whole:
        return None
    share = PRECISE.divide(part * 100, Decimal(whole).scaleb(-DECIMALS))
    return f"{share.quantize(_HUNDREDTH, context=PRECISE):f}"
