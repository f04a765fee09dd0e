"""Swaps across blocks, by whichever path judges: what trades leave behind, to the last digit."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

import pytest

from ingest.networks import MAINNET
from tests.helpers.audit import assert_same
from tests.helpers.builders import address, candidates, headers
from tests.helpers.scenarios import deploy_text, mint_text, operation_text, transactions
from tests.helpers.stories import UNIT, Story, codes, events, exe, init, swap

FIFTY = Context(prec=50, rounding=ROUND_HALF_EVEN)
POOL = "POOL::LOL-WTF"


def rounded(number: Decimal) -> Decimal:
    return number.quantize(UNIT, ROUND_HALF_UP)


def transfer(sender: str, ticker: str, amount: str) -> str:
    return operation_text(sender, {"p": "brc-20", "op": "transfer", "tick": ticker, "amt": amount}, "other")


def opened(engine_class: Any, lol: str = "1000", wtf: str = "2000") -> Story:
    """lp1 offers LOL and lp2 offers WTF from block 930001 on, for ten blocks."""
    story = Story(engine_class)
    story.block(init("lp1", "lol,wtf", lol), init("lp2", "wtf,lol", wtf))
    return story


def test_the_worked_example(engine_class: Any) -> None:
    """Section 9 of the swap rules, with what is left when both positions are settled."""
    story = opened(engine_class)
    story.block(exe("ex", "LOL,WTF", "100"))
    assert story.balance("ex", "WTF") == Decimal("10181.27272727")
    assert story.balance("ex", "LOL") == 9900
    assert (story.position(2)["locked"], story.position(2)["accumulated_a"]) == (Decimal("1818.18181818"), 100)
    assert story.pool()["fee_per_share_b"] == Decimal("0.00027273")
    assert story.pool()["fees_b"] == Decimal("0.54545455")

    judged = story.block(exe("ex", "LOL,WTF", "100", "0.5"), exe("ex2", "WTF,LOL", "10", "50"))
    first, second = judged.modules["executions"].to_pylist()
    assert (first["used"], first["partial"], first["slippage"]) == (Decimal("2.50941423"), True, "0.5")
    assert first["received"] - first["fee"] == Decimal("4.53749716")
    assert (second["used"], second["partial"]) == (10, False)
    assert judged.operations["amount"].to_pylist() == [Decimal("2.50941423"), 10]

    story.until(930_010)
    judged = story.block(exe("ex", "LOL,WTF", "10"))
    assert codes(judged) == [None], "a position can be traded in the very block in which it is settled (D-40)"
    assert [story.position(number)["status"] for number in (1, 2)] == ["expired", "expired"]
    pool = story.pool()
    assert (pool["liquidity_a"], pool["liquidity_b"]) == (Decimal("5.48356648"), Decimal("204.42409597"))
    assert pool["units_a"] == pool["units_b"] == pool["reserve_a"] == pool["reserve_b"] == 0
    for ticker in ("LOL", "WTF"):
        assert story.balance(POOL, ticker) == 0
        assert sum(story.balance(holder, ticker) for holder in ("lp1", "lp2", "ex", "ex2")) == 40_000
    assert codes(story.block(exe("ex", "LOL,WTF", "10"))) == ["SWAP_NO_MATCHING_POSITIONS"]


def test_events_of_a_trade_come_in_the_order_of_its_effects(engine_class: Any) -> None:
    """R-SWAP-EXE-8. Two positions give, of which the first sells out and gets at once what it received."""
    story = Story(engine_class)
    story.block(
        init("lp1", "LOL,WTF", "1000", "20"), init("lp1", "WTF,LOL", "100"), init("lp2", "WTF,LOL", "1900", "20")
    )
    judged = story.block(exe("ex", "LOL,WTF", "100"))
    out = Decimal(2000) - Decimal(2_000_000) / Decimal(1100)
    fee = rounded(out * Decimal("0.003"))
    given = rounded(100 / (out / 100))
    ex, lp1 = address("ex", MAINNET), address("lp1", MAINNET)
    assert events(judged)[:9] == [
        ("swap_in", "LOL", ex, Decimal(-100)),
        ("swap_out", "WTF", POOL, -rounded(out)),
        ("swap_out", "WTF", ex, rounded(out)),
        ("swap_fee", "WTF", ex, -fee),
        ("swap_fee", "WTF", POOL, fee),
        ("swap_in", "LOL", POOL, given),
        ("swap_in", "LOL", POOL, 100 - given),
        ("swap_return", "LOL", POOL, -given),
        ("swap_return", "LOL", lp1, given),
    ]
    assert {cause for cause, *_ in events(judged)[9:]} <= {"rounding"}
    closed, other = story.position(2), story.position(3)
    assert (closed["status"], closed["closed_height"], closed["locked"], closed["accumulated_a"]) == (
        "closed",
        930_002,
        0,
        0,
    )
    assert (other["status"], other["accumulated_a"]) == ("active", 100 - given)
    fills = judged.modules["fills"].to_pylist()
    assert [(fill["position_id"], fill["taken"], fill["closed"]) for fill in fills] == [
        (2, Decimal(100), True),
        (3, rounded(out) - 100, False),
    ]

    story.until(930_011)
    assert story.position(2)["status"] == "expired", "for its fees (R-SWAP-EXP-1)"
    assert story.position(2)["closed_height"] == 930_002
    assert story.position(2)["reward_b"] > 0


def test_positions_give_by_unlock_height_and_then_by_number(engine_class: Any) -> None:
    """R-SWAP-EXE-2."""
    story = Story(engine_class)
    story.block(
        init("lp1", "LOL,WTF", "1000"),
        init("lp2", "WTF,LOL", "1", "12"),
        init("lp1", "WTF,LOL", "1", "11"),
        init("lp2", "WTF,LOL", "1", "11"),
        init("lp2", "WTF,LOL", "9000", "30"),
    )
    judged = story.block(exe("ex", "LOL,WTF", "10"))
    assert judged.modules["fills"]["position_id"].to_pylist() == [3, 4, 2, 5]


def test_a_position_is_traded_from_the_next_block_on_and_counts_at_once(engine_class: Any) -> None:
    """R-SWAP-POS-4, D-50: neither gives nor adds to a reserve, but shares the fees."""
    story = opened(engine_class)
    judged = story.block(init("lp1", "WTF,LOL", "2000"), init("lp1", "LOL,WTF", "500"), exe("ex", "LOL,WTF", "100"))
    assert judged.modules["executions"]["received"].to_pylist() == [Decimal("181.81818182")]
    assert judged.modules["fills"]["position_id"].to_pylist() == [2]
    fee = Decimal("0.545454545454545454545454545454")
    assert story.pool()["fee_per_share_b"] == rounded(fee / 4000)
    assert story.pool()["liquidity_b"] == 4000


def test_what_executors_paid_is_no_reserve(engine_class: Any) -> None:
    """R-SWAP-EXE-3, D-41: the same trade again buys at a worse price than the constant product would give."""
    story = opened(engine_class)
    story.block(exe("ex", "LOL,WTF", "100"))
    judged = story.block(exe("ex2", "LOL,WTF", "100"))
    left = Decimal("1818.18181818")
    assert judged.modules["executions"]["received"].to_pylist() == [rounded(left - 1000 * left / 1100)]


def test_plain_operations_see_and_leave_exact_balances(engine_class: Any) -> None:
    """R-CORE-BLK-7, D-23: 181.27272727…27 arrived, of which the eighth decimal rounds down."""
    story = opened(engine_class)
    judged = story.block(
        exe("ex", "LOL,WTF", "100"),
        transfer("ex", "WTF", "10181.27272728"),
        transfer("ex", "WTF", "10181.27272727"),
        transfer("ex", "WTF", "0.00000001"),
    )
    assert codes(judged) == [None, "INSUFFICIENT_BALANCE", None, "INSUFFICIENT_BALANCE"]
    assert story.balance("ex", "WTF") == 0
    assert story.balance("other", "WTF") == Decimal("10181.27272727")


def test_rounding_is_an_event_of_its_own_at_the_end_of_the_block(engine_class: Any) -> None:
    """R-CORE-BLK-7, D-23: half away from zero for each account, sorted by ticker and address, and counted."""
    story = opened(engine_class)
    judged = story.block(init("ex", "LOL,WTF", "0.000000005"), init("ex2", "WTF,LOL", "0.000000014"))
    pool = [row for row in judged.balance_events.to_pylist() if row["cause"] == "rounding"]
    assert [(row["ticker"], row["address"], row["delta"]) for row in pool] == [
        ("LOL", address("ex", MAINNET), UNIT),
    ], "5·10^-9 left ex, whose half of a unit rounds up again, and arrived as a whole unit"
    assert all(row["op_index"] is row["tx_index"] is None for row in pool)
    assert story.balance("ex", "LOL") == 10_000
    assert story.balance(POOL, "LOL") == 1000 + UNIT
    assert story.balance("ex2", "WTF") == 10_000 - UNIT
    supplies = {row["ticker"]: row["rounding"] for row in judged.supplies.to_pylist()}
    assert supplies == {"LOL": UNIT}
    assert [row["locked"] for row in (story.position(3), story.position(4))] == [UNIT, UNIT]


def test_a_trade_that_its_executor_cannot_pay_to_the_last_digit_has_no_effect(engine_class: Any) -> None:
    """R-SWAP-EXE-9, D-29, D-55: the division of a fill asks for 10^-49 more than the 3 that ex holds."""
    story = opened(engine_class)
    before = story.engine.state()
    judged = story.block(transfer("ex", "LOL", "9997"), exe("ex", "LOL,WTF", "3"))
    record = judged.operations.to_pylist()[1]
    assert (record["code"], record["operation"]) == ("UNKNOWN_PROCESSING_ERROR", "swap_exe")
    assert (record["ticker"], record["amount"]) == ("LOL", 3)
    assert [cause for cause, *_ in events(judged)] == ["transfer_debit", "transfer_credit"]
    for table in ("pools", "positions", "executions", "fills"):
        assert judged.modules[table].num_rows == 0
    assert story.engine.state().modules["pools"].equals(before.modules["pools"])
    assert codes(story.block(exe("ex", "LOL,WTF", "2"))) == [None]


def test_a_source_deployed_in_the_same_block_can_be_locked(engine_class: Any) -> None:
    """R-SWAP-INIT-3, D-28."""
    story = Story(engine_class)
    judged = story.block(deploy_text("NEW", "100", "100"), mint_text("NEW", "100", "lp1"), init("lp1", "new,lol", "40"))
    record = judged.operations.to_pylist()[2]
    assert (record["valid"], record["divergence"]) == (True, "D-28")
    assert story.balance("lp1", "NEW") == 60
    assert story.balance("POOL::LOL-NEW", "NEW") == 40


@pytest.mark.parametrize("amount", ["10000.00000001", "10000.000000000000000000000000000000000000000000001"])
def test_all_that_is_requested_must_be_there(engine_class: Any, amount: str) -> None:
    """R-SWAP-INIT-1 row 13, R-SWAP-EXE-1 row 9: compared unrounded (R-SWAP-NUM-2), and however little is used."""
    story = opened(engine_class)
    judged = story.block(init("ex", "LOL,WTF", amount), exe("ex", "LOL,WTF", amount, "0.01"))
    assert codes(judged) == ["SWAP_INSUFFICIENT_BALANCE"] * 2


def without_units(engine_class: Any) -> Story:
    """A pool of which lp1's 100 WTF are all that is left, without any LP unit (R-SWAP-LP-2)."""
    story = opened(engine_class)
    story.block(exe("ex", "LOL,WTF", "500"))
    story.until(930_011)
    assert story.pool()["liquidity_b"] > 600, "a residue (R-SWAP-LP-2)"
    story.block(
        init("lp1", "WTF,LOL", "0.00000001"), init("lp1", "WTF,LOL", "100", "20"), init("lp1", "LOL,WTF", "100", "20")
    )
    story.until(930_022)
    assert (story.pool()["units_b"], story.position(4)["status"]) == (0, "active")
    return story


