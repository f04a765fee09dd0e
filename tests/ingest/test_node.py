"""Bitcoin Core behind the door: the same bytes by every way in, and a named error for everything that goes wrong."""

import json
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.breaker import CircuitBreaker
from ingest.errors import (
    AccessForbidden,
    BadAnswer,
    BadNodeAddress,
    ChainMoved,
    CircuitOpen,
    ConnectionCut,
    IngestError,
    MissingCookie,
    MissingPrevouts,
    NodeBusy,
    NodeInInitialDownload,
    NodeTooSlow,
    NodeUnreachable,
    NodeWarmingUp,
    Pruned,
    Stopped,
    WrongCredentials,
    WrongNetwork,
)
from ingest.networks import MAINNET, REGTEST, SIGNET, Network
from ingest.node import Node
from ingest.patience import Patience
from ingest.rpc import Credentials
from ingest.source import SpentFormat, Tip
from tests.helpers.chain import TxOut, display, make_coinbase, make_tx, merkle_root, sha256d
from tests.helpers.node import LOGIN, FakeNode, Fault, Request, recorded_chain
from tests.helpers.node_client import AT_ONCE, blocks_of, node_of

RECORDED = 148


def waiting(on_wait: Callable[[IngestError, float], None]) -> Patience:
    return Patience(deadline=10, on_wait=on_wait, first_wait=0.001, longest_wait=0.01)


def on_call(method: str, nth: int, act: Callable[[], object]) -> Callable[[Request], None]:
    """A script that acts just before the node answers the nth request that calls the method."""
    calls = iter(range(1, 10**6))

    def script(request: Request) -> None:
        if request.asks(method) and next(calls) == nth:
            act()

    return script


def spent_values(spent: bytes) -> list[list[int]]:
    """Values per transaction; counts and script lengths of the recorded chain fit into one byte."""
    values: list[list[int]] = []
    position = 1
    for _ in range(spent[0]):
        count, position = spent[position], position + 1
        values.append([])
        for _ in range(count):
            values[-1].append(struct.unpack_from("<q", spent, position)[0])
            position += 9 + spent[position + 8]
    assert position == len(spent)
    return values


# The recorded chain


@pytest.mark.parametrize("rest", [True, False])
def test_recorded_blocks_hash_to_what_the_node_says_and_spend_what_pays_its_fees(rest: bool) -> None:
    with FakeNode(RECORDED, rest=rest) as fake:
        blocks = blocks_of(fake)
    assert [block.height for block in blocks] == list(range(RECORDED))
    for block, known in zip(blocks, recorded_chain(), strict=True):
        described = json.loads(known.description, parse_float=Decimal)
        raw = bytes(block.raw)
        assert block.spent_format is SpentFormat.TXOUTS
        assert display(sha256d(raw[:80])) == block.hash == described["hash"]
        assert len(raw) == described["size"]
        assert display(raw[36:68]) == merkle_root([tx["txid"] for tx in described["tx"]])
        assert raw.endswith(b"".join(bytes.fromhex(tx["hex"]) for tx in described["tx"]))
        assert all(display(sha256d(bytes.fromhex(tx["hex"]))) == tx["hash"] for tx in described["tx"])
        for tx, spent in zip(described["tx"], spent_values(bytes(block.spent)), strict=True):
            assert len(spent) == len([txin for txin in tx["vin"] if "coinbase" not in txin])
            if spent:
                paid = sum(int(output["value"] * 10**8) for output in tx["vout"])
                assert sum(spent) - paid == int(tx["fee"] * 10**8)


def test_rest_and_rpc_give_the_same_bytes() -> None:
    with FakeNode(RECORDED) as by_rest, FakeNode(RECORDED, rest=False) as by_rpc:
        assert blocks_of(by_rest) == blocks_of(by_rpc)
        assert by_rest.count("getblock") == 0
        assert by_rpc.count("getblock") > 0


def test_the_fake_node_serves_recorded_answers_word_for_word() -> None:
    fake = FakeNode(RECORDED)
    assert [fake.answer("getblock", [known.hash, 3]) for known in fake.best] == [
        b.description for b in recorded_chain()
    ]


