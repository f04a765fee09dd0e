"""A lake with many balances, and a writer that goes on committing to it, for measurements.

python -m tests.helpers.big_lake DIRECTORY BLOCKS SECONDS_BETWEEN
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from engine.schemas import AMOUNT, BALANCE_EVENTS, BLOCKS, OPERATIONS, SUPPLIES, TOKENS, Judged
from ingest.candidates import CANDIDATES
from warehouse.folds import make_fold
from warehouse.lake import Lake
from warehouse.maintenance import Maintenance

TICKERS = 1000
CHANGES = 1000
"""Balance events of each block that the writer commits."""


def names(accounts: np.ndarray) -> pl.DataFrame:
    """Ticker and address of each account number."""
    return pl.DataFrame({"n": accounts}).select(
        ticker=pl.format("T{}", pl.col("n") % TICKERS),
        address=pl.format("bcrt1q{}", pl.col("n").cast(pl.String).str.pad_start(38, "0")),
    )


def path(account: int) -> str:
    """Where the API answers with the balance of an account."""
    row = names(np.array([account])).row(0)
    return f"/v1/indexer/address/{row[1]}/brc20/{row[0]}/info"


def block(height: int, previous: str, cumulative: str, accounts: np.ndarray) -> Judged:
    """A block that mints something to each of `accounts`."""
    count = len(accounts)
    when = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=10 * height)
    frame = names(accounts).with_row_index("op_index").with_columns(amount=pl.lit(height))
    ids = [sha256(f"{height} {n}".encode()).hexdigest() for n in range(count)]
    amounts = pa.array(np.full(count, height + 1), pa.int64()).cast(pa.decimal128(30, 0)).cast(AMOUNT)
    numbers = pa.array(np.arange(count, dtype=np.int32))
    shared = {"ticker": frame["ticker"].to_arrow().cast(pa.string())}
    address = frame["address"].to_arrow().cast(pa.string())

    def filled(schema: pa.Schema, columns: dict[str, object]) -> pa.Table:
        arrays = []
        for field in schema:
            value = columns.get(field.name)
            arrays.append(value if isinstance(value, pa.Array) else pa.repeat(pa.scalar(value, field.type), count))
        return pa.Table.from_arrays(arrays, schema=schema)

    hash_ = sha256(f"{height}{previous}".encode()).hexdigest()
    event_hash = sha256(str(height).encode()).hexdigest()
    head = {
        "height": height, "hash": hash_, "previous_hash": previous, "time": when, "tx_count": count + 1,
        "candidates": 0, "operations": count, "valid_operations": count, "balance_events": count,
        "event_hash": event_hash, "cumulative_hash": sha256((cumulative + event_hash).encode()).hexdigest(),
        "record_hash": event_hash,
    }  # fmt: skip
    operations = {
        "height": height, "op_index": numbers, "block_time": when, "tx_index": numbers, "txid": pa.array(ids),
        "vout": 0, "operation": "mint", "ticker_text": shared["ticker"], "amount": amounts, "to_address": address,
        "valid": True, "marketplace": False, "multi": False, "payload": b"{}",
    }  # fmt: skip
    events = {
        "height": height, "sequence": numbers, "op_index": numbers, "tx_index": numbers, "address": address,
        "delta": amounts, "balance_after": amounts, "cause": "mint",
    }  # fmt: skip
    return Judged(
        blocks=pa.Table.from_pylist([head], schema=BLOCKS),
        operations=filled(OPERATIONS, {**shared, **operations}),
        balance_events=filled(BALANCE_EVENTS, {**shared, **events}),
        tokens=TOKENS.empty_table(),
        supplies=SUPPLIES.empty_table(),
    )


def make(directory: Path, accounts: int) -> None:
    """A lake of one block and one fold with so many accounts."""
    with Lake.create(directory, "regtest", 0) as lake:
        lake.commit(block(0, "00" * 32, "", np.arange(accounts)), CANDIDATES.empty_table())
        make_fold(lake)


def write_on(directory: Path, blocks: int, seconds: float) -> None:
    """Commit a block every `seconds`."""
    with Lake.open(directory) as lake, Maintenance(lake) as maintenance:
        assert lake.tip is not None
        accounts = lake.manifest.of("balance_events")[0].file.rows
        random = np.random.default_rng(lake.tip.height)
        for _ in range(blocks):
            started = time.monotonic()
            changed = np.unique(random.integers(0, accounts, CHANGES))
            parent, cumulative = lake.tip.hash, lake.manifest.cumulative_hash
            lake.commit(block(lake.tip.height + 1, parent, cumulative, changed), CANDIDATES.empty_table())
            maintenance.due()
            time.sleep(max(0.0, seconds - (time.monotonic() - started)))


if __name__ == "__main__":
    write_on(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
