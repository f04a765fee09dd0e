"""A lake of two pools: all positions of one were settled, one of them sold out; in the other one trades a day later."""

from pathlib import Path
from typing import Final

from engine.judge import Engine
from ingest.networks import REGTEST
from tests.helpers.builders import Blocks, candidates, headers, operation
from tests.helpers.chain import Tx
from warehouse.lake import Lake


def _swap(sender: str, **members: str) -> Tx:
    inner = ",".join(f'"{name}":"{value}"' for name, value in members.items())
    return operation(f'{{"p":"brc-20","op":"swap",{inner}}}', sender)


def _token(ticker: str) -> list[Tx]:
    deploy = f'{{"p":"brc-20","op":"deploy","tick":"{ticker}","m":"100000","l":"5000"}}'
    mint = f'{{"p":"brc-20","op":"mint","tick":"{ticker}","amt":"5000"}}'
    return [operation(deploy), *(operation(mint, "alice", holder) for holder in ("lp1", "lp2", "exe"))]


LATE: Final = 150
"""Height of the last trade."""

BLOCKS: Final[Blocks] = {
    0: [*_token("LOL"), *_token("WTF"), *_token("SAT")],
    1: [
        _swap("lp1", init="LOL,WTF", amt="1000", lock="10"),
        _swap("lp2", init="WTF,LOL", amt="10", lock="10"),
        _swap("lp2", init="WTF,LOL", amt="1990", lock="11"),
        _swap("lp1", init="LOL,SAT", amt="100", lock="500"),
        _swap("lp2", init="SAT,LOL", amt="100", lock="500"),
    ],
    2: [
        # Reserves are 1000 and 2000: 1000 LOL buy half of the WTF, all of the first position's and 990 of the second's.
        _swap("exe", exe="LOL,WTF", amt="1000", slip="100"),
        _swap("lp1", exe="WTF,LOL", amt="10", slip="100"),
        # Refused: there is no such pool.
        _swap("exe", exe="SAT,WTF", amt="1", slip="100"),
    ],
    **{height: [] for height in range(3, LATE)},
    LATE: [_swap("exe", exe="SAT,LOL", amt="10", slip="100")],
    LATE + 1: [],
}


def settled_lake(directory: Path) -> Path:
    """The lake in `directory`."""
    with Lake.create(directory, REGTEST.name, 0) as lake:
        lake.commit(Engine(REGTEST).judge(headers(BLOCKS), candidates(BLOCKS)), candidates(BLOCKS))
    return directory
