"""Every table of the lake: columns, units, key, sort order, and what a row means.

`python -m warehouse.tables > docs/tables.md` writes the page that describes them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

import pyarrow as pa

from engine.modules.registry import StateTable, installed
from engine.schemas import BALANCE_EVENTS, BLOCKS, FOLD, OPERATIONS, SUPPLIES, TOKENS
from ingest.candidates import CANDIDATES, column
from warehouse.analytic_schemas import ANALYSES
from warehouse.classification import Classification
from warehouse.errors import SchemaMismatch
from warehouse.view_schemas import BALANCE_CHANGES, HOLDERS, SUPPLY, TIP, Y_BALANCES
from warehouse.view_texts import ANALYTIC_VIEWS, STATE_VIEWS, question

SCHEMA_VERSION: Final = 3
"""Version of all the schemas below; a segment says by which one it was written."""

CURRENT: Final = "current_"
"""What the view of a state begins with: `current_pools` has the newest version of each pool."""


class Kind(Enum):
    """Where the rows of a table are."""

    FACT = "Fact: segments of the lake."
    FOLD = "Fold: computed from facts, kept at chosen heights, current through the view."
    VIEW = "View: computed when it is read."

    @property
    def kept(self) -> str:
        """How long its rows are kept."""
        return _KEPT[self]


_KEPT: Final = {
    Kind.FACT: "for good; a rewind removes the rows of the blocks that it takes back",
    Kind.FOLD: "until newer folds replace it; it can be made again from facts",
    Kind.VIEW: "not at all: it holds no rows of its own",
}


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what it means, how its rows are told apart, and how they are laid out in files."""

    name: str
    kind: Kind
    row: str
    schema: pa.Schema
    key: tuple[str, ...]
    sort: tuple[str, ...]
    classification: Classification
    height: str = "height"
    """The column that says at which block a row appeared."""
    repetitive: tuple[str, ...] = ()
    """Columns worth a dictionary."""
    dense: tuple[str, ...] = ()
    """Columns whose bytes are stored as they are in segments written for speed."""
    searched: tuple[str, ...] = ()
    """Columns looked up by value: compacted segments carry bloom filters for them."""
    versions_of: tuple[str, ...] = ()
    """Columns that name what a row is a version of: the newest row of each is the state. Only tables of modules."""

    def conforming(self, table: pa.Table) -> pa.Table:
        """`table` with the descriptions of the schema. Raises SchemaMismatch when columns, types or nulls differ."""
        if table.schema.names != self.schema.names:
            raise SchemaMismatch(self.name, f"columns are {table.schema.names}, not {self.schema.names}")
        for field, values in zip(self.schema, table.columns, strict=True):
            if values.type != field.type:
                raise SchemaMismatch(self.name, f"{field.name} is {values.type}, not {field.type}")
            if values.null_count and not field.nullable:
                raise SchemaMismatch(self.name, f"{field.name} has {values.null_count} nulls")
        return pa.Table.from_arrays(table.columns, schema=self.schema)


def module_table(table: StateTable) -> Table:
    """How rows that a module writes are kept: texts and bytes tend to repeat, and texts are looked up."""
    key = table.key if table.is_log else ("height", *table.key)
    texts = tuple(field.name for field in table.schema if pa.types.is_string(field.type))
    scripts = tuple(field.name for field in table.schema if pa.types.is_binary(field.type))
    return Table(
        name=table.name,
        kind=Kind.FACT,
        row=table.row[:1].upper() + table.row[1:].rstrip(".") + ".",
        schema=table.schema,
        key=key,
        sort=key,
        classification=Classification.DERIVED,
        repetitive=("height", *texts, *scripts),
        searched=texts,
        versions_of=() if table.is_log else table.key,
    )


def analytic_view(name: str) -> Table:
    """A view that answers a question, by its grain."""
    view = ANALYSES[name]
    return Table(name, Kind.VIEW, view.row, view.schema, view.key, view.key, Classification.DERIVED)


