"""What modules would have written about a chain from a formula: positions, trades, pools, programs, vaults.

Positions and trades belong to records of the chain. The figures have the right shape and size, and no other truth.
"""

from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tests.helpers.formula_columns import amounts, named
from warehouse.tables import TABLES

POOLS: Final = 100
FIRST_TICKER: Final = 2
PARTNERS: Final = [f"T{2 * pool + FIRST_TICKER:04d}-T{2 * pool + FIRST_TICKER + 1:04d}" for pool in range(POOLS)]
"""Pool ids."""
PROGRAMS: Final = 10
STAKES: Final = 8_000
"""Accounts of programs that a chunk changes."""
VAULTS: Final = 2_000
PROGRAM_BLOCKS: Final = 10
"""A program has a new version every so many blocks."""
LONGEST_LOCK: Final = 2_000

AMOUNT: Final = pl.Decimal(38, 8)
ZERO: Final = pl.lit(0).cast(AMOUNT)
_NUMBER: Final = pl.col("ticker").str.slice(1).cast(pl.Int64)


class FormulaExchange:
    """Tables of the modules, chunk by chunk, and what is still open behind them."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(1)
        self._pending = pl.DataFrame()
        self._opened = 0
        self._vaults = pl.DataFrame()
        self._pools = np.zeros((POOLS, 2, 2), np.int64)
        """Locked and fees in units of 10^-8, by pool and side."""

    def chunk(self, heights: range, operations: pa.Table) -> dict[str, pa.Table]:
        """Tables of the blocks of a chunk by name."""
        wanted = ("height", "op_index", "txid", "vout", "operation", "ticker", "amount", "from_address", "from_script")
        swaps = operations.filter(pc.is_in(operations["operation"], pa.array(["swap_init", "swap_exe"])))
        frame = pl.from_arrow(swaps.select(wanted))
        assert isinstance(frame, pl.DataFrame)
        if frame.is_empty():
            return {}
        frame = frame.with_columns(
            side=_NUMBER % 2,
            place=(_NUMBER - FIRST_TICKER) // 2,
            destination=pl.format("T{}", (_NUMBER + 1 - 2 * (_NUMBER % 2)).cast(pl.String).str.zfill(4)),
        ).with_columns(pool=pl.col("place").replace_strict(dict(enumerate(PARTNERS)), return_dtype=pl.String))
        locks, trades = (frame.filter(pl.col("operation") == name) for name in ("swap_init", "swap_exe"))
        tables = {
            "positions": self._positions(heights, locks),
            "executions": self._executions(trades),
            "fills": self._fills(trades),
            "programs": self._programs(heights),
            "accounts": self._accounts(locks),
            "vaults": self._vault_rows(heights, trades),
        }
        return {"pools": self._pool_rows(heights, locks, trades)} | {
            name: rows.select(TABLES[name].schema.names).to_arrow().cast(TABLES[name].schema)
            for name, rows in tables.items()
        }

    def _positions(self, heights: range, locks: pl.DataFrame) -> pl.DataFrame:
        count = len(locks)
        opened = locks.select(
            "height", "txid", "vout", "pool", "destination",
            pl.int_range(self._opened + 1, self._opened + count + 1, dtype=pl.Int64).alias("position_id"),
            pl.col("from_address").alias("owner_address"), pl.col("from_script").alias("owner_script"),
            pl.col("ticker").alias("source"), "amount", pl.col("amount").alias("locked"),
            pl.Series("lock_blocks", self._random.integers(10, LONGEST_LOCK, count), pl.Int32),
            pl.col("height").alias("start_height"), pl.lit("active").alias("status"),
            pl.lit(None, pl.Int32).alias("closed_height"), pl.lit(None, pl.String).alias("index_at_lock"),
            (pl.col("amount") * (1 - pl.col("side"))).cast(AMOUNT).alias("units_a"),
            (pl.col("amount") * pl.col("side")).cast(AMOUNT).alias("units_b"),
            *(ZERO.alias(f"{name}_{side}") for name in ("entry", "reward", "accumulated") for side in "ab"),
            pl.lit(1).cast(AMOUNT).alias("multiplier"),
        ).with_columns(unlock_height=pl.col("height") + pl.col("lock_blocks"))  # fmt: skip
        self._opened += count
        waiting = pl.concat([self._pending, opened]) if len(self._pending) else opened
        # A third sells out before its time.
        early = pl.col("position_id") % 3 == 0
        end = pl.when(early).then(pl.col("height") + pl.col("lock_blocks") // 2 + 1).otherwise("unlock_height")
        waiting = waiting.with_columns(end=end)
        due = pl.col("end") < heights.stop
        ended = waiting.filter(due).with_columns(
            height=pl.col("end").cast(pl.Int32),
            closed_height=pl.col("end").cast(pl.Int32),
            status=pl.when(early).then(pl.lit("closed")).otherwise(pl.lit("expired")),
            locked=pl.when(early).then(ZERO).otherwise("locked"),
            units_a=ZERO,
            units_b=ZERO,
        )
        self._pending = waiting.filter(~due).drop("end")
        return pl.concat([opened, ended.drop("end")]).sort("height", "position_id")

    def _executions(self, trades: pl.DataFrame) -> pl.DataFrame:
        return trades.with_columns(
            executor_address="from_address",
            executor_script="from_script",
            source="ticker",
            requested="amount",
            used="amount",
            received="amount",
            fee=(pl.col("amount") * pl.lit("0.003").cast(AMOUNT)).cast(AMOUNT),
            slippage=pl.lit("5"),
            fills=(1 + pl.col("op_index") % 3).cast(pl.Int32),
            partial=pl.col("op_index") % 10 == 0,
        )

    def _fills(self, trades: pl.DataFrame) -> pl.DataFrame:
        rows = trades.select("height", "op_index", "amount", fill=pl.int_ranges(0, 1 + pl.col("op_index") % 3))
        rows = rows.explode("fill")
        return rows.with_columns(
            pl.col("fill").cast(pl.Int32),
            taken="amount",
            given="amount",
            position_id=pl.Series(self._random.integers(1, self._opened + 1, len(rows))),
            closed=pl.lit(False),
        )

    def _pool_rows(self, heights: range, locks: pl.DataFrame, trades: pl.DataFrame) -> pa.Table:
        added = np.zeros((len(heights), POOLS, 2, 2), np.int64)
        for what, rows in enumerate((locks, trades)):
            units = rows["amount"].to_physical().cast(pl.Int64).to_numpy()
            at = (rows["height"].to_numpy() - heights.start, rows["place"].to_numpy(), rows["side"].to_numpy())
            np.add.at(added[..., what], at, units if what == 0 else units * 3 // 1000)
        states = self._pools + added.cumsum(axis=0)
        self._pools = states[-1]
        block, pool = np.nonzero(added.any(axis=(2, 3)))
        state = states[block, pool]
        tickers = [name.split("-") for name in PARTNERS]
        columns = {
            "height": (heights.start + block).astype(np.int32),
            "pool": named(PARTNERS, pool),
            "token_a": named([pair[0] for pair in tickers], pool),
            "token_b": named([pair[1] for pair in tickers], pool),
        }
        for side, letter in enumerate("ab"):
            locked, fees = (np.ascontiguousarray(state[:, side, what]) for what in range(2))
            columns |= {f"{name}_{letter}": amounts(locked) for name in ("liquidity", "units", "reserve")}
            columns |= {f"fees_{letter}": amounts(fees), f"fee_per_share_{letter}": amounts(fees // 1_000_000)}
        return pa.table(columns).select(TABLES["pools"].schema.names).cast(TABLES["pools"].schema)

    def _programs(self, heights: range) -> pl.DataFrame:
        times = pl.DataFrame({"height": pl.Series(list(heights[::PROGRAM_BLOCKS]), dtype=pl.Int32)})
        return times.join(pl.DataFrame({"n": range(PROGRAMS)}), how="cross").select(
            "height",
            ticker=pl.format("T{}", pl.col("n") + 8000),
            deploy_txid=pl.col("n").cast(pl.String).str.zfill(64),
            type=pl.lit("linear"),
            duration=pl.lit(1_000_000),
            staking_ticker=pl.format("T{}", (pl.col("n") + 300).cast(pl.String).str.zfill(4)),
            max_supply=pl.lit(21_000_000).cast(AMOUNT),
            staking_max_supply=pl.lit(21_000_000).cast(AMOUNT),
            rho=pl.lit(1).cast(AMOUNT),
            init_fee=pl.lit(3000),
            exe_fee=pl.lit(1000),
            genesis_address=pl.lit("bcrt1qgenesis"),
            genesis_script=pl.lit(b"\x00\x14" + bytes(20)),
            start_height=pl.lit(0, pl.Int32),
            last_reward_height=pl.col("height"),
            index=pl.format("1{}.{}", (pl.col("height").cast(pl.String) + "7").str.zfill(27), pl.lit("0" * 27)),
            total_staked=pl.col("height").cast(AMOUNT),
            total_scaled=pl.format("{}.{}", "height", pl.lit("0" * 27)),
            rewards_paid=pl.format("{}.{}", "height", pl.lit("0" * 27)),
        )

    def _accounts(self, locks: pl.DataFrame) -> pl.DataFrame:
        """Stakers of the programs: those who also lock."""
        rows = locks.head(STAKES).with_row_index("n")
        return (
            rows.select(
                "height",
                ticker=pl.format("T{}", pl.col("n") % PROGRAMS + 8000),
                address="from_address",
                script="from_script",
                staked="amount",
                scaled=pl.format("{}.{}", pl.col("amount").cast(pl.String).str.slice(0, 1), pl.lit("5" * 27)),
            )
            .unique(["height", "ticker", "address"], keep="first")
            .sort("height", "ticker", "address")
        )

    def _vault_rows(self, heights: range, trades: pl.DataFrame) -> pl.DataFrame:
        opened = trades.head(VAULTS).select(
            "height",
            "txid",
            vault=pl.format("{}:2", "txid"),
            lock_address="from_address",
            lock_script="from_script",
            initiator_address="from_address",
            recipient_address="from_address",
            amount=pl.col("op_index").cast(pl.Int64) + 1000,
            delay=pl.lit(144, pl.Int32),
            merkle_root="txid",
            status=pl.lit("active"),
            opened_height="height",
            opened_op_index="op_index",
            closed_height=pl.lit(None, pl.Int32),
            closing_txid=pl.lit(None, pl.String),
        )
        # What one chunk opened the next one closes, every other one.
        last = pl.lit(heights.start, pl.Int32)
        closed = self._vaults.gather_every(2).with_columns(
            height=last, closed_height=last, closing_txid="txid", status=pl.lit("closed")
        ) if len(self._vaults) else opened.clear()  # fmt: skip
        self._vaults = opened
        return pl.concat([closed, opened]).sort("height", "vault")
