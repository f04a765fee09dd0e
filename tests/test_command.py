"""The command: every option's three places, exit codes, and what each command does to a real lake."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import httpx
import pytest
from typer.testing import CliRunner, Result

from ingest.networks import NETWORKS
from settings import NetworkName
from simplicity import app
from tests.helpers.api import free_port
from tests.helpers.node import LOGIN, FakeNode
from tests.helpers.traffic import Traffic

ROOT = Path(__file__).parent.parent
TIP = 147


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], env=env)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert run("demo", "--once", "--data", folder).exit_code == 0
    return folder


@pytest.fixture
def lake(demo: Path, tmp_path: Path) -> Path:
    """A lake of the recorded chain that the test may change."""
    assert run("sync", "--data", tmp_path, "--network", "regtest", "--blocks", demo / "node/blocks").exit_code == 0
    return tmp_path


@pytest.fixture
def node() -> Iterator[FakeNode]:
    with FakeNode(recorded=TIP + 1) as node:
        yield node


def status(lake: Path, *more: str) -> dict[str, object]:
    result = run("status", "--data", lake, "--json", *more)
    assert result.exit_code == 0, result.output
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


def test_network_names_are_those_of_the_protocol() -> None:
    assert set(get_args(NetworkName)) == NETWORKS.keys()


@pytest.mark.parametrize(
    "command",
    [
        "sync",
        "serve",
        "run",
        "demo",
        "status",
        "sql",
        "shell",
        "export",
        "catalogue",
        "rollback",
        "rebuild",
        "audit",
        "verify",
    ],
)
def test_help_describes_every_option_and_its_variable(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    options = set(re.findall(r"--([a-z][a-z-]+)", result.output)) - {
        "help",
        "json",
        "no-follow",
        "no-once",
        "follow",
        "no-anonymous",
    }
    for option in options:
        assert "SIMPLICITY_" + option.upper().replace("-", "_") in result.output, option


def test_status_says_what_is_indexed(demo: Path) -> None:
    report = status(demo / "lake")
    assert (report["network"], report["height"], report["operations"]) == ("regtest", TIP, 56)
    assert report["node_height"] is None
    assert "height" in run("status", "--data", demo / "lake").stdout


def test_status_asks_the_node_for_its_height(demo: Path, node: FakeNode) -> None:
    node.mine(3)
    report = status(demo / "lake", "--node", node.url)
    assert (report["node_height"], report["behind"]) == (TIP + 3, 3)


def test_environment_and_settings_file_stand_in_for_options(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = str(demo / "lake")
    assert run("status", "--json", env={"SIMPLICITY_DATA": lake}).exit_code == 0
    file = tmp_path / "simplicity.toml"
    file.write_text(f'data = "{lake}"\nnode-user = "unused here"\n')
    assert run("--settings", file, "status", "--json").exit_code == 0
    assert run("--settings", file, "status", "--json", env={"SIMPLICITY_DATA": str(tmp_path / "none")}).exit_code == 3
    monkeypatch.chdir(tmp_path)
    assert run("status", "--json").exit_code == 0


@pytest.mark.parametrize("text", ["date = 1", "data = ", "[data]\nx = 1"])
def test_a_settings_file_that_cannot_be_meant_is_wrong_use(text: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    assert run("--settings", file, "status").exit_code == 2
    assert run("--settings", tmp_path / "none.toml", "status").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["sync", "--data", "DIR", "--blocks", "BLOCKS"], 2, "--network"),
        (["sync", "--data", "DIR", "--network", "regtest"], 2, "--node"),
        (["sync", "--data", "DIR", "--network", "regtest", "--node", "http://x", "--blocks", "BLOCKS"], 2, "either"),
        (["sync", "--data", "DIR", "--network", "mainnet", "--blocks", "BLOCKS"], 3, "network"),
        (["sync", "--data", "DIR", "--network", "regtest", "--blocks", "DIR"], 3, "blk"),
        (["sync", "--data", "LAKE", "--network", "signet", "--blocks", "BLOCKS"], 2, "regtest"),
        (["sync", "--data", "LAKE", "--start", "5", "--blocks", "BLOCKS"], 2, "start"),
        (["sync", "--data", "DIR", "--network", "regtest", "--node", "ftp://x"], 3, "http"),
        (["status", "--data", "DIR"], 3, "no lake"),
        (["sql", "--data", "DIR", "SELECT 1"], 3, "no lake"),
        (["sql", "--data", "LAKE", "SELECT nothing FROM nowhere"], 2, "nowhere"),
        (["sql", "--data", "LAKE", "DROP VIEW tokens"], 2, "SELECT"),
        (["rollback", "--data", "DIR", "--to", "3"], 3, "no lake"),
        (["audit", "--data", "LAKE", "--height", "9999"], 3, "9999"),
        (["verify", "--data", "LAKE", "--against", "http://127.0.0.1:1"], 3, "127.0.0.1:1"),
        (["verify", "--data", "LAKE", "--against", "DIR"], 3, "no lake"),
        (["serve", "--data", "LAKE", "--port", "70000"], 2, "65535"),
        (["serve", "--data", "LAKE", "--log-retention-days", "0"], 2, "--log-retention-days"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_wrong_use_and_obstacles_have_their_exit_codes(
    arguments: list[str], code: int, says: str, demo: Path, tmp_path: Path
) -> None:
    places = {"DIR": tmp_path / "empty", "LAKE": demo / "lake", "BLOCKS": demo / "node/blocks"}
    (tmp_path / "empty").mkdir()
    result = run(*(places.get(argument, argument) for argument in arguments))
    assert result.exit_code == code, result.output
    assert says in " ".join(result.output.split())


def test_credentials_reach_the_node_and_no_message(node: FakeNode, tmp_path: Path) -> None:
    user, password = LOGIN.split(":")
    sync = ("sync", "--data", tmp_path / "lake", "--network", "regtest", "--node", node.address, "--to", "20")
    refused = run(*sync, "--node-user", user, "--node-password", "wr0ng-secret")
    assert refused.exit_code == 3
    assert "wr0ng-secret" not in refused.output
    assert run(*sync, "--node-user", user, "--node-password", password).exit_code == 0
    assert status(tmp_path / "lake")["height"] == 20
    node.write_cookie(tmp_path / "cookie")
    assert run(*sync[:-1], "30", "--node-cookie", tmp_path / "cookie").exit_code == 0
    assert status(tmp_path / "lake")["height"] == 30


def test_rollback_forgets_and_sync_brings_back_the_same(demo: Path, lake: Path) -> None:
    before = status(lake)["cumulative_hash"]
    assert run("rollback", "--data", lake, "--to", "116").exit_code == 0
    assert status(lake)["height"] == 116
    assert run("audit", "--data", lake).exit_code == 0
    assert run("sync", "--data", lake, "--blocks", demo / "node/blocks").exit_code == 0
    assert status(lake)["cumulative_hash"] == before


def test_rebuild_derives_the_same_without_a_node(lake: Path) -> None:
    before = status(lake)
    assert run("rebuild", "--data", lake).exit_code == 0
    after = status(lake)
    assert after["cumulative_hash"] == before["cumulative_hash"]
    assert run("audit", "--data", lake).exit_code == 0


def test_audit_ends_with_1_when_a_file_was_changed(lake: Path) -> None:
    assert run("audit", "--data", lake, "--height", "117").exit_code == 0
    segment = next((lake / "segments/operations").glob("*.parquet"))
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    segment.write_bytes(damaged)
    result = run("audit", "--data", lake)
    assert result.exit_code == 1
    assert segment.name in result.stdout


def test_sql_writes_every_format(demo: Path, tmp_path: Path) -> None:
    query = "SELECT ticker, max_supply FROM tokens ORDER BY ticker"
    rows = json.loads(run("sql", "--data", demo / "lake", query, "--format", "json").stdout)
    assert rows == [
        {"ticker": "CRV", "max_supply": "1000000.00000000"},
        {"ticker": "LOL", "max_supply": "1000.00000000"},
        {"ticker": "W", "max_supply": "0.00000000"},
        {"ticker": "WTF", "max_supply": "21000000.00000000"},
    ]
    for format in ("table", "csv", "json", "parquet"):
        output = tmp_path / f"answer.{format}"
        assert run("sql", "--data", demo / "lake", query, "--format", format, "--output", output).exit_code == 0
        assert output.stat().st_size > 0


def test_two_lakes_of_one_chain_agree(demo: Path, lake: Path) -> None:
    assert run("verify", "--data", lake, "--against", demo / "lake").exit_code == 0


def child(*arguments: str | Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "simplicity", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until(condition: "object", seconds: float = 60.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def height_of(lake: Path) -> int:
    manifest = lake / "manifest.json"
    tip = json.loads(manifest.read_text())["tip"] if manifest.exists() else None
    return tip["height"] if tip else -1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_sync_at_a_block_boundary(number: signal.Signals, tmp_path: Path) -> None:
    traffic = Traffic(3)
    with FakeNode() as node:
        for _ in range(100):
            node.mine(txs=traffic.txs(3))
        lake = tmp_path / "lake"
        sync = child("sync", "--data", lake, "--network", "regtest", "--node", node.url, "--batch", "1", "--follow")
        until(lambda: height_of(lake) >= 5)
        sync.send_signal(number)
        output, _ = sync.communicate(timeout=30)
    assert sync.returncode == 0, output
    assert f"indexed to height {height_of(lake)}" in output
    assert run("audit", "--data", lake).exit_code == 0


def test_sync_waits_for_an_absent_node_and_goes_on(tmp_path: Path) -> None:
    with FakeNode(recorded=30) as node:
        node.vanish()
        sync = child("sync", "--data", tmp_path / "lake", "--network", "regtest", "--node", node.url, "--follow")
        try:
            assert sync.stdout is not None
            assert "waiting" in sync.stdout.readline()
            node.appear()
            until(lambda: height_of(tmp_path / "lake") == 29)
            node.mine(txs=Traffic(1).txs(2))
            until(lambda: height_of(tmp_path / "lake") == 30)
        finally:
            sync.terminate()
            sync.communicate(timeout=30)
    assert sync.returncode == 0


def test_run_follows_serves_and_restarts_what_dies(tmp_path: Path) -> None:
    lake, port = tmp_path / "lake", free_port()
    with FakeNode(recorded=120) as node:
        run_ = child("run", "--data", lake, "--network", "regtest", "--node", node.url, "--port", str(port))
        url = f"http://127.0.0.1:{port}/v1/indexer/brc20/status"

        def served() -> int:
            try:
                return int(httpx.get(url, timeout=5).json()["last_indexed_block_main_chain"])
            except (httpx.HTTPError, KeyError, ValueError):
                return -1

        try:
            until(lambda: served() == 119)
            indexer = writer_of(lake)
            os.kill(indexer, signal.SIGKILL)
            node.mine(2)
            until(lambda: served() == 121)
            assert writer_of(lake) != indexer
        finally:
            run_.terminate()
            output, _ = run_.communicate(timeout=60)
    assert run_.returncode == 0, output
    assert "sync ended with code -9" in output


def writer_of(lake: Path) -> int:
    """Process id of the indexer, from the lock that it holds."""
    return int(re.findall(r"\d+", (lake / "lock").read_text())[0])


def test_keys_are_made_listed_and_revoked(lake: Path) -> None:
    made = run("keys", "create", "--data", lake, "--name", "wallet", "--scope", "read", "--scope", "sql")
    assert made.exit_code == 0
    text = made.stdout.strip()
    listed = run("keys", "list", "--data", lake, "--json")
    assert text not in listed.stdout
    (key,) = json.loads(listed.stdout)
    assert (key["name"], key["scopes"], key["revoked"]) == ("wallet", ["read", "sql"], None)
    assert f"smp_{key['id']}" in run("keys", "list", "--data", lake).stdout
    assert run("keys", "revoke", "--data", lake, key["id"]).exit_code == 0
    assert "revoked" in run("keys", "list", "--data", lake).stdout
    assert run("keys", "revoke", "--data", lake, "00000000").exit_code == 2
    assert run("keys", "create", "--data", lake, "--name", "x", "--rate", "often").exit_code == 2
    assert run("keys", "create", "--data", lake / "nowhere", "--name", "x").exit_code == 3
