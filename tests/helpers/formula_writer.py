"""Goes on committing blocks to a lake from a formula, as an indexer at the tip does.

python -m tests.helpers.formula_writer DIRECTORY BLOCKS SECONDS_BETWEEN

It says `ready` once it has read the ledger and begins when it is sent a line.
"""

import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.schemas import BALANCE_EVENTS, BLOCKS, OPERATIONS, SUPPLIES, TOKENS, Judged
from ingest.candidates import CANDIDATES
from tests.helpers.formula_chain import BLOCK_SECONDS, FIRST_TIME
from tests.helpers.formula_columns import amounts, hex_texts
from warehouse.arrays import Amounts
from warehouse.lake import Lake
from warehouse.maintenance import Maintenance

MINTS: Final = 1_000
"""Operations of a block, each of an account of its own."""
MINT: Final = 10**8


@dataclass
class Writer:
    """The ledger as far as the blocks need it: balances of the fold and what was minted since."""

    lake: Lake
    accounts: pa.Table
    supplies: dict[str, dict[str, Any]]
    balances: dict[int, int]
    random: np.random.Generator

    @classmethod
    def of(cls, lake: Lake) -> "Writer":
        fold = lake.manifest.folds[-1]
        names = ["ticker", "address", "script", "balance"]
        accounts = pq.read_table(lake.directory / fold.balances.path, columns=names).combine_chunks()
        supplies = pq.read_table(lake.directory / fold.supplies.path)
        rows = {row["ticker"]: row for row in supplies.to_pylist()}
        return cls(lake, accounts, rows, {}, np.random.default_rng(fold.height))

    def block(self) -> Judged:
        """The next block: it mints one token each to many accounts."""
        tip = self.lake.tip
        assert tip is not None
        height = tip.height + 1
        chosen = np.unique(self.random.integers(0, len(self.accounts), MINTS))
        rows = self.accounts.take(pa.array(chosen)).combine_chunks()
        held = Amounts(rows["balance"].chunk(0))
        for place, account in enumerate(chosen.tolist()):
            self.balances[account] = self.balances.get(account, held[place]) + MINT
        after = np.array([self.balances[account] for account in chosen.tolist()])
        count, numbers = len(chosen), np.arange(len(chosen), dtype=np.int32)
        names = {name: rows[name] for name in ("ticker", "address", "script")}
        minted = amounts(np.full(count, MINT))
        records = {
            "height": height, "op_index": numbers, "block_time": FIRST_TIME + BLOCK_SECONDS * height,
            "tx_index": numbers + 1, "txid": hex_texts(self.random, count), "vout": 0, "operation": "mint",
            "ticker": names["ticker"], "ticker_text": names["ticker"], "amount": minted,
            "to_address": names["address"], "to_script": names["script"], "valid": True, "marketplace": False,
            "multi": False, "payload": b'{"p":"brc-20","op":"mint"}',
        }  # fmt: skip
        events = {
            "height": height, "sequence": numbers, "op_index": numbers, "tx_index": numbers + 1, **names,
            "delta": minted, "balance_after": amounts(after), "cause": "mint",
        }  # fmt: skip
        return Judged(
            blocks=self._header(height, tip.hash, count),
            operations=_filled(OPERATIONS, records, count),
            balance_events=_filled(BALANCE_EVENTS, events, count),
            tokens=TOKENS.empty_table(),
            supplies=self._supplies(height, names["ticker"]),
        )

    def _header(self, height: int, parent: str, count: int) -> pa.Table:
        event_hash = sha256(str(height).encode()).hexdigest()
        cumulative = sha256((self.lake.manifest.cumulative_hash + event_hash).encode()).hexdigest()
        row = {
            "height": height, "hash": sha256(f"{parent}{height}".encode()).hexdigest(), "previous_hash": parent,
            "time": FIRST_TIME + BLOCK_SECONDS * height, "tx_count": count + 1, "candidates": 0, "operations": count,
            "valid_operations": count, "balance_events": count, "event_hash": event_hash,
            "cumulative_hash": cumulative, "record_hash": event_hash,
        }  # fmt: skip
        return pa.Table.from_pylist([row], schema=BLOCKS)

    def _supplies(self, height: int, tickers: pa.ChunkedArray) -> pa.Table:
        changed = []
        for counted in tickers.value_counts().to_pylist():
            row = self.supplies[counted["values"]]
            row |= {"height": height, "minted": row["minted"] + counted["counts"]}
            changed.append(row)
        return pa.Table.from_pylist(sorted(changed, key=lambda row: str(row["ticker"])), schema=SUPPLIES)


def _filled(schema: pa.Schema, columns: dict[str, object], count: int) -> pa.Table:
    """A table of arrays and of values that are the same in each row; what is not given is null."""
    arrays = []
    for field in schema:
        value = columns.get(field.name)
        whole = isinstance(value, (pa.Array, pa.ChunkedArray, np.ndarray))
        arrays.append(value if whole else pa.repeat(pa.scalar(value, field.type), count))
    return pa.table(dict(zip(schema.names, arrays, strict=True)), schema=schema)


def write_on(directory: Path, blocks: int, seconds: float) -> None:
    """Commit a block every so many seconds, on and on until they are all there."""
    with Lake.open(directory) as lake, Maintenance(lake) as maintenance:
        writer = Writer.of(lake)
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(blocks):
            started = time.monotonic()
            lake.commit(writer.block(), CANDIDATES.empty_table())
            maintenance.due()
            time.sleep(max(0.0, seconds - (time.monotonic() - started)))


if __name__ == "__main__":
    write_on(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
