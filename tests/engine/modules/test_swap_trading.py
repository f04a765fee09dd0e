"""Deposits and trades on a ledger in memory: effects, their order, and what a refusal leaves behind."""

from decimal import Decimal

import pytest

from engine.modules.registry import Outcome
from ingest.networks import REGTEST
from tests.helpers.market import MemoryMarket, account

D = Decimal
POOL = "POOL::LOL-WTF"


def opened(**holdings: str) -> MemoryMarket:
    """1000 LOL against 2000 WTF, from the block before; `ex` holds what is said."""
    market = MemoryMarket("LOL", "WTF")
    market.hold("lp1", LOL="10000", WTF="10000")
    market.hold("lp2", LOL="10000", WTF="10000")
    market.hold("ex", **(holdings or {"LOL": "1000", "WTF": "1000"}))
    market.init("lp1", "LOL,WTF", "1000")
    market.init("lp2", "WTF,LOL", "2000")
    market.end()
    market.ledger.events.clear()
    return market


def said(outcome: Outcome) -> tuple[object, ...]:
    return outcome.code, outcome.operation, outcome.ticker, outcome.amount


def test_a_deposit_locks_what_the_owner_has() -> None:
    """R-SWAP-INIT-2, R-SWAP-LP-5; no output and no recipient are needed."""
    market = MemoryMarket("LOL", "WTF")
    market.hold("lp1", LOL="1000")
    outcome = market.init("lp1", "lol,wtf", "1000", "15001")
    assert outcome == Outcome(None, "swap_init", "LOL", D(1000), account("lp1"))
    assert market.ledger.events == [("swap_init", "LOL", "lp1", D(-1000)), ("swap_init", "LOL", POOL, D(1000))]
    assert market.end() == []
    assert market.version("pools", "LOL-WTF") == {
        "height": 100,
        "pool": "LOL-WTF",
        "token_a": "LOL",
        "token_b": "WTF",
        "liquidity_a": 1000,
        "liquidity_b": 0,
        "units_a": 1000,
        "units_b": 0,
        "fees_a": 0,
        "fees_b": 0,
        "fee_per_share_a": 0,
        "fee_per_share_b": 0,
        "reserve_a": 1000,
        "reserve_b": 0,
    }
    assert market.version("positions", 1) == {
        "height": 100,
        "position_id": 1,
        "txid": f"{1:064x}",
        "vout": 0,
        "owner_address": "lp1",
        "owner_script": b"lp1",
        "pool": "LOL-WTF",
        "source": "LOL",
        "destination": "WTF",
        "amount": 1000,
        "locked": 1000,
        "lock_blocks": 15001,
        "start_height": 100,
        "unlock_height": 15101,
        "status": "active",
        "closed_height": None,
        "units_a": 1000,
        "units_b": 0,
        "entry_a": 0,
        "entry_b": 0,
        "multiplier": D("2.5"),
        "reward_a": 0,
        "reward_b": 0,
        "accumulated_a": 0,
        "accumulated_b": 0,
        "index_at_lock": None,
    }


def test_deposits_are_refused_in_the_stated_order() -> None:
    """R-SWAP-INIT-1 rows 9 to 13, D-49 last."""
    market = MemoryMarket("LOL")
    market.hold("lp1", LOL="5")
    assert said(market.swap(None, init="x,x", amt="9", lock="10")) == ("NO_VALID_RECEIVER", "swap_init", "X", 9)
    assert said(market.init("lp1", "X,Z", "9")) == ("TICKER_NOT_DEPLOYED", "swap_init", "X", 9)
    assert said(market.init("lp1", "LOL,Z", "9")) == ("TICKER_NOT_DEPLOYED", "swap_init", "LOL", 9)
    assert said(market.init("lp1", "LOL,YLOL", "9")) == ("TICKER_NOT_DEPLOYED", "swap_init", "LOL", 9)
    assert said(market.init("lp1", "LOL,LOL", "9")) == ("SWAP_INSUFFICIENT_BALANCE", "swap_init", "LOL", 9)
    refused = market.init("lp1", "LOL,lol", "1")
    assert said(refused) == ("INVALID_OPERATION", "swap_init", "LOL", 1)
    assert refused.tags == {49}
    assert market.end() == []
    assert market.rows == {"pools": [], "positions": [], "executions": [], "fills": []}


