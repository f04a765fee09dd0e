"""Multi-transfers (R-CORE-MULTI-3 to R-CORE-MULTI-6), compiled."""

from typing import Any, Final

import numpy as np

from engine.amounts import exceeds, subtract
from engine.books import INEXACT, Place
from engine.compiled import helper
from engine.journal import open_record, set_amount
from engine.ledger import available, changed_at
from engine.operations import (
    INSUFFICIENT_BALANCE,
    INVALID_OPERATION,
    NO_STANDARD_OUTPUT,
    move,
    transfer_refusal,
)
from engine.payloads import SILENT
from engine.verdicts import Code
from engine.vocabulary import (
    D1,
    D2,
    D3,
    D5,
    D23,
    DEPLOY,
    INVALID,
    MINT,
    SWAP,
    SWAP_EXE,
    SWAP_INIT,
    TRANSFER,
    code_number,
)

_MISSING_TICKER: Final = code_number(Code.MISSING_TICKER)
_MIXED_TICKERS: Final = code_number(Code.MULTI_TRANSFER_MIXED_TICKERS)


PROGRESS: Final = np.dtype(
    [
        ("step", "<i8"),
        ("first_record", "<i8"),
        ("left", "<u8", 2),
        ("is_open", "?"),
        ("has_left", "?"),
        ("stopped", "?"),
        ("differs", "?"),
    ],
    align=True,
)
"""How far the steps of a multi-transfer are. `left` is the balance that the predecessor would have compared with, less
what earlier steps asked for; `stopped`: a balance did not suffice; `differs`: D-1 applies."""

JUDGED: Final = 0
MODULE_STEP: Final = 1
"""The latest record is of a step whose ticker a module may keep; it is refused unless the caller says otherwise."""
INTERRUPTED: Final = 2
"""An inexact balance had events."""


@helper
def judge_multi(
    batch: Any, payloads: Any, books: Any, journal: Any, block: Any, height: Any, tx: Any, handover: Any
) -> Any:
    """Judge one multi-transfer and write its records, or none (R-CORE-REC-5); called again after an interruption."""
    progress = batch.progress[0]
    if not progress["is_open"]:
        if not _has_steps(batch, payloads, journal.records, block, tx):
            return JUDGED
        _open(batch, payloads, books, journal.records, height, tx)
    while progress["step"] < batch.steps[tx]:
        _judge_step(batch, payloads, books, journal, block, height, tx)
        payload = payloads[batch.step_payload[batch.first_step[tx] + progress["step"]]]
        progress["step"] += 1
        if handover and payload["is_receipt"] and not payload["code"] and not progress["stopped"]:
            return MODULE_STEP
        if books.counts[INEXACT]:
            return INTERRUPTED
    progress["is_open"] = False
    if progress["differs"]:
        for n in range(progress["first_record"], journal.records.filled[0]):
            journal.records.tags[n] |= np.uint64(D1)
    return JUDGED


@helper
def _has_steps(batch: Any, payloads: Any, records: Any, block: Any, tx: Any) -> Any:
    """Whether the steps are to be judged; if not, the transaction has its one record, or stays silent."""
    first = batch.first_step[tx]
    last = first + batch.steps[tx]
    for step in range(first, last):
        if payloads[batch.step_payload[step]]["poisons"]:
            return False
    if batch.structure[tx]:
        _refuse(batch, records, block, tx, batch.structure[tx], -1)
        return False
    upper = -1
    mixed = False
    summable = True
    for step in range(first, last):
        payload = payloads[batch.step_payload[step]]
        if payload["code"]:
            if payload["has_no_ticker"]:
                return False
            continue
        mixed = mixed or (upper >= 0 and payload["upper"] != upper)
        upper = payload["upper"]
        summable = summable and payload["is_summable"]
    if upper < 0:
        _refuse(batch, records, block, tx, _MISSING_TICKER, batch.multiple)
        return False
    if mixed:
        _refuse(batch, records, block, tx, _MIXED_TICKERS, batch.multiple)
        return False
    return summable and not batch.overflows[tx]


@helper
def _refuse(batch: Any, records: Any, block: Any, tx: Any, code: Any, text: Any) -> Any:
    """One record for the whole transaction."""
    n = open_record(records, block, tx, tx, 0, TRANSFER)
    records.multi[n] = True
    records.code[n] = code
    records.text[n] = text
    records.sender[n] = batch.sender[tx]
    records.recipient[n] = batch.recipient[tx]


