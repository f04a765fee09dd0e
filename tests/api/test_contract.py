"""The recorded contract of the predecessor: every field that its clients know is there, with the type they expect."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.helpers.examples import BODIES, LOCKED, REQUESTS
from tests.helpers.recorded import people

CONTRACT = {
    route["path"]: route
    for route in json.loads((Path(__file__).parents[1] / "data/api_contract.json").read_text())
    if route["router"] != "framework"
}
"""Every route, the documented one that the predecessor did not register too."""

DOCUMENTED_ONLY = "/v1/indexer/brc20/history/all"
SERVED = sorted(CONTRACT)
POSTED = {path: BODIES[name] for name, path in REQUESTS.items() if name in BODIES}
ASKED = {
    "/v1/indexer/swap/expiring": "?height_lte=165",
    "/v1/indexer/swap/quote": "?src=LOL&dst=WTF&amount=10&slippage=50&height=125",
}
"""What has to be sent with a path."""
FAULTS = (".errors", ".warnings")
"""Lists that are empty as long as all is well."""
TYPES: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "boolean": bool, "number": (int, float)}


def filled(path: str) -> str:
    """A path with rows to show."""
    filled = path.format(
        ticker="CRV" if "/curve" in path else "LOL" if "/tvl/" in path else "WTF",
        txid="d7a64d03d4e298c696e1b00719152c35291cec65cc34d2eebfc1a0ffef9f31c7",
        address=people()["alice"],
        height=116,
        owner=people()["carol"],
        position_id=2,
        pool_id="LOL-WTF",
        execution_id=126_000_001,
        operation_id=126_000_001,
        change_id=1_260_000_003,
        script_address=LOCKED,
    )
    return filled + ASKED.get(path, "")


def shape_of(path: str) -> dict[str, Any]:
    """What clients expect; of the documented route what the one for a single token answers."""
    known = "/v1/indexer/brc20/{ticker}/history/all" if path == DOCUMENTED_ONLY else path
    shape: dict[str, Any] = CONTRACT[known]["response"]
    return shape


def assert_shape(shape: dict[str, Any], value: Any, where: str) -> None:
    if shape["type"] == "oneOf":
        shape = shape["options"][0]
    if value is None:
        assert shape["nullable"], where
    elif shape["type"] == "array":
        assert value or where.endswith(FAULTS), f"{where}: an example with rows"
        for item in value:
            assert_shape(shape["items"], item, f"{where}[]")
    elif shape["type"] == "object":
        for name, inner in shape.get("properties", {}).items():
            assert name in value, f"{where}.{name}"
            assert_shape(inner, value[name], f"{where}.{name}")
    else:
        assert isinstance(value, TYPES[shape["type"]]), where


@pytest.mark.parametrize("path", SERVED)
def test_every_field_that_clients_know_is_there(client: httpx.Client, path: str) -> None:
    response = client.post(path, json=POSTED[path]) if path in POSTED else client.get(filled(path))
    assert response.request.method == CONTRACT[path]["method"]
    assert response.status_code == 200
    assert_shape(shape_of(path), response.json(), path)


@pytest.mark.parametrize("path", SERVED)
def test_every_parameter_that_clients_send_is_taken(client: httpx.Client, path: str) -> None:
    document = client.get("/openapi.json").json()
    operation = document["paths"][path][CONTRACT[path]["method"].lower()]
    names = {(parameter["in"], parameter["name"]) for parameter in operation.get("parameters", [])}
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        names |= {("body", name) for name in document["components"]["schemas"][schema]["properties"]}
    where = {"path": "query"} if path == DOCUMENTED_ONLY else {}
    expected = {(where.get(each["in"], each["in"]), each["name"]) for each in CONTRACT[path]["params"]}
    assert expected <= names


def test_all_routes_of_the_contract_are_walked() -> None:
    assert len(CONTRACT) == 71


def test_what_clients_send_beyond_that_is_ignored(client: httpx.Client) -> None:
    """Contract, section 2: unknown query parameters; section 5: headers that a browser asks leave for."""
    plain = client.get("/v1/indexer/brc20/list")
    assert client.get("/v1/indexer/brc20/list?nonsense=1", headers={"X-Channel": "k"}).json() == plain.json()
    preflight = client.options(
        "/v1/indexer/brc20/list",
        headers={
            "Origin": "https://wallet.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "x-client,x-version,x-channel",
        },
    )
    assert preflight.status_code == 200
    assert set(preflight.headers["access-control-allow-headers"].lower().replace(" ", "").split(",")) >= {
        "x-client",
        "x-version",
        "x-channel",
    }


def test_a_trailing_slash_leads_to_the_path_without_it(client: httpx.Client) -> None:
    response = client.get("/v1/indexer/brc20/WTF/info/")
    assert response.status_code == 307
    assert response.headers["location"].endswith("/v1/indexer/brc20/WTF/info")
