"""Sums of amounts in SQL that no number of rows can overflow: whole tokens and what is beside them are added apart."""

from decimal import Decimal
from typing import Final, TypedDict

from ingest.networks import DECIMALS


class Parts(TypedDict):
    """A sum as the database tells it."""

    whole: int
    beside: Decimal


NOTHING: Final = Parts(whole=0, beside=Decimal(0))


def exact_sum(amount: str, condition: str = "true") -> str:
    """SQL for the sum of a DECIMAL(38, 8) over the rows for which a condition holds; `units` makes it a number."""
    return f"""{{
        whole: coalesce(sum(trunc({amount})::HUGEINT) FILTER ({condition}), 0),
        beside: coalesce(sum({amount} - trunc({amount})) FILTER ({condition}), 0)
    }}"""


def units(parts: Parts) -> int:
    """The sum in units of 10^-8."""
    return parts["whole"] * 10**DECIMALS + int(parts["beside"].scaleb(DECIMALS))


def units_of(amount: str) -> int:
    """An amount with 8 decimals in units of 10^-8."""
    return int(amount.replace(".", ""))
