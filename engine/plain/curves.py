"""Curve programs as the rest of the plain path calls them: what deploys them, and what their block's end is.

What raises or is refused is taken back by whoever calls. All of it runs inside `decimals.precisely`, so operators keep
50 digits. The parts: `emission`, `programs`, `accounts`, `receipts`, `stakes`.
"""

from decimal import Decimal
from math import isfinite
from typing import Any, Final

from engine.plain.accounts import accounts, keeps_balances, programs
from engine.plain.cases import Case, Verdict, refused
from engine.plain.decimals import RAY, ZERO, tokens
from engine.plain.emission import EXPONENTIAL, LINEAR
from engine.plain.ledger import BlockInProgress, Ledger, Token
from engine.plain.numbers import integer
from engine.plain.parties import output_behind_op_return, party_of
from engine.plain.payloads import has_unusable_character
from engine.plain.programs import Program
from engine.plain.receipts import advance, advance_to, balance_of, exists, index_of, move_y
from engine.plain.stakes import claim, stake
from engine.unicode14 import upper
from engine.verdicts import Code

__all__ = [
    "advance_to",
    "balance_of",
    "claim",
    "deploy_program",
    "end_of_block",
    "exists",
    "index_of",
    "is_reward",
    "move_y",
    "stake",
]

_LONGEST: Final = 2**63 - 1
"""Blocks that a duration can count."""


def deploy_program(block: BlockInProgress, case: Case, token: Token) -> Verdict:
    """R-CURVE-DEP-1 from row 2 on, and the wrong types of R-CURVE-DEP-4; all refusals are alike (D-7)."""
    curve, sender = case.members["curve"], case.sender
    if not isinstance(curve, dict) or sender is None or token.max_supply == 0:
        return refused(Code.INVALID_OPERATION, "D-7")
    duration, staked = _duration(curve.get("lock", Decimal(0))), _staking_ticker(curve.get("stakes"))
    init, exe = output_behind_op_return(case.transaction, 1), output_behind_op_return(case.transaction, 2)
    if (
        curve.get("type") not in (LINEAR, EXPONENTIAL)
        or duration is None
        or staked is None
        or not (init and party_of(init.script, case.network) == sender)
        or not (exe and party_of(exe.script, case.network) == sender)
    ):
        return refused(Code.INVALID_OPERATION, "D-7")
    block.deploy(token)
    base = block.ledger.tokens.get(staked)
    program = Program(
        ticker=token.ticker,
        deploy_txid=case.txid,
        kind=curve["type"],
        duration=duration,
        staking_ticker=staked,
        max_supply=tokens(token.max_supply),
        staking_max_supply=None if base is None else tokens(base.max_supply),
        rho=None,
        init_fee=init.value,
        exe_fee=exe.value,
        genesis=sender,
        start_height=block.height,
        last_reward_height=block.height,
        index=RAY,
    )
    programs(block.ledger)[token.ticker] = program.finding_rho(program.staking_max_supply or ZERO)
    return Verdict()


def _duration(lock: Any) -> int | None:
    """Integer value of `lock`: a text, or a JSON number, whose fraction is cut off.

    None for what has none above 0, and for one that no table holds.
    """
    if isinstance(lock, str):
        duration = integer(lock)
    elif isinstance(lock, bool | Decimal) or (isinstance(lock, float) and isfinite(lock)):
        duration = int(lock)
    else:
        duration = None
    return duration if duration is not None and 0 < duration <= _LONGEST else None


def _staking_ticker(stakes: Any) -> str | None:
    """The first of `stakes` in upper case (R-CURVE-DEP-5)."""
    if not isinstance(stakes, list) or not stakes or not isinstance(stakes[0], str):
        return None
    return None if has_unusable_character(stakes[0]) else upper(stakes[0])


def is_reward(ledger: Ledger, ticker: str) -> bool:
    """Whether a program pays the token out, so that nobody else can mint it (R-CORE-MINT-7, D-31)."""
    return ticker in programs(ledger)


def end_of_block(block: BlockInProgress) -> None:
    """Advance the indices to the last finished block, then rescale touched accounts (R-CURVE-IDX-2, R-CURVE-IDX-3).

    The index of a program in which nothing is staked stands still, so that the first stake gets what was emitted
    meanwhile (D-63, D-64).
    """
    known = programs(block.ledger)
    for before in list(known.values()):
        if before.total_staked:
            advance(block, before, block.height - 1)
        after = known[before.ticker]
        if keeps_balances(block.ledger, before):
            _rescale(block, before, after)
        known[before.ticker] = after.stored()


def _rescale(block: BlockInProgress, before: Program, after: Program) -> None:
    known = accounts(block.ledger)
    for key, account in list(known.items()):
        if account.ticker == after.ticker and account.touched == block.height:
            known[key] = account.rescaled(before, after)
