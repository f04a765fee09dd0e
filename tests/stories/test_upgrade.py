"""Lakes that earlier versions wrote, brought up to date where they are, without a node."""

import json
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simplicity import app
from tests.helpers.lakes import content
from tests.helpers.recorded import recorded_lake
from warehouse.audit import audit
from warehouse.manifest import NAME
from warehouse.snapshot import LakeReader

LAKES = Path(__file__).parents[1] / "data/lakes"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_lake(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(params=[1, 2])
def old(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A lake of the recorded chain as the code of that schema version left it."""
    with tarfile.open(LAKES / f"v{request.param}.tar.gz") as archive:
        archive.extractall(tmp_path / "lake", filter="data")
    return tmp_path / "lake"


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*map(str, arguments)])
    return result.exit_code, result.output


def test_a_rebuild_makes_an_old_lake_equal_to_a_fresh_one(old: Path, fresh: Path) -> None:
    for command in (["status"], ["audit"], ["sql", "SELECT 1"], ["rollback", "--to", "100"], ["catalogue"]):
        code, said = run(*command, "--data", old)
        assert (code, "run `simplicity rebuild`, it needs no node" in said) == (3, True), said
    assert run("rebuild", "--data", old)[0] == 0
    ours, theirs = (LakeReader(directory).snapshot() for directory in (old, fresh))
    assert ours.manifest.cumulative_hash == theirs.manifest.cumulative_hash
    for table, rows in content(theirs).items():
        assert content(ours)[table].equals(rows), table
    assert audit(old, None) == []


def test_a_lake_of_a_newer_version_is_refused(old: Path) -> None:
    manifest = json.loads((old / NAME).read_bytes()) | {"schema_version": 99}
    (old / NAME).write_text(json.dumps(manifest))
    for command in ("status", "rebuild", "audit"):
        code, said = run(command, "--data", old)
        assert (code, "upgrade simplicity" in said) == (3, True), said
