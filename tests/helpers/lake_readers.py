"""Reader processes beside a writer: `python -m tests.helpers.lake_readers DIR KIND SECONDS`.

Each reads published states for a while and checks every one of them against itself: all tables end at the tip, have
the rows that the blocks count, and every ticker's balances add up to what was minted. Prints how many different states
it saw. The kinds use nothing but the manifest and the library that they are named for.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from warehouse.duckdb_engine import connect, define_views
from warehouse.snapshot import LakeReader, Snapshot

SHELL = Path(sys.executable).with_name("duckdb")

Seen = tuple[int, int, int, int]
"""Tip height, blocks, records and events of one published state, after it was found consistent."""


def paths(snapshot: Snapshot, table: str) -> list[str]:
    return [str(snapshot.directory / segment.file.path) for segment in snapshot.manifest.of(table)]


def consistent(
    snapshot: Snapshot,
    blocks: dict[str, Any],
    counts: tuple[int, int],
    last: dict[Any, Decimal],
    minted: dict[str, Decimal],
) -> Seen:
    """Check one state: `blocks` are sums and ends of the blocks, `last` the newest balance of every account."""
    tip = snapshot.manifest.tip
    assert tip is not None
    assert (blocks["height"], blocks["cumulative_hash"]) == (tip.height, snapshot.manifest.cumulative_hash)
    assert blocks["count"] == tip.height - snapshot.manifest.start_height + 1
    assert counts == (blocks["operations"], blocks["balance_events"])
    held: dict[str, Decimal] = {}
    for (ticker, _), balance in last.items():
        held[ticker] = held.get(ticker, Decimal(0)) + balance
    assert held == minted
    return tip.height, blocks["count"], *counts


def by_polars(snapshot: Snapshot) -> Seen:
    blocks = pl.read_parquet(paths(snapshot, "blocks"))
    events = pl.read_parquet(paths(snapshot, "balance_events"))
    supplies = pl.read_parquet(paths(snapshot, "supplies"))
    operations = pl.read_parquet(paths(snapshot, "operations"))
    last = events.group_by("ticker", "address", maintain_order=True).agg(pl.col("balance_after").last()).rows()
    minted = supplies.group_by("ticker", maintain_order=True).agg(pl.col("minted").last()).rows()
    ends = {
        **blocks.row(-1, named=True),
        **{name: blocks[name].sum() for name in ("operations", "balance_events")},
        "count": blocks.height,
    }
    counts = operations.height, events.height
    return consistent(snapshot, ends, counts, {(t, a): b for t, a, b in last}, dict(minted))


def by_pandas(snapshot: Snapshot) -> Seen:
    def read(table: str) -> pd.DataFrame:
        return pd.concat([pd.read_parquet(path) for path in paths(snapshot, table)], ignore_index=True)

    blocks, events, supplies, operations = map(read, ("blocks", "balance_events", "supplies", "operations"))
    last: dict[Any, Decimal] = dict(events.groupby(["ticker", "address"])["balance_after"].last().items())
    minted: dict[Any, Decimal] = dict(supplies.groupby("ticker")["minted"].last().items())
    ends: dict[str, Any] = {
        **{str(name): value for name, value in blocks.iloc[-1].items()},
        **{name: int(blocks[name].sum()) for name in ("operations", "balance_events")},
        "count": len(blocks),
    }
    return consistent(snapshot, ends, (len(operations), len(events)), last, minted)


QUERIES = (
    "SELECT max(height) AS height, max_by(cumulative_hash, height) AS cumulative_hash, count(*) AS count, "
    "sum(operations)::BIGINT AS operations, sum(balance_events)::BIGINT AS balance_events FROM blocks",
    "SELECT (SELECT count(*) FROM operations) AS operations, (SELECT count(*) FROM balance_events) AS events",
    "SELECT ticker, address, balance::VARCHAR AS balance FROM balances",
    "SELECT ticker, circulating::VARCHAR AS minted FROM supply WHERE height IS NOT NULL",
)


def answered(snapshot: Snapshot, answers: list[list[dict[str, Any]]]) -> Seen:
    (ends,), (counts,), balances, minted = answers
    last = {(row["ticker"], row["address"]): Decimal(row["balance"]) for row in balances}
    amounts = {row["ticker"]: Decimal(row["minted"]) for row in minted}
    return consistent(snapshot, ends, (counts["operations"], counts["events"]), last, amounts)


def by_duckdb(snapshot: Snapshot) -> Seen:
    with snapshot.connect() as connection:
        return answered(snapshot, [connection.sql(query).to_arrow_table().to_pylist() for query in QUERIES])


SHELL_VIEWS = """
SET VARIABLE manifest = (
    SELECT manifest FROM read_json('{directory}/manifest.json', columns = {{
        segments: 'STRUCT("table" VARCHAR, path VARCHAR)[]',
        sequence: 'BIGINT', tip: 'STRUCT(height INTEGER)', cumulative_hash: 'VARCHAR'
    }}) AS manifest
);
CREATE MACRO files(name) AS list_transform(
    list_filter(getvariable('manifest').segments, lambda segment: segment.table = name),
    lambda segment: '{directory}/' || segment.path
);
SET VARIABLE blocks = files('blocks');
SET VARIABLE operations = files('operations');
SET VARIABLE events = files('balance_events');
SET VARIABLE supplies = files('supplies');
WITH
blocks AS (FROM read_parquet(getvariable('blocks'))),
events AS (FROM read_parquet(getvariable('events'))),
ends AS (
    SELECT max(height) AS height, max_by(cumulative_hash, height) AS hash, count(*) AS count,
        sum(operations) AS operations, sum(balance_events) AS events
    FROM blocks
),
records AS (SELECT count(*) AS count FROM read_parquet(getvariable('operations'))),
changes AS (SELECT count(*) AS count FROM events),
held AS (
    SELECT sum(balance) AS total
    FROM (SELECT arg_max(balance_after, (height, sequence)) AS balance FROM events GROUP BY ticker, address)
),
minted AS (
    SELECT sum(amount) AS total
    FROM (SELECT arg_max(minted, height) AS amount FROM read_parquet(getvariable('supplies')) GROUP BY ticker)
)
SELECT
    ends.height, ends.count, records.count AS operations, changes.count AS events,
    ends.height = getvariable('manifest').tip.height AS same_height,
    ends.hash = getvariable('manifest').cumulative_hash AS same_hash,
    ends.operations = records.count AND ends.events = changes.count AS same_counts,
    held.total = minted.total AS conserved