BLOCK_HASH: Final = column("block_hash", pa.string(), "Hash of the block, 64 hex digits; only in the view.")

TABLES: Final = {
    table.name: table
    for table in (
        Table(
            name="blocks",
            kind=Kind.FACT,
            row="A block of the best chain that was interpreted.",
            schema=BLOCKS,
            key=("height",),
            sort=("height",),
            classification=Classification.PUBLIC,
            searched=("hash",),
        ),
        Table(
            name="candidates",
            kind=Kind.FACT,
            row="A transaction that the prefilter kept (R-CORE-BLK-3): the archive from which all else is re-derived.",
            schema=CANDIDATES,
            key=("height", "tx_index"),
            sort=("height", "tx_index"),
            classification=Classification.PUBLIC,
            repetitive=("height",),
            dense=("txid", "raw", "prevouts"),
            searched=("txid",),
        ),
        Table(
            name="operations",
            kind=Kind.FACT,
            row="A record of R-CORE-REC: an operation with its verdict, valid or not.",
            schema=OPERATIONS,
            key=("height", "op_index"),
            sort=("height", "op_index"),
            classification=Classification.DERIVED,
            repetitive=(
                "height",
                "block_time",
                "operation",
                "ticker",
                "ticker_text",
                "from_address",
                "from_script",
                "to_address",
                "to_script",
                "code",
                "step_code",
                "divergence",
                "payload",
            ),
            dense=("txid", "from_address", "from_script", "to_address", "to_script"),
            searched=("txid", "ticker", "from_address", "to_address"),
        ),
        Table(
            name="balance_events",
            kind=Kind.FACT,
            row="A change of one account's balance, with the balance after it.",
            schema=BALANCE_EVENTS,
            key=("height", "sequence"),
            sort=("height", "sequence"),
            classification=Classification.DERIVED,
            repetitive=("height", "ticker", "address", "script", "cause"),
            dense=("address", "script"),
            searched=("ticker", "address"),
        ),
        Table(
            name="tokens",
            kind=Kind.FACT,
            row="A deployed token.",
            schema=TOKENS,
            key=("ticker",),
            sort=("deploy_height", "deploy_op_index"),
            classification=Classification.DERIVED,
            height="deploy_height",
            searched=("ticker",),
        ),
        Table(
            name="supplies",
            kind=Kind.FACT,
            row="A ticker's supply after a block that changed it: versions by height.",
            schema=SUPPLIES,
            key=("height", "ticker"),
            sort=("height", "ticker"),
            classification=Classification.DERIVED,
            repetitive=("height", "ticker"),
            searched=("ticker",),
        ),
        *map(module_table, installed().tables),
        Table(
            name="balances",
            kind=Kind.FOLD,
            row="An account, one ticker of one address, that ever had a balance event.",
            schema=FOLD,
            key=("ticker", "address"),
            sort=("ticker", "address"),
            classification=Classification.DERIVED,
            height="last_height",
            searched=("address",),
        ),
        Table(
            name="holders",
            kind=Kind.VIEW,
            row="An account with a balance above zero.",
            schema=HOLDERS,
            key=("ticker", "address"),
            sort=("ticker", "rank"),
            classification=Classification.DERIVED,
        ),
        Table(
            name="supply",
            kind=Kind.VIEW,
            row="A ticker's supply at the published height: every deployed token, and tickers minted without a deploy.",
            schema=SUPPLY,
            key=("ticker",),
            sort=("ticker",),
            classification=Classification.DERIVED,
        ),
        Table(
            name="y_balances",
            kind=Kind.VIEW,
            row="An account's balance of a receipt token, which grows with the liquidity index and has no events.",
            schema=Y_BALANCES,
            key=("ticker", "address"),
            sort=("ticker", "address"),
            classification=Classification.DERIVED,
        ),
        Table(
            name="balance_changes",
            kind=Kind.VIEW,
            row="A balance event with its transaction, the balance before it, and the pool and position it concerns.",
            schema=BALANCE_CHANGES,
            key=("height", "sequence"),
            sort=("height", "sequence"),
            classification=Classification.DERIVED,
        ),
        Table(
            name="tip",
            kind=Kind.VIEW,
            row="The block that answers are from; none while nothing is indexed.",
            schema=TIP,
            key=("network",),
            sort=("network",),
            classification=Classification.PUBLIC,
        ),
        *map(analytic_view, ANALYTIC_VIEWS),
    )
}

