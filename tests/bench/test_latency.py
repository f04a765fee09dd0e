"""How long after the node has a block of 1,000 operations the API shows it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.helpers.api import free_port
from tests.helpers.builders import operation
from tests.helpers.node import FakeNode

OPERATIONS = 1000
BLOCKS = 30
MINT = '{"p":"brc-20","op":"mint","tick":"ABC","amt":"1"}'

pytestmark = pytest.mark.bench


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[FakeNode, httpx.Client]]:
    """A node whose chain is followed and served by `simplicity run`."""
    port = free_port()
    with FakeNode() as node, httpx.Client(base_url=f"http://127.0.0.1:{port}/v1/indexer") as client:
        node.mine(txs=[operation('{"p":"brc-20","op":"deploy","tick":"ABC","m":"1000000","l":"1"}')])
        command = [sys.executable, "-m", "simplicity", "run", "--data", str(tmp_path / "lake"), "--network", "regtest"]
        process = subprocess.Popen([*command, "--node", node.url, "--port", str(port)], stderr=subprocess.DEVNULL)
        try:
            while shown(client) < node.height:
                assert process.poll() is None
                time.sleep(0.1)
            yield node, client
        finally:
            process.terminate()
            process.wait()


def shown(client: httpx.Client) -> int:
    try:
        return int(client.get("/brc20/status").json()["last_indexed_block_main_chain"])
    except (httpx.HTTPError, KeyError, ValueError):
        return -1


def test_a_new_block_is_visible_soon(running: tuple[FakeNode, httpx.Client], benchmark: BenchmarkFixture) -> None:
    node, client = running
    recipients = [f"holder{number}" for number in range(OPERATIONS)]
    seconds = []

    def mined() -> tuple[tuple[()], dict[str, int]]:
        salt = node.height * OPERATIONS
        node.mine(txs=[operation(MINT, "minter", name, salt + n) for n, name in enumerate(recipients)])
        return (), {"height": node.height}

    def visible(height: int) -> None:
        began = time.perf_counter()
        while shown(client) < height:
            time.sleep(0.005)
        seconds.append(time.perf_counter() - began)

    benchmark.pedantic(visible, setup=mined, rounds=BLOCKS)
    benchmark.extra_info |= {
        "operations": OPERATIONS,
        "median_ms": 1000 * median(seconds),
        "worst_ms": 1000 * max(seconds),
    }
    minted = client.get("/brc20/ABC/info").json()["minted"]
    assert minted == f"{OPERATIONS * BLOCKS}.00000000"
