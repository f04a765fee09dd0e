"""Small adjacent segments become larger ones, laid out for search.

A step is bounded, and a crash at any point of it changes nothing.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from warehouse.lake import Lake
from warehouse.manifest import Manifest, Segment
from warehouse.segments import read_parts, write_compacted
from warehouse.tables import FACTS, TABLES

FEW: Final = 16
"""Adjacent small segments that are left alone: at the tip, that many blocks."""

LIMITS: Final = (256 << 10, 4 << 20, 64 << 20)
"""Sizes in bytes that segments grow through: about a day of blocks, a month, and the largest. A step reads at most
twice the last."""


def compact_step(lake: Lake) -> bool:
    """Merge one run of segments, if any should be; commits, rewinds and folds may go on meanwhile.

    False when nothing is left to merge, or when a rewind replaced an input in the meantime.
    """
    run = next(_runs(lake.manifest), None)
    if run is None:
        return False
    table = TABLES[run[0].table]
    rows = read_parts(lake.directory, run)
    count = sum(segment.file.rows for segment in run)
    merged = write_compacted(lake.directory, table, rows, count, run[0].first, run[-1].last)

    def swapped(manifest: Manifest) -> Manifest:
        if not set(run) <= set(manifest.segments):
            return manifest
        return manifest.with_segments([*(part for part in manifest.segments if part not in run), merged])

    lake.publish(swapped)
    return merged in lake.manifest.segments


def _runs(manifest: Manifest) -> Iterator[Sequence[Segment]]:
    """Runs of adjacent segments worth merging, the smallest first; then large ones that were written for speed."""
    for limit in LIMITS:
        for name in FACTS:
            for run in _below(manifest.of(name), limit):
                if chosen := _worth_merging(run, limit):
                    yield chosen
    yield from ([part] for part in manifest.segments if not part.searchable and part.file.bytes >= LIMITS[-1])


def _below(segments: Sequence[Segment], limit: int) -> Iterator[list[Segment]]:
    """Unbroken runs of segments smaller than `limit` bytes."""
    for small, run in groupby(segments, lambda segment: segment.file.bytes < limit):
        if small:
            yield list(run)


def _worth_merging(run: Sequence[Segment], limit: int) -> Sequence[Segment]:
    """The start of `run` that together reaches `limit`; all of it when it is long; nothing otherwise."""
    total = 0
    for count, segment in enumerate(run, 1):
        total += segment.file.bytes
        if total >= limit:
            return run[:count]
    return run if len(run) > FEW else ()
