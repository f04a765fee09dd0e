"""The audit that every test of a ledger relies on notices each kind of lie."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from engine.plain import PlainEngine
from engine.schemas import Judged
from ingest.networks import REGTEST
from tests.helpers.audit import assert_conserved
from tests.helpers.builders import candidates, headers
from tests.helpers.scenarios import ABC, transactions

BLOCKS = transactions(
    {
        0: ABC[0],
        1: [
            'in[bob] out[OP_RETURN {"p":"brc-20","op":"transfer","tick":"ABC","amt":"30"} | carol:546]',
            'in[bob] out[OP_RETURN {"p":"brc-20","op":"transfer","tick":"ABC","amt":"300"} | carol:546]',
        ],
    }
)


@pytest.fixture(scope="module")
def honest() -> Judged:
    judged = PlainEngine(REGTEST).judge(headers(BLOCKS), candidates(BLOCKS))
    assert_conserved(judged)
    return judged


def with_value(table: pa.Table, row: int, column: str, value: Any) -> pa.Table:
    rows = table.to_pylist()
    rows[row][column] = value
    return pa.Table.from_pylist(rows, table.schema)


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("balance_events", 2, "balance_after", Decimal("31")),
        ("balance_events", 0, "delta", Decimal("99")),
        ("balance_events", 1, "sequence", 5),
        ("balance_events", 2, "op_index", 1),
        ("balance_events", 2, "tx_index", 2),
        ("balance_events", 1, "ticker", "ABD"),
        ("operations", 2, "amount", Decimal("31")),
        ("operations", 2, "valid", False),
        ("operations", 3, "valid", True),
        ("operations", 3, "code", "INVALID_AMOUNT"),
        ("operations", 3, "op_index", 4),
        ("operations", 1, "to_address", "bcrt1qelse"),
        ("supplies", 0, "minted", Decimal("101")),
        ("supplies", 0, "holders", 2),
        ("supplies", 1, "burned", Decimal("1")),
        ("supplies", 0, "rounding", Decimal("0.00000001")),
        ("tokens", 0, "ticker", "ABD"),
        ("tokens", 0, "max_supply", Decimal("99")),
        ("blocks", 1, "valid_operations", 2),
        ("blocks", 1, "balance_events", 1),
        ("blocks", 0, "event_hash", "00" * 32),
        ("blocks", 1, "cumulative_hash", "00" * 32),
        ("blocks", 1, "record_hash", "00" * 32),
        ("blocks", 1, "height", 3),
    ],
)
def test_a_false_value_is_noticed(honest: Judged, table: str, row: int, column: str, value: Any) -> None:
    lie = replace(honest, **{table: with_value(getattr(honest, table), row, column, value)})
    with pytest.raises(AssertionError):
        assert_conserved(lie)


@pytest.mark.parametrize(
    ("table", "row"), [("balance_events", 1), ("operations", 0), ("tokens", 0), ("supplies", 0), ("supplies", 1)]
)
def test_a_missing_row_is_noticed(honest: Judged, table: str, row: int) -> None:
    rows = getattr(honest, table)
    lie = replace(honest, **{table: pa.concat_tables([rows.slice(0, row), rows.slice(row + 1)])})
    with pytest.raises(AssertionError):
        assert_conserved(lie)


def test_two_records_of_one_output_are_noticed(honest: Judged) -> None:
    """R-CORE-REC-1, also between results."""
    with pytest.raises(AssertionError):
        assert_conserved(honest, honest)
