"""Snapshots: out of a lake, over any kind of damage, back into a lake that goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ingest.files import BlockFiles
from ingest.networks import REGTEST
from tests.helpers.indexing import index
from tests.helpers.snapshots import FORMS, as_folder, exported_home, packed
from warehouse.audit import audit
from warehouse.bundles.contents import NAME, SIGNATURE, Contents
from warehouse.bundles.drill import drill
from warehouse.bundles.errors import (
    AlreadyThere,
    NoSnapshot,
    NothingToExport,
    OtherLake,
    OutputExists,
    Tampered,
    UnusableKey,
    WrongSignature,
)
from warehouse.bundles.hashes import balances_hash, cumulative_hash
from warehouse.bundles.reading import import_into, verify
from warehouse.bundles.signing import make_key_pair, read_private, read_public
from warehouse.bundles.writing import HELD, export
from warehouse.errors import LakeInUse, LakeNotFound, NewerFormat
from warehouse.lake import Lake
from warehouse.manifest import read_manifest
from warehouse.snapshot import LakeReader
from warehouse.tables import SCHEMA_VERSION


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported_home(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(params=FORMS)
def bundle(home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A snapshot that a test may damage."""
    copy = tmp_path / str(request.param)
    source = home / str(request.param)
    shutil.copytree(source, copy) if source.is_dir() else shutil.copyfile(source, copy)
    return copy


def test_what_is_imported_is_the_lake(home: Path, bundle: Path, tmp_path: Path) -> None:
    key = read_public(home / "ours.pub")
    contents = verify(bundle, key)
    assert import_into(bundle, tmp_path / "lake", key) == contents
    ours, theirs = (LakeReader(directory).snapshot() for directory in (home / "lake", tmp_path / "lake"))
    assert ours.manifest == theirs.manifest
    assert audit(tmp_path / "lake", None) == []
    assert (contents.cumulative_hash, contents.balances_hash) == (cumulative_hash(theirs), balances_hash(theirs))
    assert contents.schema_version == SCHEMA_VERSION
    assert import_into(bundle, tmp_path / "lake", key) == contents


def test_the_same_state_is_the_same_file(home: Path, tmp_path: Path) -> None:
    export(home / "lake", tmp_path / "again.tar", read_private(home / "ours.key"))
    assert (tmp_path / "again.tar").read_bytes() == (home / "chain.tar").read_bytes()
    assert not (home / "lake" / HELD).exists()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[Random(path.name).randrange(len(content))] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def prolong(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


@pytest.mark.parametrize("damage", [flip, truncate, prolong, Path.unlink])
def test_every_file_that_is_touched_is_named(
    home: Path, bundle: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """And nothing is a lake before all is well."""
    folder = as_folder(bundle)
    key = read_public(home / "ours.pub")
    for member in verify(home / "chain", key).files:
        shutil.copyfile(folder / member.path, tmp_path / "kept")
        damage(folder / member.path)
        packed(folder, bundle)
        with pytest.raises(Tampered, match="do not use this snapshot") as caught:
            verify(bundle, key)
        assert caught.value.name == member.path
        with pytest.raises(Tampered) as caught:
            import_into(bundle, tmp_path / "lake", key)
        assert caught.value.name == member.path
        with pytest.raises(LakeNotFound):
            read_manifest(tmp_path / "lake")
        shutil.copyfile(tmp_path / "kept", folder / member.path)
    packed(folder, bundle)
    import_into(bundle, tmp_path / "lake", key)
    assert audit(tmp_path / "lake", None) == []


def test_what_is_not_signed_is_refused(home: Path, bundle: Path) -> None:
    folder = as_folder(bundle)
    (folder / "segments/blocks/more.parquet").write_bytes(b"more")
    packed(folder, bundle)
    says = "the end of the archive .* is not as" if bundle.is_file() else r"more\.parquet .* is not among the signed"
    with pytest.raises(Tampered, match=says):
        verify(bundle, read_public(home / "ours.pub"))


@pytest.mark.parametrize("name", [NAME, SIGNATURE])
def test_the_list_itself_is_signed(home: Path, bundle: Path, name: str) -> None:
    folder = as_folder(bundle)
    flip(folder / name)
    packed(folder, bundle)
    with pytest.raises(WrongSignature):
        verify(bundle, read_public(home / "ours.pub"))


def test_another_signer_is_not_believed(home: Path, bundle: Path) -> None:
    folder = as_folder(bundle)
    signature = read_private(home / "theirs.key").sign((folder / NAME).read_bytes())
    (folder / SIGNATURE).write_bytes(signature)
    packed(folder, bundle)
    verify(bundle, read_public(home / "theirs.pub"))
    with pytest.raises(WrongSignature):
        verify(bundle, read_public(home / "ours.pub"))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"schema_version": SCHEMA_VERSION + 1}, NewerFormat),
        ({"format": 2}, NoSnapshot),
        ({"files": []}, NoSnapshot),
        ({"more": 1}, NoSnapshot),
    ],
)
def test_signed_lists_that_are_not_understood_are_refused(
    home: Path, tmp_path: Path, change: dict[str, object], error: type[Exception]
) -> None:
    resigned(home, tmp_path / "chain", lambda document: document.update(change))
    with pytest.raises(error):
        verify(tmp_path / "chain", read_public(home / "ours.pub"))


