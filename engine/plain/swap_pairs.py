"""The pair of tickers that `init` and `exe` name (section 3 of the swap rules)."""

from decimal import Decimal
from typing import Any

from engine.plain.payloads import has_unusable_character
from engine.plain.swap_state import Pool
from engine.unicode14 import upper
from engine.verdicts import Code

Pair = tuple[str, str]


def parse_pair(value: Any) -> Pair | Code:
    """Both members, normalised, or why there are none (R-SWAP-ROUTE-2, R-SWAP-ROUTE-3).

    SWAP_MISSING_FIELDS is what it says; UNKNOWN_PROCESSING_ERROR stands for a value on which the predecessor stumbles,
    and is recorded under the operation `swap`.
    """
    if not value:
        return Code.SWAP_MISSING_FIELDS
    if isinstance(value, str):
        first, comma, second = value.partition(",")
        if not comma:
            return Code.SWAP_MISSING_FIELDS
        return Code.UNKNOWN_PROCESSING_ERROR if has_unusable_character(value) else (normalise(first), normalise(second))
    is_number = isinstance(value, bool | float | Decimal)
    return Code.UNKNOWN_PROCESSING_ERROR if is_number or "," in value else Code.SWAP_MISSING_FIELDS


def normalise(member: str) -> str:
    """R-CORE-TICK-2: trimmed; upper case, except that a leading `y` stays. A leading `Y` does not become one (D-68)."""
    trimmed = member.strip()
    return "y" + upper(trimmed[1:]) if trimmed.startswith("y") else upper(trimmed)


def pool_of(pair: Pair) -> Pool:
    """The pool of two tickers, empty: the lower one by code points comes first (R-SWAP-POOL-1, D-49)."""
    first, second = sorted(pair)
    return Pool(first, second)
