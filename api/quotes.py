"""What a trade would come to now: the engine's own arithmetic on the positions as they are."""

from decimal import Decimal
from typing import Final

from typing_extensions import TypedDict

from api.errors import NoTrade
from api.numbers import Number, number_text, read_number
from engine.modules.decimals import ZERO, fifty_digits
from engine.modules.exchange import match
from engine.modules.orders import Order, Refusal
from engine.modules.pools import Indices, Pool
from engine.verdicts import Code

MOST: Final = Decimal(10) ** 27

REASONS: Final = {
    Code.SWAP_NO_MATCHING_POSITIONS: "no active position sells {dst}",
    Code.SWAP_INVALID_CALCULATION: "nothing would be received: a side is empty, or amount or slippage is too small",
}


class Quote(TypedDict):
    """What a trade would come to. Rates are `dst` for each `src`."""

    src_ticker: str
    dst_ticker: str
    amount_in: Number
    amount_out: Number
    slippage_percent: Number
    expected_rate: Number
    actual_rate: Number
    is_partial_fill: bool
    protocol_fee: Number
    pool_id: str
    reserve_in_before: Number
    reserve_out_before: Number
    reserve_in_after: Number
    reserve_out_after: Number
    k_constant: Number
    price_impact: Number
    price_impact_percent: Number


def read_order(src: str, dst: str, amount: str, slippage: str) -> Order:
    """An order of two tickers in normal form. Raises InvalidParameter for what is no number, NoTrade for bad ones."""
    for field, ticker in (("src", src), ("dst", dst)):
        if not ticker:
            raise NoTrade(f"{field} is empty", field)
    if src == dst:
        raise NoTrade("src and dst are the same ticker", "dst")
    requested, tolerance = read_number(amount, "amount"), read_number(slippage, "slippage")
    if not 0 < requested <= MOST:
        raise NoTrade(f"amount must be above 0 and at most {MOST:f}", "amount")
    if not 0 <= tolerance <= 100:
        raise NoTrade("slippage is in percent, from 0 to 100", "slippage")
    return Order(src, dst, requested, tolerance)


@fifty_digits
def quote(pool: Pool, order: Order, height: int, indices: Indices) -> Quote:
    """The trade that an `exe` in block `height` would make if it came first. Raises NoTrade."""
    try:
        trade = match(pool, order, height, indices).trade
    except Refusal as refusal:
        reason = REASONS.get(refusal.code, refusal.code.value)
        raise NoTrade(reason.format(dst=order.destination)) from refusal
    taking = pool.side(order.source)
    before_in, before_out = (
        sum([worth for _, worth in pool.sides[number].offers(height, indices[number])], ZERO)
        for number in (taking, 1 - taking)
    )
    after_in, product = before_in + trade.amount_in, before_in * before_out
    net, impact = trade.out - trade.fee, trade.amount_in / before_in
    return Quote(
        src_ticker=order.source,
        dst_ticker=order.destination,
        amount_in=number_text(trade.amount_in),
        amount_out=number_text(net),
        slippage_percent=number_text(trade.slippage),
        expected_rate=number_text(before_out / before_in),
        actual_rate=number_text(net / trade.amount_in),
        is_partial_fill=trade.is_partial,
        protocol_fee=number_text(trade.fee),
        pool_id=pool.id,
        reserve_in_before=number_text(before_in),
        reserve_out_before=number_text(before_out),
        reserve_in_after=number_text(after_in),
        reserve_out_after=number_text(product / after_in),
        k_constant=number_text(product),
        price_impact=number_text(impact),
        price_impact_percent=number_text(impact * 100),
    )
