"""One trade against a pool: which positions give how much, who is paid, what changes (R-SWAP-EXE-2 to R-SWAP-EXE-8)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from engine.modules.decimals import ZERO, is_storable
from engine.modules.orders import Order, Refusal
from engine.modules.pools import CLOSED, Indices, Pool, Position
from engine.modules.registry import Account, Ledger
from engine.modules.trade import Trade, calculate, spread
from engine.verdicts import Code

Offers = list[tuple[Position, Decimal]]
"""Positions with what each is worth."""


class Fill(NamedTuple):
    """What a position gives and receives."""

    position: Position
    worth: Decimal
    taken: Decimal
    given: Decimal

    @property
    def closes(self) -> bool:
        """Whether the position sells out."""
        return self.taken >= self.worth

    @property
    def accumulated(self) -> Decimal:
        """What the position has received by then in all its trades."""
        return self.position.accumulated + self.given


class Exchange(NamedTuple):
    """A trade that can be paid."""

    pool: Pool
    order: Order
    trade: Trade
    fills: Sequence[Fill]
    fee_per_share: Decimal
    """Of the side that gives, after the trade."""

    @property
    def used(self) -> Decimal:
        """What the executor pays."""
        return sum((each.given for each in self.fills), ZERO)

    @property
    def received(self) -> Decimal:
        """What the executor gets, the fee included."""
        return sum((each.taken for each in self.fills), ZERO)


def match(pool: Pool, order: Order, height: int, indices: Indices) -> Exchange:
    """Find what an order would do. Raises Refusal."""
    giving = pool.side(order.destination)
    offers = _offers(pool, giving, height, indices)
    if not offers:
        raise Refusal(Code.SWAP_NO_MATCHING_POSITIONS, order.source, order.amount)
    reserve_in, reserve_out = _reserve(_offers(pool, 1 - giving, height, indices)), _reserve(offers)
    trade = calculate(reserve_in, reserve_out, order.amount, order.slippage)
    if trade is None:
        raise Refusal(Code.SWAP_INVALID_CALCULATION, order.source, order.amount)
    side = pool.sides[giving]
    fee_per_share = side.fee_per_share + trade.fee / side.units if side.units > 0 else side.fee_per_share
    if not all(map(is_storable, (fee_per_share, side.fees + trade.fee, trade.out))):
        raise Refusal(Code.UNKNOWN_PROCESSING_ERROR, order.source, order.amount)
    amounts = spread(trade, (worth for _, worth in offers))
    fills = [Fill(*offer, *amount) for offer, amount in zip(offers, amounts, strict=False)]
    return Exchange(pool, order, trade, fills, fee_per_share)


def _offers(pool: Pool, side: int, height: int, indices: Indices) -> Offers:
    """Positions of the side from earlier blocks that have something to give, with what they are worth, in order."""
    index = indices[side]
    positions = (position for position in pool.sides[side].active if position.start < height)
    return [(position, worth) for position in positions if (worth := position.worth(index)) > 0]


def _reserve(offers: Offers) -> Decimal:
    """What positions have to give together (R-SWAP-EXE-3)."""
    return sum((worth for _, worth in offers), ZERO)


def pay(exchange: Exchange, executor: Account, ledger: Ledger) -> None:
    """Move tokens in the order of R-SWAP-EXE-8. Raises Uncovered."""
    pool, (source, destination, *_) = exchange.pool.account, exchange.order
    ledger.debit(source, executor, exchange.used, "swap_in")
    ledger.move(destination, pool, executor, exchange.received, "swap_out")
    ledger.move(destination, executor, pool, exchange.trade.fee, "swap_fee")
    for each in exchange.fills:
        ledger.credit(source, pool, each.given, "swap_in")
    for each in exchange.fills:
        if each.closes:
            ledger.move(source, pool, each.position.owner, each.accumulated, "swap_return")


def carry_out(exchange: Exchange, height: int) -> None:
    """Change the pool and its positions, once the trade is paid."""
    side = exchange.pool.sides[exchange.pool.side(exchange.order.destination)]
    side.fee_per_share = exchange.fee_per_share
    side.fees += exchange.trade.fee
    for each in exchange.fills:
        position = each.position
        position.accumulated = ZERO if each.closes else each.accumulated
        position.take(each.taken, each.worth)
        if each.closes:
            position.leave(CLOSED, height)
