"""How many reward tokens a curve program emits in an interval of blocks (curve rules 3)."""

from decimal import Decimal
from typing import Final

from engine.plain.decimals import precisely

LINEAR: Final = "linear"
EXPONENTIAL: Final = "exponential"

_TENTHS: Final = (1, 3, 6)
"""Where the three faster phases of an exponential program end, in tenths of its duration."""
_FACTORS: Final = (Decimal(5), Decimal("1.25"), Decimal("0.416666666666666667"), Decimal("0.3125"))
"""Speed of each phase against a linear program's. The third has 18 digits, so that the phases sum to about M (D-75)."""


@precisely()
def emission(kind: str, maximum: Decimal, duration: int, start: int, after: int, until: int) -> Decimal:
    """Tokens emitted in the blocks `after` < b <= `until`, of a program from `start` on (R-CURVE-EMIT-1, -2, -3)."""
    after, until = max(after, start), min(until, start + duration)
    if after >= until:
        return Decimal(0)
    rate = maximum / duration
    if kind == LINEAR:
        return rate * (until - after)
    emitted = Decimal(0)
    ends = [start + tenths * duration // 10 for tenths in _TENTHS] + [until]
    for factor, end in zip(_FACTORS, ends, strict=True):
        reached = min(end, until)
        if after < reached:
            emitted += (rate * factor) * (reached - after)
            after = reached
    return emitted
