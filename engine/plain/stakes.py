"""Stake and claim: tokens go into a program's account and come out again, with a reward (curve rules 5, 6)."""

from dataclasses import replace
from decimal import Decimal
from typing import Final, NamedTuple

from engine.plain.accounts import Account, account_of, accounts, keeps_balances, programs, write
from engine.plain.cases import Case, Verdict, refused
from engine.plain.decimals import RAY, ZERO
from engine.plain.ledger import BlockInProgress
from engine.plain.numbers import is_missing, number, recorded
from engine.plain.parties import output_behind_op_return, party_of
from engine.plain.programs import Program
from engine.verdicts import Code

_ENOUGH: Final = Decimal("0.999999")
"""A claim may ask for a millionth more than there is, and gets what there is (R-CURVE-CLAIM-2)."""


def stake(block: BlockInProgress, case: Case, staked: str, reward: str, amount: Decimal) -> Verdict:
    """R-CURVE-STAKE-1 from row 1 on, and R-CURVE-STAKE-2; what R-SWAP-INIT-1 asks before has passed."""
    sender, program = case.sender, programs(block.ledger).get(reward)
    assert sender is not None
    if program is None:
        return refused(Code.TICKER_NOT_DEPLOYED)
    decisions = _new_program(block, program)
    if program.staking_ticker != staked or not _pays(case, program, program.init_fee):
        return refused(Code.INVALID_OPERATION, *decisions)
    if block.ledger.balance(staked, sender) < amount:
        return refused(Code.SWAP_INSUFFICIENT_BALANCE, *decisions)
    account = account_of(block.ledger, program, sender)
    block.debit(staked, sender, amount, "stake")
    _change(block, program, account, account.changed(amount, program.scaled(amount)))
    return Verdict().tagged(*decisions, *_touched_before(block, account))


def claim(block: BlockInProgress, case: Case, receipt: str, reward: str) -> Verdict:
    """R-CURVE-CLAIM-1 from the test for `amt` on: the height is active, and `exe` is a pair. The whole verdict."""
    if is_missing(case.amt):
        return Verdict(Code.SWAP_MISSING_FIELDS, operation="swap_exe")
    amount = number(case.amt)
    if amount is None:
        return Verdict(Code.SWAP_INVALID_AMOUNT, operation="swap_exe")
    verdict = _claim_amount(block, case, receipt, reward, amount)
    return replace(verdict, operation="swap_exe", ticker=receipt, amount=recorded(amount))


def _claim_amount(block: BlockInProgress, case: Case, receipt: str, reward: str, amount: Decimal) -> Verdict:
    """The rest of R-CURVE-CLAIM-1, and R-CURVE-CLAIM-3."""
    if amount.is_nan() or amount <= 0:
        return refused(Code.SWAP_INVALID_AMOUNT, "D-61")
    if case.sender is None:
        return refused(Code.NO_VALID_RECEIVER)
    if receipt == "y":
        return refused(Code.INVALID_OPERATION)
    program = programs(block.ledger).get(reward)
    if program is None:
        return refused(Code.TICKER_NOT_DEPLOYED)
    decisions = _new_program(block, program)
    pays = program.exe_fee == 0 or _pays(case, program, program.exe_fee)
    if receipt != "y" + program.staking_ticker or not pays:
        return refused(Code.INVALID_OPERATION, *decisions)
    account = accounts(block.ledger).get((program.ticker, case.sender.address))
    share = None if account is None else _share(program, account, amount)
    if account is None or share is None:
        return refused(Code.UNKNOWN_PROCESSING_ERROR, *decisions)
    left = program.max_supply - program.rewards_paid
    paid = min(share.reward, left)
    block.credit(program.staking_ticker, case.sender, share.principal, "unstake")
    block.create(reward, case.sender, paid, "reward")
    program = replace(program, rewards_paid=(program.rewards_paid + paid).normalize())
    _change(block, program, account, account.changed(-min(share.principal, account.staked), -share.scaled))
    capped = ["D-65"] if share.reward > left else []
    return Verdict().tagged(*decisions, *capped, *_touched_before(block, account))


class _Share(NamedTuple):
    """What a claim takes out of an account: of its scaled balance, of its stake, and what it earned by that."""

    scaled: Decimal
    principal: Decimal
    reward: Decimal


def _share(program: Program, account: Account, amount: Decimal) -> _Share | None:
    """R-CURVE-CLAIM-2; None when the account is not worth the amount, or the amount exceeds all arithmetic."""
    try:
        real = (account.scaled * program.index) / RAY
        if real < amount:
            if real < amount * _ENOUGH:
                return None
            amount = real
        burned = program.scaled(amount)
        if account.scaled < burned:
            if account.scaled < burned * _ENOUGH:
                return None
            burned = account.scaled
        principal = account.staked * (amount / real if real else ZERO)
        return _Share(burned, principal, max(ZERO, amount - principal) * program.ratio)
    except ArithmeticError:
        return None


def _change(block: BlockInProgress, program: Program, before: Account, after: Account) -> None:
    """The account as a stake or a claim leaves it; the totals and the principal held change by as much.

    Only the program that keeps the `y` ticker shows a `y` balance, which is touched thereby (D-69).
    """
    staked, scaled = after.staked - before.staked, after.scaled - before.scaled
    program = replace(
        program,
        total_staked=program.total_staked + staked,
        total_scaled=max(ZERO, program.total_scaled + scaled),
    )
    programs(block.ledger)[program.ticker] = program
    block.hold(program.staking_ticker, staked)
    if keeps_balances(block.ledger, program):
        write(block, after)
    else:
        accounts(block.ledger)[after.key] = after


def _pays(case: Case, program: Program, fee: int) -> bool:
    """Whether the output behind the first OP_RETURN pays exactly the fee to the genesis address."""
    output = output_behind_op_return(case.transaction, 1)
    return output is not None and output.value == fee and party_of(output.script, case.network) == program.genesis


def _new_program(block: BlockInProgress, program: Program) -> list[str]:
    """D-27: the predecessor rarely finds a program in the block that deploys it."""
    return ["D-27"] if program.start_height == block.height else []


def _touched_before(block: BlockInProgress, account: Account) -> list[str]:
    """D-60: the predecessor goes on with a `y` balance from before."""
    return ["D-60"] if account.touched == block.height else []
