"""Parameters as clients may send them, checked before anything is looked up."""

from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request
from starlette.convertors import PathConvertor, register_url_convertor

from api.errors import InvalidAddress, InvalidPoolId, NotReady, TickerNotFound
from api.pool_ids import pool_names
from engine.tickers import normalise
from ingest.addresses import BadAddress, address_of, address_to_script
from ingest.networks import NETWORKS
from warehouse.change_log import POOL_ACCOUNT
from warehouse.serving_view import View

MOST_ROWS: Final = 1000
MOST_SKIPPED: Final = 100_000
HIGHEST: Final = 2**31 - 1
"""Heights are 32-bit integers."""

LONGEST_ADDRESS: Final = 2000
"""Addresses are short, but the account of a pool has two tickers in its name."""


class AnyConvertor(PathConvertor):
    """A part of a path with slashes and line ends: `{name:any}`. Tickers may hold both."""

    regex = "(?s:.*)"


register_url_convertor("any", AnyConvertor())

TickerPath = Annotated[str, Path(description="Ticker in any case.")]
AddressPath = Annotated[
    str, Path(description="Address of the lake's network, or `POOL::` and a pool.", max_length=LONGEST_ADDRESS)
]
HeightPath = Annotated[int, Path(ge=0, le=HIGHEST, description="Height of a block.")]
TxidPath = Annotated[str, Path(pattern="^[0-9A-Fa-f]{64}$", description="Transaction id, 64 hex digits.")]

_OPERATION: Final = "Only this operation: deploy, mint, mint_stones, transfer, burn, swap_init, swap_exe, …"


async def _op_type(
    op_type: Annotated[str | None, Query(max_length=32, description=_OPERATION)] = None,
    type_: Annotated[str | None, Query(alias="type", max_length=32, description="Synonym of `op_type`.")] = None,
) -> str | None:
    return type_ if op_type is None else op_type


OpType = Annotated[str | None, Depends(_op_type)]
TickerFilter = Annotated[str | None, Query(max_length=2000, description="Only this token, in any case.")]
IncludeInvalid = Annotated[bool, Query(description="Refused operations too.")]


def current(request: Request) -> View:
    """The published state that the answer is made from. Raises NotReady."""
    view: View | None = request.state.view
    if view is None:
        raise NotReady(f"nothing can be served yet: {request.app.state.follower.error}")
    return view


def ticker_of(text: str) -> str:
    """The normal form of a ticker (R-CORE-TICK-1), whether or not it exists."""
    return normalise(text) if text else text


def known_ticker(view: View, text: str) -> str:
    """Normal form of a ticker that exists. Raises TickerNotFound."""
    ticker = ticker_of(text)
    if not view.knows(ticker):
        raise ticker_not_found(ticker, view.tip.height)
    return ticker


def ticker_not_found(ticker: str, height: int) -> TickerNotFound:
    """That there is no such token after a block."""
    return TickerNotFound(f"{ticker} is not deployed at height {height}", "ticker")


def checked_address(view: View, text: str) -> str:
    """The address, or the account of a pool, as the lake spells it.

    Raises InvalidAddress for what is none on the lake's network, whether or not anybody holds anything there.
    """
    if text.startswith(POOL_ACCOUNT):
        return _pool_account(text.removeprefix(POOL_ACCOUNT))
    network = NETWORKS[view.manifest.network]
    try:
        return address_of(address_to_script(text, network), network) or text
    except BadAddress as error:
        raise InvalidAddress(f"{text} is not an address on {network.name}: {error}", "address") from error


def _pool_account(pool: str) -> str:
    try:
        names = pool_names(pool)
    except InvalidPoolId as error:
        raise InvalidAddress(f"{POOL_ACCOUNT}{pool} is the account of no pool: {error}", "address") from error
    return POOL_ACCOUNT + (pool if pool in names else names[0])
