"""What analysts ask, on the recorded chain, against the same numbers worked out row by row."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.helpers.recorded import TIP, recorded_lake
from warehouse.duckdb_engine import connect
from warehouse.snapshot import LakeReader, Snapshot
from warehouse.view_texts import ANALYTIC_VIEWS

Row = dict[str, Any]
UNROUNDED = Context(prec=60)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_lake(tmp_path_factory.mktemp("views"))


@pytest.fixture
def lake(home: Path) -> Snapshot:
    return LakeReader(home).snapshot()


@pytest.fixture
def views(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(home) as connection:
        yield connection


def asked(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    found: list[Row] = connection.sql(query).to_arrow_table().to_pylist()
    return found


def facts(lake: Snapshot, table: str) -> list[Row]:
    found: list[Row] = lake.rows(table).to_pylist()
    return found


def days(lake: Snapshot) -> dict[int, date]:
    """UTC day of each block."""
    return {row["height"]: row["time"].astimezone(UTC).date() for row in facts(lake, "blocks")}


def balances_after(lake: Snapshot, height: int) -> dict[str, dict[str, Decimal]]:
    """Balances above zero by ticker and address, from the last event of each account."""
    last: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for event in facts(lake, "balance_events"):
        if event["height"] <= height:
            last[event["ticker"]][event["address"]] = event["balance_after"]
    held = {ticker: {who: units for who, units in rows.items() if units > 0} for ticker, rows in last.items()}
    return {ticker: rows for ticker, rows in held.items() if rows}


@pytest.mark.parametrize("view", ANALYTIC_VIEWS)
def test_a_view_answers_at_every_height(home: Path, view: str) -> None:
    """Also before there is anything to tell, and never with a double where an amount is meant."""
    amounts = {"volume", "minted", "burned", "circulating", "remaining", "held", "fees", "sold", "bought", "planned"}
    for height in (0, 115, 116, 117, 130, TIP):
        with connect(home, height) as connection:
            answer = connection.sql(f"FROM {view}")
            rows = answer.fetchall()
            assert (len(rows) > 0) >= (height == TIP)
            types = dict(zip(answer.columns, map(str, answer.types), strict=True))
            assert all(types[name].startswith("DECIMAL(38") for name in amounts & types.keys())


def test_transfers_and_volume_by_day(views: duckdb.DuckDBPyConnection, lake: Snapshot) -> None:
    volume: dict[tuple[object, str], Decimal] = defaultdict(Decimal)
    counts: dict[tuple[object, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    day = days(lake)
    for row in facts(lake, "operations"):
        if row["operation"] == "transfer" and row["ticker"] is not None:
            key = day[row["height"]], row["ticker"]
            kinds = row["valid"], row["valid"] and row["marketplace"], row["valid"] and row["multi"], not row["valid"]
            counts[key] = [count + kind for count, kind in zip(counts[key], kinds, strict=True)]
            if row["valid"]:
                volume[key] += row["amount"]
    assert {(row["day"], row["ticker"]): row["volume"] for row in asked(views, "FROM daily_volume")} == volume
    found = {tuple(row.values())[:2]: [*row.values()][2:] for row in asked(views, "FROM daily_transfers")}
    assert found == counts
    assert any(refused for *_, refused in counts.values())


def test_vast_amounts_are_added_exactly() -> None:
    """What is moved in a day can outgrow the column, the sum of it cannot be shown then; below that it is exact."""
    vast, odd = Decimal(10) ** 29 + Decimal("0.00000001"), Decimal("99999999999999999999.99999999")
    text = Path("warehouse/views/daily_volume.sql").read_text()
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE records (valid BOOLEAN, operation TEXT, ticker TEXT, amount DECIMAL(38, 8), "
            "block_time TIMESTAMPTZ)"
        )
        rows = [*((True, "transfer", "A", vast, 0) for _ in range(9)), (True, "transfer", "A", odd, 0)]
        rows += [(True, "transfer", "B", odd, 86400), (True, "transfer", "B", vast, 86399)]
        rows += [(True, "transfer", "C", vast, 0) for _ in range(10)]
        connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, to_timestamp(?))", rows)
        found = connection.execute(f"SELECT ticker, epoch(day)::INTEGER, volume FROM ({text}) ORDER BY ALL").fetchall()
    with localcontext(prec=60):
        most = 9 * vast + odd
    assert found == [("A", 0, most), ("B", 0, vast), ("B", 86400, odd), ("C", 0, None)]


def test_addresses(views: duckdb.DuckDBPyConnection, lake: Snapshot) -> None:
    day = days(lake)
    times = {row["height"]: row["time"] for row in facts(lake, "blocks")}
    seen: dict[str, list[int]] = defaultdict(list)
    for event in facts(lake, "balance_events"):
        if not event["address"].startswith("POOL::"):
            seen[event["address"]].append(event["height"])
    spans = {who: (min(at), times[min(at)], max(at), times[max(at)], len(at)) for who, at in seen.items()}
    assert {row["address"]: (*row.values(),)[1:] for row in asked(views, "FROM address_spans")} == spans
    active: dict[object, set[str]] = defaultdict(set)
    for who, heights in seen.items():
        for height in heights:
            active[day[height]].add(who)
    assert {row["day"]: row["addresses"] for row in asked(views, "FROM active_addresses")} == {
        when: len(who) for when, who in active.items()
    }
    firsts = sorted(day[min(heights)] for heights in seen.values())
    assert [(*row.values(),) for row in asked(views, "FROM new_addresses ORDER BY day")] == [
        (when, firsts.count(when), bisect_right(firsts, when)) for when in sorted(set(firsts))
    ]


@pytest.mark.parametrize("hashes", [1, 8, 64])
@pytest.mark.parametrize("view", ["active_addresses", "new_addresses"])
def test_addresses_are_told_apart_where_their_hashes_are_equal(
    views: duckdb.DuckDBPyConnection, view: str, hashes: int
) -> None:
    """Every script shares its hash, most do, some do."""
    text = Path(f"warehouse/views/{view}.sql").read_text()
    fewer = text.replace("hash(script)", f"(hash(script) % {hashes} * 4096)")
    assert fewer != text
    assert asked(views, f"FROM ({fewer}) ORDER BY day") == asked(views, f"FROM {view} ORDER BY day")


@pytest.mark.parametrize("height", range(112, TIP + 1, 5))
def test_how_a_token_is_spread_at_any_height(views: duckdb.DuckDBPyConnection, lake: Snapshot, height: int) -> None:
    """Gini as half the mean difference of all pairs by the mean; what is held is the supply at that height."""
    held = balances_after(lake, height)
    found = {row["ticker"]: row for row in asked(views, f"FROM distribution_at({height})")}
    assert found.keys() == held.keys()
    for ticker, accounts in held.items():
        balances = sorted(map(Fraction, accounts.values()), reverse=True)
        total, count = sum(balances), len(balances)
        pairs = sum(abs(one - other) for one in balances for other in balances)
        row = found[ticker]
        assert (row["holders"], Fraction(row["held"])) == (count, total)
        assert row["gini"] == pytest.approx(float(pairs / (2 * count * total)), abs=1e-12)
        assert row["top_1_share"] == pytest.approx(float(balances[0] / total))
        assert row["top_10_share"] == pytest.approx(float(sum(balances[:10]) / total))
    listed = asked(views, f"FROM holders_at({height}) ORDER BY ticker, rank")
    assert {(row["ticker"], row["address"]): row["balance"] for row in listed} == {
        (ticker, who): units for ticker, accounts in held.items() for who, units in accounts.items()
    }


def test_the_newest_spread_is_that_at_the_tip(views: duckdb.DuckDBPyConnection) -> None:
    newest = asked(views, "FROM holder_distribution ORDER BY ticker")
    assert newest == asked(views, f"FROM distribution_at(at_height := {TIP}) ORDER BY ticker")
    circulating = {row["ticker"]: row["circulating"] for row in asked(views, "FROM supply WHERE circulating > 0")}
    for row in newest:
        # Staked principal is with its program, not with a holder.
        assert row["held"] <= circulating[row["ticker"]]


MOST = 10**38 - 1
"""The largest balance a DECIMAL(38, 8) holds, in units."""
BAND = 10**18
"""Units from which on a balance is told in two parts."""


@st.composite
def held_units(draw: st.DrawFn) -> list[int]:
    """Balances of a token in units, whose sum is one a column can show: zeros, equal ones, next to a band, vast."""
    count = draw(st.integers(0, 120))
    most = MOST // max(count, 1)
    near = st.builds(lambda band, beside: band * BAND + beside, st.integers(1, 99), st.integers(-2, 2))
    units = st.one_of(st.integers(0, 3), st.integers(1, BAND), near, st.integers(0, most), st.just(most))
    return draw(st.lists(units, min_size=count, max_size=count))


def spread_of(tokens: dict[str, list[int]]) -> list[Row]:
    """holder_distribution over just these balances."""
    rows = [(ticker, Decimal(units).scaleb(-8, UNROUNDED)) for ticker, held in tokens.items() for units in held]
    columns = {
        "ticker": pa.array([ticker for ticker, _ in rows], pa.string()),
        "balance": pa.array([balance for _, balance in rows], pa.decimal128(38, 8)),
    }
    text = Path("warehouse/views/holder_distribution.sql").read_text()
    with duckdb.connect() as connection:
        connection.register("balances", pa.table(columns))
        return asked(connection, f"FROM ({text}) ORDER BY ticker")


@settings(deadline=None, max_examples=60)
@given(st.lists(held_units(), max_size=3))
@example([[1], [MOST], [1, MOST - 1], [MOST // 150] * 150, [0, 0], []])
@example([[BAND, BAND - 1, BAND + 1, 1], [*range(1, 130)]])
def test_a_spread_of_any_balances(tokens: list[list[int]]) -> None:
    """Amounts exactly, the ratios to what a double holds."""
    held = {f"T{number}": sorted(filter(None, units), reverse=True) for number, units in enumerate(tokens)}
    found = spread_of({f"T{number}": units for number, units in enumerate(tokens)})
    assert [row["ticker"] for row in found] == [ticker for ticker, units in held.items() if units]
    for row in found:
        units = held[row["ticker"]]
        total, count = sum(units), len(units)
        assert (row["holders"], Fraction(row["held"]) * 10**8) == (count, Fraction(total))
        skew = (count + 1) * total - 2 * sum(rank * each for rank, each in enumerate(units, 1))
        assert row["gini"] == pytest.approx(float(Fraction(skew, count * total)), rel=1e-12, abs=1e-15)
        for top in (1, 10, 100):
            assert row[f"top_{top}_share"] == pytest.approx(float(Fraction(sum(units[:top]), total)), rel=1e-14)
        if len(set(units)) == 1:
            assert row["gini"] == 0


def test_refusals_and_supply(views: duckdb.DuckDBPyConnection, lake: Snapshot) -> None:
    refused: dict[tuple[str, str | None], int] = defaultdict(int)
    mints: dict[str, list[int]] = defaultdict(list)
    for row in facts(lake, "operations"):
        if not row["valid"]:
            refused[row["operation"], row["code"] or row["step_code"]] += 1
        elif row["operation"] == "mint":
            mints[row["ticker"]].append(row["height"])
    found = asked(views, "FROM refusals_by_reason")
    assert {(row["operation"], row["reason"]): row["refusals"] for row in found} == refused
    assert sum(row["share"] for row in found) == pytest.approx(1)
    for row in asked(views, "FROM supply_progress"):
        at = mints.get(row["ticker"], [])
        if at:
            assert (row["mints"], row["first_mint_height"], row["last_mint_height"]) == (len(at), min(at), max(at))
        if row["max_supply"]:
            assert row["progress"] == pytest.approx(float(row["minted"] / row["max_supply"]))
            assert row["remaining"] == max(row["max_supply"] - row["minted"], 0)


def test_stones_and_blocks(views: duckdb.DuckDBPyConnection, lake: Snapshot) -> None:
    stones = [row for row in facts(lake, "operations") if row["operation"] == "mint_stones" and row["valid"]]
    minted = sum(event["delta"] for event in facts(lake, "balance_events") if event["cause"] == "mint_stones")
    found = asked(views, "FROM stones_by_day ORDER BY day")
    assert sum(row["mints"] for row in found) == len(stones)
    assert sum(row["minted"] for row in found) == found[-1]["total"] == minted > 0
    blocks, statistics = facts(lake, "blocks"), asked(views, "FROM block_statistics ORDER BY day")
    for ours, theirs in (
        ("blocks", len(blocks)),
        ("operations", sum(row["operations"] for row in blocks)),
        ("valid_operations", sum(row["valid_operations"] for row in blocks)),
        ("balance_events", sum(row["balance_events"] for row in blocks)),
        ("candidates", sum(row["candidates"] for row in blocks)),
    ):
        assert sum(row[ours] for row in statistics) == theirs
    assert statistics[-1]["last_height"] == TIP


def test_pools_over_time(views: duckdb.DuckDBPyConnection, lake: Snapshot) -> None:
    """Prices of every version of a pool, its trades, and what lies beside each position."""
    versions = facts(lake, "pools")
    prices = asked(views, "FROM pool_prices ORDER BY pool, height")
    assert len(prices) == len(versions)
    for row in prices:
        if row["price"] is not None:
            assert row["price"] == pytest.approx(float(row["reserve_b"] / row["reserve_a"]))
    trades = facts(lake, "executions")
    volumes = asked(views, "FROM pool_volumes")
    assert sum(row["trades"] for row in volumes) == len(trades) > 0
    positions = [row for row in asked(views, "FROM current_positions") if row["status"] == "active"]
    values = {row["position_id"]: row for row in asked(views, "FROM position_values")}
    assert values.keys() == {row["position_id"] for row in positions}
    for row in positions:
        beside = sum(
            each["locked"] for each in positions if (each["pool"], each["source"]) == (row["pool"], row["source"])
        )
        assert values[row["position_id"]]["side_locked"] == beside


def test_emission_never_passes_its_plan(views: duckdb.DuckDBPyConnection) -> None:
    rows = asked(views, "FROM emission_against_plan ORDER BY ticker, height")
    assert rows
    for row in rows:
        assert 0 <= row["planned"] <= row["max_supply"]
        assert row["paid"] <= row["planned"] + Decimal("0.00000001")


def test_times_are_utc_days(views: duckdb.DuckDBPyConnection, lake: Snapshot) -> None:
    expected = {datetime.fromtimestamp(row["time"].timestamp(), UTC).date() for row in facts(lake, "blocks")}
    assert {row["day"] for row in asked(views, "FROM block_statistics")} == expected
