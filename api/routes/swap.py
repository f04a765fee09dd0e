"""Liquidity positions and executions of swaps."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.accounts import AddressFilter, named_address, wanted_address
from api.answers import answer, documented
from api.errors import ExecutionNotFound, PositionNotFound
from api.pages import cut, key_of
from api.parameters import HIGHEST, AddressPath, current
from api.pool_ids import SwapTicker, swap_ticker
from api.rows import OPERATIONS_PER_BLOCK
from api.swap_rows import Execution, Position, execution_row, position_row
from api.view_pages import Items, Part, Parted, ask_views, items, kind_of, page_of_views
from engine.modules.swap import EXE
from warehouse import exchange
from warehouse.exchange import Exchange, Wanted
from warehouse.histories import Filter, Histories, Operation, Place
from warehouse.view_queries import ViewQueries

router = APIRouter(prefix="/v1/indexer/swap", tags=["swap"])

IDS_BELOW = 2**63

StatusFilter = Annotated[exchange.Status | None, Query(description="Only positions that are so.")]
Id = Annotated[int, Path(ge=0, lt=IDS_BELOW)]


@router.get("/positions", **documented("positions", Items[Position]))
async def positions(
    request: Request,
    part: Parted,
    owner: AddressFilter = None,
    src: SwapTicker = None,
    dst: SwapTicker = None,
    status: StatusFilter = None,
    unlock_height_lte: Annotated[int | None, Query(ge=0, le=HIGHEST)] = None,
) -> Response:
    """Positions, the first to unlock first, then by number."""
    wanted = Wanted(
        owner=wanted_address(current(request), owner, "owner"),
        source=swap_ticker(src),
        destination=swap_ticker(dst),
        status=status,
        unlock_height=unlock_height_lte,
    )
    return await _positions(request, wanted, part)


@router.get("/positions/{position_id}", **documented("position", Position))
async def position(request: Request, position_id: Id) -> Response:
    """One position by its number."""
    found = await ask_views(request, lambda views: Exchange(views).positions(Wanted(position_id=position_id), 1))
    if not found:
        raise PositionNotFound(f"there is no position {position_id}", "position_id")
    return answer(position_row(found[0]))


@router.get("/owner/{owner}/positions", **documented("owner_positions", Items[Position]))
async def owner_positions(request: Request, owner: AddressPath, part: Parted, status: StatusFilter = None) -> Response:
    """Positions of one owner, the first to unlock first, then by number."""
    checked = named_address(current(request), owner, "owner")
    return await _positions(request, Wanted(owner=checked, status=status), part)


@router.get("/expiring", **documented("expiring_positions", Items[Position]))
async def expiring(
    request: Request,
    part: Parted,
    height_lte: Annotated[int, Query(ge=0, le=HIGHEST, description="The highest unlock height.")],
) -> Response:
    """Active positions that unlock up to a height, the first first, then by number."""
    return await _positions(request, Wanted(unlock_height=height_lte, status="active"), part)


@router.get("/executions", **documented("executions", Items[Execution]))
async def executions(
    request: Request, part: Parted, executor: AddressFilter = None, src: SwapTicker = None
) -> Response:
    """Trades, and claims of curve programs, that took effect, newest first."""
    view = current(request)
    address = wanted_address(view, executor, "executor")
    wanted = Filter(ticker=swap_ticker(src), address=address, op_type=EXE)
    kind = kind_of("executions", wanted)
    key = key_of(part.cursor, kind, int, int, int)
    behind: Place | None = None if key is None else (key[0], key[1], key[2])

    def asked(histories: Histories) -> tuple[int, list[Operation]]:
        return histories.count(wanted), histories.page(wanted, part.limit + 1, part.offset, behind)

    total, found = await request.app.state.queries.ask(view.manifest, asked)
    rows, cursor = cut(found, part.limit, kind, lambda row: row.place)
    return items(part, total, [execution_row(row) for row in rows], cursor)


@router.get("/executions/{execution_id}", **documented("execution", Execution))
async def execution(request: Request, execution_id: Id) -> Response:
    """One trade or claim by its number, which is that of its operation."""
    view = current(request)
    height, at = divmod(execution_id, OPERATIONS_PER_BLOCK)
    wanted = Filter(height=min(height, HIGHEST), op_type=EXE)
    found = await request.app.state.queries.ask(view.manifest, lambda past: past.page(wanted, OPERATIONS_PER_BLOCK))
    row = next((row for row in found if row.op_index == at), None)
    if row is None:
        raise ExecutionNotFound(f"there is no execution {execution_id} that took effect", "execution_id")
    return answer(execution_row(row))


async def _positions(request: Request, wanted: Wanted, part: Part) -> Response:
    def asked(views: ViewQueries, limit: int, skip: int) -> tuple[int, list[exchange.Position]]:
        return Exchange(views).count(wanted), Exchange(views).positions(wanted, limit, skip)

    total, rows, cursor = await page_of_views(request, kind_of("positions", wanted), part, asked)
    return items(part, total, [position_row(row) for row in rows], cursor)
