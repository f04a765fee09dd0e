"""What judging writes down: columns of records, balance events and supplies, filled from the front."""

from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from engine.arena import grown
from engine.compiled import compiled

Numbers = npt.NDArray[np.int32]
Limbs = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Small = npt.NDArray[np.uint8]
T = TypeVar("T", bound=np.generic)


class Records(NamedTuple):
    """One entry a record. Negative numbers are absent."""

    filled: npt.NDArray[np.int64]
    """One element: how many entries are filled."""
    block: Numbers
    """Place of the block in the range."""
    transaction: Numbers
    """Row of the candidate."""
    payload: Numbers
    """Row of the payload's span: of a transaction, or after those of a step."""
    step: Numbers
    vout: Numbers
    operation: Small
    code: Small
    step_code: Small
    valid: Flags
    marketplace: Flags
    multi: Flags
    tags: npt.NDArray[np.uint64]
    ticker: Numbers
    text: Numbers
    amount: Limbs
    has_amount: Flags
    sender: Numbers
    recipient: Numbers


class Events(NamedTuple):
    """One entry a balance event."""

    filled: npt.NDArray[np.int64]
    block: Numbers
    record: Numbers
    """Negative for effects of the block's end."""
    ticker: Numbers
    account: Numbers
    delta: Limbs
    after: Limbs
    cause: Small


class Supplies(NamedTuple):
    """One entry for each ticker whose supply a block changed."""

    filled: npt.NDArray[np.int64]
    block: Numbers
    ticker: Numbers
    minted: Limbs
    burned: Limbs
    rounding: Limbs
    holders: npt.NDArray[np.int64]


class Journal(NamedTuple):
    """The three lists together."""

    records: Records
    events: Events
    supplies: Supplies


def _column(type_: type[T], rows: int) -> npt.NDArray[T]:
    return np.empty(rows, type_)


def _limbs(rows: int) -> Limbs:
    return np.empty((rows, 2), np.uint64)


def open_journal(rows: int) -> Journal:
    """An empty journal with room for `rows` records and what they cause as plain operations."""
    many = 2 * rows
    return Journal(_open_records(rows), _open_events(many), _open_supplies(many))


def _open_records(rows: int) -> Records:
    return Records(
        filled=np.zeros(1, np.int64),
        block=_column(np.int32, rows),
        transaction=_column(np.int32, rows),
        payload=_column(np.int32, rows),
        step=_column(np.int32, rows),
        vout=_column(np.int32, rows),
        operation=_column(np.uint8, rows),
        code=_column(np.uint8, rows),
        step_code=_column(np.uint8, rows),
        valid=_column(np.bool_, rows),
        marketplace=_column(np.bool_, rows),
        multi=_column(np.bool_, rows),
        tags=_column(np.uint64, rows),
        ticker=_column(np.int32, rows),
        text=_column(np.int32, rows),
        amount=_limbs(rows),
        has_amount=_column(np.bool_, rows),
        sender=_column(np.int32, rows),
        recipient=_column(np.int32, rows),
    )


def _open_events(rows: int) -> Events:
    return Events(
        filled=np.zeros(1, np.int64),
        block=_column(np.int32, rows),
        record=_column(np.int32, rows),
        ticker=_column(np.int32, rows),
        account=_column(np.int32, rows),
        delta=_limbs(rows),
        after=_limbs(rows),
        cause=_column(np.uint8, rows),
    )


def _open_supplies(rows: int) -> Supplies:
    return Supplies(
        filled=np.zeros(1, np.int64),
        block=_column(np.int32, rows),
        ticker=_column(np.int32, rows),
        minted=_limbs(rows),
        burned=_limbs(rows),
        rounding=_limbs(rows),
        holders=_column(np.int64, rows),
    )


def with_room(table: Any, rows: int) -> Any:
    """The same list, its columns long enough for `rows` more entries."""
    needed = int(table.filled[0]) + rows
    if needed <= len(table[1]):
        return table
    return type(table)(table.filled, *(grown(column, needed) for column in table[1:]))


def trimmed(table: Any) -> Any:
    """The same list without the room behind its last entry."""
    count = int(table.filled[0])
    return type(table)(table.filled, *(column[:count] for column in table[1:]))


@compiled
def open_record(records: Any, block: Any, transaction: Any, payload: Any, vout: Any, operation: Any) -> Any:
    """Begin the next record, refused and without parties until told otherwise; its number."""
    n = records.filled[0]
    records.filled[0] = n + 1
    records.block[n] = block
    records.transaction[n] = transaction
    records.payload[n] = payload
    records.step[n] = -1
    records.vout[n] = vout
    records.operation[n] = operation
    records.code[n] = 0
    records.step_code[n] = 0
    records.valid[n] = False
    records.marketplace[n] = False
    records.multi[n] = False
    records.tags[n] = 0
    records.ticker[n] = -1
    records.text[n] = -1
    records.amount[n, 0] = np.uint64(0)
    records.amount[n, 1] = np.uint64(0)
    records.has_amount[n] = False
    records.sender[n] = -1
    records.recipient[n] = -1
    return n


@compiled
def set_amount(records: Any, n: Any, amount: Any) -> Any:
    """Give the record an amount (low, high)."""
    records.amount[n, 0] = amount[0]
    records.amount[n, 1] = amount[1]
    records.has_amount[n] = True
