"""How far the indexer is."""

from fastapi import APIRouter, Request, Response

from api.answers import answer, documented
from api.follower import lag
from api.parameters import current
from api.rows import IndexerHealth, IndexerStatus

router = APIRouter(prefix="/v1/indexer/brc20", tags=["status"])


@router.get("/health", **documented("indexer_health", IndexerHealth))
async def health(request: Request) -> Response:
    """Whether a published height can be served; 503 when not."""
    view = current(request)
    return answer(IndexerHealth(status="healthy", message=f"serving block {view.tip.height}"))


@router.get("/status", **documented("status", IndexerStatus))
async def status(request: Request) -> Response:
    """Published height, the node's height, and how many blocks lie between."""
    view = current(request)
    network, standing = request.state.network, request.state.standing
    return answer(
        IndexerStatus(
            current_block_height_network=network.height,
            last_indexed_block_main_chain=view.tip.height,
            last_indexed_brc20_op_block=view.last_operation_height,
            lag=None if network.height is None else lag(network.height, view.tip.height),
            network_height_error=network.error,
            indexer=standing.indexer,
            indexer_error=standing.indexer_error,
        )
    )
