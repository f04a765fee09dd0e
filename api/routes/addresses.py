"""What addresses hold."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.answers import answer, documented
from api.errors import InvalidAddress
from api.ledgers import AtHeight, Ledger, ask, ask_page
from api.pages import Paged, paged
from api.parameters import HIGHEST, LONGEST_ADDRESS, AddressPath, TickerPath, checked_address, current, ticker_of
from api.rows import Balance, balance
from warehouse.past import Past
from warehouse.serving_map import Account
from warehouse.serving_view import View

router = APIRouter(prefix="/v1/indexer", tags=["addresses"])

MOST_PAIRS = 1000


class Pair(BaseModel):
    """One balance."""

    address: Annotated[str, Field(max_length=LONGEST_ADDRESS)]
    ticker: Annotated[str, Field(max_length=2000)]


class Pairs(BaseModel):
    """Balances that are asked for together."""

    pairs: Annotated[list[Pair], Field(min_length=1, max_length=MOST_PAIRS)]
    height: Annotated[int | None, Field(ge=0, le=HIGHEST, description="As after this block.")] = None


@router.get("/address/{address}/brc20/{ticker:any}/info", **documented("balance", Balance))
async def address_balance(
    request: Request, address: AddressPath, ticker: TickerPath, height: AtHeight = None
) -> Response:
    """The balance of one token; zero for a token or an address that is not known."""
    view = current(request)
    if height is None and (known := balance_at_hand(view, address, ticker)):
        return answer(known)
    normal = ticker_of(ticker)
    checked = _account_address(view, normal, address)
    found = await ask(request, height, lambda ledger: ledger.account(normal, checked))
    return answer(balance(found or Account(normal, checked, 0, 0)))


def balance_at_hand(view: View, address: str, ticker: str) -> Balance | None:
    """The balance of an account that exists at the published height."""
    account = view.account(ticker_of(ticker), address)
    return None if account is None else balance(account)


@router.post("/brc20/balances", **documented("balances", list[Balance]))
async def balances(request: Request, body: Pairs) -> Response:
    """Up to 1,000 balances in the order in which they were asked for, all after one block."""
    view = current(request)
    wanted = [(ticker_of(pair.ticker), _checked(view, place, pair)) for place, pair in enumerate(body.pairs)]

    def accounts(ledger: Ledger) -> list[Account | None]:
        return ledger.accounts(wanted) if isinstance(ledger, Past) else [ledger.account(*pair) for pair in wanted]

    found = await ask(request, body.height, accounts)
    return answer([balance(each or Account(*pair, 0, 0)) for each, pair in zip(found, wanted, strict=True)])


@router.get("/brc20/address/{address}/tickers", **documented("address_tickers", list[Balance]))
async def address_tickers(request: Request, address: AddressPath, page: Paged, height: AtHeight = None) -> Response:
    """Balances above zero of one address, largest first, then by ticker."""
    checked = checked_address(current(request), address)
    accounts, cursor = await ask_page(
        request,
        f"tickers/{checked}",
        page,
        height,
        lambda ledger, skip, limit: ledger.accounts_of(checked)[skip : skip + limit],
    )
    return paged([balance(account) for account in accounts], cursor)


def _account_address(view: View, ticker: str, text: str) -> str:
    """The address of an account that exists or could. Raises InvalidAddress."""
    return text if view.account(ticker, text) else checked_address(view, text)


def _checked(view: View, place: int, pair: Pair) -> str:
    try:
        return _account_address(view, ticker_of(pair.ticker), pair.address)
    except InvalidAddress as error:
        raise InvalidAddress(error.detail, f"pairs.{place}.address") from error
