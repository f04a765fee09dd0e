"""What a scan makes of blocks: one row a block, one row a candidate transaction (R-CORE-BLK-2, R-CORE-BLK-3).

Both are Arrow tables. Candidates are archived whole, so that a change of rules never needs the node again.
"""

from enum import IntEnum
from typing import Final

import pyarrow as pa


class Kind(IntEnum):
    """Which half of the prefilter found the transaction; JSON wins when both did."""

    RUNESTONE = 1
    """R-CORE-BLK-3 (a) only. `raw` is the serialisation without witness, `prevouts` is empty."""
    JSON = 2
    """R-CORE-BLK-3 (b). `raw` is the whole transaction, `prevouts` holds the output spent by every input."""


def column(name: str, type_: pa.DataType, doc: str, *, nullable: bool = False) -> pa.Field:
    """A field that carries its own description; `docs/tables.md` is generated from these."""
    return pa.field(name, type_, nullable=nullable, metadata={"doc": doc})


HEADERS: Final = pa.schema(
    [
        column("height", pa.int32(), "Height of the block."),
        column("hash", pa.string(), "Block hash, 64 hex digits in the node's display order."),
        column("previous_hash", pa.string(), "Hash of the parent block, 64 hex digits."),
        column("time", pa.timestamp("s", tz="UTC"), "Time in the block header, UTC, whole seconds."),
        column("tx_count", pa.int32(), "Transactions in the block, coinbase included."),
    ]
)

CANDIDATES: Final = pa.schema(
    [
        column("height", pa.int32(), "Height of the block that holds the transaction."),
        column(
            "tx_index", pa.int32(), "Position of the transaction in its block; the coinbase (0) is never a candidate."
        ),
        column("txid", pa.binary(32), "Transaction id, 32 bytes in hashing order (reverse of what is displayed)."),
        column("kind", pa.uint8(), "1: runestone form only, 2: carries the text of a JSON operation (R-CORE-BLK-3)."),
        column("raw", pa.binary(), "Serialised transaction: whole for kind 2, without witness for kind 1."),
        column(
            "prevouts",
            pa.binary(),
            "Outputs spent by the inputs, in input order, each as 8-byte little-endian value, compact-size script "
            "length, script. Empty for kind 1.",
        ),
    ]
)
"""Sorted by (height, tx_index), unique in both."""