FACTS: Final = tuple(table.name for table in TABLES.values() if table.kind is Kind.FACT)
"""Tables kept as segments, in the order in which a commit writes them."""

STATES: Final = tuple(table.name for table in TABLES.values() if table.versions_of)
"""Versions of modules' state, of which judging needs the newest."""

MACROS: Final = {
    "balances_at": "balances",
    "holders_at": "holders",
    "distribution_at": "holder_distribution",
}
"""Views that can be asked after any block, with the view that has their columns; they take the height of the block."""

INNER_VIEWS: Final = {
    "records": "Operations without the hash of their block.",
    "fold": "Balances at the newest kept height.",
    "fold_supplies": "Supplies at that height.",
    "recent_events": "Balance events after that height.",
    "recent_supplies": "Supplies at that height and after it.",
    **{name: question(name) for name in STATE_VIEWS if name not in TABLES},
}
"""Views that others read. Their columns may change in any version."""

BESIDE: Final = (
    (
        "`segments`, `commits` in ClickHouse",
        "What was published there, and what is visible.",
        Classification.OPERATIONAL,
    ),
    ("`manifest.json`", "The files of the published state, with their hashes.", Classification.OPERATIONAL),
    ("`simplicity.duckdb`", "The views, without rows.", Classification.OPERATIONAL),
    ("`indexer.json`, `lock`", "How the indexer is doing; who writes.", Classification.OPERATIONAL),
    ("`keys.json`, `keys.lock`", "Hashes of API keys, names of their owners.", Classification.CONFIDENTIAL),
    ("`trail.jsonl`", "Administrative actions and who did them.", Classification.CONFIDENTIAL),
    ("log of requests", "Who asked what, when.", Classification.CONFIDENTIAL),
)
"""What an installation keeps that is not a table of the chain."""

_INTRODUCTION: Final = f"""# Tables

Made by `python -m warehouse.tables`; schema version {SCHEMA_VERSION}. All tables can be queried by these names, for
example `simplicity sql --data DIR "SELECT * FROM balances LIMIT 5"`.

- Amounts are exact: DECIMAL(38,8), in tokens, whose smallest unit is 0.00000001 for every token (R-CORE-CONST-7). A sum
  of flows can be larger than any balance: cast to a wider type before summing if that can happen.
- Heights count blocks from the chain's block 0. Times are UTC, as the block header says.
- An address is the text that the node prints for the network; the output script stands beside it.
- Facts are files: the manifest (`manifest.json`) lists each segment with its table, heights, rows and SHA-256. Do not
  collect files by a pattern: files that were replaced stay for a while.
- Every answer belongs to one published height: `SELECT * FROM tip`.
- The key of a table is its grain: no two rows agree in all of its columns.

Every table says what class its data is of, and how long it is kept. Classes say who may read:

| class | who may read |
|---|---|
"""


def document() -> str:
    """`docs/tables.md` without its last line end."""
    classes = (f"| {each.word} | {each.value} |" for each in Classification)
    sections = (line for table in TABLES.values() if table.name not in ANALYTIC_VIEWS for line in _section(table))
    return "\n".join(
        [
            _INTRODUCTION.rstrip(),
            *classes,
            *sections,
            *_questions(),
            *_macros(),
            *_inner_views(),
            *_beside(),
            *_causes(),
        ]
    )


