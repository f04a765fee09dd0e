"""What is answered without the router is what the router would have answered."""

from urllib.parse import quote

import duckdb
import httpx

DESCRIPTION = ("content-type", "x-block-height", "x-block-hash", "cache-control", "vary", "ratelimit-limit")
ROUTE = "/v1/indexer/address/{address}/brc20/{ticker}/info"


def both_ways(client: httpx.Client, path: str) -> httpx.Response:
    """The answer; a query, even one that means nothing, leads to the router, which must say the same."""
    short, usual = client.get(path), client.get(path, params={"nothing": "1"})
    bodies = [{**answer.json(), "request_id": None} for answer in (short, usual)]
    assert (short.status_code, bodies[0]) == (usual.status_code, bodies[1])
    assert [short.headers.get(name) for name in DESCRIPTION] == [usual.headers.get(name) for name in DESCRIPTION]
    return short


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
