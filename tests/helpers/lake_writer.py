"""A writer process to be killed or to be read beside: `python -m tests.helpers.lake_writer DIR MODE [NUMBER]`.

The chain is always that of one seed, so whatever is published must be its beginning. Every step is announced before
and after on standard output, one line each.

Modes: `dies` kills itself with SIGKILL at the NUMBER-th call that touches the disk; `runs` goes on until it is killed,
with a grace time short enough that readers lose files.
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.helpers.judged import FactMaker
from warehouse.compact import compact_step
from warehouse.errors import LakeNotFound
from warehouse.folds import make_fold
from warehouse.lake import Lake

SEED = 21
START = 100
LENGTH = 90
"""Blocks of the chain."""


def chain() -> FactMaker:
    """The whole chain."""
    maker = FactMaker(seed=SEED, start=START)
    maker.extend(LENGTH)
    return maker


def main() -> None:
    directory, mode = Path(sys.argv[1]), sys.argv[2]
    maker = chain()
    if mode == "dies":
        _die_at(int(sys.argv[3]))
        _write(_opened(directory, grace=0.0), maker, Random(int(sys.argv[3])))
    else:
        _write(_opened(directory, grace=0.3), maker, Random(0))


def _opened(directory: Path, grace: float) -> Lake:
    try:
        return Lake.open(directory, grace)
    except LakeNotFound:
        Lake.create(directory, "regtest", START).close()
        return Lake.open(directory, grace)


def _write(lake: Lake, maker: FactMaker, random: Random) -> None:
    for turn in itertools.count(1):
        position = lake.manifest.next_height - START
        if position >= LENGTH or turn % 19 == 0:
            height = START + random.randrange(max(position - 30, 0), position + 1) - 1
            print("rewinding", height, flush=True)
            lake.rewind(height)
        else:
            count = min(random.choice((1, 1, 1, 2, 9)), LENGTH - position)
            lake.commit(*maker.judged(position, position + count))
            print("committed", START + position + count - 1, flush=True)
        if turn % 7 == 0:
            make_fold(lake)
        if turn % 3 == 0:
            compact_step(lake)
        if turn % 31 == 0:
            generation = lake.rederive()
            generation.commit(maker.judged(0, lake.manifest.next_height - START)[0])
            generation.publish()


def _die_at(number: int) -> None:
    """Count the calls that touch the disk and stop dead before the `number`-th."""
    calls = itertools.count(1)

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    for owner, names in ((os, ("fsync", "utime")), (Path, ("rename", "unlink", "rmdir", "mkdir"))):
        for name in names:
            setattr(owner, name, counted(getattr(owner, name)))


if __name__ == "__main__":
    main()
