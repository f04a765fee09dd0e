"""The recorded chain, whose transactions a real node accepted, ends in what its manifest implies.

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
from tests.helpers.indexing import index, open_or_create
from tests.helpers.module_states import assert_state, expected_rows
from tests.helpers.node import FakeNode
from tests.helpers.recorded_verdicts import VERDICTS
from tests.helpers.scenarios import expected_record, record_fields
from warehouse.audit import audit
from warehouse.duckdb_engine import connect

DATA = Path(__file__).parents[1] / "data/regtest"
MANIFEST = json.loads((DATA / "manifest.json").read_text())
NAMES: dict[str, str] = {address: name for name, address in MANIFEST["addresses"].items()}
LOL_WTF = "POOL::LOL-WTF"
MILLION = Decimal(1_000_000)

# Block 126, the trade of 10 LOL: R = 300 LOL, S = 100000 WTF (R-SWAP-EXE-3). Out = S - R x S / (R + 10) =
# 3225.80645161290..., fee 0.3 % = 9.67741935483...; slippage 3.2 % < 50 %. alice's position keeps 96774.19354838709...
# and accumulates 10 LOL.
# Then erin's 50000 WTF at 1 %: R = 96774.19354838709..., S = 300: slippage 34 %, so partial (R-SWAP-CALC-1 step 4):
# in = R x (1 / 0.99)^0.5 - R = 487.53050895600..., out = 300 - R x 300 / (R + in) = 1.50376886801...,
# fee 0.00451130660... carol's position keeps 298.49623113198... and accumulates what erin paid.
BOUGHT_WTF, FEE_WTF = Decimal("3225.80645161"), Decimal("9.67741935")
PAID_WTF = Decimal("487.53050896")
BOUGHT_LOL, FEE_LOL = Decimal("1.50376887"), Decimal("0.00451131")

# Block 135, end: alice's position unlocks. Locked 96774.19354839; promised 0.00009677 x 100000 x 1.001 = 9.686677,
# collected 9.67741935, so that is the reward (R-SWAP-EXP-3); and the 10 LOL that it accumulated.
RETURNED_WTF = Decimal("96774.19354839") + FEE_WTF

# Program CRV, block 139: rho = 1000000 / 21000000 = 0.04761905, 10000 a block. Staked in 140: 1060. The index grows by
# 10000 / 0.04761905 / 1060 = 198.11319764150... RAY a block, from the end of 141 on, always to the block before.
# Block 146: at 991.56598820754... RAY carol's 100 yWTF are 100 / 991.56598... = 0.10085057493... scaled, and as much of
# the principal, for she has as many staked as scaled. Both accounts were touched: at its end
# floor8(999.89914942506... x 991.56...) = 991465.98820754 and 99.99999999 are divided by the new index,
# 1189.67918584905... RAY.
# Block 147: bob's 30 of 60 x 1189.67918... = 71380.75115094... are 30 / 1189.67918... = 0.02521688229... of scaled and
# principal; reward (30 - 0.02521688...) x 0.04761905 = 1.42737069602... At its end
# floor8(59.97478311770... x 1189.67...) = 71350.75115094 is divided by
# 1189.67918... + 10000 / 0.04761905 / 1059.97478312 = 1387.79709661847...
UNSTAKED, REWARD = Decimal("0.02521688"), Decimal("1.42737070")

BALANCES = {
    # Mint, 250000.5 to bob, 1 from frank in spaced JSON, 2 with the OP_RETURN second, the steps of 10, 20 and 30;
    # 100000 locked in block 125 and returned in 135.
    ("WTF", "alice"): MILLION - Decimal("250000.5") + 1 - 2 - (10 + 20 + 30) - 100_000 + RETURNED_WTF,
    # Mint, what came from alice spent in the same block, 10 of the multi-transfer, 500 bought on the marketplace; stake
    # and claim.
    ("WTF", "bob"): MILLION + Decimal("250000.5") - Decimal("1250000.5") + 10 + 500 - 60 + UNSTAKED,
    # Mint, all that bob had, 20 of the multi-transfer; stake. The burn of a ticker other than W does nothing (D-8).
    ("WTF", "carol"): MILLION + Decimal("1250000.5") + 20 - 1000,
    # Mint, 2 from alice, 30 of the multi-transfer, 500 sold; the second sale misses the template (R-CORE-MKT-5). The
    # trade; the stake paid 2999 for 3000.
    ("WTF", "dave"): MILLION + 2 + 30 - 500 + BOUGHT_WTF - FEE_WTF,
    # Mint and trade.
    ("WTF", "erin"): MILLION - PAID_WTF,
    # Mint, 1 to alice; the number, the exponent, the sign and the missing amount are refused (R-CORE-AMT-1).
    ("WTF", "frank"): MILLION - 1,
    # What erin paid is carol's until her position unlocks in 165.
    ("WTF", LOL_WTF): 100_000 - BOUGHT_WTF + FEE_WTF + PAID_WTF - RETURNED_WTF,
    # 400 in lower case (R-CORE-TICK-1), and what the position accumulated; 400 minted by bob for carol, of which she
    # locks 300; 400 more would exceed 1000: no part of it (R-CORE-MINT-5); the remaining 200, sent to himself
    # (R-CORE-ADDR-4), of which he sells 10.
    ("LOL", "alice"): Decimal(400 + 10),
    ("LOL", "carol"): Decimal(400 - 300),
    ("LOL", "dave"): Decimal(1000 - 400 - 400 - 10),
    ("LOL", "erin"): BOUGHT_LOL - FEE_LOL,
    ("LOL", LOL_WTF): 300 + 10 - BOUGHT_LOL + FEE_LOL - 10,
    # Three runestones, one each (R-CORE-STONE-1).
    ("STONES", "alice"): Decimal(1),
    ("STONES", "bob"): Decimal(1),
    ("STONES", "carol"): Decimal(1),
    # Two locks of 10000 and 25000 sats, a burn of 5000, once (D-9).
    ("W", "bob"): Decimal(10_000 + 25_000 - 5_000),
    ("CRV", "bob"): REWARD,
}

SUPPLY = {
    # minted, burned, rounding, holders
    "WTF": (6 * MILLION, 0, 0, 7),
    "LOL": (1000, 0, 0, 5),
    "STONES": (3, 0, 0, 3),
    "W": (35_000, 5_000, 0, 1),
    "CRV": (REWARD, 0, 0, 1),
}

STATE = [
    # 100000 - 96774.19354839 of liquidity stays (R-SWAP-LP-2); fees per share 9.67741935... / 100000 and
    # 0.00451130... / 300.
    "pool LOL-WTF liquidity_a=300 liquidity_b=3225.80645161 units_a=300 units_b=0 fees_a=0.00451131 fees_b=0 "
    "fps_a=0.00001504 fps_b=0.00009677 reserve_a=298.49623113 reserve_b=0",
    "position 1 owner=alice src=WTF dst=LOL amount=100000 locked=96774.19354839 lock=10 start=125 unlock=135 "
    "status=expired closed=135 units_a=0 units_b=0 entry_a=0 entry_b=0 multiplier=1.001 reward_a=0 reward_b=9.67741935 "
    "accumulated_a=10 accumulated_b=0 index=-",
    "position 2 owner=carol src=LOL dst=WTF amount=300 locked=298.49623113 lock=40 start=125 unlock=165 "
    "status=active closed=- units_a=300 units_b=0 entry_a=0 entry_b=0 multiplier=1.004 reward_a=0 reward_b=0 "
    "accumulated_a=0 accumulated_b=487.53050896 index=-",
    "program CRV type=linear duration=100 staking=WTF max=1000000 staking_max=21000000 rho=0.04761905 init_fee=3000 "
    "exe_fee=1000 genesis=alice start=139 last=146 index=1387797096618476790661699654907.652749628016763635500000000 "
    "staked=1059.97478312 scaled=1059.974783117703627499692090577 "
    "paid=1.4273706960210849230892126457712335097252506811607",
    "account CRV bob staked=59.97478312 scaled=51.412956061656350329007896325",
    "account CRV carol staked=999.89914943 scaled=833.389370849539386186695646941",
    "account CRV erin staked=0.10085057 scaled=0.084056274312836040260907244",
    # R-WRAP-TREE-1 for the revealed key and delay; the burn has one input, so that no vault closes (R-WRAP-BURN-3).
    "vault 1 amount=10000 delay=256 recipient=bob status=active opened=123 closed=- "
    "root=1e61343bbbfaa8154235ff64f232a369a434b26cf52cc7cbeb64afc6cf7b0460 "
    "lock=bcrt1p4mquy8ljmrwh7dphd8ag65338zjxarjvjm7rlnpx7ukllcn2zdrqdfpm7q "
    "initiator=bcrt1pf7d5z9z0jaux5lyw4enwgmz7lkearcq9dxrjxhlnc2gmre6k72jq58vl7t",
    "vault 2 amount=25000 delay=1000 recipient=bob status=active opened=123 closed=- "
    "root=e72d6318d389de43957185c988f27e1cef3a2e36f6a32117eff3030dfd3b7f53 "
    "lock=bcrt1plxj0mvr8t2wgrs2szhftje25dspylw64gvzn5mnqsygga39zku2q0cqls5 "
    "initiator=bcrt1p4xgew54v7f6d3wlp4sssf06jvmuh7ht48np0jdx9ejyvnw736gfsrqg3t6",
]

END_OF_135 = [
    ("LOL", LOL_WTF, -10, "expiry_accumulated"),
    ("LOL", "alice", 10, "expiry"),
    ("WTF", LOL_WTF, -Decimal("96774.19354839"), "expiry_principal"),
    ("WTF", LOL_WTF, -FEE_WTF, "expiry_reward"),
    ("WTF", "alice", RETURNED_WTF, "expiry"),
]


def from_files(tmp_path: Path) -> Source:
    with tarfile.open(DATA / "blocks.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    return BlockFiles(tmp_path / "blocks", REGTEST)


def test_from_block_files(tmp_path: Path) -> None:
    check(tmp_path / "lake", from_files(tmp_path))


@pytest.mark.parametrize("rest", [True, False], ids=["rest", "rpc"])
def test_from_the_node(rest: bool, tmp_path: Path) -> None:
    with FakeNode(recorded=148, rest=rest) as node:
        check(tmp_path / "lake", Node(node.url, REGTEST))


def check(lake: Path, source: Source) -> None:
    index(lake, source)
    connection = connect(lake)

    def ask(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    def name(address: str) -> str:
        return NAMES.get(address, address)

    balances = {
        (ticker, name(address)): balance
        for ticker, address, balance in ask("SELECT ticker, address, balance FROM balances WHERE balance > 0")
    }
    assert balances == BALANCES
    columns = "ticker, minted, burned, rounding, holders"
    assert {row[0]: row[1:] for row in ask(f"SELECT {columns} FROM supply")} == SUPPLY
    events = ask("SELECT ticker, address, delta, cause FROM balance_events WHERE height = 135 ORDER BY sequence")
    assert [(ticker, name(address), *rest) for ticker, address, *rest in events] == END_OF_135
    records = connection.sql("SELECT * FROM operations ORDER BY height, op_index").to_arrow_table().to_pylist()
    for transaction, verdicts in zip(MANIFEST["transactions"], VERDICTS, strict=True):
        of_it = [record_fields(row, NAMES) for row in records if row["txid"] == transaction["txid"]]
        assert of_it == [expected_record(text) for text in verdicts], transaction["note"]
    assert len(records) == sum(map(len, VERDICTS))
    connection.close()
    assert audit(lake) == []
    with open_or_create(lake) as opened:
        assert_state(opened.state(), NAMES, expected_rows(STATE))
