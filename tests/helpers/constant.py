"""The least that a FastAPI application can do: one route that answers constant bytes, served as the API is.

python -m tests.helpers.constant PORT
"""

import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
import uvicorn
from fastapi import FastAPI, Response

from api.server import SWITCH_INTERVAL
from tests.helpers.api import free_port, wait_until_live

BODY: Final = (
    b'{"pkscript":"","ticker":"T0000","wallet":"bcrt1q000000000000000000000000000000000000000",'
    b'"overall_balance":"1234.00000000","available_balance":"1234.00000000","block_height":9999}'
)


def app() -> FastAPI:
    """The application."""
    bare = FastAPI()

    @bare.get("/live")
    async def constant() -> Response:
        return Response(BODY, media_type="application/json")

    return bare


@contextmanager
def serving_constant() -> Iterator[httpx.Client]:
    """It in a process of its own, asked through the client."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "tests.helpers.constant", str(port)])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until_live(client, server)
            yield client
    finally:
        server.terminate()
        server.wait(timeout=30)


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_INTERVAL)
    bare = app()
    gc.collect()
    gc.freeze()
    uvicorn.run(
        bare,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=75,
        backlog=4096,
    )
