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

MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Variable that names that folder; prometheus-client reads it when it is imported."""

REQUESTS: Final = Counter(
    "simplicity_http_requests_total", "Answered requests by route template and status.", ["route", "status"]
)
LATENCY: Final = Histogram(
    "simplicity_http_request_seconds",
    "Seconds from request to the end of the answer, by route template.",
    ["route"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)
LIMITED: Final = Counter(
    "simplicity_http_limited_total", "Requests turned away because their client asked too much.", ["client"]
)
PUBLISHED_HEIGHT: Final = Gauge(
    "simplicity_published_height", "Height of the newest block that is served.", multiprocess_mode="mostrecent"
)
NETWORK_HEIGHT: Final = Gauge(
    "simplicity_network_height", "Height of the best chain that the node knows.", multiprocess_mode="mostrecent"
)
LAG: Final = Gauge("simplicity_lag_blocks", "Network height less published height.", multiprocess_mode="mostrecent")


def exposition() -> tuple[bytes, str]:
    """All metrics in Prometheus' text format, and its media type."""
    if MULTIPROCESS not in os.environ:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    registry = CollectorRegistry()
    # The library's own signature carries no types.
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST
