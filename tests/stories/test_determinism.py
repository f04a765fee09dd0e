"""The same blocks give the same rows and hashes, whatever the batch size, threads, hash seed, source or restarts."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest

from ingest.files import BlockFiles
from ingest.networks import REGTEST
from ingest.node import Node
from tests.helpers.indexing import index, open_or_create
from tests.helpers.lakes import content
from tests.helpers.node import FakeNode
from warehouse.audit import audit
from warehouse.duckdb_engine import connect
from warehouse.tables import TABLES

RECORDED = Path(__file__).parents[1] / "data/regtest/blocks.tar.gz"
TIP = 147


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The node's block files of the recorded chain."""
    folder = tmp_path_factory.mktemp("node")
    with tarfile.open(RECORDED) as archive:
        archive.extractall(folder, filter="data")
    return folder / "blocks"


@pytest.fixture(scope="module")
def expected(blocks: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """Every table after an undisturbed run over the block files."""
    lake = tmp_path_factory.mktemp("undisturbed")
    index(lake, BlockFiles(blocks, REGTEST))
    assert audit(lake) == []
    return every_table(lake)


def every_table(lake: Path) -> dict[str, pa.Table]:
    """Facts as they are stored, and every public table as a query answers it."""
    with open_or_create(lake) as opened:
        facts = content(opened.snapshot)
    connection = connect(lake)
    views = {name: connection.sql(f"FROM {name} ORDER BY ALL").to_arrow_table() for name in TABLES}
    return {**{f"stored {name}": rows for name, rows in facts.items()}, **views}


def assert_same_tables(lake: Path, expected: dict[str, pa.Table]) -> None:
    found = every_table(lake)
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert found[name].equals(rows), name


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch", [1, 7, 144, 2016])
def test_batch_size_and_threads_change_nothing(
    batch: int, threads: int, blocks: Path, expected: dict[str, pa.Table], tmp_path: Path
) -> None:
    index(tmp_path, BlockFiles(blocks, REGTEST), batch=batch, threads=threads)
    assert_same_tables(tmp_path, expected)


@pytest.mark.parametrize("rest", [True, False], ids=["rest", "rpc"])
def test_the_node_and_its_files_give_the_same(rest: bool, expected: dict[str, pa.Table], tmp_path: Path) -> None:
    with FakeNode(recorded=TIP + 1, rest=rest) as node:
        index(tmp_path, Node(node.url, REGTEST))
    assert_same_tables(tmp_path, expected)


@pytest.mark.parametrize("first", [112, pytest.param(0, marks=pytest.mark.slow)])
def test_a_restart_at_every_height_changes_nothing(
    first: int, blocks: Path, expected: dict[str, pa.Table], tmp_path: Path
) -> None:
    for height in range(first, TIP + 1):
        index(tmp_path, BlockFiles(blocks, REGTEST), to=height)
    assert_same_tables(tmp_path, expected)


def test_a_rewind_to_every_height_changes_nothing(blocks: Path, expected: dict[str, pa.Table], tmp_path: Path) -> None:
    index(tmp_path, BlockFiles(blocks, REGTEST))
    for height in range(TIP, 100, -3):
        with open_or_create(tmp_path) as lake:
            lake.rewind(height)
        index(tmp_path, BlockFiles(blocks, REGTEST), to=height + 2)
    index(tmp_path, BlockFiles(blocks, REGTEST))
    assert_same_tables(tmp_path, expected)


@pytest.mark.parametrize("seed", ["0", "1", "12345"])
def test_the_hash_seed_changes_nothing(seed: str, blocks: Path, expected: dict[str, pa.Table], tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "simplicity",
        "sync",
        "--data",
        str(tmp_path),
        "--network",
        "regtest",
        "--blocks",
        str(blocks),
    ]
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True)
    assert_same_tables(tmp_path, expected)
