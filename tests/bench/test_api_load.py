"""The API under load, with its whole middleware, over 50 million operations and 5 million balances.

Load generator, server and the writer of new blocks are processes of their own.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random

import httpx
import pyarrow.parquet as pq
import pytest

from api.options import Options
from tests.helpers.api import serving
from tests.helpers.constant import serving_constant
from tests.helpers.formula_chain import LARGEST
from tests.helpers.formula_lake import kept_lake
from tests.helpers.load import Load
from warehouse.manifest import read_manifest

pytestmark = pytest.mark.bench

CONNECTIONS = 1_000
RATE = 1_000
SECONDS = 12
BLOCK_EVERY = 0.25
WORKERS = 1
"""The generator and the writer need the other core."""
BALANCES_BAR = 10.0
MIX_BAR = 20.0
"""Milliseconds within which 95 of 100 answers come."""
SHARE_BAR = 0.5
"""Of the throughput of constant bytes."""
GENEROUS = Options(anonymous_rate="100000000/minute")
"""The limits count, but let everything pass."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to write to: its files are the same."""
    source, directory = kept_lake(), tmp_path_factory.mktemp("load") / "lake"
    shutil.copytree(source, directory, copy_function=lambda old, new: Path(new).hardlink_to(old))
    return directory


@pytest.fixture(scope="module")
def accounts(lake: Path) -> list[tuple[str, str]]:
    """Ticker and address of accounts, tokens in proportion to those who hold them."""
    rows = pq.read_table(lake / read_manifest(lake).folds[-1].balances.path, columns=["ticker", "address"])
    random = Random(1)
    chosen = rows.take([random.randrange(rows.num_rows) for _ in range(20_000)])
    return [
        (ticker, address)
        for ticker, address in zip(*(chosen[name].to_pylist() for name in ("ticker", "address")), strict=True)
        if not address.startswith("POOL::")
    ]


@pytest.fixture(scope="module")
def client(lake: Path) -> Iterator[httpx.Client]:
    with serving(lake, WORKERS, options=GENEROUS) as client:
        while client.get("/ready").status_code != 200:
            time.sleep(0.1)
        # Soon after its start a worker has read the newest operations.
        while client.get(f"/v1/indexer/brc20/{LARGEST}/history?limit=100").elapsed > timedelta(milliseconds=20):
            time.sleep(0.5)
        yield client


def balances(accounts: list[tuple[str, str]]) -> list[str]:
    return [f"/v1/indexer/address/{address}/brc20/{ticker}/info" for ticker, address in accounts]


def mix(accounts: list[tuple[str, str]]) -> list[str]:
    """60 % balances, 20 % tokens, 10 % holders, 10 % histories of a token."""
    kinds = [
        *["/v1/indexer/address/{address}/brc20/{ticker}/info"] * 6,
        *["/v1/indexer/brc20/{ticker}/info"] * 2,
        "/v1/indexer/brc20/{ticker}/holders?limit=100",
        "/v1/indexer/brc20/{ticker}/history?limit=100",
    ]
    random = Random(2)
    return [random.choice(kinds).format(ticker=ticker, address=address) for ticker, address in accounts]


def measured(client: httpx.Client, mode: str, connections: int, seconds: float, paths: list[str]) -> Load:
    command = ["tests.helpers.load", mode, str(client.base_url.port), str(connections), str(seconds), str(RATE)]
    run = subprocess.run([sys.executable, "-m", *command], input="\n".join(paths).encode(), stdout=subprocess.PIPE)
    run.check_returncode()
    return Load(**json.loads(run.stdout))


@contextmanager
def written_to(lake: Path, client: httpx.Client) -> Iterator[None]:
    """A block every 250 ms meanwhile, which all have to appear in time."""
    blocks = int(SECONDS / BLOCK_EVERY) + 8
    before = int(client.get("/ready").headers["x-block-height"])
    command = [sys.executable, "-m", "tests.helpers.formula_writer", str(lake), str(blocks), str(BLOCK_EVERY)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdin is not None
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    writer.stdin.write("go\n")
    writer.stdin.flush()
    yield
    published = int(client.get("/ready").headers["x-block-height"]) - before
    writer.communicate(timeout=60)
    assert writer.returncode == 0
    print(f"{published} blocks were published meanwhile")
    assert published > 0.8 * SECONDS / BLOCK_EVERY


def open_loop(client: httpx.Client, paths: list[str]) -> Load:
    load = measured(client, "open", CONNECTIONS, SECONDS, paths)
    print(f"\nopen loop: {load}")
    assert load.errors == 0
    assert load.answered == SECONDS * RATE
    return load


def test_balances_while_a_block_is_committed_every_250_ms(
    lake: Path, client: httpx.Client, accounts: list[tuple[str, str]]
) -> None:
    with written_to(lake, client):
        load = open_loop(client, balances(accounts))
    assert load.p95 <= BALANCES_BAR


def test_the_mix_while_a_block_is_committed_every_250_ms(
    lake: Path, client: httpx.Client, accounts: list[tuple[str, str]]
) -> None:
    with written_to(lake, client):
        load = open_loop(client, mix(accounts))
    assert load.p95 <= MIX_BAR


def test_balances_against_constant_bytes(client: httpx.Client, accounts: list[tuple[str, str]]) -> None:
    """Closed loop: how near a lookup with the whole middleware is to what a bare application can do at all."""
    with serving_constant() as bare:
        rounds = [
            (measured(bare, "closed", 64, 4, ["/live"]), measured(client, "closed", 64, 4, balances(accounts)))
            for _ in range(3)
        ]
    constant, lookups = max(rounds, key=lambda pair: pair[1].rate / pair[0].rate)
    print(f"\nclosed loop: constant {constant}\nbalances {lookups}\nratio {lookups.rate / constant.rate:.2f}")
    assert constant.errors == lookups.errors == 0
    assert lookups.rate >= SHARE_BAR * constant.rate