def test_a_swap_without_init_and_exe_lacks_fields_and_init_comes_first() -> None:
    """R-SWAP-ROUTE-1."""
    market = opened()
    assert said(market.swap("ex", amt="1", lock="10")) == ("SWAP_MISSING_FIELDS", "swap", None, None)
    assert said(market.swap("ex", init=None, exe=None)) == ("SWAP_MISSING_FIELDS", "swap", None, None)
    both = market.swap("ex", init="LOL,WTF", exe="LOL,WTF", amt="1", lock="10", slip="1")
    assert said(both) == (None, "swap_init", "LOL", 1)
    assert said(market.swap("ex", init="", exe="LOL,WTF", amt="1", slip="1"))[:2] == (
        "SWAP_MISSING_FIELDS",
        "swap_init",
    )
    assert said(market.swap("ex", init=None, exe="LOL,WTF", amt="1", slip="1"))[:2] == (None, "swap_exe")


def test_a_deposit_of_a_token_of_this_block_takes_effect() -> None:
    """D-28."""
    market = MemoryMarket("LOL", "WTF")
    market.ledger.tokens["NEW"] = market.ledger.height
    market.hold("lp1", NEW="500", LOL="500")
    assert market.init("lp1", "NEW,LOL", "100").tags == {28}
    assert market.init("lp1", "LOL,NEW", "100").tags == frozenset()
    assert market.balance("lp1", "NEW") == 400
    assert market.balance("POOL::LOL-NEW", "NEW") == 100


def test_another_pair_cannot_have_the_id_of_a_pool() -> None:
    """R-SWAP-POOL-1: `A-B` with `C` and `A` with `B-C` would share one id, one account and mixed sides."""
    market = MemoryMarket("A", "B-C", "A-B", "C")
    market.hold("lp1", A="9", C="9")
    assert market.init("lp1", "C,A-B", "9").code is None
    assert market.init("lp1", "A,B-C", "10").code == "SWAP_INSUFFICIENT_BALANCE"
    refused = market.init("lp1", "A,B-C", "9")
    assert (refused.code, refused.tags) == ("INVALID_OPERATION", frozenset({49}))
    market.end()
    assert said(market.exe("lp1", "A,B-C", "1")) == ("SWAP_NO_MATCHING_POSITIONS", "swap_exe", "A", 1)


def test_trades_are_refused_in_the_stated_order() -> None:
    """R-SWAP-EXE-1 rows 7 to 11."""
    market = opened()
    assert said(market.swap(None, exe="x,z", amt="9", slip="1")) == ("NO_VALID_RECEIVER", "swap_exe", "X", 9)
    assert said(market.exe("ex", "X,Z", "9")) == ("TICKER_NOT_DEPLOYED", "swap_exe", "X", 9)
    assert said(market.exe("ex", "LOL,Z", "9999")) == ("TICKER_NOT_DEPLOYED", "swap_exe", "LOL", 9999)
    assert said(market.exe("ex", "LOL,LOL", "9999")) == ("SWAP_INSUFFICIENT_BALANCE", "swap_exe", "LOL", 9999)
    assert said(market.exe("ex", "LOL,LOL", "9")) == ("SWAP_NO_MATCHING_POSITIONS", "swap_exe", "LOL", 9)
    assert said(market.exe("ex", "LOL,WTF", "9", "0")) == ("SWAP_INVALID_CALCULATION", "swap_exe", "LOL", 9)
    assert said(market.swap("ex", exe="LOL,WTF", amt="1e30", slip="1")) == (
        "SWAP_INVALID_AMOUNT", "swap_exe", None, None,
    )  # fmt: skip
    market.end()
    assert market.rows == {"pools": [], "positions": [], "executions": [], "fills": []}


