"""Between exact amounts in tokens and the whole units of 10^-8 that balance events show."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Final

from engine.modules.decimals import FIFTY_DIGITS
from ingest.networks import AMOUNT_LIMIT, DECIMALS

_ALL_DIGITS: Final = Context(prec=4000)
"""More digits than any payload can write: shifting the point never rounds."""
_MOST_DIGITS: Final = 31
"""Digits before the point of the amounts that are looked at more closely for being in range."""
_MOST_DRIFT: Final = 1000
"""Units by which exact changes and their total may differ: far more than rounding comes to."""
_ZERO: Final = Decimal(0)
_add: Final = FIFTY_DIGITS.add


def scaled(amount: Decimal) -> Decimal:
    """An amount of tokens in units of 10^-8, with all its digits."""
    return amount.scaleb(DECIMALS, _ALL_DIGITS)


def whole(amount: Decimal) -> int:
    """Units of 10^-8, rounded half away from zero."""
    return int(amount.scaleb(DECIMALS, _ALL_DIGITS).to_integral_value(ROUND_HALF_UP))


def tokens(units: int) -> Decimal:
    """The amount that so many units are."""
    return Decimal(units).scaleb(-DECIMALS, _ALL_DIGITS)


def recorded_units(amount: Decimal | None) -> int | None:
    """Units that a record carries; None for what is no finite number or reaches 10^30 (R-CORE-AMT-4)."""
    if amount is None or not amount.is_finite() or amount.adjusted() > _MOST_DIGITS:
        return None
    units = whole(amount)
    return units if abs(units) < AMOUNT_LIMIT else None


def slack(exact: Decimal, shown: int) -> int:
    """What the exact balance has more than the shown one, as `engine.ledger.ENTRY` counts it."""
    units = scaled(exact)
    floor = units.to_integral_value(ROUND_FLOOR)
    return 2 * (int(floor) - shown) + (units != floor)


def text(units: int) -> str:
    """Tokens with a sign where negative and eight decimals."""
    tokens_, rest = divmod(abs(units), 10**DECIMALS)
    return f"{'-' * (units < 0)}{tokens_}.{rest:0{DECIMALS}d}"


def shown_changes(effects: Sequence[tuple[int, Decimal]], totals: Mapping[int, int]) -> list[int]:
    """Changes in units that show the exact ones of a unit of work, (ticker, signed amount) in order.

    With S_k the sum of a ticker's first k amounts, its k-th change is S_k less S_(k-1), both rounded half away from
    zero; the last one makes the sum of all exactly `totals[ticker]`, 0 where it is missing. So no unit is lost or won
    by rounding, however many changes there are. Raises ValueError for a total of a ticker that nothing happened to.
    """
    changes = []
    sums: dict[int, Decimal] = {}
    rounded: dict[int, int] = {}
    last: dict[int, int] = {}
    for place, (ticker, amount) in enumerate(effects):
        total = sums[ticker] = _add(sums.get(ticker, _ZERO), amount)
        units = whole(total)
        changes.append(units - rounded.get(ticker, 0))
        rounded[ticker] = units
        last[ticker] = place
    for ticker in {*last, *totals}:
        rest = totals.get(ticker, 0) - rounded.get(ticker, 0)
        if abs(rest) > _MOST_DRIFT or (rest and ticker not in last):
            raise ValueError(f"balances changed by {rest} units less than was minted, burned or put aside")
        if rest:
            changes[last[ticker]] += rest
    return changes