def test_mined_blocks_come_out_as_they_were_mined_with_every_satoshi() -> None:
    script = b"\x51" * 300
    values = [1, 10_000_001, 2_099_999_997_690_000, 1_234_567_890_123_457, 0]
    for rest in (True, False):
        with FakeNode(rest=rest) as fake:
            coinbase = make_coinbase(1, [TxOut(value, script) for value in values])
            first = fake.mine(1, [coinbase])[0]
            inputs = [coinbase.spend(n, witness=[b"", b"w" * 70]) for n in range(len(values))]
            second = fake.mine(1, [make_tx(inputs, [(7, b"\x6a")])])[0]
            blocks = blocks_of(fake, 1)
        assert [(block.raw, block.spent) for block in blocks] == [(b.raw, b.spent) for b in (first, second)]


def test_rpc_never_asks_per_transaction_nor_per_block() -> None:
    with FakeNode(RECORDED, rest=False) as fake:
        blocks_of(fake)
        assert len(fake.requests) < 30
        assert {name for request in fake.requests for name, _ in request.calls} == {
            "getblockchaininfo",
            "getblockhash",
            "getblock",
        }


def test_blocks_are_fetched_ahead_of_their_consumer() -> None:
    with FakeNode(RECORDED, rest=False) as fake:
        node = node_of(fake, batch_blocks=4)
        blocks = node.blocks(0, RECORDED)
        next(blocks)
        deadline = time.monotonic() + 5
        while fake.count("getblock") < 3 and time.monotonic() < deadline:
            time.sleep(0.005)
        assert 3 <= fake.count("getblock") <= 4  # the batch in hand, two ready, perhaps one being offered
        node.close()


# The door


def test_tip_hash_and_heights() -> None:
    with FakeNode(RECORDED) as fake:
        fake.headers_ahead = 5
        node = node_of(fake)
        assert node.tip() == Tip(147, fake.tip_hash)
        assert node.hash_at(100) == recorded_chain()[100].hash
        assert node.hash_at(148) is None
        assert node.network_height() == 152
        assert node.chain_work(fake.tip_hash) == 0x128
        assert node.chain_work("ab" * 32) is None
        node.close()


def test_a_range_above_the_tip_is_a_chain_that_moved() -> None:
    with FakeNode(10) as fake, pytest.raises(ChainMoved, match="ends below"):
        blocks_of(fake, 5, 15)


def test_a_block_that_left_the_chain_before_it_was_fetched_is_a_chain_that_moved() -> None:
    with FakeNode(100, rest=False) as fake:
        fake.script = on_call("getblock", 1, lambda: fake.reorganise(3))
        with pytest.raises(ChainMoved, match="left the best chain"):
            blocks_of(fake, 90, patience=Patience(deadline=None))  # asking again would never help


def test_blocks_of_two_branches_never_follow_each_other() -> None:
    with FakeNode(100) as fake:
        node = node_of(fake)
        node._hashes_at_once.now = 5
        node.tip()
        fake.script = on_call("getblockhash", 2, lambda: fake.reorganise(18))
        received: list[str] = []
        with pytest.raises(ChainMoved, match="does not join"):
            received.extend(block.hash for block in node.blocks(80, 100))
        node.close()
    assert received == [known.hash for known in recorded_chain()[80:85]]


# What goes wrong, each by its name


def vanish(fake: FakeNode) -> None:
    fake.vanish()


def forget_logins(fake: FakeNode) -> None:
    fake.logins = set()


def warm_up(fake: FakeNode) -> None:
    fake.warming_up = True


def download(fake: FakeNode) -> None:
    fake.initial_download, fake.headers_ahead = True, 100


def failing(fault: Fault) -> Callable[[FakeNode], None]:
    return lambda fake: fake.fail(fault)


def change_chain(fake: FakeNode) -> None:
    fake.chain = "main"


TROUBLES = [
    (vanish, NodeUnreachable, True),
    (failing(Fault.CUT), ConnectionCut, True),
    (failing(Fault.GARBAGE), BadAnswer, True),
    (failing(Fault.WRONG_JSON), BadAnswer, True),
    (failing(Fault.SLOW), NodeTooSlow, True),
    (failing(Fault.BUSY), NodeBusy, True),
    (failing(Fault.LIMITED), NodeBusy, True),
    (failing(Fault.FORBIDDEN), AccessForbidden, False),
    (forget_logins, WrongCredentials, False),
    (warm_up, NodeWarmingUp, True),
    (download, NodeInInitialDownload, True),
    (change_chain, WrongNetwork, False),
]


@pytest.mark.parametrize(("trouble", "error", "retry"), TROUBLES)
def test_each_trouble_has_its_own_error_with_advice(
    trouble: Callable[[FakeNode], None], error: type[IngestError], retry: bool
) -> None:
    with FakeNode(5) as fake:
        node = node_of(fake, timeout=0.2)
        trouble(fake)
        with pytest.raises(error) as raised:
            node.tip()
        node.close()
    assert type(raised.value) is error
    assert raised.value.retry is retry
    assert raised.value.advice in str(raised.value)
    assert raised.value.advice


