"""Multi-transfers (R-CORE-MULTI-3 to R-CORE-MULTI-6), compiled."""

from typing import Any, Final

import numpy as np

from engine.amounts import exceeds, subtract
from engine.compiled import helper
from engine.journal import open_record, set_amount
from engine.ledger import Place, balance, changed_at
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


@helper
def judge_multi(batch: Any, payloads: Any, books: Any, journal: Any, block: Any, height: Any, tx: Any) -> Any:
    """Judge one multi-transfer and write its records, or none (R-CORE-REC-5)."""
    first = batch.first_step[tx]
    last = first + batch.steps[tx]
    for step in range(first, last):
        if payloads[batch.step_payload[step]]["poisons"]:
            return
    if batch.structure[tx]:
        _refuse(batch, journal.records, block, tx, batch.structure[tx], -1)
        return
    upper = -1
    mixed = False
    summable = True
    for step in range(first, last):
        payload = payloads[batch.step_payload[step]]
        if payload["code"]:
            if payload["has_no_ticker"]:
                return
            continue
        mixed = mixed or (upper >= 0 and payload["upper"] != upper)
        upper = payload["upper"]
        summable = summable and payload["is_summable"]
    if upper < 0:
        _refuse(batch, journal.records, block, tx, _MISSING_TICKER, batch.multiple)
    elif mixed:
        _refuse(batch, journal.records, block, tx, _MIXED_TICKERS, batch.multiple)
    elif summable and not batch.overflows[tx]:
        _judge_steps(batch, payloads, books, journal, block, height, tx)


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
def _judge_steps(batch: Any, payloads: Any, books: Any, journal: Any, block: Any, height: Any, tx: Any) -> Any:
    records = journal.records
    first = batch.first_step[tx]
    count = np.int64(batch.steps[tx])
    sender = batch.sender[tx]
    _note_changes(batch, payloads, books, height, first, count, sender)
    left_low, left_high = np.uint64(0), np.uint64(0)
    opened = False
    first_record = records.filled[0]
    stopped = False
    differs = False
    for number in range(count):
        step = first + number
        payload = payloads[batch.step_payload[step]]
        recipient = batch.step_recipient[step]
        n = open_record(records, block, tx, batch.block.size + step, batch.step_vout[step], INVALID)
        records.multi[n] = True
        records.step[n] = number
        if payload["code"]:
            records.step_code[n] = 0 if payload["code"] == SILENT else payload["code"]
            records.tags[n] = D2 if payload["is_test"] else 0
            continue
        _describe(records, n, payload, sender, recipient)
        code = INSUFFICIENT_BALANCE if stopped else _refusal(books, payload, sender, recipient)
        if not stopped and (code == 0 or code == INSUFFICIENT_BALANCE):
            if not opened:
                left_low, left_high = balance(books.entries, payload["ticker"], sender)
                opened = True
            beyond = exceeds(payload["amount"][0], payload["amount"][1], left_low, left_high)
            differs = differs or beyond
            if not beyond:
                left_low, left_high = subtract(left_low, left_high, payload["amount"][0], payload["amount"][1])
        stopped = stopped or code == INSUFFICIENT_BALANCE
        records.step_code[n] = code
        if code == 0:
            differs = differs or _differs(batch, books, payload, step, sender, recipient, height)
            records.valid[n] = True
            if payload["operation"] != DEPLOY:
                set_amount(records, n, payload["amount"])
            if payload["excess"]:
                records.tags[n] |= np.uint16(D23)
            move(books, journal.events, Place(block, height, n), payload, sender, recipient)
    if differs:
        for n in range(first_record, records.filled[0]):
            records.tags[n] |= np.uint16(D1)


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
        records.tags[n] |= np.uint16(D5)
    if operation == DEPLOY:
        return
    if payload["has_recorded"]:
        set_amount(records, n, payload["recorded"])
    if payload["unstorable"]:
        records.tags[n] |= np.uint16(D3)


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
