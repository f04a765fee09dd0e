"""Swaps: which operation of which module it is, and the block's end."""

from engine.plain.cases import Case, Verdict
from engine.plain.ledger import BlockInProgress
from engine.verdicts import Code


def judge_swap(block: BlockInProgress, case: Case) -> Verdict:
    for member in ("init", "exe"):
        if case.members.get(member) is not None:
            return Verdict(Code.INVALID_OPERATION, operation=f"swap_{member}")
    return Verdict(Code.INVALID_OPERATION, operation="swap")


def end_of_block(block: BlockInProgress) -> None:
    """Settle."""
