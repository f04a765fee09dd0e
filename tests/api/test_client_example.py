"""The example of a client does what it says, against a server over the recorded chain."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import httpx

from tests.helpers.recorded import TIP, people

EXAMPLE = Path(__file__).parents[2] / "docs/examples/client.py"
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


def test_the_example_says_why_it_was_refused(client: httpx.Client) -> None:
    run = told(client, "NOPE")
    assert run.returncode == 1
    assert "TICKER_NOT_FOUND: NOPE is not deployed" in run.stderr