def test_trades_wait_for_their_activation() -> None:
    """R-SWAP-EXE-1 row 1, before anything is read."""
    late = type(REGTEST)(**{name: getattr(REGTEST, name) for name in REGTEST.__slots__} | {"swap_exe_height": 101})
    market = MemoryMarket("LOL", "WTF", network=late)
    market.hold("lp1", LOL="100", WTF="100")
    market.init("lp1", "LOL,WTF", "50")
    assert said(market.swap("lp1", exe=5)) == ("SWAP_NOT_ACTIVATED", "swap_exe", None, None)
    market.end()
    assert said(market.swap("lp1", exe=5)) == ("UNKNOWN_PROCESSING_ERROR", "swap", None, None)


def test_a_position_is_traded_against_from_the_next_block_on() -> None:
    """R-SWAP-POS-4, D-50: on either side of a trade; its units count at once."""
    market = opened()
    market.hold("lp1", LOL="50", WTF="50")
    market.init("lp1", "LOL,WTF", "50", "11")
    market.init("lp1", "WTF,LOL", "50", "11")
    market.exe("ex", "LOL,WTF", "100")
    market.end()
    executed = market.rows["executions"][0]
    assert executed["received"] == D("181.81818182")
    assert market.version("pools", "LOL-WTF")["units_b"] == 2050
    assert market.version("pools", "LOL-WTF")["fee_per_share_b"] == D("0.00026608")  # 0.545454…/2050
    market.exe("ex", "LOL,WTF", "100")
    market.end()
    # 1050 LOL against 2050 less what was bought: 1868.18181818 x 100 / 1150
    assert market.rows["executions"][0]["received"] == D("162.45059289")


def test_what_a_trade_moves_and_in_which_order() -> None:
    """R-SWAP-EXE-6, R-SWAP-EXE-8: positions by unlock height, then by id; one that sells out is paid.

    In: 100 LOL, reserves 100 LOL and 30 + 40 + 10 WTF. Out: 80 - 100 x 80 / 200 = 40, the fee 0.12, the rate 0.4.
    Position 2 unlocks first and gives its 30 for 75; position 3, as early as 4 but older, gives 10 for 25.
    """
    market = MemoryMarket("LOL", "WTF")
    market.hold("lp", LOL="100", WTF="80")
    market.hold("ex", LOL="100")
    for pair, amount, lock in (
        ("LOL,WTF", "100", "30"), ("WTF,LOL", "30", "10"), ("WTF,LOL", "40", "20"), ("WTF,LOL", "10", "20"),
    ):  # fmt: skip
        market.init("lp", pair, amount, lock)
    market.end()
    market.ledger.events.clear()
    outcome = market.exe("ex", "LOL,WTF", "100")
    assert outcome == Outcome(None, "swap_exe", "LOL", D(100), account("ex"))
    assert market.ledger.events == [
        ("swap_in", "LOL", "ex", D(-100)),
        ("swap_out", "WTF", POOL, D(-40)),
        ("swap_out", "WTF", "ex", D(40)),
        ("swap_fee", "WTF", "ex", D("-0.12")),
        ("swap_fee", "WTF", POOL, D("0.12")),
        ("swap_in", "LOL", POOL, D(75)),
        ("swap_in", "LOL", POOL, D(25)),
        ("swap_return", "LOL", POOL, D(-75)),
        ("swap_return", "LOL", "lp", D(75)),
    ]
    market.end()
    second, third = market.version("positions", 2), market.version("positions", 3)
    assert [second[name] for name in ("status", "closed_height", "locked", "accumulated_a")] == ["closed", 101, 0, 0]
    assert [third[name] for name in ("status", "closed_height", "locked", "accumulated_a")] == ["active", None, 30, 25]
    assert {row["position_id"] for row in market.rows["positions"]} == {2, 3}
    pool = market.version("pools", "LOL-WTF")
    assert [pool[f"{name}_b"] for name in ("liquidity", "units", "fees", "fee_per_share", "reserve")] == [
        80, 80, D("0.12"), D("0.0015"), 40,
    ]  # fmt: skip
    assert list(market.rows["executions"]) == [
        {
            "op_index": 5,
            "txid": f"{5:064x}",
            "vout": 0,
            "executor_address": "ex",
            "executor_script": b"ex",
            "pool": "LOL-WTF",
            "source": "LOL",
            "destination": "WTF",
            "requested": 100,
            "slippage": "100",
            "used": 100,
            "received": 40,
            "fee": D("0.12"),
            "fills": 2,
            "partial": False,
        }
    ]
    assert list(market.rows["fills"]) == [
        {"op_index": 5, "fill": 0, "position_id": 2, "taken": 30, "given": 75, "closed": True},
        {"op_index": 5, "fill": 1, "position_id": 3, "taken": 10, "given": 25, "closed": False},
    ]