def test_an_amount_that_cannot_be_stored_is_refused_and_the_block_kept(engine_class: Any) -> None:
    """D-3: units below any grid would make the fee per share reach 10^30."""
    story = without_units(engine_class)
    judged = story.block(init("ex", "WTF,LOL", "1e-40"), exe("ex", "LOL,WTF", "10"), transfer("ex", "LOL", "1"))
    assert [(row["code"], row["divergence"]) for row in judged.operations.to_pylist()] == [
        (None, None),
        ("UNKNOWN_PROCESSING_ERROR", "D-3"),
        (None, None),
    ]
    assert judged.modules["fills"].num_rows == 0


@pytest.mark.parametrize("slip", ["1e-999999999", "1e-3000"])
def test_no_exponent_is_written_out(engine_class: Any, slip: str) -> None:
    """The text of a slippage stays short where an exponent would ask for more digits than a payload holds."""
    story = opened(engine_class, "1", "1")
    judged = story.block(exe("ex", "LOL,WTF", "1e-49", slip))
    assert codes(judged) == [None]
    assert judged.modules["executions"]["slippage"].to_pylist() == [str(Decimal(slip))]


PROGRAM = {"type": "linear", "lock": "100", "stakes": ["LOL"]}
PROGRAM_TEXT = deploy_text("CRV", "1000", curve=PROGRAM).replace("deployer:546", "deployer:0 | deployer:0")
STAKE = swap("ex2", init="LOL,CRV", amt="100", wrap=True).replace("ex2:546", "deployer:0")
CLAIM = swap("ex2", exe="yLOL,CRV", amt="1")


