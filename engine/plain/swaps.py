"""Swaps: which of `init`, `exe`, stake and claim an operation is, and what happens at a block's end (swap rules).

Reading order: `swap_state` (section 1), `numbers` (2), this file and `swap_pairs` (3), `swap_orders` (4, 5),
`swap_math` (6), `swap_trades` (7), `swap_expiry` (8).
"""

from engine.plain import curves, swap_expiry, swap_orders, swap_trades
from engine.plain.cases import Case, Verdict
from engine.plain.ledger import BlockInProgress
from engine.plain.swap_book import count_reserves, round_everything
from engine.plain.swap_pairs import parse_pair
from engine.verdicts import Code


def judge_swap(block: BlockInProgress, case: Case) -> Verdict:
    """R-SWAP-ROUTE-1: `init` before `exe`; null counts as absent."""
    if case.members.get("init") is not None:
        return _init(block, case)
    if case.members.get("exe") is not None:
        return _exe(block, case)
    return Verdict(Code.SWAP_MISSING_FIELDS, operation="swap")


def end_of_block(block: BlockInProgress) -> None:
    """Settle what is due, then round what the block changed (R-CORE-BLK-6, R-SWAP-STATE-5)."""
    swap_expiry.settle_due(block)
    round_everything(block)
    count_reserves(block)


def _init(block: BlockInProgress, case: Case) -> Verdict:
    pair = parse_pair(case.members["init"])
    if isinstance(pair, Code):
        return _unreadable("swap_init", pair)
    return swap_orders.judge_init(block, case, pair)


def _exe(block: BlockInProgress, case: Case) -> Verdict:
    """R-SWAP-EXE-1 rows 1 to 3, R-SWAP-ROUTE-4. A valid claim rounds pools and positions (R-SWAP-STATE-5 a)."""
    if block.height < case.network.swap_exe_height:
        return Verdict(Code.SWAP_NOT_ACTIVATED, operation="swap_exe")
    pair = parse_pair(case.members["exe"])
    if isinstance(pair, Code):
        return _unreadable("swap_exe", pair)
    if not pair[0].startswith("y"):
        return swap_trades.judge_exe(block, case, pair)
    verdict = curves.claim(block, case, *pair)
    if verdict.code is None:
        round_everything(block)
    return verdict


def _unreadable(operation: str, code: Code) -> Verdict:
    return Verdict(code, operation="swap" if code is Code.UNKNOWN_PROCESSING_ERROR else operation)
