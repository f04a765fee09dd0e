"""The API's circuit breaker: one for all that is asked of the node."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from api.server import node_connection, node_height
from ingest.breaker import Circuit, CircuitBreaker
from ingest.errors import CircuitOpen, IngestError
from tests.helpers.node import FakeNode
from warehouse.lake import Lake
from warehouse.lake_backend import LakeBackend


def test_all_calls_to_the_node_go_through_one_circuit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the question about the height learns spares the question about the mempool, and the other way round."""
    Lake.create(tmp_path / "lake", "regtest", 100).close()
    now = [0.0]
    breaker = CircuitBreaker(3, 10.0, clock=lambda: now[0])
    told: list[tuple[str, str]] = []
    circuits: list[Circuit] = []
    with FakeNode(3) as node, ExitStack() as ending:
        monkeypatch.setenv("SIMPLICITY_NODE", node.url)
        height = node_height(LakeBackend(tmp_path / "lake"), breaker)
        rpc = node_connection(breaker, lambda call, outcome: told.append((call.name, outcome)))
        ending.callback(rpc.close)
        assert height() == 2
        node.vanish()
        for _ in range(3):
            with pytest.raises(IngestError):
                height()
        circuits.append(breaker.circuit)
        with pytest.raises(CircuitOpen):
            rpc.call("getmempoolinfo")
        assert told == [("getmempoolinfo", "CircuitOpen")]
        node.appear()
        now[0] = 10.0
        rpc.call("getbestblockhash")
        circuits.append(breaker.circuit)
        assert height() == 2
        node.vanish()
        # A call that fails lets go of the connection, which nobody closes before the worker ends.
        with pytest.raises(IngestError):
            height()
    assert circuits == [Circuit.OPEN, Circuit.CLOSED]
