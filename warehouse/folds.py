"""Balances and supplies as of one height, from the fold before and the facts since."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from engine.schemas import FOLD, SUPPLIES
from warehouse.files import file_sha256, sync_directory, sync_file
from warehouse.lake import Lake
from warehouse.manifest import File, Fold, Manifest
from warehouse.segments import write_sorted
from warehouse.serving_tables import write_serving
from warehouse.snapshot import Snapshot
from warehouse.tables import TABLES

KEPT: Final = 3
"""Folds that stay: the newest, and those that a rewind can fall back on."""

MOST_EVENTS: Final = 100_000
MOST_BLOCKS: Final = 1_000
"""How much may follow the newest fold before another is due: readers lay it over the fold."""


def fold_due(manifest: Manifest) -> bool:
    """Whether more events or blocks follow the newest fold than readers should lay over it."""
    if manifest.tip is None:
        return False
    fold = manifest.fold_at(manifest.tip.height)
    folded = fold.height if fold else manifest.start_height - 1
    return manifest.tip.height - folded > MOST_BLOCKS or _events_since(manifest, folded) > MOST_EVENTS


def make_fold(lake: Lake) -> bool:
    """Fold everything up to the tip and publish it; False when there is nothing to fold or a rewind came between."""
    snapshot, rewinds = lake.snapshot, lake.rewinds
    tip = snapshot.manifest.tip
    if tip is None or any(fold.height == tip.height for fold in snapshot.manifest.folds):
        return False
    fold = written_fold(snapshot, tip.height)

    def added(manifest: Manifest) -> Manifest:
        return manifest if lake.rewinds != rewinds else replace(manifest, folds=(*manifest.folds, fold)[-KEPT:])

    lake.publish(added)
    return fold in lake.manifest.folds


def written_fold(snapshot: Snapshot, height: int) -> Fold:
    """The fold of all that `snapshot` holds up to its tip at `height`: durable, visible once a manifest names it."""
    with snapshot.connect() as connection:
        balances = connection.sql("FROM balances ORDER BY ticker, address").to_arrow_table().cast(FOLD)
        supplies = connection.sql("FROM latest_supplies ORDER BY ticker").to_arrow_table().cast(SUPPLIES)
    return write_fold(snapshot.directory, height, balances, supplies, snapshot.rows("tokens"))


def write_fold(directory: Path, height: int, balances: pa.Table, supplies: pa.Table, tokens: pa.Table) -> Fold:
    """The fold of these balances (FOLD, sorted), latest supplies and tokens."""
    home = f"folds/{height:08d}-{secrets.token_hex(4)}"
    with ThreadPoolExecutor(1, "fold") as other:
        table = other.submit(write_sorted, directory, home, "balances", TABLES["balances"], balances)
        supply = write_sorted(directory, home, "supplies", TABLES["supplies"], supplies)
        serving = write_serving(balances, supplies, tokens, directory / home)
        files = [table.result(), supply, *(_sealed(directory, path) for path in serving)]
    sync_directory(directory / home)
    return Fold(height, tuple(files))


def _events_since(manifest: Manifest, height: int) -> int:
    """Balance events above `height`; of a segment that reaches over it, a share by its heights."""
    return sum(
        segment.file.rows * (segment.last - max(segment.first - 1, height)) // (segment.last - segment.first + 1)
        for segment in manifest.of("balance_events")
        if segment.last > height
    )


def _sealed(directory: Path, path: Path) -> File:
    sync_file(path)
    return File(str(path.relative_to(directory)), 0, path.stat().st_size, file_sha256(path))
