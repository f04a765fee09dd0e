"""The HTTP application: routes over what the lake publishes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from api.access import Access
from api.answers import add_examples, operation_id
from api.errors import add_error_handlers
from api.follower import Follower
from api.freshness import Freshness
from api.queries import DEADLINE, Queries
from api.routes import addresses, blocks, histories, probes, status, tokens

VERSION: Final = "0.1.0"

DESCRIPTION: Final = """
Exact balances, supplies and histories of the Universal BRC-20 protocol.

Every answer belongs to one published block: `X-Block-Height` and `X-Block-Hash` name it, and `ETag` spares those who
have the answer already. Amounts are text with 8 decimals; times are UTC. Errors all have one shape.
"""

ROUTERS: Final = (addresses, blocks, histories, status, tokens, probes)
"""In this order paths are matched. A ticker may hold slashes, so what has fixed parts comes before `tokens`."""

EXPOSED_HEADERS: Final = ("ETag", "X-Block-Height", "X-Block-Hash", "X-Request-ID")


def create_app(
    data_dir: Path, *, network_height: Callable[[], int] | None = None, query_deadline: float = DEADLINE
) -> FastAPI:
    """The API over the lake in `data_dir`, which need not exist yet.

    `network_height` gives the height of the node's best chain; it may block and raise IngestError. `query_deadline` is
    how many seconds a question that reads history may take.
    """
    follower = Follower(data_dir, network_height)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.follower = follower
        app.state.queries = Queries(data_dir, query_deadline)
        async with follower.running():
            yield
        app.state.queries.close()

    app = FastAPIOffline(
        title="Simplicity",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=operation_id,
        middleware=[
            Middleware(Access),
            Middleware(CORSMiddleware, allow_origins=["*"], allow_headers=["*"], expose_headers=EXPOSED_HEADERS),
            Middleware(Freshness, follower=follower),
        ],
    )
    add_error_handlers(app)
    for module in ROUTERS:
        app.include_router(module.router)
    add_examples(app)
    return app
