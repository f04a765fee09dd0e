"""Parameters as clients may send them, checked before anything is looked up."""

from typing import Annotated, Final

from fastapi import Path, Query, Request

from api.errors import InvalidAddress, NotReady, TickerNotFound
from engine.tickers import normalise
from ingest.addresses import BadAddress, address_of, address_to_script
from ingest.networks import NETWORKS
from warehouse.serving_view import View

MOST_ROWS: Final = 1000
MOST_SKIPPED: Final = 100_000
HIGHEST: Final = 2**31 - 1
"""Heights are 32-bit integers."""

TickerPath = Annotated[str, Path(description="Ticker in any case.")]
AddressPath = Annotated[str, Path(description="Address of the lake's network.", max_length=200)]
HeightPath = Annotated[int, Path(ge=0, le=HIGHEST, description="Height of a block.")]
TxidPath = Annotated[str, Path(pattern="^[0-9A-Fa-f]{64}$", description="Transaction id, 64 hex digits.")]

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Most rows of the answer.")]
Skip = Annotated[int, Query(ge=0, le=HIGHEST, description="Rows to leave out before the first.")]
HistorySkip = Annotated[int, Query(ge=0, le=MOST_SKIPPED, description="Rows to leave out before the first.")]
OpType = Annotated[
    str | None, Query(max_length=32, description="Only this operation: deploy, mint, mint_stones, transfer, …")
]


def current(request: Request) -> View:
    """The published state that the answer is made from. Raises NotReady."""
    view: View | None = request.state.view
    if view is None:
        raise NotReady(f"nothing can be served yet: {request.app.state.follower.error}")
    return view


def known_ticker(view: View, text: str) -> str:
    """Normal form (R-CORE-TICK-1) of a ticker that exists. Raises TickerNotFound."""
    ticker = normalise(text) if text else text
    if not view.knows(ticker):
        raise TickerNotFound(f"{ticker} is not deployed at height {view.tip.height}", "ticker")
    return ticker


def checked_address(view: View, text: str) -> str:
    """The address as the lake spells it. Raises InvalidAddress for what is none on the lake's network."""
    network = NETWORKS[view.manifest.network]
    try:
        return address_of(address_to_script(text, network), network) or text
    except BadAddress as error:
        raise InvalidAddress(f"{text} is not an address on {network.name}: {error}", "address") from error
