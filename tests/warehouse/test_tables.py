"""The page of tables is what the tables say, and the views have the columns that it promises."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.helpers.judged import FactMaker
from warehouse.duckdb_engine import connect
from warehouse.lake import Lake
from warehouse.tables import BLOCK_HASH, FACTS, TABLES, document

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == document() + "\n", "run: python -m warehouse.tables > docs/tables.md"


@pytest.mark.parametrize("name", TABLES)
def test_every_column_says_what_it_means(name: str) -> None:
    for field in TABLES[name].schema:
        assert field.metadata[b"doc"].decode().endswith(".")


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("blocks", [0, 30])
def test_views_have_the_columns_and_types_of_the_page(tmp_path: Path, name: str, blocks: int) -> None:
    """An empty lake too: a first query must not depend on there being rows."""
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*FactMaker(modules=True).extend(blocks))
    found = connect(tmp_path).sql(f"FROM {name}").to_arrow_table()
    assert (found.num_rows > 0) == (blocks > 0)
    expected = [*TABLES[name].schema, *([BLOCK_HASH] if name == "operations" else [])]
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
