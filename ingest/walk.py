"""The compiled walk over a serialised block: where its transactions lie, which are candidates, how they hash.

Nothing here trusts a length: each is compared with what is left before it is used, and a walk that cannot go on
returns one of the negative codes of `FAULTS`.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ingest.candidates import Kind
from ingest.compiled import compiled
from ingest.prefilter import OP_RETURN, output_kind
from ingest.sha256 import PADDING_ROOM, Bytes, double_hash, pad

Rows: TypeAlias = npt.NDArray[np.int64]

HEADER_SIZE: Final = 80
SMALLEST_TRANSACTION: Final = 60
"""Bytes of a transaction with one input, one output and no script."""

START, BODY, BODY_END, END, INPUTS, KIND = range(6)
"""Columns of a transaction's row: offsets of its first byte, its input count (behind marker and flag), the end of its
outputs and its own end; its number of inputs; its `Kind`, 0 when it is no candidate."""
COLUMNS: Final = 6

TRUNCATED: Final = -1
NOT_CANONICAL: Final = -2
TRAILING: Final = -3
MALFORMED: Final = -4
COUNT_DIFFERS: Final = -5
BAD_AMOUNT: Final = -6
SCRIPT_TOO_LONG: Final = -7

FAULTS: Final = {
    TRUNCATED: "a length reaches beyond its end",
    NOT_CANONICAL: "a length is not written in its shortest form",
    TRAILING: "bytes follow its last field",
    MALFORMED: "a transaction has no input, no output or an unknown flag",
    COUNT_DIFFERS: "its spent outputs are not as many as its inputs",
    BAD_AMOUNT: "a spent output's number is out of range",
    SCRIPT_TOO_LONG: "a spent output's script is longer than any that can be spent",
}

_JSON: Final = int(Kind.JSON)


@compiled
def copy_bytes(out: Bytes, at: int, data: Bytes, first: int, last: int) -> int:
    """Copy `data[first:last]` to `out` from `at`; where it ends there. An array assignment costs ten times as much."""
    size = last - first
    target, source = out[at : at + size], data[first:last]
    for i in range(size):
        target[i] = source[i]
    return at + size


@compiled
def compact_size(data: Bytes, position: int) -> tuple[int, int]:
    """The compact-size number at `position`, and where it ends; or a fault and `position`."""
    left = len(data) - position
    if left < 1:
        return TRUNCATED, position
    first = int(data[position])
    if first < 0xFD:
        return first, position + 1
    width = 2 << (first - 0xFD)
    if left < 1 + width:
        return TRUNCATED, position
    value = 0
    for i in range(min(width, 4)):
        value |= int(data[position + 1 + i]) << (8 * i)
    for i in range(4, width):
        if data[position + 1 + i] != 0:
            return TRUNCATED, position
    if value < 0xFD or (width > 2 and value < 1 << (4 * width)):
        return NOT_CANONICAL, position
    return value, position + 1 + width


@compiled
def skip_field(data: Bytes, position: int) -> int:
    """Where the length-prefixed field at `position` ends, or a fault."""
    length, position = compact_size(data, position)
    if length < 0:
        return length
    return position + length if length <= len(data) - position else TRUNCATED


@compiled
def _walk_inputs(block: Bytes, position: int) -> tuple[int, int]:
    """Number of inputs listed at `position`, and where the list ends; or a fault."""
    count, position = compact_size(block, position)
    if count < 0:
        return count, position
    for _ in range(count):
        if len(block) - position < 41:
            return TRUNCATED, position
        position = skip_field(block, position + 36)
        if position < 0:
            return position, 0
        position += 4
    return count, position


@compiled
def _walk_outputs(block: Bytes, position: int) -> tuple[int, int]:
    """The strongest `Kind` among the outputs listed at `position`, and where the list ends; or a fault."""
    count, position = compact_size(block, position)
    if count < 1:
        return (count if count < 0 else MALFORMED), position
    kind = 0
    for _ in range(count):
        if len(block) - position < 9:
            return TRUNCATED, position
        length, start = compact_size(block, position + 8)
        if length < 0:
            return length, start
        if length > len(block) - start:
            return TRUNCATED, start
        position = start + length
        if kind != _JSON and length > 1 and block[start] == OP_RETURN:
            kind = max(kind, output_kind(block[start:position]))
    return kind, position


@compiled
def _walk_witness(block: Bytes, position: int, inputs: int) -> int:
    """Where the witnesses of `inputs` inputs end, or a fault."""
    for _ in range(inputs):
        items, position = compact_size(block, position)
        if items < 0:
            return items
        for _item in range(items):
            position = skip_field(block, position)
            if position < 0:
                return position
    return position


@compiled
def _walk_transaction(block: Bytes, position: int, row: Rows) -> int:
    """Fill the row of the transaction at `position`; where it ends, or a fault."""
    if len(block) - position < SMALLEST_TRANSACTION:
        return TRUNCATED
    body = position + 4
    segregated = block[body] == 0
    if segregated:
        if block[body + 1] != 1:
            return MALFORMED
        body += 2
    inputs, end = _walk_inputs(block, body)
    if inputs < 1:
        return inputs if inputs < 0 else MALFORMED
    kind, end = _walk_outputs(block, end)
    if kind < 0:
        return kind
    row[START], row[BODY], row[BODY_END], row[INPUTS], row[KIND] = position, body, end, inputs, kind
    if segregated:
        end = _walk_witness(block, end, inputs)
        if end < 0:
            return end
    if len(block) - end < 4:
        return TRUNCATED
    row[END] = end + 4
    return end + 4


@compiled
def walk_block(block: Bytes, rows: Rows) -> int:
    """Fill a row for each transaction of `block`; how many there are, or a fault.

    `rows` has room for as many transactions as fit into the block. The coinbase is no candidate (R-CORE-BLK-2).
    """
    if len(block) < HEADER_SIZE:
        return TRUNCATED
    count, position = compact_size(block, HEADER_SIZE)
    if count < 1:
        return count if count < 0 else MALFORMED
    if count > len(rows):
        return TRUNCATED
    for i in range(count):
        position = _walk_transaction(block, position, rows[i])
        if position < 0:
            return position
    rows[0, KIND] = 0
    return count if position == len(block) else TRAILING


@compiled
def _copy_transaction(block: Bytes, row: Rows, whole: bool, out: Bytes, at: int) -> int:
    """Copy the serialisation to `out` from `at`, the `whole` one or that without witness; where it ends there."""
    first, last = (row[START] + 4, row[END] - 4) if whole else (row[BODY], row[BODY_END])
    at = copy_bytes(out, at, block, row[START], row[START] + 4)
    at = copy_bytes(out, at, block, first, last)
    return copy_bytes(out, at, block, row[END] - 4, row[END])


@compiled
def hash_transactions(block: Bytes, rows: Rows, whole: bool, hashes: Bytes, message: Bytes) -> None:
    """Put the hash of each transaction into `hashes`, 32 bytes each in a row: wtxids when `whole`, else txids.

    `message` has room for the longest transaction and its padding.
    """
    for i in range(len(rows)):
        blocks = pad(message, _copy_transaction(block, rows[i], whole, message, 0))
        double_hash(message, blocks, hashes[32 * i : 32 * i + 32])


@compiled
def merkle_root(hashes: Bytes) -> bool:
    """Fold the 32-byte hashes, in place, into the first one: the merkle root. Whether no other list has it.

    Two equal neighbours would hash like one that is repeated to fill its level: no honest block has them.
    """
    pair = np.empty(64 + PADDING_ROOM, np.uint8)
    blocks = pad(pair, 64)
    count, unique = len(hashes) // 32, True
    while count > 1:
        for i in range(0, count, 2):
            left, right = 32 * i, 32 * min(i + 1, count - 1)
            copy_bytes(pair, 0, hashes, left, left + 32)
            copy_bytes(pair, 32, hashes, right, right + 32)
            unique &= left == right or not _equal_halves(pair)
            double_hash(pair, blocks, hashes[16 * i : 16 * i + 32])
        count = (count + 1) // 2
    return unique


@compiled
def _equal_halves(pair: Bytes) -> bool:
    differing = 0
    for i in range(32):
        differing |= pair[i] ^ pair[i + 32]
    return differing == 0


@compiled
def copy_candidates(block: Bytes, rows: Rows, raw: Bytes, ends: Rows) -> None:
    """Append to `raw` each of `rows` as its kind is archived, and note in `ends` where each one ends."""
    used = 0
    for i in range(len(rows)):
        row = rows[i]
        used = _copy_transaction(block, row, row[KIND] == _JSON, raw, used)
        ends[i] = used
