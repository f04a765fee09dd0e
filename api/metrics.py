"""What Prometheus scrapes. With several workers, each writes to files of one folder and any of them answers for all."""

import os
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from ingest.breaker import Circuit
from ingest.stages import Stage

MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Variable that names that folder; prometheus-client reads it when it is imported."""

REQUESTS: Final = Counter(
    "simplicity_http_requests_total",
    "Answered requests by method, route template and status.",
    ["method", "route", "status"],
)
LATENCY: Final = Histogram(
    "simplicity_http_request_seconds",
    "Seconds from request to the end of the answer, by route template.",
    ["route"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)
ROWS: Final = Counter("simplicity_http_rows_total", "Rows of the lists that were answered.")
NOT_MODIFIED: Final = Counter(
    "simplicity_http_not_modified_total", "Requests answered with 304: their client had the answer already."
)
LIMITED: Final = Counter(
    "simplicity_http_limited_total", "Requests turned away because their client asked too much.", ["client"]
)
STREAMS: Final = Gauge("simplicity_event_streams", "Streams of events that are open.", multiprocess_mode="livesum")
PUBLISHED_HEIGHT: Final = Gauge(
    "simplicity_published_height", "Height of the newest block that is served.", multiprocess_mode="mostrecent"
)
NETWORK_HEIGHT: Final = Gauge(
    "simplicity_network_height", "Height of the best chain that the node knows.", multiprocess_mode="mostrecent"
)
LAG: Final = Gauge("simplicity_lag_blocks", "Network height less published height.", multiprocess_mode="mostrecent")
LAG_SECONDS: Final = Gauge(
    "simplicity_lag_seconds",
    "For how long the node has had blocks that are not published; 0 when there are none.",
    multiprocess_mode="mostrecent",
)
INDEXER_UP: Final = Gauge(
    "simplicity_indexer_up",
    "1 while the indexer reports, 0 when it ended or fell silent.",
    multiprocess_mode="mostrecent",
)
NODE_CALLS: Final = Counter(
    "simplicity_api_node_calls_total",
    "Calls to the node by the API, by method and outcome: answered, or why not.",
    ["method", "outcome"],
)
NODE_CALL: Final = Histogram(
    "simplicity_api_node_call_seconds",
    "Seconds of a call to the node by the API.",
    ["method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)
BREAKER: Final = Gauge(
    "simplicity_api_breaker_state",
    "1 for the state that the circuit breaker of the API's calls to the node is in.",
    ["state"],
    multiprocess_mode="mostrecent",
)


def node_called(call: Stage, outcome: str) -> None:
    """Count a call to the node."""
    NODE_CALLS.labels(call.name, outcome).inc()
    NODE_CALL.labels(call.name).observe(call.seconds)


def circuit_became(now: Circuit) -> None:
    """Show the state of the circuit breaker."""
    for circuit in Circuit:
        BREAKER.labels(circuit).set(circuit is now)


def exposition() -> tuple[bytes, str]:
    """All metrics in Prometheus' text format, and its media type."""
    if MULTIPROCESS not in os.environ:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    # The library's own signature carries no types.
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
