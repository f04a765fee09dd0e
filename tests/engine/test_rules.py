"""Every case of the rule files: `tests/rules/R-*.toml`, which its README explains."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.networks import NETWORKS, Network
from tests.helpers.audit import assert_conserved
from tests.helpers.builders import candidates, headers
from tests.helpers.module_states import assert_state, expected_rows
from tests.helpers.scenarios import (
    ABC,
    WRAP,
    balances_of,
    expected_record,
    labels_in,
    pair,
    program,
    records_of,
    transactions,
)

RULES = Path(__file__).parent.parent / "rules"
SETUPS: Mapping[str, list[list[str]]] = {
    "none": [],
    "ABC": ABC,
    "pair": [pair("1000000", "lp1", "lp2", "ex", "ex2")],
    "program": program(),
    "W": WRAP,
}
_SHORT = re.compile(r"(?P<sender>\w+)(?:>(?P<output>\w+:\d+))? (?P<payload>\{.*)", re.DOTALL)


def cases() -> Iterator[Any]:
    for path in sorted(RULES.glob("R-*.toml")):
        content = tomllib.loads(path.read_text())
        for case in content["case"]:
            yield pytest.param(case | {"text": content.get("text", {})}, id=f"{case['rule']}: {case['name']}")


def network_of(case: Mapping[str, Any]) -> Network:
    network = NETWORKS[case.get("network", "mainnet")]
    return replace(network, emergency_range=tuple(case["emergency"])) if "emergency" in case else network


def blocks_of(case: Mapping[str, Any]) -> dict[int, list[str]]:
    """Transactions in the notation by height: the setup's blocks, then the case's own."""
    setup, height = SETUPS[case.get("setup", "ABC")], case.get("height", 930_001)
    blocks = [*setup]
    for block in case["blocks"] if "blocks" in case else [case["txs"]]:
        blocks += [[_expand(text, case["text"]) for text in block]] if isinstance(block, list) else _empty(block)
    return dict(enumerate(blocks, start=height - len(setup)))


def _empty(text: str) -> Sequence[list[str]]:
    count, word = text.split()
    assert word == "empty", text
    return [[] for _ in range(int(count))]


def _expand(text: str, texts: Mapping[str, str]) -> str:
    for name, value in texts.items():
        text = text.replace(f"<{name}>", value)
    if text.startswith("in["):
        return text
    if short := _SHORT.fullmatch(text):
        output = short["output"] or f"{short['sender']}:546"
        return f"in[{short['sender']}] out[OP_RETURN {short['payload']} | {output}]"
    return f"in[bob] out[OP_RETURN {text} | carol:546]"


@pytest.mark.parametrize("case", list(cases()))
def test_rule(engine_class: Any, case: Mapping[str, Any]) -> None:
    network, texts = network_of(case), blocks_of(case)
    blocks, labels = transactions(texts), labels_in([text for block in texts.values() for text in block], network)
    engine = engine_class(network)
    judged = engine.judge(headers(blocks), candidates(blocks))
    assert_conserved(judged)
    records = records_of(judged, case.get("height", 930_001), labels)
    assert records == [expected_record(text) for text in case["records"]]
    if "balances" in case:
        expected = [text.rsplit(" ", 2) for text in case["balances"]]
        assert balances_of(engine.state(), labels) == {
            (label, ticker): Decimal(balance) for label, ticker, balance in expected
        }
    if "state" in case:
        assert_state(engine.state(), labels, expected_rows(case["state"]))
