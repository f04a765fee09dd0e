"""All pools and positions, and what may be asked of them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from engine.plain import curves, holdings
from engine.plain.decimals import floor8, q8, total
from engine.plain.ledger import BlockInProgress, Ledger
from engine.plain.swap_pairs import Pair, pool_of
from engine.plain.swap_state import ACTIVE, Pool, Position
from engine.plain.versions import Versions
from ingest.networks import AMOUNT_LIMIT, DECIMALS

MOST: Final = Decimal(AMOUNT_LIMIT - 1).scaleb(-DECIMALS)
"""Largest amount that can be stored (R-CORE-CONST-8)."""


def pools(ledger: Ledger) -> Versions[str, Pool]:
    """Pools by id."""
    return ledger.modules["pools"]


def positions(ledger: Ledger) -> Versions[int, Position]:
    """Positions by number."""
    return ledger.modules["positions"]


def pool_of_pair(ledger: Ledger, pair: Pair) -> Pool:
    """The pool of two tickers, empty where there is none yet."""
    empty = pool_of(pair)
    return pools(ledger).get(empty.key, empty)


def active(ledger: Ledger, pool: Pool, source: str) -> list[Position]:
    """Active positions of a pool that offer `source`, by unlock height and number (R-SWAP-EXE-2)."""
    found = [
        position
        for position in positions(ledger).values()
        if position.pool == pool.key and position.source == source and position.status == ACTIVE
    ]
    return sorted(found, key=lambda position: (position.unlock_height, position.position_id))


def worth(ledger: Ledger, position: Position) -> Decimal:
    """What the locked amount is now: of a `y` ticker it has grown with the index (R-SWAP-EXE-3, D-43)."""
    if position.index_at_lock is None:
        return position.locked
    return floor8(position.locked * (curves.index_of(ledger, position.source) / position.index_at_lock))


def reserve(ledger: Ledger, offered: Iterable[Position]) -> Decimal:
    """Sum of what positions are worth, added in their order (R-SWAP-EXE-3)."""
    return total(worth(ledger, position) for position in offered)


def balance(ledger: Ledger, pool: Pool, ticker: str) -> Decimal:
    """What the pool's account holds (R-SWAP-STATE-2)."""
    return holdings.balance(ledger, ticker, pool.account)


def round_everything(block: BlockInProgress) -> None:
    """Round what the block changed to its stored precision (R-SWAP-STATE-5)."""
    book = pools(block.ledger), positions(block.ledger)
    for key in book[0].touched:
        book[0][key] = book[0][key].rounded()
    for number in book[1].touched:
        book[1][number] = book[1][number].rounded()


def count_reserves(block: BlockInProgress) -> None:
    """Note what active positions of changed pools offer at the block's end."""
    ledger = block.ledger
    for key in pools(ledger).touched:
        pool = pools(ledger)[key]
        for ticker in pool.tokens:
            offered = min(q8(reserve(ledger, active(ledger, pool, ticker))), MOST)
            pool = pool.with_side(ticker, replace(pool.side(ticker), reserve=offered))
        pools(ledger)[key] = pool


def is_storable(*rows: Mapping[str, Any]) -> bool:
    """Whether every amount stays below 10^30; the predecessor loses the block otherwise (D-3)."""
    amounts = (value for row in rows for value in row.values() if isinstance(value, Decimal))
    return all(amount <= MOST for amount in amounts)