@pytest.mark.parametrize("trouble", [trouble for trouble, _, retry in TROUBLES if retry])
def test_what_may_pass_is_waited_for(trouble: Callable[[FakeNode], None]) -> None:
    with FakeNode(5) as fake:
        waits: list[IngestError] = []

        def repair(error: IngestError, _seconds: float) -> None:
            waits.append(error)
            if len(waits) == 2:
                fake.recover()
                fake.warming_up = fake.initial_download = False
                if fake._server is None:
                    fake.appear()

        node = node_of(fake, timeout=0.2, patience=waiting(repair))
        trouble(fake)
        assert node.tip() == Tip(4, fake.tip_hash)
        assert len(waits) == 2
        node.close()


def test_a_regtest_node_with_an_old_tip_is_not_in_its_initial_download() -> None:
    with FakeNode(5) as fake:
        fake.initial_download = True
        node = node_of(fake)
        assert node.tip().height == 4
        node.close()


@pytest.mark.parametrize("network", [MAINNET, SIGNET, replace(REGTEST, genesis_hash=MAINNET.genesis_hash)])
def test_another_network_is_refused_by_name_and_by_genesis_block(network: Network) -> None:
    with FakeNode(5) as fake:
        node = node_of(fake, network)
        with pytest.raises(WrongNetwork):
            node.hash_at(3)
        with pytest.raises(WrongNetwork):
            node.tip()
        with pytest.raises(WrongNetwork):
            list(node.blocks(0, 1))
        node.close()


def test_pruned_blocks_are_named_before_and_while_fetching() -> None:
    for rest in (True, False):
        with FakeNode(100, rest=rest) as fake:
            fake.pruned_below = 50
            with pytest.raises(Pruned, match="below 50, and 49 is needed"):
                blocks_of(fake, 49)
            assert len(blocks_of(fake, 50)) == 50

            def prune(request: Request, fake: FakeNode = fake) -> None:
                if request.asks("getblock") or request.path.startswith("/rest/block"):
                    fake.pruned_below = 90

            node = node_of(fake)
            node.tip()
            fake.script = prune
            with pytest.raises(Pruned, match="pruned data"):
                list(node.blocks(60, 100))
            node.close()


def test_a_node_without_undo_data_or_verbosity_3_is_named() -> None:
    with FakeNode(RECORDED, rest=False) as fake:
        fake.prevouts = False
        with pytest.raises(MissingPrevouts):
            blocks_of(fake)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8332", "ftp://127.0.0.1", "http://", "http://[::1", "http://x:y"])
def test_unusable_addresses_are_refused_without_being_shown(url: str) -> None:
    with pytest.raises(BadNodeAddress) as raised:
        Node(url, REGTEST)
    assert raised.value.what == "The node's URL cannot be used"


def test_a_stop_ends_the_wait_for_an_absent_node() -> None:
    with FakeNode() as fake:
        url = fake.url
    asked = iter([False, False, True])
    node = Node(url, REGTEST, patience=Patience(deadline=None, stop=lambda: next(asked, True), first_wait=0.001))
    with pytest.raises(Stopped):
        node.tip()
    node.close()


def test_a_stop_ends_the_wait_for_a_block() -> None:
    with FakeNode(50, rest=False) as fake:
        fake.fail(Fault.SLOW, on="getblock")
        stopping = [False]
        node = node_of(fake, timeout=30.0, patience=Patience(deadline=None, stop=lambda: stopping[0]))
        node.tip()
        blocks = node.blocks(0, 50)
        stopping[0] = True
        with pytest.raises(Stopped):
            next(blocks)
        fake.gave_up.set()
        node.close()


def test_a_node_that_keeps_failing_is_left_alone_until_a_probe_is_answered() -> None:
    now = [0.0]
    with FakeNode(5) as fake:
        node = node_of(fake, breaker=CircuitBreaker(3, 10.0, clock=lambda: now[0]))
        fake.fail(Fault.BUSY)
        for _ in range(3):
            with pytest.raises(NodeBusy):
                node.tip()
        with pytest.raises(CircuitOpen, match="HTTP 503"):
            node.tip()
        assert len(fake.requests) == 3
        fake.recover()
        now[0] = 10.0
        assert node.tip().height == 4
        node.close()


