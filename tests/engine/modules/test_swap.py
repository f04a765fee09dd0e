"""Swaps through whole blocks: what engines write down of them."""

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

import pyarrow as pa

from engine.judge import Engine
from engine.schemas import Judged, State
from ingest.networks import MAINNET
from tests.helpers.builders import address, candidates, headers, operation
from tests.helpers.chain import Tx

D = Decimal
FIRST = 930_000
POOL = "POOL::LOL-WTF"


def text(op: str, **members: object) -> str:
    return json.dumps({"p": "brc-20", "op": op} | members, separators=(",", ":"))


def holdings(*holders: str) -> list[Tx]:
    """LOL and WTF, 10000 of each for every holder."""
    deploys = [operation(text("deploy", tick=ticker, m="1000000", l="10000")) for ticker in ("LOL", "WTF")]
    mint = {ticker: text("mint", tick=ticker, amt="10000") for ticker in ("LOL", "WTF")}
    return deploys + [operation(mint[ticker], "minter", holder) for holder in holders for ticker in ("LOL", "WTF")]


def init(owner: str, pair: str, amount: str, lock: str = "10") -> Tx:
    return operation(text("swap", init=pair, amt=amount, lock=lock), owner, owner)


def exe(executor: str, pair: str, amount: str, slip: str = "100") -> Tx:
    return operation(text("swap", exe=pair, amt=amount, slip=slip), executor, executor)


def judge(engine: Any, first: int, *blocks: Sequence[Tx]) -> Judged:
    chain = dict(enumerate(blocks, start=first))
    judged: Judged = engine.judge(headers(chain), candidates(chain))
    return judged


def balances(state: State) -> dict[tuple[str, str], Decimal]:
    """By (address or pool account, ticker)."""
    return {(row["address"], row["ticker"]): row["balance"] for row in state.balances.to_pylist()}


