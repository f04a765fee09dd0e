"""What a swap says: R-SWAP-ROUTE-*, and the rows of R-SWAP-INIT-1 and R-SWAP-EXE-1 before the ledger is asked."""

import json
from decimal import Decimal
from typing import Any

import pytest

from engine.amounts import Integer, Real
from engine.modules.orders import Deposit, Order, Refusal, normalise_member, read_deposit, read_order, read_pair

DEPOSIT = {"init": "LOL,WTF", "amt": "1", "lock": "10"}
ORDER = {"exe": "LOL,WTF", "amt": "1", "slip": "1"}


def parsed(members: dict[str, str]) -> dict[str, Any]:
    """Members given as JSON texts, as payloads are parsed."""
    decoder = json.JSONDecoder(parse_int=Integer, parse_float=Real, parse_constant=Real)
    return {name: decoder.decode(text) for name, text in members.items()}


def refusal(error: pytest.ExceptionInfo[Refusal]) -> tuple[str, str | None, str | None]:
    """Code, recorded operation where it is another, and the amount that was read."""
    amount = error.value.amount
    assert error.value.ticker is None
    return error.value.code, error.value.operation, None if amount is None else str(amount)


@pytest.mark.parametrize(
    ("pair", "members"),
    [
        ("LOL,WTF", ("LOL", "WTF")),
        (" lol , wtf ", ("LOL", "WTF")),
        ("a,b,c", ("A", "B,C")),
        (",", ("", "")),
        ("A,", ("A", "")),
        ("ywtf,YWTF", ("yWTF", "YWTF")),
        (" yß,\u00a0µ\u2003", ("ySS", "Μ")),
        ("y,Y", ("y", "Y")),
    ],
)
def test_a_pair_is_split_at_its_first_comma_and_normalised(pair: str, members: tuple[str, str]) -> None:
    """R-SWAP-ROUTE-3, R-CORE-TICK-2, D-68."""
    assert read_pair(pair) == members


def test_only_a_lower_case_y_stays() -> None:
    """R-CORE-TICK-2."""
    assert [normalise_member(text) for text in ("yabc", "Yabc", " yabc", "xyz")] == ["yABC", "YABC", "yABC", "XYZ"]


@pytest.mark.parametrize("text", ["0", "false", '""', '"LOL"', "[]", '["LOL","WTF"]', '["a,b"]', "{}", '{"a":","}'])
@pytest.mark.parametrize("amount", ['"1"', "null"])
def test_a_pair_without_a_comma_is_a_missing_field(text: str, amount: str) -> None:
    """R-SWAP-ROUTE-2."""
    members = parsed({"init": text, "exe": text, "amt": amount, "lock": '"10"', "slip": '"1"'})
    for read in (read_deposit, read_order):
        with pytest.raises(Refusal) as error:
            read(members)
        assert refusal(error) == ("SWAP_MISSING_FIELDS", None, None)


@pytest.mark.parametrize(
    "text", ["1", "-1", "0.5", "NaN", "true", '[","]', '["LOL",",","WTF"]', '{",":1}', '"A\\u0000,B"', '"A,\\ud800"']
)
@pytest.mark.parametrize("amount", ['"1"', "null"])
def test_what_the_predecessor_stumbles_over_is_recorded_as_swap(text: str, amount: str) -> None:
    """R-SWAP-ROUTE-2: before a missing `amt` is noticed."""
    members = parsed({"init": text, "exe": text, "amt": amount, "lock": '"10"', "slip": '"1"'})
    for read in (read_deposit, read_order):
        with pytest.raises(Refusal) as error:
            read(members)
        assert refusal(error) == ("UNKNOWN_PROCESSING_ERROR", "swap", None)


@pytest.mark.parametrize(
    ("changes", "code", "amount"),
    [
        ({"amt": "null"}, "SWAP_MISSING_FIELDS", None),
        ({"amt": "0"}, "SWAP_MISSING_FIELDS", None),
        ({"amt": "[]"}, "SWAP_MISSING_FIELDS", None),
        ({"lock": "null"}, "SWAP_MISSING_FIELDS", None),
        ({"lock": "0", "amt": '"x"'}, "SWAP_MISSING_FIELDS", None),
        ({"amt": '"x"', "lock": '"x"'}, "SWAP_INVALID_AMOUNT", None),
        ({"amt": "true"}, "SWAP_INVALID_AMOUNT", None),
        ({"lock": '"x"'}, "SWAP_INVALID_LOCK_DURATION", "1"),
        ({"lock": "10.0"}, "SWAP_INVALID_LOCK_DURATION", "1"),
        ({"lock": "true", "amt": '"-1"'}, "SWAP_INVALID_LOCK_DURATION", "-1"),
        ({"lock": '"9"', "amt": '"-1"'}, "SWAP_LOCK_TOO_SHORT", "-1"),
        ({"lock": '"0"'}, "SWAP_LOCK_TOO_SHORT", "1"),
        ({"lock": '"9"', "amt": '"NaN"'}, "SWAP_LOCK_TOO_SHORT", "NaN"),
        ({"amt": '"0"'}, "SWAP_INVALID_AMOUNT", "0"),
        ({"amt": '"-0.1"', "lock": '"1000001"'}, "SWAP_INVALID_AMOUNT", "-0.1"),
        ({"amt": '"1e27000000"'}, "SWAP_INVALID_AMOUNT", "1E+27000000"),
        ({"amt": '"1000000000000000000000000000.1"'}, "SWAP_INVALID_AMOUNT", "1000000000000000000000000000.1"),
        ({"amt": '"Infinity"'}, "SWAP_INVALID_AMOUNT", "Infinity"),
        ({"lock": '"1000001"'}, "SWAP_INVALID_LOCK_DURATION", "1"),
    ],
)
def test_checks_of_init_before_the_ledger_is_asked(changes: dict[str, str], code: str, amount: str | None) -> None:
    """R-SWAP-INIT-1 rows 1 to 8, in this order."""
    with pytest.raises(Refusal) as error:
        read_deposit(DEPOSIT | parsed(changes))
    assert refusal(error) == (code, None, amount)


