"""`exe`: trading against the positions that offer a token (section 7 of the swap rules)."""

from dataclasses import dataclass, replace
from decimal import Decimal, Overflow
from typing import Any, Final

from engine.plain import holdings
from engine.plain.cases import Case, Verdict
from engine.plain.decimals import ZERO, q8, total, units
from engine.plain.ledger import BlockInProgress, Ledger, Uncovered
from engine.plain.numbers import is_missing, number, recorded
from engine.plain.parties import Party
from engine.plain.swap_book import active, is_storable, pool_of_pair, pools, positions, reserve, worth
from engine.plain.swap_math import Trade, calculate
from engine.plain.swap_orders import MAX_AMOUNT
from engine.plain.swap_pairs import Pair
from engine.plain.swap_state import CLOSED, Pool, Position
from engine.verdicts import Code
from ingest.networks import MAX_PAYLOAD

MAX_SLIP: Final = 100


@dataclass(frozen=True, slots=True)
class Request:
    """What `exe` asks for: to sell `amount` at a slippage of `slip` percent at most."""

    amount: Decimal
    slip: Decimal


@dataclass(frozen=True, slots=True)
class Fill:
    """What one position gives (`taken`) and what it gets for it (`given`); `position` is as the fill leaves it."""

    position: Position
    taken: Decimal
    given: Decimal

    @property
    def closes(self) -> bool:
        return self.position.status == CLOSED


def judge_exe(block: BlockInProgress, case: Case, pair: Pair) -> Verdict:
    """R-SWAP-EXE-1 from row 3 on, and R-SWAP-EXE-2 to R-SWAP-EXE-9; wholly or not at all (D-29)."""
    request = _read(case)
    if isinstance(request, Verdict):
        return request
    sold, bought = pair
    verdict = Verdict(operation="swap_exe", ticker=sold, amount=recorded(request.amount))
    if case.sender is None:
        return replace(verdict, code=Code.NO_VALID_RECEIVER)
    code = _refusal(block.ledger, case.sender, pair, request.amount)
    if code is not None:
        return replace(verdict, code=code)
    pool = pool_of_pair(block.ledger, pair)
    found = _match(block, pool, pair, request)
    if isinstance(found, Code):
        return replace(verdict, code=found)
    trade, fills = found
    try:
        _execute(block, case.sender, pair, pool, trade, fills)
    except Uncovered:
        return replace(verdict, code=Code.UNKNOWN_PROCESSING_ERROR)
    except Overflow:
        return replace(verdict, code=Code.UNKNOWN_PROCESSING_ERROR).tagged("D-3")
    execution, parts = _execution_row(block, case, pair, request, trade, fills), _fill_rows(block, fills)
    if not (is_storable(execution, *parts) and _leaves_storable(block.ledger, pool, fills)):
        return replace(verdict, code=Code.UNKNOWN_PROCESSING_ERROR).tagged("D-3")
    block.logs["executions"].append(execution)
    block.logs["fills"] += parts
    verdict = replace(verdict, amount=units(execution["used"]))
    return verdict.tagged("D-43") if holdings.is_kept(bought) else verdict


def _read(case: Case) -> Request | Verdict:
    """Rows 3 to 6. NaN passes for an amount until it is compared."""
    if is_missing(case.amt) or is_missing(case.members.get("slip")):
        return Verdict(Code.SWAP_MISSING_FIELDS, operation="swap_exe")
    amount, slip = number(case.amt), number(case.members.get("slip"))
    if amount is None:
        return Verdict(Code.SWAP_INVALID_AMOUNT, operation="swap_exe")
    verdict = Verdict(operation="swap_exe", amount=recorded(amount))
    if slip is None or slip.is_nan() or not 0 <= slip <= MAX_SLIP:
        return replace(verdict, code=Code.SWAP_INVALID_SLIPPAGE)
    if amount.is_nan():
        return Verdict(Code.UNKNOWN_PROCESSING_ERROR, operation="swap")
    if not 0 < amount <= MAX_AMOUNT:
        return replace(verdict, code=Code.SWAP_INVALID_AMOUNT)
    return Request(amount, slip)


def _refusal(ledger: Ledger, executor: Party, pair: Pair, amount: Decimal) -> Code | None:
    """Rows 8 and 9: all that is requested must be there, however little is used."""
    if not all(holdings.is_deployed(ledger, ticker) for ticker in pair):
        return Code.TICKER_NOT_DEPLOYED
    if holdings.balance(ledger, pair[0], executor) < amount:
        return Code.SWAP_INSUFFICIENT_BALANCE
    return None


def _match(block: BlockInProgress, pool: Pool, pair: Pair, request: Request) -> tuple[Trade, list[Fill]] | Code:
    """Rows 10 and 11: the price by what both sides offer (R-SWAP-EXE-3, R-SWAP-EXE-4), and who gives.

    R-SWAP-EXE-5 is left out: what matching positions offer is the reserve itself, which no trade exhausts.
    """
    sold, bought = pair
    offering = _visible(block, pool, bought)
    matching = [position for position in offering if position.locked > 0]
    if not matching:
        return Code.SWAP_NO_MATCHING_POSITIONS
    reserve_in, reserve_out = reserve(block.ledger, _visible(block, pool, sold)), reserve(block.ledger, offering)
    trade = calculate(reserve_in, reserve_out, request.amount, request.slip)
    return Code.SWAP_INVALID_CALCULATION if trade is None else (trade, _fill(block, trade, matching))


