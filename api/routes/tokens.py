"""Tokens and who holds them."""

from fastapi import APIRouter, Request, Response

from api.answers import answer, documented
from api.parameters import Limit, Skip, TickerPath, current, known_ticker
from api.rows import Balance, TokenInfo, balance, token_info

router = APIRouter(prefix="/v1/indexer/brc20", tags=["tokens"])


@router.get("/list", **documented("list", list[TokenInfo]))
async def token_list(request: Request, skip: Skip = 0, limit: Limit = 100) -> Response:
    """Deployed tokens, newest deploy first."""
    view = current(request)
    tokens = view.tokens(skip, limit)
    return answer([token_info(token.ticker, token, view.supply(token.ticker)) for token in tokens])


@router.get("/{ticker:path}/info", **documented("token_info", TokenInfo))
async def info(request: Request, ticker: TickerPath) -> Response:
    """A token and its supply."""
    view = current(request)
    known = known_ticker(view, ticker)
    return answer(token_info(known, view.token(known), view.supply(known)))


@router.get("/{ticker:path}/holders", **documented("holders", list[Balance]))
def holders(request: Request, ticker: TickerPath, skip: Skip = 0, limit: Limit = 100) -> Response:
    """Accounts with a balance above zero, largest first, then by address. Pool accounts count."""
    view = current(request)
    return answer([balance(account) for account in view.holders(known_ticker(view, ticker), skip, limit)])