@pytest.mark.parametrize(
    "path", ["../outside", "/etc/outside", "segments/../../outside", "segments/x/y/z", "keys.json"]
)
def test_paths_never_lead_out_of_the_folder(home: Path, tmp_path: Path, path: str) -> None:
    def renamed(document: dict[str, Any]) -> None:
        document["files"][0]["path"] = path

    resigned(home, tmp_path / "chain", renamed)
    with pytest.raises(NoSnapshot, match="is no file of a lake"):
        import_into(tmp_path / "chain", tmp_path / "lake", read_public(home / "ours.pub"))
    assert not (tmp_path / "outside").exists()


def resigned(home: Path, copy: Path, change: Callable[[dict[str, Any]], None]) -> None:
    shutil.copytree(home / "chain", copy)
    document = json.loads((copy / NAME).read_bytes())
    change(document)
    (copy / NAME).write_text(json.dumps(document))
    (copy / SIGNATURE).write_bytes(read_private(home / "ours.key").sign((copy / NAME).read_bytes()))


def test_links_are_not_followed(home: Path, bundle: Path, tmp_path: Path) -> None:
    folder = as_folder(bundle)
    member = verify(home / "chain", read_public(home / "ours.pub")).files[0]
    shutil.move(folder / member.path, tmp_path / "elsewhere")
    (folder / member.path).symlink_to(tmp_path / "elsewhere")
    packed(folder, bundle)
    with pytest.raises(Tampered) as caught:
        import_into(bundle, tmp_path / "lake", read_public(home / "ours.pub"))
    assert caught.value.name == member.path


def test_a_lake_that_is_there_is_left_alone(home: Path, tmp_path: Path) -> None:
    key = read_public(home / "ours.pub")
    Lake.create(tmp_path / "lake", "regtest", 0).close()
    with pytest.raises(OtherLake, match="a lake of its own"):
        import_into(home / "chain.tar", tmp_path / "lake", key)
    (tmp_path / "other/segments/blocks").mkdir(parents=True)
    (tmp_path / "other/segments/blocks/mine.parquet").write_bytes(b"mine")
    with pytest.raises(OtherLake, match=r"mine\.parquet"):
        import_into(home / "chain.tar", tmp_path / "other", key)


def test_a_lake_that_went_on_after_its_import_is_left_alone(
    home: Path, half_chain: tuple[Path, BlockFiles], tmp_path: Path
) -> None:
    half, source = half_chain
    key = read_public(home / "ours.pub")
    export(half, tmp_path / "half.tar", read_private(home / "ours.key"))
    import_into(tmp_path / "half.tar", tmp_path / "lake", key)
    index(tmp_path / "lake", source, to=120)
    before = everything(tmp_path / "lake")
    with pytest.raises(AlreadyThere, match="up to height 120, the snapshot ends at 117: there is nothing to import"):
        import_into(tmp_path / "half.tar", tmp_path / "lake", key)
    assert everything(tmp_path / "lake") == before
    with pytest.raises(OtherLake):
        import_into(home / "chain.tar", tmp_path / "lake", key)
    assert everything(tmp_path / "lake") == before


