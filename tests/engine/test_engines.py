"""What both judging paths promise beside the rules: joining blocks, named errors, state out and in."""

from hashlib import sha256
from typing import Any

import pyarrow as pa
import pytest

from engine.errors import BrokenChain, EngineError, MalformedCandidate
from engine.schemas import BALANCES, SUPPLIES, TOKENS, State
from ingest.networks import REGTEST
from tests.helpers.audit import assert_conforms, assert_conserved, assert_same
from tests.helpers.builders import candidates, headers, make_tx, op_return, pay, spend
from tests.helpers.chain import TxOut
from tests.helpers.scenarios import ABC, transactions

TRANSFER = '"p":"brc-20","op":"transfer","tick":"ABC"'
BLOCKS = transactions(
    {
        0: ABC[0],
        1: [f'in[bob] out[OP_RETURN {{{TRANSFER},"amt":"30"}} | carol:546]'],
        2: [],
        3: [
            "in[x] out[OP_RETURN script:6a5d | carol:546]",
            f'in[carol] out[OP_RETURN {{{TRANSFER},"amt":"30"}} | dave:546]',
        ],
    }
)


def part(*heights: int, branch: str = "") -> tuple[pa.Table, pa.Table]:
    blocks = {height: BLOCKS[height] for height in heights}
    return headers(blocks, branch), candidates(blocks)


def test_blocks_in_pieces_equal_blocks_at_once(engine_class: Any) -> None:
    """R-CORE-BLK-1."""
    whole = engine_class(REGTEST).judge(*part(0, 1, 2, 3))
    engine = engine_class(REGTEST)
    pieces = [engine.judge(*part(0)), engine.judge(*part(1, 2)), engine.judge(*part(3))]
    assert_conserved(whole)
    assert_conserved(*pieces)
    for name in ("blocks", "operations", "balance_events", "tokens", "supplies"):
        assert pa.concat_tables([getattr(piece, name) for piece in pieces]).equals(getattr(whole, name))


def test_restored_state_goes_on_as_if_never_stopped(engine_class: Any) -> None:
    first = engine_class(REGTEST)
    opening = first.judge(*part(0, 1))
    state = first.state()
    second = engine_class(REGTEST)
    second.restore(state)
    rest = second.judge(*part(2, 3))
    assert_same(rest, first.judge(*part(2, 3)))
    assert_conserved(rest, opening=state)
    assert_conserved(opening, rest)
    assert second.state() == first.state()


def test_restore_forgets_everything_else(engine_class: Any) -> None:
    """R-CORE-REORG-1, D-30: going back is as if the orphaned blocks had never been seen."""
    engine = engine_class(REGTEST)
    engine.judge(*part(0))
    state = engine.state()
    engine.judge(*part(1, 2))
    engine.restore(state)
    again = engine.judge(*part(1, 2, 3, branch=""))
    assert_same(again, judged_alone(engine_class, 1, 2, 3))


def judged_alone(engine_class: Any, *heights: int) -> Any:
    engine = engine_class(REGTEST)
    engine.judge(*part(0))
    return engine.judge(*part(*heights))


def test_state_conforms_to_its_schemas(engine_class: Any) -> None:
    engine = engine_class(REGTEST)
    empty = engine.state()
    assert (empty.height, empty.hash, empty.cumulative_hash) == (None, None, "")
    engine.judge(*part(0, 1, 2, 3))
    state: State = engine.state()
    assert state.height == 3
    for each in (empty, state):
        assert_conforms(each.balances, BALANCES)
        assert_conforms(each.tokens, TOKENS)
        assert_conforms(each.supplies, SUPPLIES)
    rows = {(row["ticker"], row["height"]): row["holders"] for row in state.supplies.to_pylist()}
    assert rows == {("ABC", 1): 2, ("STONES", 3): 1}, "a row stays until a total changes"
    assert empty.balances.num_rows == empty.tokens.num_rows == empty.supplies.num_rows == 0


def test_an_empty_block_has_the_hash_of_the_empty_text(engine_class: Any) -> None:
    engine = engine_class(REGTEST)
    block = engine.judge(*part(2)).blocks.to_pylist()[0]
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (block["event_hash"], block["record_hash"]) == (nothing, sha256(nothing.encode()).hexdigest())
    assert block["candidates"] == block["operations"] == block["valid_operations"] == block["balance_events"] == 0


