"""The indexer is killed and the node vanishes: answers go on from the last published height, say so, and recover."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.metrics import circuit_became, node_called
from api.options import Options
from api.server import node_connection, node_height
from ingest.breaker import CircuitBreaker
from ingest.errors import IngestError
from tests.helpers.api import running
from tests.helpers.mempool import MempoolNode
from tests.helpers.recorded import TIP, people
from warehouse.lake_backend import LakeBackend

ROOT = Path(__file__).parents[2]
STATUS = "/v1/indexer/brc20/status"
BALANCE = f"/v1/indexer/address/{people()['alice']}/brc20/WTF/info"
PENDING = {"address": people()["alice"], "ticker": "WTF"}


def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[MempoolNode]:
    with MempoolNode() as node:
        monkeypatch.setenv("SIMPLICITY_NODE", node.url)
        yield node


@pytest.fixture
def client(node: MempoolNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The application as a worker makes it, but quicker to notice who is away."""
    monkeypatch.setattr("api.follower.NODE_POLL", 0.1)
    monkeypatch.setattr("api.neighbours.POLL", 0.1)
    monkeypatch.setattr("warehouse.report.SILENCE", 2.5)
    breaker = CircuitBreaker(pause=0.5, on_change=circuit_became)
    height = node_height(LakeBackend(tmp_path), breaker, node_called)
    app = create_app(
        tmp_path,
        options=Options(anonymous_rate="1000000/minute"),
        network_height=height,
        node=lambda: node_connection(breaker, node_called),
        breaker=breaker,
    )
    with running(app) as client:
        yield client
    node.vanish()
    # A call that fails lets go of the connection, which nobody closes before the worker ends.
    with suppress(IngestError):
        height()


class Indexer:
    """`simplicity sync --follow` in a process that can be killed."""

    def __init__(self, lake: Path, node: MempoolNode) -> None:
        options = ("--data", str(lake), "--network", "regtest", "--node", node.url, "--follow")
        self._command = [sys.executable, "-m", "simplicity", "sync", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, cwd=ROOT, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)


@pytest.fixture
def indexer(tmp_path: Path, node: MempoolNode) -> Iterator[Indexer]:
    indexer = Indexer(tmp_path, node)
    indexer.start()
    yield indexer
    indexer.kill()


def metrics(client: httpx.Client) -> dict[str, float]:
    """Values by name and labels, like `simplicity_api_breaker_state open`."""
    families = [*text_string_to_metric_families(client.get("/metrics").text)]
    assert len({family.name for family in families}) == len(families), "a metric is described twice"
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


def test_answers_go_on_and_say_who_is_away(client: httpx.Client, node: MempoolNode, indexer: Indexer) -> None:
    def ready() -> dict[str, Any]:
        answer: dict[str, Any] = client.get("/ready").json()
        return answer

    def standing() -> tuple[str | None, ...]:
        answer = ready()
        return tuple(answer.get(name) for name in ("indexer", "node", "circuit"))

    def degraded() -> str | None:
        answer = client.get(BALANCE)
        assert answer.status_code == 200
        said: str | None = answer.headers.get("x-degraded")
        return said

    until(lambda: ready().get("height") == TIP)
    until(lambda: standing() == ("running", "answering", "closed"))
    assert degraded() is None
    balance = client.get(BALANCE).json()
    until(lambda: metrics(client).get("simplicity_indexer_blocks_total") == TIP + 1)
    found = metrics(client)
    assert (found["simplicity_indexer_up"], found["simplicity_indexer_height"]) == (1, TIP)
    assert found["simplicity_indexer_stage_seconds_count commit"] > 0
    assert found["simplicity_api_node_calls_total getblockchaininfo answered"] > 0

    indexer.kill()
    node.mine(2)
    until(lambda: standing() == ("away", "answering", "closed"))
    assert degraded() == "indexer-away"
    answer = client.get(STATUS).json()
    assert (answer["last_indexed_block_main_chain"], answer["lag"], answer["indexer"]) == (TIP, 2, "away")
    found = metrics(client)
    assert (found["simplicity_indexer_up"], found["simplicity_lag_blocks"]) == (0, 2)
    assert "simplicity_indexer_height" not in found, "of an indexer that is not there nothing is told as if it were"
    until(lambda: metrics(client)["simplicity_lag_seconds"] > 0.5)

    node.vanish()
    until(lambda: standing() == ("away", "away", "open"))
    until(lambda: degraded() == "indexer-away, node-away")
    assert client.get(BALANCE).json() == balance
    assert client.get(STATUS).json()["network_height_error"]
    assert metrics(client)["simplicity_api_breaker_state open"] == 1
    began = time.monotonic()
    refused = client.post("/v1/mempool/check-pending", json=PENDING)
    assert (refused.status_code, refused.json()["code"]) == (503, "NO_NODE")
    assert time.monotonic() - began < 1, "an open circuit asks nobody"

    indexer.start()
    until(lambda: standing() == ("waiting", "away", "open"))
    until(lambda: degraded() == "indexer-waiting, node-away")
    assert "127.0.0.1" in client.get(STATUS).json()["indexer_error"]
    until(lambda: metrics(client)["simplicity_indexer_waiting"] == 1)
    assert client.get(BALANCE).json() == balance

    node.appear()
    until(lambda: ready()["height"] == TIP + 2)
    until(lambda: standing() == ("running", "answering", "closed"))
    assert degraded() is None
    assert client.post("/v1/mempool/check-pending", json=PENDING).json()["has_pending_transfer"] is False
    until(lambda: metrics(client)["simplicity_indexer_waiting"] == 0)
    until(lambda: metrics(client)["simplicity_lag_seconds"] == 0)
    found = metrics(client)
    assert found["simplicity_api_breaker_state closed"] == found["simplicity_indexer_breaker_state closed"] == 1

    node.reorganise(3)
    until(lambda: metrics(client).get("simplicity_indexer_reorganisations_total") == 1)
    assert metrics(client)["simplicity_indexer_reorganisation_depth_blocks_sum"] == 3
    assert indexer.end() == 0
    until(lambda: standing() == ("stopped", "answering", "closed"))
    assert degraded() == "indexer-stopped"


def test_who_is_away_changes_the_tags_of_what_says_so(
    client: httpx.Client, node: MempoolNode, indexer: Indexer
) -> None:
    """A cache that asks with its old tag must not go on saying that all is well, or that it is not."""
    until(lambda: client.get("/ready").json().get("node") == "answering")
    until(lambda: client.get("/ready").json().get("height") == TIP)
    paths = ("/ready", STATUS)
    before = {path: client.get(path).headers["etag"] for path in paths}
    balance = client.get(BALANCE).headers["etag"]
    node.vanish()
    until(lambda: client.get("/ready").json()["node"] == "away")
    for path in paths:
        assert client.get(path, headers={"If-None-Match": before[path]}).status_code == 200
    spared = client.get(BALANCE, headers={"If-None-Match": balance})
    assert (spared.status_code, "node-away" in spared.headers["x-degraded"]) == (304, True)