@pytest.mark.parametrize("number", ['"NaN"', '"sNaN"', '"-nan1"', "NaN"])
def test_an_amount_that_is_not_a_number_stops_a_swap_where_it_is_compared(number: str) -> None:
    """R-SWAP-INIT-1 row 6, R-SWAP-EXE-1: after lock or slip was read, without ticker and amount."""
    for read, members in ((read_deposit, DEPOSIT), (read_order, ORDER)):
        with pytest.raises(Refusal) as error:
            read(members | parsed({"amt": number}))
        assert refusal(error) == ("UNKNOWN_PROCESSING_ERROR", "swap", None)
    with pytest.raises(Refusal) as error:
        read_order(ORDER | parsed({"amt": number, "slip": '"x"'}))
    assert error.value.code == "SWAP_INVALID_SLIPPAGE"


@pytest.mark.parametrize(
    ("changes", "code", "amount"),
    [
        ({"amt": "null"}, "SWAP_MISSING_FIELDS", None),
        ({"slip": "null"}, "SWAP_MISSING_FIELDS", None),
        ({"slip": "0", "amt": '"x"'}, "SWAP_MISSING_FIELDS", None),
        ({"amt": '"x"', "slip": '"x"'}, "SWAP_INVALID_AMOUNT", None),
        ({"slip": '"x"', "amt": '"0"'}, "SWAP_INVALID_SLIPPAGE", "0"),
        ({"slip": '"NaN"'}, "SWAP_INVALID_SLIPPAGE", "1"),
        ({"slip": '"sNaN"'}, "SWAP_INVALID_SLIPPAGE", "1"),
        ({"slip": '"-1"'}, "SWAP_INVALID_SLIPPAGE", "1"),
        ({"slip": '"100.1"', "amt": '"-1"'}, "SWAP_INVALID_SLIPPAGE", "-1"),
        ({"slip": "true"}, "SWAP_INVALID_SLIPPAGE", "1"),
        ({"slip": "Infinity"}, "SWAP_INVALID_SLIPPAGE", "1"),
        ({"amt": '"0"'}, "SWAP_INVALID_AMOUNT", "0"),
        ({"amt": '"-1"'}, "SWAP_INVALID_AMOUNT", "-1"),
        ({"amt": '"2e27"'}, "SWAP_INVALID_AMOUNT", "2E+27"),
        ({"amt": '"Infinity"'}, "SWAP_INVALID_AMOUNT", "Infinity"),
    ],
)
def test_checks_of_exe_before_the_ledger_is_asked(changes: dict[str, str], code: str, amount: str | None) -> None:
    """R-SWAP-EXE-1 rows 3 to 6, in this order."""
    with pytest.raises(Refusal) as error:
        read_order(ORDER | parsed(changes))
    assert refusal(error) == (code, None, amount)


def test_what_passes_is_read_as_it_stands() -> None:
    """R-SWAP-NUM-2: no limit of decimals, no rounding."""
    amount = "0.00000000000000000000000000000000000000000000000000000000012345"
    longest = read_deposit(DEPOSIT | {"amt": amount, "lock": " 1_000_000 "})
    assert longest == Deposit("LOL", "WTF", Decimal(amount), 1_000_000)
    assert read_deposit(DEPOSIT | parsed({"amt": "1000000000000000000000000000", "lock": "10"})) == Deposit(
        "LOL", "WTF", Decimal(10) ** 27, 10
    )
    assert read_order(ORDER | parsed({"slip": "100.00000000000000001"})) == Order(
        "LOL", "WTF", Decimal(1), Decimal(100)
    )
    assert read_order(ORDER | {"slip": "0"}) == Order("LOL", "WTF", Decimal(1), Decimal(0))