def test_a_partial_fill_takes_only_what_the_slippage_allows() -> None:
    """R-SWAP-CALC-2, R-SWAP-EXE-8 (SWAPCALC-006): 1000 x (sqrt(1 / 0.99) - 1) = 5.03781526, nothing is refunded."""
    market = opened()
    outcome = market.exe("ex", "LOL,WTF", "1000", "1.0")
    assert outcome.code is None
    assert outcome.amount == market.ledger.events[0][3].copy_negate()
    market.end()
    executed = market.rows["executions"][0]
    assert (executed["requested"], executed["used"], executed["partial"]) == (1000, D("5.03781526"), True)
    assert executed["slippage"] == "1.0"
    assert market.balance("ex", "LOL") == D("994.96218474")
    assert market.balance("ex", "WTF") == D("1009.99505041")


def test_trades_of_a_block_see_what_earlier_ones_changed_unrounded() -> None:
    """R-SWAP-EXE-3, R-SWAP-STATE-5, D-41: every trade meets 1000 LOL again.

    2000 x 1000 / 1100 x 1000 / 1100 = 1652.8925619834… are left for the third; it gives 71 / 1071 of that, which is
    109.57551065. Of 1652.89256198, rounded, it would be 109.57551064.
    """
    market = opened()
    for amount in ("100", "100", "71"):
        market.exe("ex", "LOL,WTF", amount)
    market.end()
    received = [row["received"] for row in market.rows["executions"]]
    assert received == [D("181.81818182"), D("165.28925620"), D("109.57551065")]
    assert market.version("positions", 2)["locked"] == D("1543.31705134")


def test_a_used_amount_above_the_balance_by_its_last_digit_is_refused() -> None:
    """R-SWAP-EXE-6, R-SWAP-EXE-9, D-55: 90 against 100, 3 in: dividing by the rate gives back 3 and 10^-49."""
    market = MemoryMarket("LOL", "WTF")
    market.hold("lp", LOL="90", WTF="100")
    market.hold("poor", LOL="3")
    market.hold("rich", LOL="4")
    market.init("lp", "LOL,WTF", "90")
    market.init("lp", "WTF,LOL", "100")
    market.end()
    assert said(market.exe("poor", "LOL,WTF", "3")) == ("UNKNOWN_PROCESSING_ERROR", "swap_exe", "LOL", 3)
    outcome = market.exe("rich", "LOL,WTF", "3")
    assert (outcome.code, outcome.amount) == (None, D("3." + 48 * "0" + "1"))