FROM ends, records, changes, held, minted;
"""


def by_shell(snapshot: Snapshot) -> Seen:
    """The command-line shell of DuckDB, which knows nothing but the directory."""
    script = SHELL_VIEWS.format(directory=snapshot.directory)
    answer = subprocess.run([SHELL, "-json", "-c", script], capture_output=True, text=True, timeout=60)
    if "No files found" in answer.stderr or "Cannot open file" in answer.stderr:
        raise FileNotFoundError(answer.stderr)
    assert answer.stderr == ""
    (row,) = json.loads(answer.stdout)
    assert all(row[name] for name in ("same_height", "same_hash", "same_counts", "conserved")), row
    return row["height"], row["count"], row["operations"], row["events"]


def by_refreshed_views(directory: Path) -> Callable[[Snapshot], Seen]:
    """One connection that is kept, and follows by `define_views`."""
    connection = connect(directory)

    def read(snapshot: Snapshot) -> Seen:
        define_views(connection, directory, snapshot.manifest)
        return answered(snapshot, [connection.sql(query).to_arrow_table().to_pylist() for query in QUERIES])

    return read


def main() -> None:
    directory, kind, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    readers: dict[str, Callable[[Snapshot], Seen]] = {
        "polars": by_polars,
        "pandas": by_pandas,
        "duckdb": by_duckdb,
        "shell": by_shell,
        "views": by_refreshed_views(directory),
    }
    reader, seen = LakeReader(directory), set()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if reader.snapshot().manifest.tip is not None:
            seen.add(reader.read(readers[kind]))
    print(len(seen))


if __name__ == "__main__":
    main()
