"""The DuckDB file with the views: current while a writer goes on, and open to programs that know nothing of us."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.helpers.node import FakeNode
from tests.helpers.recorded import TIP, recorded_lake
from tests.helpers.traffic import Traffic
from warehouse.allowed_sql import PUBLIC
from warehouse.catalogue import NAME, Catalogue, write_catalogue
from warehouse.duckdb_engine import connect
from warehouse.errors import CatalogueNotWritten
from warehouse.lake import Lake
from warehouse.manifest import read_manifest
from warehouse.tables import TABLES

CLI = Path(sys.executable).with_name("duckdb")
"""The released command-line client, older than the library that writes the file."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = recorded_lake(tmp_path_factory.mktemp("it's a home"))
    write_catalogue(lake, read_manifest(lake))
    return lake


def cli(catalogue: Path, query: str, cwd: Path = Path("/")) -> list[dict[str, Any]]:
    """What the client answers, from another folder than the lake's."""
    command = [str(CLI), "-init", os.devnull, "-readonly", "-json", str(catalogue), "-c", query]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env={"TZ": "UTC"})
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return rows


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_the_client_reads_every_public_name(name: str, lake: Path) -> None:
    with connect(lake) as connection:
        ((count,),) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()
    assert cli(lake / NAME, f"SELECT count(*) AS rows FROM {name}") == [{"rows": count}]


def test_amounts_are_those_of_the_lake(lake: Path) -> None:
    query = "SELECT ticker, address, balance::VARCHAR AS balance FROM holders ORDER BY ALL"
    with connect(lake) as connection:
        expected = connection.execute(query).fetchall()
    assert [tuple(row.values()) for row in cli(lake / NAME, query)] == expected
    assert len(expected) == 17


def test_tables_and_columns_say_what_they_mean(lake: Path) -> None:
    found = cli(lake / NAME, "SELECT comment FROM duckdb_views() WHERE view_name = 'holders'")
    assert found == [{"comment": TABLES["holders"].row}]
    found = cli(
        lake / NAME, "SELECT comment FROM duckdb_columns() WHERE table_name = 'blocks' AND column_name = 'hash'"
    )
    assert found == [{"comment": TABLES["blocks"].schema.field("hash").metadata[b"doc"].decode()}]


def test_it_can_be_attached_under_a_name(lake: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{str(lake / NAME).replace(chr(39), chr(39) * 2)}' AS lake (READ_ONLY)")
        assert connection.execute("SELECT height FROM lake.tip").fetchall() == [(TIP,)]
        assert connection.execute("SELECT count(*) FROM lake.holders").fetchall() == [(17,)]


def test_its_permissions_let_nobody_change_it(lake: Path) -> None:
    assert (lake / NAME).stat().st_mode & 0o777 == 0o444


def test_whoever_has_it_open_keeps_what_was_published(lake: Path, tmp_path: Path) -> None:
    copy = tmp_path / "lake"
    shutil.copytree(lake, copy)
    (copy / NAME).unlink()
    with Lake.open(copy) as writer, Catalogue(writer):
        until(lambda: (copy / NAME).exists())
        with duckdb.connect(str(copy / NAME), read_only=True) as reader:
            writer.rewind(120)
            # The client, since one process opens a file only once.
            until(lambda: cli(copy / NAME, "SELECT height FROM tip") == [{"height": 120}])
            assert reader.execute("SELECT height FROM tip").fetchall() == [(TIP,)]
            assert reader.execute("SELECT count(*) FROM holders").fetchall() == [(17,)]


def test_the_end_shows_what_was_published_last(lake: Path, tmp_path: Path) -> None:
    copy = tmp_path / "lake"
    shutil.copytree(lake, copy)
    (copy / NAME).unlink()
    with Lake.open(copy) as writer, Catalogue(writer):
        for height in (140, 130, 121):
            writer.rewind(height)
    assert height_in(copy / NAME) == 121
    assert not list(copy.glob("*.tmp*"))


def test_what_a_killed_writer_left_is_replaced(lake: Path, tmp_path: Path) -> None:
    output = tmp_path / "views.duckdb"
    (tmp_path / "views.duckdb.tmp").write_bytes(b"half a file")
    (tmp_path / "views.duckdb.tmp.wal").write_bytes(b"half a log")
    write_catalogue(lake, read_manifest(lake), output)
    assert height_in(output) == TIP
    assert [path.name for path in tmp_path.iterdir()] == ["views.duckdb"]


def test_a_folder_that_is_not_there_is_named(lake: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogueNotWritten, match="nowhere"):
        write_catalogue(lake, read_manifest(lake), tmp_path / "nowhere" / NAME)


def test_the_client_sees_a_new_block_of_another_process_within_half_a_second(tmp_path: Path) -> None:
    """The bar is for a block on its own, as the tip has them; the client's start is not counted."""
    lake, traffic, delays = tmp_path / "lake", Traffic(5), []
    with FakeNode(recorded=120) as node:
        command = [sys.executable, "-m", "simplicity", "sync", "--data", str(lake), "--network", "regtest"]
        sync = subprocess.Popen([*command, "--node", node.url, "--follow"], stderr=subprocess.DEVNULL)
        try:
            until(lambda: height_in(lake / NAME) == 119, seconds=90)
            for height in (120, 121, 122):
                time.sleep(2.5)
                node.mine(txs=traffic.txs(5))
                until(partial(reached, height, lambda: published(lake)))
                begun = time.monotonic()
                until(partial(reached, height, lambda: height_in(lake / NAME)))
                delays.append(time.monotonic() - begun)
                blocks = cli(lake / NAME, "SELECT max(height) AS height FROM blocks")
                assert blocks == cli(lake / NAME, "SELECT height FROM tip") == [{"height": height}]
        finally:
            sync.terminate()
            assert sync.wait(30) == 0
    assert sorted(delays)[1] <= 0.5


def reached(height: int, now: Callable[[], int]) -> bool:
    return now() == height


def published(lake: Path) -> int:
    tip = read_manifest(lake).tip
    return tip.height if tip else -1


def height_in(catalogue: Path) -> int:
    """The height that the catalogue shows, -1 while there is none."""
    if not catalogue.exists():
        return -1
    with duckdb.connect(str(catalogue), read_only=True) as connection:
        rows = connection.execute("SELECT height FROM tip").fetchall()
    return int(rows[0][0]) if rows else -1


def until(happened: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)
