"""What is not in a block yet."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.answers import answer, documented
from api.mempool import MempoolReader
from api.parameters import LONGEST_ADDRESS, checked_address, current, ticker_of
from api.rows import Pending
from ingest.networks import NETWORKS

router = APIRouter(prefix="/v1/mempool", tags=["mempool"])


class Question(BaseModel):
    """Whose transfer of what."""

    address: Annotated[str, Field(max_length=LONGEST_ADDRESS)]
    ticker: Annotated[str, Field(max_length=2000)]


@router.post("/check-pending", **documented("check_pending", Pending))
async def check_pending(request: Request, body: Question) -> Response:
    """Whether a transfer of the token by the address waits in the node's mempool; 503 when that cannot be known."""
    view = current(request)
    address, ticker = checked_address(view, body.address), ticker_of(body.ticker)
    mempool: MempoolReader = request.app.state.mempool
    pending = await mempool.has_transfer(NETWORKS[view.manifest.network], address, ticker)
    return answer(Pending(address=address, ticker=ticker, has_pending_transfer=pending))
