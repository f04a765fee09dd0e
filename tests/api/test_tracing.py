"""Traces: on only when they are wanted, from the request down to each query, and without anything that clients send."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.app import create_app
from api.keys import Scope, create_key
from api.options import UnusableOption
from api.tracing import Tracing, tracing
from tests.helpers.api import free_port, running, wait_until_live
from tests.helpers.collector import Collector
from tests.helpers.recorded import TIP, recorded_lake
from warehouse.manifest import read_manifest

ROOT = Path(__file__).parents[2]
BRC20 = "/v1/indexer/brc20"
HISTORY = f"{BRC20}/history-by-height/117"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT_ID = "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01"}


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(scope="module")
def key(own: Path) -> str:
    return create_key(own, "analyst", [Scope.SQL])[1]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_lake(tmp_path_factory.mktemp("traced"))


@pytest.fixture(scope="module")
def traced(own: Path, exporter: InMemorySpanExporter) -> Iterator[httpx.Client]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with running(create_app(own, tracing=Tracing(provider))) as client:
        yield client


def finished(exporter: InMemorySpanExporter, root: str) -> list[ReadableSpan]:
    """Spans of one request, whose own ends last, a moment after the client has the answer."""
    deadline = time.monotonic() + 10
    while not (spans := exporter.get_finished_spans()) or spans[-1].name != root:
        assert time.monotonic() < deadline, [span.name for span in spans]
        time.sleep(0.01)
    exporter.clear()
    return list(spans)


def test_a_request_leads_to_its_question_and_queries(traced: httpx.Client, exporter: InMemorySpanExporter) -> None:
    """It continues the client's trace, and bears the id that the answer and the log bear."""
    answered = traced.get(HISTORY, headers=TRACEPARENT)
    *below, request = finished(exporter, f"GET {BRC20}/history-by-height/{{height}}")
    question = next(span for span in below if span.name == "question")
    queries = [span for span in below if span.name == "query"]
    assert len(queries) >= 1
    assert len(queries) + 1 == len(below)
    assert request.parent is not None
    assert (f"{request.parent.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE_ID, PARENT_ID)
    for child, parent in [(question, request), *((query, question) for query in queries)]:
        assert child.parent is not None
        assert parent.context is not None
        assert (child.parent.trace_id, child.parent.span_id) == (parent.context.trace_id, parent.context.span_id)
    assert dict(request.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": f"{BRC20}/history-by-height/{{height}}",
        "http.response.status_code": 200,
        "simplicity.request_id": answered.headers["x-request-id"],
    }
    rows = sum(int(str((query.attributes or {})["db.response.returned_rows"])) for query in queries)
    assert rows >= len(answered.json()) > 0


def test_a_point_lookup_asks_no_table(traced: httpx.Client, exporter: InMemorySpanExporter) -> None:
    traced.get(f"{BRC20}/WTF/info")
    (request,) = finished(exporter, f"GET {BRC20}/{{ticker}}/info")
    assert request.parent is None


def test_nothing_that_clients_send_is_in_a_span(traced: httpx.Client, exporter: InMemorySpanExporter, key: str) -> None:
    """Neither keys nor paths, parameters, bodies and SQL, also where the answer is an error that repeats them."""
    secret = "s3cretw0rd"
    traced.get(f"{BRC20}/{secret}/info?{secret}={secret}", headers={"User-Agent": secret, "Cookie": secret})
    spans = finished(exporter, f"GET {BRC20}/{{ticker}}/info")
    traced.get(f"{BRC20}/WTF/history?op_type={secret}", headers={"X-API-Key": f"smp_{secret}"})
    spans += finished(exporter, "GET unmatched")
    traced.request("PURGE", f"/{secret}", headers={"Authorization": f"Bearer {secret}"})
    spans += finished(exporter, "other unmatched")
    for statement in (f"SELECT '{secret}' AS word", f"SELECT {secret} FROM tokens"):
        traced.post("/v1/sql", json={"query": statement}, headers={"X-API-Key": key})
        spans += finished(exporter, "POST /v1/sql")
    traced.post("/v1/mempool/check-pending", json={"address": secret, "ticker": secret})
    spans += finished(exporter, "POST /v1/mempool/check-pending")
    told = "".join(span.to_json() for span in spans).lower()
    assert "statement" in told
    assert secret not in told
    assert key not in told


def test_an_error_of_the_server_is_one_in_the_trace(traced: httpx.Client, exporter: InMemorySpanExporter) -> None:
    """503 without a node; what the client did wrong is none."""
    address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
    answered = traced.post("/v1/mempool/check-pending", json={"address": address, "ticker": "WTF"})
    *_, mempool, request = finished(exporter, "POST /v1/mempool/check-pending")
    assert answered.status_code == 503
    assert not request.status.is_ok
    assert not request.status.description
    assert (mempool.attributes or {})["error.type"] == "NoNode"
    traced.get(f"{BRC20}/nope/info")
    (request,) = finished(exporter, f"GET {BRC20}/{{ticker}}/info")
    assert request.status.is_ok or request.status.is_unset


def test_probes_are_not_traced(traced: httpx.Client, exporter: InMemorySpanExporter) -> None:
    for path in ("/live", "/ready", "/health", "/metrics"):
        assert traced.get(path).status_code == 200
    traced.get(f"{BRC20}/WTF/info")
    assert len(finished(exporter, f"GET {BRC20}/{{ticker}}/info")) == 1


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_the_environment_of_the_standard_is_obeyed(nothing_set: pytest.MonkeyPatch) -> None:
    assert tracing(None, "simplicity-api") is None
    with Collector() as collector:
        nothing_set.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        nothing_set.setenv("OTEL_SERVICE_NAME", "indexer-of-mine")
        nothing_set.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        made = tracing(None, "simplicity-api")
        assert made is not None
        made.tracer.start_span("hello").end()
        made.close()
        (span,) = collector.spans
        assert span.resource["service.name"] == "indexer-of-mine"
        assert span.resource["deployment.environment.name"] == "test"
    nothing_set.setenv("OTEL_TRACES_EXPORTER", "none")
    assert tracing(None, "simplicity-api") is None
    nothing_set.delenv("OTEL_TRACES_EXPORTER")
    nothing_set.setenv("OTEL_SDK_DISABLED", "true")
    assert tracing(collector.url, "simplicity-api") is None


@pytest.mark.parametrize("url", ["collector:4318", "ftp://collector", "http://", "http://me:s3cret@collector:4318"])
def test_what_is_no_address_of_a_collector_is_refused(nothing_set: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(UnusableOption) as raised:
        tracing(url, "simplicity-api")
    assert "s3cret" not in str(raised.value)


def simplicity(*arguments: str | Path, log: Path, **environment: str) -> "subprocess.Popen[bytes]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-m", "simplicity", *map(str, arguments)]
    with log.open("wb") as errors:
        return subprocess.Popen(command, cwd=ROOT, stderr=errors, env={**clean, **environment})


@pytest.fixture(scope="module")
def blocks(own: Path) -> Path:
    return own.parent / "blocks"


def test_a_collector_gets_the_traces_of_sync_and_serve(blocks: Path, tmp_path: Path) -> None:
    """The commands as operators run them: indexing the recorded chain, then answering from two workers."""
    lake, log, port = tmp_path / "lake", tmp_path / "log", free_port()
    with Collector() as collector:
        indexing = ("sync", "--data", lake, "--network", "regtest", "--blocks", blocks, "--batch", "20")
        assert simplicity(*indexing, "--trace", collector.url, log=log).wait(120) == 0, log.read_text()
        assert collector.paths == {"/v1/traces"}
        roots = collector.named("blocks")
        assert [root.attributes["simplicity.height"] for root in roots] == [*range(19, TIP, 20), TIP]
        for root in roots:
            stages = collector.children(root)
            assert [stage.name for stage in stages] == ["fetch", "scan", "judge", "commit"]
            assert (root.began, root.ended) == (stages[0].began, stages[-1].ended)
        assert {str(root.resource["service.name"]) for root in roots} == {"simplicity-indexer"}

        serving = ("serve", "--data", lake, "--port", str(port), "--workers", "2")
        server = simplicity(*serving, log=log, SIMPLICITY_TRACE=collector.url)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                wait_until_live(client, server)
                answered = client.get(HISTORY, headers={**TRACEPARENT, "X-Request-ID": "mine"})
                assert answered.status_code == 200
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0, log.read_text()
        (request,) = collector.named(f"GET {BRC20}/history-by-height/{{height}}")
        assert (request.trace_id, request.parent_id) == (TRACE_ID, PARENT_ID)
        assert (request.resource["service.name"], request.resource["service.version"]) == ("simplicity-api", "0.1.0")
        (question,) = collector.children(request)
        assert {query.name for query in collector.children(question)} == {"query"}
        (line,) = [line for line in map(json.loads, log.read_text().splitlines()) if line.get("id") == "mine"]
        assert line["trace"] == TRACE_ID


def test_a_collector_that_is_away_stops_nothing(blocks: Path, tmp_path: Path) -> None:
    """It is tried for some seconds at the end, and every block is indexed."""
    began = time.monotonic()
    lake, url = tmp_path / "lake", f"http://127.0.0.1:{free_port()}"
    indexing = ("sync", "--data", lake, "--network", "regtest", "--blocks", blocks, "--trace", url)
    assert simplicity(*indexing, log=tmp_path / "log").wait(60) == 0
    assert time.monotonic() - began < 30
    assert read_manifest(lake).next_height == TIP + 1


IMPORTED = """
import sys
from simplicity import app
from api.app import create_app
from pathlib import Path
app(["sync", "--data", sys.argv[1], "--network", "regtest", "--blocks", sys.argv[2]], standalone_mode=False)
made = create_app(Path(sys.argv[1]))
assert not [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
assert "Traces" not in [middleware.cls.__name__ for middleware in made.user_middleware]
"""


def test_without_traces_nothing_of_them_is_there(blocks: Path, tmp_path: Path) -> None:
    """Neither the SDK, which nobody waits to be imported, nor anything around a request."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-c", IMPORTED, str(tmp_path / "lake"), str(blocks)]
    result = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