# Batches


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.TOO_LARGE, Fault.BUSY, Fault.GARBAGE])
def test_batches_shrink_until_they_pass(fault: Fault) -> None:
    with FakeNode(RECORDED, rest=False) as fake:
        fake.script = lambda request: fault if request.asks("getblock") and len(request.calls) > 2 else None
        blocks = blocks_of(fake, patience=waiting(lambda _error, _seconds: None))
    assert [block.hash for block in blocks] == [known.hash for known in recorded_chain()]


def test_a_node_that_takes_one_call_at_a_time_is_served_one_call_at_a_time() -> None:
    with FakeNode(20, rest=False) as fake:
        fake.largest_batch = 0
        assert len(blocks_of(fake, 10)) == 10


def test_trouble_in_the_middle_costs_no_block() -> None:
    for rest in (True, False):
        with FakeNode(RECORDED, rest=rest) as fake:
            counter = iter(range(10**6))
            faults = [Fault.CUT, None, Fault.BUSY, None, None, Fault.GARBAGE, None]
            node = node_of(fake, patience=waiting(lambda _error, _seconds: None))
            node.tip()
            fake.script = lambda _: faults[next(counter) % len(faults)]  # noqa: B023 -- used up before the next turn
            hashes = [block.hash for block in node.blocks(60, RECORDED)]
            node.close()
        assert hashes == [known.hash for known in recorded_chain()[60:]]


# Credentials


def test_user_and_password_from_the_url_or_given() -> None:
    with FakeNode(3) as fake:
        user, _, password = LOGIN.partition(":")
        for node in (Node(fake.url, REGTEST), Node(fake.address, REGTEST, Credentials(user=user, password=password))):
            assert node.tip().height == 2
            node.close()


def test_the_cookie_is_read_again_after_the_node_restarted(tmp_path: Path) -> None:
    cookie = tmp_path / ".cookie"
    with FakeNode(3) as fake:
        node = Node(fake.address, REGTEST, Credentials(cookie=cookie), patience=AT_ONCE)
        with pytest.raises(MissingCookie, match=r"\.cookie"):
            node.tip()
        fake.write_cookie(cookie, "one")
        assert node.tip().height == 2
        fake.write_cookie(cookie, "two")
        assert node.tip().height == 2
        cookie.write_text("no colon")
        with pytest.raises(MissingCookie, match="form"):
            node.tip()
        node.close()


def test_a_header_token_opens_a_hosted_node() -> None:
    with FakeNode(3) as fake:
        fake.token = ("x-token", "t0ken")
        node = Node(fake.address + "/v1/path-t0ken", REGTEST, Credentials(header="x-token: t0ken"))
        assert node.tip().height == 2
        assert {request.path.partition("/rest")[0] for request in fake.requests} == {"/v1/path-t0ken"}
        node.close()


@pytest.mark.parametrize("header", ["", "x-token", "x-token:", ": t0ken", "x-token: t0\nken"])
def test_a_malformed_header_is_refused_without_being_shown(header: str) -> None:
    with pytest.raises(BadNodeAddress) as raised:
        Node("http://127.0.0.1", REGTEST, Credentials(header=header))
    assert "t0" not in str(raised.value)


@pytest.fixture
def _no_leak(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(0):
        yield
    assert "s3cr3t" not in caplog.text
    assert "path-t0ken" not in caplog.text


@pytest.mark.usefixtures("_no_leak")
@pytest.mark.parametrize(("trouble", "error"), [(trouble, error) for trouble, error, _ in TROUBLES])
def test_secrets_appear_in_no_error_and_no_log(trouble: Callable[[FakeNode], None], error: type[IngestError]) -> None:
    with FakeNode(3) as fake:
        credentials = Credentials(header="x-token: s3cr3t")
        node = Node(fake.url + "/path-t0ken", REGTEST, credentials, patience=AT_ONCE, timeout=0.2)
        trouble(fake)
        with pytest.raises(error) as raised:
            node.tip()
        node.close()
    cause: BaseException | None = raised.value
    while cause is not None:
        assert "s3cr3t" not in f"{cause!s}{cause!r}{credentials!r}"
        assert "path-t0ken" not in f"{cause!s}{cause!r}"
        cause = cause.__cause__ or cause.__context__


def test_closing_while_blocks_are_fetched_ahead_is_quiet() -> None:
    with FakeNode(RECORDED) as fake:
        for _ in range(5):
            node = node_of(fake, patience=Patience(deadline=None))
            blocks = node.blocks(0, RECORDED)
            next(blocks)
            node.close()
            with pytest.raises((Stopped, ConnectionCut)):
                list(blocks)
