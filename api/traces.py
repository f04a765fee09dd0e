"""A span for each request and for what it asks. What clients send is in no span: neither paths nor values nor SQL.

Used only when traces are wanted, so that they cost nothing otherwise.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from fastapi import Request
from opentelemetry.context import Context, get_current
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import method_of, route_of
from api.formats import Format
from api.guard import FREE
from api.mempool import MempoolReader
from api.queries import Queries
from api.sql import Analyst
from ingest.networks import Network
from ingest.rpc import Rpc
from warehouse.backend import Backend
from warehouse.histories import Histories
from warehouse.manifest import Manifest
from warehouse.store import Store, Values

T = TypeVar("T")

UNTRACED: Final = FREE | {"/metrics"}
"""What machines ask every few seconds."""

CONTEXT: Final = TraceContextTextMapPropagator()


class Traces:
    """Continues the trace of a client that sends `traceparent`, else begins one. Adds `trace_id` to the state."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self.app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self.app(scope, receive, send)
            return
        status = 500

        async def send_seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = method_of(scope)
        attributes = {"http.request.method": method, "simplicity.request_id": scope["state"]["request_id"]}
        context = CONTEXT.extract(Headers(scope=scope))
        with _span(self._tracer, method, attributes, context, SpanKind.SERVER) as span:
            scope["state"]["trace_id"] = format_trace_id(span.get_span_context().trace_id)
            try:
                await self.app(scope, receive, send_seen)
            finally:
                route = route_of(scope)
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": int(status)})
                if status >= 500:
                    span.set_status(StatusCode.ERROR)


class TracedQueries(Queries):
    """A span for each question, waiting included, and one for each query that it takes."""

    def __init__(self, backend: Backend, deadline: float, tracer: Tracer) -> None:
        super().__init__(backend, deadline)
        self._tracer = tracer

    async def ask(self, manifest: Manifest, question: Callable[[Histories], T]) -> T:
        with _span(self._tracer, "question"):
            context = get_current()

            def traced(found: Histories) -> T:
                # It hands on what it does not trace, which types do not see.
                return question(Histories(cast("Store", _TracedStore(found.store, self._tracer, context))))

            return await super().ask(manifest, traced)


class TracedAnalyst(Analyst):
    """A span for each statement, until its answer begins."""

    def __init__(self, data_dir: Path | None, tracer: Tracer) -> None:
        super().__init__(data_dir)
        self._tracer = tracer

    async def answer(self, request: Request, manifest: Manifest, query: str, format_: Format) -> Response:
        with _span(self._tracer, "statement", {"simplicity.format": format_.value}):
            return await super().answer(request, manifest, query, format_)


class TracedMempoolReader(MempoolReader):
    """A span for each question about the mempool."""

    def __init__(self, connect: Callable[[], Rpc] | None, tracer: Tracer) -> None:
        super().__init__(connect)
        self._tracer = tracer

    async def has_transfer(self, network: Network, address: str, ticker: str) -> bool:
        with _span(self._tracer, "mempool"):
            return await super().has_transfer(network, address, ticker)


class _TracedStore:
    def __init__(self, store: Store, tracer: Tracer, context: Context) -> None:
        self._store = store
        self._tracer = tracer
        self._context = context
        """Of the question: this runs in another thread."""

    def fetch(self, query: str, values: Values) -> list[tuple[Any, ...]]:
        with _span(self._tracer, "query", context=self._context, kind=SpanKind.CLIENT) as span:
            rows = self._store.fetch(query, values)
            span.set_attribute("db.response.returned_rows", len(rows))
            return rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@contextmanager
def _span(
    tracer: Tracer,
    name: str,
    attributes: dict[str, AttributeValue] | None = None,
    context: Context | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
) -> Iterator[Span]:
    """The current span of a block. Of an error it has the kind alone: its text may hold what the client sent."""
    with tracer.start_as_current_span(
        name, context, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise
