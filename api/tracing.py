"""Sets up OpenTelemetry for a process. Nothing of its SDK is imported unless traces are wanted."""

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opentelemetry.trace import Tracer

from api.options import UnusableOption
from api.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

VARIABLE: Final = "SIMPLICITY_TRACE"

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""The standard's variables that say where traces go. Its others (names, sampling, headers, batches) hold as well."""

PATH: Final = "/v1/traces"


class Tracing:
    """Where a process gets its spans, which are sent in the background."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self.tracer: Final[Tracer] = provider.get_tracer("simplicity", VERSION)

    def close(self) -> None:
        """Send what is left and end; spans that are made later are lost."""
        self._provider.shutdown()


def tracing(url: str | None, service: str) -> Tracing | None:
    """Traces sent by OTLP over HTTP to the collector at `url` or where the environment says; None when neither does.

    `service` is the service's name unless the environment gives one. Raises UnusableOption.
    """
    if not _wanted(url):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours = Resource({"service.name": service, "service.version": VERSION}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=Resource.create(ours.attributes), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=_endpoint(url) if url else None)))
    return Tracing(provider)


def check_collector(url: str | None) -> None:
    """Raises UnusableOption for what is no address of a collector."""
    if url:
        _endpoint(url)


def _wanted(url: str | None) -> bool:
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return bool(url or any(os.environ.get(name) for name in ENDPOINTS))


def _endpoint(url: str) -> str:
    """Where the collector takes traces: its address with the standard path, unless it has one of its own."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnusableOption("the collector's address is like http://host:4318")
    if parts.username or parts.password:
        raise UnusableOption("the collector's address holds no password: give headers in OTEL_EXPORTER_OTLP_HEADERS")
    return url if parts.path.strip("/") else url.rstrip("/") + PATH
