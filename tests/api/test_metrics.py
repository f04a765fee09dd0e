"""What Prometheus is told of requests: by method, route template and status, and how many rows they brought."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.options import Options
from tests.helpers.api import running

BRC20 = "/v1/indexer/brc20"


def metrics(client: httpx.Client) -> dict[str, float]:
    """Values by name and labels, like `simplicity_http_requests_total GET /live 200`."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }


@pytest.fixture
def limited(lake: Path) -> Iterator[httpx.Client]:
    with running(create_app(lake, options=Options(anonymous_rate="30/hour"))) as client:
        yield client


def grown(client: httpx.Client, before: dict[str, float], name: str) -> float:
    return metrics(client)[name] - before.get(name, 0.0)


def test_requests_are_counted_by_method_route_and_status(client: httpx.Client) -> None:
    before = metrics(client)
    client.get(f"{BRC20}/WTF/info")
    client.get(f"{BRC20}/nope/info")
    client.post("/v1/validator/validate-wrap-mint", json={"raw_tx_hex": "00"})
    client.request("PURGE", f"{BRC20}/WTF/info")
    for labels in (
        f"GET {BRC20}/{{ticker}}/info 200",
        f"GET {BRC20}/{{ticker}}/info 404",
        "POST /v1/validator/validate-wrap-mint 200",
        f"other {BRC20}/{{ticker}}/info 405",
    ):
        assert grown(client, before, f"simplicity_http_requests_total {labels}") == 1, labels
    assert grown(client, before, f"simplicity_http_request_seconds_count {BRC20}/{{ticker}}/info") == 3


@pytest.mark.parametrize(
    "path",
    [
        f"{BRC20}/WTF/holders?limit=3",
        f"{BRC20}/WTF/history?limit=3",
        f"{BRC20}/WTF/holders/all?max_results=3",
        "/v1/indexer/swap/metrics/pools?limit=1",
    ],
)
def test_rows_of_lists_are_counted_whatever_holds_them(client: httpx.Client, path: str) -> None:
    before = metrics(client)
    answer = client.get(path).json()
    rows = answer if isinstance(answer, list) else answer.get("data", answer.get("items"))
    assert grown(client, before, "simplicity_http_rows_total") == len(rows) > 0


def test_answers_that_clients_had_are_counted(client: httpx.Client) -> None:
    tag = client.get(f"{BRC20}/WTF/info").headers["etag"]
    before = metrics(client)
    for expected in (tag, '"another"', tag):
        client.get(f"{BRC20}/WTF/info", headers={"If-None-Match": expected})
    assert grown(client, before, "simplicity_http_not_modified_total") == 2


def test_those_who_ask_too_much_are_counted(client: httpx.Client, limited: httpx.Client) -> None:
    """Both applications are of one process, which counts for both."""
    before = metrics(client)
    statuses = [limited.get(f"{BRC20}/WTF/info").status_code for _ in range(40)]
    assert statuses == [200] * 30 + [429] * 10
    assert grown(client, before, "simplicity_http_limited_total anonymous") == 10


def test_every_metric_has_a_name_of_ours_and_a_description(client: httpx.Client) -> None:
    """Seconds, totals and bytes are named as Prometheus advises."""
    families = [*text_string_to_metric_families(client.get("/metrics").text)]
    ours = [family for family in families if family.name.startswith("simplicity_")]
    assert len(ours) > 10
    for family in ours:
        assert family.documentation, family.name
        assert not re.search(r"(milliseconds|_ms|_count)$", family.name), family.name
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_blocks")), family.name


def test_nothing_that_clients_send_is_in_a_metric(client: httpx.Client) -> None:
    secret = "w0rdofmine"
    headers = {"X-API-Key": f"smp_{secret}", "User-Agent": secret, "Authorization": f"Bearer {secret}"}
    client.get(f"{BRC20}/{secret}/info?{secret}={secret}")
    client.get(f"/{secret}", headers=headers)
    client.get(f"{BRC20}/WTF/info", headers=headers)
    client.post("/v1/sql", json={"query": secret})
    assert secret not in client.get("/metrics").text
