"""The one file that says what the lake holds. Nothing is visible before it is named here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson

from ingest.source import Tip
from warehouse.errors import HeightUnknown, LakeNotFound, ManifestDamaged, NewerFormat, RebuildNeeded
from warehouse.files import write_whole
from warehouse.tables import FACTS, SCHEMA_VERSION

FORMAT: Final = 1
"""Version of the manifest's own layout."""

NAME: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class File:
    """A file that never changes. `path` is relative to the lake's directory, `sha256` is 64 hex digits."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows of one table for the heights `first` to `last`, both included (`from` and `to` in the file)."""

    table: str
    first: int
    last: int
    file: File
    searchable: bool = False
    """Laid out for search (compacted) instead of written for speed."""
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Fold:
    """Balances and supplies as of `height`, with the serving files made from them; `files[0]` holds the balances."""

    height: int
    files: tuple[File, ...]

    @property
    def balances(self) -> File:
        """The Parquet file of all accounts, sorted by (ticker, address)."""
        return self.files[0]

    @property
    def supplies(self) -> File:
        """The Parquet file of the latest supply of each ticker."""
        return self.files[1]

    @property
    def serving(self) -> tuple[File, ...]:
        """Files for point lookups."""
        return self.files[2:]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One published state of the lake. `sequence` grows by one with every publication."""

    network: str
    start_height: int
    sequence: int = 0
    tip: Tip | None = None
    cumulative_hash: str = ""
    """Of the tip; empty while there is no block."""
    segments: tuple[Segment, ...] = ()
    """Ordered by table, then height."""
    folds: tuple[Fold, ...] = ()
    """Oldest first."""
    schema_version: int = SCHEMA_VERSION
    """By which the tables were derived; kept segments of the archive may be older."""
    tables: tuple[str, ...] = FACTS
    """All fact tables, also those without rows: with other modules, others."""

    def check_current(self, directory: Path) -> None:
        """Raises RebuildNeeded when the tables are not those that this version and its modules would derive."""
        if self.schema_version < SCHEMA_VERSION:
            raise RebuildNeeded(directory, f"schema version {self.schema_version}, known here is {SCHEMA_VERSION}")
        if others := sorted(set(self.tables) ^ set(FACTS)):
            raise RebuildNeeded(directory, f"other modules, which differ by the tables {', '.join(others)}")

    def check_height(self, height: int) -> None:
        """Raises HeightUnknown unless `height` is that of a published block."""
        if not self.start_height <= height < self.next_height:
            raise HeightUnknown(height, self.start_height, self.tip.height if self.tip else None)

    @property
    def next_height(self) -> int:
        """The height of the block that a commit must begin with."""
        return self.start_height if self.tip is None else self.tip.height + 1

    def of(self, table: str) -> tuple[Segment, ...]:
        """Segments of `table`, lowest heights first."""
        return tuple(segment for segment in self.segments if segment.table == table)

    def fold_at(self, height: int) -> Fold | None:
        """The newest fold that is not above `height`."""
        return next((fold for fold in reversed(self.folds) if fold.height <= height), None)

    def with_segments(self, segments: Iterable[Segment]) -> "Manifest":
        """The same state with exactly these segments."""
        ordered = sorted(segments, key=lambda segment: (segment.table, segment.first))
        return replace(self, segments=tuple(ordered))

    def paths(self) -> set[str]:
        """Every file that the manifest names."""
        folded = (file.path for fold in self.folds for file in fold.files)
        return {segment.file.path for segment in self.segments}.union(folded)


def read_manifest(directory: Path) -> Manifest:
    """The state published last. Needs no lock. Raises RebuildNeeded, LakeNotFound, NewerFormat and ManifestDamaged."""
    manifest = read_any_manifest(directory)
    manifest.check_current(directory)
    return manifest


def read_any_manifest(directory: Path) -> Manifest:
    """The same for who can do with tables of other versions. Raises LakeNotFound, NewerFormat and ManifestDamaged."""
    path = directory / NAME
    try:
        document = orjson.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise LakeNotFound(directory) from None
    except orjson.JSONDecodeError as error:
        raise ManifestDamaged(path, str(error)) from error
    try:
        if document["format"] > FORMAT:
            raise NewerFormat(path, "format", document["format"], FORMAT)
        if document["schema_version"] > SCHEMA_VERSION:
            raise NewerFormat(path, "schema version", document["schema_version"], SCHEMA_VERSION)
        return _decoded(document)
    except (KeyError, TypeError) as error:
        raise ManifestDamaged(path, f"{type(error).__name__}: {error}") from error


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Publish `manifest`: on return it is what every reader finds, and durable."""
    write_whole(
        directory / NAME, orjson.dumps(_encoded(manifest), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )


def _encoded(manifest: Manifest) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "schema_version": manifest.schema_version,
        "tables": manifest.tables,
        "network": manifest.network,
        "start_height": manifest.start_height,
        "sequence": manifest.sequence,
        "tip": None if manifest.tip is None else {"height": manifest.tip.height, "hash": manifest.tip.hash},
        "cumulative_hash": manifest.cumulative_hash,
        "segments": [
            {
                "table": segment.table,
                "from": segment.first,
                "to": segment.last,
                "searchable": segment.searchable,
                "schema_version": segment.schema_version,
                **_encoded_file(segment.file),
            }
            for segment in manifest.segments
        ],
        "folds": [
            {"height": fold.height, "files": [_encoded_file(file) for file in fold.files]} for fold in manifest.folds
        ],
    }


def _encoded_file(file: File) -> dict[str, Any]:
    return {"path": file.path, "rows": file.rows, "bytes": file.bytes, "sha256": file.sha256}


def _decoded(document: dict[str, Any]) -> Manifest:
    tip = document["tip"]
    return Manifest(
        network=document["network"],
        start_height=document["start_height"],
        sequence=document["sequence"],
        tip=None if tip is None else Tip(tip["height"], tip["hash"]),
        cumulative_hash=document["cumulative_hash"],
        segments=tuple(
            Segment(
                item["table"],
                item["from"],
                item["to"],
                _decoded_file(item),
                item["searchable"],
                item["schema_version"],
            )
            for item in document["segments"]
        ),
        folds=tuple(
            Fold(item["height"], tuple(_decoded_file(file) for file in item["files"])) for item in document["folds"]
        ),
        schema_version=document["schema_version"],
        tables=tuple(document.get("tables", ())),
    )


def _decoded_file(item: dict[str, Any]) -> File:
    return File(item["path"], item["rows"], item["bytes"], item["sha256"])
