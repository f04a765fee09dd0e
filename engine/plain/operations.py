"""Deploy, mint, transfer, burn and what modules will claim: checks in their order, then the effect (section 8)."""

from dataclasses import dataclass
from typing import Any, Final

from engine.plain.amounts import amount, has_digits_beyond, is_amount, recorded_amount
from engine.plain.ledger import BlockInProgress, Ledger, Token
from engine.plain.marketplace import Kind
from engine.plain.parties import Party, has_standard_output
from engine.plain.payloads import Operation
from engine.plain.transactions import Transaction
from engine.verdicts import Code

WRAP: Final = "W"
WILDCARDS: Final = frozenset("%_\\")
"""Characters by which the predecessor's ticker lookup matches other tickers too (R-CORE-TICK-4, D-5)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One operation of one transaction with the parties that the rules give it."""

    tx_index: int
    txid: str
    transaction: Transaction
    operation: Operation
    ticker: str
    kind: Kind
    sender: Party | None
    recipient: Party | None

    @property
    def amt(self) -> Any:
        return self.operation.members.get("amt")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is None for an operation that took effect."""

    code: Code | None = None
    decisions: frozenset[str] = frozenset()

    def tagged(self, *decisions: str) -> "Verdict":
        return Verdict(self.code, self.decisions | set(decisions))


def awaits_module(operation: Operation, ledger: Ledger) -> bool:
    """Whether an extension claims the operation at dispatch (R-CORE-ORDER-1 step 6).

    Swaps; mints and burns of W and of wrap tickers (R-CORE-MINT-8, R-CORE-BURN-1); transfers of `y` tickers
    (R-CORE-TICK-3, R-CORE-XFER-7). Curve deploys are told apart later, in `deploy`.
    """
    ticker = operation.ticker
    match operation.name:
        case "swap":
            return True
        case "mint" | "burn":
            return ticker == WRAP or (ticker is not None and ledger.is_wrap(ticker))
        case "transfer":
            return ticker is not None and ticker.startswith("y")
    return False


def swap_name(operation: Operation) -> str:
    """The operation that a swap is recorded as (R-SWAP-ROUTE-1)."""
    for member in ("init", "exe"):
        if operation.members.get(member) is not None:
            return f"swap_{member}"
    return "swap"


def judge_operation(block: BlockInProgress, case: Case) -> Verdict:
    """The common checks (R-CORE-ORDER-2), the operation's own, and its effect."""
    name = case.operation.name
    lacks_output = name != "deploy" and not has_standard_output(case.transaction)
    if lacks_output or (name in ("mint", "transfer") and case.recipient is None):
        return Verdict(Code.NO_STANDARD_OUTPUT)
    judge = {"deploy": deploy, "mint": mint, "transfer": transfer, "burn": burn}[name]
    return judge(block, case)


def deploy(block: BlockInProgress, case: Case) -> Verdict:
    """R-CORE-DEP-1 to R-CORE-DEP-7. Neither outputs nor a sender are needed (R-CORE-DEP-4, D-26)."""
    members = case.operation.members
    maximum, limit = members.get("m"), members.get("l")
    if case.ticker in block.ledger.tokens:
        return Verdict(Code.TICKER_ALREADY_EXISTS)
    for value in (maximum,) if limit is None else (maximum, limit):
        if amount(value) is None:
            return Verdict(Code.INVALID_AMOUNT, frozenset({"D-3"} if is_amount(value) else ()))
    refused_by = {"D-6"} if case.ticker.startswith("y") else set()
    refused_by |= {"D-7"} if members.get("curve") else set()
    if refused_by:
        return Verdict(Code.INVALID_OPERATION, frozenset(refused_by))
    max_supply = amount(maximum)
    assert max_supply is not None
    block.deploy(
        Token(
            ticker=case.ticker,
            max_supply=max_supply,
            limit=amount(limit),
            height=block.height,
            op_index=block.op_index,
            txid=case.txid,
            time=block.time,
            deployer=case.sender,
        )
    )
    rounded = has_digits_beyond(maximum) or has_digits_beyond(limit)
    return Verdict(decisions=frozenset({"D-23"}) if rounded else frozenset())


def mint(block: BlockInProgress, case: Case) -> Verdict:
    """R-CORE-MINT-1 to R-CORE-MINT-6. Whoever sends it, the recipient is credited."""
    assert case.recipient is not None
    token, minted = block.ledger.tokens.get(case.ticker), amount(case.amt)
    if token is None:
        return Verdict(Code.TICKER_NOT_DEPLOYED)
    if minted is None:
        return Verdict(Code.INVALID_AMOUNT)
    if token.limit is None:
        return Verdict(Code.INVALID_OPERATION)
    if minted > token.limit:
        return Verdict(Code.EXCEEDS_MINT_LIMIT)
    if minted > token.max_supply - block.ledger.supplies[case.ticker].minted:
        return Verdict(Code.EXCEEDS_MAX_SUPPLY)
    block.mint(case.ticker, case.recipient, minted, case.tx_index, "mint")
    return Verdict()


def transfer(block: BlockInProgress, case: Case) -> Verdict:
    """R-CORE-XFER-1 to R-CORE-XFER-6: a marketplace attempt is refused only after every other check (D-25)."""
    assert case.recipient is not None
    if case.sender is None:
        return Verdict(Code.NO_STANDARD_OUTPUT)
    code = refuse_transfer(block.ledger, case.ticker, case.sender, case.amt)
    if code is None and case.kind is Kind.INVALID_MARKETPLACE:
        code = Code.INVALID_MARKETPLACE_TRANSACTION
    if code is None:
        moved = amount(case.amt)
        assert moved is not None
        block.transfer(case.ticker, case.sender, case.recipient, moved, case.tx_index)
    return Verdict(code)


def refuse_transfer(ledger: Ledger, ticker: str, sender: Party, amt: Any) -> Code | None:
    """R-CORE-XFER-2 to R-CORE-XFER-4, which single transfers and steps of multi-transfers share."""
    moved = amount(amt)
    if ticker not in ledger.tokens:
        return Code.TICKER_NOT_DEPLOYED
    if moved is None:
        return Code.INVALID_AMOUNT
    return Code.INSUFFICIENT_BALANCE if moved > ledger.balance(ticker, sender) else None


def burn(block: BlockInProgress, case: Case) -> Verdict:
    """Without effect and refused, where the predecessor records success (R-CORE-BURN-2, D-8)."""
    return Verdict(Code.INVALID_OPERATION, frozenset({"D-8"}))


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