def test_a_gap_is_a_broken_chain(engine_class: Any) -> None:
    with pytest.raises(BrokenChain):
        engine_class(REGTEST).judge(*part(0, 2))
    engine = engine_class(REGTEST)
    engine.judge(*part(0))
    with pytest.raises(BrokenChain):
        engine.judge(*part(2))


def test_another_parent_is_a_broken_chain_and_nothing_is_judged(engine_class: Any) -> None:
    engine = engine_class(REGTEST)
    engine.judge(*part(0))
    state = engine.state()
    with pytest.raises(BrokenChain):
        engine.judge(*part(1, branch="other"))
    assert engine.state() == state
    engine.judge(*part(1))


@pytest.mark.parametrize(
    ("column", "change"),
    [("raw", lambda raw: raw[:-1]), ("raw", lambda raw: raw + b"\0"), ("prevouts", lambda prevouts: prevouts[:-1])],
    ids=["cut", "long", "cut prevouts"],
)
def test_damaged_bytes_are_named_before_anything_is_judged(engine_class: Any, column: str, change: Any) -> None:
    blocks, table = part(0, 1)
    damaged = [change(value) if row == 2 else value for row, value in enumerate(table[column].to_pylist())]
    position = table.schema.get_field_index(column)
    table = table.set_column(position, table.schema.field(column), pa.array(damaged, pa.binary()))
    engine = engine_class(REGTEST)
    with pytest.raises(MalformedCandidate):
        engine.judge(blocks, table)
    assert engine.state().height is None


def test_candidates_of_no_block_are_refused(engine_class: Any) -> None:
    blocks, _ = part(0)
    _, table = part(0, 1)
    with pytest.raises(EngineError):
        engine_class(REGTEST).judge(blocks, table)


@pytest.mark.parametrize(
    ("outputs", "code"),
    [
        ("carol:1 | OP_RETURN {0} | OP_RETURN {1}", "INVALID_OUTPUT_POSITION"),
        ("OP_RETURN {0} | carol:1 | OP_RETURN {1}", "NO_RECEIVER_OUTPUT"),
    ],
)
def test_a_structural_failure_is_one_record_of_a_multi_transfer(outputs: str, code: str, engine_class: Any) -> None:
    """R-CORE-MULTI-3: output 0, no step, and the payload of the first step."""
    payloads = [f'{{{TRANSFER},"amt":"{amount}"}}' for amount in (1, 2)]
    texts = {0: ABC[0], 1: [f"in[bob] out[{outputs.format(*payloads)}]"]}
    judged = engine_class(REGTEST).judge(headers(transactions(texts)), candidates(transactions(texts)))
    record = judged.operations.to_pylist()[-1]
    assert record["txid"] == transactions(texts)[1][0].txid
    assert (record["code"], record["multi"], record["vout"], record["step"]) == (code, True, 0, None)
    assert record["payload"] == payloads[0].encode()


def test_steps_of_a_multi_transfer_carry_their_own_payload(engine_class: Any) -> None:
    """R-CORE-MULTI-5."""
    payloads = [f'{{{TRANSFER},"amt":"1"}}', f'{{{TRANSFER},"amt":x}}']
    texts = {0: ABC[0], 1: [f"in[bob] out[OP_RETURN {payloads[0]} | carol:1 | OP_RETURN {payloads[1]} | dave:1]"]}
    judged = engine_class(REGTEST).judge(headers(transactions(texts)), candidates(transactions(texts)))
    records = judged.operations.to_pylist()[-2:]
    assert [(record["multi"], record["step"], record["vout"]) for record in records] == [(True, 0, 0), (True, 1, 2)]
    assert [record["payload"].decode() for record in records] == payloads


def test_a_script_beyond_16_bits_of_length_is_walked_over(engine_class: Any) -> None:
    """Its length takes the five-byte form of a compact size."""
    payload = f'{{{TRANSFER},"amt":"1"}}'
    tx = make_tx([spend("bob")], [op_return(payload), pay("carol"), TxOut(1, b"\x51" * 70_000)])
    blocks = {0: transactions({0: ABC[0]})[0], 1: [tx]}
    judged = engine_class(REGTEST).judge(headers(blocks), candidates(blocks))
    assert [record["valid"] for record in judged.operations.to_pylist()][-1]
    assert_conserved(judged)
