"""One candidate transaction: which kind of operation it carries, in which list, and the records it leaves."""

from dataclasses import dataclass, replace

from engine.plain.amounts import recorded_amount
from engine.plain.cases import Case, Verdict
from engine.plain.ledger import BlockInProgress
from engine.plain.marketplace import Kind, classify, transfer_sender
from engine.plain.multi_transfers import MultiTransfer, judge_multi_transfer
from engine.plain.operations import judge_operation, record_decisions
from engine.plain.parties import recipient
from engine.plain.payloads import Operation, Refusal, parse_payload
from engine.plain.records import Record
from engine.plain.stones import judge_stones
from engine.plain.swaps import judge_swap
from engine.plain.transactions import (
    Transaction,
    is_runestone_form,
    multi_transfer_steps,
    protocol_output,
    protocol_payload,
)
from engine.plain.wraps import WRAP
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
        block.add(record)


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
        vout=vout,
        transaction=transaction,
        operation=operation,
        ticker="" if name == "swap" else operation.ticker or "",
        kind=kind,
        sender=transfer_sender(transaction, kind, block.height, network),
        recipient=recipient(transaction, network),
        network=network,
    )
    if name == "swap":
        verdict = judge_swap(block, case)
        return replace(
            _record(case, payload, verdict),
            operation=verdict.operation or name,
            ticker=verdict.ticker,
            ticker_text=verdict.ticker,
            amount=verdict.amount,
            sender=case.sender,
        )
    verdict = judge_operation(block, case)
    return _plain_record(block, case, payload, verdict)


def _plain_record(block: BlockInProgress, case: Case, payload: bytes, verdict: Verdict) -> Record:
    """Who appears in it is R-CORE-REC-4: nobody sends a mint of W as a wrap ticker, nobody receives a burn of W."""
    name, is_w = case.operation.name, case.ticker == WRAP
    amount = recorded_amount(case.amt) if verdict.amount is None else verdict.amount
    tags = record_decisions(case.operation, is_transfer=False, valid=verdict.code is None)
    return replace(
        _record(case, payload, verdict.tagged(*tags)),
        ticker=case.ticker,
        ticker_text=case.ticker,
        amount=None if name == "deploy" else amount,
        sender=None if name == "mint" and is_w and block.ledger.is_wrap(WRAP) else case.sender,
        recipient=None if name == "burn" and is_w else case.recipient,
        marketplace=case.kind is Kind.MARKETPLACE and verdict.code is None,
    )


def _record(case: Case, payload: bytes, verdict: Verdict) -> Record:
    return Record(
        tx_index=case.tx_index,
        txid=case.txid,
        vout=case.vout,
        operation=case.operation.name,
        payload=payload,
        valid=verdict.code is None,
        code=verdict.code,
        decisions=verdict.decisions,
    )
