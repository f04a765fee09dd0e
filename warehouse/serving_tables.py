"""Serving tables: the newest balances fold as sorted columns that every API worker maps and searches in place.

Three Arrow IPC files, uncompressed, one record batch each, so that opening them copies nothing:

- `accounts.arrow`: one row an account, sorted by (ticker, address), with two orders as row numbers beside it:
  `by_balance` (inside each ticker: balance descending, then address) and `by_address` (the whole table: address,
  then ticker).
- `tickers.arrow`: one row a ticker that has accounts or a supply, sorted by ticker: its range of account rows, how
  many of them hold more than zero, its supply.
- `tokens.arrow`: one row a deployed token in order of deploy.

Text is compared as UTF-8 bytes, the order in which Arrow and Polars sort it.
"""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.schemas import AMOUNT, TOKENS
from ingest.candidates import column

ACCOUNTS_FILE: Final = "accounts.arrow"
TICKERS_FILE: Final = "tickers.arrow"
TOKENS_FILE: Final = "tokens.arrow"

ACCOUNTS: Final = pa.schema(
    [
        column("address", pa.large_string(), "An address, or `POOL::` and a pool id."),
        column("balance", AMOUNT, "Balance in tokens."),
        column("credit_height", pa.int32(), "Newest block that credited the account, 0 when none did."),
        column("ticker_row", pa.uint32(), "Row of the account's ticker in `tickers.arrow`."),
        column("by_balance", pa.uint32(), "Row numbers of the ticker's accounts, largest balance first."),
        column("by_address", pa.uint32(), "Row numbers of all accounts, sorted by address, then ticker."),
    ]
)
TICKERS: Final = pa.schema(
    [
        column("ticker", pa.large_string(), "Normalised ticker."),
        column("start", pa.int64(), "First account row."),
        column("stop", pa.int64(), "Row after the last account."),
        column("minted", AMOUNT, "Total minted in tokens."),
        column("burned", AMOUNT, "Total burned in tokens."),
        column("rounding", AMOUNT, "Signed sum of rounding events in tokens."),
        column("holders", pa.int64(), "Accounts with a balance above zero."),
    ]
)

FOLD: Final = pa.schema(
    [("ticker", pa.large_string()), ("address", pa.large_string()), ("balance", AMOUNT), ("credit_height", pa.int32())]
)
"""What is needed of the balances fold; `large_string`, so that any number of accounts fits one batch."""


def write_serving(fold: pa.Table, supplies: pa.Table, tokens: pa.Table, directory: Path) -> list[Path]:
    """Write the serving tables of one height into `directory` and return the files, not yet synced.

    `fold` has columns ticker, address, balance, credit_height, sorted by (ticker, address); `supplies` the latest row
    of each ticker; `tokens` conforms to `engine.schemas.TOKENS`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    accounts = fold.select(FOLD.names).cast(FOLD).combine_chunks()
    names, starts, stops = _ranges(accounts["ticker"])
    positive = np.concatenate(([0], np.cumsum(_limbs(accounts["balance"]).any(axis=1))))
    ranges = {"ticker": names, "start": starts, "stop": stops, "holders": positive[stops] - positive[starts]}
    tickers = _with_supplies(pa.table(ranges), supplies)
    lengths = tickers["stop"].to_numpy() - tickers["start"].to_numpy()
    ticker_row = np.repeat(np.arange(tickers.num_rows, dtype=np.uint32), lengths)
    columns = {
        "address": accounts["address"],
        "balance": accounts["balance"],
        "credit_height": accounts["credit_height"],
        "ticker_row": ticker_row,
        "by_balance": _by_balance(ticker_row, accounts["balance"]),
        "by_address": pc.sort_indices(accounts["address"]).cast(pa.uint32()),
    }
    return [
        _write(pa.table(columns, schema=ACCOUNTS), directory / ACCOUNTS_FILE),
        _write(tickers, directory / TICKERS_FILE),
        _write(tokens.select(TOKENS.names).cast(TOKENS), directory / TOKENS_FILE),
    ]


def _ranges(tickers: pa.ChunkedArray) -> tuple[pa.Array, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Distinct tickers of a sorted column, with the first row of each and the row after its last."""
    if not len(tickers):
        return pa.array([], pa.large_string()), np.zeros(0, np.int64), np.zeros(0, np.int64)
    runs = pc.run_end_encode(tickers.chunk(0), run_end_type=pa.int64())
    stops = runs.run_ends.to_numpy()
    return runs.values.cast(pa.large_string()), np.concatenate(([0], stops[:-1])), stops


def _by_balance(ticker_row: npt.NDArray[np.uint32], balances: pa.ChunkedArray) -> npt.NDArray[np.uint32]:
    """Rows by (ticker, balance descending); the sort is stable, so equal balances stay in order of address."""
    limbs = _limbs(balances)
    return np.lexsort((~limbs[:, 0], ~limbs[:, 1], ticker_row)).astype(np.uint32)


def _limbs(amounts: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Low and high 64 bits of non-negative amounts, one row each."""
    array = amounts.combine_chunks()
    if not len(array):
        return np.zeros((0, 2), np.uint64)
    buffer = array.buffers()[1].slice(array.offset * 16, len(array) * 16)
    return np.frombuffer(buffer, np.uint64).reshape(-1, 2)


def _with_supplies(ranges: pa.Table, supplies: pa.Table) -> pa.Table:
    columns = supplies.select(["ticker", "minted", "burned", "rounding"])
    columns = columns.set_column(0, "ticker", columns["ticker"].cast(pa.large_string()))
    joined = ranges.join(columns, "ticker", join_type="full outer").sort_by("ticker")
    filled = [pc.fill_null(joined[field.name], pa.scalar(0).cast(field.type)) for field in list(TICKERS)[1:]]
    return pa.table([joined["ticker"], *filled], schema=TICKERS)


def _write(table: pa.Table, path: Path) -> Path:
    batches = table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return path
