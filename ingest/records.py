"""The records of one `blk*.dat` or `rev*.dat`: magic, size, bytes; XORed with a key that runs along the file."""

from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from ingest.errors import CorruptFiles, Pruned

HEAD_SIZE: Final = 8
KEY_SIZE: Final = 8
_STRETCH: Final = 1 << 20


class Record(NamedTuple):
    """Where a record's bytes lie in its file, behind magic and size."""

    offset: int
    size: int


class RecordFile:
    """One file, open for reading while the node may still append to it.

    The node allocates its files ahead: behind the last record zeros follow, which the key was not applied to.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._key = key
        try:
            self._file = FileIO(path)
        except FileNotFoundError as error:
            raise Pruned(f"{path} is not there") from error
        except OSError as error:
            raise CorruptFiles(f"{path} cannot be read: {error.strerror}") from error

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def size(self) -> int:
        """Length of the file now."""
        return self._file.seek(0, 2)

    def read(self, offset: int, size: int) -> memoryview:
        """Up to `size` bytes from `offset` without the key; fewer where the file ends."""
        words = np.empty(-(-size // KEY_SIZE), np.uint64)
        room = words.data.cast("B")[:size]
        plain = room[: self._fill(room, offset)]
        if any(self._key):
            words ^= np.frombuffer(self._key_at(offset), np.uint64)
        return plain

    def is_blank(self, offset: int) -> bool:
        """Whether nothing was written at `offset`: the file ends there, or the bytes of a head are zeros."""
        return not any(self._read_raw(offset, HEAD_SIZE))

    def is_blank_from(self, offset: int) -> bool:
        """Whether nothing was written at or behind `offset`."""
        while stretch := self._read_raw(offset, _STRETCH):
            if any(stretch):
                return False
            offset += len(stretch)
        return True

    def head(self, offset: int) -> tuple[bytes, int]:
        """Magic and size that the record at `offset` begins with; shorter magic and 0 where the file ends."""
        plain = bytes(self.read(offset, HEAD_SIZE))
        return plain[:4], int.from_bytes(plain[4:], "little")

    def _read_raw(self, offset: int, size: int) -> bytes:
        data = bytearray(size)
        return bytes(data[: self._fill(memoryview(data), offset)])

    def _fill(self, buffer: memoryview, offset: int) -> int:
        try:
            self._file.seek(offset)
            filled = 0
            while got := self._file.readinto(buffer[filled:]):
                filled += got
        except OSError as error:
            raise CorruptFiles(f"{self.path} cannot be read: {error.strerror}") from error
        return filled

    def _key_at(self, offset: int) -> bytes:
        turn = offset % KEY_SIZE
        return self._key[turn:] + self._key[:turn]
