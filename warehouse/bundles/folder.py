"""A snapshot as a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warehouse.bundles.archive import Readable
from warehouse.bundles.contents import NAME, SIGNATURE, Contents, Member
from warehouse.bundles.errors import NoSnapshot, Tampered


class Folder:
    """Reads one, and refuses whatever else is in it."""

    def __init__(self, path: Path) -> None:
        self.place = str(path)
        self._path = path

    def signed(self) -> tuple[bytes, bytes]:
        """The list of contents and its signature. Raises NoSnapshot."""
        for name in (NAME, SIGNATURE):
            if not self._has(name):
                raise NoSnapshot(self.place, f"it has no file {name}")
        return (self._path / NAME).read_bytes(), (self._path / SIGNATURE).read_bytes()

    def check(self, contents: Contents) -> None:
        """Raises Tampered, which names a file that is there and was not signed, or the other way round."""
        listed = {member.path for member in contents.files} | {NAME, SIGNATURE}
        found = {str(file.relative_to(self._path)) for file in self._path.rglob("*") if _is_entry(file)}
        for name in sorted(found ^ listed):
            raise Tampered(self.place, name, "is missing" if name in listed else "is not among the signed files")

    @contextmanager
    def open(self, member: Member) -> Iterator[Readable]:
        """A file for reading. Raises Tampered for a link."""
        if not self._has(member.path):
            raise Tampered(self.place, member.path, "is a link, or no file")
        with (self._path / member.path).open("rb") as opened:
            yield opened

    def _has(self, name: str) -> bool:
        """Whether there is a file of this name, reached without any link."""
        file = self._path / name
        inside = (file, *(folder for folder in file.parents if folder.is_relative_to(self._path)))
        return file.is_file() and not any(part.is_symlink() for part in inside if part != self._path)


def _is_entry(path: Path) -> bool:
    """Whether it counts: links do, they are never followed; folders do not."""
    return path.is_symlink() or not path.is_dir()
