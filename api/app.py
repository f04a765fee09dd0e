"""The HTTP application: routes over what the lake publishes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from api.access import Access
from api.answers import add_example, operation_id
from api.at_hand import AtHand
from api.bounds import Bounds
from api.columns import Columns
from api.compression import Compression
from api.counts import Counts
from api.document import complete
from api.errors import add_error_handlers
from api.events import Events
from api.follower import Follower
from api.freshness import Freshness
from api.guard import Guard
from api.identity import Identities
from api.links import add_links
from api.mempool import MempoolReader
from api.neighbours import Neighbours
from api.options import Options
from api.queries import DEADLINE, Queries
from api.routes import (
    addresses,
    balance_changes,
    blocks,
    curve,
    events,
    histories,
    mempool,
    operations,
    pools,
    probes,
    sql,
    status,
    swap,
    swap_metrics,
    tokens,
    validator,
    wrap,
)
from api.security import SecurityHeaders
from api.sql import Analyst
from api.streams import Places
from api.traces import TracedAnalyst, TracedMempoolReader, TracedQueries, Traces
from api.tracing import Tracing
from api.version import VERSION
from ingest.breaker import CircuitBreaker
from ingest.rpc import Rpc
from warehouse.backend import Backend
from warehouse.lake_backend import LakeBackend

SAFE: Final = Options()

DESCRIPTION: Final = """
Exact balances, supplies and histories of the Universal BRC-20 protocol.

Every answer belongs to one published block: `X-Block-Height` and `X-Block-Hash` name it, and `ETag` spares those who
have the answer already. Amounts are text with 8 decimals; times are UTC. Errors all have one shape.
"""

ROUTERS: Final = (
    addresses,
    blocks,
    histories,
    operations,
    status,
    swap,
    swap_metrics,
    balance_changes,
    pools,
    wrap,
    curve,
    tokens,
    mempool,
    validator,
    probes,
    sql,
    events,
)
"""In this order paths are matched. A ticker may hold slashes, so what has fixed parts comes before `tokens`."""

EXPOSED_HEADERS: Final = (
    "ETag",
    "X-Block-Height",
    "X-Block-Hash",
    "X-Degraded",
    "X-Request-ID",
    "X-Next-Cursor",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
)
TAKEN_HEADERS: Final = (
    "Accept",
    "Authorization",
    "Content-Type",
    "If-None-Match",
    "Last-Event-ID",
    "X-API-Key",
    "X-Channel",
    "X-Client",
    "X-Request-ID",
    "X-Version",
    "traceparent",
)
"""Headers that scripts of the listed sites may send."""


NOTHING_OF_THE_FRAMEWORK: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""The framework would put paths and queries into its spans."""


def create_app(
    data_dir: Path,
    *,
    options: Options = SAFE,
    network_height: Callable[[], int] | None = None,
    node: Callable[[], Rpc] | None = None,
    query_deadline: float = DEADLINE,
    breaker: CircuitBreaker | None = None,
    backend: Backend | None = None,
    tracing: Tracing | None = None,
) -> FastAPI:
    """The API over the lake in `data_dir`, which need not exist yet.

    `network_height` gives the height of the node's best chain; it may block and raise IngestError. `node` connects to
    the node whose mempool is asked; `breaker` is what both go through. `query_deadline` is how many seconds a question
    that reads history may take.
    With a `backend` answers come from there, and `data_dir` is only the folder of the keys and of the indexer's report.
    With `tracing` requests are traced; it is closed at the end. Raises UnusableVerificationKey.
    """
    backend = backend or LakeBackend(data_dir)
    follower = Follower(backend, network_height)
    neighbours = Neighbours(data_dir, follower, breaker)
    counts = Counts(options.limit_store)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.follower = follower
        app.state.neighbours = neighbours
        if tracing is None:
            app.state.queries = Queries(backend, query_deadline)
            app.state.analyst = Analyst(backend.directory)
            app.state.mempool = MempoolReader(node)
        else:
            app.state.queries = TracedQueries(backend, query_deadline, tracing.tracer)
            app.state.analyst = TracedAnalyst(backend.directory, tracing.tracer)
            app.state.mempool = TracedMempoolReader(node, tracing.tracer)
        app.state.events = Events(follower, app.state.queries)
        app.state.places = Places()
        async with follower.running(), neighbours.watched():
            yield
        app.state.queries.close()
        backend.close()
        app.state.mempool.close()
        await counts.close()
        if tracing is not None:
            await asyncio.to_thread(tracing.close)

    app = FastAPIOffline(
        title="Simplicity",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=operation_id,
        telemetry=NOTHING_OF_THE_FRAMEWORK,
        middleware=[
            Middleware(Access),
            *([Middleware(Traces, tracer=tracing.tracer)] if tracing else []),
            Middleware(SecurityHeaders),
            *([_sharing(options.cors_origins)] if options.cors_origins else []),
            Middleware(Compression),
            Middleware(Bounds),
            Middleware(Guard, identities=Identities(data_dir, options), counts=counts),
            Middleware(Freshness, follower=follower, neighbours=neighbours),
            Middleware(Columns),
            Middleware(AtHand),
        ],
    )
    add_error_handlers(app)
    for module in ROUTERS:
        app.include_router(module.router)
    complete(app, add_example, add_links)
    return app


def _sharing(origins: Sequence[str]) -> Middleware:
    """Lets the pages of the listed sites read answers; of others browsers keep them."""
    return Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=TAKEN_HEADERS,
        expose_headers=EXPOSED_HEADERS,
    )
