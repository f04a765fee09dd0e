"""Every vector that concerns the core, and every scenario, through whole blocks of real transactions.

Where the predecessor decides otherwise than this project, `tests/rules/decisions.toml` holds the expected values.
"""

import json
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.addresses import address_of
from ingest.networks import MAINNET
from tests.helpers.audit import assert_conserved
from tests.helpers.builders import candidates, headers, kind_of, make_tx, operation, pay, spend
from tests.helpers.chain import TxOut
from tests.helpers.module_states import assert_state, expected_rows
from tests.helpers.scenarios import balances_of, expected_record, records_of, vector_scenario, vectors

Vector = Mapping[str, Any]

DECISIONS = tomllib.loads((Path(__file__).parent.parent / "rules" / "decisions.toml").read_text())


def each(group: str, predicate: Any = lambda vector: True) -> pytest.MarkDecorator:
    chosen = [vector for vector in vectors(group) if predicate(vector)]
    return pytest.mark.parametrize("vector", chosen, ids=[vector["id"] for vector in chosen])


def judge_one(engine_class: Any, payload: str, height: int = 930_000) -> list[dict[str, Any]]:
    """Records of one transaction from alice to bob in a block of its own."""
    blocks = {height: [operation(payload)]}
    judged = engine_class(MAINNET).judge(headers(blocks), candidates(blocks))
    assert_conserved(judged)
    rows: list[dict[str, Any]] = judged.operations.to_pylist()
    return rows


@each("AMOUNT")
def test_amount_grammar_rounding_and_range(engine_class: Any, vector: Vector) -> None:
    """R-CORE-AMT-1 to R-CORE-AMT-5 in three places: a supply, a mint of it, and the mint of an unknown token.

    D-3: what the predecessor's database refuses is recorded without amount, and 10^30 is no amount.
    """
    text = vector["input"]["string_json_escaped"]
    stored = vector["expected"]["stored_numeric_38_8"]
    value = None if stored.startswith("DB_ERROR") or stored == "NaN" else Decimal(stored)
    valid = vector["expected"]["accepted"] == "true" and value is not None

    deploy = f'{{"p":"brc-20","op":"deploy","tick":"A","m":{text},"l":{text}}}'
    mint = f'{{"p":"brc-20","op":"mint","tick":"A","amt":{text}}}'
    engine, blocks = engine_class(MAINNET), {930_000: [operation(deploy), operation(mint)]}
    judged = engine.judge(headers(blocks), candidates(blocks))
    assert_conserved(judged)
    tokens, records = judged.tokens.to_pylist(), judged.operations.to_pylist()
    assert records[0]["code"] == (None if valid else "INVALID_AMOUNT")
    assert [(row["max_supply"], row["limit_per_mint"]) for row in tokens] == ([(value, value)] if valid else [])
    if valid and value == 0:
        assert records[1]["code"] == "TICKER_NOT_SUPPORTED_NOW", (
            "zero supply and limit make a wrap ticker (R-CORE-DEP-3)"
        )
    else:
        assert records[1]["code"] == (None if valid else "TICKER_NOT_DEPLOYED")
    assert records[1]["amount"] == value
    assert [row["balance_after"] for row in judged.balance_events.to_pylist()] == ([value] if valid and value else [])


@each("TICKER")
def test_ticker_normalisation(engine_class: Any, vector: Vector) -> None:
    """R-CORE-TICK-1, R-CORE-DEP-5."""
    text = vector["input"]["string_json_escaped"]
    (record,) = judge_one(engine_class, f'{{"p":"brc-20","op":"deploy","tick":{text},"m":"1"}}')
    assert record["ticker"] == record["ticker_text"] == json.loads(vector["expected"]["tick_field"])
    deployable = vector["expected"]["deployable_by_reference"] == "true"
    assert record["code"] == (None if deployable else "INVALID_OPERATION")
    assert ("D-6" in (record["divergence"] or "")) == (not deployable)


@each("JSON")
def test_json_acceptance(engine_class: Any, vector: Vector) -> None:
    """R-CORE-JSON-1 to R-CORE-JSON-4. test_opi is refused where the vector parses it (D-2)."""
    expected, records = vector["expected"], judge_one(engine_class, vector["input"]["payload"])
    if expected["recorded"] == "no":
        assert records == []
        return
    (record,) = records
    if expected["op"] == "test_opi":
        assert (record["operation"], record["code"], record["divergence"]) == ("invalid", "INVALID_OPERATION", "D-2")
    elif expected["success"] == "true":
        assert record["operation"] == expected["op"]
        refusals = {"swap": "SWAP_MISSING_FIELDS", "burn": "INVALID_OPERATION"}
        assert record["code"] == refusals.get(expected["op"], "TICKER_NOT_DEPLOYED")
    else:
        assert (record["operation"], record["code"]) == ("invalid", expected["error"])
        assert [record[name] for name in ("ticker", "amount", "from_address", "to_address")] == [None] * 4


