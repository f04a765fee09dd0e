"""Who keeps the published tables: the lake's files or a database. One for each process that serves them."""

from collections.abc import Hashable
from pathlib import Path
from typing import Protocol

from warehouse.manifest import Fold, Manifest
from warehouse.serving_map import ServingMap
from warehouse.store import Published, Store


class Backend(Protocol):
    """What is published now, and any state that was published lately. For use by several threads at once."""

    @property
    def directory(self) -> Path | None:
        """The lake's folder; None when its files are not at hand."""

    @property
    def pause(self) -> float:
        """Seconds between two looks at the stamp."""

    def stamp(self) -> Hashable | None:
        """Differs when `published` would; None when that cannot be told. Never raises."""

    def published(self) -> Published:
        """The newest state. Raises LakeError."""

    def fold(self, snapshot: Published) -> Fold | None:
        """From which height on point lookups lay blocks over each other; None: from the first block."""

    def opened(self, snapshot: Published, fold: Fold) -> ServingMap:
        """Point lookups at that height. Raises LakeError, and OSError when files vanish meanwhile."""

    def at(self, manifest: Manifest) -> Store:
        """A state in SQL, for one question."""

    def close(self) -> None:
        """Let go of what is held open."""
