"""`publish` and `serve --backend` as processes, and what they say when ClickHouse is not as it should be."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from typer.testing import CliRunner, Result

from api.app import create_app
from simplicity import app
from tests.helpers.api import free_port, got, running, wait_until_live
from tests.helpers.clickhouse_server import ServerProcess
from tests.helpers.recorded import recorded_lake
from warehouse.clickhouse.client import told
from warehouse.clickhouse.target import Target
from warehouse.errors import BackendUnavailable

ROOT = Path(__file__).parent.parent

ROUTES = (
    "/v1/indexer/brc20/list",
    "/v1/indexer/brc20/WTF/info",
    "/v1/indexer/brc20/WTF/holders",
    "/v1/indexer/brc20/WTF/history",
    "/v1/indexer/brc20/history-by-height/117",
    "/v1/indexer/brc20/block-hashes?from=100&to=147",
)


OF_THE_SERVER = "/v1/indexer/brc20/block-hashes?from=20&to=30"
"""What is not in memory."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_lake(tmp_path_factory.mktemp("recorded"))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


@contextmanager
def serving(home: Path, backend: str) -> Iterator[httpx.Client]:
    """`simplicity serve` without a lake's files; it must end well on SIGTERM."""
    port = free_port()
    command = ["simplicity", "serve", "--data", str(home), "--port", str(port), "--backend", backend]
    log = home / "serve.log"
    with log.open("w") as errors:
        server = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, stderr=errors)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until_live(client, server)
            yield client
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=30)
    assert code == 0, log.read_text()


def wait_for(client: httpx.Client, path: str, status: int) -> None:
    deadline = time.monotonic() + 60
    while client.get(path).status_code != status:
        assert time.monotonic() < deadline, f"{path} never answered with {status}"
        time.sleep(0.1)


def assert_same_answers(client: httpx.Client, lake: Path) -> None:
    """As over the lake's files."""
    wait_for(client, "/ready", 200)
    with running(create_app(lake)) as files:
        wait_for(files, "/ready", 200)
        for route in ROUTES:
            answer = got(client, route)
            assert answer
            assert answer == got(files, route), route


def test_a_folder_that_was_published_to_is_served(lake: Path, tmp_path: Path) -> None:
    """Each in a process of its own: only one may have the folder open."""
    address = f"chdb://{tmp_path}/clickhouse"
    command = [sys.executable, "-m", "simplicity", "publish", "--data", str(lake), "--to", address]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "published to height 147" in done.stderr
    with serving(tmp_path, address) as client:
        assert_same_answers(client, lake)


def test_a_server_that_was_published_to_is_served_and_may_come_and_go(lake: Path, tmp_path: Path) -> None:
    """While it is away lookups are answered from memory, other questions not; nothing has to be started again."""
    with ServerProcess(tmp_path / "clickhouse") as clickhouse:
        address = f"{clickhouse.address}/simplicity"
        assert run("publish", "--data", lake, "--to", address).exit_code == 0
        with serving(tmp_path, address) as client:
            assert_same_answers(client, lake)
            clickhouse.kill()
            wait_for(client, OF_THE_SERVER, 503)
            assert got(client, "/v1/indexer/brc20/WTF/info")
            clickhouse.start()
            wait_for(client, OF_THE_SERVER, 200)
            assert_same_answers(client, lake)


@pytest.mark.parametrize(
    ("backend", "more", "code", "says"),
    [
        ("postgres://host/lake", [], 3, "clickhouse://"),
        ("clickhouse://", [], 2, "clickhouse://user"),
        ("chdb://FOLDER/none", [], 3, "simplicity publish"),
        ("chdb://FOLDER", ["--workers", "2"], 3, "--workers 1"),
        ("clickhouse://reader:s3cret@127.0.0.1:1/simplicity", [], 3, "start the server, or correct --backend"),
    ],
)
def test_a_backend_that_cannot_serve_ends_the_server_at_its_start(
    backend: str, more: list[str], code: int, says: str, tmp_path: Path
) -> None:
    result = run("serve", "--data", tmp_path, "--backend", backend.replace("FOLDER", str(tmp_path)), *more)
    assert result.exit_code == code, result.output
    assert says in " ".join(result.output.split())
    assert "s3cret" not in result.output


@pytest.mark.parametrize(
    ("name", "says"),
    [("AUTHENTICATION_FAILED", "SIMPLICITY_BACKEND"), ("ACCESS_DENIED", "needs SELECT"), ("READONLY", "`readonly`")],
)
def test_what_the_server_says_of_the_user_is_told_with_what_to_do(name: str, says: str) -> None:
    """The engine in a process lets everybody in, so these are errors as the library makes them of a server's answer."""
    target = Target.of("clickhouse://reader:s3cret@127.0.0.1/simplicity")
    with pytest.raises(BackendUnavailable, match=says) as caught, told(target):
        raise DatabaseError("refused", code=1, name=name)
    assert "s3cret" not in str(caught.value)
