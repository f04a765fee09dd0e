"""Transfers that wait: found by reading the node's mempool, never denied without having read all of it."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

import api.mempool
from api.app import create_app
from api.errors import Busy, MempoolUnread
from api.mempool import Mempool, MempoolReader
from ingest.errors import BadAnswer, CircuitOpen, NodeInInitialDownload, NodeUnreachable, WrongNetwork
from ingest.networks import MAINNET, REGTEST
from tests.helpers.api import running
from tests.helpers.examples import TRANSFER
from tests.helpers.mempool import MempoolNode
from tests.helpers.recorded import people
from warehouse.duckdb_engine import connect

STEPS = "b1cde53f45c7afc825b814c76ea6977e609001c346fbb5cffd8d3c5e6f20a8d1"
"""A multi-transfer of WTF."""

CHECK = "/v1/mempool/check-pending"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def node() -> Iterator[MempoolNode]:
    with MempoolNode() as node:
        yield node


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mempool(node: MempoolNode, clock: Clock) -> Iterator[Mempool]:
    mempool = Mempool(node.connect(), REGTEST, clock)
    yield mempool
    mempool.close()


@pytest.fixture(scope="module")
def transfers(lake: Path) -> list[tuple[str, str, str]]:
    """Transaction, sender and ticker of every transfer of the recorded chain that took effect."""
    with connect(lake) as sql:
        query = "SELECT DISTINCT txid, from_address, ticker FROM operations WHERE operation = 'transfer' AND valid"
        return sql.sql(query).fetchall()


def test_every_transfer_of_the_recorded_chain_is_found_while_it_waits(
    mempool: Mempool, node: MempoolNode, clock: Clock, transfers: list[tuple[str, str, str]]
) -> None:
    """R-CORE-ADDR-2: by its sender, for the token that it moves and for no other; multi-transfers too."""
    assert STEPS in {txid for txid, _, _ in transfers}
    for txid, sender, ticker in transfers:
        clock.now += 10
        node.waiting = [txid]
        assert mempool.has_transfer(sender, ticker)
        assert not mempool.has_transfer(sender, "NOPE")
        assert not mempool.has_transfer("nobody", ticker)
    clock.now += 10
    node.waiting = []
    assert not any(mempool.has_transfer(sender, ticker) for _, sender, ticker in transfers)


def test_a_sender_is_found_whose_coin_waits_itself(mempool: Mempool, node: MempoolNode) -> None:
    """What the first input spends is an output of another transaction of the mempool."""
    parent = str(node.transactions[TRANSFER]["vin"][0]["txid"])
    node.waiting = [parent, TRANSFER]
    assert mempool.has_transfer(people()["alice"], "WTF")


def test_a_transaction_is_read_once(mempool: Mempool, node: MempoolNode, clock: Clock) -> None:
    node.waiting = [TRANSFER, STEPS]
    for _ in range(3):
        clock.now += 10
        assert mempool.has_transfer(people()["alice"], "WTF")
    assert node.count("getrawtransaction") == 1
    assert node.count("getrawmempool") == 3
    assert mempool.has_transfer(people()["alice"], "WTF")
    assert node.count("getrawmempool") == 3, "what was read just now is not read again"


def test_what_leaves_while_it_is_read_is_not_missed(mempool: Mempool, node: MempoolNode) -> None:
    node.waiting, node.listed = [TRANSFER], ["ab" * 32]
    assert mempool.has_transfer(people()["alice"], "WTF")
    assert not mempool.has_transfer(people()["alice"], "LOL")


def test_no_is_said_only_when_all_is_read(
    mempool: Mempool, node: MempoolNode, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass that ends early finds what it has read, and the next goes on from there."""
    monkeypatch.setattr(api.mempool, "AT_ONCE", 1)
    monkeypatch.setattr(api.mempool, "PASS", 0.0)
    passes = []

    def slow(_request: object) -> None:
        clock.now += 1

    node.script = slow
    node.waiting = [TRANSFER, STEPS, *list(node.raw)[-4:]]
    for _ in range(30):
        try:
            assert not mempool.has_transfer(people()["alice"], "LOL")
        except MempoolUnread as error:
            passes.append(error.detail)
        else:
            break
    assert passes == sorted(passes)
    assert len(passes) >= 2


