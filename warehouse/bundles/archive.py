"""A snapshot as one tar: the same bytes for the same files, so that a reader knows all of them that are no content."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from warehouse.bundles.contents import LARGEST, NAME, SIGNATURE, SIGNATURE_BYTES, Contents, Member
from warehouse.bundles.errors import NoSnapshot, Tampered

_MAGIC: Final = slice(257, 262)
_CUT_OFF: Final = "is cut off"
_HEADER: Final = "does not begin as it was written"
_PADDING: Final = "is followed by other bytes than were written"


class Readable(Protocol):
    """Bytes from wherever they come."""

    def read(self, count: int, /) -> bytes:
        """At most so many, none at the end."""


class Seekable(Readable, Protocol):
    """Bytes that can be read from any place on."""

    def seek(self, offset: int, /) -> object:
        """Go on reading there."""


def header(name: str, size: int) -> bytes:
    """What precedes a file: the same whoever writes it and when."""
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "ascii")


def padding(size: int) -> bytes:
    """What follows a file of `size` bytes."""
    return bytes(-size % tarfile.BLOCKSIZE)


def ending(length: int) -> bytes:
    """What follows the last file in an archive of `length` bytes so far."""
    return bytes(2 * tarfile.BLOCKSIZE + -(length + 2 * tarfile.BLOCKSIZE) % tarfile.RECORDSIZE)


class Archive:
    """Reads one, and refuses every byte that was not written so."""

    def __init__(self, place: str, file: Seekable) -> None:
        self.place = place
        self._file = file
        self._at = 0
        """Where the next file must begin that `check` has to place."""
        self._begins: dict[str, int] = {}
        self._last: Member | None = None

    def signed(self) -> tuple[bytes, bytes]:
        """The list of contents and its signature. Raises NoSnapshot and Tampered."""
        self._file.seek(0)
        first = _exactly(self._file, tarfile.BLOCKSIZE)
        return self._small(NAME, self._listed_size(first), first), self._small(SIGNATURE, SIGNATURE_BYTES)

    def check(self, contents: Contents) -> None:
        """Take over where each file must be. What is there instead, `open` refuses."""
        for member in contents.files:
            self._begins[member.path] = self._at
            self._at += len(header(member.path, member.bytes)) + member.bytes + len(padding(member.bytes))
        self._last = contents.files[-1]

    @contextmanager
    def open(self, member: Member) -> Iterator[Readable]:
        """A file for reading; what follows it is checked when the block ends, after the last file the end too.

        Raises Tampered.
        """
        self._file.seek(self._begins[member.path])
        self._expect(header(member.path, member.bytes), member.path, _HEADER)
        part = _Part(self._file, member.bytes)
        yield part
        if part.left:
            raise Tampered(self.place, member.path, _CUT_OFF)
        self._expect(padding(member.bytes), member.path, _PADDING)
        if member == self._last:
            end = ending(self._at)
            if _exactly(self._file, len(end) + 1) != end:
                raise Tampered(self.place, "the end of the archive", "is not as it was written")

    def _listed_size(self, first: bytes) -> int:
        """Bytes of the list of contents, as its header says."""
        if not first.startswith(NAME.encode()) and first[_MAGIC] != b"ustar":
            raise NoSnapshot(self.place, "neither a folder nor a tar file")
        try:
            info = tarfile.TarInfo.frombuf(first, "ascii", "surrogateescape")
        except tarfile.HeaderError:
            raise Tampered(self.place, NAME, _HEADER) from None
        if info.name != NAME:
            raise NoSnapshot(
                self.place, f"it does not begin with {NAME}; one packed by another program must be unpacked"
            )
        if not 0 <= info.size <= LARGEST:
            raise Tampered(self.place, NAME, "is larger than any list of contents")
        return info.size

    def _small(self, name: str, size: int, begun: bytes = b"") -> bytes:
        """The file that is next, whole; `begun` is what was already read of its header."""
        self._expect(header(name, size), name, _HEADER, begun)
        content = _exactly(self._file, size)
        if len(content) < size:
            raise Tampered(self.place, name, _CUT_OFF)
        self._expect(padding(size), name, _PADDING)
        self._at += len(header(name, size)) + size + len(padding(size))
        return content

    def _expect(self, expected: bytes, name: str, otherwise: str, begun: bytes = b"") -> None:
        if begun + _exactly(self._file, len(expected) - len(begun)) != expected:
            raise Tampered(self.place, name, otherwise)


class _Part:
    """The next `left` bytes of a file."""

    def __init__(self, file: Readable, left: int) -> None:
        self._file = file
        self.left = left

    def read(self, count: int, /) -> bytes:
        chunk = self._file.read(min(count, self.left))
        self.left -= len(chunk)
        return chunk


def _exactly(file: Readable, count: int) -> bytes:
    """So many bytes, fewer only at the end."""
    content = bytearray()
    while len(content) < count and (chunk := file.read(count - len(content))):
        content += chunk
    return bytes(content)
