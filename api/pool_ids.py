"""Tickers and pool ids of swaps, as clients may spell them."""

from typing import Annotated

from fastapi import Path, Query

from api.errors import InvalidPoolId
from engine.modules.orders import normalise_member
from engine.modules.pools import pool_id

PoolPath = Annotated[
    str, Path(description="Two tickers joined by a hyphen, in either order and any case; a leading `y` is lower case.")
]
SwapTicker = Annotated[
    str | None, Query(max_length=2000, description="Only this ticker, in any case; a leading `y` is lower case.")
]


def swap_ticker(text: str | None) -> str | None:
    """The normal form of a ticker in swaps (R-CORE-TICK-2)."""
    return None if text is None else normalise_member(text)


def pool_names(text: str) -> list[str]:
    """The pool ids that a text can mean: more than one where a ticker contains hyphens. Raises InvalidPoolId."""
    parts = text.split("-")
    pairs = [("-".join(parts[:at]), "-".join(parts[at:])) for at in range(1, len(parts))]
    names = [pool_id(normalise_member(one), normalise_member(other)) for one, other in pairs if one and other]
    if not names:
        raise InvalidPoolId(f"{text!r} is not two tickers joined by a hyphen", "pool_id")
    return list(dict.fromkeys(names))
