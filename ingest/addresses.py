"""Address text of output scripts, as the node prints it (R-CORE-ADDR-1), and back.

An address belongs to a script of one of three forms: key hash, script hash, or a witness program that its version
admits. Version 0 admits 20 and 32 bytes; of the others any length from 2 to 40 has an address, known to have a meaning
or not.
"""

from typing import Final, TypeVar

import base58
import bech32
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest.address_kernel import ROOM_BYTE, ROOM_SCRIPT, write_addresses
from ingest.networks import Network

N = TypeVar("N", np.uint8, np.int64)

_BECH32M: Final = 0x2BC830A3
"""What the checksum of a witness version above 0 comes out as; of version 0 it is 1."""

_LONGEST_BECH32: Final = 90


class BadAddress(ValueError):
    """The text is no address of the network; the message says why."""


def address_of(script: bytes, network: Network) -> str | None:
    """Address of an output script; None for one that has no address (bare keys, multisig, OP_RETURN, non-standard)."""
    if len(script) == 25 and script.startswith(b"\x76\xa9\x14") and script.endswith(b"\x88\xac"):
        return base58.b58encode_check(bytes([network.p2pkh_version]) + script[3:23]).decode()
    if len(script) == 23 and script.startswith(b"\xa9\x14") and script.endswith(b"\x87"):
        return base58.b58encode_check(bytes([network.p2sh_version]) + script[2:22]).decode()
    if 4 <= len(script) <= 42 and script[1] == len(script) - 2:
        if script[0] == 0 and len(script) in (22, 34):
            return _witness_address(network.bech32_prefix, 0, script[2:])
        if 0x51 <= script[0] <= 0x60:
            return _witness_address(network.bech32_prefix, script[0] - 0x50, script[2:])
    return None


def addresses_of(scripts: pa.Array, network: Network) -> pa.Array:
    """As `address_of` for a whole column: binary or large_binary in, string out, null where there is no address."""
    scripts = pc.fill_null(scripts, b"").cast(pa.large_binary())
    count = len(scripts)
    _, offsets, data = scripts.buffers()
    starts = _view(offsets, np.int64)[scripts.offset : scripts.offset + count + 1]
    size = int(starts[-1] - starts[0]) if count else 0
    text = np.empty(ROOM_BYTE * size + ROOM_SCRIPT * count, np.uint8)
    ends = np.zeros(count + 1, np.int64)
    prefix = np.frombuffer(network.bech32_prefix.encode(), np.uint8)
    write_addresses(_view(data, np.uint8), starts, prefix, network.p2pkh_version, network.p2sh_version, text, ends[1:])
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(text[: ends[-1]].copy())]
    written = pa.Array.from_buffers(pa.large_string(), count, buffers).cast(pa.string())
    return pc.if_else(pc.not_equal(pc.binary_length(written), 0), written, None)


def address_to_script(text: str, network: Network) -> bytes:
    """Output script of an address, whose checksum and network are checked. Raises `BadAddress`."""
    if not text.isascii():
        raise BadAddress("it holds characters that no address has")
    prefix, separator, _ = text.lower().rpartition("1")
    if separator and prefix in ("bc", "tb", "bcrt"):
        return _witness_script(text, network)
    return _hash_script(text, network)


def _witness_address(prefix: str, version: int, program: bytes) -> str:
    data = [version, *(bech32.convertbits(program, 8, 5) or ())]
    checksum = bech32.bech32_polymod(bech32.bech32_hrp_expand(prefix) + data + [0] * 6) ^ _constant(version)
    data += [(checksum >> 5 * (5 - i)) & 31 for i in range(6)]
    return f"{prefix}1{''.join(bech32.CHARSET[digit] for digit in data)}"


def _constant(version: int) -> int:
    return _BECH32M if version else 1


def _witness_script(text: str, network: Network) -> bytes:
    if text not in (text.lower(), text.upper()) or len(text) > _LONGEST_BECH32:
        raise BadAddress("it mixes upper and lower case, or is too long")
    prefix, _, digits = text.lower().rpartition("1")
    if prefix != network.bech32_prefix:
        raise BadAddress(f"it belongs to another network: {network.name} begins with {network.bech32_prefix}1")
    data = [bech32.CHARSET.find(digit) for digit in digits]
    if -1 in data or len(data) < 8:
        raise BadAddress("it holds characters that no address has, or is too short")
    version, program = data[0], bech32.convertbits(data[1:-6], 5, 8, False)
    if bech32.bech32_polymod(bech32.bech32_hrp_expand(prefix) + data) != _constant(version):
        raise BadAddress("its checksum is wrong")
    script = bytes([0x50 + version if version else 0, len(program or ())]) + bytes(program or ())
    if version > 16 or address_of(script, network) is None:
        raise BadAddress("its witness program has a version or length that does not exist")
    return script


def _hash_script(text: str, network: Network) -> bytes:
    try:
        decoded = base58.b58decode_check(text)
    except ValueError as error:
        raise BadAddress("it is not base 58, or its checksum is wrong") from error
    if len(decoded) != 21:
        raise BadAddress("it is not as long as an address")
    if decoded[0] == network.p2pkh_version:
        return b"\x76\xa9\x14" + decoded[1:] + b"\x88\xac"
    if decoded[0] == network.p2sh_version:
        return b"\xa9\x14" + decoded[1:] + b"\x87"
    raise BadAddress(f"it belongs to another network than {network.name}")


def _view(buffer: pa.Buffer | None, kind: type[N]) -> npt.NDArray[N]:
    return np.frombuffer(buffer, kind) if buffer is not None and buffer.size else np.zeros(1, kind)
