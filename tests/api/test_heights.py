"""Any height: what is told of a block is what the public tables say of it, modules included."""

from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tests.helpers.api import got
from tests.helpers.recorded import TIP, people
from warehouse.duckdb_engine import connect

BRC20 = "/v1/indexer/brc20"
HEIGHTS = [0, 115, 116, 117, 123, 126, 139, 141, 147]
"""Before anything, before and after the fold, and around swaps, wraps and stakes."""

ALL_BALANCES = """
    SELECT ticker, address, balance::VARCHAR FROM (
        SELECT ticker, address, balance FROM balances UNION ALL SELECT ticker, address, balance FROM y_balances
    ) WHERE balance > 0
"""
FIGURES = """
    SELECT supply.ticker, minted::VARCHAR, coalesce(locked, 0) + coalesce(total_staked, 0), holders
    FROM supply
    LEFT JOIN (SELECT source AS ticker, sum(locked) AS locked FROM current_positions WHERE status = 'active' GROUP BY 1)
        USING (ticker)
    LEFT JOIN (SELECT staking_ticker AS ticker, sum(total_staked) AS total_staked FROM current_programs GROUP BY 1)
        USING (ticker)
"""


@pytest.mark.parametrize("height", HEIGHTS)
def test_balances_and_holders_after_a_block(client: httpx.Client, lake: Path, height: int) -> None:
    with connect(lake, height) as sql:
        rows: list[tuple[str, str, str]] = sql.sql(ALL_BALANCES + " ORDER BY balance DESC, address").fetchall()
    for ticker in {ticker for ticker, _, _ in rows}:
        listed = got(client, f"{BRC20}/{ticker}/holders", height=height)
        assert [(row["wallet"], row["overall_balance"]) for row in listed] == [
            row[1:] for row in rows if row[0] == ticker
        ]
        assert got(client, f"{BRC20}/{ticker}/info", height=height)["holders"] == len(listed)
        assert got(client, f"{BRC20}/{ticker}/holders/all", height=height)["data"] == listed
        for row in listed:
            path = f"/v1/indexer/address/{row['wallet']}/brc20/{ticker}/info"
            assert got(client, path, height=height) == row
    for address in people().values():
        listed = got(client, f"{BRC20}/address/{address}/tickers", height=height)
        assert {(row["ticker"], row["overall_balance"]) for row in listed} == {
            (ticker, amount) for ticker, holder, amount in rows if holder == address
        }


@pytest.mark.parametrize("height", HEIGHTS)
def test_tokens_after_a_block(client: httpx.Client, lake: Path, height: int) -> None:
    with connect(lake, height) as sql:
        figures = sql.sql(FIGURES).fetchall()
        deployed = {ticker for (ticker,) in sql.sql("SELECT ticker FROM tokens").fetchall()}
    listed = got(client, f"{BRC20}/list", height=height)
    assert {row["ticker"] for row in listed} == deployed
    for ticker, minted, locked, holders in figures:
        info = got(client, f"{BRC20}/{ticker}/info", height=height)
        assert (info["total_locked"], info["holders"]) == (f"{locked:.8f}", holders)
        if not info["is_curve"]:
            assert info["minted"] == minted
        assert ticker not in deployed or info in listed


@pytest.mark.parametrize("height", HEIGHTS)
def test_the_hash_of_all_balances_is_that_of_their_text(client: httpx.Client, lake: Path, height: int) -> None:
    """docs/protocol.md, section 16: lines sorted by the bytes of the ticker, then of the address."""
    with connect(lake, height) as sql:
        rows = sql.sql(ALL_BALANCES).fetchall()
        ((block_hash,),) = sql.sql("SELECT hash FROM tip").fetchall()
    lines = [";".join(row) for row in sorted(rows, key=lambda row: (row[0].encode(), row[1].encode()))]
    assert got(client, f"{BRC20}/balances-hash", height=height) == {
        "height": height,
        "hash": block_hash,
        "balances_hash": sha256("\n".join(lines).encode()).hexdigest(),
        "accounts": len(lines),
    }


def test_the_newest_block_is_meant_where_none_is_named(client: httpx.Client) -> None:
    alice = people()["alice"]
    for path in ("WTF/info", "yWTF/info", "WTF/holders", "list", "balances-hash", f"address/{alice}/tickers"):
        assert got(client, f"{BRC20}/{path}") == got(client, f"{BRC20}/{path}", height=TIP)


