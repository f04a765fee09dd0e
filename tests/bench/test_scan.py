"""Block files to tables of candidates, one thread, beside reading the same files; per second of processor time.

The files are in the page cache: a disk would be waited for without using the core.
"""

import time
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from ingest.addresses import addresses_of
from ingest.files import BlockFiles
from ingest.networks import MAINNET, REGTEST
from ingest.scan import scan_blocks
from tests.helpers import mainnet_like, recorded_chain
from tests.helpers.blockfiles import KEY, write_block_files

pytestmark = pytest.mark.bench

BLOCKS = 60
BAR = 300.0
"""MB of blk and rev files a second and core."""

SCRIPTS = 1_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mainnet-like")
    first = recorded_chain.blocks()[0]
    blocks = [(bytes(first.raw), bytes(first.spent)), *mainnet_like.make_blocks(BLOCKS)]
    write_block_files(path, blocks, network=REGTEST, xor=KEY, per_file=75)
    return path


def megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.glob("*.dat")) / 1e6


def read(folder: Path) -> int:
    return sum(len(file.read_bytes()) for file in folder.glob("*.dat"))


def scan(folder: Path) -> int:
    """As a first sync does: index the headers, then scan, some blocks at a time."""
    candidates = 0
    with closing(BlockFiles(folder, REGTEST)) as source:
        height = source.tip().height
        for start in range(0, height + 1, 16):
            candidates += scan_blocks(source.blocks(start, min(start + 16, height + 1))).candidates.num_rows
    return candidates


@pytest.mark.benchmark(timer=time.process_time)
def test_scanning_block_files(folder: Path, benchmark: Any) -> None:
    scan(folder)  # The compiler's work is not measured.
    started = time.process_time()
    read(folder)
    reading = megabytes(folder) / (time.process_time() - started)
    candidates = benchmark.pedantic(scan, (folder,), rounds=5)
    scanning = megabytes(folder) / benchmark.stats["min"]
    benchmark.extra_info.update(
        files=f"{megabytes(folder):.0f} MB, {mainnet_like.MIX}, {candidates} candidates",
        scan=f"{scanning:.0f} MB/s",
        read=f"{reading:.0f} MB/s",
        ratio=f"{scanning / reading:.2f}",
    )
    print(f"\n{benchmark.extra_info}")
    assert scanning >= BAR


@pytest.mark.benchmark(timer=time.process_time)
def test_addresses_of_a_column(benchmark: Any) -> None:
    random = Random(1)
    forms = [
        (b"\x00\x14", 20, b""),
        (b"\x51\x20", 32, b""),
        (b"\x76\xa9\x14", 20, b"\x88\xac"),
        (b"\xa9\x14", 20, b"\x87"),
    ]
    drawn = random.choices(forms, (45, 35, 10, 10), k=SCRIPTS)
    scripts = pa.array([head + random.randbytes(size) + tail for head, size, tail in drawn], pa.binary())
    addresses_of(scripts[:10], MAINNET)
    benchmark.pedantic(addresses_of, (scripts, MAINNET), rounds=3)
    rate = SCRIPTS / benchmark.stats["min"]
    benchmark.extra_info.update(addresses=f"{rate:,.0f} a second")
    print(f"\n{benchmark.extra_info}")
    assert rate >= 1_000_000
