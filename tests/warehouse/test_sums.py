"""Sums in SQL, against integers that have no limit."""

from collections.abc import Sequence

import duckdb
import pytest

from warehouse.sums import exact_sum, units, units_of

MOST = "9" * 30 + ".99999999"


@pytest.mark.parametrize(
    "amounts",
    [
        [],
        ["0.00000000"],
        ["0.00000001", "-0.00000002"],
        ["-1.50000000", "-1.75000000", "3.00000001"],
        [MOST] * 1000,
        [f"-{MOST}"] * 1000,
        [MOST, f"-{MOST}", "-0.00000001"],
    ],
)
def test_no_sum_is_too_large_or_rounded(amounts: Sequence[str]) -> None:
    with duckdb.connect() as database:
        database.execute("CREATE TABLE flows (amount DECIMAL(38, 8), side BOOLEAN)")
        database.execute("INSERT INTO flows SELECT unnest($1)::DECIMAL(38, 8), true", [list(amounts)])
        database.execute("INSERT INTO flows VALUES ('5', false)")
        query = f"SELECT {exact_sum('amount', 'side')}, {exact_sum('amount')} FROM flows"
        wanted, everything = database.execute(query).fetchall()[0]
    total = sum(units_of(amount) for amount in amounts)
    assert (units(wanted), units(everything)) == (total, total + 500_000_000)


@pytest.mark.parametrize(
    ("amount", "number"),
    [("0.00000000", 0), ("-0.50000000", -50_000_000), ("12.34567890", 1_234_567_890), (MOST, 10**38 - 1)],
)
def test_an_amount_is_its_number_of_units(amount: str, number: int) -> None:
    assert units_of(amount) == number
