"""A new generation of every derived table, made from the archive and published in one step."""

from collections.abc import Callable
from dataclasses import replace

from engine.schemas import Judged
from ingest.candidates import HEADERS
from warehouse.commit import extended, facts
from warehouse.errors import RebuildIncomplete
from warehouse.manifest import Fold, Manifest
from warehouse.snapshot import Snapshot


class Generation:
    """Derived tables written beside the published ones. Until `publish` readers see, and a crash leaves, the old."""

    def __init__(self, old: Snapshot, publish: Callable[[Callable[[Manifest], Manifest]], None]) -> None:
        self._old = old
        self._publish = publish
        self._new = Manifest(old.manifest.network, old.manifest.start_height)

    def commit(self, judged: Judged) -> None:
        """Append consecutive blocks, judged anew. Raises what `Lake.commit` raises, and RebuildIncomplete."""
        heights = judged.blocks["height"].to_pylist()
        if not heights:
            return
        headers = self._old.rows("blocks", HEADERS.names, (heights[0], heights[-1]))
        if not judged.blocks.select(HEADERS.names).cast(HEADERS).equals(headers):
            raise RebuildIncomplete(f"blocks {heights[0]} to {heights[-1]} are not those of the archive")
        self._new = extended(self._old.directory, self._new, facts(judged))

    @property
    def snapshot(self) -> Snapshot:
        """The new tables as they would be read; nobody else sees them yet."""
        return Snapshot(self._old.directory, self._new)

    def publish(self, fold: Fold | None = None) -> None:
        """Replace all derived tables at once, the folds by `fold`, which was made of the new ones.

        Raises RebuildIncomplete unless every published block was judged.
        """
        self._publish(lambda published: self._replacing(published, fold))

    def _replacing(self, published: Manifest, fold: Fold | None) -> Manifest:
        if published.tip != self._new.tip:
            raise RebuildIncomplete(f"they end with {self._new.tip}, the lake with {published.tip}")
        return replace(
            self._new.with_segments([*self._new.segments, *published.of("candidates")]),
            sequence=published.sequence,
            folds=(fold,) if fold else (),
        )
