"""Changes of balances: listed, grouped, and checked against the ledger."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response

from api.accounts import AddressFilter, wanted_address
from api.answers import answer, documented
from api.change_rows import (
    CHANGES_PER_BLOCK,
    BalanceChange,
    ChangeGroups,
    ChangeStatistics,
    Verification,
    change_row,
    group_row,
    kinds_of,
    statistics_row,
    verification,
)
from api.errors import ChangeNotFound, PoolNotFound, PositionNotFound
from api.pages import paged
from api.parameters import HIGHEST, AddressPath, TxidPath, checked_address, current
from api.parts import LongPart, ShortPart
from api.pool_ids import PoolPath, SwapTicker, pool_names, swap_ticker
from api.pool_transaction_rows import MAIN_ACTIONS, PoolTransaction, transaction_row
from api.rows import OPERATIONS_PER_BLOCK
from api.view_pages import Items, Part, Parted, ask_views, items, kind_of, page_of_views
from warehouse import pool_transactions
from warehouse.change_log import ChangeLog, GroupBy, Wanted
from warehouse.exchange_metrics import known_pool
from warehouse.histories import Histories
from warehouse.past import Past
from warehouse.pool_transactions import PoolTransactions
from warehouse.view_queries import ViewQueries

router = APIRouter(prefix="/v1/indexer/swap", tags=["balance changes"])

BIGGEST: Final = 2**53 - 1
"""Numbers beyond are not exact in every client."""
MOST_OF_A_BLOCK: Final = CHANGES_PER_BLOCK

Number = Annotated[int, Path(ge=0, le=BIGGEST)]
NumberFilter = Annotated[int | None, Query(ge=0, le=BIGGEST)]
OperationType = Annotated[
    str | None, Query(max_length=32, description="Only this: swap_init, swap_exe, unlock, mint, transfer, …")
]
Action = Annotated[str | None, Query(max_length=64, description="Only this step: `docs/api.md` lists them.")]
Height = Annotated[int | None, Query(ge=0, le=HIGHEST)]


@router.get("/balance-changes", **documented("balance_changes", Items[BalanceChange]))
async def balance_changes(
    request: Request,
    part: Parted,
    address: AddressFilter = None,
    ticker: SwapTicker = None,
    operation_type: OperationType = None,
    action: Action = None,
    pool_id: Annotated[str | None, Query(max_length=4000)] = None,
    swap_position_id: NumberFilter = None,
    operation_id: NumberFilter = None,
    txid: Annotated[str | None, Query(pattern="^[0-9A-Fa-f]{64}$")] = None,
    block_height_min: Height = None,
    block_height_max: Height = None,
) -> Response:
    """Changes of balances, newest first."""
    wanted = Wanted(
        address=wanted_address(current(request), address, "address"),
        ticker=swap_ticker(ticker),
        kinds=None if action is None else kinds_of(action),
        operation_type=operation_type,
        pools=None if pool_id is None else tuple(pool_names(pool_id)),
        position_id=swap_position_id,
        operation=None if operation_id is None else divmod(operation_id, OPERATIONS_PER_BLOCK),
        txid=None if txid is None else txid.lower(),
        first=block_height_min,
        last=block_height_max,
    )
    return await _page(request, part, wanted)


@router.get("/balance-changes/aggregate", **documented("balance_change_groups", ChangeGroups))
async def balance_change_groups(
    request: Request,
    part: LongPart,
    address: AddressFilter = None,
    ticker: SwapTicker = None,
    operation_type: OperationType = None,
    action: Action = None,
    group_by: GroupBy = GroupBy.ADDRESS,
) -> Response:
    """Changes by what they have in common, the largest group first."""
    wanted = Wanted(
        address=wanted_address(current(request), address, "address"),
        ticker=swap_ticker(ticker),
        kinds=None if action is None else kinds_of(action),
        operation_type=operation_type,
    )
    _, groups, cursor = await page_of_views(
        request,
        kind_of(f"groups/{group_by}", wanted),
        part,
        lambda views, limit, skip: ChangeLog(views).groups(wanted, group_by, limit, skip),
    )
    return paged({"items": [group_row(group) for group in groups], "next_cursor": cursor}, cursor)


@router.get("/balance-changes/stats", **documented("balance_change_statistics", ChangeStatistics))
async def balance_change_statistics(request: Request) -> Response:
    """How many changes there were, and how much they moved of each ticker."""
    return answer(statistics_row(await ask_views(request, lambda views: ChangeLog(views).statistics())))


@router.get("/balance-changes/tx/{txid}", **documented("balance_changes_of_transaction", list[BalanceChange]))
async def balance_changes_of_transaction(request: Request, txid: TxidPath, part: LongPart) -> Response:
    """What a transaction changed, in processing order; nothing when it changed nothing."""
    return await _list(request, part, Wanted(txid=txid.lower()))


@router.get("/balance-changes/position/{position_id}", **documented("balance_changes_of_position", list[BalanceChange]))
async def balance_changes_of_position(request: Request, position_id: Number, part: LongPart) -> Response:
    """What concerned a position, in processing order."""
    if not await ask_views(request, lambda views: ChangeLog(views).position_exists(position_id)):
        raise PositionNotFound(f"there is no position {position_id}", "position_id")
    return await _list(request, part, Wanted(position_id=position_id))


@router.get(
    "/balance-changes/operation/{operation_id}", **documented("balance_changes_of_operation", list[BalanceChange])
)
async def balance_changes_of_operation(request: Request, operation_id: Number, part: LongPart) -> Response:
    """What an operation changed, in processing order; nothing when it changed nothing."""
    return await _list(request, part, Wanted(operation=divmod(operation_id, OPERATIONS_PER_BLOCK)))


@router.get(
    "/balance-changes/address/{address}",
    **documented("balance_changes_of_address", Items[BalanceChange] | Items[PoolTransaction]),
)
async def balance_changes_of_address(
    request: Request,
    address: AddressPath,
    part: ShortPart,
    ticker: SwapTicker = None,
    operation_type: OperationType = None,
    action: Action = None,
    aggregated: Annotated[bool, Query(description="Rows of operations in pools instead of rows of changes.")] = False,
) -> Response:
    """Changes of an address's balances, or what it did in pools, newest first."""
    account = checked_address(current(request), address)
    if aggregated:
        types = tuple(
            type_ for type_, main in MAIN_ACTIONS.items() if operation_type in (None, type_) and action in (None, main)
        )
        known = pool_transactions.Wanted(account=account, ticker=swap_ticker(ticker), types=types)
        return await _transactions(request, part, known)
    wanted = Wanted(
        address=account,
        ticker=swap_ticker(ticker),
        operation_type=operation_type,
        kinds=None if action is None else kinds_of(action),
    )
    return await _page(request, part, wanted)


