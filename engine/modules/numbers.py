"""Numbers in the payloads of swaps: the JSON value as text, read with the liberal grammar of the predecessor's language
(R-SWAP-NUM-1, D-46), which is this one's.
"""

from decimal import Decimal, InvalidOperation

from engine.amounts import Real
from engine.payloads import is_truthy
from engine.unicode14 import has_later_digit


def is_missing(value: object) -> bool:
    """Whether a member counts as missing: absent, null, or false in another way (R-SWAP-NUM-1)."""
    return not is_truthy(value)


def read_decimal(value: object) -> Decimal | None:
    """`amt` or `slip` as a decimal, exact, possibly infinite or not a number; None when the text is no decimal."""
    text = _text(value)
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        return None


def read_integer(value: object) -> int | None:
    """`lock` as an integer, None when the text is none."""
    text = _text(value)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _text(value: object) -> str | None:
    """The value as text, None where no number can come of it. Reals pass through a binary double, integers do not."""
    if isinstance(value, Real):
        return repr(float(value))
    return value if isinstance(value, str) and not has_later_digit(value) else None
