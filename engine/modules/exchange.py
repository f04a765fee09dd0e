"""One trade against a pool: which positions give how much, who is paid, what changes (R-SWAP-EXE-2 to R-SWAP-EXE-8)."""

from collections.abc import Sequence
from decimal import Decimal, Overflow
from typing import NamedTuple

from engine.modules.decimals import ZERO, is_storable
from engine.modules.orders import Order, Refusal, unstorable
from engine.modules.pools import CLOSED, Indices, Pool, Position
from engine.modules.registry import Account, Ledger
from engine.modules.trade import Trade, calculate, spread
from engine.verdicts import Code


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
    used: Decimal
    """What the executor pays."""
    received: Decimal
    """What the executor gets, the fee included."""
    fee_per_share: Decimal
    """Of the side that gives, after the trade."""


def match(pool: Pool, order: Order, height: int, indices: Indices) -> Exchange:
    """Find what an order would do. Raises Refusal."""
    giving = pool.side(order.destination)
    side, taking = pool.sides[giving], pool.sides[1 - giving]
    offers = side.offers(height, indices[giving])
    if not offers:
        raise Refusal(Code.SWAP_NO_MATCHING_POSITIONS, order.source, order.amount)
    reserve_in, reserve_out = (
        sum([worth for _, worth in each], ZERO) for each in (taking.offers(height, indices[1 - giving]), offers)
    )
    trade = calculate(reserve_in, reserve_out, order.amount, order.slippage)
    if trade is None:
        raise Refusal(Code.SWAP_INVALID_CALCULATION, order.source, order.amount)
    try:
        fee_per_share = side.fee_per_share + trade.fee / side.units if side.units > 0 else side.fee_per_share
    except Overflow:
        raise unstorable(order) from None
    if not all(map(is_storable, (fee_per_share, side.fees + trade.fee, trade.out))):
        raise unstorable(order)
    amounts = spread(trade, (worth for _, worth in offers))
    fills = [Fill(*offer, *amount) for offer, amount in zip(offers, amounts, strict=False) if amount[0]]
    used, received = sum([each.given for each in fills], ZERO), sum([each.taken for each in fills], ZERO)
    return Exchange(pool, order, trade, fills, used, received, fee_per_share)


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
