"""Hashes by which two indexers compare what they made of a block, and what they hold after it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import answer, documented
from api.ledgers import AtHeight, check_published
from api.pages import Cursor, Limit, Size, cut, key_of, paged
from api.parameters import HIGHEST, current
from api.rows import BalancesHash, BlockHashesRow
from warehouse.histories import Histories
from warehouse.past import Past

router = APIRouter(prefix="/v1/indexer/brc20", tags=["blocks"])

KIND = "block-hashes"

From = Annotated[int | None, Query(alias="from", ge=0, le=HIGHEST, description="First height; default: the lowest.")]
To = Annotated[int | None, Query(ge=0, le=HIGHEST, description="Last height, included; default: the highest.")]
Newest = Annotated[bool, Query(description="When more than `limit` blocks fit: the highest ones, not the lowest.")]


@router.get("/block-hashes", **documented("block_hashes", list[BlockHashesRow]))
async def block_hashes(
    request: Request,
    first: From = None,
    to: To = None,
    limit: Limit = 100,
    size: Size = None,
    newest: Newest = False,
    cursor: Cursor = None,
) -> Response:
    """Hashes of published blocks by height."""
    view = current(request)
    limit = size or limit
    key = key_of(cursor, KIND, int)
    low = max(view.manifest.start_height, first or 0, key[0] + 1 if key else 0)
    high = min(view.tip.height, HIGHEST if to is None else to)
    low, high = (max(low, high - limit + 1), high) if newest else (low, min(high, low + limit))
    found = await request.app.state.queries.ask(view.manifest, lambda histories: histories.block_hashes(low, high))
    rows, following = cut(found, limit, KIND, lambda row: [row.height])
    return paged([row._asdict() for row in rows], following)


@router.get("/balances-hash", **documented("balances_hash", BalancesHash))
async def balances_hash(request: Request, height: AtHeight = None) -> Response:
    """The hash of all balances after a block, `y` tickers included."""
    view = current(request)
    at = view.tip.height if height is None else height
    check_published(view, at)

    def asked(histories: Histories) -> BalancesHash:
        digest, accounts = Past(histories, at).balances_hash()
        hash_ = histories.snapshot.block_hash(at) or ""
        return BalancesHash(height=at, hash=hash_, balances_hash=digest, accounts=accounts)

    return answer(await request.app.state.queries.ask(view.manifest, asked))
