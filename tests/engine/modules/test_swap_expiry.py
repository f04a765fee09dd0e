"""Settlement at the unlock height, on a ledger in memory (R-SWAP-EXP-*, R-SWAP-STATE-5)."""

import gc
from decimal import Decimal
from typing import Any

import pytest

from engine.modules.pools import Position
from tests.helpers.market import MemoryMarket

D = Decimal
POOL = "POOL::LOL-WTF"


def market_of(*deposits: tuple[str, str, str, str]) -> MemoryMarket:
    """LOL against WTF with deposits (owner, pair, amount, lock) in the block before; `ex` holds much of both."""
    market = MemoryMarket("LOL", "WTF")
    market.hold("ex", LOL="1000000", WTF="1000000")
    for owner, pair, amount, lock in deposits:
        market.hold(owner, LOL="1000000", WTF="1000000")
        market.init(owner, pair, amount, lock)
    market.end()
    market.ledger.events.clear()
    return market


def line(number: int, ticker: str, amount: str, owner: str) -> str:
    return f"expiry;{number:064x};0;{ticker};{amount};{POOL};{owner}"


def rewards(market: MemoryMarket, number: int) -> tuple[Any, Any]:
    row = market.version("positions", number)
    return row["reward_a"], row["reward_b"]


def test_a_position_is_settled_once_at_the_end_of_its_unlock_height() -> None:
    """R-SWAP-EXP-1, R-SWAP-EXP-4, D-40: still traded against in that block, and not in the next."""
    market = market_of(("lp1", "LOL,WTF", "1000", "10"), ("lp2", "WTF,LOL", "2000", "10"))
    while market.ledger.height < 110:
        assert market.end() == []
    assert market.exe("ex", "LOL,WTF", "100").code is None
    market.ledger.events.clear()
    # out 181.81818181…, fee 0.5454…; lp2: fee per share 0.000272727… x 2000 x 1.001 = 0.546 > what was collected
    assert market.end() == [
        line(1, "LOL", "1000.00000000", "lp1"),
        line(2, "LOL", "100.00000000", "lp2"),
        line(2, "WTF", "1818.72727273", "lp2"),
    ]
    assert market.ledger.events == [
        ("expiry_principal", "LOL", POOL, D(-1000)),
        ("expiry", "LOL", "lp1", D(1000)),
        ("settle", "", "", D(0)),
        ("expiry_accumulated", "LOL", POOL, D(-100)),
        ("expiry", "LOL", "lp2", D(100)),
        ("expiry_principal", "WTF", POOL, D("-1818.18181818")),
        ("expiry_reward", "WTF", POOL, D("-0.54545455")),
        ("expiry", "WTF", "lp2", D("1818.72727273")),
        ("settle", "", "", D(0)),
    ]
    first, second = market.version("positions", 1), market.version("positions", 2)
    assert (first["status"], first["closed_height"], first["units_a"], first["locked"]) == ("expired", 110, 0, 1000)
    assert second["locked"] == D("1818.18181818")
    assert (second["units_b"], second["accumulated_a"], second["reward_b"]) == (0, 100, D("0.54545455"))
    pool = market.version("pools", "LOL-WTF")
    assert [pool[f"{name}_b"] for name in ("liquidity", "units", "fees", "fee_per_share", "reserve")] == [
        D("181.81818182"), 0, 0, D("0.00027273"), 0,
    ]  # fmt: skip
    assert market.exe("ex", "LOL,WTF", "1").code == "SWAP_NO_MATCHING_POSITIONS"
    assert market.end() == []
    assert market.rows == {"pools": [], "positions": [], "executions": [], "fills": []}


def test_a_position_that_sold_out_gets_its_fees_at_its_unlock_height() -> None:
    """R-SWAP-EXP-1: closed positions are settled too; they keep the height at which they closed.

    100 LOL against 10 and 70 WTF, 100 in: out 40, fee 0.12 for 80 units: 0.0015 a unit. Position 2 earned
    0.0015 x 10 x 1.001, less than what was collected.
    """
    market = market_of(("lp1", "LOL,WTF", "100", "20"), ("lp2", "WTF,LOL", "10", "10"), ("lp3", "WTF,LOL", "70", "20"))
    market.exe("ex", "LOL,WTF", "100")
    market.end()
    market.restart()
    assert market.end_until(110) == [line(2, "WTF", "0.01501500", "lp2")]
    row = market.version("positions", 2)
    assert (row["status"], row["closed_height"], row["reward_b"], row["units_b"]) == ("expired", 101, D("0.015015"), 0)
    pool = market.version("pools", "LOL-WTF")
    assert (pool["liquidity_b"], pool["units_b"], pool["fees_b"]) == (80, 70, D("0.104985"))


