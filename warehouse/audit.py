"""Does the lake hold together? Files against their hashes, facts against each other, folds against facts.

Nothing here is shared with the engine: every number is computed anew from the rows, by the questions in
`warehouse/checks`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from importlib.resources import files
from itertools import chain, pairwise
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import HeightUnknown
from warehouse.files import file_sha256
from warehouse.manifest import File, read_manifest
from warehouse.snapshot import LakeReader, Snapshot
from warehouse.tables import FACTS, TABLES

MOST: Final = 100
"""Findings of one check that are listed."""

FACT_CHECKS: Final = (
    "parents",
    "cumulative_hash",
    "event_hash",
    "record_hash",
    "counts",
    "numbering",
    "running_balances",
    "negative_balances",
    "effects",
    "minted",
    "burned",
    "rounding",
    "conservation",
    "flows",
    "supply_cap",
    "deploys",
    "positions",
    "executions",
    "reserves",
    "pool_accounts",
    "programs",
    "staked",
    "reward_cap",
    "vaults",
)
FOLD_CHECKS: Final = ("fold_balances", "fold_supplies")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold."""

    check: str
    """`files`, `ranges`, `tip`, `keys`, or a file of `warehouse/checks`."""
    place: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.check}: {self.place}: expected {self.expected}, found {self.found}"


def audit(directory: Path, height: int | None = None) -> list[Finding]:
    """Everything that does not hold in the lake as published now, with facts up to `height` or the tip.

    While a file itself is damaged its rows mean nothing: then only files are reported. Raises LakeNotFound and
    HeightUnknown.
    """
    return LakeReader(directory).read(lambda snapshot: _audited(snapshot, height))


def _audited(snapshot: Snapshot, height: int | None) -> list[Finding]:
    first, tip = snapshot.manifest.start_height, snapshot.manifest.next_height - 1
    height = tip if height is None else height
    if not first - 1 <= height <= tip:
        raise HeightUnknown(height, first, tip if tip >= first else None)
    if damaged := list(_files(snapshot)):
        return damaged
    with snapshot.connect(height) as connection:
        connection.create_function("receipt_worth", _receipt_worth)
        facts = [_asked(connection, "keys", query) for query in _key_queries()]
        facts += [_asked(connection, check, _query(check)) for check in FACT_CHECKS]
    folds = [
        finding for fold in snapshot.manifest.folds if fold.height <= height for finding in _fold(snapshot, fold.height)
    ]
    return [*_ranges(snapshot), *_tip(snapshot), *chain(*facts), *folds]


def _files(snapshot: Snapshot) -> Iterator[Finding]:
    """Files that are gone, or are not what was written."""
    listed = [segment.file for segment in snapshot.manifest.segments]
    for file in chain(listed, *(fold.files for fold in snapshot.manifest.folds)):
        path = snapshot.directory / file.path
        try:
            yield from _file(path, file)
        except FileNotFoundError:
            if read_manifest(snapshot.directory).sequence != snapshot.manifest.sequence:
                raise
            yield Finding("files", file.path, f"{file.bytes} bytes", "no file")


def _file(path: Path, file: File) -> Iterator[Finding]:
    size = path.stat().st_size
    if size != file.bytes:
        yield Finding("files", file.path, f"{file.bytes} bytes", f"{size} bytes")
    elif (digest := file_sha256(path)) != file.sha256:
        yield Finding("files", file.path, f"SHA-256 {file.sha256}", digest)
    elif path.suffix == ".parquet" and (rows := _row_count(path)) != file.rows:
        yield Finding("files", file.path, f"{file.rows} rows", f"{rows} rows")


def _row_count(path: Path) -> int | str:
    try:
        return int(pq.read_metadata(path).num_rows)
    except pa.ArrowInvalid as error:
        return f"unreadable: {error}"


def _ranges(snapshot: Snapshot) -> Iterator[Finding]:
    """Height ranges of the segments: inside the lake, apart from each other, for blocks without gap."""
    first, tip = snapshot.manifest.start_height, snapshot.manifest.next_height - 1
    for table in FACTS:
        spans = [(first - 1, first - 1), *((part.first, part.last) for part in snapshot.manifest.of(table))]
        for (_, before), (start, end) in pairwise(spans):
            if start <= before or end > tip or end < start or (table == "blocks" and start != before + 1):
                yield Finding(
                    "ranges", f"{table} {start} to {end}", f"{before + 1} to {tip} at most", f"{start} to {end}"
                )
        if table == "blocks" and spans[-1][1] != tip:
            yield Finding("ranges", table, f"heights up to {tip}", f"heights up to {spans[-1][1]}")


def _tip(snapshot: Snapshot) -> Iterator[Finding]:
    """The manifest's tip against the last block."""
    manifest = snapshot.manifest
    if manifest.tip is None:
        return
    height = manifest.tip.height
    rows = snapshot.rows("blocks", ["hash", "cumulative_hash"], (height, height)).to_pylist()
    claimed = {"hash": manifest.tip.hash, "cumulative_hash": manifest.cumulative_hash}
    if rows != [claimed]:
        yield Finding("tip", f"block {height}", str(claimed), str(rows))


def _fold(snapshot: Snapshot, height: int) -> Iterator[Finding]:
    with snapshot.connect(height) as connection:
        for check in FOLD_CHECKS:
            for finding in _asked(connection, check, _query(check)):
                yield Finding(check, f"fold {height}: {finding.place}", finding.expected, finding.found)


def _asked(connection: duckdb.DuckDBPyConnection, check: str, query: str) -> list[Finding]:
    try:
        rows = connection.execute(f"FROM ({query}) LIMIT {MOST}").fetchall()
    except duckdb.OutOfRangeException as error:
        return [Finding(check, "a sum", "amounts below 10^30", str(error))]
    return [Finding(check, *(str(value) for value in row)) for row in rows]


def _receipt_worth(amount: str, index: str, index_at_lock: str) -> str:
    """Amount times the growth of the index, in 50 digits, rounded down to 8 decimals (R-SWAP-EXE-3, D-43)."""
    context = Context(prec=50, rounding=ROUND_HALF_EVEN)
    growth = context.divide(Decimal(index), Decimal(index_at_lock))
    worth = context.multiply(Decimal(amount), growth)
    return f"{worth.quantize(Decimal('1E-8'), ROUND_FLOOR, Context(prec=100)):f}"


def _query(check: str) -> str:
    return files("warehouse").joinpath("checks", f"{check}.sql").read_text()


def _key_queries() -> Iterator[str]:
    """One question a key: which values occur more than once, or lie outside what may be?"""
    for table in FACTS:
        yield _duplicates("records" if table == "operations" else table, TABLES[table].key)
    yield _duplicates("records", ("txid", "vout"))


def _duplicates(view: str, key: tuple[str, ...]) -> str:
    columns = ", ".join(key)
    return (
        f"SELECT '{view} ' || concat_ws(' ', {columns}), 'one row', count(*) || ' rows' "
        f"FROM {view} GROUP BY {columns} HAVING count(*) > 1 ORDER BY {columns}"
    )
