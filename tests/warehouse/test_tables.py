"""The page of tables is what the tables say, and the views have the columns that it promises."""

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from api.keys import Scope, create_key
from tests.helpers.judged import FactMaker
from tests.helpers.recorded import recorded_lake
from warehouse.catalogue import write_catalogue
from warehouse.classification import Classification
from warehouse.clickhouse.ddl import base_views
from warehouse.clickhouse.views import view_statements
from warehouse.duckdb_engine import connect
from warehouse.lake import Lake
from warehouse.manifest import read_manifest
from warehouse.tables import BLOCK_HASH, FACTS, INNER_VIEWS, MACROS, STATES, TABLES, document, unit_of
from warehouse.view_texts import ANALYTIC_VIEWS

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"
STATE_TABLES = [name for name in TABLES if name not in ANALYTIC_VIEWS]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_lake(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("empty")
    Lake.create(home, "regtest", 0).close()
    return home


def section(name: str) -> str:
    """What the page says under a name."""
    (text,) = re.findall(rf"^###? {name}$(.*?)(?=^##|\\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(text)


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == document() + "\n", "run: python -m warehouse.tables > docs/tables.md"


@pytest.mark.parametrize("name", TABLES)
def test_every_column_says_what_it_means(name: str) -> None:
    for field in TABLES[name].schema:
        assert field.metadata[b"doc"].decode().endswith(".")


@pytest.mark.parametrize("name", STATE_TABLES)
@pytest.mark.parametrize("blocks", [0, 30])
def test_views_have_the_columns_and_types_of_the_page(tmp_path: Path, name: str, blocks: int) -> None:
    """An empty lake too: a first query must not depend on there being rows."""
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*FactMaker(modules=True).extend(blocks))
    found = connect(tmp_path).sql(f"FROM {name}").to_arrow_table()
    assert (found.num_rows > 0) == (blocks > 0)
    assert_columns(found, [*TABLES[name].schema, *([BLOCK_HASH] if name == "operations" else [])])


@pytest.mark.parametrize("name", ANALYTIC_VIEWS)
def test_analytic_views_have_the_columns_types_and_grain_of_the_page(name: str, recorded: Path, empty: Path) -> None:
    schema, key = TABLES[name].schema, TABLES[name].key
    assert_columns(connect(empty).sql(f"FROM {name}").to_arrow_table(), schema)
    found = connect(recorded).sql(f"FROM {name}").to_arrow_table()
    assert found.num_rows > 0
    assert_columns(found, schema)
    assert [field.name for field in schema if not field.nullable and found[field.name].null_count] == []
    assert found.group_by([*key]).aggregate([]).num_rows == found.num_rows


@pytest.mark.parametrize("name", ANALYTIC_VIEWS)
def test_every_number_of_an_analytic_view_has_a_unit(name: str) -> None:
    text = section(name)
    for field in TABLES[name].schema:
        written = re.findall(
            rf"^\| `{field.name}` \| [^|]+ \| ([^|]*) \| (?:yes)? ?\| [^|]+\.(?: \||.* \|)$", text, re.MULTILINE
        )
        assert written == [unit_of(field)], field.name
        assert bool(unit_of(field)) == (not pa.types.is_string(field.type) and field.name != "position_id"), field.name


@pytest.mark.parametrize("macro", MACROS)
def test_views_after_any_block_have_the_columns_that_the_page_promises(macro: str, recorded: Path, empty: Path) -> None:
    assert f"| `{macro}(at_height)` | `{MACROS[macro]}`: {TABLES[MACROS[macro]].row} |" in PAGE.read_text()
    for lake in (recorded, empty):
        assert_columns(connect(lake).sql(f"FROM {macro}(120)").to_arrow_table(), TABLES[MACROS[macro]].schema)


def test_above_the_newest_block_they_answer_what_is_and_before_the_first_nothing(recorded: Path) -> None:
    with connect(recorded) as connection:
        for macro, view in MACROS.items():
            now = connection.sql(f"FROM {view} ORDER BY ALL").fetchall()
            assert connection.sql(f"FROM {macro}(1000000) ORDER BY ALL").fetchall() == now
            assert connection.sql(f"FROM {macro}(-1)").fetchall() == []


def test_the_page_has_every_view_and_macro_of_the_engine(empty: Path) -> None:
    with connect(empty) as connection:
        views = connection.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        macros = connection.sql(
            "SELECT function_name FROM duckdb_functions() WHERE function_type = 'table_macro' AND NOT internal"
        ).fetchall()
    assert {name for (name,) in macros} == {*MACROS}
    assert {name for (name,) in views} == {*TABLES, *INNER_VIEWS, *(f"current_{name}" for name in STATES)}
    page = PAGE.read_text()
    assert [name for (name,) in views if f"`{name}`" not in page and f"# {name}\n" not in page] == []


def test_the_page_has_every_view_of_clickhouse() -> None:
    page = PAGE.read_text()
    views = {*base_views(), *view_statements()} - MACROS.keys()
    assert [name for name in sorted(views) if f"`{name}`" not in page and f"# {name}\n" not in page] == []


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_its_class_and_how_long_it_is_kept(name: str) -> None:
    """What comes from the chain is for anyone; a table of anything else would need a reader's right of its own."""
    ((word, kept),) = re.findall(r"^Class: (\w+)\. Kept: (.+)\.$", section(name), re.MULTILINE)
    assert Classification[word.upper()] in (Classification.PUBLIC, Classification.DERIVED)
    assert kept == TABLES[name].kind.kept


def test_what_stands_beside_the_tables_has_a_class(recorded: Path) -> None:
    """Every file that a lake with keys and catalogue has at its top."""
    write_catalogue(recorded, read_manifest(recorded))
    create_key(recorded, "somebody", [Scope.READ])
    beside = section("Beside the tables")
    files = {path.name for path in recorded.iterdir() if path.is_file()}
    assert {"keys.json", "trail.jsonl", "simplicity.duckdb"} <= files
    for name in files:
        assert re.search(
            rf"^\|[^|]*`{re.escape(name)}`[^|]*\| [^|]+ \| (operational|confidential) \|$", beside, re.MULTILINE
        ), name


def assert_columns(found: pa.Table, expected: Sequence[pa.Field]) -> None:
    """Names, order and types."""
    assert found.schema.names == [field.name for field in expected]
    for field, type_ in zip(expected, found.schema.types, strict=True):
        assert _family(type_) == _family(field.type), field.name


def _family(type_: pa.DataType) -> str:
    """Types as SQL tells them apart."""
    if pa.types.is_timestamp(type_):
        return f"timestamp {'UTC' if type_.tz else ''}"
    return "binary" if pa.types.is_fixed_size_binary(type_) else str(type_)


@pytest.mark.parametrize("name", FACTS)
def test_keys_sort_orders_and_layout_name_columns(name: str) -> None:
    table = TABLES[name]
    mentioned = {*table.key, *table.sort, *table.repetitive, *table.dense, *table.searched, table.height}
    assert mentioned <= set(table.schema.names)
