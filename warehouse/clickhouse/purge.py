"""Rows that no mark shows any more are removed once no query can still be reading them."""

import time
from dataclasses import dataclass
from typing import Final

from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.ddl import STORED, local
from warehouse.clickhouse.marks import Mark
from warehouse.tables import FACTS, TABLES

GRACE: Final = 600.0
"""Seconds between a row's disappearance and its removal: longer than any query may run."""


@dataclass(slots=True)
class Purge:
    """Removes rows of older generations above what is visible of them, and accounts of older folds."""

    connection: Connection
    cluster: str | None
    _generation: int = -1
    _fold: int = -1

    def due(self, mark: Mark, grace: float = GRACE) -> None:
        """Do what is due. What is in the way of a mutation is the server's to say: PublishError."""
        now = time.time()
        if self._generation != mark.generation and now - mark.claimed >= grace:
            for name in FACTS:
                self._remove(name, TABLES[name].height, mark)
            self._remove("segments", "last_height", mark)
            self._generation = mark.generation
        if self._fold != mark.fold and now - mark.fold_time >= grace:
            older = self.connection.rows(f"SELECT DISTINCT fold FROM {STORED}balances WHERE fold <> {mark.fold}")
            for (fold,) in older:
                self._alter("balances", f"DROP PARTITION {fold}")
            self._fold = mark.fold

    def _remove(self, name: str, height: str, mark: Mark) -> None:
        hidden = f"generation < {mark.generation} AND {height} >= {list(mark.ends)}[generation + 1]"
        if self.connection.rows(f"SELECT count() FROM {STORED}{name} WHERE {hidden}")[0][0]:
            self._alter(name, f"DELETE WHERE {hidden}")

    def _alter(self, name: str, change: str) -> None:
        on = f" ON CLUSTER `{self.cluster}`" if self.cluster else ""
        self.connection.run(f"ALTER TABLE {local(name, self.cluster)}{on} {change}", mutations_sync=2)
