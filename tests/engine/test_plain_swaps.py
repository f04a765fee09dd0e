"""The plain path's pure parts of swaps, and what only it promises so far."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from engine.plain.decimals import precisely
from engine.plain.swap_math import calculate, multiplier
from engine.plain.swap_pairs import parse_pair, pool_of
from tests.helpers.scenarios import vectors
from tests.helpers.stories import Story, codes, exe, init


def each(group: str, left_out: Collection[str] = ()) -> pytest.MarkDecorator:
    found = [vector for vector in vectors(group) if vector["id"] not in left_out]
    return pytest.mark.parametrize("vector", found, ids=[vector["id"] for vector in found])


OUT_OF_RANGE = {vector["id"] for vector in vectors("SWAPCALC") if not 0 <= Decimal(vector["input"]["slip"]) <= 100}
"""Refused before anything is calculated (R-SWAP-EXE-1 row 5)."""


@each("SWAPCALC", OUT_OF_RANGE)
@precisely()
def test_trades_to_the_fiftieth_digit(vector: Mapping[str, Any]) -> None:
    """R-SWAP-CALC-1."""
    given, expected = vector["input"], vector["expected"]
    reserves = Decimal(given["reserve_a"]), Decimal(given["reserve_b"])
    if given["token_in"] != given["token_a"]:
        reserves = reserves[1], reserves[0]
    trade = calculate(*reserves, Decimal(given["amount_in"]), Decimal(given["slip"]))
    if expected["ok"] != "true":
        assert trade is None
        return
    assert trade is not None
    assert trade.amount_in == Decimal(expected["final_amount_in"])
    assert trade.out == Decimal(expected["amount_out_before_fees"])
    assert trade.fee == Decimal(expected["protocol_fee"])
    assert trade.slippage == Decimal(expected["slippage_percent"])
    assert trade.is_partial == (expected["is_partial_fill"] == "true")


@each("MULT")
@precisely()
def test_multipliers_of_any_lock(vector: Mapping[str, Any]) -> None:
    """R-SWAP-LP-5."""
    assert multiplier(int(vector["input"]["lock_blocks"])) == Decimal(vector["expected"]["multiplier"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a,b", ("A", "B")),
        (" y a , B,c ", ("y A", "B,C")),
        ("ya,Yb", ("yA", "YB")),
        ("\u3000ß\x1f,", ("SS", "")),
        ("", "SWAP_MISSING_FIELDS"),
        ("a", "SWAP_MISSING_FIELDS"),
        (False, "SWAP_MISSING_FIELDS"),
        (Decimal(0), "SWAP_MISSING_FIELDS"),
        (["a,b"], "SWAP_MISSING_FIELDS"),
        ({"a": ","}, "SWAP_MISSING_FIELDS"),
        ([","], "UNKNOWN_PROCESSING_ERROR"),
        ({",": 1}, "UNKNOWN_PROCESSING_ERROR"),
        (True, "UNKNOWN_PROCESSING_ERROR"),
        (Decimal(5), "UNKNOWN_PROCESSING_ERROR"),
        (0.5, "UNKNOWN_PROCESSING_ERROR"),
        ("a\0,b", "UNKNOWN_PROCESSING_ERROR"),
        ("a,\ud800", "UNKNOWN_PROCESSING_ERROR"),
        ("\0", "SWAP_MISSING_FIELDS"),
    ],
)
def test_pairs(value: Any, expected: Any) -> None:
    """R-SWAP-ROUTE-2, R-SWAP-ROUTE-3, R-CORE-TICK-2."""
    assert parse_pair(value) == expected


def test_pools_are_named_in_the_order_of_code_points() -> None:
    """R-SWAP-POOL-1, D-49."""
    assert pool_of(("yAAA", "ZZZ")).key == pool_of(("ZZZ", "yAAA")).key == "ZZZ-yAAA"


def without_liquidity(engine_class: Any) -> Story:
    """A pool whose sides have units but no liquidity: rounding can lead there, deposit after deposit."""
    story = Story(engine_class)
    story.block(init("lp1", "LOL,WTF", "1000"), init("lp2", "WTF,LOL", "2000"))
    state = story.engine.state()
    pools = state.modules["pools"]
    row = pools.to_pylist()[0] | {"liquidity_b": Decimal(0)}
    story.engine.restore(replace(state, modules={**state.modules, "pools": pa.Table.from_pylist([row], pools.schema)}))
    return story


@pytest.mark.parametrize("dust", ["1e-40", "1e-1000040"])
def test_units_that_cannot_be_stored_are_refused(engine_class: Any, dust: str) -> None:
    """R-SWAP-LP-1, D-3: by the second deposit's share of a liquidity below any grid, also beyond any exponent."""
    story = without_liquidity(engine_class)
    judged = story.block(init("ex", "WTF,LOL", dust), init("ex2", "WTF,LOL", "1"), init("ex2", "LOL,WTF", "1"))
    records = [(row["code"], row["divergence"], row["ticker"]) for row in judged.operations.to_pylist()]
    assert records == [(None, None, "WTF"), ("UNKNOWN_PROCESSING_ERROR", "D-3", "WTF"), (None, None, "LOL")]
    assert story.balance("ex2", "WTF") == 10_000
    assert [row["source"] for row in judged.modules["positions"].to_pylist()] == ["WTF", "LOL"]
    assert story.position(3)["units_b"] == 0, "of no liquidity there is no share"