def everything(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its time and content."""
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in directory.rglob("*") if path.is_file()}


def test_what_cannot_be_exported(home: Path, tmp_path: Path) -> None:
    key = read_private(home / "ours.key")
    with pytest.raises(OutputExists):
        export(home / "lake", home / "chain.tar", key)
    Lake.create(tmp_path / "empty", "regtest", 0).close()
    with pytest.raises(NothingToExport):
        export(tmp_path / "empty", tmp_path / "nothing.tar", key)
    assert not (tmp_path / "nothing.tar").exists()


def test_exports_of_one_lake_do_not_disturb_each_other(home: Path, tmp_path: Path) -> None:
    def meanwhile(_: int) -> None:
        with pytest.raises(LakeInUse):
            export(home / "lake", tmp_path / "second.tar", read_private(home / "ours.key"))

    export(home / "lake", tmp_path / "first.tar", read_private(home / "ours.key"), meanwhile)
    verify(tmp_path / "first.tar", read_public(home / "ours.pub"))
    assert not (tmp_path / "second.tar").exists()


def test_keys_are_what_they_must_be(home: Path, tmp_path: Path) -> None:
    assert (home / "ours.key").stat().st_mode & 0o077 == 0
    with pytest.raises(OutputExists):
        make_key_pair(home / "ours.key", tmp_path / "new.pub")
    with pytest.raises(UnusableKey, match="private"):
        read_private(home / "ours.pub")
    with pytest.raises(UnusableKey, match="public"):
        read_public(home / "ours.key")
    with pytest.raises(UnusableKey, match="No such file"):
        read_public(tmp_path / "absent")
    with pytest.raises(NoSnapshot, match="nothing of this name"):
        verify(tmp_path / "absent.tar", read_public(home / "ours.pub"))
    with pytest.raises(NoSnapshot, match="neither a folder nor a tar"):
        verify(home / "ours.pub", read_public(home / "ours.pub"))


def test_a_drill_compares_and_derives_anew(home: Path, bundle: Path) -> None:
    report = drill(bundle, read_public(home / "ours.pub"), rebuild=True)
    assert not report.differs
    assert len(report.comparisons) == 6
    assert report.restored > 0


def test_a_drill_notices_a_lake_that_is_not_as_signed(home: Path, tmp_path: Path) -> None:
    resigned(home, tmp_path / "chain", lambda document: document.update(balances_hash="00" * 32))
    report = drill(tmp_path / "chain", read_public(home / "ours.pub"), rebuild=False)
    assert [each.what for each in report.comparisons if each.expected != each.found] == ["balances hash"]
    assert report.differs


@pytest.fixture
def half_chain(tmp_path: Path, home: Path) -> Iterator[tuple[Path, BlockFiles]]:
    """A lake of the first blocks of the recorded chain, and where the others come from."""
    with tarfile.open("tests/data/regtest/blocks.tar.gz") as archive:
        archive.extractall(tmp_path / "node", filter="data")
    source = BlockFiles(tmp_path / "node/blocks", REGTEST)
    index(tmp_path / "half", source, to=117)
    yield tmp_path / "half", source
    source.close()


def test_an_imported_lake_follows_as_if_nothing_had_been(
    home: Path, half_chain: tuple[Path, BlockFiles], tmp_path: Path
) -> None:
    half, source = half_chain
    export(half, tmp_path / "half.tar", read_private(home / "ours.key"))
    import_into(tmp_path / "half.tar", tmp_path / "lake", read_public(home / "ours.pub"))
    index(tmp_path / "lake", source)
    assert audit(tmp_path / "lake", None) == []
    ours, theirs = (LakeReader(directory).snapshot() for directory in (home / "lake", tmp_path / "lake"))
    assert theirs.rows("blocks").equals(ours.rows("blocks"))
    assert balances_hash(theirs) == balances_hash(ours)


def test_a_state_is_exported_while_the_writer_replaces_its_files(
    home: Path, half_chain: tuple[Path, BlockFiles], tmp_path: Path
) -> None:
    half, _ = half_chain
    expected = LakeReader(half).snapshot().manifest

    def meanwhile(_: int) -> None:
        if read_manifest(half) == expected:
            with Lake.open(half, grace=0) as lake:
                lake.rewind(100)

    export(half, tmp_path / "half.tar", read_private(home / "ours.key"), meanwhile)
    contents = verify(tmp_path / "half.tar", read_public(home / "ours.pub"))
    assert (contents.height, contents.cumulative_hash) == (117, expected.cumulative_hash)
    assert read_manifest(half).next_height == 101


def test_an_import_that_was_killed_goes_on(home: Path, bundle: Path, tmp_path: Path) -> None:
    key, lake = read_public(home / "ours.pub"), tmp_path / "lake"
    contents = verify(bundle, key)
    script = (
        "import os, signal, sys; from pathlib import Path; import warehouse.bundles.reading as reading;"
        "from warehouse.bundles.signing import read_public; import warehouse.files as files;"
        "left = int(sys.argv[4]); write = files.HashedFile.write\n"
        "def counted(self, data):\n"
        "    global left\n"
        "    left -= 1\n"
        "    if left < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return write(self, data)\n"
        "files.HashedFile.write = counted\n"
        "reading.import_into(Path(sys.argv[1]), Path(sys.argv[2]), read_public(Path(sys.argv[3])))"
    )
    for writes in (0, 1, len(contents.files) // 4):
        command = [sys.executable, "-c", script, str(bundle), str(lake), str(home / "ours.pub"), str(writes)]
        assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
        with pytest.raises(LakeNotFound):
            read_manifest(lake)
    kept = {path: path.stat().st_mtime_ns for path in lake.rglob("*.parquet")}
    assert kept
    time.sleep(0.01)
    import_into(bundle, lake, key)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert audit(lake, None) == []
    assert not list(lake.rglob("*.tmp"))


def test_contents_are_the_same_bytes_for_the_same_contents(home: Path) -> None:
    content = (home / "chain" / NAME).read_bytes()
    assert Contents.parsed(content).encoded() == content
