"""Runs the API: worker processes that share one socket and meet the indexer only at the manifest."""

import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import uvicorn
from fastapi import FastAPI

from api.logs import log_as_json
from api.options import VARIABLE, Options
from api.request_log import RequestLog
from api.tracing import VARIABLE as TRACE
from api.tracing import check_collector, tracing
from ingest.breaker import CircuitBreaker
from ingest.networks import NETWORKS
from ingest.node import Node
from ingest.patience import Patience
from ingest.rpc import Credentials, Heard, Rpc, unheard
from warehouse.backend import Backend
from warehouse.backends import LAKE, check_start, opened

DATA: Final = "SIMPLICITY_DATA"
NODE: Final = "SIMPLICITY_NODE"
CREDENTIALS: Final = {name: f"SIMPLICITY_NODE_{name.upper()}" for name in ("user", "password", "cookie", "header")}
"""Environment variables by which settings reach the workers: those of the command's options."""

BACKEND: Final = "SIMPLICITY_BACKEND"

METRICS: Final = "PROMETHEUS_MULTIPROC_DIR"

COLLECTIONS: Final = 10_000, 20, 100
"""How rarely Python looks for garbage: views share what they keep, and walking all of it takes a tenth of a second."""

SWITCH_INTERVAL: Final = 0.0005
"""Seconds after which a busy thread lets others run."""

LARGEST_ANSWER: Final = 64 << 20
"""Bytes of the largest answer taken from the node: its mempool as a list of half a million transactions."""

START_GRACE: Final = 60
"""Seconds without a sign of life after which a worker is replaced: on a busy machine its imports alone take several."""
STOP_GRACE: Final = 10
"""Seconds for which running requests may go on after SIGTERM."""


def serve(
    data_dir: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int = 1,
    node: str | None = None,
    credentials: Credentials | None = None,
    options: Options | None = None,
    trace: str | None = None,
    backend: str = LAKE,
) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests end. A worker that dies is replaced.

    `node` is the address of Bitcoin Core for the network's height; without it that height is null. `trace` is the
    address of a collector of traces. Raises UnusableOption, UnusableBackend, BackendUnavailable.
    """
    options = options or Options()
    check_collector(trace)
    check_start(backend, workers)
    if requests := request_log(options):
        requests.close()
    log_as_json()
    # uvicorn raises the signal anew once it has stopped in good order: that is the end, not a failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    given = credentials or Credentials()
    settings = {
        DATA: str(data_dir),
        NODE: node,
        VARIABLE: options.text(),
        TRACE: trace,
        BACKEND: backend,
        **{variable: getattr(given, name) for name, variable in CREDENTIALS.items()},
    }
    os.environ |= {name: str(value) for name, value in settings.items() if value is not None}
    with TemporaryDirectory(prefix="simplicity-metrics-") as metrics:
        if workers > 1:
            os.environ[METRICS] = metrics
        uvicorn.run(
            "api.server:app_from_environment",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=bool(options.trusted_proxies),
            forwarded_allow_ips=list(options.trusted_proxies),
            timeout_graceful_shutdown=STOP_GRACE,
            timeout_worker_healthcheck=START_GRACE,
            timeout_keep_alive=75,
            backlog=4096,
        )


def app_from_environment() -> FastAPI:
    """The application of one worker."""
    # The metrics library looks at METRICS when it is first imported.
    from api.app import create_app
    from api.metrics import circuit_became, node_called

    options = Options.from_text(os.environ[VARIABLE])
    log_as_json(request_log(options))
    # While new blocks are read in a thread, a request waits at most this long for the interpreter.
    sys.setswitchinterval(SWITCH_INTERVAL)
    data_dir = Path(os.environ[DATA])
    has_node = NODE in os.environ
    breaker = CircuitBreaker(on_change=circuit_became)
    if has_node:
        circuit_became(breaker.circuit)
    backend = opened(os.environ[BACKEND], data_dir)
    app = create_app(
        data_dir,
        backend=backend,
        options=options,
        network_height=node_height(backend, breaker, node_called) if has_node else None,
        node=partial(node_connection, breaker, node_called) if has_node else None,
        breaker=breaker if has_node else None,
        tracing=tracing(os.environ.get(TRACE), "simplicity-api"),
    )
    # What the imports made stays for good: the collector, which stops everything, need not walk it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)
    return app


def request_log(options: Options) -> RequestLog | None:
    """The files that finished requests are logged to, when they are wanted. Raises UnusableOption."""
    return RequestLog(Path(options.access_log), options.log_retention_days) if options.access_log else None


def node_height(backend: Backend, breaker: CircuitBreaker | None = None, on_call: Heard = unheard) -> Callable[[], int]:
    """Asks the node of the environment for the height of its best chain, on the network of what is published."""
    credentials = node_credentials()
    nodes: list[Node] = []

    def height() -> int:
        if not nodes:
            network = NETWORKS[backend.published().manifest.network]
            patience = Patience(deadline=1.0)
            node = os.environ[NODE]
            nodes.append(
                Node(node, network, credentials, patience=patience, breaker=breaker, on_call=on_call, timeout=5.0)
            )
        return nodes[0].network_height()

    return height


def node_connection(breaker: CircuitBreaker, on_call: Heard) -> Rpc:
    """A connection to the node of the environment."""
    return Rpc(
        os.environ[NODE],
        node_credentials(),
        timeout=5.0,
        max_answer=LARGEST_ANSWER,
        breaker=breaker,
        on_call=on_call,
    )


def node_credentials() -> Credentials:
    """Those of the environment."""
    password, user, header, cookie = (
        os.environ.get(CREDENTIALS[name]) for name in ("password", "user", "header", "cookie")
    )
    return Credentials(user, password, Path(cookie) if cookie else None, header)