@router.get("/balance-changes/pool/{pool_id:any}", **documented("balance_changes_of_pool", Items[BalanceChange]))
async def balance_changes_of_pool(
    request: Request,
    pool_id: PoolPath,
    part: Parted,
    operation_type: OperationType = None,
    action: Action = None,
) -> Response:
    """Changes that belong to a pool, newest first."""
    pool = await _known_pool(request, pool_id)
    kinds = None if action is None else kinds_of(action)
    return await _page(request, part, Wanted(pools=(pool,), operation_type=operation_type, kinds=kinds))


@router.get("/balance-changes/verify/tx/{txid}", **documented("verify_transaction", Verification))
async def verify_transaction(request: Request, txid: TxidPath) -> Response:
    """Whether a transaction's changes follow from the balances before them, and what they add up to."""
    return await _verified(request, txid.lower(), Wanted(txid=txid.lower()))


@router.get("/balance-changes/verify/operation/{operation_id}", **documented("verify_operation", Verification))
async def verify_operation(request: Request, operation_id: Number) -> Response:
    """The same for one operation."""
    wanted = Wanted(operation=divmod(operation_id, OPERATIONS_PER_BLOCK))
    return await _verified(request, str(operation_id), wanted)


@router.get("/balance-changes/{change_id}", **documented("balance_change", BalanceChange))
async def balance_change(request: Request, change_id: Number) -> Response:
    """One change."""
    place = divmod(change_id, CHANGES_PER_BLOCK)
    found = await ask_views(request, lambda views: ChangeLog(views).one(*place))
    if found is None:
        raise ChangeNotFound(f"there is no change {change_id}", "change_id")
    return answer(change_row(found))


@router.get("/pools/{pool_id:any}/transactions", **documented("pool_transactions", Items[PoolTransaction]))
async def transactions_of_pool(
    request: Request,
    pool_id: PoolPath,
    part: ShortPart,
    operation_type: Annotated[str | None, Query(max_length=32, description="swap_init, swap_exe or unlock.")] = None,
) -> Response:
    """Openings, trades and settlements of a pool, newest first."""
    pool = await _known_pool(request, pool_id)
    types = None if operation_type is None else (operation_type,)
    return await _transactions(request, part, pool_transactions.Wanted(pools=(pool,), types=types))


async def _known_pool(request: Request, text: str) -> str:
    """The id of a pool that exists. Raises InvalidPoolId and PoolNotFound."""
    names = pool_names(text)
    pool = await ask_views(request, lambda views: known_pool(views, names))
    if pool is None:
        raise PoolNotFound(f"there is no pool {names[0]}", "pool_id")
    return pool.pool


async def _page(request: Request, part: Part, wanted: Wanted) -> Response:
    total, rows, cursor = await page_of_views(
        request, kind_of("changes", wanted), part, lambda views, limit, skip: ChangeLog(views).page(wanted, limit, skip)
    )
    return items(part, total, [change_row(row) for row in rows], cursor)


async def _list(request: Request, part: Part, wanted: Wanted) -> Response:
    _, rows, cursor = await page_of_views(
        request,
        kind_of("changes/oldest", wanted),
        part,
        lambda views, limit, skip: ChangeLog(views).page(wanted, limit, skip, newest=False),
    )
    return paged([change_row(row) for row in rows], cursor)


async def _transactions(request: Request, part: Part, wanted: pool_transactions.Wanted) -> Response:
    total, rows, cursor = await page_of_views(
        request,
        kind_of("transactions", wanted),
        part,
        lambda views, limit, skip: PoolTransactions(views).page(wanted, limit, skip),
    )
    return items(part, total, [transaction_row(row) for row in rows], cursor)


async def _verified(request: Request, identifier: str, wanted: Wanted) -> Response:
    view = current(request)

    def asked(histories: Histories) -> Verification:
        log = ChangeLog(ViewQueries(histories, view.tip.height))
        _, changes = log.page(wanted, MOST_OF_A_BLOCK, 0, newest=False)
        breaks = log.breaks(changes, Past(histories, changes[0].height - 1)) if changes else []
        return verification(identifier, changes, breaks)

    return answer(await request.app.state.queries.ask(view.manifest, asked))
