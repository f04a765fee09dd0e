"""The node's block files, written from raw blocks: `blk*.dat` and `rev*.dat`, with `xor.dat` or without.

Spent outputs are given as in `SpentFormat.TXOUTS` and compressed here as the node does. Nothing is shared with the code
under test.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.networks import Network
from tests.helpers.chain import compact_size, sha256d

KEY = bytes.fromhex("9f2c71e05ad3b846")
"""A key for `xor.dat`."""

BlockAndSpent = tuple[bytes, bytes]
"""A serialised block, and its spent outputs as the REST call `spenttxouts` lists them."""


def write_block_files(
    path: Path,
    blocks: Sequence[BlockAndSpent],
    *,
    network: Network,
    xor: bytes | None = None,
    per_file: int = 1_000_000,
    first_file: int = 0,
    undo_order: Sequence[int] | None = None,
    padding: int = 4096,
) -> None:
    """Write a `blocks` folder with the blocks in the order given, `per_file` to a file.

    Undo records follow the same order, or `undo_order`: indices into `blocks`, those left out have none. Each file ends
    with `padding` zeros. The genesis block gets no undo record.
    """
    path.mkdir(parents=True, exist_ok=True)
    if xor is not None:
        (path / "xor.dat").write_bytes(xor)
    order = range(len(blocks)) if undo_order is None else undo_order
    for number, chunk in enumerate(range(0, max(len(blocks), 1), per_file)):
        stored = range(chunk, min(chunk + per_file, len(blocks)))
        records = [block_record(blocks[i][0], network) for i in stored]
        undo = [undo_record(*blocks[i], network) for i in order if i in stored and not is_genesis(blocks[i][0])]
        _write(path / f"blk{first_file + number:05}.dat", records, xor, padding)
        _write(path / f"rev{first_file + number:05}.dat", undo, xor, padding)


def append_record(path: Path, record: bytes) -> None:
    """Put a record where the file's zeros begin, or at its end; the folder's key is applied."""
    key_file = path.parent / "xor.dat"
    key = key_file.read_bytes() if key_file.exists() else None
    end = end_of_records(path, key)
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.seek(end)
        file.write(apply_key(record, key, end))


def append_block(path: Path, block: BlockAndSpent, *, network: Network, number: int = 0) -> None:
    """Add a block and its undo record to the files of that number."""
    append_record(path / f"blk{number:05}.dat", block_record(block[0], network))
    append_record(path / f"rev{number:05}.dat", undo_record(*block, network))


def block_record(raw: bytes, network: Network) -> bytes:
    return network.magic + struct.pack("<I", len(raw)) + raw


def undo_record(raw: bytes, spent: bytes, network: Network) -> bytes:
    undo = compress(spent)
    return network.magic + struct.pack("<I", len(undo)) + undo + sha256d(raw[4:36] + undo)


def is_genesis(raw: bytes) -> bool:
    return raw[4:36] == bytes(32)


def apply_key(data: bytes, key: bytes | None, offset: int = 0) -> bytes:
    """XOR with the key that runs along the file; twice is not at all."""
    if not key or not data:
        return data
    turn = offset % len(key)
    run = ((key[turn:] + key[:turn]) * (len(data) // len(key) + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(run, "big")).to_bytes(len(data), "big")


def compress(spent: bytes) -> bytes:
    """The node's undo data for a block's spent outputs."""
    lists = list(parse_spent(spent))[1:]
    return compact_size(len(lists)) + b"".join(
        compact_size(len(outputs)) + b"".join(_compressed(value, script) for value, script in outputs)
        for outputs in lists
    )


def parse_spent(spent: bytes) -> Iterator[list[tuple[int, bytes]]]:
    """(value, script) of the outputs that each transaction spends, coinbase first."""
    count, at = _read_size(spent, 0)
    for _ in range(count):
        outputs = []
        size, at = _read_size(spent, at)
        for _ in range(size):
            (value,) = struct.unpack_from("<q", spent, at)
            length, at = _read_size(spent, at + 8)
            outputs.append((value, spent[at : at + length]))
            at += length
        yield outputs
    assert at == len(spent)


def varint(n: int) -> bytes:
    """The node's base-128 number: high groups first, one less in each but the last."""
    groups = [n & 0x7F]
    while n > 0x7F:
        n = (n >> 7) - 1
        groups.append((n & 0x7F) | 0x80)
    return bytes(reversed(groups))


def compress_amount(value: int) -> int:
    """The node's short form of an amount in satoshi."""
    if value == 0:
        return 0
    exponent = 0
    while value % 10 == 0 and exponent < 9:
        value //= 10
        exponent += 1
    if exponent == 9:
        return 1 + (value - 1) * 10 + 9
    return 1 + (value // 10 * 9 + value % 10 - 1) * 10 + exponent


def compress_script(script: bytes) -> bytes:
    """The node's short form of a script. A bare uncompressed key is taken to lie on the curve."""
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return b"\x00" + script[3:23]
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return b"\x01" + script[2:22]
    if len(script) == 35 and script[0] == 33 and script[34] == 0xAC and script[1] in (2, 3):
        return script[1:34]
    if len(script) == 67 and script[0] == 65 and script[66] == 0xAC and script[1] == 4:
        return bytes([4 + script[65] % 2]) + script[2:34]
    return varint(len(script) + 6) + script


def _compressed(value: int, script: bytes) -> bytes:
    height, coinbase = 700_001, 0
    return varint(2 * height + coinbase) + varint(0) + varint(compress_amount(value)) + compress_script(script)


def _read_size(data: bytes, at: int) -> tuple[int, int]:
    width = {0xFD: 2, 0xFE: 4, 0xFF: 8}.get(data[at], 0)
    return (int.from_bytes(data[at + 1 : at + 1 + width], "little"), at + 1 + width) if width else (data[at], at + 1)


def end_of_records(path: Path, key: bytes | None) -> int:
    """Where the records of a file end."""
    data = apply_key(path.read_bytes(), key) if path.exists() else b""
    trailer = 32 if path.name.startswith("rev") else 0
    at = 0
    while len(data) - at > 8 and data[at : at + 4] == data[:4] != bytes(4):
        at += 8 + struct.unpack_from("<I", data, at + 4)[0] + trailer
    return at


def _write(path: Path, records: Sequence[bytes], key: bytes | None, padding: int) -> None:
    path.write_bytes(apply_key(b"".join(records), key) + bytes(padding))
