"""The backend of tables that `simplicity publish` keeps in ClickHouse. Nothing of the lake's files is needed."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from engine.schemas import SUPPLIES
from warehouse.clickhouse.client import connected, told
from warehouse.clickhouse.ddl import STORED
from warehouse.clickhouse.errors import OtherSchema
from warehouse.clickhouse.marks import Mark
from warehouse.clickhouse.questions import ClickHouseStore
from warehouse.clickhouse.target import Target
from warehouse.errors import BackendUnavailable, StateGone
from warehouse.folds import MOST_BLOCKS
from warehouse.manifest import Fold, Manifest
from warehouse.past import accounts_query, supplies_query
from warehouse.serving_map import ServingMap
from warehouse.serving_tables import FOLD, write_serving
from warehouse.store import Published
from warehouse.tables import SCHEMA_VERSION

REMEMBERED: Final = 64
"""Marks by which states can be asked for that are no longer the newest."""


@dataclass(frozen=True, slots=True)
class _Base:
    """Point lookups after one block, in memory."""

    height: int
    hash: str
    cumulative_hash: str
    lookups: ServingMap


class ClickHouseBackend:
    """What `warehouse.backend.Backend` asks for.

    Point lookups are answered from memory, as with the lake: at the start, and whenever a newer fold was published, all
    accounts are read into a file without a name that is mapped; the blocks since are laid over it.
    """

    directory: Final = None
    pause: Final = 0.2

    def __init__(self, address: str) -> None:
        """The server need not be there yet. Raises UnusableTarget."""
        self._target = Target.of(address)
        self._marks: OrderedDict[int, Mark] = OrderedDict()
        self._base: _Base | None = None

    @cached_property
    def _client(self) -> Client:
        return connected(self._target)

    def stamp(self) -> Hashable | None:
        """The number of the newest mark."""
        try:
            return self._mark().sequence
        except (BackendUnavailable, OtherSchema):
            return None

    def published(self) -> ClickHouseStore:
        """The newest state. Raises BackendUnavailable and OtherSchema."""
        mark = self._mark()
        self._marks[mark.sequence] = mark
        while len(self._marks) > REMEMBERED:
            self._marks.popitem(last=False)
        return ClickHouseStore(self._client, self._target, mark)

    def fold(self, snapshot: Published) -> Fold | None:
        """The block of which all accounts are read: that of the published fold, or one whose accounts are summed up."""
        mark = self._marks[snapshot.manifest.sequence]
        if mark.fold:
            return Fold(mark.fold_height, ())
        if not mark.hash:
            return None
        base = self._base
        still = base is not None and mark.height - base.height <= MOST_BLOCKS and _stands(base, snapshot)
        return Fold(base.height if base is not None and still else mark.height, ())

    def opened(self, snapshot: Published, fold: Fold) -> ServingMap:
        """All accounts, tokens and supplies after that block."""
        if self._base is None or self._base.height != fold.height or not _stands(self._base, snapshot):
            self._base = self._read(self.at(snapshot.manifest), fold.height)
        return self._base.lookups

    def at(self, manifest: Manifest) -> ClickHouseStore:
        """The state in SQL, for one question. Raises StateGone for one that was published too long ago."""
        mark = self._marks.get(manifest.sequence)
        if mark is None:
            raise StateGone(f"{self._target.name} has published {REMEMBERED} times since")
        return ClickHouseStore(self._client, self._target, mark)

    def close(self) -> None:
        """Close the connections, if there were any."""
        if "_client" in self.__dict__:
            self._client.close()

    def _read(self, store: ClickHouseStore, height: int) -> _Base:
        """All that lookups need after a block."""
        (block,) = store.rows("blocks", ["hash", "cumulative_hash"], (height, height)).to_pylist()
        mark = store.mark
        accounts = accounts_query(store, height)
        if mark.fold and mark.fold_height == height:
            accounts = f"SELECT {', '.join(FOLD.names)} FROM {STORED}balances WHERE fold = {mark.fold}"
        supplies = f"SELECT {height} AS height, * FROM ({supplies_query(store, height)})"
        tokens = store.rows("tokens", heights=(mark.start_height, height))
        with TemporaryDirectory(prefix="simplicity-serving-") as home:
            write_serving(
                store.table(f"{accounts} ORDER BY ticker, address", FOLD),
                store.table(f"{supplies} ORDER BY ticker", SUPPLIES),
                tokens,
                Path(home),
            )
            return _Base(height, block["hash"], block["cumulative_hash"], ServingMap.open(Path(home)))

    def _mark(self) -> Mark:
        names = ", ".join(Mark.__slots__)
        with told(self._target):
            rows = self._client.query(f"SELECT {names} FROM {STORED}commits ORDER BY sequence DESC LIMIT 1").result_rows
        if not rows:
            raise BackendUnavailable(f"nothing has been published to {self._target.name} yet: run `simplicity publish`")
        values: dict[str, Any] = dict(zip(Mark.__slots__, rows[0], strict=True))
        mark = Mark(**{**values, "ends": tuple(values["ends"])})
        if mark.schema_version != SCHEMA_VERSION:
            raise OtherSchema(self._target.name, mark.schema_version, SCHEMA_VERSION)
        return mark


def _stands(base: _Base, snapshot: Published) -> bool:
    """Whether the block of `base` is still published, with the same effects."""
    rows = snapshot.rows("blocks", ["hash", "cumulative_hash"], (base.height, base.height)).to_pylist()
    return bool(rows == [{"hash": base.hash, "cumulative_hash": base.cumulative_hash}])
