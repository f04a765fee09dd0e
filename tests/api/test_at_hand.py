"""What is answered without the router is what the router would have answered."""

from typing import Any
from urllib.parse import quote

import duckdb
import httpx
import pytest
from starlette.routing import Match

from api.app import ROUTERS
from api.at_hand import PAGES, ROWS

DESCRIPTION = (
    *("content-type", "x-block-height", "x-block-hash", "cache-control", "vary", "ratelimit-limit"),
    "x-next-cursor",
)
ROUTE = "/v1/indexer/address/{address}/brc20/{ticker}/info"


def both_ways(client: httpx.Client, path: str) -> httpx.Response:
    """The answer; a query, even one that means nothing, leads to the router, which must say the same."""
    short, usual = client.get(path), client.get(path + ("&" if "?" in path else "?") + "nothing=1")
    bodies = [_without_id(answer.json()) for answer in (short, usual)]
    assert (short.status_code, bodies[0]) == (usual.status_code, bodies[1])
    assert [short.headers.get(name) for name in DESCRIPTION] == [usual.headers.get(name) for name in DESCRIPTION]
    return short


def _without_id(body: Any) -> Any:
    return {**body, "request_id": None} if isinstance(body, dict) else body


def test_every_account(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    rows = sql.execute("SELECT ticker, address, balance::VARCHAR FROM balances").fetchall()
    assert rows
    for ticker, address, balance in rows:
        for spelt in (ticker, ticker.lower()):
            path = f"/v1/indexer/address/{quote(address)}/brc20/{quote(spelt, safe='')}/info"
            assert both_ways(client, path).json()["overall_balance"] == balance


def test_every_token(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    rows = sql.execute("SELECT ticker, holders FROM supply").fetchall()
    assert rows
    for ticker, holders in rows:
        answer = both_ways(client, f"/v1/indexer/brc20/{quote(ticker, safe='')}/info").json()
        assert (answer["ticker"], answer["holders"]) == (ticker, holders)


@pytest.mark.parametrize("query", ["", "?limit=1", "?limit=3", "?limit=100"])
@pytest.mark.parametrize("list_", ["holders", "history"])
def test_the_first_page_of_every_token(
    client: httpx.Client, sql: duckdb.DuckDBPyConnection, list_: str, query: str
) -> None:
    tickers = [ticker for (ticker,) in sql.execute("SELECT ticker FROM supply").fetchall()]
    pages = [both_ways(client, f"/v1/indexer/brc20/{quote(ticker, safe='')}/{list_}{query}") for ticker in tickers]
    assert any(page.json() for page in pages)
    if query == "?limit=1":
        assert any("x-next-cursor" in page.headers for page in pages)


@pytest.mark.parametrize("query", ["?limit=101", "?limit=0", "?limit=07", "?limit=1&skip=1", "?limit=1%00", "?limit="])
def test_other_pages_take_the_usual_way(client: httpx.Client, query: str) -> None:
    for list_ in ("holders", "history"):
        both_ways(client, f"/v1/indexer/brc20/LOL/{list_}{query}")


def test_the_router_would_have_chosen_the_same_route() -> None:
    routes = [route for module in ROUTERS for route in module.router.routes]
    for lookup in (*ROWS, *PAGES):
        path = lookup.route.path_format.replace("{ticker}", "X").replace("{address}", "Y")
        assert lookup.path.fullmatch(path)
        scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
        first = next(route for route in routes if route.matches(scope)[0] is Match.FULL)
        assert first is lookup.route


def test_what_is_not_at_hand_takes_the_usual_way(client: httpx.Client) -> None:
    address = "bcrt1qxcjufgh2jarkp2qkx68azh08w9v5gah8u6es8s"
    assert both_ways(client, "/v1/indexer/brc20/NOSUCH/info").status_code == 404
    assert both_ways(client, "/v1/indexer/address/nobody/brc20/LOL/info").status_code == 400
    assert (
        both_ways(client, f"/v1/indexer/address/{address}/brc20/NOSUCH/info").json()["overall_balance"] == "0.00000000"
    )
    assert client.post("/v1/indexer/brc20/LOL/info").status_code == 405


def test_it_is_counted_under_its_route(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    ticker, address = sql.execute("SELECT ticker, address FROM balances LIMIT 1").fetchall()[0]
    client.get(f"/v1/indexer/address/{address}/brc20/{ticker}/info")
    assert f'route="{ROUTE}",status="200"' in client.get("/metrics").text


def test_rows_of_a_page_are_counted(client: httpx.Client) -> None:
    def counted() -> float:
        metrics = client.get("/metrics").text
        return float(metrics.partition("\nsimplicity_http_rows_total ")[2].split("\n")[0])

    before = counted()
    rows = client.get("/v1/indexer/brc20/LOL/holders").json()
    assert rows
    assert counted() == before + len(rows)