def test_longer_locks_earn_more_of_the_same_fees() -> None:
    """R-SWAP-EXP-3, D-51: 40 x 0.0015 times 2.5 and times 1.5 are promised, half of that was collected."""
    market = market_of(("lp1", "LOL,WTF", "100", "20000"), ("lp2", "WTF,LOL", "40", "15000"))
    market.ledger.height = 10100
    market.hold("lp3", WTF="40")
    market.init("lp3", "WTF,LOL", "40", "5000")
    market.end()
    market.exe("ex", "LOL,WTF", "100")
    market.end()
    market.ledger.height = 15100
    market.end()
    assert (rewards(market, 2), rewards(market, 3)) == ((0, D("0.075")), (0, D("0.045")))


def test_the_first_pool_settled_uses_unrounded_values_and_later_ones_rounded() -> None:
    """R-SWAP-STATE-5 (b): two pools alike, both traded with in the block that settles them.

    30 units of WTF, 10 of them due; fee per share f = 0.003 x 30 / 11 / 30 = 0.000272727…; 10 x f x 1.001 = 0.00273
    unrounded, and with 0.00027273 it is 0.0027300273.
    """
    market = MemoryMarket("LOL", "WTF", "ZZZ")
    for owner in ("lp", "ex"):
        market.hold(owner, LOL="1000", WTF="1000", ZZZ="1000")
    for pool in ("LOL,WTF", "ZZZ,WTF"):
        source, destination = pool.split(",")
        market.init("lp", f"{destination},{source}", "10", "10")
        market.init("lp", f"{destination},{source}", "20", "99")
        market.init("lp", pool, "100", "99")
    market.end()
    while market.ledger.height < 110:
        market.end()
    market.exe("ex", "LOL,WTF", "10")
    market.exe("ex", "ZZZ,WTF", "10")
    market.end()
    assert market.version("pools", "LOL-WTF")["fee_per_share_b"] == D("0.00027273")
    assert market.version("pools", "WTF-ZZZ")["fee_per_share_a"] == D("0.00027273")
    assert (rewards(market, 1), rewards(market, 4)) == ((0, D("0.00273000")), (D("0.00273003"), 0))


def test_a_claim_rounds_pools_and_positions_within_a_block() -> None:
    """R-SWAP-STATE-5 (a): after it the fee per share has 8 decimals, so that even the first pool's reward has them."""
    market = market_of(("lp1", "WTF,LOL", "10", "10"), ("lp2", "WTF,LOL", "20", "99"), ("lp3", "LOL,WTF", "100", "99"))
    while market.ledger.height < 110:
        market.end()
    market.exe("ex", "LOL,WTF", "10")
    market.module.round()
    market.end()
    assert rewards(market, 1) == (0, D("0.00273003"))


def test_a_trade_after_a_claim_is_unrounded_again() -> None:
    """R-SWAP-STATE-5 (b): what the claim rounded stays so, what comes after it does not.

    The second trade is of the same size: out = (30 - 30 / 11) x 10 / 110, fee per share 0.00024793388…; together with
    0.00027273 that makes 0.00052066388…, and 10 x 1.001 of it 0.0052118455.
    """
    market = market_of(("lp1", "WTF,LOL", "10", "10"), ("lp2", "WTF,LOL", "20", "99"), ("lp3", "LOL,WTF", "100", "99"))
    while market.ledger.height < 110:
        market.end()
    market.exe("ex", "LOL,WTF", "10")
    market.module.round()
    market.exe("ex", "LOL,WTF", "10")
    market.end()
    assert rewards(market, 1) == (0, D("0.00521185"))


