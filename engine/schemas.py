"""The tables that judging a range of blocks produces. Column descriptions travel with the fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from ingest.candidates import HEADERS, column

AMOUNT: Final = pa.decimal128(38, 8)
"""Amounts everywhere: 128-bit integers of 10^-8 units (R-CORE-CONST-7, R-CORE-CONST-8)."""

BLOCKS: Final = pa.schema(
    [
        *HEADERS,
        column("candidates", pa.int32(), "Candidate transactions in the block (R-CORE-BLK-3)."),
        column("operations", pa.int32(), "Records of the block, valid or not."),
        column("valid_operations", pa.int32(), "Valid records of the block."),
        column("balance_events", pa.int32(), "Balance events of the block."),
        column("event_hash", pa.string(), "SHA-256 of the block's valid effects in canonical text, 64 hex digits."),
        column(
            "cumulative_hash",
            pa.string(),
            "SHA-256 of the previous cumulative hash followed by the event hash, as text.",
        ),
        column("record_hash", pa.string(), "SHA-256 of all the block's records, refused ones too, in canonical text."),
    ]
)

OPERATIONS: Final = pa.schema(
    [
        column("height", pa.int32(), "Height of the block."),
        column("op_index", pa.int32(), "Place of the record in the block's processing order, from 0 (R-CORE-BLK-4)."),
        column("block_time", pa.timestamp("s", tz="UTC"), "Time in the block header, UTC."),
        column("tx_index", pa.int32(), "Position of the transaction in its block."),
        column("txid", pa.string(), "Transaction id, 64 hex digits in display order."),
        column("vout", pa.int32(), "Index of the protocol output."),
        column("step", pa.int32(), "Number of the step of a multi-transfer, otherwise null.", nullable=True),
        column(
            "operation",
            pa.string(),
            "deploy, mint, mint_stones, transfer, burn, swap_init, swap_exe, swap or invalid (R-CORE-REC-2).",
        ),
        column("ticker", pa.string(), "Normalised ticker (R-CORE-TICK-1), null when there is none.", nullable=True),
        column(
            "ticker_text",
            pa.string(),
            "Ticker as the record carries it: equal to `ticker` except in multi-transfers, where it is the raw text "
            "of the payload or the word `multiple` (R-CORE-MULTI-4, R-CORE-MULTI-5).",
            nullable=True,
        ),
        column(
            "amount", AMOUNT, "Recorded amount in tokens (R-CORE-AMT-5, D-3), null when there is none.", nullable=True
        ),
        column("from_address", pa.string(), "Sender's address (R-CORE-ADDR-2, R-CORE-REC-4).", nullable=True),
        column("from_script", pa.binary(), "Sender's output script.", nullable=True),
        column("to_address", pa.string(), "Recipient's address (R-CORE-ADDR-3, R-CORE-REC-4).", nullable=True),
        column("to_script", pa.binary(), "Recipient's output script.", nullable=True),
        column("valid", pa.bool_(), "Whether the operation took effect."),
        column(
            "code", pa.string(), "Why it was refused, null when valid or when the rules record no code.", nullable=True
        ),
        column(
            "step_code",
            pa.string(),
            "Why a step of a multi-transfer was refused; the record itself has no code.",
            nullable=True,
        ),
        column(
            "divergence",
            pa.string(),
            "Decisions by which the operation is judged or executed differently from the predecessor, as `D-n`, "
            "several joined by commas in ascending order.",
            nullable=True,
        ),
        column("marketplace", pa.bool_(), "Executed as a marketplace transfer (R-CORE-MKT-6)."),
        column("multi", pa.bool_(), "Record of a multi-transfer."),
        column("payload", pa.binary(), "First push of the protocol output (R-CORE-OPR-1, R-CORE-OPR-4)."),
    ]
)
"""Sorted by (height, op_index), unique in both; (txid, vout) is unique too (R-CORE-REC-1)."""

BALANCE_EVENTS: Final = pa.schema(
    [
        column("height", pa.int32(), "Height of the block."),
        column("sequence", pa.int32(), "Place of the event in the block, from 0."),
        column("op_index", pa.int32(), "Record that caused it; null for effects of the block's end.", nullable=True),
        column(
            "tx_index", pa.int32(), "Transaction that caused it; null for effects of the block's end.", nullable=True
        ),
        column("ticker", pa.string(), "Normalised ticker."),
        column("address", pa.string(), "Whose balance changed: an address, or `POOL::` and a pool id."),
        column("script", pa.binary(), "Output script of the address, null for a pool account.", nullable=True),
        column("delta", AMOUNT, "Signed change in tokens."),
        column(
            "balance_after",
            AMOUNT,
            "Balance after the change, in tokens. Until the block's end it can differ from the exact balance by a few "
            "units of 10^-8, even below zero (R-CORE-BLK-7).",
        ),
        column(
            "cause",
            pa.string(),
            "mint, mint_stones, transfer_debit, transfer_credit, rounding (R-CORE-BLK-7), or what a module calls its "
            "effects.",
        ),
    ]
)
"""Sorted by (height, sequence), unique in both. A zero amount makes events too: it opens a balance (R-CORE-XFER-6).

