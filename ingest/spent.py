"""The compiled walk over the outputs that a block spends, in either form, to one and the same serialisation.

The node's undo data is compressed: amounts as decimal mantissa and exponent, scripts of the usual kinds as their hash
or the x coordinate of their key.
"""

from typing import Final

import numpy as np

from ingest.candidates import Kind
from ingest.compiled import compiled
from ingest.sha256 import Bytes
from ingest.walk import (
    BAD_AMOUNT,
    COUNT_DIFFERS,
    INPUTS,
    KIND,
    SCRIPT_TOO_LONG,
    TRAILING,
    TRUNCATED,
    Rows,
    compact_size,
    copy_bytes,
)

GROWTH: Final = 3
"""Bytes that a byte of undo data can become at most: the 3 of an output with an empty script become 9."""

_JSON: Final = int(Kind.JSON)
_LONGEST_SCRIPT: Final = 10_000
_MOST_SATOSHI: Final = np.uint64(21_000_000 * 10**8)
_KEY_HASH, _SCRIPT_HASH, _SPECIAL = 0, 1, 6
_FIELD: Final = 2**256 - 2**32 - 977
"""Prime of the field that keys' coordinates belong to."""


@compiled
def _variable(data: Bytes, position: int) -> tuple[np.uint64, int]:
    """The number at `position` in the node's base-128 form, and where it ends; or 0 and a fault."""
    value = np.uint64(0)
    while position < len(data):
        byte = np.uint64(data[position])
        position += 1
        if value > np.uint64(0x01FF_FFFF_FFFF_FFFE):
            return np.uint64(0), BAD_AMOUNT
        value = (value << np.uint64(7)) | (byte & np.uint64(0x7F))
        if byte < np.uint64(0x80):
            return value, position
        value += np.uint64(1)
    return np.uint64(0), TRUNCATED


@compiled
def _amount(compressed: np.uint64) -> np.uint64:
    """The amount in satoshi behind its compressed form; some number above _MOST_SATOSHI when it is too large."""
    one, nine, ten = np.uint64(1), np.uint64(9), np.uint64(10)
    if compressed == np.uint64(0):
        return np.uint64(0)
    rest = compressed - one
    exponent = int(rest % ten)
    rest //= ten
    if exponent < 9:
        digit = rest % nine + one
        value = rest // nine * ten + digit
    else:
        value = rest + one
    for _ in range(exponent):
        if value > _MOST_SATOSHI:
            break
        value *= ten
    return value


@compiled
def _put_amount(out: Bytes, used: int, amount: np.uint64) -> None:
    for i in range(8):
        out[used + i] = np.uint8((amount >> np.uint64(8 * i)) & np.uint64(0xFF))


@compiled
def _put_script(data: Bytes, position: int, form: int, out: Bytes, used: int) -> int:
    """Write the length and script that `form` says the compressed bytes at `position` stand for; where they end.

    Of an uncompressed key only x is stored: the last bit of y is left in the place of y's first byte.
    """
    if form == _KEY_HASH:
        out[used], out[used + 1], out[used + 2], out[used + 3] = 25, 0x76, 0xA9, 20
        copy_bytes(out, used + 4, data, position, position + 20)
        out[used + 24], out[used + 25] = 0x88, 0xAC
        return used + 26
    if form == _SCRIPT_HASH:
        out[used], out[used + 1], out[used + 2] = 23, 0xA9, 20
        copy_bytes(out, used + 3, data, position, position + 20)
        out[used + 23] = 0x87
        return used + 24
    if form < 4:
        out[used], out[used + 1], out[used + 2] = 35, 33, form
        copy_bytes(out, used + 3, data, position, position + 32)
        out[used + 35] = 0xAC
        return used + 36
    if form < _SPECIAL:
        out[used], out[used + 1], out[used + 2] = 67, 65, 4
        copy_bytes(out, used + 3, data, position, position + 32)
        out[used + 35 : used + 67] = 0
        out[used + 35] = form & 1
        out[used + 67] = 0xAC
        return used + 68
    length = form - _SPECIAL
    out[used] = length if length < 0xFD else 0xFD
    used += 1
    if length >= 0xFD:
        out[used], out[used + 1] = length & 0xFF, length >> 8
        used += 2
    return copy_bytes(out, used, data, position, position + length)


