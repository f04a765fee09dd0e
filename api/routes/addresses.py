"""What an address holds."""

from fastapi import APIRouter, Request, Response

from api.answers import answer, documented
from api.parameters import AddressPath, Limit, Skip, TickerPath, checked_address, current
from api.rows import Balance, balance
from engine.tickers import normalise
from warehouse.serving_map import Account

router = APIRouter(prefix="/v1/indexer", tags=["addresses"])


@router.get("/address/{address}/brc20/{ticker:path}/info", **documented("balance", Balance))
async def address_balance(request: Request, address: AddressPath, ticker: TickerPath) -> Response:
    """The balance of one token; zero for a token or an address that is not known."""
    view = current(request)
    normal = normalise(ticker) if ticker else ticker
    account = view.account(normal, address)
    if account is None:
        checked = checked_address(view, address)
        account = view.account(normal, checked) or Account(normal, checked, 0, 0)
    return answer(balance(account))


@router.get("/brc20/address/{address}/tickers", **documented("address_tickers", list[Balance]))
async def address_tickers(request: Request, address: AddressPath, skip: Skip = 0, limit: Limit = 100) -> Response:
    """Balances above zero of one address, largest first, then by ticker."""
    view = current(request)
    accounts = view.accounts_of(checked_address(view, address))
    return answer([balance(account) for account in accounts[skip : skip + limit]])