def test_the_last_position_of_a_group_gets_what_rounding_left_even_less_than_nothing() -> None:
    """R-SWAP-EXP-3: rewards of 1.5 units of 10^-8 are rounded up twice; position 3, last, is left with -10^-8.

    A fee of 0.01 on 1,000,000 units makes 10^-8 a unit, times 1.5 for a lock of 5000.
    """
    market = market_of(
        ("lp1", "WTF,LOL", "1", "5000"),
        ("lp2", "WTF,LOL", "1", "5000"),
        ("lp3", "LOL,WTF", "700000", "5000"),
        ("lp4", "WTF,LOL", "999998", "6000"),
    )
    market.exe("ex", "LOL,WTF", "2.3333411")
    market.end()
    assert market.version("pools", "LOL-WTF")["fee_per_share_b"] == D("0.00000001")
    market.ledger.height = 5100
    before = market.version("pools", "LOL-WTF")["fees_b"]
    closed, third = market.version("positions", 1), market.version("positions", 3)
    assert closed["status"] == "closed"
    lines = market.end()
    assert [rewards(market, number)[1] for number in (1, 2, 3)] == [D("2E-8"), D("2E-8"), D("-1E-8")]
    assert lines == [
        line(1, "WTF", "0.00000002", "lp1"),
        line(2, "WTF", "0.00000002", "lp2"),
        line(3, "LOL", "700000.00000000", "lp3"),
    ]
    assert before - market.version("pools", "LOL-WTF")["fees_b"] == D("4E-8")
    assert third["accumulated_b"] == 0


def test_a_pool_that_is_short_by_rounding_pays_what_it_has() -> None:
    """D-42 on SCENARIO-055: two trades of 2 in one block leave the pool 10^-8 LOL short.

    LOL in the pool: 100 + 2 - 1.99321834… = 100.00678165 or …166. Owed: principal 98.00078401 and reward 0.00599765
    to lp1, settled first, then 2 to lp2, who gets 1.99999999. WTF suffices: 98.03921569 + 0.00588235 and 2.
    """
    market = market_of(("lp1", "LOL,WTF", "100", "10"), ("lp2", "WTF,LOL", "100", "10"))
    market.exe("ex", "LOL,WTF", "2")
    market.exe("ex", "WTF,LOL", "2")
    market.end()
    assert market.balance(POOL, "LOL") == D("100.00678165")
    assert market.end_until(110) == [
        line(1, "LOL", "98.00678166", "lp1"),
        line(1, "WTF", "2.00000000", "lp1"),
        line(2, "LOL", "1.99999999", "lp2"),
        line(2, "WTF", "98.04509804", "lp2"),
    ]
    assert market.balance(POOL, "LOL") == market.balance(POOL, "WTF") == 0
    assert market.balance("lp1", "LOL") == D("999998.00678166")
    assert market.balance("lp2", "LOL") == D("1000001.99999999")


@pytest.mark.parametrize(
    ("held", "paid"),
    [
        ("200", ("2", "98.03921569", "0.00588235")),
        ("98.04", ("2", "98.03921569", "0.00078431")),
        ("98.03", ("2", "98.03", "0")),
        ("0", ("2", "0", "0")),
    ],
)
def test_accumulated_comes_before_principal_and_principal_before_reward(held: str, paid: tuple[str, ...]) -> None:
    """R-SWAP-EXP-4, D-42: the pool's WTF, less the 2 that lp1 accumulated, is what lp2 can get."""
    market = market_of(("lp1", "LOL,WTF", "100", "10"), ("lp2", "WTF,LOL", "100", "10"))
    market.exe("ex", "LOL,WTF", "2")
    market.exe("ex", "WTF,LOL", "2")
    market.end()
    market.hold(POOL, LOL="1000", WTF=str(D(held) + 2))
    market.ledger.events.clear()
    market.end_until(110)
    events = {(cause, address): -amount for cause, ticker, address, amount in market.ledger.events if ticker == "WTF"}
    accumulated, principal, reward = map(D, paid)
    assert events["expiry_accumulated", POOL] == accumulated
    assert events.get(("expiry_principal", POOL), 0) == principal
    assert events.get(("expiry_reward", POOL), 0) == reward
    assert market.version("positions", 2)["reward_b"] == reward
    # liquidity shrinks by the principal that was paid (R-SWAP-LP-2)
    assert market.version("pools", "LOL-WTF")["liquidity_b"] == 100 - principal


def test_a_pool_without_anything_pays_nothing_and_settles_all_the_same() -> None:
    """D-42: accumulated tokens are cut too; no line and no event for nothing."""
    market = market_of(("lp1", "LOL,WTF", "100", "10"), ("lp2", "WTF,LOL", "100", "10"))
    market.exe("ex", "LOL,WTF", "2")
    market.end()
    market.hold(POOL, LOL="0.5", WTF="0")
    market.end_until(109)
    market.ledger.events.clear()
    assert market.end() == [line(1, "LOL", "0.50000000", "lp1")]
    assert [event[0] for event in market.ledger.events] == ["expiry_principal", "expiry", "settle", "settle"]
    assert [market.version("positions", number)["status"] for number in (1, 2)] == ["expired", "expired"]


