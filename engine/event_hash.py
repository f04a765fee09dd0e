"""Canonical text of records and its hashes: equal hashes, equal history.

One line a record, `\\n` between lines and none at the end, UTF-8; what is absent is empty; eight decimals an amount.
Event line, of valid records: `operation;txid;vout;ticker;amount;from;to`.
Record text: the event hash, then of every record the line `valid;step;code;step_code`, to which a refused one adds its
event line. So what is valid is digested once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.amounts import ONE
from engine.arena import Arena, Bytes, blobs
from engine.compiled import compiled, helper
from engine.journal import Records
from engine.tickers import Tickers
from engine.vocabulary import CODES, OPERATIONS
from engine.words import copy
from ingest.networks import DECIMALS

_ROOM: Final = 250
"""Bytes that a line needs at most beside its ticker and addresses."""
_SEPARATOR: Final = np.uint8(ord(";"))
_NEWLINE: Final = np.uint8(ord("\n"))
_ZERO: Final = np.uint8(ord("0"))
_TXID: Final = 64
_BILLION: Final = np.uint64(10**9)
_TOKEN: Final = np.uint64(ONE)
_TEN: Final = np.uint64(10)
_WORD: Final = np.uint64(32)
_LOW: Final = np.uint64(0xFFFFFFFF)


class Strings(NamedTuple):
    """Strings for kernels, by number."""

    offsets: npt.NDArray[np.int64]
    data: Bytes


def _strings(arena: Arena) -> Strings:
    return Strings(arena.offsets, arena.data)


def _column(strings: pa.Array) -> Strings:
    """One string a record, empty where it is null."""
    data, offsets = blobs(strings)
    return Strings(offsets, data)


def _words(words: Sequence[str]) -> Strings:
    arena = Arena()
    for word in words:
        arena.append(word.encode())
    return _strings(arena)


_OPERATIONS: Final = _words(OPERATIONS)
_CODES: Final = _words(["", *CODES])


Hashes = tuple[list[str], list[str]]
"""(event hash, record hash) of each block of a range, as hex."""


class Scratch:
    """Memory for the two texts of a range, used again by the next one: fresh pages cost more than writing them."""

    def __init__(self) -> None:
        self._texts = [np.empty(0, np.uint8) for _ in range(2)]

    def texts(self, size: int) -> list[Bytes]:
        """Two arrays of at least `size` bytes."""
        if size > len(self._texts[0]):
            self._texts = [np.empty(size, np.uint8) for _ in range(2)]
        return self._texts


def block_hashes(
    scratch: Scratch,
    records: Records,
    txids: Bytes,
    senders: pa.Array,
    recipients: pa.Array,
    tickers: Tickers,
    blocks: int,
    closing: Mapping[int, str],
) -> Hashes:
    """The hashes of the range's blocks.

    `txids` holds 64 characters a record, `senders` and `recipients` are addresses by record; `closing` has the lines
    that a block's end adds to its event text.
    """
    lengths = tickers.texts.lengths(records.text)
    from_, to = _column(senders), _column(recipients)
    size = int(lengths.sum()) + len(from_.data) + len(to.data) + len(lengths) * _ROOM
    events, lines = scratch.texts(size)
    event_ends, line_ends = (np.zeros(blocks + 1, np.int64) for _ in range(2))
    texts = _strings(tickers.texts)
    _write(records, txids, texts, from_, to, _OPERATIONS, _CODES, events, event_ends, lines, line_ends)
    event_hashes = _digests(events, event_ends, {}, closing)
    return event_hashes, _digests(lines, line_ends, dict(enumerate(event_hashes)), {})


def cumulative_hash(previous: str, event_hash: str) -> str:
    """SHA-256 of the previous cumulative hash followed by the block's event hash, as hex."""
    return hashlib.sha256((previous + event_hash).encode()).hexdigest()


def _digests(
    text: Bytes, ends: npt.NDArray[np.int64], opening: Mapping[int, str], closing: Mapping[int, str]
) -> list[str]:
    """By block, of the lines of `text` between those of `opening` and `closing`; an empty part is no line."""
    view = text.data
    digests = []
    for block in range(len(ends) - 1):
        digest = hashlib.sha256()
        parts = (
            opening.get(block, "").encode(),
            view[ends[block] : max(ends[block + 1] - 1, ends[block])],
            (closing.get(block, "").encode()),
        )
        for place, part in enumerate(part for part in parts if len(part)):
            digest.update(b"\n" * (place > 0))
            digest.update(part)
        digests.append(digest.hexdigest())
    return digests


