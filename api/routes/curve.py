"""Curve programs and who stakes in them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.answers import answer, documented
from api.curve_rows import (
    ProgramInfo,
    ReceiptInfo,
    RewardToken,
    Stake,
    StakedTokens,
    Stakers,
    circulating,
    program_row,
    reward_token,
    stake_row,
    staked_token,
    staker_row,
)
from api.errors import ProgramNotFound
from api.numbers import LONGEST, read_number
from api.pages import HistoryPaged, paged
from api.parameters import HIGHEST, AddressPath, TickerPath, checked_address, current, ticker_not_found, ticker_of
from api.rows import amount_text, token_info
from api.view_pages import Part, ask_views, page_of_views
from warehouse.programs import Program, Programs, Staker
from warehouse.view_queries import ViewQueries

router = APIRouter(prefix="/v1/indexer/brc20", tags=["curve"])

AsOf = Annotated[int | None, Query(ge=0, le=HIGHEST, description="As after the newest block up to this one.")]


@router.get("/curve/tokens/locked", **documented("curve_tokens_locked", StakedTokens))
async def tokens_locked(
    request: Request,
    min_amount: Annotated[
        str | None, Query(max_length=LONGEST, description="Only programs with so much of the `y` ticker at least.")
    ] = None,
) -> Response:
    """What programs hold, the largest amount of a `y` ticker first, then by reward ticker."""
    least = None if min_amount is None else read_number(min_amount, "min_amount")
    found = await ask_views(request, lambda views: Programs(views).all())
    listed = [(circulating(program), program, stakers) for program, stakers in found]
    order = sorted(
        (each for each in listed if least is None or each[0] >= least), key=lambda each: (-each[0], each[1].ticker)
    )
    tokens = [staked_token(program, stakers) for _, program, stakers in order]
    return answer(StakedTokens(total_tokens=len(tokens), tokens=tokens))


@router.get("/tickers/{ticker:any}/curve", **documented("reward_token", RewardToken))
async def token(request: Request, ticker: TickerPath) -> Response:
    """A token that a program rewards with, and the program. `max_supply` and `limit_per_mint` are JSON numbers."""
    view = current(request)
    known = ticker_of(ticker)
    program = await ask_views(request, lambda views: _program(views, known))
    figures = view.figures(program.ticker)
    if figures is None:
        raise ticker_not_found(program.ticker, view.tip.height)
    staked = amount_text(view.extensions.staked.get(program.ticker, 0))
    return answer(reward_token(token_info(figures), program, staked))


@router.get(
    "/{ticker:any}/curve/pending-rewards/{address}",
    **documented("stake", Stake),
)
async def stake(request: Request, ticker: TickerPath, address: AddressPath, current_block: AsOf = None) -> Response:
    """What an address has in a program; zeros when it never staked there."""
    view = current(request)
    known = ticker_of(ticker)
    height = view.tip.height if current_block is None else min(current_block, view.tip.height)

    def asked(views: ViewQueries) -> tuple[Program, Staker | None]:
        program = _program(views, known)
        return program, Programs(views).staker(program, address)

    program, staker = await ask_views(request, asked, height)
    checked = address if staker else checked_address(view, address)
    if checked != address:
        program, staker = await ask_views(
            request, lambda views: (program, Programs(views).staker(program, checked)), height
        )
    return answer(stake_row(staker, checked, program, height))


@router.get("/{ticker:any}/curve/info", **documented("program", ProgramInfo | ReceiptInfo))
async def info(request: Request, ticker: TickerPath) -> Response:
    """A program by its reward ticker, or by the `y` ticker that it keeps."""
    known = ticker_of(ticker)
    program = await ask_views(request, lambda views: _program(views, known))
    return answer(program_row(program, known))


@router.get("/{ticker:any}/curve/stakers", **documented("stakers", Stakers))
async def stakers(request: Request, ticker: TickerPath, page: HistoryPaged, current_block: AsOf = None) -> Response:
    """Accounts of a program, the largest principal first, then by address."""
    view = current(request)
    known = ticker_of(ticker)
    height = None if current_block is None else min(current_block, view.tip.height)

    def asked(views: ViewQueries, limit: int, skip: int) -> tuple[int, list[tuple[Staker, Program]]]:
        program = _program(views, known)
        programs = Programs(views)
        return programs.count_stakers(program), [(each, program) for each in programs.stakers(program, limit, skip)]

    part = Part(page.limit, page.skip, page.cursor)
    total, rows, cursor = await page_of_views(request, f"stakers/{known}", part, asked, height)
    data = [staker_row(*row) for row in rows]
    return paged(
        Stakers(ticker=known, total=total, start=page.skip, size=len(data), data=data, next_cursor=cursor), cursor
    )


def _program(views: ViewQueries, ticker: str) -> Program:
    """Raises ProgramNotFound."""
    program = Programs(views).program(ticker)
    if program is None:
        raise ProgramNotFound(f"no curve program belongs to {ticker} at height {views.height}", "ticker")
    return program
