"""What orchestrators, load balancers and Prometheus ask."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from api.answers import answer, documented
from api.errors import NotReady
from api.follower import Follower
from api.metrics import exposition
from api.neighbours import Neighbours
from api.parameters import current
from api.rows import Banner, ConcurrencyHealth, Health, Ready, time_text

router = APIRouter(tags=["probes"])


@router.get("/", **documented("banner", Banner))
async def banner(request: Request) -> Response:
    """What is served here."""
    return answer(
        Banner(message="Simplicity, an indexer of the Universal BRC-20 protocol", version=request.app.version)
    )


@router.get("/health", **documented("health", Health))
async def health(request: Request) -> Response:
    """Ok while a published height can be served; 503 when not."""
    current(request)
    return answer(Health(status="ok"))


@router.get("/health/concurrency", **documented("concurrency", ConcurrencyHealth))
async def concurrency(request: Request) -> Response:
    """Whether publishing goes on undisturbed; 503 when no published height can be served."""
    follower: Follower = request.app.state.follower
    view, progress = follower.view, follower.progress
    if view is None:
        raise NotReady(f"nothing can be served yet: {follower.error}")
    return answer(
        ConcurrencyHealth(
            status="warning" if progress.reorganisations else "healthy",
            recent_conflicts=0,
            duplicate_blocks=0,
            potential_reorgs=progress.reorganisations,
            last_processed_block=view.tip.height,
            processing_rate_blocks_per_hour=progress.blocks,
            optimistic_locking_enabled=False,
            reorg_detection_enabled=True,
            timestamp=time_text(datetime.now(UTC)),
        )
    )


@router.get("/live", **documented("live", Health))
async def live() -> Response:
    """That the process answers; says nothing about the data."""
    return answer(Health(status="live"))


@router.get("/ready", **documented("ready", Ready))
async def ready(request: Request) -> Response:
    """Whether a published height can be read; 503 with the reason when not."""
    view, standing = current(request), request.state.standing
    return answer(
        Ready(
            status="ready",
            height=view.tip.height,
            indexer=standing.indexer,
            node=standing.node,
            circuit=standing.circuit,
        )
    )


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Metrics in Prometheus' text format: of this server and, while it is there, of the indexer."""
    content, media_type = exposition()
    neighbours: Neighbours = request.app.state.neighbours
    return Response(content + neighbours.indexer_metrics.encode(), media_type=media_type)
