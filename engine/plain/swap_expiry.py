"""Settling positions whose lock has passed (section 8 of the swap rules)."""

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import Final

from engine.plain import holdings
from engine.plain.decimals import ZERO, q8, total, units
from engine.plain.ledger import BlockInProgress
from engine.plain.records import decimal
from engine.plain.swap_book import balance, pools, positions, round_everything, worth
from engine.plain.swap_state import ACTIVE, EXPIRED, Pool, Position

ONE: Final = Decimal(1)

Rewards = dict[int, Decimal]
"""By number of the position."""


def settle_due(block: BlockInProgress) -> None:
    """R-SWAP-EXP-1, R-SWAP-EXP-2: at the block's end, pool by pool, each position once (D-40, D-42).

    The first pool is settled with what the block left unrounded, later ones with rounded values (R-SWAP-STATE-5 b).
    """
    due = [
        position
        for position in positions(block.ledger).values()
        if position.unlock_height <= block.height and position.status != EXPIRED
    ]
    groups: defaultdict[str, list[Position]] = defaultdict(list)
    for position in sorted(due, key=lambda position: (position.unlock_height, position.position_id)):
        groups[position.pool].append(position)
    for key, group in groups.items():
        _settle_group(block, key, [position.key for position in group])
        round_everything(block)


def _settle_group(block: BlockInProgress, pool_key: str, keys: list[int]) -> None:
    ledger = block.ledger
    group, pool = [positions(ledger)[key] for key in keys], pools(ledger)[pool_key]
    rewards = {ticker: _rewards(block, pool, ticker, group) for ticker in pool.tokens}
    for position in group:
        for ticker in pool.tokens:
            position = _settle_side(block, position, ticker, rewards[ticker].get(position.key, ZERO))
        closed_height = block.height if position.status == ACTIVE else position.closed_height
        positions(ledger)[position.key] = replace(position, status=EXPIRED, closed_height=closed_height)
        block.settle()
    pools(ledger)[pool_key] = _floored(pools(ledger)[pool_key].rounded())


def _rewards(block: BlockInProgress, pool: Pool, ticker: str, group: list[Position]) -> Rewards:
    """R-SWAP-EXP-3: fees by units and lock, scaled to what is there; the last position gets what rounding leaves.

    A position without any units has no part in them (R-SWAP-EXP-6, D-47).
    """
    side = pool.side(ticker)
    sharing = [position for position in group if position.a.units > 0 or position.b.units > 0]
    if not sharing:
        return {}
    earned = {position.key: _earned(position, ticker, side.fee_per_share) for position in sharing}
    principal = total(worth(block.ledger, position) for position in group if position.source == ticker)
    available = max(ZERO, balance(block.ledger, pool, ticker) - principal)
    owed = total(earned.values())
    most = min(side.fees, available, owed)
    scale = min(ONE, most / owed) if owed > 0 else ONE
    rewards = {key: q8(amount * scale) for key, amount in earned.items()}
    last = sharing[-1].key
    del rewards[last]
    return rewards | {last: q8(most - total(rewards.values()))}


def _earned(position: Position, ticker: str, fee_per_share: Decimal) -> Decimal:
    side = position.side(ticker)
    return max(ZERO, (fee_per_share - side.entry) * side.units * position.multiplier)


def _settle_side(block: BlockInProgress, position: Position, ticker: str, reward: Decimal) -> Position:
    """R-SWAP-EXP-4, D-42: the account pays what it can, accumulated first, then principal, then reward."""
    ledger = block.ledger
    pool, owner, side = pools(ledger)[position.pool], position.owner, position.side(ticker)
    left = balance(ledger, pool, ticker)
    owed = q8(worth(ledger, position)) if position.source == ticker else ZERO
    accumulated = min(side.accumulated, left)
    principal = min(owed, left - accumulated)
    is_short = side.accumulated + owed > left
    reward = ZERO if is_short else min(reward, left - accumulated - principal)
    paid_reward = max(ZERO, reward)
    paid = principal + accumulated + paid_reward
    if holdings.is_kept(ticker):
        holdings.move(block, ticker, pool.account, owner, paid, ("expiry", "expiry"))
    else:
        block.debit(ticker, pool.account, accumulated, "expiry_accumulated")
        block.debit(ticker, pool.account, principal, "expiry_principal")
        block.debit(ticker, pool.account, paid_reward, "expiry_reward")
        block.credit(ticker, owner, paid, "expiry")
    if paid > 0:
        amount = decimal(units(paid))
        block.closing.append(
            f"expiry;{position.txid};{position.vout};{ticker};{amount};{pool.account.address};{owner.address}"
        )
    totals = pool.side(ticker)
    pools(ledger)[pool.key] = pool.with_side(
        ticker,
        replace(
            totals,
            liquidity=totals.liquidity - principal,
            units=totals.units - side.units,
            fees=max(ZERO, totals.fees - paid_reward),
        ),
    )
    return position.with_side(ticker, replace(side, units=ZERO, reward=reward))


def _floored(pool: Pool) -> Pool:
    """Totals of a pool are not below zero after a group (R-SWAP-EXP-4)."""
    for ticker in pool.tokens:
        side = pool.side(ticker)
        pool = pool.with_side(ticker, replace(side, liquidity=max(ZERO, side.liquidity), units=max(ZERO, side.units)))
    return pool
