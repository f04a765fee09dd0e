"""Lists of tokens: which ones, and in which order."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple
from zlib import crc32

from fastapi import Depends, Query, Request

from api.accounts import AddressFilter, wanted_address
from api.ledgers import Ledger
from api.parameters import current, ticker_of
from api.rows import remaining_supply
from warehouse.serving_view import Listed


class Sort(StrEnum):
    """By what tokens are sorted."""

    DEPLOY = "deploy"
    TICKER = "ticker"
    MAX_SUPPLY = "max_supply"
    MINTED = "minted"
    REMAINING = "remaining_supply"
    LOCKED = "total_locked"
    HOLDERS = "holders"


class Order(StrEnum):
    """Which end comes first."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class Listing(NamedTuple):
    """Which tokens, in which order. Tokens that are equal stand newest deploy first."""

    sort: Sort = Sort.DEPLOY
    order: Order = Order.DESCENDING
    search: str | None = None
    creator: str | None = None
    is_curve: bool | None = None
    mintable: bool | None = None
    min_holders: int = 0

    @property
    def kind(self) -> str:
        """What cursors of this list are marked with."""
        return f"tokens/{crc32(repr(self).encode()):08x}"

    def page(self, ledger: Ledger, skip: int, limit: int) -> Sequence[Listed]:
        """A page of the list."""
        return ledger.tokens(skip, limit) if self == EVERYTHING else self.whole(ledger)[skip : skip + limit]

    def whole(self, ledger: Ledger) -> Sequence[Listed]:
        """The list."""
        tokens = ledger.listed()
        if self == EVERYTHING:
            return tokens
        wanted = [each for each in tokens if self._holds(each)]
        if self.sort is Sort.DEPLOY:
            return wanted if self.order is Order.DESCENDING else wanted[::-1]
        return sorted(wanted, key=_KEYS[self.sort], reverse=self.order is Order.DESCENDING)

    def _holds(self, each: Listed) -> bool:
        creator = each.token.deployer_address if each.token else None
        return (
            (self.search is None or self.search in each.ticker)
            and (self.creator is None or creator == self.creator)
            and (self.is_curve is None or each.held.is_reward == self.is_curve)
            and (self.mintable is None or _is_mintable(each) == self.mintable)
            and _holders(each) >= self.min_holders
        )


EVERYTHING: Final = Listing()


def _holders(each: Listed) -> int:
    return each.supply.holders if each.supply else 0


def _is_mintable(each: Listed) -> bool:
    """Whether a plain mint may still create some: curve rewards are minted by claims alone (D-31)."""
    token = each.token
    return bool(token and token.max_supply and token.limit_per_mint and not each.held.is_reward) and (
        remaining_supply(each) > 0
    )


_KEYS: Final[dict[Sort, Callable[[Listed], Any]]] = {
    Sort.TICKER: lambda each: each.ticker,
    Sort.MAX_SUPPLY: lambda each: each.token.max_supply if each.token else 0,
    Sort.MINTED: lambda each: each.supply.minted if each.supply else 0,
    Sort.REMAINING: remaining_supply,
    Sort.LOCKED: lambda each: each.held.locked + each.held.staked,
    Sort.HOLDERS: _holders,
}


async def _listing(
    request: Request,
    sort: Annotated[Sort, Query(description="By what the tokens are sorted.")] = Sort.DEPLOY,
    order: Annotated[Order, Query(description="Which end comes first.")] = Order.DESCENDING,
    search: Annotated[str | None, Query(max_length=2000, description="Only tickers that contain this text.")] = None,
    creator: AddressFilter = None,
    is_curve: Annotated[bool | None, Query(description="Only rewards of curve programs, or none of them.")] = None,
    mintable: Annotated[bool | None, Query(description="Only tokens of which a mint can make more, or none.")] = None,
    min_holders: Annotated[int, Query(ge=0, le=1 << 62, description="Only tokens with so many holders.")] = 0,
) -> Listing:
    text = ticker_of(search) if search else None
    address = wanted_address(current(request), creator, "creator")
    return Listing(sort, order, text, address, is_curve, mintable, min_holders)


Wanted = Annotated[Listing, Depends(_listing)]
