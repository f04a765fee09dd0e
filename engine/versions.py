"""Tables of modules: rows of a range, and the latest version of each key."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from engine.modules.registry import StateTable

Tables = Mapping[str, pa.Table]
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class Versions:
    """The state of all modules as tables."""

    def __init__(self, tables: Iterable[StateTable], state: Mapping[str, pa.Table]) -> None:
        self._tables = tuple(tables)
        self._latest = {
            table.name: state.get(table.name, table.schema.empty_table()) for table in self._tables if not table.is_log
        }

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
                both = pa.concat_tables([self._latest[table.name], whole[table.name]])
                self._latest[table.name] = _latest(both, table.key)
        return whole

    def latest(self) -> Tables:
        """The latest version of each key, sorted by key, of all tables but logs."""
        return dict(self._latest)


def _latest(table: pa.Table, key: Sequence[str]) -> pa.Table:
    """The last row of each key, sorted by key."""
    places = table.select(key).append_column("place", pa.array(np.arange(len(table))))
    last = places.group_by(list(key)).aggregate([("place", "max")])["place_max"]
    return table.take(last).sort_by([(name, "ascending") for name in key])
