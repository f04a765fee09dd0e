"""From facts about new blocks to the next manifest: they must join what is published, then they become segments."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa

from engine.schemas import Judged
from ingest.source import Tip
from warehouse.errors import ChainBroken, CountMismatch, HeightGap, SchemaMismatch
from warehouse.manifest import Manifest
from warehouse.segments import write_segment
from warehouse.tables import FACTS, TABLES


def facts(judged: Judged) -> dict[str, pa.Table]:
    """The tables of `judged` by name."""
    tables = {field.name: getattr(judged, field.name) for field in fields(judged)}
    return {**tables.pop("modules"), **tables}


def extended(directory: Path, manifest: Manifest, tables: dict[str, pa.Table]) -> Manifest:
    """`manifest` with the rows of `tables`, whose files are durable on return. An empty table makes no file.

    Raises SchemaMismatch, HeightGap, ChainBroken and CountMismatch before anything is written.
    """
    if unknown := sorted(tables.keys() - set(FACTS)):
        raise SchemaMismatch(unknown[0], "no table of that name is kept")
    tables = {name: TABLES[name].conforming(tables[name]) for name in FACTS if name in tables}
    blocks = tables["blocks"]
    if not blocks.num_rows:
        return manifest
    first, last = _check_blocks(manifest, blocks)
    for name, rows in tables.items():
        _check_rows(name, rows, blocks, first)
    with ThreadPoolExecutor(2, "segment") as pool:
        written = pool.map(
            lambda name: write_segment(directory, TABLES[name], tables[name], first, last),
            [name for name, rows in tables.items() if rows.num_rows],
        )
    tip = blocks.slice(blocks.num_rows - 1).to_pylist()[0]
    return replace(
        manifest.with_segments([*manifest.segments, *written]),
        tip=Tip(last, tip["hash"]),
        cumulative_hash=tip["cumulative_hash"],
    )


def _check_blocks(manifest: Manifest, blocks: pa.Table) -> tuple[int, int]:
    """First and last height of `blocks`, which follow the tip and each other by height, parent and cumulative hash."""
    expected = manifest.next_height
    parent = manifest.tip.hash if manifest.tip else None
    cumulative = manifest.cumulative_hash
    columns = (
        blocks[name].to_pylist() for name in ("height", "hash", "previous_hash", "event_hash", "cumulative_hash")
    )
    for height, hash_, previous, event, claimed in zip(*columns, strict=True):
        if height != expected:
            raise HeightGap(expected, height)
        if parent is not None and previous != parent:
            raise ChainBroken(height, "parent", parent, previous)
        cumulative = sha256((cumulative + event).encode()).hexdigest()
        if claimed != cumulative:
            raise ChainBroken(height, "cumulative hash", cumulative, claimed)
        expected, parent = height + 1, hash_
    return expected - blocks.num_rows, expected - 1


def _check_rows(name: str, rows: pa.Table, blocks: pa.Table, first: int) -> None:
    """Rows are in height order, and as many in each block as the block counts."""
    heights = rows[TABLES[name].height].to_numpy() - first
    outside = np.flatnonzero((heights < 0) | (heights >= blocks.num_rows) | (np.diff(heights, prepend=0) < 0))
    if len(outside):
        raise CountMismatch(name, int(heights[outside[0]]) + first, 0, len(outside))
    if name not in blocks.schema.names:
        return
    counted = blocks[name].to_numpy()
    found = np.bincount(heights, minlength=blocks.num_rows)
    wrong = np.flatnonzero(found != counted)
    if len(wrong):
        raise CountMismatch(name, first + int(wrong[0]), int(counted[wrong[0]]), int(found[wrong[0]]))
