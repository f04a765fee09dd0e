"""The compiled side of `ingest.addresses`: a column of scripts at once."""

from typing import Final

import numpy as np

from ingest.compiled import compiled
from ingest.sha256 import PADDING_ROOM, Bytes, double_hash, pad
from ingest.walk import Rows, copy_bytes

ROOM_BYTE: Final = 2
ROOM_SCRIPT: Final = 12
"""An address has at most ROOM_BYTE characters for each byte of its script, and ROOM_SCRIPT more."""

_BASE58: Final = np.frombuffer(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", np.uint8)
_BECH32: Final = np.frombuffer(b"qpzry9x8gf2tvdw0s3jn54khce6mua7l", np.uint8)
_GENERATOR: Final = np.array([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3], np.int64)
_BECH32M: Final = 0x2BC830A3

_VERSIONED: Final = 25
"""Bytes that base 58 writes: version, hash, four of checksum."""
_LIMBS: Final = 7
_STEP_DIGITS: Final = 5
_STEP: Final = 58**_STEP_DIGITS


@compiled
def _put_base58(payload: Bytes, limbs: Rows, digits: Bytes, text: Bytes, used: int) -> int:
    """Write the 25 bytes of `payload` to `text` from `used`; where they end."""
    limbs[:] = 0
    for i in range(_VERSIONED):
        place = i + 4 * _LIMBS - _VERSIONED
        limbs[place // 4] |= np.int64(payload[i]) << np.int64(8 * (3 - place % 4))
    for step in range(_LIMBS - 1, -1, -1):
        rest = 0
        for i in range(_LIMBS):
            value = (rest << 32) | int(limbs[i])
            limbs[i] = value // _STEP
            rest = value % _STEP
        for i in range(_STEP_DIGITS - 1, -1, -1):
            digits[_STEP_DIGITS * step + i] = rest % 58
            rest //= 58
    zeros = 0
    while zeros < _VERSIONED and payload[zeros] == 0:
        text[used + zeros] = _BASE58[0]
        zeros += 1
    used += zeros
    first = 0
    while first < len(digits) and digits[first] == 0:
        first += 1
    for i in range(first, len(digits)):
        text[used + i - first] = _BASE58[digits[i]]
    return used + len(digits) - first


@compiled
def _put_hash(version: int, hash_: Bytes, payload: Bytes, limbs: Rows, text: Bytes, used: int) -> int:
    """Write a hash of 20 bytes with its version and checksum; where it ends."""
    checksum = np.empty(32, np.uint8)
    payload[0] = version
    copy_bytes(payload, 1, hash_, 0, 20)
    double_hash(payload, pad(payload, 21), checksum)
    copy_bytes(payload, 21, checksum, 0, 4)
    return _put_base58(payload, limbs, np.empty(_LIMBS * _STEP_DIGITS, np.uint8), text, used)


@compiled
def _mixed(checksum: int, digit: int) -> int:
    """The bech32 checksum with one more digit."""
    top = checksum >> 25
    checksum = ((checksum & 0x1FFFFFF) << 5) ^ digit
    for i in range(5):
        if (top >> i) & 1:
            checksum ^= int(_GENERATOR[i])
    return checksum


@compiled
def _prefix_checksum(prefix: Bytes) -> int:
    checksum = 1
    for i in range(len(prefix)):
        checksum = _mixed(checksum, int(prefix[i]) >> 5)
    checksum = _mixed(checksum, 0)
    for i in range(len(prefix)):
        checksum = _mixed(checksum, int(prefix[i]) & 31)
    return checksum


@compiled
def _put_witness(prefix: Bytes, start: int, version: int, program: Bytes, text: Bytes, used: int) -> int:
    """Write a witness program; where it ends. `start` is the checksum of the prefix."""
    used = copy_bytes(text, used, prefix, 0, len(prefix))
    text[used] = ord("1")
    text[used + 1] = _BECH32[version]
    used += 2
    checksum = _mixed(start, version)
    held, bits = 0, 0
    for i in range(len(program)):
        held = ((held << 8) | int(program[i])) & 0xFFF
        bits += 8
        while bits >= 5:
            bits -= 5
            digit = (held >> bits) & 31
            checksum = _mixed(checksum, digit)
            text[used] = _BECH32[digit]
            used += 1
    if bits > 0:
        digit = (held << (5 - bits)) & 31
        checksum = _mixed(checksum, digit)
        text[used] = _BECH32[digit]
        used += 1
    for _ in range(6):
        checksum = _mixed(checksum, 0)
    checksum ^= _BECH32M if version > 0 else 1
    for i in range(6):
        text[used + i] = _BECH32[(checksum >> (5 * (5 - i))) & 31]
    return used + 6


@compiled
def write_addresses(data: Bytes, starts: Rows, prefix: Bytes, p2pkh: int, p2sh: int, text: Bytes, ends: Rows) -> None:
    """Write the address of each script `data[starts[i] : starts[i + 1]]` to `text`, and where it ends to `ends`."""
    payload, limbs = np.empty(_VERSIONED + PADDING_ROOM, np.uint8), np.empty(_LIMBS, np.int64)
    prefix_checksum = _prefix_checksum(prefix)
    used = 0
    for i in range(len(ends)):
        script = data[starts[i] : starts[i + 1]]
        size = len(script)
        if (
            size == 25
            and script[0] == 0x76
            and script[1] == 0xA9
            and script[2] == 20
            and script[23] == 0x88
            and script[24] == 0xAC
        ):
            used = _put_hash(p2pkh, script[3:23], payload, limbs, text, used)
        elif size == 23 and script[0] == 0xA9 and script[1] == 20 and script[22] == 0x87:
            used = _put_hash(p2sh, script[2:22], payload, limbs, text, used)
        elif 4 <= size <= 42 and script[1] == size - 2:
            if script[0] == 0:
                if size == 22 or size == 34:
                    used = _put_witness(prefix, prefix_checksum, 0, script[2:], text, used)
            elif 0x51 <= script[0] <= 0x60:
                used = _put_witness(prefix, prefix_checksum, int(script[0]) - 0x50, script[2:], text, used)
        ends[i] = used
