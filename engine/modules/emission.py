"""How much a curve program emits between two blocks (R-CURVE-EMIT-*).

Pure functions of decimals in tokens; they count on a context of 50 digits (`decimals.fifty_digits`).
"""

from decimal import Decimal
from typing import Final

from engine.modules.decimals import ZERO

LINEAR: Final = "linear"
EXPONENTIAL: Final = "exponential"

_STEPS: Final = (
    (1, Decimal(5)),
    (3, Decimal("1.25")),
    (6, Decimal("0.416666666666666667")),
    (10, Decimal("0.3125")),
)
"""Tenths of the duration, rounded down, up to which the rate is multiplied so (R-CURVE-EMIT-2)."""


def emission(type_: str, supply: Decimal, duration: int, start: int, since: int, until: int) -> Decimal:
    """What a program that started at a height emits in the blocks after `since` up to `until`."""
    reached = max(since, start)
    until = min(until, start + duration)
    if reached >= until:
        return ZERO
    rate = supply / duration
    if type_ == LINEAR:
        return rate * (until - reached)
    total = ZERO
    for tenths, factor in _STEPS:
        border = min(until, start + duration * tenths // 10)
        if reached < border:
            total += (rate * factor) * (border - reached)
            reached = border
    return total
