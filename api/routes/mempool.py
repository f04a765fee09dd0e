"""What is not in a block yet."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.answers import answer, documented
from api.errors import NoNode
from api.mempool import Mempool
from api.parameters import checked_address, current, ticker_of
from api.rows import Pending
from ingest.errors import IngestError
from ingest.networks import NETWORKS

router = APIRouter(prefix="/v1/mempool", tags=["mempool"])


class Question(BaseModel):
    """Whose transfer of what."""

    address: Annotated[str, Field(max_length=200)]
    ticker: Annotated[str, Field(max_length=2000)]


@router.post("/check-pending", **documented("check_pending", Pending))
async def check_pending(request: Request, body: Question) -> Response:
    """Whether a transfer of the token by the address waits in the node's mempool; 503 when that cannot be known."""
    address, ticker = checked_address(current(request), body.address), ticker_of(body.ticker)
    try:
        pending = await asyncio.to_thread(_mempool(request).has_transfer, address, ticker)
    except IngestError as error:
        raise NoNode(str(error)) from error
    return answer(Pending(address=address, ticker=ticker, has_pending_transfer=pending))


def _mempool(request: Request) -> Mempool:
    """The one of this worker. Raises NoNode."""
    state = request.app.state
    if state.node is None:
        raise NoNode("no node was given to the server, and only a node knows what waits")
    if state.mempool is None:
        state.mempool = Mempool(state.node(), NETWORKS[current(request).manifest.network])
    mempool: Mempool = state.mempool
    return mempool