@each("SCRIPT")
def test_script_forms(engine_class: Any, vector: Vector) -> None:
    """R-CORE-OPR-1 to R-CORE-OPR-6: the script as output 0.

    Scripts that do not make a transaction a candidate stand beside one that does without qualifying, so that the
    engine itself has to tell what they carry; the payload over 2000 bytes is silent (R-CORE-OPR-6).
    """
    expected = vector["expected"]
    outputs = [TxOut(0, bytes.fromhex(vector["input"]["script_hex"])), pay("bob")]
    tx = make_tx([spend("alice")], outputs)
    if kind_of(tx) is None:
        tx = make_tx([spend("alice")], [*outputs, TxOut(0, b"\x6a\x0abrc-20 abc")])
    assert kind_of(tx) is not None
    blocks = {930_000: [tx]}
    judged = engine_class(MAINNET).judge(headers(blocks), candidates(blocks))
    assert_conserved(judged)
    records = judged.operations.to_pylist()
    if expected["parse_success"] != "true":
        code = expected["parse_error"]
        silent = code in ("", "INVALID_JSON")
        assert [(row["operation"], row["code"]) for row in records] == ([] if silent else [("invalid", code)])
        return
    (record,) = records
    assert record["payload"].hex() == expected["protocol_payload_hex"]
    assert record["ticker"] == expected["tick"]
    assert record["operation"] == ("mint_stones" if expected["tick"] == "STONES" else expected["op"])


@each("ADDR")
def test_addresses_are_those_that_a_node_prints(engine_class: Any, vector: Vector) -> None:
    """R-CORE-ADDR-1 (D-81): as the recipient of a mint, whose record needs an address."""
    script = bytes.fromhex(vector["input"]["script_hex"])
    normative = vector["expected"]["normative_address"]
    address = None if normative == "none" else normative
    assert address_of(script, MAINNET) == address
    payload = operation('{"p":"brc-20","op":"mint","tick":"A","amt":"1"}').outputs[0]
    blocks = {930_000: [make_tx([spend("alice")], [payload, TxOut(546, script)])]}
    (record,) = engine_class(MAINNET).judge(headers(blocks), candidates(blocks)).operations.to_pylist()
    assert record["to_address"] == address
    assert record["to_script"] == (None if address is None else script)
    assert record["code"] == ("NO_STANDARD_OUTPUT" if address is None else "TICKER_NOT_DEPLOYED")


@each("SCENARIO")
def test_scenario(engine_class: Any, vector: Vector) -> None:
    """Records, balances, tokens, rows of modules and divergence tags of whole blocks."""
    scenario, decision = vector_scenario(vector), DECISIONS.get(vector["id"])
    engine = engine_class(scenario.network)
    judged = engine.judge(headers(scenario.blocks), candidates(scenario.blocks))
    assert_conserved(judged)
    records = records_of(judged, scenario.first_judged, scenario.labels)
    balances = balances_of(engine.state(), scenario.labels)
    tokens = set(judged.tokens["ticker"].to_pylist())
    if decision is None:
        assert records == [expected_record(text) for text in scenario.records]
        assert balances == scenario.balances
        assert tokens == scenario.tokens
        assert_state(engine.state(), scenario.labels, scenario.state)
        return
    assert records == [expected_record(text) for text in decision["records"]]
    expected = [text.split() for text in decision["balances"]]
    assert balances == {(label, ticker): Decimal(balance) for label, ticker, balance in expected}
    assert tokens == set(decision["tokens"])
    assert_state(engine.state(), scenario.labels, expected_rows(decision.get("state", [])))


def test_every_decision_names_a_contested_scenario_or_only_tags_it() -> None:
    for vector in vectors("SCENARIO"):
        if (decision := DECISIONS.get(vector["id"])) is None:
            continue
        if f"CONTESTED: see {decision['decision']};" in vector["note"]:
            continue
        scenario = vector_scenario(vector)
        records = [expected_record(text) for text in decision["records"]]
        assert [record | {"tags": "-"} for record in records] == [expected_record(text) for text in scenario.records]
        assert decision["decision"] in {record["tags"] for record in records}
        balances = {tuple(text.split()[:2]): Decimal(text.split()[2]) for text in decision["balances"]}
        assert balances == scenario.balances
