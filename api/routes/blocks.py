"""Hashes by which two indexers compare what they made of a block."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import answer, documented
from api.parameters import HIGHEST, Limit, current
from api.rows import BlockHashesRow

router = APIRouter(prefix="/v1/indexer/brc20", tags=["blocks"])

From = Annotated[int | None, Query(alias="from", ge=0, le=HIGHEST, description="First height; default: the lowest.")]
To = Annotated[int | None, Query(ge=0, le=HIGHEST, description="Last height, included; default: the highest.")]
Newest = Annotated[bool, Query(description="When more than `limit` blocks fit: the highest ones, not the lowest.")]


@router.get("/block-hashes", **documented("block_hashes", list[BlockHashesRow]))
async def block_hashes(
    request: Request, first: From = None, to: To = None, limit: Limit = 100, newest: Newest = False
) -> Response:
    """Hashes of published blocks by height. At most `limit` rows: the next page begins after the last height."""
    view = current(request)
    low = max(view.manifest.start_height, first or 0)
    high = min(view.tip.height, HIGHEST if to is None else to)
    low, high = (max(low, high - limit + 1), high) if newest else (low, min(high, low + limit - 1))
    rows = await request.app.state.queries.ask(view.manifest, lambda histories: histories.block_hashes(low, high))
    return answer([row._asdict() for row in rows])
