"""A writer process to be killed or stopped at any instant: `python -m tests.helpers.branching_writer DIR SEED`.

It commits blocks to the lake in DIR, takes some back and puts others in their place, makes folds, merges segments and
derives all anew, until it is killed; it removes what it replaced so soon that readers lose files. Which of few branches
a block is of can be seen from its hash, so that the next process goes on from whatever is published.
"""

import itertools
import sys
import time
from pathlib import Path
from random import Random

from tests.helpers.judged import FactMaker
from warehouse.compact import compact_step
from warehouse.folds import make_fold
from warehouse.lake import Lake

CHAIN = 8
START = 100
LENGTH = 50
"""Blocks that it builds up to, about."""
BRANCHES = ("", "left", "right")
GRACE = 0.3
PAUSE = 0.2
"""Seconds, at most, between two commits."""


def resumed(lake: Lake) -> FactMaker:
    """The maker of the lake's blocks, ready to make the next."""
    maker = FactMaker(seed=CHAIN, start=START, modules=True)
    for height in range(START, lake.manifest.next_height):
        for branch in BRANCHES:
            maker.extend(1, branch)
            if maker.per_block[-1]["blocks"][0]["hash"] == lake.snapshot.block_hash(height):
                break
            maker.rewind(height - 1)
    return maker


def write(lake: Lake, random: Random) -> None:
    """Go on for ever."""
    maker = resumed(lake)
    for turn in itertools.count(1):
        height = lake.manifest.next_height - 1
        if turn % 6 == 0 or height > START + LENGTH:
            back = max(START, height - random.choice((1, 1, 2, 3, 8, 30)))
            lake.rewind(back)
            maker.rewind(back)
        lake.commit(*maker.extend(random.randint(1, 3), random.choice(BRANCHES)))
        if turn % 7 == 0:
            make_fold(lake)
        if turn % 3 == 0:
            compact_step(lake)
        if turn % 31 == 0:
            generation = lake.rederive()
            generation.commit(maker.all()[0])
            generation.publish()
        time.sleep(random.uniform(0, PAUSE))


def main() -> None:
    with Lake.open(Path(sys.argv[1]), GRACE) as lake:
        write(lake, Random(sys.argv[2]))


if __name__ == "__main__":
    main()
