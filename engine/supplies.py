"""Supplies: what was minted, burned and rounded of each ticker, and the only functions that write it.

What a block changes is noted, so that its end writes a row for each ticker whose numbers differ from before.
"""

from typing import Any

from engine.amounts import add, exceeds, subtract
from engine.books import CHANGED
from engine.compiled import compiled, helper


@helper
def touch(books: Any, ticker: Any, height: Any) -> Any:
    """Remember the ticker's supply as of before this block."""
    token = books.tokens[ticker]
    if token["changed"] == height:
        return
    token["changed"] = height
    for k in range(2):
        token["old_minted"][k] = token["minted"][k]
        token["old_burned"][k] = token["burned"][k]
        token["old_rounding"][k] = token["rounding"][k]
    token["old_holders"] = token["holders"]
    books.changed[books.counts[CHANGED]] = ticker
    books.counts[CHANGED] += 1


@helper
def issue(books: Any, place: Any, ticker: Any, low: Any, high: Any) -> Any:
    """Add to the total minted of a ticker."""
    touch(books, ticker, place.height)
    minted = books.tokens[ticker]["minted"]
    minted[0], minted[1] = add(minted[0], minted[1], low, high)


@helper
def is_mintable(token: Any, low: Any, high: Any) -> Any:
    """Whether the amount fits between what was minted and the maximum supply (R-CORE-MINT-5).

    What was burned, as only W can be, makes room again (R-WRAP-BURN-2).
    """
    maximum = token["maximum"]
    minted = token["minted"]
    burned = token["burned"]
    used_low, used_high = subtract(minted[0], minted[1], burned[0], burned[1])
    if exceeds(used_low, used_high, maximum[0], maximum[1]):
        return False
    left_low, left_high = subtract(maximum[0], maximum[1], used_low, used_high)
    return not exceeds(low, high, left_low, left_high)


@compiled
def adjust(books: Any, height: Any, ticker: Any, minted: Any, burned: Any, rounding: Any) -> Any:
    """Add (low, high) to each of the ticker's totals."""
    touch(books, ticker, height)
    token = books.tokens[ticker]
    token["minted"][0], token["minted"][1] = add(token["minted"][0], token["minted"][1], minted[0], minted[1])
    token["burned"][0], token["burned"][1] = add(token["burned"][0], token["burned"][1], burned[0], burned[1])
    token["rounding"][0], token["rounding"][1] = add(
        token["rounding"][0], token["rounding"][1], rounding[0], rounding[1]
    )


@compiled
def close_block(books: Any, supplies: Any, block: Any, height: Any) -> Any:
    """Write a supply for every ticker whose numbers differ from before the block."""
    for k in range(books.counts[CHANGED]):
        ticker = books.changed[k]
        token = books.tokens[ticker]
        same = token["holders"] == token["old_holders"]
        for limb in range(2):
            same = same and token["minted"][limb] == token["old_minted"][limb]
            same = same and token["burned"][limb] == token["old_burned"][limb]
            same = same and token["rounding"][limb] == token["old_rounding"][limb]
        if same:
            continue
        token["written"] = height
        n = supplies.filled[0]
        supplies.block[n] = block
        supplies.ticker[n] = ticker
        for limb in range(2):
            supplies.minted[n, limb] = token["minted"][limb]
            supplies.burned[n, limb] = token["burned"][limb]
            supplies.rounding[n, limb] = token["rounding"][limb]
        supplies.holders[n] = token["holders"]
        supplies.filled[0] = n + 1
    books.counts[CHANGED] = 0
