"""Tables of modules: rows of a range, and the latest version of each key."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine.modules.registry import StateTable

_FEWEST: Final = 1 << 14
"""Rows that are gathered before they are merged, which costs as much as there are keys."""

Tables = Mapping[str, pa.Table]
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class Versions:
    """The state of all modules as tables."""

    def __init__(self, tables: Iterable[StateTable], state: Mapping[str, pa.Table]) -> None:
        self._tables = tuple(tables)
        self._latest = {
            table.name: state.get(table.name, table.schema.empty_table()) for table in self._tables if not table.is_log
        }
        self._newer: dict[str, list[pa.Table]] = {name: [] for name in self._latest}

    def tables(self, rows: Rows) -> Tables:
        """Every table with its rows, which may be none."""
        return {
            table.name: pa.Table.from_pylist(list(rows.get(table.name, ())), table.schema) for table in self._tables
        }

    def joined(self, parts: Sequence[Tables]) -> Tables:
        """Every table of consecutive ranges; its rows become part of the state."""
        whole = {
            table.name: pa.concat_tables([table.schema.empty_table(), *(part[table.name] for part in parts)])
            for table in self._tables
        }
        for table in self._tables:
            if not table.is_log and len(whole[table.name]):
                newer = self._newer[table.name]
                newer.append(whole[table.name])
                if sum(map(len, newer)) > max(len(self._latest[table.name]), _FEWEST):
                    self._merge(table)
        return whole

    def latest(self) -> Tables:
        """The latest version of each key, sorted by key, of all tables but logs."""
        for table in self._tables:
            if not table.is_log and self._newer[table.name]:
                self._merge(table)
        return dict(self._latest)

    def _merge(self, table: StateTable) -> None:
        both = pa.concat_tables([self._latest[table.name], *self._newer[table.name]])
        self._latest[table.name] = _latest(both, table.key)
        self._newer[table.name] = []


def _latest(table: pa.Table, key: Sequence[str]) -> pa.Table:
    """The last row of each key, sorted by key."""
    places = table.select(key).append_column("place", pa.array(np.arange(len(table))))
    last = places.group_by(list(key)).aggregate([("place", "max")])["place_max"]
    return table.take(last).sort_by([(name, "ascending") for name in key])
