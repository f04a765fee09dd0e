"""The recorded chain, whose transactions a real node accepted, ends in the balances that its manifest implies.

Each number is derived here from what was sent (`tests/data/regtest/manifest.json`) and the rules, not from a run.
"""

import json
import tarfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.files import BlockFiles
from ingest.networks import REGTEST
from ingest.node import Node
from ingest.source import Source
from tests.helpers.indexing import index
from tests.helpers.node import FakeNode
from warehouse.audit import audit
from warehouse.duckdb_engine import connect

DATA = Path(__file__).parents[1] / "data/regtest"
NAMES = {address: name for name, address in json.loads((DATA / "manifest.json").read_text())["addresses"].items()}
MILLION = Decimal(1_000_000)

BALANCES = {
    # Mint, 250000.5 to bob, 1 from frank in spaced JSON, 2 with the OP_RETURN second, the steps of 10, 20 and 30.
    ("WTF", "alice"): MILLION - Decimal("250000.5") + 1 - 2 - (10 + 20 + 30),
    # Mint, what came from alice spent in the same block, 10 of the multi-transfer, 500 bought on the marketplace.
    ("WTF", "bob"): MILLION + Decimal("250000.5") - Decimal("1250000.5") + 10 + 500,
    # Mint, all that bob had, 20 of the multi-transfer. The burn of a ticker other than W does nothing (D-8).
    ("WTF", "carol"): MILLION + Decimal("1250000.5") + 20,
    # Mint, 2 from alice, 30 of the multi-transfer, 500 sold; the second sale misses the template (R-CORE-MKT-5).
    ("WTF", "dave"): MILLION + 2 + 30 - 500,
    ("WTF", "erin"): MILLION,
    # Mint, 1 to alice; the number, the exponent, the sign and the missing amount are refused (R-CORE-AMT-1).
    ("WTF", "frank"): MILLION - 1,
    # 400 in lower case (R-CORE-TICK-1); 400 minted by bob for carol; 400 more would exceed 1000: no part of it
    # (R-CORE-MINT-5); the remaining 200, sent to himself (R-CORE-ADDR-4).
    ("LOL", "alice"): Decimal(400),
    ("LOL", "carol"): Decimal(400),
    ("LOL", "dave"): Decimal(1000 - 400 - 400),
    # Three runestones, one each (R-CORE-STONE-1).
    ("STONES", "alice"): Decimal(1),
    ("STONES", "bob"): Decimal(1),
    ("STONES", "carol"): Decimal(1),
}

REFUSALS = {
    # a second deploy of WTF
    "TICKER_ALREADY_EXISTS": 1,
    # 1000001 against a limit of 1000000
    "EXCEEDS_MINT_LIMIT": 1,
    "EXCEEDS_MAX_SUPPLY": 1,
    # mint of NOPE
    "TICKER_NOT_DEPLOYED": 1,
    # bob's 0.00000001, erin's 1 LOL
    "INSUFFICIENT_BALANCE": 2,
    # number, exponent, sign, missing
    "INVALID_AMOUNT": 4,
    # OP_RETURN last
    "NO_STANDARD_OUTPUT": 1,
    "MULTI_TRANSFER_MIXED_TICKERS": 1,
    "INVALID_OUTPUT_POSITION": 1,
    "INVALID_MARKETPLACE_TRANSACTION": 1,
    # `fly`; the burn of WTF; and what waits for modules: three mints and a burn of W, three swap inits and three
    # trades, a curve deploy, three stakes, a transfer of yWTF, a claim
    "INVALID_OPERATION": 1 + 1 + (3 + 1) + (3 + 3) + (1 + 3 + 1 + 1),
}


def from_files(tmp_path: Path) -> Source:
    with tarfile.open(DATA / "blocks.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return BlockFiles(tmp_path / "blocks", REGTEST)


def test_balances_from_block_files(tmp_path: Path) -> None:
    check(tmp_path / "lake", from_files(tmp_path))


@pytest.mark.parametrize("rest", [True, False], ids=["rest", "rpc"])
def test_balances_from_the_node(rest: bool, tmp_path: Path) -> None:
    with FakeNode(recorded=148, rest=rest) as node:
        check(tmp_path / "lake", Node(node.url, REGTEST))


def check(lake: Path, source: Source) -> None:
    index(lake, source)
    connection = connect(lake)

    def ask(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    balances = {
        (ticker, NAMES[str(address)]): balance
        for ticker, address, balance in ask("SELECT ticker, address, balance FROM balances WHERE balance > 0")
    }
    assert balances == BALANCES
    assert dict(ask("SELECT code, count(*) FROM operations WHERE NOT valid GROUP BY code")) == REFUSALS
    supply = {
        ticker: (minted, holders) for ticker, minted, holders in ask("SELECT ticker, minted, holders FROM supply")
    }
    assert supply == {"WTF": (6 * MILLION, 6), "LOL": (1000, 3), "STONES": (3, 3), "W": (0, 0)}
    connection.close()
    assert audit(lake) == []
