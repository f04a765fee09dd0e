"""A chain full of trades: what the benchmark of swaps judges. Deterministic; transactions are real ones.

`POOLS` pools of one common token against another each; every pool has as many active positions a side as is said, in a
row of unlock heights beyond the chain's end. Trades go to the pools in turn, now one way, now the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import pyarrow as pa

from tests.helpers.builders import candidates, headers, operation
from tests.helpers.chain import Tx

POOLS: Final = 200
EXECUTORS: Final = 100
COMMON: Final = "BASE"
_SHORTEST_LOCK: Final = 10

Batch = tuple[pa.Table, pa.Table]


@dataclass(frozen=True)
class SwapChain:
    """Blocks to prepare an engine, then blocks of trades. `expired` positions are opened and settled before these."""

    positions: int = 50
    expired: int = 0
    trades_a_block: int = 1_000

    def preparation(self) -> Iterator[Batch]:
        """Deploys, holdings, positions that expire before the trades, and positions that stay."""
        tickers = [COMMON, *map(_ticker, range(POOLS))]
        yield self._batch(1, [_deploys(tickers), _mints(tickers)])
        height, left = 3, self.expired
        while left:
            blocks = [_inits(POOLS * 2, _SHORTEST_LOCK) for _ in range(min(left, 4_000) // (POOLS * 2))]
            yield self._batch(height, blocks)
            left -= len(blocks) * POOLS * 2
            height += len(blocks)
        yield self._batch(height, [[] for _ in range(_SHORTEST_LOCK)])
        height += _SHORTEST_LOCK
        yield self._batch(height, [_inits(POOLS * 2, 10_000 + n) for n in range(self.positions)])

    def trades(self, blocks: int) -> Iterator[Batch]:
        """Blocks of trades, each its own batch."""
        random = Random(7)
        first = 3 + self.expired // (POOLS * 2) + _SHORTEST_LOCK + self.positions
        for block in range(blocks):
            yield self._batch(first + block, [[_trade(random, n) for n in range(self.trades_a_block)]])

    @staticmethod
    def _batch(height: int, blocks: Sequence[Sequence[Tx]]) -> Batch:
        chain = dict(enumerate(blocks, start=height))
        return headers(chain), candidates(chain)


def _ticker(number: int) -> str:
    return f"T{number:03d}"


def _deploys(tickers: Sequence[str]) -> list[Tx]:
    return [
        operation(f'{{"p":"brc-20","op":"deploy","tick":"{ticker}","m":"1000000000000000","l":"1000000000000000"}}')
        for ticker in tickers
    ]


def _mints(tickers: Sequence[str]) -> list[Tx]:
    holders = ["lp", *(f"ex{number}" for number in range(EXECUTORS))]
    return [
        operation(f'{{"p":"brc-20","op":"mint","tick":"{ticker}","amt":"1000000000"}}', "minter", holder)
        for ticker in tickers
        for holder in holders
    ]


def _inits(count: int, lock: int) -> list[Tx]:
    """One deposit for each side of each pool in turn."""
    return [_init(number, lock) for number in range(count)]


def _init(number: int, lock: int) -> Tx:
    ticker = _ticker(number // 2 % POOLS)
    pair = f"{ticker},{COMMON}" if number % 2 else f"{COMMON},{ticker}"
    amount = f"{1000 + number % 97}.{number % 89:02d}"
    text = f'{{"p":"brc-20","op":"swap","init":"{pair}","amt":"{amount}","lock":"{lock}"}}'
    return operation(text, "lp", "lp", number)


def _trade(random: Random, number: int) -> Tx:
    ticker = _ticker(number % POOLS)
    pair = f"{ticker},{COMMON}" if random.random() < 0.5 else f"{COMMON},{ticker}"
    amount = f"{random.randrange(1, 400)}.{random.randrange(10**8):08d}"
    text = f'{{"p":"brc-20","op":"swap","exe":"{pair}","amt":"{amount}","slip":"5"}}'
    return operation(text, f"ex{random.randrange(EXECUTORS)}", "lp", number)
