"""A state that ClickHouse publishes, in SQL and as Arrow."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from ingest.source import Tip
from warehouse.clickhouse.client import bound, told
from warehouse.clickhouse.ddl import base_views, visible
from warehouse.clickhouse.marks import Mark
from warehouse.clickhouse.target import Target
from warehouse.clickhouse.views import view_statements
from warehouse.manifest import Manifest
from warehouse.store import Folded, Values
from warehouse.tables import CURRENT, FACTS, STATES, TABLES

OF_ANY_HEIGHT: Final = (*(CURRENT + name for name in STATES), "dues", "settlements", "balance_changes")
"""Views over facts alone, so that they can be of any block; others read what was computed for the newest."""

HASTE: Final = {"max_execution_time": 15}
"""Seconds after which the server gives up a question that nobody waits for any more."""


class ClickHouseStore:
    """What `warehouse.store.Store` and `Published` ask for, of one mark: the same rows as long as they are kept."""

    def __init__(self, client: Client, target: Target, mark: Mark) -> None:
        self.mark: Final = mark
        self._client = client
        self._target = target

    @property
    def origin(self) -> str:
        """The database's address, without the password."""
        return self._target.name

    @property
    def manifest(self) -> Manifest:
        """What the mark says; it names no segments."""
        mark = self.mark
        tip = Tip(mark.height, mark.hash) if mark.hash else None
        return Manifest(mark.network, mark.start_height, mark.sequence, tip, mark.cumulative_hash)

    @property
    def snapshot(self) -> "ClickHouseStore":
        """The state, for whole tables."""
        return self

    def fetch(self, query: str, values: Values) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with told(self._target):
            found = self._client.query(bound(query, values), parameters=dict(values), settings=HASTE)
        return [*map(tuple, found.result_rows)]

    def batches(self, query: str, values: Values) -> Iterator[pa.RecordBatch]:
        """The same in batches, when they are too many to be fetched at once."""
        with (
            told(self._target),
            self._client.query_arrow_stream(bound(query, values), parameters=dict(values), use_strings=True) as stream,
        ):
            yield from stream

    def rows(
        self, table: str, columns: Sequence[str] | None = None, heights: tuple[int, int] | None = None
    ) -> pa.Table:
        """Rows of a fact table in its order, of the heights `heights[0]` to `heights[1]` included or of all."""
        known = TABLES[table]
        schema = pa.schema([known.schema.field(name) for name in columns or known.schema.names])
        first, last = heights or (self.manifest.start_height, self.manifest.next_height - 1)
        names, order = (", ".join(f'"{name}"' for name in listed) for listed in (schema.names, known.sort))
        return self.table(f"SELECT {names} FROM {self.facts(table, first, last)} ORDER BY {order}", schema)

    def table(self, query: str, schema: pa.Schema) -> pa.Table:
        """Rows of a query with the types of a schema."""
        with told(self._target):
            found = self._client.query_arrow(query, use_strings=True)
        return pa.table([_typed(column, field) for column, field in zip(found.columns, schema, strict=True)], schema)

    def block_hash(self, height: int) -> str | None:
        """Hash of the block at `height`, None where there is none."""
        return self.hashes([height]).get(height)

    def facts(self, table: str, first: int, last: int) -> str:
        """The relation of a fact table's rows from block `first` to block `last`."""
        return f"({self._facts(table, first, last)})"

    def spans(self, table: str, first: int, last: int) -> Iterator[tuple[int, int]]:
        """All at once: the sort key leads to what is wanted."""
        if first <= last:
            yield first, last

    def folded(self, height: int) -> Folded | None:
        """Nothing: accounts are read from their events."""
        return None

    def hashes(self, heights: Sequence[int]) -> dict[int, str]:
        """Hashes of the blocks of ascending heights."""
        source = self.facts("blocks", heights[0], min(heights[-1], self.manifest.next_height - 1))
        query = f"SELECT height, hash FROM {source} WHERE height IN $heights"
        return dict(self.fetch(query, {"heights": list(heights)}))

    def views(self, height: int) -> dict[str, str]:
        """The query behind each public name after block `height`, each after those that it reads."""
        first = self.mark.start_height
        views = {name: self._facts(name, first, height) for name in FACTS}
        views["records"] = views.pop("operations")
        known = base_views() | view_statements()
        return views | {name: known[name] for name in OF_ANY_HEIGHT}

    def interrupt(self) -> None:
        """Nothing: the server ends a query when its time is over."""

    def _facts(self, name: str, first: int, last: int) -> str:
        table = TABLES[name]
        return f"{visible(table, str(list(self.mark.ends)))} AND {table.height} BETWEEN {first} AND {last}"


def _typed(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    """Times come as seconds."""
    return (column.cast(pa.int64()) if pa.types.is_timestamp(field.type) else column).cast(field.type)