@helper
def _open(batch: Any, payloads: Any, books: Any, records: Any, height: Any, tx: Any) -> Any:
    """Begin with step 0."""
    progress = batch.progress[0]
    progress["is_open"] = True
    progress["step"] = 0
    progress["first_record"] = records.filled[0]
    progress["has_left"] = False
    progress["stopped"] = False
    progress["differs"] = False
    _note_changes(batch, payloads, books, height, batch.first_step[tx], np.int64(batch.steps[tx]), batch.sender[tx])


@helper
def _judge_step(batch: Any, payloads: Any, books: Any, journal: Any, block: Any, height: Any, tx: Any) -> Any:
    """Judge the next step and write its record."""
    records = journal.records
    progress = batch.progress[0]
    step = batch.first_step[tx] + progress["step"]
    payload = payloads[batch.step_payload[step]]
    sender = batch.sender[tx]
    recipient = batch.step_recipient[step]
    n = open_record(records, block, tx, batch.block.size + step, batch.step_vout[step], INVALID)
    records.multi[n] = True
    records.step[n] = progress["step"]
    if payload["code"]:
        records.step_code[n] = 0 if payload["code"] == SILENT else payload["code"]
        records.tags[n] = D2 if payload["is_test"] else 0
        return
    _describe(records, n, payload, sender, recipient)
    if progress["stopped"]:
        records.step_code[n] = INSUFFICIENT_BALANCE
        return
    code = _refusal(books, payload, sender, recipient)
    records.step_code[n] = code
    if code == 0 or code == INSUFFICIENT_BALANCE:
        _count_down(books, progress, payload, sender)
    progress["stopped"] = code == INSUFFICIENT_BALANCE
    if code == 0:
        progress["differs"] |= _differs(batch, books, payload, step, sender, recipient, height)
        records.valid[n] = True
        if payload["operation"] != DEPLOY:
            set_amount(records, n, payload["amount"])
        if payload["excess"]:
            records.tags[n] |= np.uint64(D23)
        move(books, journal.events, Place(block, height, n), payload, sender, recipient)


@helper
def _count_down(books: Any, progress: Any, payload: Any, sender: Any) -> Any:
    """Together with earlier steps, does this one ask for more than the balance before the transaction (D-1)?"""
    left = progress["left"]
    amount = payload["amount"]
    if not progress["has_left"]:
        left[0], left[1] = available(books.entries, payload["ticker"], sender)
        progress["has_left"] = True
    if exceeds(amount[0], amount[1], left[0], left[1]):
        progress["differs"] = True
    else:
        left[0], left[1] = subtract(left[0], left[1], amount[0], amount[1])


@helper
def _note_changes(batch: Any, payloads: Any, books: Any, height: Any, first: Any, count: Any, sender: Any) -> Any:
    """Note for each step whether the sender's entry changed in this block before the transaction."""
    if sender < 0:
        return
    for step in range(first, first + count):
        payload = payloads[batch.step_payload[step]]
        if payload["code"] == 0:
            batch.step_changed[step] = changed_at(books.entries, payload["ticker"], sender) == height


@helper
def _describe(records: Any, n: Any, payload: Any, sender: Any, recipient: Any) -> Any:
    """What the record of a parsed step says whether it is valid or not (R-CORE-MULTI-5)."""
    operation = payload["operation"]
    records.operation[n] = SWAP if operation in (SWAP_INIT, SWAP_EXE) else operation
    if not payload["has_no_ticker"]:
        records.ticker[n] = payload["ticker"]
        records.text[n] = payload["text"]
    records.sender[n] = -1 if operation == MINT else sender
    records.recipient[n] = recipient
    if payload["is_hazard"]:
        records.tags[n] |= np.uint64(D5)
    if operation == DEPLOY:
        return
    if payload["has_recorded"]:
        set_amount(records, n, payload["recorded"])
    if payload["unstorable"]:
        records.tags[n] |= np.uint64(D3)


@helper
def _refusal(books: Any, payload: Any, sender: Any, recipient: Any) -> Any:
    if payload["is_receipt"]:
        return INVALID_OPERATION
    if sender < 0 or recipient < 0:
        return NO_STANDARD_OUTPUT
    return transfer_refusal(books, payload, sender)


@helper
def _differs(batch: Any, books: Any, payload: Any, step: Any, sender: Any, recipient: Any, height: Any) -> Any:
    """Whether the predecessor would execute this valid step otherwise (D-1)."""
    if payload["amount"][0] | payload["amount"][1] == np.uint64(0):
        return False
    if sender == recipient or batch.step_changed[step]:
        return True
    ticker = payload["ticker"]
    return books.tokens[ticker]["deployed"] == height or changed_at(books.entries, ticker, recipient) == height