def test_a_receipt_is_a_token_with_holders(client: httpx.Client, lake: Path) -> None:
    """R-CURVE-STATE-3: `yWTF` in any case of its base, with the deploy of the program that keeps it."""
    with connect(lake) as sql:
        ((total, holders),) = sql.sql(
            "SELECT sum(balance)::VARCHAR, count(*) FROM y_balances WHERE balance > 0"
        ).fetchall()
        ((txid, start),) = sql.sql("SELECT deploy_txid, start_height FROM current_programs").fetchall()
    info = got(client, f"{BRC20}/ywtf/info")
    assert (info["ticker"], info["minted"], info["current_supply"], info["holders"]) == ("yWTF", total, total, holders)
    assert (info["deploy_tx_id"], info["deploy_block_height"], info["is_curve"]) == (txid, start, False)
    assert info["remaining_supply"] == "0.00000000"
    assert len(got(client, f"{BRC20}/yWTF/holders", limit=2)) == 2
    assert [row["ticker"] for row in got(client, f"{BRC20}/ywtf/history")] == ["yWTF"] * 2
    assert client.get(f"{BRC20}/ylol/info").status_code == 404
    assert client.get(f"{BRC20}/ywtf/info?height={start - 1}").json()["code"] == "TICKER_NOT_FOUND"


def test_rewards_and_wrapped_coins_have_their_own_formulas(client: httpx.Client, lake: Path) -> None:
    """Contract, section 3: the sum of all balances; nothing of a reward counts as locked."""
    with connect(lake) as sql:
        ((reward,),) = sql.sql("SELECT ticker FROM current_programs").fetchall()
        sums = dict(sql.sql("SELECT ticker, sum(balance)::DECIMAL(38, 8)::VARCHAR FROM balances GROUP BY 1").fetchall())
    info = got(client, f"{BRC20}/{reward}/info")
    assert info["is_curve"]
    held = sums.get(reward, "0.00000000")
    assert (info["minted"], info["current_supply"], info["circulating_supply"]) == (held,) * 3
    wrapped = got(client, f"{BRC20}/W/info")
    assert (wrapped["minted"], wrapped["current_supply"]) == ("35000.00000000", sums["W"])
    assert (wrapped["remaining_supply"], wrapped["max_supply"]) == ("30000.00000000", "0.00000000")


def test_many_balances_at_once(client: httpx.Client) -> None:
    """In the order in which they were asked for, unknown ones and repetitions included, at any height."""
    people_ = list(people().values())
    pairs = [{"address": address, "ticker": ticker} for ticker in ("wtf", "ywtf", "NOPE") for address in people_]
    pairs += [
        {"address": people()["alice"].upper(), "ticker": "LOL"},
        {"address": "POOL::LOL-WTF", "ticker": "LOL"},
    ] * 2
    for parameters in ({}, {"height": 117}):
        answer = client.post(f"{BRC20}/balances", json={"pairs": pairs, **parameters})
        expected = [
            got(client, f"/v1/indexer/address/{pair['address']}/brc20/{pair['ticker']}/info", **parameters)
            for pair in pairs
            if pair["address"] != "POOL::LOL-WTF"
        ]
        assert [row for row in answer.json() if row["wallet"] != "POOL::LOL-WTF"] == expected
        assert len(answer.json()) == len(pairs)


ALICE_A = {"address": people()["alice"], "ticker": "A"}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"pairs": []}, 422, "pairs"),
        ({"pairs": [ALICE_A] * 1001}, 422, "pairs"),
        ({"pairs": [{"address": people()["alice"]}]}, 422, "ticker"),
        ({"pairs": [ALICE_A, {"address": "x", "ticker": "A"}]}, 400, "pairs.1.address"),
        ({"pairs": [ALICE_A], "height": 148}, 404, "height"),
    ],
)  # fmt: skip
def test_batches_that_cannot_be_answered(client: httpx.Client, body: object, status: int, field: str) -> None:
    response = client.post(f"{BRC20}/balances", json=body)
    assert (response.status_code, response.json()["field"]) == (status, field), response.text


@pytest.mark.parametrize("path", ["WTF/info", "WTF/holders", "WTF/holders/all", "list", "list/all", "balances-hash"])
def test_heights_that_are_not_published(client: httpx.Client, path: str) -> None:
    response = client.get(f"{BRC20}/{path}", params={"height": TIP + 1})
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (
        404,
        "BLOCK_NOT_FOUND",
        "height",
    )
    for height in (-1, 1 << 31, "x"):
        response = client.get(f"{BRC20}/{path}", params={"height": height})
        assert (response.status_code, response.json()["field"]) == (422, "height")
