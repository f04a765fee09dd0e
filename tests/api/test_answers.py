"""Every route says what the public tables say, in the shapes that clients know."""

import re
from collections.abc import Iterator
from typing import Any

import duckdb
import httpx
import pytest

from tests.helpers.api import got
from tests.helpers.recorded import TIP, people

BRC20 = "/v1/indexer/brc20"
AMOUNT = re.compile(r"\d+\.\d{8}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def rows(sql: duckdb.DuckDBPyConnection, query: str, *values: object) -> list[tuple[Any, ...]]:
    return sql.execute(query, list(values)).fetchall()


def texts(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of an answer with the name of its field."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, name)
    else:
        yield name, value


def test_token_figures(client: httpx.Client) -> None:
    """LOL: 1000 at most, 400 a mint; 400 + 400 + 200 were minted, nothing is left; positions lock some of it."""
    assert got(client, f"{BRC20}/lol/info") == {
        "ticker": "LOL",
        "decimals": 8,
        "max_supply": "1000.00000000",
        "limit_per_mint": "400.00000000",
        "actual_deploy_txid_for_api": "fa3fbffc62c5874d1133ef70b8ce1c4fb2fec40bb054b17ff023bd83acb4d565",
        "deploy_tx_id": "fa3fbffc62c5874d1133ef70b8ce1c4fb2fec40bb054b17ff023bd83acb4d565",
        "deploy_block_height": 115,
        "deploy_timestamp": got(client, f"{BRC20}/history-by-height/115")[0]["timestamp"],
        "creator_address": people()["bob"],
        "remaining_supply": "0.00000000",
        "minted": "1000.00000000",
        "current_supply": "1000.00000000",
        "circulating_supply": "701.50376887",
        "total_locked": "298.49623113",
        "holders": 5,
        "is_curve": False,
    }


def test_stones_are_known_without_a_deploy(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    """R-CORE-STONE-4: minted without limit; what a deploy would say is zero or empty."""
    info = got(client, f"{BRC20}/STONES/info")
    ((minted,),) = rows(sql, "SELECT sum(delta)::DECIMAL(38,8)::VARCHAR FROM balance_events WHERE ticker = 'STONES'")
    assert float(minted) > 0
    assert (info["minted"], info["current_supply"], info["circulating_supply"]) == (minted,) * 3
    assert (info["max_supply"], info["remaining_supply"], info["limit_per_mint"]) == ("0.00000000", "0.00000000", None)
    assert (info["deploy_tx_id"], info["deploy_timestamp"], info["creator_address"]) == ("", "", "")
    assert "STONES" not in [token["ticker"] for token in got(client, f"{BRC20}/list")]


def test_the_list_has_every_deploy_newest_first_in_pages(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    expected = rows(sql, "SELECT ticker FROM tokens ORDER BY deploy_height DESC, deploy_op_index DESC")
    listed = got(client, f"{BRC20}/list")
    assert [(token["ticker"],) for token in listed] == expected
    assert len(expected) >= 3
    for token in listed:
        assert token == got(client, f"{BRC20}/{token['ticker']}/info")
    assert [got(client, f"{BRC20}/list", skip=n, limit=1) for n in range(len(listed))] == [[token] for token in listed]


def test_every_balance_is_that_of_the_table(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    """Held before and after the fold, spent, and credited last at the height that `block_height` says."""
    balances = rows(sql, "SELECT ticker, address, balance::VARCHAR, credit_height FROM balances")
    assert len(balances) > 10
    for ticker, address, balance, credit_height in balances:
        assert got(client, f"/v1/indexer/address/{address}/brc20/{ticker.lower()}/info") == {
            "pkscript": "",
            "ticker": ticker,
            "wallet": address,
            "overall_balance": balance,
            "available_balance": balance,
            "block_height": credit_height,
        }


def test_an_unknown_balance_is_zero(client: httpx.Client) -> None:
    alice = people()["alice"]
    for ticker in ("NOPE", "yNOPE", "a/b", "%", "é"):
        answer = got(
            client, f"/v1/indexer/address/{alice}/brc20/{httpx.URL('/', params={'t': ticker}).query.decode()[2:]}/info"
        )
        assert (answer["overall_balance"], answer["block_height"]) == ("0.00000000", 0)


def test_a_ticker_is_found_by_its_normal_form_alone(client: httpx.Client) -> None:
    """R-CORE-TICK-1, D-5: no pattern matches a ticker, and `Y` is the receipt's `y`."""
    alice = people()["alice"]
    held = got(client, f"/v1/indexer/address/{alice}/brc20/wtf/info")
    assert held["overall_balance"] != "0.00000000"
    for other in ("W_F", "WT%25", "%25", "ywtf", "YWTF", "%20WTF"):
        assert got(client, f"/v1/indexer/address/{alice}/brc20/{other}/info")["overall_balance"] == "0.00000000"
    assert got(client, f"/v1/indexer/address/{alice}/brc20/YWTF/info")["ticker"] == "yWTF"


def test_an_address_in_capitals_is_the_same_address(client: httpx.Client) -> None:
    """Bech32 may be written in capitals; base58 may not, there it is another text."""
    alice = people()["alice"]
    expected = got(client, f"/v1/indexer/address/{alice}/brc20/WTF/info")
    assert got(client, f"/v1/indexer/address/{alice.upper()}/brc20/WTF/info") == expected
    assert client.get(f"/v1/indexer/address/{people()['erin'].upper()}/brc20/WTF/info").status_code == 400


def test_holders_in_order_and_in_pages(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    for (ticker,) in rows(sql, "SELECT DISTINCT ticker FROM balances"):
        expected = rows(
            sql,
            "SELECT address, balance::VARCHAR, credit_height FROM balances WHERE ticker = ? AND balance > 0 "
            "ORDER BY balance DESC, address",
            ticker,
        )
        listed = got(client, f"{BRC20}/{ticker}/holders")
        assert [(row["wallet"], row["overall_balance"], row["block_height"]) for row in listed] == expected
        assert {row["ticker"] for row in listed} <= {ticker}
        pages = [got(client, f"{BRC20}/{ticker}/holders", skip=n, limit=2) for n in range(len(listed) + 1)]
        assert pages == [listed[n : n + 2] for n in range(len(listed) + 1)]
        assert got(client, f"{BRC20}/{ticker}/info")["holders"] == len(expected)


def test_balances_of_an_address(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    for address in people().values():
        expected = rows(
            sql,
            "SELECT ticker, balance::VARCHAR FROM (SELECT ticker, address, balance FROM balances UNION ALL "
            "SELECT ticker, address, balance FROM y_balances) WHERE address = ? AND balance > 0 "
            "ORDER BY balance DESC, ticker",
            address,
        )
        listed = got(client, f"{BRC20}/address/{address}/tickers")
        assert [(row["ticker"], row["overall_balance"]) for row in listed] == expected
        assert got(client, f"{BRC20}/address/{address}/tickers", skip=1, limit=1) == listed[1:2]


HISTORY = (
    "SELECT height, op_index FROM operations WHERE valid AND {} ORDER BY height DESC, tx_index DESC, op_index DESC"
)


def keys(answer: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(row["block_height"], row["id"] - 1_000_000 * row["block_height"]) for row in answer]


@pytest.mark.parametrize("op_type", [None, "mint", "transfer", "nothing"])
def test_token_history_filters_and_pages(
    client: httpx.Client, sql: duckdb.DuckDBPyConnection, op_type: str | None
) -> None:
    """`op_type` has an effect, every page is reachable, and nothing refused is shown."""
    condition = "ticker = 'WTF'" + (f" AND operation = '{op_type}'" if op_type else "")
    expected = rows(sql, HISTORY.format(condition))
    chosen = {"op_type": op_type} if op_type else {}
    assert keys(got(client, f"{BRC20}/wtf/history", **chosen)) == expected
    for skip in range(0, len(expected) + 2, 3):
        assert keys(got(client, f"{BRC20}/wtf/history", skip=skip, limit=4, **chosen)) == expected[skip : skip + 4]


def test_address_history_filters_and_pages(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    for address in people().values():
        theirs = f"'{address}' IN (from_address, to_address)"
        path = f"/v1/indexer/address/{address}/history"
        expected = rows(sql, HISTORY.format(theirs))
        assert keys(got(client, path)) == expected
        assert keys(got(client, path, skip=1, limit=2)) == expected[1:3]
        for ticker in ("LOL", "WTF", "NOPE"):
            of_ticker = rows(sql, HISTORY.format(f"{theirs} AND ticker = '{ticker}'"))
            assert keys(got(client, path, ticker=ticker.lower())) == of_ticker
        mints = rows(sql, HISTORY.format(f"{theirs} AND operation = 'mint' AND ticker = 'WTF'"))
        assert keys(got(client, path, ticker="wtf", op_type="mint")) == mints


def test_history_of_a_block(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    for height in range(TIP + 1):
        expected = rows(
            sql,
            "SELECT txid || ':' || vout, operation, ticker, amount::VARCHAR, from_address, to_address, marketplace, "
            "block_hash FROM operations WHERE height = ? AND valid ORDER BY tx_index, op_index",
            height,
        )
        names = ("op_id", "op", "ticker", "amount", "from_address", "to_address", "is_marketplace", "block_hash")
        answer = got(client, f"{BRC20}/history-by-height/{height}")
        assert [tuple(row[name] for name in names) for row in answer] == expected
        assert got(client, f"{BRC20}/history-by-height/{height}", skip=1, limit=1) == answer[1:2]


def test_history_of_a_transaction(client: httpx.Client) -> None:
    """The multi-transfer of block 118 has a record a step, in order; asked for another token it has none."""
    txid = "b1cde53f45c7afc825b814c76ea6977e609001c346fbb5cffd8d3c5e6f20a8d1"
    steps = got(client, f"{BRC20}/wtf/tx/{txid.upper()}/history")
    assert [step["amount"] for step in steps] == ["10.00000000", "20.00000000", "30.00000000"]
    assert [step["op_id"] for step in steps] == [f"{txid}:{vout}" for vout in (0, 2, 4)]
    assert len({step["id"] for step in steps}) == 3
    assert got(client, f"{BRC20}/lol/tx/{txid}/history") == []


def test_block_hashes_in_pages(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    names = ("height", "hash", "event_hash", "cumulative_hash", "record_hash")
    expected = rows(sql, f"SELECT {', '.join(names)} FROM blocks ORDER BY height")

    def hashes(**parameters: object) -> list[tuple[Any, ...]]:
        return [tuple(row[name] for name in names) for row in got(client, f"{BRC20}/block-hashes", **parameters)]

    assert hashes(limit=1000) == expected
    assert hashes() == expected[:100]
    assert hashes(**{"from": 140}) == expected[140:]
    assert hashes(to=3) == expected[:4]
    assert hashes(**{"from": 20, "to": 29}) == expected[20:30]
    assert hashes(limit=1, newest=1) == expected[-1:]
    assert hashes(**{"from": 5000}) == hashes(**{"from": 7, "to": 6}) == []


def test_status_shows_the_real_lag(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    ((last,),) = rows(sql, "SELECT max(height) FROM operations")
    assert got(client, f"{BRC20}/status") == {
        "current_block_height_network": 150,
        "last_indexed_block_main_chain": TIP,
        "last_indexed_brc20_op_block": last,
        "lag": 3,
        "network_height_error": None,
        "indexer": None,
        "indexer_error": None,
    }


def test_small_answers(client: httpx.Client) -> None:
    assert got(client, "/")["version"] == "0.1.0"
    assert got(client, "/health") == {"status": "ok"}
    assert got(client, "/live") == {"status": "live"}
    ready = got(client, "/ready")
    assert (ready["status"], ready["height"], ready["indexer"]) == ("ready", TIP, None)
    assert got(client, f"{BRC20}/health")["status"] == "healthy"


def test_one_spelling_of_amounts_and_times(client: httpx.Client) -> None:
    """Plain notation with 8 decimals, zero included; times in UTC to the second."""
    seen = set()
    paths = [f"{BRC20}/list", f"{BRC20}/WTF/holders", f"{BRC20}/WTF/history", f"{BRC20}/STONES/history"]
    for name, value in (leaf for path in paths for leaf in texts(got(client, path))):
        if value is None:
            continue
        if "supply" in name or "balance" in name or name in ("amount", "minted", "limit_per_mint", "total_locked"):
            assert AMOUNT.fullmatch(value), (name, value)
            seen.add(name)
        if "timestamp" in name:
            assert TIME.fullmatch(value), (name, value)
            seen.add(name)
    assert {"amount", "deploy_timestamp", "timestamp", "overall_balance", "max_supply"} <= seen
