"""The example of a client does what it says, against a server over the recorded chain."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import httpx

from tests.helpers.recorded import TIP, people

EXAMPLE = Path(__file__).parents[2] / "docs/examples/client.py"
LISTENER = EXAMPLE.with_name("events.py")
BRC20 = "/v1/indexer/brc20"


def told(client: httpx.Client, *arguments: str) -> "subprocess.CompletedProcess[str]":
    url = str(client.base_url).rstrip("/")
    return subprocess.run([sys.executable, EXAMPLE, url, *arguments], capture_output=True, text=True, timeout=120)


def test_the_example_tells_supply_holders_balances_and_transfers(client: httpx.Client) -> None:
    """Every holder is counted once, though a page has two rows, and nothing is rounded in the sum."""
    alice = people()["alice"]
    token = client.get(f"{BRC20}/WTF/info").json()
    holders = client.get(f"{BRC20}/WTF/holders").json()
    transfers = client.get(f"{BRC20}/WTF/history?op_type=transfer").json()
    (balance,) = (holder for holder in holders if holder["wallet"] == alice)
    assert min(len(holders), len(transfers)) > 2

    run = told(client, "WTF", alice)
    assert run.returncode == 0, run.stderr
    first, second, third, *rest = run.stdout.splitlines()
    assert first == f"WTF after block {TIP}: {token['minted']} of {token['max_supply']} minted"
    total = sum(Decimal(holder["overall_balance"]) for holder in holders)
    assert second == f"{len(holders)} holders, together {total:f}"
    assert third == f"{alice} {balance['overall_balance']}"
    assert [line.split()[1] for line in rest] == [row["op_id"] for row in transfers]


def test_the_example_of_a_listener_tells_blocks_and_transfers(client: httpx.Client) -> None:
    url, start = str(client.base_url).rstrip("/"), 100
    hashes = client.get(f"{BRC20}/block-hashes?from={start}").json()
    transfers = client.get(f"{BRC20}/WTF/history?op_type=transfer").json()
    expected = []
    for block in hashes:
        expected.append(f"block {block['height']} {block['hash']}")
        rows = [row for row in transfers if row["block_height"] == block["height"]]
        for row in sorted(rows, key=lambda row: row["id"]):
            expected.append(f"  {row['amount']} {row['from_address']} -> {row['to_address']}")
    command = [sys.executable, str(LISTENER), url, "WTF", str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        try:
            assert [next(listener.stdout).rstrip("\n") for _ in expected] == expected
        finally:
            listener.kill()
    refused = subprocess.run([*command[:-1], "999"], capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1
    assert "BLOCK_NOT_FOUND" in refused.stderr


def test_the_example_says_why_it_was_refused(client: httpx.Client) -> None:
    run = told(client, "NOPE")
    assert run.returncode == 1
    assert "TICKER_NOT_FOUND: NOPE is not deployed" in run.stderr
