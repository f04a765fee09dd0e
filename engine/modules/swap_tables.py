"""Tables of the swap module. Amounts are in tokens; sides a and b are the pool's tokens A and B."""

from typing import Final

import pyarrow as pa

from engine.modules.registry import StateTable
from engine.schemas import AMOUNT
from ingest.candidates import column

_HEIGHT: Final = column("height", pa.int32(), "Height after which the row holds.")
_LOG_HEIGHT: Final = column("height", pa.int32(), "Height of the block.")
_OP_INDEX: Final = column("op_index", pa.int32(), "Record of the `exe` in its block.")


def _sides(name: str, doc: str) -> tuple[pa.Field, pa.Field]:
    return column(f"{name}_a", AMOUNT, f"{doc}, side a."), column(f"{name}_b", AMOUNT, f"{doc}, side b.")


POOLS: Final = StateTable(
    "pools",
    "a pool in each block that changed it",
    pa.schema(
        [
            _HEIGHT,
            column("pool", pa.string(), "Pool id: token A, a hyphen, token B (R-SWAP-POOL-1)."),
            column("token_a", pa.string(), "The pool's first ticker in code-point order."),
            column("token_b", pa.string(), "The pool's second ticker."),
            *_sides("liquidity", "Total liquidity deposited and not paid out as principal (R-SWAP-LP-2)"),
            *_sides("units", "Total LP units (R-SWAP-LP-1)"),
            *_sides("fees", "Fees collected and not yet paid out (R-SWAP-LP-3)"),
            *_sides("fee_per_share", "Fees per LP unit since the pool exists (R-SWAP-LP-3)"),
            *_sides(
                "reserve",
                "What active positions offer (R-SWAP-EXE-3), at most what fits; that of a `y` ticker grows by itself",
            ),
        ]
    ),
    ("pool",),
)

POSITIONS: Final = StateTable(
    "positions",
    "a liquidity position in each block that changed it",
    pa.schema(
        [
            _HEIGHT,
            column("position_id", pa.int64(), "Number of the position in order of opening, from 1."),
            column("txid", pa.string(), "Transaction of the `init`, 64 hex digits."),
            column("vout", pa.int32(), "Protocol output of the `init`."),
            column("owner_address", pa.string(), "Who locked the tokens and gets them back."),
            column("owner_script", pa.binary(), "Output script of the owner."),
            column("pool", pa.string(), "Pool id."),
            column("source", pa.string(), "Ticker that was locked."),
            column("destination", pa.string(), "Ticker that trades pay for it."),
            column("amount", AMOUNT, "Amount locked at first."),
            column("locked", AMOUNT, "Amount still locked; once expired, what was locked at that moment."),
            column("lock_blocks", pa.int32(), "Blocks for which the tokens are locked."),
            column("start_height", pa.int32(), "Height of the `init`."),
            column("unlock_height", pa.int32(), "Height at whose end the position is settled."),
            column("status", pa.string(), "active, closed (all was sold) or expired (settled)."),
            column("closed_height", pa.int32(), "Height at which it stopped being active.", nullable=True),
            *_sides("units", "LP units; zero once settled"),
            *_sides("entry", "Fee per share when the position was opened"),
            column("multiplier", AMOUNT, "Multiplier of rewards (R-SWAP-LP-5)."),
            *_sides("reward", "Fees paid out to the owner; -0.00000001 where rounding left less than nothing"),
            *_sides("accumulated", "Received in trades; zero once closed"),
            column(
                "index_at_lock",
                pa.string(),
                "Liquidity index when the position was opened, 27 decimals; null unless the source is a `y` ticker.",
                nullable=True,
            ),
        ]
    ),
    ("position_id",),
)

EXECUTIONS: Final = StateTable(
    "executions",
    "an executed trade",
    pa.schema(
        [
            _LOG_HEIGHT,
            _OP_INDEX,
            column("txid", pa.string(), "Transaction of the `exe`, 64 hex digits."),
            column("vout", pa.int32(), "Protocol output of the `exe`."),
            column("executor_address", pa.string(), "Who traded."),
            column("executor_script", pa.binary(), "Output script of the executor."),
            column("pool", pa.string(), "Pool id."),
            column("source", pa.string(), "Ticker that the executor sold."),
            column("destination", pa.string(), "Ticker that the executor bought."),
            column("requested", AMOUNT, "Amount that was offered for sale."),
            column("slippage", pa.string(), "Most slippage that was tolerated, in percent, as a decimal."),
            column("used", AMOUNT, "Amount that was sold."),
            column("received", AMOUNT, "Amount that was bought, fee included."),
            column("fee", AMOUNT, "Fee, in the ticker that was bought (R-SWAP-CALC-1)."),
            column("fills", pa.int32(), "Positions that gave."),
            column("partial", pa.bool_(), "Whether the slippage allowed only a part of what was requested."),
        ]
    ),
    ("height", "op_index"),
    is_log=True,
)

FILLS: Final = StateTable(
    "fills",
    "what one position gave in an executed trade",
    pa.schema(
        [
            _LOG_HEIGHT,
            _OP_INDEX,
            column("fill", pa.int32(), "Place of the position in the trade, from 0."),
            column("position_id", pa.int64(), "The position."),
            column("taken", AMOUNT, "Amount that left the position."),
            column("given", AMOUNT, "Amount that the position received for it."),
            column("closed", pa.bool_(), "Whether the position sold out."),
        ]
    ),
    ("height", "op_index", "fill"),
    is_log=True,
)
