"""What orchestrators, load balancers and Prometheus ask."""

from fastapi import APIRouter, Request, Response

from api.answers import answer, documented
from api.metrics import exposition
from api.parameters import current
from api.rows import Banner, Health, Ready

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


@router.get("/live", **documented("live", Health))
async def live() -> Response:
    """That the process answers; says nothing about the data."""
    return answer(Health(status="live"))


@router.get("/ready", **documented("ready", Ready))
async def ready(request: Request) -> Response:
    """Whether a published height can be read; 503 with the reason when not."""
    return answer(Ready(status="ready", height=current(request).tip.height))


@router.get("/metrics", response_class=Response)
def metrics() -> Response:
    """Metrics in Prometheus' text format."""
    content, media_type = exposition()
    return Response(content, media_type=media_type)