def test_a_reward_of_what_is_left_is_stored_rounded() -> None:
    """D-42, R-SWAP-STATE-5 (b): the first pool pays what was accumulated in this block unrounded, 10 / 3 of 10^-7 here,
    so that what is left for the reward has a residue too."""
    market = market_of(("lp1", "LOL,WTF", "100", "10"), ("lp2", "WTF,LOL", "50", "10"), ("lp3", "WTF,LOL", "50", "10"))
    market.end_until(109)
    market.exe("ex", "WTF,LOL", "0.0000001")
    market.exe("ex", "LOL,WTF", "50")
    market.exe("ex", "WTF,LOL", "0.000000033")
    market.hold(POOL, LOL=str(market.balance(POOL, "LOL")), WTF="66.71000001")
    market.end()
    reward = market.version("positions", 3)["reward_b"]
    assert 0 < reward == reward.quantize(D("1E-8"))
    assert market.balance(POOL, "WTF") == 0


def diluted() -> MemoryMarket:
    """A pool in which 0.4 LOL get no units: 99.9 of liquidity are left over and there is one unit of 10^-8."""
    market = market_of(("lp1", "LOL,WTF", "100", "10"), ("lp2", "WTF,LOL", "100", "99"))
    market.exe("ex", "WTF,LOL", "99900")
    market.end_until(110)
    assert market.version("pools", "LOL-WTF")["liquidity_a"] == D("99.90000000")
    market.init("lp1", "LOL,WTF", "0.00000001", "20")
    market.init("lp1", "LOL,WTF", "0.4", "20")
    market.end()
    assert market.version("positions", 4)["units_a"] == 0
    return market


def test_a_position_without_units_gets_its_principal_back() -> None:
    """D-47, R-SWAP-EXP-6: with what it received in trades, and no reward."""
    market = diluted()
    market.exe("ex", "WTF,LOL", "100")
    market.end()
    traded = market.version("positions", 4)
    assert 0 < traded["locked"] < D("0.4")
    lines = market.end_until(131)
    assert [line.split(";")[3:5] for line in lines[-2:]] == [
        ["LOL", str(traded["locked"])],
        ["WTF", str(traded["accumulated_b"])],
    ]
    row = market.version("positions", 4)
    assert (row["status"], row["reward_a"], row["reward_b"]) == ("expired", 0, 0)
    assert market.version("pools", "LOL-WTF")["units_a"] == 0


def test_positions_without_units_leave_the_rest_to_the_last_one_that_has_some() -> None:
    """R-SWAP-EXP-3, D-47: in the predecessor they are not in the group."""
    market = diluted()
    market.exe("ex", "WTF,LOL", "100")
    market.end()
    fees = market.version("pools", "LOL-WTF")["fees_a"]
    market.end_until(131)
    assert rewards(market, 3)[0] > 0
    assert rewards(market, 3)[0] == min(fees, market.version("positions", 3)["reward_a"])
    assert rewards(market, 4) == (0, 0)


def test_y_positions_are_worth_more_with_their_index() -> None:
    """D-43: worth = floor8(locked x index / index at lock): offered, taken from, and paid.

    100 yWTF at index 2, then 3: worth 150. 50 LOL against 100 LOL and 150 yWTF: out 150 - 100 x 150 / 150 = 50, which
    is a third of the worth, so locked becomes 66.66666667. At index 4.5 that is worth 150.0000000075.
    """
    market = MemoryMarket("LOL")
    ray = D(10) ** 27
    market.ledger.curve.values["yWTF"] = 2 * ray
    market.hold("lp1", yWTF="100")
    market.hold("lp2", LOL="100")
    market.hold("ex", LOL="50")
    init = market.init("lp1", "yWTF,LOL", "100")
    assert (init.code, init.ticker, init.tags) == (None, "yWTF", frozenset({43}))
    assert market.init("lp2", "LOL,yWTF", "100", "20").tags == frozenset()
    assert market.ledger.curve.advances == [("yWTF", 100)]
    market.end()
    assert market.version("positions", 1)["index_at_lock"] == f"{2 * ray:f}"
    market.ledger.curve.values["yWTF"] = 3 * ray
    market.restart()
    bought = market.exe("ex", "LOL,yWTF", "50")
    assert (bought.code, bought.tags) == (None, frozenset({43}))
    assert market.balance("ex", "yWTF") == D("49.85")
    market.end()
    assert market.version("positions", 1)["locked"] == D("66.66666667")
    assert market.version("pools", "LOL-yWTF")["reserve_b"] == D("100.00000000")
    market.ledger.curve.values["yWTF"] = D("4.5") * ray
    pool = "POOL::LOL-yWTF"
    market.hold(pool, yWTF="1000", LOL="150")
    market.end_until(109)
    market.ledger.events.clear()
    assert [entry.split(";")[3:5] for entry in market.end()] == [["LOL", "50.00000000"], ["yWTF", "150.15000000"]]
    moved = [event for event in market.ledger.events if event[1] == "yWTF"]
    assert moved == [("expiry", "yWTF", pool, D("-150.15")), ("expiry", "yWTF", "lp1", D("150.15"))]
    # liquidity of 100 less 150 paid
    assert market.version("pools", "LOL-yWTF")["liquidity_b"] == 0


