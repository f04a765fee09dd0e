"""The compiled prefilter: which output makes its transaction a candidate (R-CORE-BLK-3)."""

from typing import Final

from ingest.candidates import Kind
from ingest.compiled import compiled
from ingest.sha256 import Bytes

OP_RETURN: Final = 0x6A
_RUNESTONE_TAG: Final = 0x5D
_LAST_PUSH: Final = 0x60
_SHORTEST_JSON: Final = 10
"""Bytes of the shortest script that can carry the text (20 hex digits)."""

_JSON: Final = int(Kind.JSON)
_RUNESTONE: Final = int(Kind.RUNESTONE)


@compiled
def is_nulldata(script: Bytes) -> bool:
    """Whether the node classifies the script as `nulldata`: 0x6a, then push opcodes only, none cut short."""
    size = len(script)
    if size < 1 or script[0] != OP_RETURN:
        return False
    at = 1
    while at < size:
        opcode = int(script[at])
        at += 1
        if opcode > _LAST_PUSH:
            return False
        length = opcode
        if opcode > 0x4E:
            length = 0
        elif opcode > 0x4B:
            width = 1 << (opcode - 0x4C)
            if size - at < width:
                return False
            length = 0
            for i in range(width):
                length |= int(script[at + i]) << (8 * i)
            at += width
        if length > size - at:
            return False
        at += length
    return True


@compiled
def mentions_protocol(script: Bytes) -> bool:
    """Whether the script's hex digits contain `6272632d3230`, at an even place (`brc-20`) or at an odd one."""
    size = len(script)
    if size < _SHORTEST_JSON:
        return False
    for i in range(size - 5):
        if script[i + 1] == 0x72:
            if (
                script[i] == 0x62
                and script[i + 2] == 0x63
                and script[i + 3] == 0x2D
                and script[i + 4] == 0x32
                and script[i + 5] == 0x30
            ):
                return True
        elif (
            script[i + 1] == 0x27
            and i + 6 < size
            and script[i] & 0x0F == 0x06
            and script[i + 2] == 0x26
            and script[i + 3] == 0x32
            and script[i + 4] == 0xD3
            and script[i + 5] == 0x23
            and script[i + 6] & 0xF0 == 0x00
        ):
            return True
    return False


@compiled
def output_kind(script: Bytes) -> int:
    """What an output makes of its transaction by R-CORE-BLK-3: a `Kind`, or 0."""
    if len(script) < 2 or script[0] != OP_RETURN or not is_nulldata(script):
        return 0
    if mentions_protocol(script):
        return _JSON
    return _RUNESTONE if script[1] == _RUNESTONE_TAG else 0
