"""A lake of trades, one a block at the end: pools of plain tokens, of a `y` token, of a ticker with a hyphen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.plain import PlainEngine
from tests.helpers.builders import Blocks, candidates, headers
from tests.helpers.module_chains import NETWORK, PEOPLE, VAULTS, deploy, lock, opening, operation, trade
from tests.helpers.strange_chains import FIRST
from tests.helpers.vaults import burn_w
from warehouse.lake import Lake

TRADES: Final = (
    trade("carol", "LOL,WTF", "3", "100"),
    trade("carol", "LOL,WTF", "0.00000001", "100"),
    trade("bob", "WTF,LOL", "250.5", "1"),
    trade("alice", "LOL,yWTF", "1", "100"),
    trade("carol", "LOL,yWTF", "70", "5"),
    trade("bob", "ZZZ,LOL", "5", "50"),
    trade("bob", "ZZZ,LOL", "5000", "0.3"),
    trade("alice", "C,A-B", "7.7", "20"),
    trade("alice", "LOL,WTF", "5000", "100"),
)
"""Whole and partial fills, some that close positions; each stands alone in its block."""
FIRST_TRADE: Final = FIRST + 4
LAST: Final = FIRST_TRADE + len(TRADES)


def market_lake(home: Path, last: int = LAST) -> tuple[Path, Callable[[], None]]:
    """Directory of the lake up to block `last`, and what adds the blocks after it."""
    directory = home / "lake"
    engine, chain = PlainEngine(NETWORK), _blocks()
    Lake.create(directory, NETWORK.name, FIRST).close()

    def commit(first: int, last: int) -> None:
        with Lake.open(directory) as lake:
            for height in range(first, last + 1):
                block = {height: chain[height]}
                rows = candidates(block)
                lake.commit(engine.judge(headers(block), rows), rows)

    commit(FIRST, last)
    return directory, lambda: commit(last + 1, LAST)


def _blocks() -> Blocks:
    """Lock times tell transactions apart."""
    first, second, third = opening()
    deploys = [deploy(ticker, "1000", "500") for ticker in ("A-B", "C")]
    mints = [operation(who, {"op": "mint", "tick": t, "amt": "500"}, who) for who in PEOPLE[:2] for t in ("A-B", "C")]
    locks = [lock("alice", "A-B,C", "100", "40"), lock("bob", "C,A-B", "50", "30")]
    closing = [burn_w("alice", 1000, unlocks=VAULTS[0])]
    blocks = [[*first, *deploys, *mints], second, [*third, *locks], [], *([each] for each in TRADES), closing]
    return {
        FIRST + n: [replace(tx, locktime=100 * n + place) for place, tx in enumerate(txs)]
        for n, txs in enumerate(blocks)
    }
