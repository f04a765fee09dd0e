"""The price of a trade (section 6 of the swap rules) and what a lock is worth: pure, each step in the order written."""

from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, Overflow
from typing import Final

from engine.plain.decimals import ZERO

FEE: Final = Decimal("0.003")
MAX_MULTIPLIER: Final = Decimal("2.5")


@dataclass(frozen=True, slots=True)
class Trade:
    """What `amount_in` buys: `out` leaves the reserve, `fee` of it stays with the pool."""

    amount_in: Decimal
    out: Decimal
    fee: Decimal
    slippage: Decimal
    """In percent, without the fee."""
    is_partial: bool = False


def calculate(reserve_in: Decimal, reserve_out: Decimal, requested: Decimal, slip: Decimal) -> Trade | None:
    """R-SWAP-CALC-1; None where it fails, also where a result has no place among decimals.

    That is so when next to nothing is sold: a price of rounding errors, of which 100 percent may not be enough either.
    """
    try:
        return _trade(reserve_in, reserve_out, requested, slip)
    except (Overflow, DivisionByZero):
        return None


def _trade(reserve_in: Decimal, reserve_out: Decimal, requested: Decimal, slip: Decimal) -> Trade | None:
    """A partial fill is not tested against `slip` again (D-55)."""
    if reserve_in <= 0 or reserve_out <= 0 or requested <= 0:
        return None
    whole = _execute(reserve_in, reserve_out, requested)
    if whole is None or whole.slippage <= slip:
        return whole
    fraction = slip / 100
    factor = 1 / (1 - fraction)
    least = (reserve_in * reserve_in * factor).sqrt() - reserve_in
    amount_in = max(ZERO, min(requested, least))
    if amount_in <= 0:
        return None
    part = _execute(reserve_in, reserve_out, amount_in)
    return None if part is None else Trade(part.amount_in, part.out, part.fee, part.slippage, is_partial=True)


def _execute(reserve_in: Decimal, reserve_out: Decimal, amount_in: Decimal) -> Trade | None:
    product = reserve_in * reserve_out
    expected = reserve_out / reserve_in
    out = reserve_out - product / (reserve_in + amount_in)
    fee = out * FEE
    if out - fee <= 0:
        return None
    slippage = abs((expected - out / amount_in) / expected) * 100
    return Trade(amount_in, out, fee, slippage)


def multiplier(lock_blocks: int) -> Decimal:
    """R-SWAP-LP-5: grows by a tenth in 1000 blocks, to 2.5 at most."""
    if lock_blocks <= 0:
        return Decimal("1.0")
    return min(Decimal("1.0") + Decimal(lock_blocks) / 1000 * Decimal("0.1"), MAX_MULTIPLIER)
