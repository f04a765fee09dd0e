"""One error body for everything, and nothing that a client sends ends in a 500."""

import logging
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.app import create_app
from tests.helpers.api import running
from tests.helpers.recorded import people

BRC20 = "/v1/indexer/brc20"
ALICE = people()["alice"]
MAINNET = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
UNKNOWN_TXID = "ab" * 32

REFUSALS = [
    ("/nowhere", 404, "NOT_FOUND", None),
    (f"{BRC20}/nope/info", 404, "TICKER_NOT_FOUND", "ticker"),
    (f"{BRC20}//info", 404, "TICKER_NOT_FOUND", "ticker"),
    (f"{BRC20}/nope/holders", 404, "TICKER_NOT_FOUND", "ticker"),
    (f"{BRC20}/nope/history", 404, "TICKER_NOT_FOUND", "ticker"),
    (f"{BRC20}/W_F/info", 404, "TICKER_NOT_FOUND", "ticker"),
    (f"{BRC20}/nope/tx/{UNKNOWN_TXID}/history", 404, "TICKER_NOT_FOUND", "ticker"),
    (f"{BRC20}/wtf/tx/{UNKNOWN_TXID}/history", 404, "TRANSACTION_NOT_FOUND", "txid"),
    (f"{BRC20}/wtf/tx/abc/history", 422, "INVALID_PARAMETER", "txid"),
    (f"{BRC20}/history-by-height/148", 404, "BLOCK_NOT_FOUND", "height"),
    (f"{BRC20}/history-by-height/-1", 422, "INVALID_PARAMETER", "height"),
    (f"{BRC20}/history-by-height/1e2", 422, "INVALID_PARAMETER", "height"),
    (f"{BRC20}/history-by-height/99999999999999999999", 422, "INVALID_PARAMETER", "height"),
    (f"{BRC20}/list?limit=0", 422, "INVALID_PARAMETER", "limit"),
    (f"{BRC20}/list?limit=1001", 422, "INVALID_PARAMETER", "limit"),
    (f"{BRC20}/list?limit=99999999999999999999", 422, "INVALID_PARAMETER", "limit"),
    (f"{BRC20}/wtf/holders?skip=-1", 422, "INVALID_PARAMETER", "skip"),
    (f"{BRC20}/wtf/history?skip=100001", 422, "INVALID_PARAMETER", "skip"),
    (f"{BRC20}/block-hashes?from=x", 422, "INVALID_PARAMETER", "from"),
    (f"{BRC20}/history-by-height/148/all", 404, "BLOCK_NOT_FOUND", "height"),
    (f"{BRC20}/history/all?ticker=nope", 404, "TICKER_NOT_FOUND", "ticker"),
    (f"{BRC20}/nope/history/all", 404, "TICKER_NOT_FOUND", "ticker"),
    (f"{BRC20}/nope/holders/all", 404, "TICKER_NOT_FOUND", "ticker"),
    (f"{BRC20}/wtf/history/all?max_results=0", 422, "INVALID_PARAMETER", "max_results"),
    (f"{BRC20}/wtf/history/all?max_results=99999999999999999999", 422, "INVALID_PARAMETER", "max_results"),
    (f"{BRC20}/wtf/history?cursor=x", 400, "INVALID_CURSOR", "cursor"),
    (f"/v1/indexer/address/{MAINNET}/brc20/wtf/history/all", 400, "INVALID_ADDRESS", "address"),
    (f"/v1/indexer/address/{MAINNET}/brc20/wtf/info", 400, "INVALID_ADDRESS", "address"),
    (f"/v1/indexer/address/{ALICE[:-1]}q/brc20/wtf/info", 400, "INVALID_ADDRESS", "address"),
    ("/v1/indexer/address/POOL::AB/history", 400, "INVALID_ADDRESS", "address"),
    (f"{BRC20}/address/{'é' * 30}/tickers", 400, "INVALID_ADDRESS", "address"),
    (f"{BRC20}/address/{'a' * 2001}/tickers", 422, "INVALID_PARAMETER", "address"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status", "code", "field"), REFUSALS)
def test_one_body_for_every_refusal(client: httpx.Client, path: str, status: int, code: str, field: str | None) -> None:
    response = client.get(path)
    body = response.json()
    assert (response.status_code, body["code"], body["field"]) == (status, code, field), body
    assert body["detail"]
    assert body["request_id"] == response.headers["x-request-id"]
    assert set(body) == {"detail", "code", "field", "request_id"}
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers
    if path.startswith("/v1/"):
        assert response.headers["x-block-height"] == "147"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused_in_the_same_body(client: httpx.Client, method: str) -> None:
    response = client.request(method, f"{BRC20}/list")
    assert (response.status_code, response.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET"


def test_the_clients_request_id_is_taken_over_when_it_is_harmless(client: httpx.Client) -> None:
    assert client.get("/live", headers={"X-Request-ID": "job-7:a.b_c"}).headers["x-request-id"] == "job-7:a.b_c"
    for bad in ("a b", "x" * 65, 'a"b', ""):
        assert client.get("/live", headers={"X-Request-ID": bad}).headers["x-request-id"] != bad
    assert client.get("/live").headers["x-request-id"] != client.get("/live").headers["x-request-id"]


def test_a_defect_is_a_500_that_tells_nothing_of_the_inside(lake: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The body is the one body, the id is that of the log, and the exception stays in the log."""
    app = create_app(lake)

    @app.get("/v1/defect")
    async def defect() -> None:
        raise RuntimeError("secret")

    with caplog.at_level(logging.CRITICAL), running(app) as client:
        response = client.get("/v1/defect", headers={"X-Request-ID": "it-broke"})
        assert httpx.get(client.base_url.join("/live")).status_code == 200
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.json()["code"] == "INTERNAL_ERROR"
    assert response.json()["request_id"] == response.headers["x-request-id"] == "it-broke"


SEGMENTS = st.one_of(
    st.sampled_from(
        ["wtf", ALICE, UNKNOWN_TXID, "history", "info", "tx", "address", "0", "147", "-0", "٣", "%00", "..", ""]
    ),
    st.text(max_size=12).map(lambda text: quote(text, safe="", errors="replace")),
    st.binary(max_size=8).map(lambda data: quote(data, safe="")),
)
TEMPLATES = st.sampled_from(
    [
        "/v1/indexer/brc20/{0}/info",
        "/v1/indexer/brc20/{0}/holders",
        "/v1/indexer/brc20/{0}/history",
        "/v1/indexer/brc20/{0}/tx/{1}/history",
        "/v1/indexer/brc20/history-by-height/{0}",
        "/v1/indexer/brc20/address/{0}/tickers",
        "/v1/indexer/address/{0}/brc20/{1}/info",
        "/v1/indexer/address/{0}/history",
        f"/v1/indexer/address/{ALICE}/history",
        f"/v1/indexer/address/{ALICE}/brc20/{{0}}/info",
        "/v1/indexer/brc20/block-hashes",
        "/v1/indexer/brc20/list",
        "/v1/indexer/brc20/list/all",
        "/v1/indexer/brc20/{0}/holders/all",
        "/v1/indexer/brc20/{0}/history/all",
        "/v1/indexer/brc20/history/all",
        "/v1/indexer/brc20/history-by-height/{0}/all",
        "/v1/indexer/brc20/operations/{0}",
        "/v1/indexer/brc20/balances-hash",
        f"/v1/indexer/address/{ALICE}/history/all",
        f"/v1/indexer/address/{ALICE}/brc20/{{0}}/history",
        f"/v1/indexer/address/{ALICE}/brc20/{{0}}/history/all",
        "/{0}/{1}",
    ]
)
QUERIES = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "skip",
                "limit",
                "op_type",
                "ticker",
                "from",
                "to",
                "newest",
                "other",
                "start",
                "size",
                "type",
                "cursor",
                "height",
                "max_results",
                "include_invalid",
                "include_virtual",
                "sort",
                "order",
                "search",
                "creator",
                "is_curve",
                "mintable",
                "min_holders",
            ]
        ),
        st.one_of(
            SEGMENTS, st.integers().map(str), st.sampled_from(["1", "1000", "true", "1.0", "1e9", "NaN", "null"])
        ),
    ),
    max_size=3,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))


@given(template=TEMPLATES, segments=st.tuples(SEGMENTS, SEGMENTS), query=QUERIES)
@example(template="/v1/indexer/brc20/{0}/info", segments=("%ED%A0%80", ""), query="")
@example(template="/v1/indexer/brc20/{0}/history", segments=("wtf", ""), query="op_type=%00")
@example(template=f"/v1/indexer/address/{ALICE}/history", segments=("", ""), query="ticker=%00&ticker=%ff")
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_a_client_sends_is_a_500(
    client: httpx.Client, template: str, segments: tuple[str, str], query: str
) -> None:
    response = client.get(f"{template.format(*segments)}?{query}")
    assert response.status_code in (200, 307, 400, 404, 422), response.text
    if response.status_code >= 400:
        assert set(response.json()) == {"detail", "code", "field", "request_id"}
