"""Quotes, reserves, vaults and pages over a made chain of trades, where the recorded chain has too little of them."""

from collections.abc import Iterator
from decimal import Decimal, localcontext
from pathlib import Path
from urllib.parse import quote as encoded

import duckdb
import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.options import Options
from ingest.networks import REGTEST
from tests.helpers.api import got, running
from tests.helpers.builders import address
from tests.helpers.market_lake import FIRST_TRADE, LAST, TRADES, market_lake
from tests.helpers.module_chains import VAULTS
from warehouse.duckdb_engine import connect

SWAP = "/v1/indexer/swap"
GENEROUS = Options(anonymous_rate="1000000/minute")
EIGHTH = Decimal("0.00000001")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return market_lake(tmp_path_factory.mktemp("market"))[0]


@pytest.fixture(scope="module")
def client(lake: Path) -> Iterator[httpx.Client]:
    with running(create_app(lake, options=GENEROUS)) as client:
        yield client


@pytest.fixture(scope="module")
def sql(lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(lake) as connection:
        yield connection


def rounded(text: str) -> Decimal:
    with localcontext(prec=100):
        return Decimal(text).quantize(EIGHTH, "ROUND_HALF_UP")


def test_every_quote_is_what_the_next_block_made_of_the_order(
    client: httpx.Client, sql: duckdb.DuckDBPyConnection
) -> None:
    """Whole and partial fills, tiny ones, `y` tickers, positions that close."""
    trades = sql.execute(
        "SELECT height, source, destination, requested::VARCHAR, slippage, used, received, fee, partial, pool "
        "FROM executions ORDER BY height"
    ).fetchall()
    assert len(trades) == len(TRADES)
    assert {trade[8] for trade in trades} == {True, False}
    for height, source, destination, requested, slippage, used, received, fee, partial, pool in trades:
        quote = got(
            client, f"{SWAP}/quote", src=source, dst=destination, amount=requested, slippage=slippage, height=height - 1
        )
        with localcontext(prec=100):
            gross = Decimal(quote["amount_out"]) + Decimal(quote["protocol_fee"])
        assert rounded(quote["amount_in"]) == used
        assert rounded(str(gross)) == received
        assert rounded(quote["protocol_fee"]) == fee
        assert (quote["is_partial_fill"], quote["pool_id"]) == (partial, pool)


def test_reserves_of_receipts_grow_with_the_index(client: httpx.Client, lake: Path) -> None:
    """D-43: each position is worth what it locks times the index now by the index then, rounded down."""
    reserves = []
    for height in (FIRST_TRADE - 2, FIRST_TRADE, FIRST_TRADE + 2):
        with connect(lake, height) as then, localcontext(prec=50):
            ((index,),) = then.execute(
                "SELECT \"index\" FROM current_programs WHERE staking_ticker = 'WTF' "
                "ORDER BY start_height, deploy_txid LIMIT 1"
            ).fetchall()
            rows = then.execute(
                "SELECT locked, index_at_lock FROM current_positions WHERE source = 'yWTF' AND status = 'active'"
            ).fetchall()
            worth = [(locked * (Decimal(index) / Decimal(at))).quantize(EIGHTH, "ROUND_FLOOR") for locked, at in rows]
        assert len(rows) == 2
        found = got(client, f"{SWAP}/pools/yWTF-LOL/reserves", height=height)
        assert (found["token_a"], found["token_b"]) == ("LOL", "yWTF")
        assert found["reserve_b"] == f"{sum(worth):.8f}"
        reserves.append(Decimal(found["reserve_b"]))
    assert reserves == sorted(set(reserves))


def test_a_pool_of_a_ticker_with_a_hyphen(client: httpx.Client) -> None:
    """Two ways to read `a-b-c`; one of them exists."""
    for name in ("A-B-C", "c-a-b"):
        assert got(client, f"{SWAP}/pools/{name}/reserves")["token_a"] == "A-B"
    refused = client.get(f"{SWAP}/pools/b-a-c/reserves")
    assert (refused.status_code, refused.json()["code"]) == (404, "POOL_NOT_FOUND")


def test_pools_show_what_active_positions_lock_each_way(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    expected = sql.execute(
        "SELECT pool, source, destination, count(*), sum(locked)::DECIMAL(38, 8)::VARCHAR, min(unlock_height) "
        "FROM current_positions WHERE status = 'active' GROUP BY ALL ORDER BY 6, 1, 2"
    ).fetchall()
    assert len(expected) == 3
    assert [tuple(row.values()) for row in got(client, f"{SWAP}/pools")["items"]] == expected
    locked = got(client, f"{SWAP}/tokens/locked")["tokens"]
    assert {row["ticker"]: row["total_locked"] for row in locked} == {row[1]: row[4] for row in expected}
    assert {row["ticker"]: row["locked_percentage_of_supply"] for row in locked}["LOL"] == "0.00"
    detail = got(client, f"{SWAP}/pools/A-B-C/detail")
    assert (detail["pool"]["active_positions"], detail["is_pool_active"]) == (2, False)


def test_of_several_vaults_at_one_address_an_active_one_is_shown(client: httpx.Client) -> None:
    """Three mints locked at one address; a burn closed the oldest."""
    locked = VAULTS[0].address(REGTEST)
    listed = got(client, "/v1/indexer/w/contracts", script_address=locked)["items"]
    assert [row["status"] for row in listed] == ["active", "active", "closed"]
    assert (listed[2]["closure_height"], len(listed[2]["closing_txid"])) == (LAST, 64)
    assert got(client, f"/v1/indexer/w/contracts/{locked}") == listed[0]
    assert got(client, "/v1/indexer/w/contracts", status="closed")["items"] == [listed[2]]
    metrics = got(client, "/v1/indexer/w/metrics")
    assert (metrics["active_contracts"], metrics["closed_contracts"]) == ("8", "1")
    assert metrics["tvl_w"] == got(client, "/v1/indexer/w/tvl")["remaining_locked"] == "8000.00000000"


def test_stakers_include_the_accounts_of_pools(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    stakers = got(client, "/v1/indexer/brc20/yWTF/curve/stakers")["data"]
    assert "POOL::LOL-yWTF" in [row["address"] for row in stakers]
    expected = sql.execute(
        "SELECT address, staked::VARCHAR FROM current_accounts WHERE ticker = 'CRV' ORDER BY staked DESC, address"
    ).fetchall()
    assert [(row["address"], row["staked_amount"]) for row in stakers] == expected
    one = got(client, "/v1/indexer/brc20/CRV/curve/pending-rewards/POOL::LOL-yWTF")
    assert (one["has_position"], one["staked_amount"]) == (True, dict(expected)["POOL::LOL-yWTF"])
    programs = got(client, "/v1/indexer/brc20/curve/tokens/locked")["tokens"]
    assert {row["reward_ticker"] for row in programs} == {"CRV", "TWO", "EXP"}


LISTS = {
    f"{SWAP}/positions?status=active": "items",
    f"{SWAP}/owner/{address('alice')}/positions?status=active": "items",
    f"{SWAP}/expiring?height_lte=200": "items",
    f"{SWAP}/pools?": "items",
    f"{SWAP}/executions?": "items",
    "/v1/indexer/w/contracts?status=active": "items",
    "/v1/indexer/brc20/CRV/curve/stakers?": "data",
}


def test_pages_have_every_row_once_while_blocks_arrive(tmp_path: Path) -> None:
    """What is listed changes with the blocks that follow the first page: trades, expiries, a burn."""
    directory, more = market_lake(tmp_path, FIRST_TRADE + 1)
    with running(create_app(directory, options=GENEROUS)) as client:
        wholes = {path: got(client, path)[name] for path, name in LISTS.items()}
        pages = {path: got(client, f"{path}&limit=1") for path in LISTS}
        more()
        while int(client.get("/v1/indexer/w/tvl").headers["x-block-height"]) < LAST:
            pass
        for path, name in LISTS.items():
            page, walked = pages[path], pages[path][name]
            while page["next_cursor"]:
                page = got(client, f"{path}&limit=1&cursor={page['next_cursor']}")
                walked = walked + page[name]
            assert len(walked) > 1
            assert walked == wholes[path], path
            assert got(client, path)[name] != walked, path


TEXTS = st.one_of(
    st.sampled_from(
        ["LOL", "yWTF", "A-B-C", "lol-wtf", "%00", "", "-", ",", "1", "1e2", "NaN", "-0", "٣", "1e-999", "9" * 99]
    ),
    st.text(max_size=8).map(lambda text: encoded(text, safe="", errors="replace")),
    st.integers().map(str),
)
ROUTES = st.sampled_from(
    [
        f"{SWAP}/positions", f"{SWAP}/positions/{{}}", f"{SWAP}/owner/{{}}/positions", f"{SWAP}/expiring",
        f"{SWAP}/tvl/{{}}", f"{SWAP}/pools", f"{SWAP}/pools/{{}}/reserves", f"{SWAP}/pools/{{}}/detail",
        f"{SWAP}/quote", f"{SWAP}/quote?src=WTF&dst=LOL&height=104", f"{SWAP}/quote?src=LOL&dst=yWTF&height=104",
        f"{SWAP}/executions", f"{SWAP}/executions/{{}}", f"{SWAP}/tokens/locked", "/v1/indexer/w/contracts",
        "/v1/indexer/w/contracts/{}", "/v1/indexer/brc20/{}/curve/info", "/v1/indexer/brc20/{}/curve/stakers",
        "/v1/indexer/brc20/{}/curve/pending-rewards/x", "/v1/indexer/brc20/CRV/curve/pending-rewards/{}",
        "/v1/indexer/brc20/tickers/{}/curve", "/v1/indexer/brc20/curve/tokens/locked",
    ]
)  # fmt: skip
NAMES = st.sampled_from(
    ["src", "dst", "amount", "slippage", "height", "limit", "offset", "cursor", "owner", "status", "height_lte",
     "unlock_height_lte", "executor", "min_amount", "current_block", "script_address", "skip", "start"]
)  # fmt: skip


@given(route=ROUTES, text=TEXTS, parameters=st.lists(st.tuples(NAMES, TEXTS), max_size=4))
@example(
    route=f"{SWAP}/quote?src=LOL&dst=WTF&height=104", text="", parameters=[("amount", "1e-40"), ("slippage", "100")]
)
@example(
    route=f"{SWAP}/quote?src=LOL&dst=WTF&height=104", text="", parameters=[("amount", "1e27"), ("slippage", "1e-99")]
)
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_a_client_sends_is_a_500(
    client: httpx.Client, route: str, text: str, parameters: list[tuple[str, str]]
) -> None:
    query = "&".join(f"{name}={value}" for name, value in parameters)
    response = client.get(f"{route.format(text)}{'&' if '?' in route else '?'}{query}")
    assert response.status_code in (200, 307, 400, 404, 422), response.text
    if response.status_code >= 400:
        assert set(response.json()) == {"detail", "code", "field", "request_id"}
