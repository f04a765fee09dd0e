"""`init`: locking liquidity, or staking in a curve program (sections 4 and 5 of the swap rules)."""

from dataclasses import dataclass, replace
from decimal import Decimal, Overflow
from typing import Final

from engine.plain import curves, holdings
from engine.plain.cases import Case, Verdict
from engine.plain.decimals import ZERO
from engine.plain.ledger import BlockInProgress, Ledger
from engine.plain.numbers import integer, is_missing, number, recorded
from engine.plain.parties import Party
from engine.plain.swap_book import is_storable, pool_of_pair, pools, positions
from engine.plain.swap_math import multiplier
from engine.plain.swap_pairs import Pair
from engine.plain.swap_state import Pool, PoolSide, Position, PositionSide
from engine.verdicts import Code

MAX_AMOUNT: Final = Decimal(10) ** 27
MIN_LOCK: Final = 10
MAX_LOCK: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """What `init` asks for; without `lock_blocks` it is a stake (R-SWAP-ROUTE-4)."""

    amount: Decimal
    lock_blocks: int | None


def judge_init(block: BlockInProgress, case: Case, pair: Pair) -> Verdict:
    """R-SWAP-INIT-1 and R-SWAP-INIT-2; wholly or not at all (R-SWAP-INIT-3, D-28, D-29)."""
    order = _read(case)
    if isinstance(order, Verdict):
        return order
    source, destination = pair
    verdict = Verdict(operation="swap_init", ticker=source, amount=recorded(order.amount))
    if case.sender is None:
        return replace(verdict, code=Code.NO_VALID_RECEIVER)
    if order.lock_blocks is None:
        stake = curves.stake(block, case, source, destination, order.amount)
        return replace(verdict, code=stake.code, decisions=stake.decisions)
    code = _refusal(block.ledger, case.sender, pair, order.amount)
    if code is not None:
        return replace(verdict, code=code)
    if source == destination or pool_of_pair(block.ledger, pair).tokens != tuple(sorted(pair)):
        return replace(verdict, code=Code.INVALID_OPERATION).tagged("D-49")
    try:
        pool, position = _open(block, case, pair, order.amount, order.lock_blocks)
    except Overflow:
        return replace(verdict, code=Code.UNKNOWN_PROCESSING_ERROR).tagged("D-3")
    if not is_storable(pool.rounded().columns(), position.rounded().columns()):
        return replace(verdict, code=Code.UNKNOWN_PROCESSING_ERROR).tagged("D-3")
    is_new = source in block.ledger.tokens.changed()
    is_kept = holdings.is_kept(source)
    return verdict.tagged(*["D-28"] * is_new, *["D-43"] * is_kept)


def _read(case: Case) -> Order | Verdict:
    """Rows 1 to 8, of which a stake skips those about `lock`. NaN passes for a number until it is compared."""
    is_stake = case.members.get("wrap") in (True, "true")
    if is_missing(case.amt) or (is_missing(case.members.get("lock")) and not is_stake):
        return Verdict(Code.SWAP_MISSING_FIELDS, operation="swap_init")
    amount = number(case.amt)
    if amount is None:
        return Verdict(Code.SWAP_INVALID_AMOUNT, operation="swap_init")
    verdict = Verdict(operation="swap_init", amount=recorded(amount))
    lock = None if is_stake else integer(case.members.get("lock"))
    if lock is None and not is_stake:
        return replace(verdict, code=Code.SWAP_INVALID_LOCK_DURATION)
    if lock is not None and lock < MIN_LOCK:
        return replace(verdict, code=Code.SWAP_LOCK_TOO_SHORT)
    if amount.is_nan():
        return Verdict(Code.UNKNOWN_PROCESSING_ERROR, operation="swap")
    if not 0 < amount <= MAX_AMOUNT:
        return replace(verdict, code=Code.SWAP_INVALID_AMOUNT)
    if lock is not None and lock > MAX_LOCK:
        return replace(verdict, code=Code.SWAP_INVALID_LOCK_DURATION)
    return Order(amount, lock)


def _refusal(ledger: Ledger, owner: Party, pair: Pair, amount: Decimal) -> Code | None:
    """Rows 11 to 13."""
    if not all(holdings.is_deployed(ledger, ticker) for ticker in pair):
        return Code.TICKER_NOT_DEPLOYED
    if holdings.balance(ledger, pair[0], owner) < amount:
        return Code.SWAP_INSUFFICIENT_BALANCE
    return None


def _open(block: BlockInProgress, case: Case, pair: Pair, amount: Decimal, lock_blocks: int) -> tuple[Pool, Position]:
    """The new position and its pool after it; the position is traded from the next block on (R-SWAP-POS-4, D-50)."""
    assert case.sender is not None
    source, destination = pair
    pool = pool_of_pair(block.ledger, pair)
    side = pool.side(source)
    lp_units = _lp_units(side, amount)
    index = None
    if holdings.is_kept(source):
        curves.advance_to(block, source)
        index = curves.index_of(block.ledger, source)
    position = Position(
        position_id=len(positions(block.ledger)) + 1,
        txid=case.txid,
        vout=case.vout,
        owner=case.sender,
        pool=pool.key,
        source=source,
        destination=destination,
        amount=amount,
        locked=amount,
        lock_blocks=lock_blocks,
        start_height=block.height,
        multiplier=multiplier(lock_blocks),
        index_at_lock=index,
        a=PositionSide(entry=pool.a.fee_per_share),
        b=PositionSide(entry=pool.b.fee_per_share),
    )
    position = position.with_side(source, replace(position.side(source), units=lp_units))
    pool = pool.with_side(source, replace(side, liquidity=side.liquidity + amount, units=side.units + lp_units))
    pools(block.ledger)[pool.key] = pool
    positions(block.ledger)[position.key] = position
    holdings.move(block, source, case.sender, pool.account, amount, ("swap_init", "swap_init"))
    return pool, position


def _lp_units(side: PoolSide, amount: Decimal) -> Decimal:
    """R-SWAP-LP-1: a share of what is there, by liquidity that trades did not reduce (R-SWAP-LP-2, D-47)."""
    if side.units == 0:
        return amount
    return amount * side.units / side.liquidity if side.liquidity > 0 else ZERO
