"""Several transfers of one ticker in one transaction (section 8.6)."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from engine.plain.amounts import amount, recorded_amount, summable
from engine.plain.decimals import ZERO, tokens
from engine.plain.holdings import balance, is_kept
from engine.plain.ledger import BlockInProgress
from engine.plain.operations import move, record_decisions, refuse_transfer
from engine.plain.parties import Party, owner_of_input, owner_of_output, recipient
from engine.plain.payloads import Operation, Refusal, has_unusable_character, parse_payload
from engine.plain.records import Record
from engine.plain.transactions import Transaction
from engine.unicode14 import upper
from engine.verdicts import Code
from ingest.networks import Network


@dataclass(frozen=True, slots=True)
class Step:
    """A step with its own output and payload; `parsed` is None for one that fails without a code."""

    number: int
    vout: int
    payload: bytes
    parsed: Operation | Refusal | None
    recipient: Party | None

    @property
    def operation(self) -> Operation | None:
        return self.parsed if isinstance(self.parsed, Operation) else None


@dataclass(frozen=True, slots=True)
class MultiTransfer:
    """A transaction that is a multi-transfer and nothing else (R-CORE-MULTI-1)."""

    tx_index: int
    txid: str
    transaction: Transaction
    vouts: list[int]


def judge_multi_transfer(block: BlockInProgress, multi: MultiTransfer, network: Network) -> None:
    """Appends a record a step, or one for a failure of the whole, or none at all."""
    steps = [_step(multi.transaction, number, vout, network) for number, vout in enumerate(multi.vouts)]
    operations = [step.operation for step in steps if step.operation is not None]
    if any(has_unusable_character(op.ticker_text) for op in operations):
        return
    code = _structural_code(multi)
    if code is None and any(op.is_silenced for op in operations):
        return
    ticker_text = None if code else "multiple"
    code = code or _ticker_code(operations)
    if code is not None:
        block.add(
            Record(
                tx_index=multi.tx_index,
                txid=multi.txid,
                vout=0,
                operation="transfer",
                payload=steps[0].payload,
                valid=False,
                ticker_text=ticker_text,
                sender=owner_of_input(multi.transaction, 0, network),
                recipient=recipient(multi.transaction, network),
                code=code,
                multi=True,
            )
        )
    elif summable([op.members.get("amt", "0") for op in operations]):
        _execute(block, multi, steps, owner_of_input(multi.transaction, 0, network))


def _step(transaction: Transaction, number: int, vout: int, network: Network) -> Step:
    payload = transaction.outputs[vout].payload
    assert payload is not None
    return Step(number, vout, payload, parse_payload(payload), owner_of_output(transaction, vout + 1, network))


def _structural_code(multi: MultiTransfer) -> Code | None:
    """R-CORE-MULTI-3: what is wrong with the places of the outputs; payloads are not looked into yet."""
    for number, vout in enumerate(multi.vouts):
        if vout != 2 * number:
            return Code.INVALID_OUTPUT_POSITION
        if vout + 1 >= len(multi.transaction.outputs):
            return Code.NO_RECEIVER_OUTPUT
    return None


def _ticker_code(operations: list[Operation]) -> Code | None:
    """R-CORE-MULTI-4: no step that parses, or tickers that differ."""
    if not operations:
        return Code.MISSING_TICKER
    if len({upper(op.ticker_text or "") for op in operations}) > 1:
        return Code.MULTI_TRANSFER_MIXED_TICKERS
    return None


def _execute(block: BlockInProgress, multi: MultiTransfer, steps: list[Step], sender: Party | None) -> None:
    """Steps in order, each against what the previous ones left (R-CORE-MULTI-5, R-CORE-MULTI-6, D-1)."""
    start = block.op_index
    execution = _Execution(block, sender)
    for step in steps:
        if isinstance(step.parsed, Operation):
            code, decisions = execution.run(step, step.parsed)
            block.add(_parsed_record(multi, step, step.parsed, sender, code, decisions))
        else:
            block.add(_unparsed_record(multi, step))
    if execution.predecessor_differs:
        block.records[start:] = [
            replace(record, decisions=record.decisions | {"D-1"}) for record in block.records[start:]
        ]


class _Execution:
    """The steps of one transaction at work, and whether the predecessor would have executed them otherwise.

    It compares every step with the balance before the transaction and writes back accounts that the block touched.
    """

    def __init__(self, block: BlockInProgress, sender: Party | None) -> None:
        self.block, self.sender = block, sender
        self.with_event_before = frozenset(block.with_event)
        self.balance_before: Decimal | None = None
        self.wanted = ZERO
        self.stopped = False
        self.predecessor_differs = False

    def run(self, step: Step, operation: Operation) -> tuple[Code | None, set[str]]:
        """The step's own code, None when it took effect, and the decisions that show in its record."""
        ticker, amt = operation.ticker or "", operation.members.get("amt")
        if self.stopped:
            code: Code | None = Code.INSUFFICIENT_BALANCE
        elif self.sender is None or step.recipient is None:
            code = Code.NO_STANDARD_OUTPUT
        else:
            code = self._transfer(ticker, self.sender, step.recipient, amt)
        decisions = record_decisions(operation, is_transfer=True, valid=code is None)
        return code, decisions | ({"D-67"} if code is None and is_kept(ticker) else set())

    def _transfer(self, ticker: str, sender: Party, recipient: Party, amt: Any) -> Code | None:
        block, moved = self.block, amount(amt)
        code = refuse_transfer(block.ledger, ticker, sender, amt)
        self.stopped = code is Code.INSUFFICIENT_BALANCE
        if moved is None or code not in (None, Code.INSUFFICIENT_BALANCE):
            return code
        if self.balance_before is None:
            self.balance_before = balance(block.ledger, ticker, sender)
        self.wanted += tokens(moved)
        if self.wanted > self.balance_before:
            self.predecessor_differs = True
        if code is None:
            if moved > 0 and (
                ticker in block.ledger.tokens.changed()
                or (ticker, sender) in self.with_event_before
                or (ticker, recipient) in block.with_event
                or recipient == sender
            ):
                self.predecessor_differs = True
            code = move(block, ticker, sender, recipient, amt)
        return code


def _parsed_record(
    multi: MultiTransfer,
    step: Step,
    operation: Operation,
    sender: Party | None,
    code: Code | None,
    decisions: set[str],
) -> Record:
    """Carries the payload's own spelling of the ticker, and its `op` even where that is not `transfer`."""
    return Record(
        tx_index=multi.tx_index,
        txid=multi.txid,
        vout=step.vout,
        operation=operation.name,
        payload=step.payload,
        valid=code is None,
        ticker=operation.ticker or None,
        ticker_text=operation.ticker_text or None,
        amount=None if operation.name == "deploy" else recorded_amount(operation.members.get("amt")),
        sender=None if operation.name == "mint" else sender,
        recipient=step.recipient,
        step=step.number,
        step_code=code,
        decisions=frozenset(decisions),
        multi=True,
    )


def _unparsed_record(multi: MultiTransfer, step: Step) -> Record:
    refusal = step.parsed if isinstance(step.parsed, Refusal) else None
    return Record(
        tx_index=multi.tx_index,
        txid=multi.txid,
        vout=step.vout,
        operation="invalid",
        payload=step.payload,
        valid=False,
        step=step.number,
        step_code=refusal.code if refusal else None,
        decisions=frozenset({refusal.decision} if refusal and refusal.decision else ()),
        multi=True,
    )
