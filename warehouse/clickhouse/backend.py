"""The backend of tables that `simplicity publish` keeps in ClickHouse. Nothing of the lake's files is needed."""

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from engine.schemas import SUPPLIES
from ingest.source import Tip
from warehouse.clickhouse.client import connected, told
from warehouse.clickhouse.questions import ClickHouseStore
from warehouse.errors import BackendUnavailable
from warehouse.folds import MOST_BLOCKS, MOST_EVENTS
from warehouse.manifest import Fold, Manifest
from warehouse.past import accounts_query, supplies_query
from warehouse.serving_map import ServingMap
from warehouse.serving_tables import FOLD, write_serving
from warehouse.store import Published

_NEWEST: Final = (
    "SELECT network, start_height, sequence, height, hash, cumulative_hash FROM commits ORDER BY sequence DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class _Base:
    """Point lookups after one block, in memory."""

    tip: Tip
    cumulative_hash: str
    lookups: ServingMap


class ClickHouseBackend:
    """What `warehouse.backend.Backend` asks for.

    Point lookups are answered from memory, as with the lake: at the start, and whenever much has followed, all accounts
    are read into a file without a name that is mapped; the blocks since are laid over it.
    """

    directory: Final = None
    pause: Final = 0.2

    def __init__(self, address: str) -> None:
        self._client = connected(address)
        self._origin = address
        self._base: _Base | None = None

    def stamp(self) -> Hashable | None:
        """The newest mark."""
        try:
            return self._mark()
        except BackendUnavailable:
            return None

    def published(self) -> ClickHouseStore:
        """The newest state. Raises BackendUnavailable."""
        return ClickHouseStore(self._client, self._origin, self._manifest())

    def fold(self, snapshot: Published) -> Fold | None:
        """The block that was newest when all accounts were read; the newest of all when they are to be read again."""
        tip = snapshot.manifest.tip
        if tip is None:
            return None
        if self._base is not None and self._serves(self._base, snapshot, tip):
            return Fold(self._base.tip.height, ())
        self._base = None
        return Fold(tip.height, ())

    def opened(self, snapshot: Published, fold: Fold) -> ServingMap:
        """All accounts, tokens and supplies after that block."""
        if self._base is None:
            store = self.at(snapshot.manifest)
            (block,) = snapshot.rows("blocks", ["hash", "cumulative_hash"], (fold.height, fold.height)).to_pylist()
            accounts = f"{accounts_query(store, fold.height)} ORDER BY ticker, address"
            supplies = f"SELECT {fold.height} AS height, * FROM ({supplies_query(store, fold.height)}) ORDER BY ticker"
            tokens = snapshot.rows("tokens", heights=(snapshot.manifest.start_height, fold.height))
            with TemporaryDirectory(prefix="simplicity-serving-") as home:
                write_serving(store.table(accounts, FOLD), store.table(supplies, SUPPLIES), tokens, Path(home))
                lookups = ServingMap.open(Path(home))
            store.confirm()
            self._base = _Base(Tip(fold.height, block["hash"]), block["cumulative_hash"], lookups)
        return self._base.lookups

    def at(self, manifest: Manifest) -> ClickHouseStore:
        """The state in SQL, for one question."""
        return ClickHouseStore(self._client, self._origin, manifest)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _mark(self) -> tuple[Any, ...]:
        with told():
            rows = self._client.query(_NEWEST).result_rows
        return tuple(rows[0]) if rows else ()

    def _manifest(self) -> Manifest:
        mark = self._mark()
        if not mark:
            raise BackendUnavailable("no block has been published to ClickHouse yet")
        network, start, sequence, height, hash_, cumulative = mark
        return Manifest(network, start, sequence, Tip(height, hash_), cumulative)

    def _serves(self, base: _Base, snapshot: Published, tip: Tip) -> bool:
        """Whether the block of `base` is still published, and not too much has followed."""
        if not 0 <= tip.height - base.tip.height <= MOST_BLOCKS:
            return False
        columns = ["hash", "cumulative_hash", "balance_events"]
        blocks = snapshot.rows("blocks", columns, (base.tip.height, tip.height)).to_pylist()
        first = blocks[0]
        events = sum(block["balance_events"] for block in blocks[1:])
        return (first["hash"], first["cumulative_hash"]) == (base.tip.hash, base.cumulative_hash) and (
            events <= MOST_EVENTS
        )
