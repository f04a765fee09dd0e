"""The same rows removed: the manifest as it would be had the blocks above a height never been seen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ingest.source import Tip
from warehouse.manifest import Manifest, Segment
from warehouse.segments import read_parts, read_rows, write_compacted
from warehouse.tables import TABLES


def rewound(directory: Path, manifest: Manifest, height: int) -> Manifest:
    """`manifest` without anything above `height`; segments that reach over it are written anew up to it."""
    block = read_rows(directory, manifest, "blocks", ["hash", "cumulative_hash"], (height, height)).to_pylist()
    return replace(
        manifest.with_segments(_kept(directory, manifest, height)),
        tip=Tip(height, block[0]["hash"]) if block else None,
        cumulative_hash=block[0]["cumulative_hash"] if block else "",
        folds=tuple(fold for fold in manifest.folds if fold.height <= height),
    )


def _kept(directory: Path, manifest: Manifest, height: int) -> Iterator[Segment]:
    for segment in manifest.segments:
        if segment.last <= height:
            yield segment
        elif segment.first <= height:
            rows = read_parts(directory, [segment], heights=(segment.first, height))
            shortened = write_compacted(
                directory, TABLES[segment.table], rows, segment.file.rows, segment.first, height
            )
            if shortened.file.rows:
                yield shortened
