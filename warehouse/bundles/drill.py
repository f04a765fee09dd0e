"""A restore that is only tried: from the snapshot to a lake, whose hashes are calculated anew and compared."""

import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from warehouse.bundles.contents import Contents
from warehouse.bundles.hashes import balances_hash, cumulative_hash
from warehouse.bundles.reading import Advance, import_into
from warehouse.indexer import rederive
from warehouse.lake import Lake
from warehouse.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Comparison:
    """A hash that the snapshot names, and the one that the restored lake has."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill found. Times in seconds."""

    contents: Contents
    comparisons: tuple[Comparison, ...]
    restored: float
    compared: float

    @property
    def differs(self) -> bool:
        """Whether any hash is another."""
        return any(each.expected != each.found for each in self.comparisons)


def drill(place: Path | str, key: Ed25519PublicKey, rebuild: bool, advance: Advance = lambda _: None) -> Drill:
    """Restore the snapshot at `place` into a temporary folder and compare; with `rebuild` also judge its archive anew.

    A snapshot of an older schema version is always judged anew. Raises what `import_into` does, and LakeError.
    """
    with tempfile.TemporaryDirectory(prefix="simplicity-drill-") as folder:
        began = time.monotonic()
        contents = import_into(place, Path(folder), key, advance)
        restored = time.monotonic()
        comparisons: list[Comparison] = []
        with Lake.open(Path(folder)) as lake:
            if not (older := lake.needs_rebuild()):
                comparisons += _compared(contents, lake.snapshot, "")
            if rebuild or older:
                for _ in rederive(lake, threading.Event()):
                    pass
                comparisons += _compared(contents, lake.snapshot, " after a rebuild")
        return Drill(contents, tuple(comparisons), restored - began, time.monotonic() - restored)


def _compared(contents: Contents, snapshot: Snapshot, when: str) -> list[Comparison]:
    return [
        Comparison(f"block hash{when}", contents.hash, snapshot.block_hash(contents.height) or "none"),
        Comparison(f"cumulative hash{when}", contents.cumulative_hash, cumulative_hash(snapshot)),
        Comparison(f"balances hash{when}", contents.balances_hash, balances_hash(snapshot)),
    ]
