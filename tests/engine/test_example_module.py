"""The module that `docs/adding_a_module.md` shows, at work."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.judge import Engine
from engine.modules.registry import Registry
from engine.schemas import Judged
from ingest.networks import REGTEST
from tests.helpers.audit import assert_same
from tests.helpers.audit_modules import units_of
from tests.helpers.builders import address, candidates, headers, operation
from tests.helpers.chain import Tx
from tests.helpers.halving import Halving

HALVING = Registry([Halving])
ROOT = Path(__file__).parent.parent.parent


def tx(op: str, salt: int = 0, **members: Any) -> Tx:
    return operation(json.dumps({"p": "brc-20", "op": op, "tick": "SLOW", **members}), "alice", "bob", salt)


def deploy(every: object = "2", **curve: object) -> Tx:
    return tx("deploy", m="100", l="10", curve={"type": "halving", "every": every, **curve})


MINT = tx("mint", amt="0.00000005")
CHAIN = {
    10: [deploy(), MINT],
    11: [],
    12: [MINT, tx("mint", 1, amt="0.00000005")],
    13: [tx("mint", amt="11")],
    14: [MINT],
}


def judge(engine: Engine, first: int = 10, last: int = 14) -> Judged:
    part = {height: CHAIN[height] for height in range(first, last + 1)}
    return engine.judge(headers(part), candidates(part))


def test_the_page_shows_the_file() -> None:
    page = (ROOT / "docs/adding_a_module.md").read_text()
    assert f"```python\n{(ROOT / 'tests/helpers/halving.py').read_text()}```" in page


def test_mints_lose_half_of_their_worth_after_every_other_block() -> None:
    """Effects in units of 10^-8, rounded at the end of the block; records and rows."""
    result = judge(Engine(REGTEST, None, HALVING))
    records = [(row["height"], row["operation"], row["code"], row["amount"]) for row in units_of(result.operations)]
    assert records == [
        (10, "deploy", None, None),
        (10, "mint", None, 5),
        (12, "mint", None, 5),
        (12, "mint", None, 5),
        (13, "mint", "EXCEEDS_MINT_LIMIT", 11 * 10**8),
        (14, "mint", None, 5),
    ]
    events = [(row["height"], row["cause"], row["address"], row["delta"]) for row in units_of(result.balance_events)]
    bob = address("bob")
    assert events == [
        (10, "halved_mint", bob, 5),
        (12, "halved_mint", bob, 3),
        (12, "halved_mint", bob, 3),
        (12, "rounding", bob, -1),
        (14, "halved_mint", bob, 1),
    ]
    supplies = [(row["height"], row["minted"], row["rounding"]) for row in units_of(result.supplies)]
    assert supplies == [(10, 5, 0), (12, 11, -1), (14, 12, -1)]
    columns = ("height", "ticker", "start", "every", "minted")
    assert [tuple(row[name] for name in columns) for row in units_of(result.modules["halvings"])] == [
        (10, "SLOW", 10, 2, 5),
        (12, "SLOW", 10, 2, 15),
        (14, "SLOW", 10, 2, 20),
    ]


@pytest.mark.parametrize("every", ["0", "x", "", None, "-1", 1.5])
def test_a_deploy_that_says_something_else_is_refused(every: object) -> None:
    chain = {10: [deploy(every)], 11: [MINT]}
    result = Engine(REGTEST, None, HALVING).judge(headers(chain), candidates(chain))
    assert result.operations["code"].to_pylist() == ["INVALID_OPERATION", "TICKER_NOT_DEPLOYED"]
    assert result.modules["halvings"].num_rows == 0


@pytest.mark.parametrize("height", [10, 11, 12, 13])
def test_restored_after_any_block_it_goes_on_to_the_same_output(height: int) -> None:
    """Also when the engine has been further before: a rewind is nothing else."""
    engine = Engine(REGTEST, None, HALVING)
    judge(engine, 10, height)
    state = engine.state()
    expected = judge(engine, height + 1)
    assert_same(expected, judge(Engine(REGTEST, state, HALVING), height + 1))
    engine.restore(state)
    assert_same(expected, judge(engine, height + 1))
