"""What the rules read in an output script: its first push, its text, its class. Compiled, every read inside bounds."""

from typing import Any, Final

import numpy as np

from engine.compiled import helper

RETURN: Final = 0x6A
RUNESTONE: Final = 0x5D
_LAST_PUSH: Final = 0x60
_SPACED: Final = np.frombuffer(b'"p": "brc-20"', np.uint8)
_TIGHT: Final = np.frombuffer(b'"p":"brc-20"', np.uint8)
_TRANSFER: Final = np.frombuffer(b'"op":"transfer"', np.uint8)
_WRAPPED: Final = np.frombuffer(b"[W|BTC|M]", np.uint8)


@helper
def same(data: Any, at: Any, size: Any, other: Any, other_at: Any, other_size: Any) -> Any:
    """Whether two spans hold equal bytes."""
    if size != other_size:
        return False
    for k in range(size):  # noqa: SIM110 - a generator does not compile
        if data[at + k] != other[other_at + k]:
            return False
    return True


@helper
def is_return(data: Any, at: Any, length: Any) -> Any:
    """Whether the script begins with OP_RETURN."""
    return length > 0 and data[at] == RETURN


@helper
def push(data: Any, at: Any, end: Any) -> Any:
    """(start, length) of the data pushed by the opcode at `at`, length -1 when it pushes none (R-CORE-OPR-1)."""
    if at >= end:
        return at, -1
    opcode = int(data[at])
    width = 0
    if 0x4C <= opcode <= 0x4E:
        width = 1 << (opcode - 0x4C)
    elif not 0x01 <= opcode <= 0x4B:
        return at, -1
    start = at + 1 + width
    if start > end:
        return at, -1
    length = np.int64(opcode)
    if width:
        length = np.int64(0)
        for k in range(width):
            length |= np.int64(data[at + 1 + k]) << (8 * k)
    if length > end - start:
        return at, -1
    return start, length


@helper
def is_nulldata(data: Any, at: Any, length: Any) -> Any:
    """Whether everything after OP_RETURN parses as pushes."""
    if not is_return(data, at, length):
        return False
    end = at + length
    at += 1
    while at < end:
        opcode = data[at]
        if opcode > _LAST_PUSH:
            return False
        if opcode == 0 or opcode > 0x4E:
            at += 1
            continue
        start, size = push(data, at, end)
        if size < 0:
            return False
        at = start + size
    return True


@helper
def has_address(data: Any, at: Any, length: Any) -> Any:
    """Whether a node prints an address for the script (R-CORE-ADDR-1)."""
    if length == 25 and data[at] == 0x76 and data[at + 1] == 0xA9 and data[at + 2] == 0x14:
        return data[at + 23] == 0x88 and data[at + 24] == 0xAC
    if length == 23 and data[at] == 0xA9 and data[at + 1] == 0x14 and data[at + 22] == 0x87:
        return True
    if length < 4 or length > 42 or np.int64(data[at + 1]) + 2 != length:
        return False
    if data[at] == 0:
        return length == 22 or length == 34
    return 0x51 <= data[at] <= 0x60


@helper
def sequence(data: Any, at: Any, end: Any) -> Any:
    """Length of the well-formed UTF-8 sequence at `at`, 0 when there is none."""
    lead = data[at]
    if lead < 0x80:
        return 1
    if lead < 0xC2 or lead > 0xF4:
        return 0
    length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if at + length > end:
        return 0
    second = data[at + 1]
    low = 0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80
    high = 0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF
    if second < low or second > high:
        return 0
    for k in range(2, length):
        if data[at + k] & 0xC0 != 0x80:
            return 0
    return length


@helper
def is_utf8(data: Any, at: Any, end: Any) -> Any:
    """Whether the bytes are strictly valid UTF-8."""
    while at < end:
        length = sequence(data, at, end)
        if length == 0:
            return False
        at += length
    return True


@helper
def contains(data: Any, at: Any, end: Any, text: Any) -> Any:
    """Whether the bytes, decoded as UTF-8 with undecodable ones dropped, contain the ASCII `text`.

    An undecodable byte vanishes, so a match steps over it; a decodable character ends the match.
    """
    for first in range(at, end - text.size + 1):
        if data[first] != text[0]:
            continue
        k = 1
        here = first + 1
        while k < text.size and here < end:
            if data[here] == text[k]:
                k += 1
            elif data[here] < 0x80 or sequence(data, here, end) > 0:
                break
            here += 1
        if k == text.size:
            return True
    return False


@helper
def has_marker(data: Any, at: Any, end: Any) -> Any:
    """Whether the text says that it is BRC-20, in one of the two spellings (R-CORE-OPR-2.3)."""
    return contains(data, at, end, _TIGHT) or contains(data, at, end, _SPACED)


@helper
def is_step(data: Any, at: Any, end: Any) -> Any:
    """Whether the payload makes its output a step of a multi-transfer (R-CORE-MULTI-1)."""
    return contains(data, at, end, _TIGHT) and contains(data, at, end, _TRANSFER) and is_utf8(data, at, end)


@helper
def is_wrapped_mint(data: Any, at: Any, end: Any) -> Any:
    """Whether the payload begins with the abandoned marker of R-CORE-OPR-2.4."""
    if end - at < _WRAPPED.size:
        return False
    return same(data, at, _WRAPPED.size, _WRAPPED, 0, _WRAPPED.size)
