"""The API as its clients meet it: a real server on a port of loopback."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.options import Options

SAFE = Options()
PROGRAM = """
import sys
from pathlib import Path
from typing import Any
from api.options import Options
from api.server import serve
if __name__ == "__main__":
    options = Options.from_text(sys.argv[4])
    serve(Path(sys.argv[1]), port=int(sys.argv[2]), workers=int(sys.argv[3]), options=options)
"""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def got(client: httpx.Client, path: str, **parameters: Any) -> Any:
    """The answer, which must be one; without parameters those of the path stay."""
    response = client.get(path, params=parameters or None)
    assert response.status_code == 200, response.text
    return response.json()


@contextmanager
def serving(
    data_dir: Path, workers: int = 1, log: Path | None = None, options: Options = SAFE
) -> Iterator[httpx.Client]:
    """`api.server.serve` in a process of its own, asked through the client; it must end well on SIGTERM."""
    port = free_port()
    with open(log or os.devnull, "wb") as errors:
        command = [sys.executable, "-c", PROGRAM, str(data_dir), str(port), str(workers), options.text()]
        server = subprocess.Popen(command, stderr=errors)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until_live(client, server)
            yield client
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=30)
    assert code == 0, f"the server ended with {code}"


def wait_until_live(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    """Until the server answers; fails when it ends instead."""
    for _ in range(600):
        assert server.poll() is None, f"the server ended with {server.returncode}"
        try:
            client.get("/live")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not come up in 30 s")


@contextmanager
def running(app: FastAPI | ProxyHeadersMiddleware) -> Iterator[httpx.Client]:
    """The application behind a real server in this process, for tests that look inside or inject."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_config=None, access_log=False, ws="none", proxy_headers=False)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(30)
