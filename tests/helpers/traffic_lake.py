"""A lake of traffic by chance: operations of the core and of the modules, valid and refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from engine.judge import Engine
from ingest.networks import REGTEST
from tests.helpers.builders import candidates, headers
from tests.helpers.traffic import Traffic
from warehouse.lake import Lake

Batch = tuple[pa.Table, pa.Table]


def traffic_batches(seed: int, blocks: int, batch: int) -> Iterator[Batch]:
    """Headers and candidates of blocks from height 0, so many blocks at a time."""
    traffic = Traffic(seed)
    chain = {height: traffic.txs(traffic.random.randint(4, 12)) for height in range(blocks)}
    for first in range(0, blocks, batch):
        part = {height: chain[height] for height in range(first, min(first + batch, blocks))}
        yield headers(part), candidates(part)


def traffic_lake(directory: Path, seed: int, blocks: int, batch: int = 20, engine_class: Any = Engine) -> Path:
    """A lake of these blocks, a commit for each batch."""
    engine = engine_class(REGTEST)
    with Lake.create(directory, REGTEST.name, 0) as lake:
        for rows in traffic_batches(seed, blocks, batch):
            lake.commit(engine.judge(*rows), rows[1])
    return directory
