"""Figures about swaps, against arithmetic by hand: valid executions, each ticker for itself, periods by block time."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from api.app import create_app
from tests.api.conftest import GENEROUS
from tests.helpers.api import running
from tests.helpers.builders import address
from tests.helpers.forgery import rewrite
from tests.helpers.market_lake import market_lake
from tests.helpers.settled_lake import BLOCKS, settled_lake
from warehouse.duckdb_engine import connect

SWAP = "/v1/indexer/swap"
METRICS = f"{SWAP}/metrics"
EXE, LP1, LP2 = address("exe"), address("lp1"), address("lp2")
# Constant product: 1000 LOL into 1000 and 2000; 10 WTF into 1000 and 1000; 10 SAT into 100 and 100. The fee is 0.3 %.
BOUGHT = [Fraction(2000 * 1000, 2000), Fraction(1000 * 10, 1010), Fraction(100 * 10, 110)]
WTF_BOUGHT, LOL_BOUGHT, LOL_BOUGHT_LATE = (f"{round(amount * 10**8) / 10**8:.8f}" for amount in BOUGHT)
WTF_FEE, LOL_FEE, LOL_FEE_LATE = "3.00000000", "0.02970297", "0.02727273"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return settled_lake(tmp_path_factory.mktemp("settled"))


@pytest.fixture(scope="module")
def settled(directory: Path) -> Iterator[httpx.Client]:
    with running(create_app(directory, options=GENEROUS)) as client:
        yield client


def ask(client: httpx.Client, path: str, **query: Any) -> Any:
    response = client.get(f"{METRICS}/{path}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_whole_exchange(settled: httpx.Client) -> None:
    """Contract, defect 30: the refused execution counts nowhere."""
    assert ask(settled, "global") == {
        "total_positions": 5,
        "active_positions": 2,
        "expired_positions": 3,
        "closed_positions": 0,
        "total_locked_by_ticker": {"LOL": "90.90909091", "SAT": "100.00000000"},
        "total_executions": 3,
        "total_volume_by_ticker": {"LOL": "1000.00000000", "SAT": "10.00000000", "WTF": "10.00000000"},
        "unique_pools": 1,
        "unique_executors": 2,
    }


def test_pools_each_way_for_itself(settled: httpx.Client) -> None:
    rows = ask(settled, "pools")["items"]
    assert [(row["pool_id"], row["src_ticker"], row["dst_ticker"]) for row in rows] == [
        ("LOL-SAT", "LOL", "SAT"),
        ("LOL-SAT", "SAT", "LOL"),
        ("LOL-WTF", "LOL", "WTF"),
        ("LOL-WTF", "WTF", "LOL"),
    ]
    assert [(row["total_positions"], row["active_positions"], row["expired_positions"]) for row in rows] == [
        (1, 1, 0),
        (1, 1, 0),
        (1, 0, 1),
        (2, 0, 2),
    ]
    assert [row["active_locked"] for row in rows] == ["90.90909091", "100.00000000", "0.00000000", "0.00000000"]
    assert [row["total_locked"] for row in rows] == ["90.90909091", "100.00000000", "990.09900990", "1000.00000000"]
    assert [(row["total_executions"], row["total_volume"]) for row in rows] == [
        (0, "0.00000000"),
        (1, "10.00000000"),
        (1, "1000.00000000"),
        (1, "10.00000000"),
    ]
    assert [row["next_expiration_height"] for row in rows] == [501, 501, None, None]
    # Fees of the settled pool were paid out; units are those of active positions.
    assert [(row["fees_collected_a"], row["total_lp_units_a"]) for row in rows] == [
        (LOL_FEE_LATE, "100.00000000"),
        (LOL_FEE_LATE, "100.00000000"),
        ("0.00000000", "0.00000000"),
        ("0.00000000", "0.00000000"),
    ]
    assert ask(settled, "pools", pool_id="wtf-lol")["items"] == rows[2:]
    assert ask(settled, "pools", pool_id="NO-POOL")["items"] == []
    first = ask(settled, "pools", limit=3)
    assert [*first["items"], *ask(settled, "pools", cursor=first["next_cursor"])["items"]] == rows


def test_one_pool(settled: httpx.Client) -> None:
    """Contract, defect 38: in any case and order. The last 144 blocks of 151 leave the trades of block 2 out."""
    answer = ask(settled, "pools/wtf-lol")
    assert answer == {
        "active_positions": 0,
        "expired_positions": 3,
        "completed_positions": 0,
        "total_positions": 3,
        "total_locked": "3000.00000000",
        "total_locked_by_ticker": {"LOL": "1000.00000000", "WTF": "2000.00000000"},
        "current_locked_token_a": "0.00000000",
        "current_locked_token_b": "0.00000000",
        "total_volume_token_a": LOL_BOUGHT,
        "total_volume_token_b": WTF_BOUGHT,
        "total_executions": 2,
        "volume_24h_token_a": "0.00000000",
        "volume_24h_token_b": "0.00000000",
        "executions_24h": 0,
        "fees_collected_total_token_a": LOL_FEE,
        "fees_collected_total_token_b": WTF_FEE,
        "fees_collected_24h_token_a": "0.00000000",
        "fees_collected_24h_token_b": "0.00000000",
        "fill_rate": answer["fill_rate"],
        "avg_fill_time_hours": pytest.approx(1 / 6),
        "unique_executors": 2,
        "is_pool_active": False,
    }
    assert abs(Fraction(answer["fill_rate"]) - Fraction(100, 3)) < Fraction(1, 10**40)


@pytest.mark.parametrize(
    ("query", "executions"),
    [
        ({}, 1),
        ({"days": 1}, 1),
        ({"days": 36_500}, 1),
        ({"start_block": 0}, 1),
        ({"start_block": 151}, 0),
        ({"end_block": 150}, 1),
        ({"end_block": 149}, 0),
        ({"end_block": 0}, 0),
        ({"start_block": 150, "end_block": 150}, 1),
        # Block 150 is of 2024-01-02T01:00:00Z, when it was still the first of January in New York.
        ({"start_date": "2024-01-02"}, 1),
        ({"start_date": "2024-01-03"}, 0),
        ({"end_date": "2024-01-01"}, 0),
        ({"end_date": "2024-01-02"}, 1),
        ({"end_date": "2024-01-02T01:00:00"}, 1),
        ({"end_date": "2024-01-02T00:59:59Z"}, 0),
        ({"start_date": "2024-01-01T20:00:00-05:00"}, 1),
        ({"start_date": "2024-01-01T20:00:01-05:00"}, 0),
        # Days come before dates, dates before blocks.
        ({"days": 1, "end_date": "2024-01-01"}, 1),
        ({"end_date": "2024-01-01", "start_block": 150}, 0),
    ],
)
def test_periods_by_days_dates_or_blocks(settled: httpx.Client, query: dict[str, Any], executions: int) -> None:
    """Contract, defect 14: single bounds, bounds of 0, block times."""
    answer = ask(settled, "pools/LOL-SAT", **query)
    assert answer["executions_24h"] == executions
    assert answer["volume_24h_token_a"] == (LOL_BOUGHT_LATE if executions else "0.00000000")
    assert answer["fees_collected_24h_token_a"] == (LOL_FEE_LATE if executions else "0.00000000")
    assert answer["total_executions"] == 1


def test_days_are_those_of_utc(settled: httpx.Client) -> None:
    days = ask(settled, "timeseries", days=2)["items"]
    assert days == [
        {
            "date": "2024-01-02",
            "executions": 1,
            "volume": "10.00000000",
            "volume_by_ticker": {"SAT": "10.00000000"},
            "unique_executors": 1,
        },
        {
            "date": "2024-01-01",
            "executions": 2,
            "volume": "1010.00000000",
            "volume_by_ticker": {"LOL": "1000.00000000", "WTF": "10.00000000"},
            "unique_executors": 2,
        },
    ]
    assert ask(settled, "timeseries", days=1)["items"] == days[:1]


def test_who_trades_most_often(settled: httpx.Client) -> None:
    rows = ask(settled, "top-executors")["items"]
    assert rows == [
        {
            "executor": EXE,
            "executions": 2,
            "total_volume": "1010.00000000",
            "volume_by_ticker": {"LOL": "1000.00000000", "SAT": "10.00000000"},
            "last_execution": "2024-01-02T01:00:00Z",
        },
        {
            "executor": LP1,
            "executions": 1,
            "total_volume": "10.00000000",
            "volume_by_ticker": {"WTF": "10.00000000"},
            "last_execution": "2024-01-01T00:20:00Z",
        },
    ]
    assert ask(settled, "top-executors", limit=1)["items"] == rows[:1]


def test_positions_that_sold_out_stay_filled(settled: httpx.Client) -> None:
    """The one that sold out in block 2 was settled at its unlock height all the same."""
    assert ask(settled, "fill-rate") == {
        "total_initiated": 5,
        "filled_positions": 1,
        "expired_positions": 2,
        "active_positions": 2,
        "fill_rate_percent": "20.00000000",
        "avg_fill_time_hours": pytest.approx(1 / 6),
    }


def test_rewards(settled: httpx.Client) -> None:
    """What was paid is never more than the fees: 3 WTF over 2000 units, to 10 and 1990 of them (R-SWAP-EXP-3)."""
    totals = ask(settled, "rewards")
    paid = Decimal("0.01501500") + Decimal("2.98498500")
    assert paid == Decimal(WTF_FEE)
    assert totals == {
        "total_rewards_distributed_a": LOL_FEE,
        "total_rewards_distributed_b": WTF_FEE,
        "total_rewards_by_ticker": {"LOL": LOL_FEE, "WTF": WTF_FEE},
        "total_positions_with_rewards": 3,
        "total_positions_expired": 3,
        "avg_reward_per_position": totals["avg_reward_per_position"],
    }
    average = (Fraction(LOL_FEE) + Fraction(WTF_FEE)) / 3
    assert abs(Fraction(totals["avg_reward_per_position"]) - average) < Fraction(1, 10**40)
    pools = ask(settled, "rewards/pools")["items"]
    assert [(row["pool_id"], row["src_ticker"], row["positions_with_rewards"]) for row in pools] == [
        ("LOL-SAT", "LOL", 0),
        ("LOL-WTF", "LOL", 3),
    ]
    assert ask(settled, "rewards/pools/wtf-lol") == pools[1]
    assert ask(settled, "rewards/pools", pool_id="wtf-lol")["items"] == pools[1:]
    assert (pools[1]["total_rewards_distributed_a"], pools[1]["total_rewards_distributed_b"]) == (LOL_FEE, WTF_FEE)


@pytest.mark.parametrize(
    ("query", "positions"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"has_rewards": True}, [3, 2, 1]),
        ({"has_rewards": False}, [5, 4]),
        ({"pool_id": "sat-lol"}, [5, 4]),
        ({"owner": LP2}, [5, 3, 2]),
        ({"owner": LP2, "has_rewards": True, "limit": 1, "offset": 1}, [2]),
        ({"pool_id": "NO-POOL"}, []),
    ],
)
def test_rewards_of_positions(settled: httpx.Client, query: dict[str, Any], positions: list[int]) -> None:
    answer = ask(settled, "rewards/positions", **query)
    assert [row["position_id"] for row in answer["items"]] == positions
    if len(positions) > 1:
        assert answer["total"] == len(positions)
        first = ask(settled, "rewards/positions", **query, limit=1)
        rest = ask(settled, "rewards/positions", **query, cursor=first["next_cursor"])
        assert [*first["items"], *rest["items"]] == answer["items"]


def test_what_a_position_earned(settled: httpx.Client) -> None:
    row = ask(settled, "rewards/positions", owner=LP2, has_rewards=True)["items"][0]
    assert row == {
        "position_id": 3,
        "position_ref": f"{BLOCKS[1][2].txid}:0",
        "owner": LP2,
        "pool_id": "LOL-WTF",
        "src_ticker": "WTF",
        "dst_ticker": "LOL",
        "amount_locked": "1000.00000000",
        "lp_units_a": "0.00000000",
        "lp_units_b": "0.00000000",
        "reward_multiplier": row["reward_multiplier"],
        "reward_a_distributed": "0.00000000",
        "reward_b_distributed": "2.98498500",
        "status": "expired",
        "unlock_height": 12,
    }


def test_fees_never_fall(settled: httpx.Client) -> None:
    """Contract, defect 31: the fees of the settled pool were paid out, and still count."""
    lol = Decimal(LOL_FEE) + Decimal(LOL_FEE_LATE)
    assert ask(settled, "fees") == {
        "total_fees_collected_a": f"{lol:.8f}",
        "total_fees_collected_b": WTF_FEE,
        "total_fees_by_ticker": {"LOL": f"{lol:.8f}", "WTF": WTF_FEE},
        "total_fees_collected_usd_estimate": None,
        "total_pools": 2,
        "active_pools": 1,
    }


@pytest.mark.parametrize(
    ("pool", "query", "days"),
    [
        ("LOL-WTF", {}, ["2024-01-01"]),
        ("LOL-WTF", {"days": 1}, []),
        ("wtf-lol", {"days": 2}, ["2024-01-01"]),
        ("LOL-WTF", {"end_date": "2023-12-31"}, []),
        ("LOL-WTF", {"start_date": "2024-01-02"}, []),
        ("LOL-WTF", {"start_date": "2024-01-01", "end_date": "2024-01-01"}, ["2024-01-01"]),
        ("SAT-LOL", {}, ["2024-01-02"]),
    ],
)
def test_fees_day_by_day(settled: httpx.Client, pool: str, query: dict[str, Any], days: list[str]) -> None:
    answer = settled.get(f"{SWAP}/pools/{pool}/fees/daily", params=query).json()
    assert [row["date"] for row in answer["historical"]] == days
    assert answer["total_days"] == len(days)
    assert answer["period_start"] == (days[-1] if days else None)
    assert answer["period_end"] == (days[0] if days else None)
    if pool == "SAT-LOL":
        assert answer["live_24h"] == {
            "date": "2024-01-02",
            "fees_token_a": LOL_FEE_LATE,
            "fees_token_b": "0.00000000",
            "ticker_a": "LOL",
            "ticker_b": "SAT",
            "total_changes": 1,
        }
    else:
        assert (answer["live_24h"]["total_changes"], answer["live_24h"]["fees_token_b"]) == (0, "0.00000000")
        for row in answer["historical"]:
            assert (row["fees_token_a"], row["fees_token_b"], row["total_changes"]) == (LOL_FEE, WTF_FEE, 2)


def test_sums_may_be_larger_than_any_amount(tmp_path: Path) -> None:
    """Volumes beyond 38 digits: a wrong sum or an error is what a plain sum would give."""
    directory = settled_lake(tmp_path)
    most = Decimal("9" * 30 + ".99999999")

    def enlarge(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row.update(used=most, received=most, fee=most)

    rewrite(directory, "executions", enlarge)
    with running(create_app(directory, options=GENEROUS)) as client:
        total = 2 * (10**38 - 1)
        assert ask(client, "fees")["total_fees_by_ticker"]["LOL"] == f"{total // 10**8}.{total % 10**8:08d}"
        assert ask(client, "pools/LOL-WTF")["total_volume_token_a"] == str(most)
        assert client.get(f"{SWAP}/pools/LOL-WTF/transactions").status_code == 200


def test_figures_are_those_of_the_public_tables(tmp_path: Path) -> None:
    """Pools of receipts and of tickers with hyphens, whole and partial fills."""
    directory, _ = market_lake(tmp_path)
    with running(create_app(directory, options=GENEROUS)) as client, connect(directory) as sql:
        _same_as_tables(client, sql)


def test_figures_of_the_recorded_chain(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    _same_as_tables(client, sql)


def _same_as_tables(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    executions = sql.sql("SELECT pool, source, destination, used, received, fee FROM executions").fetchall()
    positions = sql.sql("SELECT pool, source, status, locked, amount FROM current_positions").fetchall()
    assert executions
    for pool in sorted({row[0] for row in positions}):
        answer = ask(client, f"pools/{pool}", start_block=0)
        token_a, token_b = sql.execute("SELECT token_a, token_b FROM pools WHERE pool = ?", [pool]).fetchall()[0]
        for side, ticker in (("a", token_a), ("b", token_b)):
            bought = [row for row in executions if row[0] == pool and row[2] == ticker]
            locked = [row[3] for row in positions if row[:3] == (pool, ticker, "active")]
            assert Decimal(answer[f"total_volume_token_{side}"]) == sum(row[4] for row in bought)
            assert Decimal(answer[f"fees_collected_24h_token_{side}"]) == sum(row[5] for row in bought)
            assert Decimal(answer[f"current_locked_token_{side}"]) == sum(locked)
        active = [sum(row[:3] == (pool, ticker, "active") for row in positions) for ticker in (token_a, token_b)]
        assert answer["is_pool_active"] == all(count >= 2 for count in active)
        assert answer["total_executions"] == sum(row[0] == pool for row in executions)


@pytest.mark.parametrize(
    ("path", "status", "code", "field"),
    [
        ("metrics/pools/NO-POOL", 404, "POOL_NOT_FOUND", "pool_id"),
        ("metrics/pools/LOL", 400, "INVALID_POOL_ID", "pool_id"),
        ("metrics/pools?pool_id=LOL", 400, "INVALID_POOL_ID", "pool_id"),
        ("metrics/pools?cursor=abc", 400, "INVALID_CURSOR", "cursor"),
        ("metrics/pools/LOL-WTF?start_date=yesterday", 400, "INVALID_DATE", "start_date"),
        ("metrics/pools/LOL-WTF?end_date=2024-02-30", 400, "INVALID_DATE", "end_date"),
        ("metrics/pools/LOL-WTF?start_date=2024-01-02&end_date=2024-01-01", 400, "INVALID_DATE", "start_date"),
        ("metrics/pools/LOL-WTF?days=0", 422, "INVALID_PARAMETER", "days"),
        ("metrics/pools/LOL-WTF?days=36501", 422, "INVALID_PARAMETER", "days"),
        ("metrics/pools/LOL-WTF?start_block=-1", 422, "INVALID_PARAMETER", "start_block"),
        ("metrics/pools/LOL-WTF?end_block=2147483648", 422, "INVALID_PARAMETER", "end_block"),
        ("metrics/timeseries?days=366", 422, "INVALID_PARAMETER", "days"),
        ("metrics/top-executors?limit=101", 422, "INVALID_PARAMETER", "limit"),
        ("metrics/rewards/pools/NO-POOL", 404, "POOL_NOT_FOUND", "pool_id"),
        ("metrics/rewards/positions?owner=nobody", 400, "INVALID_ADDRESS", "owner"),
        ("metrics/rewards/positions?has_rewards=maybe", 422, "INVALID_PARAMETER", "has_rewards"),
        ("pools/NO-POOL/fees/daily", 404, "POOL_NOT_FOUND", "pool_id"),
        ("pools/LOL/fees/daily", 400, "INVALID_POOL_ID", "pool_id"),
        ("pools/LOL-WTF/fees/daily?days=366", 422, "INVALID_PARAMETER", "days"),
        ("pools/LOL-WTF/fees/daily?end_date=x", 400, "INVALID_DATE", "end_date"),
    ],
)
def test_what_cannot_be_answered_says_why(client: httpx.Client, path: str, status: int, code: str, field: str) -> None:
    response = client.get(f"{SWAP}/{path}")
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (status, code, field)


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "9999-12-31", "2024-W01"])
def test_the_ends_of_the_calendar_are_dates(client: httpx.Client, date: str) -> None:
    assert ask(client, "pools/LOL-WTF", start_date=date)["total_executions"] == 2
