"""The balances of receipt tokens in SQL are those of the rule's decimals, digit for digit (R-CURVE-STATE-3)."""

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.modules.registry import installed
from tests.helpers.judged import FactMaker
from warehouse.lake import Lake

FIFTY_DIGITS = Context(prec=50, rounding=ROUND_HALF_EVEN)
EXACT = Context(prec=200)
RAY = Decimal(10**27)
MOST = Decimal(10**30)
SCHEMAS = {table.name: table.schema for table in installed().tables}

Pairs = list[tuple[int, int]]
"""Scaled balance and liquidity index, in units of 10^-27."""


def balance_of(scaled: int, index: int) -> Decimal | None:
    """floor8(scaled x index / RAY) with 50 significant digits."""
    scaled_, index_ = (Decimal(number).scaleb(-27, EXACT) for number in (scaled, index))
    balance = FIFTY_DIGITS.divide(FIFTY_DIGITS.multiply(scaled_, index_), RAY)
    floored = balance.quantize(Decimal("1E-8"), ROUND_FLOOR, EXACT)
    return floored if floored < MOST else None


def text_of(number: int) -> str:
    return f"{number // 10**27}.{number % 10**27:027d}"


def asked(pairs: Pairs) -> list[Decimal | None]:
    """The view's answers over one program a pair."""
    rows = pa.table({"n": list(range(len(pairs))), "scaled": [text_of(s) for s, _ in pairs]})
    rows = rows.append_column("growth", pa.array([text_of(index) for _, index in pairs], pa.string()))
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        connection.execute(
            "CREATE VIEW current_accounts AS "
            "SELECT n::VARCHAR AS ticker, 'a' AS address, NULL::BLOB AS script, scaled FROM rows"
        )
        connection.execute(
            "CREATE VIEW current_programs AS SELECT n::VARCHAR AS ticker, n::VARCHAR AS staking_ticker, "
            "1 AS start_height, '' AS deploy_txid, growth AS \"index\" FROM rows"
        )
        view = files("warehouse").joinpath("views", "y_balances.sql").read_text()
        found = dict(connection.execute(f"SELECT ticker, balance FROM ({view})").fetchall())
    return [found[f"y{n}"] for n in range(len(pairs))]


def assert_exact(pairs: Pairs) -> None:
    for (scaled, index), found in zip(pairs, asked(pairs), strict=True):
        assert found == balance_of(scaled, index), (text_of(scaled), text_of(index))


INDICES = st.integers(10**54, 10**56) | st.integers(10**54, 10**90) | st.sampled_from([10**54, 10**54 + 1, 3 * 10**54])


@given(pairs=st.lists(st.tuples(st.integers(0, 10**57), INDICES), min_size=1, max_size=40))
@example(pairs=[(0, 10**54)])
@settings(deadline=None, max_examples=40)
def test_any_scaled_balance_at_any_index(pairs: Pairs) -> None:
    assert_exact(pairs)


def test_balances_at_the_border_of_a_unit_are_rounded_like_the_product() -> None:
    """The scaled balance that is just, or just not, worth a whole number of units: rounding to 50 digits decides."""
    random = Random(1)
    pairs, carried = [], 0
    for _ in range(5_000):
        index = random.choice(
            [10**54 * random.randrange(1, 10**6), random.randrange(10**54, 10 ** random.randrange(55, 80))]
        )
        units = random.randrange(1, 10 ** random.randrange(1, 37))
        pairs.append((max(units * 10**73 // index + random.choice((-1, 0, 0, 1)), 0), index))
    assert_exact(pairs)
    for scaled, index in pairs:
        truncated = Decimal(scaled * index // 10**73).scaleb(-8, EXACT)
        carried += balance_of(scaled, index) not in (truncated, None)
    assert carried > 20, "too few where the rounding shows"


def test_what_no_column_holds_is_null_and_breaks_no_other_row() -> None:
    largest, rounded_up, vast = (10**57 - 10**19, 10**54), (10**57 - 1, 10**54), (10**57, 10**90)
    assert asked([largest, rounded_up, vast]) == [Decimal("999999999999999999999999999999.99999999"), None, None]


def module_rows(name: str, *rows: dict[str, Any]) -> pa.Table:
    """Rows with the given columns; the others hold what means nothing."""
    filled = []
    for row in rows:
        empty = {field.name: None if field.nullable else _nothing(field.type) for field in SCHEMAS[name]}
        filled.append({**empty, **row})
    return pa.Table.from_pylist(filled, schema=SCHEMAS[name])


def _nothing(type_: pa.DataType) -> Any:
    if pa.types.is_decimal(type_):
        return Decimal(0)
    return "" if pa.types.is_string(type_) else b"" if pa.types.is_binary(type_) else 0


def program(height: int, ticker: str, start: int, index: int, txid: str = "") -> dict[str, Any]:
    text = text_of(index * 10**54 // 1000)
    return {
        "height": height,
        "ticker": ticker,
        "staking_ticker": "S",
        "start_height": start,
        "deploy_txid": txid,
        "index": text,
    }


def account(height: int, ticker: str, address: str, scaled: int) -> dict[str, Any]:
    return {"height": height, "ticker": ticker, "address": address, "scaled": text_of(scaled * 10**27)}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A program from block 101 on whose index grows, accounts that change, and later programs of the same token."""
    judged, candidates = FactMaker(operations=0).extend(6)
    assert isinstance(judged.modules, dict)
    judged.modules.update(
        programs=module_rows(
            "programs",
            program(101, "R", 101, 1000, "bb"),
            program(103, "OTHER", 101, 9000, "cc"),
            program(103, "R", 101, 1500, "bb"),
            program(104, "LATER", 104, 8000, "aa"),
            program(105, "R", 101, 1600, "bb"),
        ),
        accounts=module_rows(
            "accounts",
            account(101, "R", "alice", 10),
            account(102, "R", "POOL::A-yS", 4),
            account(103, "OTHER", "bob", 7),
            account(104, "R", "alice", 5),
            account(104, "R", "bob", 5),
        ),
    )
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(judged, candidates)
        return lake


@pytest.mark.parametrize(
    ("height", "balances"),
    [
        (100, {}),
        (101, {"alice": 10}),
        (102, {"alice": 10, "POOL::A-yS": 4}),
        (103, {"alice": 15, "POOL::A-yS": 6}),
        (104, {"alice": Decimal("7.5"), "bob": Decimal("7.5"), "POOL::A-yS": 6}),
        (None, {"alice": 8, "bob": 8, "POOL::A-yS": Decimal("6.4")}),
    ],
)
def test_the_first_program_of_the_staked_token_says_what_an_account_holds_at_a_height(
    lake: Lake, height: int | None, balances: dict[str, Decimal]
) -> None:
    """D-69: first by start, then by deploy transaction. Stakers of later programs hold nothing."""
    with lake.snapshot.connect(height) as sql:
        found = sql.sql("SELECT ticker, address, balance FROM y_balances").fetchall()
    assert {ticker for ticker, _, _ in found} <= {"yS"}
    assert {address: balance for _, address, balance in found} == balances
