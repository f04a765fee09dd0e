"""The recorded contract of the predecessor: every field that its clients know is there, with the type they expect."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.helpers.recorded import people

CONTRACT = {
    route["path"]: route
    for route in json.loads((Path(__file__).parents[1] / "data/api_contract.json").read_text())
    if route["method"] == "GET"
}
SERVED = (
    "/v1/indexer/brc20/health",
    "/v1/indexer/brc20/status",
    "/v1/indexer/brc20/list",
    "/v1/indexer/brc20/{ticker}/info",
    "/v1/indexer/brc20/{ticker}/holders",
    "/v1/indexer/brc20/{ticker}/history",
    "/v1/indexer/brc20/{ticker}/tx/{txid}/history",
    "/v1/indexer/address/{address}/brc20/{ticker}/info",
    "/v1/indexer/brc20/address/{address}/tickers",
    "/v1/indexer/address/{address}/history",
    "/v1/indexer/brc20/history-by-height/{height}",
    "/",
    "/health",
)
TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "boolean": bool, "number": (int, float)}


def filled(path: str) -> str:
    txid = "d7a64d03d4e298c696e1b00719152c35291cec65cc34d2eebfc1a0ffef9f31c7"
    return path.format(ticker="WTF", txid=txid, address=people()["alice"], height=116)


def assert_shape(shape: dict[str, Any], value: Any, where: str) -> None:
    if shape["type"] == "oneOf":
        shape = shape["options"][0]
    if value is None:
        assert shape["nullable"], where
    elif shape["type"] == "array":
        assert value, f"{where}: an example with rows"
        for item in value:
            assert_shape(shape["items"], item, f"{where}[]")
    elif shape["type"] == "object":
        for name, inner in shape["properties"].items():
            assert name in value, f"{where}.{name}"
            assert_shape(inner, value[name], f"{where}.{name}")
    else:
        assert isinstance(value, TYPES[shape["type"]]), where


@pytest.mark.parametrize("path", SERVED)
def test_every_field_that_clients_know_is_there(client: httpx.Client, path: str) -> None:
    response = client.get(filled(path))
    assert response.status_code == CONTRACT[path]["success_status"]
    assert_shape(CONTRACT[path]["response"], response.json(), path)


@pytest.mark.parametrize("path", SERVED)
def test_every_parameter_that_clients_send_is_taken(client: httpx.Client, path: str) -> None:
    documented = client.get("/openapi.json").json()["paths"][path]["get"].get("parameters", [])
    names = {(parameter["in"], parameter["name"]) for parameter in documented}
    expected = {(parameter["in"], parameter["name"]) for parameter in CONTRACT[path]["params"]}
    # Virtual balances of pools come with pools.
    assert expected - {("query", "include_virtual")} <= names


def test_what_clients_send_beyond_that_is_ignored(client: httpx.Client) -> None:
    """Contract, section 2: unknown query parameters; section 5: headers that a browser asks leave for."""
    plain = client.get("/v1/indexer/brc20/list")
    assert client.get("/v1/indexer/brc20/list?nonsense=1", headers={"X-API-Key": "k"}).json() == plain.json()
    preflight = client.options(
        "/v1/indexer/brc20/list",
        headers={
            "Origin": "https://wallet.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "x-client,x-version,x-channel",
        },
    )
    assert preflight.status_code == 200
    assert set(preflight.headers["access-control-allow-headers"].replace(" ", "").split(",")) >= {
        "x-client",
        "x-version",
        "x-channel",
    }


def test_any_origin_may_read_but_never_with_credentials(client: httpx.Client) -> None:
    headers = client.get("/v1/indexer/brc20/list", headers={"Origin": "https://evil.example", "Cookie": "a=b"}).headers
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers


def test_a_trailing_slash_leads_to_the_path_without_it(client: httpx.Client) -> None:
    response = client.get("/v1/indexer/brc20/WTF/info/")
    assert response.status_code == 307
    assert response.headers["location"].endswith("/v1/indexer/brc20/WTF/info")
