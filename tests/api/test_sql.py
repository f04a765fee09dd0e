"""POST /v1/sql: for whom, in which formats, within which bounds."""

import csv
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.app import create_app
from api.formats import MEDIA_TYPES, Format
from api.keys import Scope, create_key
from api.options import Options
from api.sql import Analyst
from tests.helpers.api import running
from tests.helpers.recorded import recorded_lake

GENEROUS = Options(anonymous_rate="1000000/minute", key_rate="1000000/minute")
QUESTION = "SELECT ticker, address, script, balance, last_height FROM balances ORDER BY ticker, address"
ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 5"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_lake(tmp_path_factory.mktemp("sql"))


@pytest.fixture(scope="module")
def analyst(own: Path) -> Iterator[httpx.Client]:
    """A client whose key has the scope."""
    app = create_app(own, options=GENEROUS)
    with running(app) as client:
        app.state.analyst = Analyst(own, seconds=8, rows=20_000)
        client.headers["X-API-Key"] = create_key(own, "analyst", [Scope.SQL])[1]
        yield client


def ask(client: httpx.Client, query: str, **more: Any) -> httpx.Response:
    return client.post("/v1/sql", json={"query": query, **more})


def children() -> list[Path]:
    """The processes that run statements."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = process.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and b"api.statement" in process.joinpath("cmdline").read_bytes():
                found.append(process)
    return found


def test_only_a_key_with_the_scope_may_ask(own: Path, analyst: httpx.Client) -> None:
    reader = create_key(own, "reader", [Scope.READ])[1]
    assert ask(analyst, "SELECT 1").status_code == 200
    for headers, status, code in (({"X-API-Key": reader}, 403, "MISSING_SCOPE"), ({}, 401, "KEY_NEEDED")):
        refused = httpx.post(analyst.base_url.join("/v1/sql"), json={"query": "SELECT 1"}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_every_format_holds_the_same_rows(own: Path, analyst: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    table = sql.sql(QUESTION).to_arrow_table()
    expected = [
        {**row, "balance": f"{row['balance']:.8f}", "script": row["script"] and row["script"].hex()}
        for row in table.to_pylist()
    ]
    assert len(expected) > 5
    for format_, media_type in MEDIA_TYPES.items():
        named = ask(analyst, QUESTION, format=format_.value)
        accepted = analyst.post("/v1/sql", json={"query": QUESTION}, headers={"Accept": f"text/plain, {media_type}"})
        assert named.status_code == 200
        assert named.headers["content-type"].partition(";")[0] == media_type
        assert named.headers["x-block-height"] == "147"
        assert accepted.headers["content-type"] == named.headers["content-type"]
        content = named.content
        if format_ is Format.JSON:
            assert json.loads(content) == expected
        elif format_ is Format.NDJSON:
            assert [json.loads(line) for line in content.splitlines()] == expected
        elif format_ is Format.CSV:
            assert list(csv.DictReader(StringIO(named.text))) == [
                {name: "" if value is None else str(value) for name, value in row.items()} for row in expected
            ]
        elif format_ is Format.ARROW:
            assert pa.ipc.open_stream(content).read_all().cast(table.schema).equals(table)
        else:
            assert pq.read_table(BytesIO(content)).cast(table.schema).equals(table)


def test_values_of_every_kind_can_be_told(analyst: httpx.Client) -> None:
    query = (
        "SELECT 170141183460469231731687303715884105727 AS a, 0::DECIMAL(38,8) AS b, 1e-7::DECIMAL(38,8) AS b, "
        "[1.5::DECIMAL(9,2)] AS c, {'x': '\\x00'::BLOB} AS d, TIMESTAMPTZ '2026-01-31 12:00:00Z' AS e, "
        "DATE '2026-01-31' AS f, INTERVAL 1 DAY AS g, 'nan'::DOUBLE AS h, map {'k': 1} AS i, NULL AS j, true AS k"
    )
    [row] = ask(analyst, query).json()
    assert row["a"].startswith("1701411834604692")
    assert (row["b"], row["b_1"], row["c"]) == ("0.00000000", "0.00000010", ["1.50"])
    assert (row["d"], row["e"], row["f"]) == ({"x": "00"}, "2026-01-31T12:00:00Z", "2026-01-31")
    assert (row["h"], row["j"], row["k"]) == (None, None, True)
    assert ask(analyst, query, format="parquet").json()["code"] == "UNUSABLE_QUERY", "Parquet knows no intervals"
    for format_ in Format:
        known = query if format_ is not Format.PARQUET else query.replace("INTERVAL 1 DAY", "1")
        assert ask(analyst, known, format=format_.value).status_code == 200, format_
        assert ask(analyst, "SELECT 1 AS x WHERE false", format=format_.value).status_code == 200, format_


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"query": "SELECT * FROM read_csv('/etc/passwd')"}, 400, "UNUSABLE_QUERY", "query"),
        ({"query": "SELECT 1; SELECT 2"}, 400, "UNUSABLE_QUERY", "query"),
        ({"query": "SELECT 1 / 'x'"}, 400, "UNUSABLE_QUERY", "query"),
        ({"query": ""}, 400, "UNUSABLE_QUERY", "query"),
        ({"query": "SELECT '\ud800'"}, 422, "INVALID_PARAMETER", "query"),
        ({"query": "SELECT * FROM range(20001)"}, 400, "TOO_MANY_ROWS", None),
        ({"query": "x" * 20_001}, 422, "INVALID_PARAMETER", "query"),
        ({"query": "SELECT 1", "format": "xlsx"}, 422, "INVALID_PARAMETER", "format"),
        ({}, 422, "INVALID_PARAMETER", "query"),
    ],
)
def test_what_cannot_be_answered_is_told_why(
    analyst: httpx.Client, body: dict[str, str], status: int, code: str, field: str | None
) -> None:
    response = analyst.post("/v1/sql", content=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (status, code, field)


@pytest.mark.parametrize(
    "query",
    [
        ENDLESS,
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
        "WITH RECURSIVE r(t) AS (SELECT 'xxxxxxxx' UNION ALL SELECT t || t || t || t FROM r) SELECT max(t) FROM r",
        "SELECT array_agg(a.range) FROM range(100000000) a, range(1000) b",
    ],
)
def test_bombs_end_with_their_budget_and_the_server_goes_on(analyst: httpx.Client, query: str) -> None:
    start = time.monotonic()
    response = ask(analyst, query)
    assert response.json()["code"] in ("QUERY_TIMEOUT", "QUERY_TOO_LARGE", "UNUSABLE_QUERY")
    assert time.monotonic() - start < 20
    assert children() == []
    assert ask(analyst, "SELECT 1 AS x").json() == [{"x": 1}]


def test_a_client_that_leaves_stops_its_statement(analyst: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        analyst.post("/v1/sql", json={"query": ENDLESS}, timeout=1.5)
    for _ in range(40):
        if not children():
            break
        time.sleep(0.05)
    assert children() == []
    assert ask(analyst, "SELECT 1 AS x").json() == [{"x": 1}]


def test_few_statements_run_at_a_time(analyst: httpx.Client) -> None:
    found: list[tuple[int, str]] = []

    def one() -> None:
        response = ask(analyst, ENDLESS)
        found.append((response.status_code, response.json()["code"]))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(503, "BUSY")] * 2 + [(503, "QUERY_TIMEOUT")] * 2


def test_the_process_inherits_no_secret(analyst: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SIMPLICITY_NODE_PASSWORD", "hunter2")
    seen: list[bytes] = []

    def look() -> None:
        while not seen:
            with suppress(OSError):
                seen.extend(filter(None, (each.joinpath("environ").read_bytes() for each in children())))

    watching = threading.Thread(target=look)
    watching.start()
    ask(analyst, "SELECT count(*) FROM range(100000000) t(n) WHERE n % 3 = 1")
    watching.join()
    assert {line.partition(b"=")[0] for line in seen[0].split(b"\0") if line} <= {b"PYTHONPATH", b"LC_ALL", b"LC_CTYPE"}
