"""Indexing as `simplicity sync` does it, in this process, and what a lake then holds."""

import threading
from contextlib import closing
from pathlib import Path

from ingest.follow import follow
from ingest.networks import REGTEST
from ingest.patience import Patience
from ingest.source import Source
from warehouse.indexer import Indexer
from warehouse.lake import Lake


def open_or_create(directory: Path) -> Lake:
    return Lake.open(directory) if (directory / "manifest.json").exists() else Lake.create(directory, "regtest", 0)


def index(directory: Path, source: Source, *, to: int | None = None, batch: int = 144, threads: int = 1) -> None:
    """Index to the source's tip, or to height `to`; the source is closed."""
    stop = threading.Event()
    with closing(source), open_or_create(directory) as lake:
        indexer = Indexer(lake, threads)
        stream = follow(
            source,
            lake.tip,
            indexer.hash_at,
            start=REGTEST.genesis_height,
            stop_height=to,
            batch_blocks=batch,
            patience=Patience(30.0, stop.is_set),
        )
        for _ in indexer.index(stream, stop):
            pass
