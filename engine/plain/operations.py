"""Deploy, mint, transfer and burn: checks in their order, then the effect (section 8)."""

from typing import Any, Final

from engine.plain import curves, holdings, wraps
from engine.plain.amounts import amount, has_digits_beyond, is_amount, recorded_amount
from engine.plain.cases import Case, Verdict, refused
from engine.plain.decimals import tokens
from engine.plain.ledger import BlockInProgress, Ledger, Token
from engine.plain.marketplace import Kind
from engine.plain.parties import Party, has_standard_output
from engine.plain.payloads import Operation
from engine.plain.wraps import WRAP
from engine.verdicts import Code

WILDCARDS: Final = frozenset("%_\\")
"""Characters by which the predecessor's ticker lookup matches other tickers too (R-CORE-TICK-4, D-5)."""


def judge_operation(block: BlockInProgress, case: Case) -> Verdict:
    """Mints of wrap tickers and burns of W at once; else the common checks (R-CORE-ORDER-2), then the operation's."""
    name = case.operation.name
    if name == "mint" and block.ledger.is_wrap(case.ticker):
        return wraps.mint_w(block, case)
    if name == "burn" and case.ticker == WRAP:
        return wraps.burn_w(block, case)
    lacks_output = name != "deploy" and not has_standard_output(case.transaction)
    if lacks_output or (name in ("mint", "transfer") and case.recipient is None):
        return refused(Code.NO_STANDARD_OUTPUT)
    judge = {"deploy": deploy, "mint": mint, "transfer": transfer, "burn": burn}[name]
    return judge(block, case)


def deploy(block: BlockInProgress, case: Case) -> Verdict:
    """R-CORE-DEP-1 to R-CORE-DEP-7. Neither outputs nor a sender are needed (R-CORE-DEP-4, D-26)."""
    maximum, limit, has_curve = case.members.get("m"), case.members.get("l"), bool(case.members.get("curve"))
    if case.ticker in block.ledger.tokens:
        return refused(Code.TICKER_ALREADY_EXISTS)
    for value in (maximum,) if limit is None else (maximum, limit):
        if amount(value) is None:
            return refused(Code.INVALID_AMOUNT, *(["D-3"] if is_amount(value) else []))
    if holdings.is_kept(case.ticker):
        return refused(Code.INVALID_OPERATION, "D-6", *(["D-7"] if has_curve else []))
    max_supply = amount(maximum)
    assert max_supply is not None
    token = Token(
        ticker=case.ticker,
        max_supply=max_supply,
        limit=amount(limit),
        height=block.height,
        op_index=block.op_index,
        txid=case.txid,
        time=block.time,
        deployer=case.sender,
    )
    verdict = Verdict()
    if has_curve:
        verdict = curves.deploy_program(block, case, token)
    else:
        block.deploy(token)
    is_rounded = verdict.code is None and (has_digits_beyond(maximum) or has_digits_beyond(limit))
    return verdict.tagged("D-23") if is_rounded else verdict


def mint(block: BlockInProgress, case: Case) -> Verdict:
    """R-CORE-MINT-1 to R-CORE-MINT-7. Whoever sends it, the recipient is credited.

    Only W is ever burned, which makes room for new mints where it was deployed as an ordinary token (R-WRAP-BURN-2).
    """
    assert case.recipient is not None
    token, minted = block.ledger.tokens.get(case.ticker), amount(case.amt)
    if not holdings.is_deployed(block.ledger, case.ticker):
        return refused(Code.TICKER_NOT_DEPLOYED)
    if minted is None:
        return refused(Code.INVALID_AMOUNT)
    if token is None or token.limit is None:
        return refused(Code.INVALID_OPERATION)
    if minted > token.limit:
        return refused(Code.EXCEEDS_MINT_LIMIT)
    supply = block.ledger.supply(case.ticker)
    if minted > token.max_supply - (supply.minted - supply.burned):
        return refused(Code.EXCEEDS_MAX_SUPPLY)
    if curves.is_reward(block.ledger, case.ticker):
        return refused(Code.INVALID_OPERATION, "D-31")
    block.mint(case.ticker, case.recipient, tokens(minted), "mint")
    return Verdict()


def transfer(block: BlockInProgress, case: Case) -> Verdict:
    """R-CORE-XFER-1 to R-CORE-XFER-7: a marketplace attempt is refused only after the common checks (D-25)."""
    assert case.recipient is not None
    if case.sender is None:
        return refused(Code.NO_STANDARD_OUTPUT)
    code = refuse_transfer(block.ledger, case.ticker, case.sender, case.amt)
    if code is None and case.kind is Kind.INVALID_MARKETPLACE:
        code = Code.INVALID_MARKETPLACE_TRANSACTION
    code = code or move(block, case.ticker, case.sender, case.recipient, case.amt)
    verdict = Verdict(code)
    return verdict.tagged("D-62") if code is None and holdings.is_kept(case.ticker) else verdict


def refuse_transfer(ledger: Ledger, ticker: str, sender: Party, amt: Any) -> Code | None:
    """R-CORE-XFER-2 to R-CORE-XFER-4, which single transfers and steps of multi-transfers share."""
    moved = amount(amt)
    if not holdings.is_deployed(ledger, ticker):
        return Code.TICKER_NOT_DEPLOYED
    if moved is None:
        return Code.INVALID_AMOUNT
    return Code.INSUFFICIENT_BALANCE if tokens(moved) > holdings.balance(ledger, ticker, sender) else None


def move(block: BlockInProgress, ticker: str, sender: Party, recipient: Party, amt: Any) -> Code | None:
    """The effect (R-CORE-XFER-6); of a `y` ticker zero cannot be moved (R-CURVE-XFER-1)."""
    moved = amount(amt)
    assert moved is not None
    if not holdings.is_kept(ticker):
        block.transfer(ticker, sender, recipient, tokens(moved))
    elif moved == 0:
        return Code.INVALID_OPERATION
    else:
        curves.move_y(block, ticker, sender, recipient, tokens(moved))
    return None


def burn(block: BlockInProgress, case: Case) -> Verdict:
    """Without effect and refused: the predecessor records success (R-CORE-BURN-2, D-8), or burns W instead (D-14)."""
    if block.ledger.is_wrap(case.ticker):
        return refused(Code.TICKER_NOT_SUPPORTED_NOW, "D-14")
    return refused(Code.INVALID_OPERATION, "D-8")


def record_decisions(operation: Operation, *, is_transfer: bool, valid: bool) -> set[str]:
    """Decisions that show in a record whatever judged it; `is_transfer` for steps, whose name may be any.

    D-3: the predecessor cannot store `amt` and loses the block. D-5: it takes a wildcard in the ticker for a pattern.
    D-23: it does not round `amt` when reading it.
    """
    name, amt = operation.name, operation.members.get("amt")
    decisions = set()
    if name != "deploy" and amt is not None and recorded_amount(amt) is None:
        decisions.add("D-3")
    if (is_transfer or name != "burn") and WILDCARDS & set(operation.ticker or ""):
        decisions.add("D-5")
    if (is_transfer or name != "deploy") and valid and has_digits_beyond(amt):
        decisions.add("D-23")
    return decisions
