"""A writer process that takes back what it said: `python -m tests.helpers.wavering_writer DIR`.

It commits blocks to the lake in DIR, takes some back and puts others in their place, always the same ones, merges
segments in between, and removes what it replaced so soon that readers lose files.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.judged import FactMaker
from warehouse.compact import compact_step
from warehouse.folds import make_fold
from warehouse.lake import Lake

SEED = 5
START = 100
STEPS = 40
PAUSE = 0.12
GRACE = 0.3


def steps(maker: FactMaker) -> Iterator[int | None]:
    """Each step made in `maker`: the height down to which blocks were taken back, or None where there is one more."""
    for step in range(STEPS):
        if step % 5 == 4:
            height = START + len(maker.per_block) - 2 - step % 3
            maker.rewind(height)
            yield height
        maker.extend(1, branch=str(step))
        yield None


def begun(directory: Path) -> None:
    """A lake with the first block: what there is before the process starts."""
    maker = FactMaker(seed=SEED, start=START)
    next(steps(maker))
    with Lake.create(directory, "regtest", START) as lake:
        lake.commit(*maker.all())


def truth() -> FactMaker:
    """The chain in the end."""
    maker = FactMaker(seed=SEED, start=START)
    for _ in steps(maker):
        pass
    return maker


def main() -> None:
    maker = FactMaker(seed=SEED, start=START)
    with Lake.open(Path(sys.argv[1]), GRACE) as lake:
        for turn, height in enumerate(steps(maker)):
            if height is not None:
                lake.rewind(height)
            elif turn > 0:
                lake.commit(*maker.judged(len(maker.per_block) - 1, len(maker.per_block)))
            if turn % 6 == 0:
                compact_step(lake)
            if turn % 9 == 0:
                make_fold(lake)
            time.sleep(0.0 if height is not None else PAUSE)


if __name__ == "__main__":
    main()