def test_a_y_position_that_gives_all_it_is_worth_is_closed() -> None:
    """D-43: 2, 0.00000002 and 18 are offered, half of it is bought."""
    market = MemoryMarket("LOL")
    ray = D(10) ** 27
    market.ledger.curve.values["yWTF"] = ray
    market.hold("lp1", yWTF="100")
    market.hold("lp2", LOL="100")
    market.hold("ex", LOL="1000")
    market.init("lp1", "yWTF,LOL", "1", "10")
    market.init("lp1", "yWTF,LOL", "0.000000009", "11")
    market.init("lp1", "yWTF,LOL", "9", "20")
    market.init("lp2", "LOL,yWTF", "100", "20")
    market.end()
    market.ledger.curve.values["yWTF"] = 2 * ray
    market.exe("ex", "LOL,yWTF", "100")
    market.end()
    assert [market.version("positions", number)["status"] for number in (1, 2, 3)] == ["closed", "closed", "active"]
    assert [row["taken"] for row in market.rows["fills"]] == [2, D("2E-8"), D("7.99999999")]


def test_a_y_position_whose_residue_is_worth_nothing_matches_and_gives_nothing() -> None:
    """D-43, R-SWAP-EXE-2: half of 10^-8 at an index grown by a half is floored to 0, though something is locked."""
    market = MemoryMarket("LOL")
    market.ledger.curve.values["yWTF"] = D(2)
    market.hold("lp1", yWTF="2")
    market.hold("lp2", LOL="1")
    market.hold("ex", LOL="9")
    market.init("lp1", "yWTF,LOL", "0.00000001")
    market.init("lp2", "LOL,yWTF", "1", "20")
    market.end()
    market.ledger.curve.values["yWTF"] = D(3)
    market.init("lp1", "yWTF,LOL", "1", "20")
    assert market.exe("ex", "LOL,yWTF", "1").code is None
    assert market.exe("ex", "LOL,yWTF", "1").code == "SWAP_INVALID_CALCULATION"
    market.end()
    # rounding made 10^-8 of the half again; a trade that meets a residue goes on to the next position
    for _ in range(2):
        assert market.exe("ex", "LOL,yWTF", "0.000000005").code is None
    market.end()
    assert [(row["position_id"], row["taken"], row["closed"]) for row in market.rows["fills"]] == [
        (1, D("1E-8"), False),
        (3, 0, False),
    ]


def test_reserves_of_y_tickers_beyond_what_a_column_holds_are_cut() -> None:
    """R-CORE-CONST-8: an index knows no bound; trades that would take so much are refused."""
    market = MemoryMarket("LOL")
    market.ledger.curve.values["yWTF"] = D(10) ** 27
    market.hold("lp1", yWTF="100")
    market.hold("lp2", LOL="100")
    market.hold("ex", LOL="1000")
    market.init("lp1", "yWTF,LOL", "100")
    market.init("lp2", "LOL,yWTF", "100")
    market.end()
    market.ledger.curve.values["yWTF"] = D(10) ** 57
    market.hold("POOL::LOL-yWTF", yWTF="1e40", LOL="100")
    assert market.exe("ex", "LOL,yWTF", "100").code == "UNKNOWN_PROCESSING_ERROR"
    market.hold("lp2", LOL="1")
    market.init("lp2", "LOL,yWTF", "1")
    market.end()
    assert market.version("pools", "LOL-yWTF")["reserve_b"] == D("999999999999999999999999999999.99999999")


def test_settled_positions_leave_the_memory() -> None:
    market = MemoryMarket("LOL", "WTF")
    market.hold("lp", LOL="1000")
    for _ in range(50):
        market.init("lp", "LOL,WTF", "1")
        market.end()
    gc.collect()
    alive = [thing for thing in gc.get_objects() if isinstance(thing, Position) and thing.owner.address == "lp"]
    assert len(alive) == 10
