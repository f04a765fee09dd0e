"""The verdicts: one sequential pass over a range in processing order (R-CORE-BLK-4, R-CORE-BLK-5).

Everything that does not depend on order was decided before: payloads are parsed, scripts and tickers are numbers.
"""

from typing import Any, Final

import numpy as np

from engine.amounts import ONE
from engine.books import INEXACT, USED, Place
from engine.compiled import compiled, helper
from engine.extract import JSON, MULTI, NOTHING
from engine.journal import open_record, set_amount
from engine.marketplace import MARKETPLACE, SIMPLE
from engine.multi import INTERRUPTED, JUDGED, judge_multi
from engine.operations import INVALID_OPERATION, RESERVED, burn, deploy, mint, mint_stones, transfer
from engine.payloads import SILENT
from engine.supplies import close_block
from engine.vocabulary import (
    BURN,
    D2,
    D3,
    D5,
    DEPLOY,
    INVALID,
    MINT,
    MINT_STONES,
    SWAP_INIT,
    TRANSFER,
)

DONE: Final = 0
NEEDS_ROOM: Final = 10
"""The table of balances is full: make it larger and go on at the same position."""
MODULE_OPERATION: Final = 11
"""The operation at the position is for modules to judge."""
BLOCK_END: Final = 12
"""Every operation of the current block is judged; modules may act before it is closed."""

ENTRIES_A_STEP: Final = 2
_ONE: Final = np.uint64(ONE)


@compiled
def run(
    batch: Any,
    payloads: Any,
    books: Any,
    journal: Any,
    stones_height: Any,
    block: Any,
    position: Any,
    handover: Any,
    declined: Any,
) -> Any:
    """Judge from `position` of the order, in `block`, until something needs the caller: (status, block, position).

    With `handover` operations for modules and ends of blocks are the caller's, except the operation at position
    `declined`, which no module wants; without, both are dealt with here. Two more states are the caller's, both perhaps
    in the middle of a multi-transfer: INTERRUPTED and MODULE_STEP (`engine.multi`).
    """
    room = books.entries.size * 2 // 3
    while position < batch.order.size or block < batch.heights.size:
        if books.counts[INEXACT]:
            return INTERRUPTED, block, position
        if position == batch.order.size or batch.block[batch.order[position]] > block:
            if handover:
                return BLOCK_END, block, position
            close_block(books, journal.supplies, block, batch.heights[block])
            block += 1
            continue
        tx = batch.order[position]
        if books.counts[USED] + ENTRIES_A_STEP * max(1, batch.steps[tx]) > room:
            return NEEDS_ROOM, block, position
        height = batch.heights[block]
        form = batch.form[tx]
        if form == JSON:
            status = _judge_json(batch, payloads, books, journal, block, height, tx, handover and position != declined)
            if status != DONE:
                return status, block, position
        elif form == MULTI:
            status = judge_multi(batch, payloads, books, journal, block, height, tx, handover)
            if status != JUDGED:
                return status, block, position
        elif form != NOTHING and height >= stones_height:
            _judge_stones(batch, books, journal, block, height, tx)
        position += 1
    return DONE, block, position


@helper
def _judge_stones(batch: Any, books: Any, journal: Any, block: Any, height: Any, tx: Any) -> Any:
    """R-CORE-STONE-*."""
    records = journal.records
    recipient = batch.recipient[tx]
    place = Place(block, height, records.filled[0])
    code, tags = mint_stones(books, journal.events, place, batch.stones, recipient, batch.differs[tx], _ONE)
    n = open_record(records, block, tx, tx, batch.vout[tx], MINT_STONES)
    records.valid[n] = code == 0
    records.code[n] = code
    records.tags[n] = tags
    records.ticker[n] = batch.stones
    records.text[n] = batch.stones
    records.recipient[n] = recipient
    set_amount(records, n, (_ONE, np.uint64(0)))


@helper
def _judge_json(
    batch: Any, payloads: Any, books: Any, journal: Any, block: Any, height: Any, tx: Any, handover: Any
) -> Any:
    """Judge a transaction with one JSON operation and write its record (R-CORE-ORDER-1)."""
    payload = payloads[batch.payload[tx]]
    records = journal.records
    if payload["code"] == SILENT:
        return DONE
    if payload["code"]:
        n = open_record(records, block, tx, tx, batch.vout[tx], INVALID)
        records.code[n] = payload["code"]
        records.tags[n] = D2 if payload["is_test"] else 0
        return DONE
    operation = payload["operation"]
    market = batch.market[tx] if operation == TRANSFER else SIMPLE
    sender = batch.buyer[tx] if market != SIMPLE and batch.buyer[tx] >= 0 else batch.sender[tx]
    recipient = batch.recipient[tx]
    place = Place(block, height, records.filled[0])
    if operation == MINT:
        code, tags = mint(books, journal.events, place, payload, recipient, handover)
    elif operation == TRANSFER:
        code, tags = transfer(books, journal.events, place, payload, sender, recipient, market)
    elif operation == DEPLOY:
        code, tags = deploy(books, place, payload)
    elif operation == BURN:
        code, tags = burn(books, payload, batch.has_standard[tx])
    else:
        code, tags = RESERVED, 0
    if code == RESERVED:
        if handover:
            return MODULE_OPERATION
        code = INVALID_OPERATION
    n = open_record(records, block, tx, tx, batch.vout[tx], operation)
    records.valid[n] = code == 0
    records.code[n] = code
    records.marketplace[n] = code == 0 and market == MARKETPLACE
    _describe(records, books, n, payload, sender, recipient)
    records.tags[n] |= np.uint64(tags)
    return DONE


@helper
def _describe(records: Any, books: Any, n: Any, payload: Any, sender: Any, recipient: Any) -> Any:
    """Ticker, amount and parties of the record, valid or not (R-CORE-REC-4, R-CORE-AMT-5)."""
    operation = payload["operation"]
    is_wrapped = payload["is_wrapped"]
    records.sender[n] = sender
    if operation < SWAP_INIT:
        records.ticker[n] = payload["ticker"]
        records.text[n] = payload["ticker"]
        records.recipient[n] = -1 if operation == BURN and is_wrapped else recipient
        if operation == MINT and is_wrapped and books.tokens[payload["ticker"]]["is_wrap"]:
            records.sender[n] = -1
        if payload["is_hazard"] and operation != BURN:
            records.tags[n] |= np.uint64(D5)
    if operation == DEPLOY:
        return
    if payload["unstorable"] and operation < SWAP_INIT:
        records.tags[n] |= np.uint64(D3)
    if records.valid[n]:
        set_amount(records, n, payload["amount"])
    elif payload["has_recorded"]:
        set_amount(records, n, payload["recorded"])
