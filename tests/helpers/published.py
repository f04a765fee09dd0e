"""Comparing what ClickHouse shows with the lake, row by row."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import pyarrow as pa

from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.target import Target
from warehouse.snapshot import Snapshot
from warehouse.tables import FACTS, TABLES

VIEWS = {"latest_supplies": ("ticker",), "tip": ("height",)} | {
    name: TABLES[name].key for name in ("balances", "holders", "supply", "operations")
}
"""Views that both engines have, whose rows are compared too, with what tells their rows apart."""

STRUCTURE = """
SELECT
    (SELECT count() FROM blocks),
    (SELECT max(height) - min(height) + 1 FROM blocks),
    (SELECT count() FROM records) - (SELECT sum(operations) FROM blocks),
    (SELECT count() FROM balance_events) - (SELECT sum(balance_events) FROM blocks),
    (SELECT count() FROM candidates) - (SELECT sum(candidates) FROM blocks),
    (SELECT count() FROM blocks AS child INNER JOIN blocks AS parent
        ON parent.height = child.height - 1 AND parent.hash = child.previous_hash),
    (SELECT count() FROM blocks INNER JOIN tip ON tip.height = blocks.height AND tip.hash = blocks.hash),
    (SELECT max(height) FROM blocks) - (SELECT height FROM tip),
    (SELECT uniqExact(txid, vout) FROM records) - (SELECT count() FROM operations)
"""
"""Of one query over most tables: a mixture of two states cannot add up."""


@contextmanager
def connected(folder: Path) -> Iterator[Connection]:
    """The engine in this process over a folder."""
    with closing(Connection(Target.of(f"chdb://{folder}"), Event(), 10.0)) as connection:
        connection.use_database()
        yield connection


def assert_whole(connection: Connection) -> int:
    """What is shown is one state of whole blocks, duplicate-free; how many."""
    blocks, heights, *missing, parents, tips, above, twice = connection.rows(STRUCTURE)[0]
    assert missing == [0, 0, 0] if blocks else not tips
    if blocks:
        assert (blocks, blocks - 1, 1, 0, 0) == (heights, parents, tips, above, twice)
    return int(blocks)


def assert_published(connection: Connection, snapshot: Snapshot) -> None:
    """Every table and every view that both have hold the same rows in ClickHouse and in the lake."""
    for name in FACTS:
        table = TABLES[name]
        found = connection.arrow(f"SELECT * FROM {'records' if name == 'operations' else name}")
        assert_equal(
            name, rows_of(found, table.schema, table.key), rows_of(snapshot.rows(name), table.schema, table.key)
        )
    with snapshot.connect() as lake:
        for name, key in VIEWS.items():
            expected = lake.sql(f"FROM {name}").to_arrow_table()
            found = connection.arrow(f"SELECT * FROM {name}")
            assert found.schema.names == expected.schema.names, name
            assert_equal(name, rows_of(found, expected.schema, key), rows_of(expected, expected.schema, key))


def assert_equal(name: str, found: list[dict[str, object]], expected: list[dict[str, object]]) -> None:
    """The same rows; what is missing or too much is shown."""
    if found != expected:
        missing = [row for row in expected if row not in found]
        beside = [row for row in found if row not in expected]
        raise AssertionError(
            f"{name}: {len(found)} rows for {len(expected)}; missing {missing[:3]}, beside {beside[:3]}"
        )


def rows_of(table: pa.Table, schema: pa.Schema, key: tuple[str, ...]) -> list[dict[str, object]]:
    """Rows in the order of a key, with the types of a schema: what an engine returns differs in width only."""
    columns = [
        (column.cast(pa.int64()) if pa.types.is_timestamp(field.type) and column.type != field.type else column)
        .cast(pa.timestamp("s", "UTC") if pa.types.is_timestamp(field.type) else field.type)
        for field, column in zip(schema, table.columns, strict=True)
    ]  # fmt: skip
    typed = pa.table(columns, names=schema.names)
    return [*typed.sort_by([(name, "ascending") for name in key]).to_pylist()]
