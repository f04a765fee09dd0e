"""The transport: no failure of httpx gets through, and https is checked."""

import inspect
import ssl
from pathlib import Path

import httpx
import pytest

from ingest.errors import (
    AnswerTooLarge,
    BadAnswer,
    CircuitOpen,
    IngestError,
    NodeBusy,
    NodeFailing,
    NodeRefused,
    NodeUnreachable,
)
from ingest.rpc import Credentials, Rpc, translated
from ingest.stages import Stage
from tests.helpers.node import FakeNode, Fault

CERTIFICATE = Path(__file__).parents[1] / "data" / "tls" / "loopback.pem"
"""Made for these tests: a key and the certificate that it signed itself, for 127.0.0.1."""

FAILURES = [kind for _, kind in inspect.getmembers(httpx, inspect.isclass) if issubclass(kind, httpx.RequestError)]


@pytest.mark.parametrize("kind", FAILURES)
def test_every_failure_of_a_request_has_a_name_of_ours(kind: type[httpx.RequestError]) -> None:
    error = translated(kind("no"), "http://node")
    assert isinstance(error, IngestError)
    assert error.retry
    assert "http://node" in error.what


def test_there_are_failures_to_translate() -> None:
    assert len(FAILURES) > 15


@pytest.fixture
def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def test_https_with_a_trusted_certificate(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with FakeNode(3, tls=tls) as fake:
        rpc = Rpc(fake.url, Credentials())
        assert rpc.name.startswith("https://127.0.0.1:")
        assert rpc.call("getblockhash", 2) == fake.tip_hash
        assert rpc.get(f"block/{fake.tip_hash}.bin") == fake.best[2].raw
        rpc.close()


def test_every_call_is_told_by_method_and_outcome() -> None:
    """Neither hashes nor anything secret is in what is told."""
    told: list[tuple[Stage, str]] = []
    with FakeNode(3) as fake:
        rpc = Rpc(fake.url, Credentials(), on_call=lambda call, outcome: told.append((call, outcome)))
        rpc.call("getblockhash", 2)
        rpc.batch("getblockhash", [[1], [2]])
        rpc.get(f"block/{fake.tip_hash}.bin")
        with pytest.raises(NodeRefused):
            rpc.call("getblockhash", 99)
        fake.fail(Fault.BUSY)
        with pytest.raises(NodeBusy):
            rpc.call("getbestblockhash")
        fake.vanish()
        for _ in range(4):
            with pytest.raises(NodeFailing):
                rpc.call("getbestblockhash")
        with pytest.raises(CircuitOpen):
            rpc.call("getbestblockhash")
        rpc.close()
    assert [(call.name, outcome) for call, outcome in told[:5]] == [
        ("getblockhash", "answered"),
        ("getblockhash", "answered"),
        ("rest/block", "answered"),
        ("getblockhash", "answered"),
        ("getbestblockhash", "NodeBusy"),
    ]
    assert told[-1][1] == "CircuitOpen"
    assert all(0 <= call.seconds < 10 for call, _ in told)


def test_https_with_an_unknown_certificate_is_refused(tls: ssl.SSLContext) -> None:
    with FakeNode(3, tls=tls) as fake:
        rpc = Rpc(fake.url, Credentials())
        with pytest.raises(NodeUnreachable, match="certificate verify failed"):
            rpc.call("getbestblockhash")
        rpc.close()


def test_refusals_carry_the_nodes_code_and_words() -> None:
    with FakeNode(3) as fake:
        rpc = Rpc(fake.url, Credentials())
        with pytest.raises(NodeRefused, match="Method not found") as raised:
            rpc.call("getwalletinfo")
        assert raised.value.code == -32601
        with pytest.raises(NodeRefused) as raised:
            rpc.batch("getblockhash", [[0], [3]])
        assert raised.value.code == -8
        rpc.close()


def test_batches_come_back_in_order() -> None:
    with FakeNode(100) as fake:
        rpc = Rpc(fake.url, Credentials())
        heights = [5, 99, 0, 42]
        assert rpc.batch("getblockhash", [[height] for height in heights]) == [fake.best[h].hash for h in heights]
        assert rpc.batch("getblockhash", []) == []
        assert len(fake.requests) == 2
        rpc.close()


def test_answers_are_bounded() -> None:
    with FakeNode(3) as fake:
        rpc = Rpc(fake.url, Credentials(), max_answer=1000)
        assert rpc.call("getbestblockhash") == fake.tip_hash
        with pytest.raises(AnswerTooLarge, match="more than 1000 bytes"):
            rpc.call("getblock", fake.tip_hash, 3)
        rpc.close()


@pytest.mark.parametrize(
    "reply", ['{"result":1', "[" * 100_000, "7", '{"id":1}', '{"error":"no"}', '{"error":{"code":"x"}}', "\x80"]
)
def test_what_is_not_an_answer_is_named(reply: str) -> None:
    with FakeNode(3) as fake:
        rpc = Rpc(fake.url, Credentials())
        fake.reply = reply.encode("latin-1")
        for ask in (lambda: rpc.call("getbestblockhash"), lambda: rpc.batch("getblockhash", [[0], [1]])):
            with pytest.raises(BadAnswer):
                ask()
        rpc.close()


def test_a_batch_that_misses_an_answer_is_named() -> None:
    with FakeNode(3) as fake:
        rpc = Rpc(fake.url, Credentials())
        fake.reply = b'[{"id":1,"result":"a"},{"id":7,"result":"b"}]'
        with pytest.raises(BadAnswer, match="left out"):
            rpc.batch("getblockhash", [[0], [1]])
        rpc.close()
