"""The arithmetic of trades, units and rewards against the vectors and by hand."""

from decimal import Decimal, localcontext
from typing import Any

import pytest

from engine.modules.decimals import FIFTY_DIGITS, fifty_digits, q8
from engine.modules.orders import normalise_member
from engine.modules.pools import new_pool, pool_id
from engine.modules.trade import calculate, multiplier_for, reward_for, scale_rewards, spread, units_for
from tests.helpers.scenarios import vectors

D = Decimal
calculate_trade = fifty_digits(calculate)
scale = fifty_digits(scale_rewards)
units = fifty_digits(units_for)
fills = fifty_digits(spread)


@pytest.mark.parametrize("vector", vectors("SWAPCALC"), ids=lambda vector: vector["id"])
def test_trade(vector: dict[str, Any]) -> None:
    """R-SWAP-CALC-1, every digit."""
    given, expected = vector["input"], vector["expected"]
    reserve_in, reserve_out = D(given["reserve_a"]), D(given["reserve_b"])
    if given["token_in"] != given["token_a"]:
        reserve_in, reserve_out = reserve_out, reserve_in
    trade = calculate_trade(reserve_in, reserve_out, D(given["amount_in"]), D(given["slip"]))
    if expected["ok"] == "false":
        assert trade is None
        return
    assert trade is not None
    with localcontext(FIFTY_DIGITS):
        assert trade.is_partial == (expected["is_partial_fill"] == "true")
        assert str(trade.amount_in) == expected["final_amount_in"]
        assert str(trade.out) == expected["amount_out_before_fees"]
        assert str(trade.fee) == expected["protocol_fee"]
        assert str(trade.out - trade.fee) == expected["amount_to_user"]
        assert trade.slippage == D(expected["slippage_percent"])
        assert reserve_in + trade.amount_in == D(expected["reserve_in_after"])
    assert f"{q8(trade.amount_in):.8f}" == expected["stored8_amount_in"]
    assert f"{q8(trade.out):.8f}" == expected["stored8_amount_out_before_fees"]
    assert f"{q8(trade.fee):.8f}" == expected["stored8_fee"]


def test_a_tolerance_that_rounds_to_everything_fails_instead_of_dividing_by_zero() -> None:
    """R-SWAP-CALC-1 step 4: 1 - f is 0 in fifty digits, and the slippage of a residue's reserve is 100."""
    assert calculate_trade(D("1E-49"), D(1), D("1E+27"), D("99." + "9" * 60)) is None


def test_a_trade_of_next_to_nothing_fails() -> None:
    """R-SWAP-CALC-1 step 2: nothing is left for the user."""
    assert calculate_trade(D(1000), D(2000), D("1E-999999999"), D(100)) is None


@pytest.mark.parametrize("vector", vectors("MULT"), ids=lambda vector: vector["id"])
def test_multiplier(vector: dict[str, Any]) -> None:
    """R-SWAP-LP-5."""
    multiplier = multiplier_for(int(vector["input"]["lock_blocks"]))
    assert multiplier == D(vector["expected"]["multiplier"])
    assert f"{multiplier:.8f}" == vector["expected"]["stored8"]


@pytest.mark.parametrize("vector", vectors("POOLID"), ids=lambda vector: vector["id"])
def test_pool_id(vector: dict[str, Any]) -> None:
    """R-SWAP-POOL-1 (members of a pair by R-CORE-TICK-2)."""
    source, destination = (normalise_member(vector["input"][name]) for name in ("src", "dst"))
    expected = vector["expected"]
    assert pool_id(source, destination) == pool_id(destination, source) == expected["pool_id"]
    pool = new_pool(source, destination)
    assert [side.token for side in pool.sides] == [expected["token_a"], expected["token_b"]]
    assert pool.account == ("POOL::" + expected["pool_id"], None)


def test_units_follow_the_totals_before_the_deposit() -> None:
    """R-SWAP-LP-1, D-47: a residue of liquidity dilutes; with units but no liquidity there are none."""
    assert units(D(100), D(0), D("766.66666667")) == 100
    assert q8(units(D(100), D(100), D("766.66666667"))) == D("13.04347826")
    assert units(D(100), D(100), D(0)) == 0


def test_fills_take_in_order_and_what_is_given_divides_by_the_rate() -> None:
    """R-SWAP-EXE-6: 40 out for 100 in is a rate of 0.4."""
    trade = calculate_trade(D(100), D(80), D(100), D(100))
    assert trade is not None
    assert trade.out == 40
    assert fills(trade, [D(30), D(50), D(9)]) == [(D(30), D(75)), (D(10), D(25))]


def test_rewards_are_scaled_to_what_was_collected_and_the_last_takes_the_rest() -> None:
    """R-SWAP-EXP-3: earned 2 and 4, collected 3; a third position that earned nothing is last and gets the rest."""
    assert scale([D(2), D(4), D(0)], D(3), D(100)) == [D(1), D(2), D(0)]
    assert scale([D(1), D(1), D(1)], D(1), D(100)) == [D("0.33333333"), D("0.33333333"), D("0.33333334")]
    assert scale([D(1), D(1)], D(9), D("0.5")) == [D("0.25"), D("0.25")]
    assert scale([D(1), D(1)], D(9), D(9)) == [D(1), D(1)]
    assert scale([D(0), D(0)], D(9), D(9)) == [D(0), D(0)]


def test_the_last_reward_can_be_one_unit_below_nothing() -> None:
    """R-SWAP-EXP-3: two shares of 1.5 units are both rounded up to 2, and 3 are there to be paid."""
    half = D("0.000000015")
    assert scale([half, half, D(0)], D(1), D(1)) == [D("0.00000002"), D("0.00000002"), D("-0.00000001")]


def test_a_reward_is_never_below_nothing_before_scaling() -> None:
    """R-SWAP-EXP-3: a fee per share that was rounded below the entry value earns nothing."""
    assert reward_for(D("0.00000001"), D("0.00000002"), D(100), D(1)) == 0
    assert reward_for(D("0.00000003"), D("0.00000001"), D(100), D("1.5")) == D("0.000003")
