"""The tables of ClickHouse as text, made from `warehouse.tables`.

`lake_<table>` stores the rows of a table, each with the `generation` of its publisher; what a reader sees of them the
newest row of `lake_commits` says: `ends[generation + 1]` is the first height that is not visible of a generation. The
public names are views that apply it. One scalar, read once in a query, therefore decides for all tables of the query.
"""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from warehouse.clickhouse.views import view_statements
from warehouse.tables import CURRENT, FACTS, STATES, TABLES, Table

STORED: Final = "lake_"
"""What the names of tables begin with that hold rows."""

LOCAL: Final = "local_"
"""The same for a shard's share of a table of a cluster."""

BLOCKS_A_PARTITION: Final = 10_000
"""About ten weeks: what a look by height reads at most, and what a reorganisation makes the server write anew."""

ENDS: Final = f"(SELECT argMax(ends, sequence) FROM {STORED}commits)"
FOLD: Final = f"(SELECT argMax(fold, sequence) FROM {STORED}commits)"
FOLD_HEIGHT: Final = f"(SELECT argMax(fold_height, sequence) FROM {STORED}commits)"

SHARDING: Final = {
    "operations": "cityHash64(ifNull(ticker, ''))",
    "balance_events": "cityHash64(ticker)",
    "balances": "cityHash64(ticker)",
    "candidates": "cityHash64(txid)",
}
"""The large tables and what their rows are spread by: a ticker's rows stay together. Others are whole everywhere."""

_SORTED: Final = {
    "balance_events": ("ticker", "address", "height", "sequence"),
    "supplies": ("ticker", "height"),
    "tokens": ("ticker",),
}
"""Orders other than the lake's."""

_FEW_VALUES: Final = frozenset(
    {"operation", "ticker", "ticker_text", "code", "step_code", "divergence", "cause", "status", "pool", "type"}
)

_LARGE: Final = frozenset({"raw", "prevouts", "payload"})

_TYPES: Final = {
    pa.string(): "String",
    pa.binary(): "String",
    pa.bool_(): "Bool",
    pa.uint8(): "UInt8",
    pa.int32(): "Int32",
    pa.int64(): "Int64",
    pa.timestamp("s", tz="UTC"): "DateTime('UTC')",
}

_DURABLE: Final = "fsync_after_insert = 1, fsync_part_directory = 1"
"""A mark must never outlive the rows that it makes visible."""

_COMMITS: Final = """
    sequence UInt64 COMMENT 'The generation times 2^32, plus the number of the mark in it; the greatest holds.',
    generation UInt32,
    publisher String COMMENT 'Which process wrote it.',
    network LowCardinality(String),
    start_height Int32,
    schema_version UInt32,
    height Int32 COMMENT 'The newest block that readers see.',
    hash String,
    cumulative_hash String,
    ends Array(Int32) COMMENT 'The first height not visible of each generation.',
    fold UInt64 COMMENT 'Which rows of lake_balances hold; 0: none.',
    fold_height Int32,
    fold_time Int64 COMMENT 'When that fold became visible, in seconds since 1970.',
    claimed Int64 COMMENT 'When the generation began, in seconds since 1970.',
    time DateTime('UTC') DEFAULT now()"""

_SEGMENTS: Final = """
    table_name LowCardinality(String),
    first_height Int32,
    last_height Int32,
    rows UInt64,
    sha256 String,
    generation UInt32,
    time DateTime('UTC') DEFAULT now()"""


_SEGMENT_ORDER: Final = "table_name, sha256, generation"


def statements(database: str, cluster: str | None = None) -> list[str]:
    """All DDL, in order; each may be repeated. All but the first run with `database` as the current one."""
    return [
        f"CREATE DATABASE IF NOT EXISTS `{database}`{_on(cluster)}",
        *(text for name in FACTS for text in _stored(database, cluster, TABLES[name])),
        *_folds(database, cluster),
        *_create(database, cluster, "commits", _COMMITS, "ReplacingMergeTree(sequence)", "generation, publisher"),
        *_create(database, cluster, "segments", _SEGMENTS, "ReplacingMergeTree(time)", _SEGMENT_ORDER),
        *(
            f"CREATE OR REPLACE VIEW `{name}`{_on(cluster)} AS\n{text}"
            for name, text in {**base_views(), **view_statements()}.items()
        ),
    ]


def base_views() -> dict[str, str]:
    """The query behind each view that shows stored rows, by name, each after those that it reads.

    They are those that `warehouse.duckdb_engine.definitions` has for files: `records` are operations without the hash
    of their block, `recent_events` follow the fold.
    """
    views = {"records" if name == "operations" else name: visible(TABLES[name]) for name in FACTS}
    views["segments"] = (
        "SELECT table_name, first_height, last_height, rows, sha256, generation, time\n"
        f"FROM {STORED}segments FINAL\nWHERE last_height < {ENDS}[generation + 1]"
    )
    views["commits"] = f"SELECT * FROM (SELECT * FROM {STORED}commits ORDER BY sequence DESC LIMIT 1) WHERE hash <> ''"
    views["tip"] = "SELECT network, height, hash, cumulative_hash FROM commits"
    views["fold"] = f"SELECT {_columns(TABLES['balances'])}\nFROM {STORED}balances\nWHERE fold = {FOLD}"
    views["recent_events"] = f"SELECT *\nFROM balance_events\nWHERE height > {FOLD_HEIGHT}"
    views["recent_supplies"] = "SELECT * FROM supplies"
    return views | {CURRENT + name: _newest(TABLES[name]) for name in STATES}


