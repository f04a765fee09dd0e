"""The audit notices lies about positions, programs and the ends of blocks too."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from engine.plain import PlainEngine
from engine.schemas import Judged
from ingest.networks import MAINNET
from tests.helpers.audit import assert_conserved
from tests.helpers.builders import candidates, headers
from tests.helpers.scenarios import program, transactions

SWAP = '"p":"brc-20","op":"swap"'
BLOCKS = [
    *program(),
    [
        f'in[u1] out[OP_RETURN {{{SWAP},"init":"WTF,CRV","amt":"100","wrap":true}} | dev:3000]',
        f'in[u1] out[OP_RETURN {{{SWAP},"init":"LOL,WTF","amt":"100","lock":"10"}}]',
        f'in[u2] out[OP_RETURN {{{SWAP},"init":"WTF,LOL","amt":"100","lock":"10"}}]',
    ],
    # A third of what the pool has: nothing of it is a whole number of units.
    [
        f'in[ex] out[OP_RETURN {{{SWAP},"exe":"LOL,WTF","amt":"2","slip":"100"}}]',
        f'in[ex] out[OP_RETURN {{{SWAP},"exe":"WTF,LOL","amt":"2","slip":"100"}}]',
    ],
    [f'in[u1] out[OP_RETURN {{{SWAP},"exe":"yWTF,CRV","amt":"30"}} | dev:1000]'],
    *[[] for _ in range(8)],
]


@pytest.fixture(scope="module")
def honest() -> Judged:
    blocks = transactions(dict(enumerate(BLOCKS, start=930_000)))
    judged = PlainEngine(MAINNET).judge(headers(blocks), candidates(blocks))
    assert_conserved(judged)
    return judged


def row_of(table: pa.Table, **values: object) -> int:
    """Position of the first row with these values."""
    for at, row in enumerate(table.to_pylist()):
        if all(row[name] == value for name, value in values.items()):
            return at
    raise AssertionError(values)


def changed(table: pa.Table, at: int, column: str, value: Any) -> pa.Table:
    rows = table.to_pylist()
    rows[at][column] = value
    return pa.Table.from_pylist(rows, table.schema)


@pytest.mark.parametrize(
    ("table", "where", "column", "value"),
    [
        ("positions", {"position_id": 1, "height": 930_003}, "locked", Decimal("-1")),
        ("positions", {"position_id": 1, "height": 930_003}, "status", "closed"),
        ("positions", {"position_id": 1, "height": 930_003}, "amount", Decimal("101")),
        ("positions", {"position_id": 1, "height": 930_003}, "position_id", 3),
        ("positions", {"position_id": 1, "status": "expired"}, "closed_height", None),
        ("positions", {"position_id": 1, "status": "expired"}, "txid", "00" * 32),
        ("executions", {"op_index": 0}, "used", Decimal("1")),
        ("executions", {"op_index": 0}, "received", Decimal("1")),
        ("executions", {"op_index": 0}, "fills", 2),
        ("executions", {"op_index": 0}, "op_index", 1),
        ("fills", {"op_index": 1}, "given", Decimal("1")),
        ("fills", {"op_index": 1}, "op_index", 0),
        ("accounts", {"ticker": "CRV", "height": 930_002}, "staked", Decimal("99")),
        ("accounts", {"ticker": "CRV", "height": 930_004}, "scaled", "200.000000000000000000000000000"),
        ("accounts", {"ticker": "CRV", "height": 930_004}, "scaled", "0.1"),
        ("programs", {"ticker": "CRV", "height": 930_002}, "total_staked", Decimal("101")),
        ("programs", {"ticker": "CRV", "height": 930_004}, "rewards_paid", "1000001"),
        ("programs", {"ticker": "CRV", "height": 930_004}, "index", "0." + "0" * 27),
        ("programs", {"ticker": "CRV", "height": 930_001}, "height", 930_002),
    ],
)
def test_a_false_value_of_a_module_is_noticed(
    honest: Judged, table: str, where: dict[str, object], column: str, value: Any
) -> None:
    rows = honest.modules[table]
    lie = changed(rows, row_of(rows, **where), column, value)
    with pytest.raises(AssertionError):
        assert_conserved(replace(honest, modules={**honest.modules, table: lie}))


@pytest.mark.parametrize("table", ["positions", "executions", "fills", "accounts", "programs"])
def test_a_missing_row_of_a_module_is_noticed(honest: Judged, table: str) -> None:
    rows = honest.modules[table]
    lie = {**honest.modules, table: rows.slice(1)}
    with pytest.raises(AssertionError):
        assert_conserved(replace(honest, modules=lie))


@pytest.mark.parametrize(
    "cause", ["swap_out", "swap_init", "rounding", "expiry", "expiry_reward", "stake", "unstake", "reward"]
)
def test_a_false_event_of_a_module_is_noticed(honest: Judged, cause: str) -> None:
    events = honest.balance_events
    at = row_of(events, cause=cause)
    row = events.to_pylist()[at]
    unit = Decimal("0.00000001")
    for column, value in (("delta", row["delta"] + unit), ("cause", "mint"), ("op_index", 99), ("address", "bc1qelse")):
        with pytest.raises(AssertionError):
            assert_conserved(replace(honest, balance_events=changed(events, at, column, value)))


@pytest.mark.parametrize("column", ["minted", "rounding"])
def test_a_false_total_is_noticed(honest: Judged, column: str) -> None:
    supplies = honest.supplies
    at = row_of(supplies, ticker="CRV")
    lie = changed(supplies, at, column, supplies.to_pylist()[at][column] + 1)
    with pytest.raises(AssertionError):
        assert_conserved(replace(honest, supplies=lie))


def test_a_block_end_left_out_of_the_event_text_is_noticed(honest: Judged) -> None:
    """The hash of a block with expiries is not that of its records alone."""
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    at = row_of(honest.blocks, height=930_012)
    assert honest.blocks["event_hash"].to_pylist()[at] != nothing
    with pytest.raises(AssertionError):
        assert_conserved(replace(honest, blocks=changed(honest.blocks, at, "event_hash", nothing)))