@pytest.mark.parametrize("state", ["loading", "too large"])
def test_a_mempool_that_is_not_there_to_be_read(mempool: Mempool, node: MempoolNode, state: str) -> None:
    node.loaded = state != "loading"
    node.size = api.mempool.MOST + 1 if state == "too large" else None
    with pytest.raises(MempoolUnread):
        mempool.has_transfer(people()["alice"], "WTF")
    assert node.count("getrawmempool") == 0


def test_a_node_of_another_network_or_without_the_chain_does_not_say_no(node: MempoolNode) -> None:
    with closing(Mempool(node.connect(), MAINNET)) as mempool:
        with pytest.raises(WrongNetwork):
            mempool.has_transfer("anyone", "WTF")
        node.chain, node.initial_download = "main", True
        with pytest.raises(NodeInInitialDownload):
            mempool.has_transfer("anyone", "WTF")


def test_an_answer_that_is_none_does_not_say_no(mempool: Mempool, node: MempoolNode) -> None:
    node.reply = b'{"result": {"chain": "regtest", "loaded": true, "size": 1}, "error": null}'
    with pytest.raises(BadAnswer):
        mempool.has_transfer("anyone", "WTF")


def test_a_node_that_fails_is_left_alone_after_a_while(mempool: Mempool, node: MempoolNode) -> None:
    node.vanish()
    for _ in range(5):
        with pytest.raises(NodeUnreachable):
            mempool.has_transfer("anyone", "WTF")
    with pytest.raises(CircuitOpen):
        mempool.has_transfer("anyone", "WTF")


def test_the_route_tells_waiting_transfers_and_who_cannot_be_asked(client: httpx.Client, lake: Path) -> None:
    alice = people()["alice"]
    for ticker, expected in (("wtf", True), ("lol", False), ("nope", False)):
        answer = client.post(CHECK, json={"address": alice.upper(), "ticker": ticker})
        assert answer.json() == {"address": alice, "ticker": ticker.upper(), "has_pending_transfer": expected}
    with running(create_app(lake)) as alone, MempoolNode() as gone:
        answer = alone.post(CHECK, json={"address": alice, "ticker": "WTF"})
        assert (answer.status_code, answer.json()["code"]) == (503, "NO_NODE")
    with running(create_app(lake, node=gone.connect)) as deserted:
        answer = deserted.post(CHECK, json={"address": alice, "ticker": "WTF"})
        assert (answer.status_code, answer.json()["code"]) == (503, "NO_NODE")
        assert answer.headers["retry-after"] == "5"


def test_more_than_can_wait_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the mempool is read for one, so many wait; and one question holds up no other route."""
    monkeypatch.setattr(api.mempool, "MOST_ASKING", 2)

    async def ask(reader: MempoolReader) -> list[object]:
        questions = (reader.has_transfer(REGTEST, "anyone", "WTF") for _ in range(4))
        return await asyncio.gather(*questions, return_exceptions=True)

    with MempoolNode() as node, closing(MempoolReader(node.connect)) as reader:
        outcomes = asyncio.run(ask(reader))
    assert outcomes[:2] == [False, False]
    assert [type(outcome) for outcome in outcomes[2:]] == [Busy, Busy]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"address": "POOL::AB", "ticker": "WTF"}, 400, "INVALID_ADDRESS"),
        ({"address": "", "ticker": ""}, 400, "INVALID_ADDRESS"),
        ({"address": "x"}, 422, "INVALID_PARAMETER"),
        ({"address": 7, "ticker": "WTF"}, 422, "INVALID_PARAMETER"),
        ([], 422, "INVALID_PARAMETER"),
    ],
)
def test_questions_that_are_none(client: httpx.Client, body: object, status: int, code: str) -> None:
    answer = client.post(CHECK, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
