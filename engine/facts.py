"""The journal of a range as Arrow tables (engine.schemas). Columns share memory with the journal where they can."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.accounts import Accounts
from engine.amounts import decimals
from engine.arena import Bytes
from engine.batch import Batch
from engine.books import Books
from engine.compiled import compiled
from engine.extract import Extracted
from engine.journal import Events, Numbers, Records, Supplies
from engine.schemas import BALANCE_EVENTS, OPERATIONS, SUPPLIES, TOKENS
from engine.tickers import Tickers
from engine.vocabulary import DEPLOY, Divergences, code_words
from engine.vocabulary import OPERATIONS as OPERATION_WORDS
from engine.words import copy

_CODES = code_words()
_OPERATIONS = pa.array(OPERATION_WORDS)


def operations(
    records: Records,
    op_index: Numbers,
    batch: Batch,
    extracted: Extracted,
    times: pa.Array,
    tx_index: Numbers,
    txid: pa.Array,
    senders: pa.Array,
    recipients: pa.Array,
    accounts: Accounts,
    tickers: Tickers,
    divergences: Divergences,
) -> pa.Table:
    """OPERATIONS of the range. `times` is by block, `tx_index` by candidate; `txid` and addresses are by record."""
    return pa.Table.from_arrays(
        [
            pa.array(batch.heights[records.block]),
            pa.array(op_index),
            times.take(pa.array(records.block)),
            pa.array(tx_index[records.transaction]),
            txid,
            pa.array(records.vout),
            optional(records.step),
            _OPERATIONS.take(pa.array(records.operation)),
            tickers.take(records.ticker),
            tickers.take(records.text),
            decimals(records.amount, records.has_amount),
            senders,
            accounts.take_scripts(records.sender),
            recipients,
            accounts.take_scripts(records.recipient),
            pa.array(records.valid),
            _words(_CODES, records.code),
            _words(_CODES, records.step_code),
            divergences.words(records.tags),
            pa.array(records.marketplace),
            pa.array(records.multi),
            _payloads(records.payload, extracted),
        ],
        schema=OPERATIONS,
    )


def balance_events(
    events: Events,
    records: Records,
    op_index: Numbers,
    heights: Numbers,
    tx_index: Numbers,
    accounts: Accounts,
    tickers: Tickers,
    causes: pa.Array,
) -> pa.Table:
    """BALANCE_EVENTS of the range."""
    caused = np.maximum(events.record, 0)
    at_end = events.record < 0
    cause = (
        (np.full(len(at_end), -1, np.int32), np.full(len(at_end), -1, np.int32))
        if not len(op_index)
        else (
            np.where(at_end, np.int32(-1), op_index[caused]),
            np.where(at_end, np.int32(-1), tx_index[records.transaction[caused]]),
        )
    )
    return pa.Table.from_arrays(
        [
            pa.array(heights[events.block]),
            pa.array(place_in_block(events.block)),
            *(optional(column) for column in cause),
            tickers.take(events.ticker),
            accounts.take_addresses(events.account),
            accounts.take_scripts(events.account),
            decimals(events.delta),
            decimals(events.after),
            causes.take(pa.array(events.cause)),
        ],
        schema=BALANCE_EVENTS,
    )


def tokens(
    records: Records,
    op_index: Numbers,
    heights: Numbers,
    times: pa.Array,
    txid: pa.Array,
    books: Books,
    accounts: Accounts,
    tickers: Tickers,
) -> pa.Table:
    """TOKENS deployed in the range."""
    rows = np.flatnonzero((records.operation == DEPLOY) & records.valid & ~records.multi)
    ticker = records.ticker[rows]
    sender = records.sender[rows]
    block = records.block[rows]
    token = books.tokens[ticker]
    return pa.Table.from_arrays(
        [
            tickers.take(ticker),
            decimals(token["maximum"]),
            decimals(token["limit"], token["has_limit"]),
            pa.array(heights[block]),
            pa.array(op_index[rows]),
            txid.take(pa.array(rows)),
            times.take(pa.array(block)),
            accounts.take_addresses(sender),
            accounts.take_scripts(sender),
        ],
        schema=TOKENS,
    )


def supplies(supplies: Supplies, heights: Numbers, tickers: Tickers) -> pa.Table:
    """SUPPLIES of the range."""
    table = pa.Table.from_arrays(
        [
            pa.array(heights[supplies.block]),
            tickers.take(supplies.ticker),
            decimals(supplies.minted),
            decimals(supplies.burned),
            decimals(supplies.rounding),
            pa.array(supplies.holders),
        ],
        schema=SUPPLIES,
    )
    return table.sort_by([("height", "ascending"), ("ticker", "ascending")])


def place_in_block(block: Numbers) -> Numbers:
    """Place of each row among the rows of its block; rows are in the order of blocks."""
    places = np.empty(len(block), np.int32)
    _number(block, places)
    return places


@compiled
def _number(block: Any, places: Any) -> Any:
    first = 0
    for row in range(block.size):
        if block[row] != block[first]:
            first = row
        places[row] = row - first


def optional(numbers: npt.NDArray[np.int32]) -> pa.Array:
    """Numbers as Arrow, null where negative."""
    missing = numbers < 0
    return pa.array(numbers, mask=missing) if missing.any() else pa.array(numbers)


def _words(words: pa.Array, numbers: npt.NDArray[np.unsignedinteger]) -> pa.Array:
    """Words by number; word 0 is null."""
    if not numbers.any():
        return pa.nulls(len(numbers), pa.string())
    return words.take(pa.array(numbers))


def _payloads(rows: Numbers, extracted: Extracted) -> pa.Array:
    """The payload bytes of each record, from the spans of transactions and, after them, steps."""
    starts = np.concatenate([extracted.transactions.payload_at, extracted.steps.payload_at])[rows]
    sizes = np.concatenate([extracted.transactions.payload_size, extracted.steps.payload_size])[rows]
    offsets = np.zeros(len(rows) + 1, np.int32)
    np.cumsum(sizes, out=offsets[1:])
    data = np.empty(int(offsets[-1]), np.uint8)
    _copy(extracted.raw, starts, offsets, data)
    return pa.Array.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


@compiled
def _copy(source: Bytes, starts: npt.NDArray[np.int64], offsets: Numbers, target: Bytes) -> None:
    for row in range(starts.size):
        copy(target, offsets[row], source, starts[row], offsets[row + 1] - offsets[row])