@pytest.mark.parametrize("short", ["LOL", "WTF"])
def test_a_trade_that_the_pool_cannot_cover_leaves_no_trace(short: str) -> None:
    """R-SWAP-EXE-9, D-29: neither effects nor changes of positions and pool stay.

    The pool lacks the WTF that the trade takes out, or the LOL that position 2, which sells out, had accumulated.
    """
    market, twin = (MemoryMarket("LOL", "WTF") for _ in range(2))
    for each in (market, twin):
        each.hold("lp", LOL="100", WTF="80")
        each.hold("ex", LOL="1000")
        for pair, amount in (("LOL,WTF", "100"), ("WTF,LOL", "30"), ("WTF,LOL", "50")):
            each.init("lp", pair, amount)
        each.end()
        each.exe("ex", "LOL,WTF", "30")
        each.end()
    missing = market.balance(POOL, short)
    market.hold(POOL, **{short: "0"})
    assert said(market.exe("ex", "LOL,WTF", "25")) == ("UNKNOWN_PROCESSING_ERROR", "swap_exe", "LOL", 25)
    market.hold(POOL, **{short: str(missing)})
    for each in (market, twin):
        assert each.exe("ex", "LOL,WTF", "25").code is None
        each.end()
    assert market.versions == twin.versions
    assert (
        [row["closed"] for row in market.rows["fills"]]
        == [row["closed"] for row in twin.rows["fills"]]
        == [True, False]
    )


@pytest.mark.parametrize(
    ("column", "code"),
    [("fees_b", "UNKNOWN_PROCESSING_ERROR"), ("fee_per_share_b", "UNKNOWN_PROCESSING_ERROR"), ("liquidity_b", None)],
)
def test_a_trade_whose_totals_cannot_be_stored_is_refused(column: str, code: str | None) -> None:
    """R-CORE-CONST-8, R-SWAP-EXE-9: a block is never lost (D-3)."""
    market = opened()
    market.restart(**{"LOL-WTF": {column: "999999999999999999999999999999.99999999"}})
    outcome = market.exe("ex", "LOL,WTF", "100")
    assert (outcome.code, outcome.tags) == (code, frozenset({3} if code else ()))
    market.end()


@pytest.mark.parametrize("column", ["liquidity_a", "units_a"])
def test_a_deposit_whose_totals_cannot_be_stored_is_refused(column: str) -> None:
    """R-CORE-CONST-8: deposits that are traded away and paid back leave their liquidity behind (D-47)."""
    market = opened()
    market.restart(**{"LOL-WTF": {column: "999999999999999999999999999999.99999999", "liquidity_b": "1"}})
    refused = market.init("ex", "LOL,WTF", "1")
    assert said(refused) == ("UNKNOWN_PROCESSING_ERROR", "swap_init", "LOL", 1)
    assert refused.tags == {3}
    assert market.init("ex", "WTF,LOL", "1").code is None
    market.end()


def test_what_rounding_leaves_as_it_was_gets_no_version() -> None:
    """R-SWAP-STATE-5: a trade of 10^-12 is an execution with a fill, and changes nothing that is stored."""
    market = opened()
    market.restart()
    assert market.exe("ex", "LOL,WTF", "1e-12").code is None
    market.end()
    assert {name: len(rows) for name, rows in market.rows.items()} == {
        "pools": 0, "positions": 0, "executions": 1, "fills": 1,
    }  # fmt: skip


def test_going_on_from_versions_is_going_on() -> None:
    """A new module that knows the latest versions only does what the old one would have done."""
    market, twin = opened(), opened()
    for each in (market, twin):
        each.exe("ex", "LOL,WTF", "7.7")
        each.end()
        if each is market:
            each.restart()
        each.init("ex", "WTF,LOL", "3")
        each.exe("ex", "WTF,LOL", "9.9", "1")
        assert each.end_until(112)
    assert market.versions == twin.versions
    assert market.ledger.balances == twin.ledger.balances
    assert market.version("positions", 3)["status"] == "expired"
