"""`docs/protocol.md` defines every number that code and tests cite, and its example can be recomputed."""

import re
from collections import defaultdict
from hashlib import sha256
from pathlib import Path

import pytest

from engine.judge import Engine
from engine.plain import PlainEngine
from engine.verdicts import Code
from ingest.networks import REGTEST
from tests.helpers.builders import candidates, headers, operation

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text()
PAGES = PAGE + "".join((ROOT / "docs" / f"protocol_{name}.md").read_text() for name in ("swap", "curve", "wrap"))
RULE = re.compile(r"\bR-[A-Z]+-[A-Z]+-\d+\b")
DECISION = re.compile(r"\bD-\d+\b")

EXAMPLE = {
    1: [
        operation('{"p":"brc-20","op":"deploy","tick":"abc","m":"1000","l":"100"}'),
        operation('{"p":"brc-20","op":"mint","tick":"ABC","amt":"2.5"}'),
        operation('{"p":"brc-20","op":"mint","tick":"ABC","amt":"101"}'),
    ],
    2: [operation('{"p":"brc-20","op":"transfer","tick":"ABC","amt":"1"}', sender="bob", recipient="carol")],
}


def cited(pattern: re.Pattern[str]) -> dict[str, str]:
    """Numbers in code, tests and rule files, each with a file that cites it."""
    files = [
        path
        for folder in ("ingest", "engine", "warehouse", "api", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".toml", ".sql")
    ]
    return {number: path.name for path in files for number in pattern.findall(path.read_text())}


def block_after(title: str) -> str:
    match = re.search(rf"<!-- example: {title} -->\n```\n(.*?)\n```", PAGE, re.DOTALL)
    assert match, title
    return match[1]


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_every_cited_rule_stands_on_the_page() -> None:
    defined = set(RULE.findall(PAGES))
    assert {rule: file for rule, file in cited(RULE).items() if rule not in defined} == {}


def test_every_cited_decision_has_its_line() -> None:
    lines = set(re.findall(r"^\| (D-\d+) \|", PAGE, re.MULTILINE))
    assert {decision: file for decision, file in cited(DECISION).items() if decision not in lines} == {}
    assert set(DECISION.findall(PAGES)) <= lines


def test_rules_are_numbered_without_gaps() -> None:
    numbers: dict[str, set[int]] = defaultdict(set)
    for line in PAGES.splitlines():
        for rule in re.findall(r"^(?:\*\*|\| )?(R-[A-Z]+-[A-Z]+-\d+)", line):
            family, _, number = rule.rpartition("-")
            numbers[family].add(int(number))
    core = {
        "CONST": 12, "BLK": 8, "OPR": 6, "JSON": 6, "TICK": 4, "AMT": 5, "ADDR": 4, "ORDER": 2, "DEP": 8, "MINT": 8,
        "XFER": 7, "BURN": 2, "MULTI": 6, "TEST": 1, "MKT": 8, "STONE": 6, "REC": 6, "REORG": 1,
    }  # fmt: skip
    swap = {"STATE": 5, "POOL": 2, "NUM": 2, "ROUTE": 4, "INIT": 3, "LP": 5, "CALC": 2, "EXE": 10, "EXP": 8}
    curve = {"STATE": 5, "DEP": 8, "EMIT": 3, "IDX": 4, "STAKE": 3, "CLAIM": 5, "XFER": 5}
    wrap = {"CONST": 6, "TICK": 5, "TREE": 2, "MINT": 18, "ENV": 1, "BURN": 5}
    families = {"CORE": core, "SWAP": swap, "CURVE": curve, "WRAP": wrap}
    expected = {
        f"R-{page}-{family}": set(range(1, n + 1)) for page, part in families.items() for family, n in part.items()
    }
    assert numbers == expected | {"R-SWAP-POS": {4}}


def test_every_code_is_explained() -> None:
    assert [code for code in Code if f"{code}" not in PAGE.partition("## 12. Codes")[2]] == []


@pytest.mark.parametrize("engine", [PlainEngine, Engine])
def test_the_example_can_be_recomputed(engine: type[PlainEngine] | type[Engine]) -> None:
    """R-CORE-REC-1: the texts of the page hash to what the page says, and to what an engine says of these blocks."""
    first, second = engine(REGTEST).judge(headers(EXAMPLE), candidates(EXAMPLE)).blocks.to_pylist()
    event1, event2, record1 = (block_after(title) for title in ("event text 1", "event text 2", "record text 1"))
    assert hash_of(event1) == first["event_hash"]
    assert hash_of(event2) == second["event_hash"]
    assert hash_of(record1) == first["record_hash"]
    shown = re.findall(r"^([0-9a-f]{64})  -$", block_after("hashes"), re.MULTILINE)
    cumulative = hash_of(first["event_hash"])
    assert first["cumulative_hash"] == cumulative
    assert second["cumulative_hash"] == hash_of(cumulative + second["event_hash"])
    assert shown == [
        first["event_hash"],
        first["record_hash"],
        second["event_hash"],
        first["cumulative_hash"],
        second["cumulative_hash"],
    ]
    assert f"printf %s {cumulative}{second['event_hash']} | sha256sum" in block_after("hashes")