@compiled
def _write(
    records: Any,
    txids: Any,
    tickers: Any,
    senders: Any,
    recipients: Any,
    operations: Any,
    codes: Any,
    events: Any,
    event_ends: Any,
    lines: Any,
    line_ends: Any,
) -> Any:
    """Write both texts, a newline after each line; `ends[block + 1]` is where the block's lines end."""
    at = np.int64(0)
    event_at = np.int64(0)
    block = 0
    for n in range(records.block.size):
        while block < records.block[n]:
            block += 1
            line_ends[block] = at
            event_ends[block] = event_at
        at = _integer(lines, at, np.uint64(records.valid[n]))
        at = _optional_integer(lines, at, records.step[n])
        at = _string(lines, at, codes, records.code[n])
        at = _string(lines, at, codes, records.step_code[n])
        if records.valid[n]:
            event_at = _event(events, event_at, n, records, txids, tickers, senders, recipients, operations)
        else:
            at = _event(lines, at, n, records, txids, tickers, senders, recipients, operations)
        lines[at - 1] = _NEWLINE
    while block + 1 < line_ends.size:
        block += 1
        line_ends[block] = at
        event_ends[block] = event_at


@helper
def _event(
    text: Any,
    at: Any,
    n: Any,
    records: Any,
    txids: Any,
    tickers: Any,
    senders: Any,
    recipients: Any,
    operations: Any,
) -> Any:
    """Append the event line of record `n`, with a newline."""
    at = _string(text, at, operations, records.operation[n])
    copy(text, at, txids, n * _TXID, _TXID)
    text[at + _TXID] = _SEPARATOR
    at = _integer(text, at + _TXID + 1, np.uint64(records.vout[n]))
    at = _string(text, at, tickers, records.text[n])
    at = _amount(text, at, records.amount[n, 0], records.amount[n, 1], records.has_amount[n])
    at = _string(text, at, senders, n)
    at = _string(text, at, recipients, n)
    text[at - 1] = _NEWLINE
    return at


@helper
def _string(text: Any, at: Any, strings: Any, number: Any) -> Any:
    """Append the string so numbered, none for a negative number, and a separator."""
    if number >= 0:
        start = strings.offsets[number]
        size = strings.offsets[number + 1] - start
        copy(text, at, strings.data, start, size)
        at += size
    text[at] = _SEPARATOR
    return at + 1


@helper
def _digits(text: Any, at: Any, number: Any, width: Any) -> Any:
    """Append the lowest `width` digits."""
    for k in range(width - 1, -1, -1):
        text[at + k] = _ZERO + np.uint8(number % _TEN)
        number = number // _TEN
    return at + width


@helper
def _width(number: Any) -> Any:
    width = 1
    while number >= _TEN:
        number = number // _TEN
        width += 1
    return width


@helper
def _integer(text: Any, at: Any, number: Any) -> Any:
    at = _digits(text, at, number, _width(number))
    text[at] = _SEPARATOR
    return at + 1


@helper
def _optional_integer(text: Any, at: Any, number: Any) -> Any:
    if number < 0:
        text[at] = _SEPARATOR
        return at + 1
    return _integer(text, at, np.uint64(number))


@helper
def _amount(text: Any, at: Any, low: Any, high: Any, present: Any) -> Any:
    """Append a signed 128-bit number of units as tokens with eight decimals, and a separator."""
    if present:
        if high >> np.uint64(63):
            text[at] = np.uint8(ord("-"))
            at += 1
            high = ~high + (np.uint64(1) if low == np.uint64(0) else np.uint64(0))
            low = ~low + np.uint64(1)
        at = _decimal(text, at, low, high)
    text[at] = _SEPARATOR
    return at + 1


@helper
def _decimal(text: Any, at: Any, low: Any, high: Any) -> Any:
    """Append whole tokens, a dot, and eight digits."""
    high, low, fraction = _divide(high, low, _TOKEN)
    if high == np.uint64(0):
        at = _digits(text, at, low, _width(low))
    else:
        high, low, last = _divide(high, low, _BILLION)
        _, first, middle = _divide(high, low, _BILLION)
        at = _digits(text, at, first, _width(first))
        at = _digits(text, at, middle, 9)
        at = _digits(text, at, last, 9)
    text[at] = np.uint8(ord("."))
    return _digits(text, at + 1, fraction, DECIMALS)


@helper
def _divide(high: Any, low: Any, by: Any) -> Any:
    """(quotient high, quotient low, remainder) of a 128-bit number by one below 2^32, in steps of 32 bits."""
    middle = (high % by) << _WORD | low >> _WORD
    bottom = (middle % by) << _WORD | (low & _LOW)
    return high // by, (middle // by) << _WORD | bottom // by, bottom % by
