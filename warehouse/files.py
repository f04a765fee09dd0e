"""Files that appear whole or not at all, and the lock that admits one writer."""

import fcntl
import hashlib
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import Final

from warehouse.errors import LakeInUse

UNFINISHED: Final = ".tmp"
"""Suffix of a file that is still being written; whatever bears it after a crash is rubbish."""


class HashedFile(RawIOBase):
    """A file for writing that counts and hashes what goes through it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._hash = hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        """Digest of everything written, 64 hex digits."""
        return self._hash.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        # The base class takes any buffer and can only say object.
        view = memoryview(data)  # type: ignore[arg-type]
        written = 0
        while written < view.nbytes:
            written += self._file.write(view[written:])
        self._hash.update(view)
        self.bytes += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self.bytes

    def close(self) -> None:
        """Make the content durable. The file still bears its unfinished name."""
        if not self.closed:
            os.fsync(self._file.fileno())
            self._file.close()
        super().close()


def write_whole(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, durably; a reader sees the old or the new file."""
    unfinished = path.with_name(path.name + UNFINISHED)
    with HashedFile(unfinished) as file:
        file.write(content)
    unfinished.rename(path)
    sync_directory(path.parent)


def make_directory(directory: Path) -> None:
    """Create `directory`, whose parent exists, so that its name is durable."""
    if not directory.exists():
        directory.mkdir(exist_ok=True)
        sync_directory(directory.parent)


def sync_file(path: Path) -> None:
    """Make the content of a file that someone else wrote durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_sha256(path: Path) -> str:
    """SHA-256 of the file's content, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file while the block runs. Raises LakeInUse, which names who holds it."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LakeInUse(path.parent, file.read().strip() or "another process") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%Y-%m-%d %H:%M:%S %z')}\n")
        file.flush()
        yield
