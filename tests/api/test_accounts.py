"""What clients name: addresses and accounts of pools under every parameter, and tickers of any characters."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import httpx
import pytest

from api.app import create_app
from api.guard import cost_of
from engine.judge import Engine
from ingest.networks import REGTEST
from tests.helpers.api import got, running
from tests.helpers.builders import address, candidates, headers, operation
from tests.helpers.recorded import people
from warehouse.lake import Lake

POOL = "POOL::LOL-WTF"
B = "/v1/indexer"
NAMES = ("address", "owner", "executor", "creator", "script_address")
KNOWN = {"ticker": "CRV", "height": "147"}
DOCUMENT: dict[str, Any] = create_app(Path("nowhere")).openapi()["paths"]
ASKED = [
    pytest.param(path, parameter["name"], parameter["in"] == "path", id=f"{path} {parameter['name']}")
    for path, methods in DOCUMENT.items()
    for parameter in methods.get("get", {}).get("parameters", ())
    if parameter["name"] in NAMES and path != "/v1/events"
]


def asked(client: httpx.Client, path: str, name: str, in_path: bool, value: str) -> httpx.Response:
    names = KNOWN | ({name: quote(value, safe=":")} if in_path else {})
    return client.get(path.format(**names), params=None if in_path else {name: value})


@pytest.mark.parametrize(("path", "name", "in_path"), ASKED)
def test_an_address_is_read_alike_wherever_it_is_asked_for(
    client: httpx.Client, path: str, name: str, in_path: bool
) -> None:
    """A pool's account is one, in any spelling; what is no address is told so, under the name of the parameter."""
    spellings = [asked(client, path, name, in_path, text) for text in (POOL, "POOL::wtf-lol")]
    for response in spellings:
        assert response.status_code == 200 or response.json()["code"] == "VAULT_NOT_FOUND", response.text
    if spellings[0].status_code == 200:
        assert spellings[0].json() == spellings[1].json()
    upper = asked(client, path, name, in_path, people()["alice"].upper())
    assert upper.status_code == 200 or upper.json()["code"] == "VAULT_NOT_FOUND", upper.text
    mainnet = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
    for text in ("nonsense", "POOL::", "POOL::WTF", "POOL::-WTF", people()["alice"][:-1] + "x", mainnet):
        refused = asked(client, path, name, in_path, text)
        assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_ADDRESS"), text
        assert refused.json()["field"] == name


def test_what_is_told_of_a_pool_is_what_the_tables_have(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    held = sql.execute(
        "SELECT ticker, balance::VARCHAR FROM balances WHERE address = ? ORDER BY balance DESC", [POOL]
    ).fetchall()
    assert [(row["ticker"], row["overall_balance"]) for row in got(client, f"{B}/brc20/address/{POOL}/tickers")] == held
    pairs = [{"address": text, "ticker": ticker} for ticker, _ in held for text in (POOL, "POOL::wtf-lol")]
    answered = client.post(f"{B}/brc20/balances", json={"pairs": pairs}).json()
    assert [(row["wallet"], row["ticker"], row["overall_balance"]) for row in answered] == [
        (POOL, *row) for row in held for _ in range(2)
    ]
    assert got(client, f"{B}/address/{POOL}/history") == [], "a pool neither sends nor receives an operation"
    changes = sql.execute("SELECT count(*) FROM balance_events WHERE address = ?", [POOL]).fetchall()[0][0]
    assert got(client, f"{B}/swap/balance-changes", address=POOL)["total"] == changes > 0
    none = got(client, f"{B}/address/POOL::A-B/brc20/WTF/info")
    assert (none["wallet"], none["overall_balance"]) == ("POOL::A-B", "0.00000000")
    waiting = client.post("/v1/mempool/check-pending", json={"address": POOL, "ticker": "WTF"})
    assert waiting.json()["has_pending_transfer"] is False


ODD = ("a/b", "%", "%25", "a b", "?x", "#", "A\nB", "\n", "\x7f", "€", "é", "info", "a/holders", "+")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Asks a lake in which tokens have names that need care."""
    directory = tmp_path_factory.mktemp("odd") / "lake"
    texts = [f'{{"p":"brc-20","op":"deploy","tick":{quoted(ticker)},"m":"21","l":"5"}}' for ticker in ODD]
    texts += [f'{{"p":"brc-20","op":"mint","tick":{quoted(ticker)},"amt":"5"}}' for ticker in ODD]
    mined = {0: [operation(text, "alice", "bob", salt) for salt, text in enumerate(texts, 1)]}
    found = candidates(mined)
    with Lake.create(directory, REGTEST.name, 0) as lake:
        lake.commit(Engine(REGTEST).judge(headers(mined), found), found)
        with running(create_app(directory)) as client:
            yield client


def quoted(text: str) -> str:
    """JSON that spells control characters out."""
    return '"' + "".join(f"\\u{ord(each):04x}" if ord(each) < 32 or ord(each) == 127 else each for each in text) + '"'


@pytest.mark.parametrize("ticker", ODD, ids=ascii)
def test_a_token_is_found_by_its_name_whatever_the_name_is(odd: httpx.Client, ticker: str) -> None:
    bob, path = address("bob"), quote(ticker, safe="")
    normal = ticker.upper()
    assert odd.get(f"{B}/address/{bob}/brc20/{path}/info").json()["overall_balance"] == "5.00000000"
    assert got(odd, f"{B}/brc20/{path}/info")["ticker"] == normal
    assert [row["wallet"] for row in got(odd, f"{B}/brc20/{path}/holders")] == [bob]
    assert [row["op"] for row in got(odd, f"{B}/brc20/{path}/history")] == ["mint", "deploy"]
    assert [row["op"] for row in got(odd, f"{B}/address/{bob}/history", ticker=ticker)] == ["mint", "deploy"]
    found = [row["ticker"] for row in got(odd, f"{B}/brc20/list", search=ticker)]
    assert normal in found
    assert all(normal in name for name in found)


def test_no_name_makes_a_question_cheaper() -> None:
    assert cost_of("/v1/indexer/brc20/A\nB/history") == cost_of("/v1/indexer/brc20/A/history") == 5
    assert cost_of("/v1/indexer/brc20/A\nB/holders/all") == cost_of("/v1/indexer/brc20/A/holders/all") == 20
