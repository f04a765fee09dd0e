"""Balance lookups under load while blocks are committed: 1,000 requests a second over 1,000 connections, open loop."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.helpers.api import serving
from tests.helpers.big_lake import make, path
from tests.helpers.load import Load

pytestmark = pytest.mark.bench

ACCOUNTS = 1_000_000
CONNECTIONS = 1_000
RATE = 1_000
SECONDS = 12
BLOCK_EVERY = 0.25
WORKERS = 1
"""The generator and the writer need the other core."""

BAR = 10.0
"""Milliseconds within which 95 of 100 answers come."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("load") / "lake"
    make(directory, ACCOUNTS)
    return directory


@pytest.fixture(scope="module")
def client(lake: Path) -> Iterator[httpx.Client]:
    with serving(lake, WORKERS) as client:
        while client.get("/ready").status_code != 200:
            time.sleep(0.1)
        yield client


def measured(client: httpx.Client, mode: str, connections: int, seconds: float, paths: list[str]) -> Load:
    command = ["tests.helpers.load", mode, str(client.base_url.port), str(connections), str(seconds), str(RATE)]
    run = subprocess.run([sys.executable, "-m", *command], input="\n".join(paths).encode(), stdout=subprocess.PIPE)
    run.check_returncode()
    return Load(**json.loads(run.stdout))


def balances(count: int) -> list[str]:
    random = Random(1)
    return [path(random.randrange(ACCOUNTS)) for _ in range(count)]


def test_balances_while_a_block_is_committed_every_250_ms(lake: Path, client: httpx.Client) -> None:
    blocks = int(SECONDS / BLOCK_EVERY) + 8
    before = int(client.get("/ready").headers["x-block-height"])
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.big_lake", str(lake), str(blocks), str(BLOCK_EVERY)]
    )
    load = measured(client, "open", CONNECTIONS, SECONDS, balances(10_000))
    published = int(client.get("/ready").headers["x-block-height"]) - before
    assert writer.wait(60) == 0
    print(f"\nopen loop, {published} blocks published meanwhile: {load}")
    assert load.errors == 0
    assert load.answered == SECONDS * RATE
    assert published > 0.8 * SECONDS / BLOCK_EVERY
    assert load.p95 <= BAR


def test_balances_cost_little_more_than_constant_bytes(client: httpx.Client) -> None:
    """Closed loop, same application and middleware: how near a lookup is to what the server can do at all."""
    constant = measured(client, "closed", 50, 4, ["/live"])
    lookups = measured(client, "closed", 50, 4, balances(10_000))
    print(f"\nclosed loop: constant {constant}\nbalances {lookups}\nratio {lookups.rate / constant.rate:.2f}")
    assert constant.errors == lookups.errors == 0
    assert lookups.rate > 0.7 * constant.rate