def test_a_claim_rounds_pools_and_positions_in_the_middle_of_a_block(engine_class: Any) -> None:
    """R-SWAP-STATE-5 (a): two trades of 24 leave another fee per share if a valid claim comes between them."""
    with localcontext(FIFTY):
        reserve, shares = Decimal(10_000), []
        for _ in range(2):
            out = reserve - 1000 * reserve / 1024
            reserve -= out
            shares.append(out * Decimal("0.003") / 10_000)
        whole, parts = rounded(sum(shares, Decimal(0))), rounded(rounded(shares[0]) + shares[1])
    assert whole != parts
    for between, expected in (((), whole), ((CLAIM,), parts), ((CLAIM.replace("yLOL", "yWTF"),), whole)):
        story = Story(engine_class)
        story.block(PROGRAM_TEXT, init("lp1", "LOL,WTF", "1000", "50"), init("lp2", "WTF,LOL", "10000", "50"))
        story.block(STAKE)
        trade = exe("ex", "LOL,WTF", "24")
        judged = story.block(trade, *between, trade)
        assert codes(judged)[-1] is None
        assert story.pool()["fee_per_share_b"] == expected


def test_a_market_goes_on_from_its_state(engine_class: Any) -> None:
    """R-SWAP-STATE-5: nothing but what is stored matters to later blocks."""
    story = opened(engine_class)
    story.block(exe("ex", "LOL,WTF", "100"), init("ex2", "WTF,LOL", "0.123456789", "12"))
    again = engine_class(MAINNET)
    again.restore(story.engine.state())
    rest = {930_003: [exe("ex", "LOL,WTF", "7"), exe("ex2", "WTF,LOL", "3", "1")]}
    blocks = transactions(rest | {height: [] for height in range(930_004, 930_015)})
    first, second = (engine.judge(headers(blocks), candidates(blocks)) for engine in (story.engine, again))
    assert set(first.modules["positions"]["status"].to_pylist()) == {"active", "expired"}
    assert_same(first, second)
    assert story.engine.state() == again.state()
