"""One candidate transaction: which kind of operation it carries, in which list, and the records it leaves."""

from dataclasses import dataclass

from engine.plain.amounts import recorded_amount
from engine.plain.ledger import BlockInProgress
from engine.plain.marketplace import Kind, classify, transfer_sender
from engine.plain.multi_transfers import MultiTransfer, judge_multi_transfer
from engine.plain.operations import WRAP, Case, Verdict, awaits_module, judge_operation, record_decisions, swap_name
from engine.plain.parties import recipient
from engine.plain.payloads import Operation, Refusal, parse_payload
from engine.plain.records import Record
from engine.plain.stones import judge_stones
from engine.plain.transactions import (
    Transaction,
    is_runestone_form,
    multi_transfer_steps,
    protocol_output,
    protocol_payload,
)
from engine.verdicts import Code
from ingest.networks import MAX_PAYLOAD, Network


@dataclass(frozen=True, slots=True)
class Candidate:
    """A transaction that the prefilter let through (R-CORE-BLK-3). `txid` in display order."""

    tx_index: int
    txid: str
    transaction: Transaction


def processing_order(candidates: list[Candidate], height: int, network: Network) -> list[Candidate]:
    """The marketplace list, then the rest, each by transaction index (R-CORE-BLK-4, D-25)."""
    by_index = sorted(candidates, key=lambda candidate: candidate.tx_index)
    return sorted(by_index, key=lambda candidate: not is_marketplace(candidate.transaction, height, network))


def is_marketplace(transaction: Transaction, height: int, network: Network) -> bool:
    """Exactly one protocol output, a transfer, and the template of the height holds (R-CORE-BLK-4)."""
    vout = protocol_output(transaction)
    if vout is None or is_runestone_form(transaction.outputs[vout]):
        return False
    parsed = parse_payload(protocol_payload(transaction.outputs[vout]))
    is_transfer = isinstance(parsed, Operation) and parsed.name == "transfer"
    return is_transfer and classify(transaction, height, network) is Kind.MARKETPLACE


def judge_candidate(block: BlockInProgress, candidate: Candidate, network: Network) -> None:
    """R-CORE-ORDER-1. Appends to the block the records that the transaction leaves, none when the rules are silent."""
    transaction = candidate.transaction
    steps = multi_transfer_steps(transaction)
    if steps:
        multi = MultiTransfer(candidate.tx_index, candidate.txid, transaction, steps)
        judge_multi_transfer(block, multi, network)
        return
    vout = protocol_output(transaction)
    if vout is None or len(payload := protocol_payload(transaction.outputs[vout])) > MAX_PAYLOAD:
        return
    if is_runestone_form(transaction.outputs[vout]):
        record = judge_stones(block, candidate.tx_index, candidate.txid, transaction, vout, network)
    else:
        record = _judge_payload(block, candidate, vout, payload, network)
    if record is not None:
        block.records.append(record)


def _judge_payload(
    block: BlockInProgress, candidate: Candidate, vout: int, payload: bytes, network: Network
) -> Record | None:
    match parse_payload(payload):
        case Refusal(code, decision):
            return Record(
                tx_index=candidate.tx_index,
                txid=candidate.txid,
                vout=vout,
                operation="invalid",
                payload=payload,
                valid=False,
                code=code,
                decisions=frozenset({decision} if decision else ()),
            )
        case Operation() as operation if not operation.is_silenced:
            return _dispatch(block, candidate, vout, payload, operation, network)
    return None


def _dispatch(
    block: BlockInProgress, candidate: Candidate, vout: int, payload: bytes, operation: Operation, network: Network
) -> Record:
    transaction, name = candidate.transaction, operation.name
    kind = classify(transaction, block.height, network) if name == "transfer" else Kind.SIMPLE
    case = Case(
        tx_index=candidate.tx_index,
        txid=candidate.txid,
        transaction=transaction,
        operation=operation,
        ticker="" if name == "swap" else operation.ticker or "",
        kind=kind,
        sender=transfer_sender(transaction, kind, block.height, network),
        recipient=recipient(transaction, network),
    )
    if awaits_module(operation, block.ledger):
        verdict = Verdict(Code.INVALID_OPERATION)
    else:
        verdict = judge_operation(block, case)
    if name != "swap":
        verdict = verdict.tagged(*record_decisions(operation, is_transfer=False, valid=verdict.code is None))
    return Record(
        tx_index=candidate.tx_index,
        txid=candidate.txid,
        vout=vout,
        operation=swap_name(operation) if name == "swap" else name,
        payload=payload,
        valid=verdict.code is None,
        ticker=case.ticker or None,
        ticker_text=case.ticker or None,
        amount=None if name == "deploy" else recorded_amount(case.amt),
        sender=None if name == "mint" and case.ticker == WRAP else case.sender,
        recipient=None if name == "swap" or (name == "burn" and case.ticker == WRAP) else case.recipient,
        code=verdict.code,
        decisions=verdict.decisions,
        marketplace=kind is Kind.MARKETPLACE and verdict.code is None,
    )
