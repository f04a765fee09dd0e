"""Indexing as `simplicity sync` does it, in this process or as the command itself."""

import subprocess
import sys
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


def sync_process(directory: Path, url: str, batch: int) -> "subprocess.Popen[bytes]":
    """`simplicity sync` from a node, in a process of its own."""
    command = [sys.executable, "-m", "simplicity", "sync", "--data", str(directory), "--network", "regtest"]
    return subprocess.Popen(
        [*command, "--node", url, "--batch", str(batch)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )


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
