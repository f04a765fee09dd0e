"""Settling positions at their unlock height: rewards by group, payment one position at a time (R-SWAP-EXP-*, D-42)."""

from collections.abc import Sequence
from decimal import Decimal

from engine.modules.decimals import ZERO, q8
from engine.modules.pools import EXPIRED, Indices, Pool, Position
from engine.modules.registry import Ledger
from engine.modules.trade import reward_for, scale_rewards


def settle(pool: Pool, group: Sequence[Position], indices: Indices, ledger: Ledger) -> list[str]:
    """Pay a pool's due positions, in order; the lines of event text for it."""
    rewards = [_rewards(pool, group, number, indices, ledger) for number in (0, 1)]
    for position, *reward in zip(group, *rewards, strict=True):
        position.reward = reward
    lines = []
    for position in group:
        lines += [_pay(position, number, indices, ledger) for number in (0, 1)]
        pool.sides[position.side].units -= position.units
        position.units = ZERO
        position.leave(EXPIRED, ledger.height)
        ledger.settle()
    for side in pool.sides:
        side.settle()
    return [line for line in lines if line is not None]


def _rewards(pool: Pool, group: Sequence[Position], number: int, indices: Indices, ledger: Ledger) -> list[Decimal]:
    """Rewards of the group on one side. Positions that never had units get none and leave none to others (D-47)."""
    side = pool.sides[number]
    locked = sum((position.worth(indices[number]) for position in group if position.side == number), ZERO)
    available = max(ZERO, ledger.balance(side.token, pool.account) - locked)
    sharing = [position for position in group if position.units]
    earned = [
        reward_for(side.fee_per_share, position.entry[number], position.units, position.multiplier)
        if position.side == number
        else ZERO
        for position in sharing
    ]
    rewards = dict(zip(sharing, scale_rewards(earned, side.fees, available), strict=True)) if sharing else {}
    return [rewards.get(position, ZERO) for position in group]


def _pay(position: Position, number: int, indices: Indices, ledger: Ledger) -> str | None:
    """Pay one position on one side what is owed, or as much as the pool has: accumulated, principal, reward."""
    pool = position.pool
    side = pool.sides[number]
    is_source = position.side == number
    left = ledger.balance(side.token, pool.account)
    accumulated = min(ZERO if is_source else position.accumulated, left)
    left -= accumulated
    owed = q8(position.worth(indices[number])) if is_source else ZERO
    principal = min(owed, left)
    left -= principal
    reward = position.reward[number] = min(position.reward[number], left) if principal == owed else ZERO
    paid = max(ZERO, reward)
    side.liquidity -= principal
    side.fees = max(ZERO, side.fees - paid)
    total = principal + accumulated + paid
    if total == 0:
        return None
    if ledger.is_kept(side.token):
        ledger.move(side.token, pool.account, position.owner, total, "expiry")
    else:
        ledger.debit(side.token, pool.account, accumulated, "expiry_accumulated")
        ledger.debit(side.token, pool.account, principal, "expiry_principal")
        ledger.debit(side.token, pool.account, paid, "expiry_reward")
        ledger.credit(side.token, position.owner, total, "expiry")
    return (
        f"expiry;{position.txid};{position.vout};{side.token};{q8(total):.8f};"
        f"{pool.account.address};{position.owner.address}"
    )