def latest(state: State, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = state.modules[table].to_pylist()
    return found


def test_the_worked_example(engine_class: Any) -> None:
    """swap.md section 9 (SCENARIO-033, D-40, D-41), block by block to the last digit."""
    engine = engine_class(MAINNET)
    deposits = [init("lp1", "lol,wtf", "1000"), init("lp2", "wtf,lol", "2000")]
    judged = judge(engine, FIRST, holdings("lp1", "lp2", "ex", "ex2"), deposits, [exe("ex", "LOL,WTF", "100")])
    trade = judged.modules["executions"].to_pylist()[0]
    # 1000 x 2000 / 1100 stay of 2000 WTF; 0.3 % of the rest is the fee
    assert (trade["received"], trade["fee"]) == (D("181.81818182"), D("0.54545455"))
    held = balances(engine.state())
    assert held[address("ex", MAINNET), "WTF"] == D("10181.27272727")
    assert held[address("ex", MAINNET), "LOL"] == D("9900.00000000")
    pool, (_, second) = latest(engine.state(), "pools")[0], latest(engine.state(), "positions")
    assert (second["locked"], second["accumulated_a"]) == (D("1818.18181818"), 100)
    assert pool["fee_per_share_b"] == D("0.00027273")

    third = judge(engine, FIRST + 3, [exe("ex", "LOL,WTF", "100", "0.5"), exe("ex2", "WTF,LOL", "10", "50")])
    partial, back = third.modules["executions"].to_pylist()
    assert (partial["used"], partial["partial"]) == (D("2.50941423"), True)
    assert partial["received"] - partial["fee"] == D("4.53749716")
    assert (back["used"], back["partial"]) == (10, False)

    empty: list[list[Tx]] = [[] for _ in range(7)]
    last = judge(engine, FIRST + 4, *empty, [exe("ex", "LOL,WTF", "10")], [exe("ex", "LOL,WTF", "10")])
    assert last.operations["code"].to_pylist() == [None, "SWAP_NO_MATCHING_POSITIONS"]
    named = {label: address(label, MAINNET) for label in ("lp1", "lp2", "ex", "ex2")} | {"pool": POOL}
    held = balances(engine.state())
    assert {label: (held[where, "LOL"], held[where, "WTF"]) for label, where in named.items()} == {
        "lp1": (D("9994.53288422"), D("10010.00000000")),
        "lp2": (D("10112.50941423"), D("9796.18917632")),
        "ex": (D("9887.49058577"), D("10203.81082368")),
        "ex2": (D("10005.46711578"), D("9990.00000000")),
        "pool": (0, 0),
    }
    assert [sum(held[where, ticker] for where in named.values()) for ticker in ("LOL", "WTF")] == [40000, 40000]
    pool, positions = latest(engine.state(), "pools")[0], latest(engine.state(), "positions")
    assert (pool["liquidity_a"], pool["liquidity_b"]) == (D("5.48356648"), D("204.42409597"))
    assert (pool["units_a"], pool["units_b"], pool["fees_a"], pool["fees_b"]) == (0, 0, 0, 0)
    assert [(row["status"], row["closed_height"], row["reward_a"], row["reward_b"]) for row in positions] == [
        ("expired", FIRST + 11, D("0.01645070"), 0),
        ("expired", FIRST + 11, 0, D("0.61327229")),
    ]


def test_shown_amounts_of_a_trade_add_up_and_the_rest_is_rounded_at_the_end(engine_class: Any) -> None:
    """R-CORE-BLK-7, D-23: nothing is won or lost within an operation; residues end in `rounding` events."""
    engine = engine_class(MAINNET)
    judge(engine, FIRST, holdings("lp1", "lp2", "ex"), [init("lp1", "LOL,WTF", "100"), init("lp2", "WTF,LOL", "100")])
    judged = judge(engine, FIRST + 2, [exe("ex", "LOL,WTF", "2"), exe("ex", "WTF,LOL", "2")])
    events = judged.balance_events.to_pylist()
    for _, group in groupby((row for row in events if row["op_index"] is not None), lambda row: row["op_index"]):
        rows = list(group)
        for ticker in ("LOL", "WTF"):
            assert sum(row["delta"] for row in rows if row["ticker"] == ticker) == 0
    rounding = [(row["ticker"], row["address"], row["delta"]) for row in events if row["op_index"] is None]
    assert all(row["cause"] == "rounding" for row in events if row["op_index"] is None)
    sums = {ticker: sum((delta for each, _, delta in rounding if each == ticker), D(0)) for ticker in ("LOL", "WTF")}
    supplies = {row["ticker"]: row["rounding"] for row in engine.state().supplies.to_pylist()}
    assert {ticker: supplies[ticker] for ticker in sums} == sums
    # R-SWAP-STATE-5: each balance is its exact value rounded once, 100 + 2 - 1.99921599… + 0.00599764… (SCENARIO-055)
    assert balances(engine.state())[POOL, "LOL"] == D("100.00678165")


def test_a_trade_that_fails_half_way_leaves_only_its_record(engine_class: Any) -> None:
    """R-SWAP-EXE-9, D-29, D-55: 3 LOL are not enough for Used of 3 and 10^-49, though they pass every check."""
    blocks = [
        [*holdings("lp", "rich"), operation(text("mint", tick="LOL", amt="3"), "minter", "poor")],
        [init("lp", "LOL,WTF", "90"), init("lp", "WTF,LOL", "100")],
    ]
    engine, other = engine_class(MAINNET), engine_class(MAINNET)
    for each in (engine, other):
        judge(each, FIRST, *blocks)
    refused = judge(engine, FIRST + 2, [exe("poor", "LOL,WTF", "3"), exe("rich", "LOL,WTF", "7")])
    row = refused.operations.to_pylist()[0]
    assert [row[name] for name in ("operation", "code", "ticker", "amount", "from_address", "to_address")] == [
        "swap_exe", "UNKNOWN_PROCESSING_ERROR", "LOL", 3, address("poor", MAINNET), None,
    ]  # fmt: skip
    without = judge(other, FIRST + 2, [exe("rich", "LOL,WTF", "7")])
    assert refused.balance_events.drop_columns(["op_index", "tx_index"]) == without.balance_events.drop_columns(
        ["op_index", "tx_index"]
    )
    for table in ("pools", "positions"):
        assert refused.modules[table] == without.modules[table]


def test_neither_batches_nor_restarts_change_what_is_written() -> None:
    """The same blocks at once, one by one, and each by a new engine from the state before it."""
    blocks: list[list[Tx]] = [
        holdings("lp1", "lp2", "ex"),
        [init("lp1", "LOL,WTF", "1000"), init("lp2", "WTF,LOL", "2000"), init("lp2", "WTF,LOL", "0.000000001", "11")],
        [exe("ex", "LOL,WTF", "333.333333333"), exe("ex", "WTF,LOL", "77.7", "1"), init("ex", "LOL,WTF", "5", "12")],
        [exe("ex", "LOL,WTF", "9000"), exe("lp1", "WTF,LOL", "9000")],
        *([] for _ in range(12)),
    ]
    at_once = judge(Engine(MAINNET), FIRST, *blocks)
    engine, state = Engine(MAINNET), Engine(MAINNET).state()
    one_by_one, restarted = [], []
    for height, block in enumerate(blocks, start=FIRST):
        one_by_one.append(judge(engine, height, block))
        anew = Engine(MAINNET, state)
        restarted.append(judge(anew, height, block))
        state = anew.state()
    for parts in (one_by_one, restarted):
        assert pa.concat_tables([part.blocks for part in parts]) == at_once.blocks
        assert pa.concat_tables([part.balance_events for part in parts]) == at_once.balance_events
        for table, rows in at_once.modules.items():
            assert pa.concat_tables([part.modules[table] for part in parts]) == rows
    assert at_once.modules["executions"]["partial"].to_pylist() == [False, True, False, False]
    assert [row["status"] for row in latest(Engine(MAINNET, state).state(), "positions")] == ["expired"] * 4
