"""`simplicity snapshot` as an operator runs it: a process, its exit code and what it says."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.files import BlockFiles
from ingest.networks import REGTEST
from simplicity import app
from tests.helpers.fileserver import serving_files
from tests.helpers.indexing import index
from tests.helpers.recorded import DATA, people
from warehouse.bundles import web
from warehouse.manifest import read_manifest
from warehouse.snapshot import LakeReader

HALF, TIP = 117, 147


def run(*arguments: str | Path) -> tuple[int, str]:
    """Exit code, and what was said."""
    result = CliRunner().invoke(app, [*map(str, arguments)])
    return result.exit_code, result.output


def process(*arguments: str | Path) -> tuple[int, str]:
    """The same of a process of its own."""
    command = [sys.executable, "-m", "simplicity", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of the first blocks, its snapshot as one file, and the keys of two operators, made by the command."""
    home = tmp_path_factory.mktemp("command")
    with tarfile.open(DATA / "blocks.tar.gz") as archive:
        archive.extractall(home, filter="data")
    source = BlockFiles(home / "blocks", REGTEST)
    index(home / "half", source, to=HALF)
    index(home / "whole", source)
    source.close()
    for name in ("ours", "theirs"):
        assert run("snapshot", "key", home / f"{name}.key", home / f"{name}.pub")[0] == 0
    code, said = exported(home, home / "half", home / "half.tar")
    assert (code, f"exported regtest, height {HALF}" in said) == (0, True)
    return home


def exported(home: Path, lake: Path, output: Path) -> tuple[int, str]:
    return run(*("snapshot", "export", "--data", lake, "--output", output, "--snapshot-signing-key", home / "ours.key"))


def test_from_an_empty_folder_to_a_correct_balance_and_on_along_the_chain(home: Path, tmp_path: Path) -> None:
    """What a newcomer does, with nothing but the snapshot, the key, and later a node."""
    lake, alice = tmp_path / "lake", people()["alice"]
    with serving_files(home) as server:
        server.cuts = [(home / "half.tar").stat().st_size // 2]
        code, said = process(
            *("snapshot", "import", f"{server.url}/half.tar", "--data", lake, "--snapshot-key", home / "ours.pub")
        )
    assert (code, f"imported regtest, height {HALF}" in said) == (0, True)
    question = f"SELECT balance FROM holders WHERE ticker = 'WTF' AND address = '{alice}'"
    with LakeReader(home / "half").snapshot().connect() as ours:
        (balance,) = ours.execute(question).fetchall()[0]
    code, said = process("sql", "--data", lake, question)
    assert code == 0
    assert str(balance) in said
    before = read_manifest(lake).of("blocks")
    code, said = process("sync", "--data", lake, "--blocks", home / "blocks")
    assert (code, f"indexed to height {TIP}" in said) == (0, True)
    after = read_manifest(lake)
    assert after.of("blocks")[: len(before)] == before
    assert after.of("blocks")[len(before)].first == HALF + 1
    assert after.cumulative_hash == read_manifest(home / "whole").cumulative_hash
    assert run("verify", "--data", lake, "--against", home / "whole")[0] == 0


@pytest.mark.parametrize("command", ["verify", "import", "drill"])
def test_tampering_is_a_difference_that_was_found(home: Path, tmp_path: Path, command: str) -> None:
    content = bytearray((home / "half.tar").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "changed.tar").write_bytes(content)
    lake = ("--data", tmp_path / "lake") if command == "import" else ()
    code, said = process("snapshot", command, tmp_path / "changed.tar", *lake, "--snapshot-key", home / "ours.pub")
    assert (code, "is not what was signed: do not use this snapshot" in said) == (1, True), said
    code, said = run("snapshot", command, home / "half.tar", *lake, "--snapshot-key", home / "theirs.pub")
    assert (code, "was not signed by the given key" in said) == (1, True), said
    assert not (tmp_path / "lake/manifest.json").exists()


def test_wrong_use_and_what_is_in_the_way_have_codes_of_their_own(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "PAUSE", 0.001)
    key = ("--snapshot-key", home / "ours.pub")
    for arguments, expected, says in (
        (("verify", home / "half.tar"), 2, "--snapshot-key"),
        (("verify", home / "half.tar", "--snapshot-key", home / "half.tar"), 2, "is no public key"),
        (("verify", tmp_path / "absent.tar", *key), 3, "there is nothing of this name"),
        (("verify", __file__, *key), 3, "neither a folder nor a tar file"),
        (("import", home / "half.tar", "--data", home / "whole", *key), 3, "there is nothing to import"),
        (("verify", "http://127.0.0.1:1/half.tar", *key), 3, "run the same command again"),
    ):
        code, said = run("snapshot", *arguments)
        assert (code, says in said) == (expected, True), said
    code, said = exported(home, home / "half", home / "half.tar")
    assert (code, "is already there" in said) == (3, True)


def test_a_drill_says_what_it_compared_and_how_long_it_took(home: Path) -> None:
    code, said = run("snapshot", "drill", home / "half.tar", "--snapshot-key", home / "ours.pub", "--rebuild")
    assert code == 0
    assert said.count("  equal") == 6
    assert "restored " in said
    assert " s" in said


def test_plain_http_beyond_this_machine_is_warned_of(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this machine it is not, and the signature protects either."""
    monkeypatch.setattr(web, "PAUSE", 0.001)
    key = ("--snapshot-key", home / "ours.pub")
    with serving_files(home) as server:
        code, said = run("snapshot", "verify", f"{server.url}/half.tar", *key)
        assert (code, "plain http" in said) == (0, False)
        address = "http://snapshots.invalid/half.tar"
        assert "plain http" in run("snapshot", "verify", address, *key)[1]