Changes of one record add up to what it minted, less what it burned or put aside with a module, ticker by ticker.
"""

TOKENS: Final = pa.schema(
    [
        column("ticker", pa.string(), "Normalised ticker (R-CORE-TICK-1)."),
        column("max_supply", AMOUNT, "Maximum supply in tokens (`m`)."),
        column(
            "limit_per_mint",
            AMOUNT,
            "Most that one mint may create (`l`); null: can never be minted (D-22).",
            nullable=True,
        ),
        column("deploy_height", pa.int32(), "Height of the deploy."),
        column("deploy_op_index", pa.int32(), "Record of the deploy in its block."),
        column("deploy_txid", pa.string(), "Transaction of the deploy, 64 hex digits."),
        column("deploy_time", pa.timestamp("s", tz="UTC"), "Time of the deploy's block, UTC."),
        column("deployer_address", pa.string(), "Sender of the deploy; null when unknown (D-26).", nullable=True),
        column("deployer_script", pa.binary(), "Output script of the deployer.", nullable=True),
    ]
)
"""One row a deployed token, sorted by (deploy_height, deploy_op_index)."""

SUPPLIES: Final = pa.schema(
    [
        column("height", pa.int32(), "Height after which the row holds."),
        column("ticker", pa.string(), "Normalised ticker."),
        column("minted", AMOUNT, "Total minted up to and including this height, in tokens (R-CORE-MINT-5)."),
        column("burned", AMOUNT, "Total burned up to and including this height, in tokens."),
        column("rounding", AMOUNT, "Signed sum of rounding events up to and including this height, in tokens."),
        column("holders", pa.int64(), "Accounts with a balance above zero."),
    ]
)
"""A row for each ticker in each block that changed one of its columns, sorted by (height, ticker)."""

BALANCES: Final = pa.schema(
    [
        column("ticker", pa.string(), "Normalised ticker."),
        column("address", pa.string(), "An address, or `POOL::` and a pool id."),
        column("script", pa.binary(), "Output script of the address, null for a pool account.", nullable=True),
        column("balance", AMOUNT, "Balance in tokens; zero once everything was spent."),
    ]
)
"""State of the ledger at one height, one row a (ticker, address) that ever had an event."""

FOLD: Final = pa.schema(
    [
        *BALANCES,
        column("last_height", pa.int32(), "Height of the account's newest balance event."),
        column(
            "credit_height", pa.int32(), "Height of the newest event that credited the account; 0 if there is none."
        ),
    ]
)
"""The same with the heights that readers ask for."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Facts about a range of consecutive blocks, each table conforming to the schema of its name."""

    blocks: pa.Table
    operations: pa.Table
    balance_events: pa.Table
    tokens: pa.Table
    supplies: pa.Table
    modules: Mapping[str, pa.Table] = field(default_factory=dict)
    """Rows that modules wrote, by table (engine.modules): every table of every module, without rows if need be."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything that judging the next block depends on, as of `height`. `height` is None before the first block."""

    height: int | None
    hash: str | None
    cumulative_hash: str
    """Of the last block; empty before the first."""
    balances: pa.Table
    tokens: pa.Table
    supplies: pa.Table
    """Latest row of each ticker."""
    modules: Mapping[str, pa.Table] = field(default_factory=dict)
    """Latest version of each key, sorted by key, of the modules' tables that are no logs; what is missing is empty."""
