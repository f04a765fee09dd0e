"""W, and the outputs that lock bitcoin for it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.accounts import AddressFilter, named_address, wanted_address
from api.answers import answer, documented
from api.errors import VaultNotFound
from api.parameters import current
from api.view_pages import Items, Parted, ask_views, items, kind_of, page_of_views
from api.wrap_rows import Contract, WrapMetrics, WrapTvl, contract_row, remaining_locked
from engine.tickers import WRAPPED
from warehouse.vaults import Vault, Vaults, Wanted
from warehouse.view_queries import ViewQueries

router = APIRouter(prefix="/v1/indexer/w", tags=["wrap"])


@router.get("/contracts", **documented("contracts", Items[Contract]))
async def contracts(
    request: Request,
    part: Parted,
    status: Annotated[str | None, Query(max_length=32, description="Only those that are active, or closed.")] = None,
    owner: AddressFilter = None,
    script_address: AddressFilter = None,
) -> Response:
    """Outputs that lock or locked bitcoin for W, newest first."""
    view = current(request)
    wanted = Wanted(
        status=status,
        initiator_address=wanted_address(view, owner, "owner"),
        lock_address=wanted_address(view, script_address, "script_address"),
    )

    def asked(views: ViewQueries, limit: int, skip: int) -> tuple[int, list[Vault]]:
        return Vaults(views).count(wanted), Vaults(views).newest(wanted, limit, skip)

    total, rows, cursor = await page_of_views(request, kind_of("contracts", wanted), part, asked)
    return items(part, total, [contract_row(row) for row in rows], cursor)


@router.get("/contracts/{script_address}", **documented("contract", Contract))
async def contract(
    request: Request, script_address: Annotated[str, Path(max_length=200, description="Address of the output.")]
) -> Response:
    """The output of an address; of several the newest that is active, or the newest."""
    checked = named_address(current(request), script_address, "script_address")
    vault = await ask_views(request, lambda views: Vaults(views).at(checked))
    if vault is None:
        raise VaultNotFound(f"nothing was ever locked for W at {checked}", "script_address")
    return answer(contract_row(vault))


@router.get("/tvl", **documented("wrap_tvl", WrapTvl))
async def tvl(request: Request) -> Response:
    """How much W there is."""
    return answer(WrapTvl(ticker=WRAPPED, remaining_locked=remaining_locked(current(request))))


@router.get("/metrics", **documented("wrap_metrics", WrapMetrics))
async def metrics(request: Request) -> Response:
    """How much W there is, and how many outputs lock bitcoin for it."""
    counts = await ask_views(request, lambda views: Vaults(views).by_status())
    texts = {f"{status}_contracts": str(counts.get(status, 0)) for status in ("active", "closed", "expired")}
    return answer({"tvl_w": remaining_locked(current(request)), **texts})
