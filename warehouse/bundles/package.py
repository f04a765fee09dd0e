"""A snapshot on disk: a folder, or the same files in one tar."""

import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from warehouse.bundles.contents import NAME, SIGNATURE, Contents
from warehouse.bundles.errors import NoSnapshot, Tampered, WrongSignature
from warehouse.bundles.signing import signed_by
from warehouse.errors import NewerFormat
from warehouse.tables import SCHEMA_VERSION


class Package(Protocol):
    """Where a snapshot's files are read from."""

    path: Path

    def names(self) -> set[str]:
        """Every file in it."""

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """One of them for reading. Raises KeyError when there is none."""


class Folder:
    """A snapshot as a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> set[str]:
        """Every file in it, links too: they are never followed."""
        return {
            str(file.relative_to(self.path)) for file in self.path.rglob("*") if file.is_symlink() or file.is_file()
        }

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """One file for reading. Raises KeyError when there is none."""
        file = self.path / name
        if any(part.is_symlink() for part in (file, *file.parents) if part.is_relative_to(self.path)):
            raise KeyError(name)
        if not file.is_file():
            raise KeyError(name)
        with file.open("rb") as opened:
            yield opened


class Tar:
    """A snapshot as one file."""

    def __init__(self, path: Path, archive: tarfile.TarFile) -> None:
        self.path = path
        self._archive = archive
        self._members = archive.getmembers()

    def names(self) -> set[str]:
        """Every file in it, and whatever else a tar can hold except folders."""
        return {member.name for member in self._members if not member.isdir()}

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """One file for reading. Raises KeyError when there is none, or more than one of the name."""
        found = [member for member in self._members if member.name == name]
        opened = self._archive.extractfile(found[0]) if len(found) == 1 and found[0].isreg() else None
        if opened is None:
            raise KeyError(name)
        with opened:
            yield opened


@contextmanager
def opened(path: Path) -> Iterator[Package]:
    """The snapshot at `path`. Raises NoSnapshot."""
    if path.is_dir():
        yield Folder(path)
        return
    try:
        archive = tarfile.open(path, "r:")  # noqa: SIM115 -- closed below; what opening raises is told apart first
    except FileNotFoundError:
        raise NoSnapshot(path, "there is nothing of this name") from None
    except tarfile.TarError as error:
        raise NoSnapshot(path, "neither a folder nor a tar file") from error
    with archive:
        try:
            package = Tar(path, archive)
        except tarfile.TarError as error:
            raise NoSnapshot(path, f"the tar file is damaged: {error}") from error
        yield package


def checked_contents(package: Package, key: Ed25519PublicKey) -> Contents:
    """What the snapshot says it holds, once it is clear who says so and that nothing else is in it.

    Raises NoSnapshot, WrongSignature, Tampered and NewerFormat.
    """
    path = package.path
    try:
        with package.open(NAME) as file:
            content = file.read()
        with package.open(SIGNATURE) as file:
            signature = file.read()
    except KeyError as error:
        raise NoSnapshot(path, f"it has no file {error.args[0]}") from None
    if not signed_by(key, signature, content):
        raise WrongSignature(path)
    try:
        contents = Contents.parsed(content)
    except ValueError as error:
        raise NoSnapshot(path, str(error)) from error
    if contents.schema_version > SCHEMA_VERSION:
        raise NewerFormat(path, "schema version", contents.schema_version, SCHEMA_VERSION)
    listed = {member.path for member in contents.files} | {NAME, SIGNATURE}
    for name in sorted(package.names() ^ listed):
        raise Tampered(path, name, "is missing" if name in listed else "is not among the signed files")
    return contents
