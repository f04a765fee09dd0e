"""A snapshot as one file: not one of its bytes may be another."""

import io
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.helpers.snapshots import entry, exported_home
from warehouse.bundles.archive import Archive, ending, header
from warehouse.bundles.contents import NAME, SIGNATURE
from warehouse.bundles.errors import NoSnapshot, Tampered, WrongSignature
from warehouse.bundles.reading import import_into, verify
from warehouse.bundles.signing import read_public
from warehouse.errors import DifferenceFound, LakeNotFound
from warehouse.manifest import read_manifest


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported_home(tmp_path_factory.mktemp("archives"))


@pytest.fixture
def key(home: Path) -> Ed25519PublicKey:
    return read_public(home / "ours.pub")


@pytest.fixture
def copy(home: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "chain.tar"
    copy.write_bytes((home / "chain.tar").read_bytes())
    return copy


def members(archive: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(archive) as opened:
        return opened.getmembers()


def owner(at: int, archive: list[tarfile.TarInfo]) -> tuple[str, bool]:
    """The file that a byte belongs to, by its header, content or padding; and whether it is content."""
    found = [member for member in archive if member.offset <= at]
    last = archive[-1]
    if at >= last.offset_data + -(-last.size // 512) * 512:
        return "the end of the archive", False
    return found[-1].name, found[-1].offset_data <= at < found[-1].offset_data + found[-1].size


def places(random: Random, archive: list[tarfile.TarInfo], size: int) -> Iterator[int]:
    """Anywhere, and as often where no content is."""
    for _ in range(150):
        yield random.randrange(size)
        member = random.choice(archive)
        yield member.offset + random.randrange(512)
        yield random.randrange(member.offset_data + member.size, member.offset_data + -(-member.size // 512) * 512 + 1)
    yield size - 1


def test_any_other_byte_anywhere_is_refused_by_name(home: Path, copy: Path, key: Ed25519PublicKey) -> None:
    verify(copy, key)
    archive, size = members(copy), copy.stat().st_size
    random = Random(5)
    with copy.open("r+b", buffering=0) as file:
        for at in places(random, archive, size):
            file.seek(at)
            (byte,) = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ random.randrange(1, 256)]))
            with pytest.raises(DifferenceFound) as caught:
                verify(copy, key)
            name, is_content = owner(at, archive)
            if is_content and name in (NAME, SIGNATURE):
                assert isinstance(caught.value, WrongSignature)
            else:
                assert isinstance(caught.value, Tampered)
                assert caught.value.name == name, at
            file.seek(at)
            file.write(bytes([byte]))
    verify(copy, key)


def test_an_archive_of_another_length_is_refused(home: Path, copy: Path, key: Ed25519PublicKey, tmp_path: Path) -> None:
    content = copy.read_bytes()
    random = Random(6)
    for length in (0, 1, 511, 512, 513, len(content) - 1, *(random.randrange(len(content)) for _ in range(40))):
        copy.write_bytes(content[:length])
        with pytest.raises((Tampered, NoSnapshot)):
            verify(copy, key)
    for more in (b"\0", b"x", bytes(10240)):
        copy.write_bytes(content + more)
        with pytest.raises(Tampered, match="the end of the archive"):
            verify(copy, key)
        with pytest.raises(Tampered):
            import_into(copy, tmp_path / "lake", key)
        with pytest.raises(LakeNotFound):
            read_manifest(tmp_path / "lake")
        at = random.randrange(len(content))
        copy.write_bytes(content[:at] + more + content[at:])
        with pytest.raises(DifferenceFound):
            verify(copy, key)


def test_the_same_files_packed_otherwise_are_refused(home: Path, copy: Path, key: Ed25519PublicKey) -> None:
    """By another program, or in another order. Unpacked they are a snapshot."""
    folder = home / "chain"
    files = (NAME, SIGNATURE, *(member.path for member in verify(folder, key).files))
    with tarfile.open(copy, "w:") as archive:
        for name in files:
            archive.add(folder / name, name)
    with pytest.raises(NoSnapshot, match="packed by another program must be unpacked"):
        verify(copy, key)
    copy.write_bytes(b"".join(entry(folder, name) for name in (NAME, SIGNATURE, *reversed(files[2:]))))
    with pytest.raises(Tampered, match=f"{files[2]} .* does not begin as it was written"):
        verify(copy, key)


def test_other_archives_are_no_snapshots(copy: Path, key: Ed25519PublicKey) -> None:
    with tarfile.open(copy, "w:") as archive:
        archive.add(__file__, "something.py")
    with pytest.raises(NoSnapshot, match=r"does not begin with snapshot\.json"):
        verify(copy, key)


def test_a_list_of_contents_without_bounds_is_not_read(copy: Path, key: Ed25519PublicKey) -> None:
    copy.write_bytes(header(NAME, 1 << 30) + bytes(10240))
    with pytest.raises(Tampered, match="larger than any list"):
        verify(copy, key)


def test_any_tar_reads_what_is_written(home: Path) -> None:
    folder = home / "chain"
    with tarfile.open(home / "chain.tar") as archive:
        for member in archive.getmembers():
            opened = archive.extractfile(member)
            assert opened is not None
            assert opened.read() == (folder / member.name).read_bytes()
        assert {member.name for member in archive.getmembers()} == {
            str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
        }
    assert (home / "chain.tar").stat().st_size % tarfile.RECORDSIZE == 0


@pytest.mark.parametrize("size", [0, 1, 512, 9 << 30])
def test_headers_are_those_that_any_tar_reads(size: int) -> None:
    """Also of files beyond 8 GiB, whose size has no room in a plain header."""
    name = "segments/candidates/00000000-00000143-ffb0f94b4797.parquet"
    with tarfile.open(fileobj=io.BytesIO(header(name, size) + ending(0)), mode="r:") as archive:
        info = archive.next()
        assert info is not None
        assert (info.name, info.size, info.mode, info.isreg()) == (name, size, 0o644, True)


def test_headers_do_not_change_with_versions() -> None:
    """A snapshot that was written by one version of Python is verified by another."""
    headers = header(NAME, 1000) + header("segments/blocks/0-1.parquet", 9 << 30)
    assert sha256(headers).hexdigest() == "5bdbc62a9cc4fead9d00ad6408358067db7f887fa80861a0ba54cd19dbd24914"


def test_a_reader_that_gives_little_at_a_time_changes_nothing(home: Path, key: Ed25519PublicKey) -> None:
    class Slow(io.BytesIO):
        def read(self, count: int | None = -1, /) -> bytes:
            return super().read(min(count, 100) if count and count > 0 else count)

    archive = Archive("slow", Slow((home / "chain.tar").read_bytes()))
    assert archive.signed() == ((home / "chain" / NAME).read_bytes(), (home / "chain" / SIGNATURE).read_bytes())
