"""What other processes read: layout, versions, damage."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.helpers.judged import FactMaker
from warehouse import errors
from warehouse.folds import make_fold
from warehouse.lake import Lake
from warehouse.manifest import FORMAT, NAME, read_manifest
from warehouse.snapshot import LakeReader
from warehouse.tables import FACTS, SCHEMA_VERSION


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    maker = FactMaker()
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*maker.extend(9))
        make_fold(lake)
        lake.commit(*maker.extend(1))
    return tmp_path


def document(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / NAME).read_text())
    return found


def test_the_manifest_lists_every_file_with_heights_rows_bytes_and_digest(directory: Path) -> None:
    manifest = document(directory)
    assert {name: manifest[name] for name in ("format", "schema_version", "network", "start_height", "sequence")} == {
        "format": 1,
        "schema_version": SCHEMA_VERSION,
        "network": "regtest",
        "start_height": 100,
        "sequence": 3,
    }
    assert manifest["tables"] == list(FACTS)
    assert manifest["tip"]["height"] == 109
    assert manifest["folds"][0]["height"] == 108
    folded = manifest["folds"][0]["files"]
    assert len(folded) > 2, "serving files belong to the fold"
    for file in [*manifest["segments"], *folded]:
        content = (directory / file["path"]).read_bytes()
        assert len(content) == file["bytes"]
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    for segment in manifest["segments"]:
        assert segment["schema_version"] == SCHEMA_VERSION
        assert pq.read_metadata(directory / segment["path"]).num_rows == segment["rows"]
        assert segment["path"].startswith(f"segments/{segment['table']}/{segment['from']:08d}-{segment['to']:08d}-")
    listed = {file["path"] for file in [*manifest["segments"], *folded]}
    there = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    assert there == listed | {NAME, "lock"}


@pytest.mark.parametrize(("what", "known"), [("format", FORMAT), ("schema_version", SCHEMA_VERSION)])
def test_a_newer_manifest_is_refused_by_writer_and_reader(directory: Path, what: str, known: int) -> None:
    newer = document(directory) | {what: known + 1}
    (directory / NAME).write_text(json.dumps(newer))
    with pytest.raises(errors.NewerFormat, match="upgrade simplicity"):
        Lake.open(directory)
    with pytest.raises(errors.NewerFormat):
        LakeReader(directory)


def test_a_newer_segment_is_refused_when_it_is_read(directory: Path) -> None:
    newer = document(directory)
    table = newer["segments"][0]["table"]
    newer["segments"][0]["schema_version"] = SCHEMA_VERSION + 1
    (directory / NAME).write_text(json.dumps(newer))
    with pytest.raises(errors.NewerFormat, match="upgrade simplicity"):
        LakeReader(directory).read(lambda snapshot: snapshot.rows(table))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1, "schema_version": 1}', '{"format": "1"}'])
def test_a_damaged_manifest_says_so(directory: Path, text: str) -> None:
    (directory / NAME).write_text(text)
    with pytest.raises(errors.ManifestDamaged, match="restore the directory"):
        read_manifest(directory)


def test_a_reader_needs_a_lake(tmp_path: Path) -> None:
    with pytest.raises(errors.LakeNotFound):
        LakeReader(tmp_path / "nothing")
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.LakeNotFound):
        LakeReader(tmp_path / "file")


def test_a_listed_file_that_is_gone_is_named(directory: Path) -> None:
    lost = directory / read_manifest(directory).of("operations")[0].file.path
    lost.unlink()
    reader = LakeReader(directory)
    with pytest.raises(errors.SegmentMissing, match="is listed but missing"):
        reader.read(lambda snapshot: snapshot.rows("operations"))
    with pytest.raises(errors.SegmentMissing):
        reader.read(lambda snapshot: snapshot.connect().sql("FROM operations").fetchall())


def test_an_error_of_the_question_itself_is_passed_on(directory: Path) -> None:
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        LakeReader(directory).read(lambda _: Path("elsewhere").read_bytes())