def test_an_overflow_is_an_amount_that_cannot_be_stored(engine_class: Any) -> None:
    """D-3: a fee for each of 10^-1000040 units is beyond any decimal's exponent."""
    story = Story(engine_class)
    story.block(init("lp1", "LOL,WTF", "1000"), init("lp2", "WTF,LOL", "2000"))
    story.block(exe("ex", "LOL,WTF", "500"))
    story.until(930_011)
    story.block(
        init("lp1", "WTF,LOL", "0.00000001"), init("lp1", "WTF,LOL", "5", "20"), init("lp1", "LOL,WTF", "5", "20")
    )
    story.until(930_022)
    judged = story.block(init("ex", "WTF,LOL", "1e-1000040"), exe("ex", "LOL,WTF", "1"), init("ex", "WTF,LOL", "1"))
    assert codes(judged) == [None, "UNKNOWN_PROCESSING_ERROR", None]
    record = judged.operations.to_pylist()[1]
    assert (record["operation"], record["ticker"], record["divergence"]) == ("swap_exe", "LOL", "D-3")
    assert judged.modules["executions"].num_rows == 0


@pytest.mark.parametrize("amount", ["1e-60", "1e-1000040", "1e-99999999999", "1e-999999999999999999"])
@pytest.mark.parametrize("deposits", [("7", "3"), ("9999.99999999", "0.00000003"), ("1e-1000040", "7")])
def test_a_sale_of_next_to_nothing_is_judged(engine_class: Any, deposits: tuple[str, str], amount: str) -> None:
    """R-SWAP-CALC-1: whatever its exponent, it is refused as the rules say and stops no block."""
    story = Story(engine_class)
    story.block(init("lp1", "LOL,WTF", deposits[0]), init("lp2", "WTF,LOL", deposits[1]))
    judged = story.block(exe("ex", "LOL,WTF", amount), exe("ex", "WTF,LOL", amount), exe("ex", "LOL,WTF", amount, "1"))
    assert set(codes(judged)) <= {
        "SWAP_INVALID_CALCULATION",
        "UNKNOWN_PROCESSING_ERROR",
        "SWAP_NO_MATCHING_POSITIONS",
        None,
    }
    story.until(930_013)


@precisely()
def test_a_sale_that_no_digit_shows_buys_nothing() -> None:
    """R-SWAP-CALC-1 step 2."""
    assert calculate(Decimal(1), Decimal(1), Decimal("1e-60"), Decimal(100)) is None


@pytest.mark.parametrize(("amount", "slip"), [("1e-99999999999", "1"), ("1e-99999999999", "100"), ("1e-60", "100")])
@precisely()
def test_a_price_of_rounding_errors_is_none(amount: str, slip: str) -> None:
    """R-SWAP-CALC-1: what 50 digits leave of two large reserves is more than a sale of next to nothing could buy."""
    reserves = Decimal("339701266036268813735041624.96843463"), Decimal("741812502050536572443721269")
    assert reserves[1] - reserves[0] * reserves[1] / reserves[0] == Decimal("1e-23")
    assert calculate(*reserves, Decimal(amount), Decimal(slip)) is None