def _section(table: Table, title: str = "##") -> Iterator[str]:
    yield f"\n{title} {table.name}\n"
    if table.name in ANALYTIC_VIEWS:
        yield f"{question(table.name)}\n"
    yield f"{table.row} {table.kind.value} Key: {_list(table.key)}. Sorted by {_list(table.sort)}.\n"
    yield f"Class: {table.classification.word}. Kept: {table.kind.kept}.\n"
    if table.versions_of:
        yield f"The view `{CURRENT}{table.name}` has the newest row of each {_list(table.versions_of)}.\n"
    extra = [BLOCK_HASH] if table.name == "operations" else []
    yield from _columns([*table.schema, *extra], units=table.name in ANALYTIC_VIEWS)


def _columns(fields: list[pa.Field], units: bool) -> Iterator[str]:
    yield "| column | type | unit | null | meaning |" if units else "| column | type | null | meaning |"
    yield "|---|---|---|---|---|" if units else "|---|---|---|---|"
    for field in fields:
        unit = f" {unit_of(field)} |" if units else ""
        yield f"| `{field.name}` | {_type(field.type)} |{unit} {'yes' if field.nullable else ''} | {_meaning(field)} |"


def _questions() -> Iterator[str]:
    yield "\n## Analytic views\n"
    yield "Views that answer one question each. Days are those of UTC, by the times in block headers, which need not"
    yield "ascend. A share from 0 to 1 and every other double is rounded in its last step only; it is for reading and"
    yield "drawing, not for adding up."
    for name in ANALYTIC_VIEWS:
        yield from _section(TABLES[name], "###")


def _macros() -> Iterator[str]:
    yield "\n## Views after any block\n"
    yield "Macros, called with the height of a block: `SELECT * FROM holders_at(900000) WHERE ticker = 'ORDI'`. They"
    yield "answer what the view answered when that block was the newest; above the published height what it answers"
    yield "now, before the first block nothing. Class, key and columns are those of the view.\n"
    yield "| macro | after block `at_height` |"
    yield "|---|---|"
    for name, view in MACROS.items():
        yield f"| `{name}(at_height)` | `{view}`: {TABLES[view].row} |"


def _inner_views() -> Iterator[str]:
    yield "\n## Views that others read\n"
    yield f"Class: {Classification.DERIVED.word}. Kept: {Kind.VIEW.kept}. Their columns may change in any version.\n"
    yield "| view | what it has |"
    yield "|---|---|"
    for name, meaning in INNER_VIEWS.items():
        yield f"| `{name}` | {meaning} |"


def _beside() -> Iterator[str]:
    yield "\n## Beside the tables\n"
    yield "| what | what it has | class |"
    yield "|---|---|---|"
    for name, meaning, classification in BESIDE:
        yield f"| {name} | {meaning} | {classification.word} |"


def _causes() -> Iterator[str]:
    """Causes of balance events that modules write; those of the core are described with their column."""
    yield "\n## Causes of balance events\n"
    yield "Beside mint, mint_stones, transfer_debit, transfer_credit and rounding:\n"
    yield "| cause | module | meaning |"
    yield "|---|---|---|"
    for kind in installed().kinds:
        for cause, meaning in kind.causes.items():
            yield f"| `{cause}` | {kind.name} | {meaning} |"


def unit_of(field: pa.Field) -> str:
    """What the numbers of a column count; empty for texts and for numbers that only name something."""
    return str(field.metadata.get(b"unit", b"").decode())


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _meaning(field: pa.Field) -> str:
    return str(field.metadata[b"doc"].decode()).replace("|", "\\|")


def _type(type_: pa.DataType) -> str:
    return "decimal(38, 8)" if pa.types.is_decimal(type_) else str(type_)


if __name__ == "__main__":
    print(document())