def _visible(block: BlockInProgress, pool: Pool, source: str) -> list[Position]:
    """Active positions of earlier blocks (R-SWAP-POS-4, D-50)."""
    return [position for position in active(block.ledger, pool, source) if position.start_height < block.height]


def _fill(block: BlockInProgress, trade: Trade, matching: list[Position]) -> list[Fill]:
    """R-SWAP-EXE-6: one position after the other gives all that it is worth. What is worth nothing is passed over."""
    fills: list[Fill] = []
    rate, remaining = trade.out / trade.amount_in, trade.out
    for position in matching:
        available = worth(block.ledger, position)
        taken = min(remaining, available)
        if taken <= 0:
            continue
        given = taken / rate
        remaining -= taken
        fills.append(Fill(_filled(block, position, taken, available, given), taken, given))
    return fills


def _filled(block: BlockInProgress, position: Position, taken: Decimal, available: Decimal, given: Decimal) -> Position:
    """Of a `y` position the filled share of its worth leaves the locked amount (D-43)."""
    if taken >= available:
        locked = ZERO
    elif position.index_at_lock is None:
        locked = position.locked - taken
    else:
        locked = position.locked - position.locked * (taken / available)
    side = position.side(position.destination)
    side = replace(side, accumulated=side.accumulated + given)
    position = replace(position, locked=locked).with_side(position.destination, side)
    return replace(position, status=CLOSED, closed_height=block.height) if locked <= 0 else position


def _execute(block: BlockInProgress, executor: Party, pair: Pair, pool: Pool, trade: Trade, fills: list[Fill]) -> None:
    """R-SWAP-EXE-7 and R-SWAP-EXE-8 in order. Raises Uncovered."""
    sold, bought = pair
    received = total(fill.taken for fill in fills)
    block.debit(sold, executor, total(fill.given for fill in fills), "swap_in")
    holdings.move(block, bought, pool.account, executor, received, ("swap_out", "swap_out"))
    holdings.move(block, bought, executor, pool.account, trade.fee, ("swap_fee", "swap_fee"))
    for fill in fills:
        block.credit(sold, pool.account, fill.given, "swap_in")
    for fill in fills:
        position = fill.position
        if fill.closes:
            side = position.side(sold)
            holdings.move(block, sold, pool.account, position.owner, side.accumulated, ("swap_return", "swap_return"))
            position = position.with_side(sold, replace(side, accumulated=ZERO))
        positions(block.ledger)[position.key] = position
    pools(block.ledger)[pool.key] = _with_fee(pool, bought, trade.fee)


def _leaves_storable(ledger: Ledger, pool: Pool, fills: list[Fill]) -> bool:
    """Whether the pool and the positions can be stored as the trade leaves them."""
    after = (positions(ledger)[fill.position.key].rounded().columns() for fill in fills)
    return is_storable(pools(ledger)[pool.key].rounded().columns(), *after)


def _with_fee(pool: Pool, ticker: str, fee: Decimal) -> Pool:
    """R-SWAP-LP-3: the fee belongs to whoever provides the token that was bought (R-SWAP-LP-4)."""
    side = pool.side(ticker)
    per_share = side.fee_per_share + fee / side.units if side.units > 0 else side.fee_per_share
    return pool.with_side(ticker, replace(side, fees=side.fees + fee, fee_per_share=per_share))


def _execution_row(
    block: BlockInProgress, case: Case, pair: Pair, request: Request, trade: Trade, fills: list[Fill]
) -> dict[str, Any]:
    assert case.sender is not None
    return {
        "op_index": block.op_index,
        "txid": case.txid,
        "vout": case.vout,
        "executor_address": case.sender.address,
        "executor_script": case.sender.script,
        "pool": pool_of_pair(block.ledger, pair).key,
        "source": pair[0],
        "destination": pair[1],
        "requested": q8(request.amount),
        "slippage": _slippage_text(request.slip),
        "used": q8(total(fill.given for fill in fills)),
        "received": q8(total(fill.taken for fill in fills)),
        "fee": q8(trade.fee),
        "fills": len(fills),
        "partial": trade.is_partial,
    }


def _fill_rows(block: BlockInProgress, fills: list[Fill]) -> list[dict[str, Any]]:
    return [
        {
            "op_index": block.op_index,
            "fill": place,
            "position_id": fill.position.position_id,
            "taken": q8(fill.taken),
            "given": q8(fill.given),
            "closed": fill.closes,
        }
        for place, fill in enumerate(fills)
    ]


def _slippage_text(slip: Decimal) -> str:
    """All its digits, unless an exponent hides more of them than a payload can hold."""
    exponent = slip.as_tuple().exponent
    assert isinstance(exponent, int)
    return f"{slip:f}" if exponent >= -MAX_PAYLOAD else str(slip)
