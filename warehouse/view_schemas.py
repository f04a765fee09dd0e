"""Columns of the views that have no table of their own to take them from."""

from typing import Final

import pyarrow as pa

from engine.schemas import AMOUNT
from ingest.candidates import column

_TICKER: Final = column("ticker", pa.string(), "Normalised ticker.")
_HOLDER: Final = column("address", pa.string(), "An address, or `POOL::` and a pool id.")
_SCRIPT: Final = column("script", pa.binary(), "Output script of the address, null for a pool account.", nullable=True)

HOLDERS: Final = pa.schema(
    [
        _TICKER,
        column("rank", pa.int64(), "Place among the ticker's holders from 1: larger balance first, then address."),
        _HOLDER,
        _SCRIPT,
        column("balance", AMOUNT, "Balance in tokens, above zero."),
    ]
)

SUPPLY: Final = pa.schema(
    [
        _TICKER,
        column("max_supply", AMOUNT, "Maximum supply in tokens; null while no deploy exists (STONES).", nullable=True),
        column("minted", AMOUNT, "Total minted, in tokens (R-CORE-MINT-5)."),
        column("burned", AMOUNT, "Total burned, in tokens."),
        column("rounding", AMOUNT, "Signed sum of rounding events, in tokens."),
        column("circulating", AMOUNT, "Minted less burned plus rounding, in tokens."),
        column("holders", pa.int64(), "Accounts with a balance above zero."),
        column("height", pa.int32(), "Height of the last change; null before the first.", nullable=True),
    ]
)

Y_BALANCES: Final = pa.schema(
    [
        column("ticker", pa.string(), "`y` and the staked ticker."),
        _HOLDER,
        _SCRIPT,
        column(
            "balance",
            AMOUNT,
            "Scaled balance times liquidity index, rounded down to 8 decimals (R-CURVE-STATE-3); null from 10^30 on.",
            nullable=True,
        ),
    ]
)

BALANCE_CHANGES: Final = pa.schema(
    [
        column("height", pa.int32(), "Height of the block."),
        column("sequence", pa.int32(), "Place of the change in the block, from 0."),
        column("op_index", pa.int32(), "Record that caused it; null for effects of the block's end.", nullable=True),
        column("txid", pa.string(), "Transaction of the record, 64 hex digits.", nullable=True),
        column("vout", pa.int32(), "Protocol output of the record.", nullable=True),
        column("operation", pa.string(), "Operation of the record.", nullable=True),
        column("cause", pa.string(), "Why the balance changed: see the causes below."),
        _TICKER,
        _HOLDER,
        column("balance_before", AMOUNT, "Balance before the change, in tokens."),
        column("delta", AMOUNT, "Signed change in tokens."),
        column("balance_after", AMOUNT, "Balance after the change, in tokens."),
        column("pool", pa.string(), "Pool that the change belongs to.", nullable=True),
        column(
            "position_id",
            pa.int64(),
            "Position that was opened, gave in a trade, was paid or settled; null for what a trade moves as a whole.",
            nullable=True,
        ),
    ]
)

TIP: Final = pa.schema(
    [
        column("network", pa.string(), "Name of the chain's network."),
        column("height", pa.int32(), "Height of the block."),
        column("hash", pa.string(), "Its hash, 64 hex digits."),
        column("cumulative_hash", pa.string(), "Hash of everything that happened up to it, 64 hex digits."),
    ]
)
