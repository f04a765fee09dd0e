"""The arithmetic of pools: trades, fills, units and rewards, in the order in which the rules write it.

Pure functions of decimals in tokens; they count on a context of 50 digits (`decimals.fifty_digits`).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal, DivisionByZero, Overflow
from typing import Final, NamedTuple

from engine.modules.decimals import ZERO, q8

FEE: Final = Decimal("0.003")
"""Share of what leaves a pool (R-SWAP-CALC-1)."""
ONE: Final = Decimal(1)


class Trade(NamedTuple):
    """What a trade takes and gives, before it is spread over positions."""

    amount_in: Decimal
    out: Decimal
    """Fee included."""
    fee: Decimal
    slippage: Decimal
    """In percent, fee not included."""
    is_partial: bool = False


def calculate(reserve_in: Decimal, reserve_out: Decimal, requested: Decimal, tolerance: Decimal) -> Trade | None:
    """Trade up to `requested` within a slippage of `tolerance` percent (R-SWAP-CALC-1).

    None when there is no such trade, also because a step leaves what decimals can express.
    """
    try:
        return _bounded(reserve_in, reserve_out, requested, tolerance)
    except (Overflow, DivisionByZero):
        return None


def _bounded(reserve_in: Decimal, reserve_out: Decimal, requested: Decimal, tolerance: Decimal) -> Trade | None:
    if min(reserve_in, reserve_out, requested) <= 0 or not 0 <= tolerance <= 100:
        return None
    full = _execute(reserve_in, reserve_out, requested)
    if full is None or full.slippage <= tolerance:
        return full
    fraction = tolerance / 100
    if fraction == 1:
        return None
    factor = 1 / (1 - fraction)
    bounded = max(ZERO, min(requested, ((reserve_in * reserve_in) * factor).sqrt() - reserve_in))
    partial = _execute(reserve_in, reserve_out, bounded) if bounded > 0 else None
    return None if partial is None else partial._replace(is_partial=True)


def _execute(reserve_in: Decimal, reserve_out: Decimal, amount: Decimal) -> Trade | None:
    """Step 2 of R-SWAP-CALC-1; None when nothing is left for the user."""
    product = reserve_in * reserve_out
    out = reserve_out - product / (reserve_in + amount)
    fee = out * FEE
    if out - fee <= 0:
        return None
    expected = reserve_out / reserve_in
    slippage = abs((expected - out / amount) / expected) * 100
    return Trade(amount, out, fee, slippage)


def spread(trade: Trade, offers: Iterable[Decimal]) -> list[tuple[Decimal, Decimal]]:
    """What each offer gives and receives, in order, while something remains (R-SWAP-EXE-6)."""
    rate = trade.out / trade.amount_in
    remaining = trade.out
    fills = []
    for offer in offers:
        if remaining <= 0:
            break
        taken = min(remaining, offer)
        fills.append((taken, taken / rate))
        remaining -= taken
    return fills


def units_for(amount: Decimal, total_units: Decimal, total_liquidity: Decimal) -> Decimal:
    """LP units of a deposit, given the totals of its side before it (R-SWAP-LP-1)."""
    if total_units == 0:
        return amount
    return (amount * total_units) / total_liquidity if total_liquidity > 0 else ZERO


def multiplier_for(lock: int) -> Decimal:
    """Multiplier of rewards for a lock of so many blocks (R-SWAP-LP-5)."""
    if lock <= 0:
        return ONE
    return min(ONE + (Decimal(lock) / 1000) * Decimal("0.1"), Decimal("2.5"))


def reward_for(fee_per_share: Decimal, entry: Decimal, units: Decimal, multiplier: Decimal) -> Decimal:
    """What a position has earned on one side, before the group's rewards are scaled (R-SWAP-EXP-3)."""
    return max(ZERO, ((fee_per_share - entry) * units) * multiplier)


def scale_rewards(earned: Sequence[Decimal], collected: Decimal, available: Decimal) -> list[Decimal]:
    """Rewards of a group on one side; the last one is what the others leave and can be -10^-8 (R-SWAP-EXP-3)."""
    total = sum(earned, ZERO)
    most = min(collected, available, total)
    scale = min(ONE, most / total) if total > 0 else ONE
    rewards = [q8(share * scale) for share in earned[:-1]]
    return [*rewards, q8(most - sum(rewards, ZERO))]
