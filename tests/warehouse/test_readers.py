"""Readers in other processes see one published state at a time while a writer commits, merges, folds and rewinds."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.judged import FactMaker
from tests.helpers.lakes import content, facts_of
from warehouse.lake import Lake
from warehouse.snapshot import LakeReader, Snapshot

ROOT = Path(__file__).parents[2]
KINDS = ("polars", "pandas", "duckdb", "views", "shell")


def test_readers_of_every_kind_see_only_published_states(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    command = [sys.executable, "-m", "tests.helpers.lake_writer", str(lake), "runs"]
    writer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        for _ in range(12):
            assert writer.stdout.readline()
        drain = subprocess.Popen(["cat"], stdin=writer.stdout, stdout=subprocess.DEVNULL)
        readers = {
            kind: subprocess.Popen(
                [sys.executable, "-m", "tests.helpers.lake_readers", str(lake), kind, "4"],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for kind in KINDS
        }
        seen = {kind: reader.communicate(timeout=120) for kind, reader in readers.items()}
        assert writer.poll() is None, "the writer must outlive its readers"
    finally:
        writer.kill()
        writer.communicate()
    drain.wait()
    for kind, (output, errors) in seen.items():
        assert errors == "", kind
        assert int(output) > 1, f"{kind} saw no change: the test has tested nothing"


def test_a_reader_asks_again_of_the_newer_state_when_its_files_are_gone(tmp_path: Path) -> None:
    maker = FactMaker()
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*maker.extend(8))
    with Lake.open(tmp_path, grace=0) as lake:
        asked = []

        def question(snapshot: Snapshot) -> int:
            asked.append(snapshot.manifest.sequence)
            if len(asked) == 1:
                lake.rewind(103)
            return len(content(snapshot)["blocks"])

        assert LakeReader(tmp_path).read(question) == 4
        assert asked == [1, 2]
    maker.rewind(103)
    assert content(LakeReader(tmp_path).snapshot()) == facts_of(maker)


@pytest.mark.parametrize("columns", [None, ["operation", "txid"], ["height"]])
def test_rows_of_a_range_of_heights(tmp_path: Path, columns: list[str] | None) -> None:
    maker = FactMaker(seed=5)
    with Lake.create(tmp_path, "regtest", 100) as lake:
        for count in (4, 9, 2):
            lake.commit(*maker.extend(count))
    found = LakeReader(tmp_path).read(lambda snapshot: snapshot.rows("operations", columns, (102, 113)))
    expected = [row for block in maker.per_block[2:14] for row in block["operations"]]
    names = columns or list(expected[0])
    assert found.to_pylist() == [{name: row[name] for name in names} for row in expected]
    assert found.schema.names == names