@compiled
def _undo_output(data: Bytes, position: int, wanted: bool, out: Bytes, used: int) -> tuple[int, int, bool]:
    """Read one output of an undo record; where it ends or a fault, where `out` ends, and whether y is missing."""
    origin, position = _variable(data, position)
    if position >= 0 and origin > np.uint64(1):
        _, position = _variable(data, position)
    if position < 0:
        return position, used, False
    compressed, position = _variable(data, position)
    if position < 0:
        return position, used, False
    number, position = _variable(data, position)
    if position < 0:
        return position, used, False
    if number > np.uint64(_LONGEST_SCRIPT + _SPECIAL):
        return SCRIPT_TOO_LONG, used, False
    form = int(number)
    stored = form - _SPECIAL
    if form < _SPECIAL:
        stored = 20 if form < 2 else 32
    if stored > len(data) - position:
        return TRUNCATED, used, False
    if wanted:
        amount = _amount(compressed)
        if amount > _MOST_SATOSHI:
            return BAD_AMOUNT, used, False
        _put_amount(out, used, amount)
        used = _put_script(data, position, form, out, used + 8)
    return position + stored, used, wanted and 4 <= form < _SPECIAL


@compiled
def walk_undo(data: Bytes, rows: Rows, out: Bytes, ends: Rows, keys: Rows) -> tuple[int, int]:
    """Write the outputs spent by the JSON candidates among `rows` to `out`, and where each candidate's end to `ends`.

    `rows` are all transactions of the block. `keys` gets the offsets in `out` at which a y coordinate is missing; how
    many there are is returned behind 0 or a fault.
    """
    count, position = compact_size(data, 0)
    if count < 0:
        return count, 0
    if count != len(rows) - 1:
        return COUNT_DIFFERS, 0
    used, candidates, missing = 0, 0, 0
    for i in range(1, len(rows)):
        outputs, position = compact_size(data, position)
        if outputs < 0:
            return outputs, 0
        if outputs != rows[i, INPUTS]:
            return COUNT_DIFFERS, 0
        wanted = rows[i, KIND] == _JSON
        for _ in range(outputs):
            position, used, lacks_y = _undo_output(data, position, wanted, out, used)
            if position < 0:
                return position, 0
            if lacks_y:
                keys[missing] = used - 33
                missing += 1
        if rows[i, KIND] != 0:
            ends[candidates] = used
            candidates += 1
    return (0 if position == len(data) else TRAILING), missing


@compiled
def walk_txouts(data: Bytes, rows: Rows, out: Bytes, ends: Rows) -> int:
    """As `walk_undo`, from plain outputs; the coinbase has an empty list of its own."""
    count, position = compact_size(data, 0)
    if count < 0:
        return count
    if count != len(rows):
        return COUNT_DIFFERS
    used, candidates = 0, 0
    for i in range(len(rows)):
        outputs, position = compact_size(data, position)
        if outputs < 0:
            return outputs
        if outputs != (rows[i, INPUTS] if i > 0 else 0):
            return COUNT_DIFFERS
        first = position
        for _ in range(outputs):
            if len(data) - position < 9:
                return TRUNCATED
            length, position = compact_size(data, position + 8)
            if length < 0:
                return length
            if length > len(data) - position:
                return TRUNCATED
            position += length
        if rows[i, KIND] == _JSON:
            used = copy_bytes(out, used, data, first, position)
        if rows[i, KIND] != 0:
            ends[candidates] = used
            candidates += 1
    return 0 if position == len(data) else TRAILING


def complete_key(x: bytes, odd: bool) -> bytes | None:
    """The y coordinate, 32 bytes, of the key with this x; None when the curve has no such point."""
    number = int.from_bytes(x, "big")
    square = (pow(number, 3, _FIELD) + 7) % _FIELD
    y = pow(square, (_FIELD + 1) // 4, _FIELD)
    if number >= _FIELD or y * y % _FIELD != square:
        return None
    return (y if y % 2 == odd else _FIELD - y).to_bytes(32, "big")