def visible(table: Table, ends: str = ENDS) -> str:
    """The rows of a fact table under the newest mark, or under one whose ends are given as text, like `[120, 140]`."""
    return f"SELECT {_columns(table)}\nFROM {STORED}{table.name}\nWHERE {table.height} < {ends}[generation + 1]"


def local(table: str, cluster: str | None) -> str:
    """The table that holds the rows of a stored table on this server."""
    return f"{LOCAL if cluster and table in SHARDING else STORED}{table}"


def _newest(table: Table) -> str:
    """The newest version of everything that a table has versions of."""
    key = ", ".join(f"`{name}`" for name in table.versions_of)
    return f"SELECT {_columns(table)}\nFROM {table.name}\nORDER BY height DESC\nLIMIT 1 BY {key}"


def _stored(database: str, cluster: str | None, table: Table) -> Iterator[str]:
    columns = [*map(_column, table.schema), "generation UInt32"]
    indexes = []
    order = _SORTED.get(table.name) or ((*table.versions_of, "height") if table.versions_of else table.sort)
    if table.name == "balance_events":
        indexes.append("PROJECTION by_height (SELECT * ORDER BY height, sequence)")
    indexes += [f"PROJECTION by_{name} INDEX `{name}` TYPE basic" for name in table.searched if _is_key(name, order)]
    return _create(
        database,
        cluster,
        table.name,
        _listed(columns),
        "MergeTree",
        ", ".join(f"`{name}`" for name in order),
        f"intDiv({table.height}, {BLOCKS_A_PARTITION})",
        _listed(indexes, ","),
    )


def _is_key(name: str, order: tuple[str, ...]) -> bool:
    """Whether rows are looked up by a column that the order does not lead to."""
    return name != order[0] and (name in ("hash", "pool", "ticker") or name.endswith(("txid", "address")))


def _folds(database: str, cluster: str | None) -> Iterator[str]:
    columns = _listed([*map(_column, TABLES["balances"].schema), "fold UInt64"])
    index = _listed(["PROJECTION by_address INDEX address TYPE basic"], ",")
    return _create(database, cluster, "balances", columns, "MergeTree", "ticker, address", "fold", index)


def _create(
    database: str,
    cluster: str | None,
    name: str,
    columns: str,
    engine: str,
    order: str,
    partition: str = "",
    indexes: str = "",
) -> Iterator[str]:
    """A table of one server; in a cluster a replicated one, and one that spreads its rows if it is large."""
    settings = _DURABLE + (", allow_nullable_key = 1" if "Nullable" in columns else "")
    stored = local(name, cluster)
    if cluster:
        kind, _, arguments = engine.partition("(")
        place = "{shard}/" if name in SHARDING else ""
        replica = "{replica}" if name in SHARDING else "{shard}-{replica}"
        version = f", {arguments}" if arguments else ")"
        engine = f"Replicated{kind}('/clickhouse/tables/{place}{database}/{stored}', '{replica}'{version}"
    else:
        settings += ", non_replicated_deduplication_window = 1000"
    by = f"\nPARTITION BY {partition}" if partition else ""
    yield (
        f"CREATE TABLE IF NOT EXISTS {stored}{_on(cluster)} ({columns}{indexes}\n)\n"
        f"ENGINE = {engine}{by}\nORDER BY ({order})\nSETTINGS {settings}"
    )
    if cluster and name in SHARDING:
        yield (
            f"CREATE TABLE IF NOT EXISTS {STORED}{name}{_on(cluster)} ({columns}\n)\n"
            f"ENGINE = Distributed('{cluster}', '{database}', '{stored}', {SHARDING[name]})"
        )


def _column(field: pa.Field) -> str:
    codec = " CODEC(ZSTD(1))" if field.name in _LARGE else ""
    return f"`{field.name}` {_type(field)}{codec}"


def _type(field: pa.Field) -> str:
    if pa.types.is_decimal(field.type):
        text = f"Decimal({field.type.precision}, {field.type.scale})"
    elif pa.types.is_fixed_size_binary(field.type):
        text = f"FixedString({field.type.byte_width})"
    else:
        text = _TYPES[field.type]
    text = f"Nullable({text})" if field.nullable else text
    return f"LowCardinality({text})" if field.name in _FEW_VALUES and pa.types.is_string(field.type) else text


def _listed(lines: list[str], before: str = "") -> str:
    """Lines of a column list; `before` stands in front of the first, if there is one."""
    return before + "\n    " + ",\n    ".join(lines) if lines else ""


def _columns(table: Table) -> str:
    return ", ".join(f"`{name}`" for name in table.schema.names)


def _on(cluster: str | None) -> str:
    return f" ON CLUSTER `{cluster}`" if cluster else ""
