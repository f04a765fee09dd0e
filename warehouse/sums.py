"""Sums of amounts in SQL that no number of rows can overflow: whole tokens and what is beside them are added apart."""

from decimal import Decimal
from typing import Final

from ingest.networks import DECIMALS

Parts = tuple[int, Decimal]
"""A sum as the database tells it: whole tokens, and what is beside them."""

NOTHING: Final[Parts] = (0, Decimal(0))


def exact_sum(amount: str, condition: str = "true") -> str:
    """SQL for the sum of a DECIMAL(38, 8) over the rows for which a condition holds; `units` makes it a number."""
    return f"""(
        coalesce(sum(trunc({amount})::Int128) FILTER (WHERE {condition}), 0::Int128),
        coalesce(sum({amount} - trunc({amount})) FILTER (WHERE {condition}), 0::DECIMAL(38, 8))
    )"""


def units(parts: Parts) -> int:
    """The sum in units of 10^-8."""
    whole, beside = parts
    return int(whole) * 10**DECIMALS + int(beside.scaleb(DECIMALS))


def units_of(amount: str) -> int:
    """An amount with 8 decimals in units of 10^-8."""
    return int(amount.replace(".", ""))
