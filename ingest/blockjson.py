"""Blocks as `getblock <hash> 3` describes them, turned back into the bytes that the description was made of."""

import hashlib
import struct
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ingest.errors import BadAnswer, ChainMoved, MissingPrevouts
from ingest.source import RawBlock, SpentFormat

COIN: Final = 10**8
"""Satoshi in the unit that the node prints values in."""

HEADER_SIZE: Final = 80

NO_PARENT: Final = "00" * 32
"""Parent of the genesis block."""


def block_from_json(block: Any, height: int, hash_: str) -> RawBlock:
    """The block that `hash_` names. `block` was parsed without binary floats: fractions are text or Decimal.

    Raises `ChainMoved` when the block left the best chain, `MissingPrevouts` when the description lacks them, and
    `BadAnswer` when it does not describe the block.
    """
    try:
        if block["confirmations"] < 0:
            raise ChainMoved(f"Block {hash_} at height {height} left the best chain")
        transactions = block["tx"]
        header = _header(block)
        raw = [header, compact_size(len(transactions)), *(bytes.fromhex(tx["hex"]) for tx in transactions)]
        spent = [compact_size(len(transactions)), *(_spent(tx, hash_) for tx in transactions)]
    except (KeyError, TypeError, ValueError, IndexError, InvalidOperation, struct.error) as error:
        raise BadAnswer(f"The description of block {hash_} is not of the documented form ({error!r})") from error
    if hash_of(header) != hash_:
        raise BadAnswer(f"The description of block {hash_} is that of another block")
    return RawBlock(height, hash_, b"".join(raw), b"".join(spent), SpentFormat.TXOUTS)


def hash_of(header: bytes | memoryview) -> str:
    """Block hash of an 80-byte header, in display order."""
    return hashlib.sha256(hashlib.sha256(header).digest()).digest()[::-1].hex()


def parent_of(block: RawBlock) -> str:
    """Hash of the parent that the header names, in display order."""
    return bytes(block.raw[4:36])[::-1].hex()


def compact_size(n: int) -> bytes:
    if n < 0xFD:
        return struct.pack("<B", n)
    if n <= 0xFFFF:
        return struct.pack("<BH", 0xFD, n)
    return struct.pack("<BI", 0xFE, n)


def _header(block: dict[str, Any]) -> bytes:
    parent = block.get("previousblockhash", NO_PARENT)
    return b"".join(
        [
            struct.pack("<i", block["version"]),
            bytes.fromhex(parent)[::-1],
            bytes.fromhex(block["merkleroot"])[::-1],
            struct.pack("<III", block["time"], int(block["bits"], 16), block["nonce"]),
        ]
    )


def _spent(tx: dict[str, Any], hash_: str) -> bytes:
    inputs = tx["vin"]
    if "coinbase" in inputs[0]:
        return compact_size(0)
    if any("prevout" not in txin for txin in inputs):
        raise MissingPrevouts(f"The node describes block {hash_} without the outputs that it spends")
    return compact_size(len(inputs)) + b"".join(_output(txin["prevout"]) for txin in inputs)


def _output(prevout: dict[str, Any]) -> bytes:
    script = bytes.fromhex(prevout["scriptPubKey"]["hex"])
    return struct.pack("<q", satoshi(prevout["value"])) + compact_size(len(script)) + script


def satoshi(value: str | int | Decimal) -> int:
    """Exact satoshi of a value that the node prints in whole coins. Raises ValueError for a fraction of a satoshi."""
    if isinstance(value, float):
        raise TypeError("values must not pass through binary floats")
    satoshi = Decimal(value) * COIN
    if satoshi != satoshi.to_integral_value():
        raise ValueError(f"{value} has more than eight decimals")
    return int(satoshi)
