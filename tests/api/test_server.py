"""The server as it is run: worker processes over a lake that another process writes."""

import json
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.app import create_app
from api.server import node_height
from ingest.errors import NodeUnreachable
from tests.helpers.api import free_port, running, serving
from tests.helpers.judged import FactMaker
from warehouse.errors import LakeNotFound
from warehouse.lake import Lake
from warehouse.lake_backend import LakeBackend

STATUS = "/v1/indexer/brc20/status"


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def everyone_serves(address: str, height: int) -> bool:
    return all(httpx.get(f"{address}/ready").json()["height"] == height for _ in range(6))


def metric(client: httpx.Client, name: str, labels: str = "") -> float:
    text = client.get("/metrics").text
    return sum(float(value) for value in re.findall(rf"^{name}{re.escape(labels)} (\S+)$", text, re.MULTILINE))


def test_it_starts_before_the_lake_and_recovers_by_itself(tmp_path: Path) -> None:
    """`/live` says that the process is up, `/ready` why nothing can be served and, later, from which height it is."""
    with serving(tmp_path / "lake") as client:
        assert client.get("/live").status_code == 200
        for path in ("/ready", "/health", STATUS, "/v1/indexer/brc20/X/info", "/v1/indexer/brc20/health"):
            refused = client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (503, "NOT_READY")
            assert "no lake in" in refused.json()["detail"]
            assert refused.headers["retry-after"] == "1"
        maker = FactMaker()
        with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
            eventually(lambda: "no block has been published yet" in client.get("/ready").json()["detail"])
            lake.commit(*maker.extend(2))
        eventually(lambda: client.get("/ready").status_code == 200)
        assert client.get("/ready").json() == {
            "status": "ready",
            "height": 101,
            "indexer": None,
            "node": None,
            "circuit": None,
        }


def test_workers_follow_the_writer_and_count_together(tmp_path: Path) -> None:
    """A new block is seen by every worker; metrics are of all of them."""
    maker = FactMaker(seed=2)
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        lake.commit(*maker.extend(3))
        with serving(tmp_path / "lake", workers=2) as client:
            address = str(client.base_url)
            eventually(lambda: client.get("/ready").status_code == 200)
            for height in (103, 104, 105):
                lake.commit(*maker.extend(1))
                # A new connection may reach either worker.
                eventually(partial(everyone_serves, address, height), seconds=5)
            before = metric(client, "simplicity_http_requests_total", f'{{method="GET",route="{STATUS}",status="200"}}')
            for _ in range(20):
                assert httpx.get(address + STATUS).json()["last_indexed_block_main_chain"] == 105
            after = metric(client, "simplicity_http_requests_total", f'{{method="GET",route="{STATUS}",status="200"}}')
            assert after - before == 20
            assert metric(client, "simplicity_http_request_seconds_count", f'{{route="{STATUS}"}}') == after
            assert metric(client, "simplicity_published_height") == 105


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="module")
def server(log: Path) -> Iterator[httpx.Client]:
    """One worker over a small lake, without a node."""
    with Lake.create(log.parent / "lake", "regtest", 100) as lake:
        lake.commit(*FactMaker().extend(1))
    with serving(log.parent / "lake", log=log) as client:
        yield client


def test_metrics_name_routes_and_not_paths(server: httpx.Client) -> None:
    """Whatever paths clients make up, the number of time series stays that of the routes."""
    for n in range(5):
        server.get(f"/v1/indexer/brc20/U{n}/info")
        server.get(f"/made/up/{n}")
    for route, status in (("/v1/indexer/brc20/{ticker}/info", 404), ("unmatched", 404)):
        labels = f'{{method="GET",route="{route}",status="{status}"}}'
        assert metric(server, "simplicity_http_requests_total", labels) == 5
    assert "/made/up" not in server.get("/metrics").text


def test_each_request_is_one_json_line_in_the_log(server: httpx.Client, log: Path) -> None:
    server.get("/live?secret=1", headers={"X-Request-ID": "find-me"})
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("id") == "find-me"]
    assert {name: line[name] for name in ("event", "method", "path", "route", "status", "level")} == {
        "event": "request",
        "method": "GET",
        "path": "/live",
        "route": "/live",
        "status": 200,
        "level": "info",
    }
    assert line["milliseconds"] > 0
    assert line["timestamp"].endswith("Z")


def test_without_a_node_the_network_height_is_null_and_says_why(server: httpx.Client) -> None:
    answer = server.get(STATUS).json()
    assert (answer["current_block_height_network"], answer["lag"]) == (None, None)
    assert answer["network_height_error"] == "no node was given to the server"


def test_the_height_of_the_node_is_asked_on_the_lakes_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a lake it is not known which; with one, an address where nobody answers is told in time."""
    monkeypatch.setenv("SIMPLICITY_NODE", f"http://127.0.0.1:{free_port()}")
    height = node_height(LakeBackend(tmp_path / "lake"))
    with pytest.raises(LakeNotFound):
        height()
    Lake.create(tmp_path / "lake", "regtest", 100).close()
    started = time.monotonic()
    with pytest.raises(NodeUnreachable):
        height()
    assert time.monotonic() - started < 10


def test_a_damaged_file_leaves_the_last_good_height(tmp_path: Path) -> None:
    """The server goes on with what it has, says nothing wrong, and catches up once the file is whole again."""
    maker = FactMaker(seed=8)
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        lake.commit(*maker.extend(3))
        with running(create_app(tmp_path / "lake")) as client:
            real = pq.ParquetFile
            broken = pytest.MonkeyPatch()
            broken.setattr("warehouse.segments.pq.ParquetFile", lambda _: real(pa.BufferReader(b"rubbish!" * 9)))
            lake.commit(*maker.extend(1))
            time.sleep(0.5)
            assert client.get("/ready").json()["height"] == 102
            broken.undo()
            eventually(lambda: client.get("/ready").json()["height"] == 103)
