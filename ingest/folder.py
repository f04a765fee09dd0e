"""The node's `blocks` folder: which files it holds, the key they are XORed with, the few that are open."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from ingest.errors import CorruptFiles, NoBlockFiles
from ingest.networks import Network
from ingest.records import KEY_SIZE, RecordFile
from ingest.undo import UndoRecords

_MOST_OPEN: Final = 4
_BLOCK_FILE: Final = re.compile(r"blk(\d{5,})\.dat")

F = TypeVar("F", RecordFile, UndoRecords)
Stamp = tuple[int, int]
"""Size and time of the last change: equal as long as a file stays as it is."""


class Folder:
    """Files are numbered; those that are read alternate little, so the last few stay open."""

    def __init__(self, path: Path, network: Network) -> None:
        self.path = path
        self._magic = network.magic
        self._key = self._read_key()
        self._blocks: dict[int, RecordFile] = {}
        self._undo: dict[int, UndoRecords] = {}

    def numbers(self) -> dict[int, Stamp]:
        """The `blk*.dat` there are, by number, in order."""
        try:
            entries = [
                (found, entry.stat()) for entry in self.path.iterdir() if (found := _BLOCK_FILE.fullmatch(entry.name))
            ]
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NoBlockFiles(f"{self.path} is no folder") from error
        except OSError as error:
            raise CorruptFiles(f"{self.path} cannot be read: {error.strerror}") from error
        if not entries:
            raise NoBlockFiles(f"{self.path} holds no blk*.dat")
        return dict(sorted((int(found[1]), (stat.st_size, stat.st_mtime_ns)) for found, stat in entries))

    def blocks(self, number: int) -> RecordFile:
        """The block file of that number, open."""
        return _opened(self._blocks, number, lambda: RecordFile(self.path / f"blk{number:05}.dat", self._key))

    def undo(self, number: int) -> UndoRecords | None:
        """The undo data that belongs to the block file of that number; None when there is no such file."""
        path = self.path / f"rev{number:05}.dat"
        if number not in self._undo and not path.exists():
            return None
        return _opened(self._undo, number, lambda: UndoRecords(RecordFile(path, self._key), self._magic))

    def has_undo(self) -> bool:
        """Whether the folder holds any undo file."""
        return any(self.path.glob("rev*.dat"))

    def close(self) -> None:
        """Release all files."""
        _close(self._blocks)
        _close(self._undo)

    def _read_key(self) -> bytes:
        """The key of `xor.dat`; without the file nothing is XORed."""
        path = self.path / "xor.dat"
        try:
            key = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return bytes(KEY_SIZE)
        except OSError as error:
            raise CorruptFiles(f"{path} cannot be read: {error.strerror}") from error
        if len(key) != KEY_SIZE:
            raise CorruptFiles(f"{path} is {len(key)} bytes long instead of {KEY_SIZE}")
        return key


def _close(files: dict[int, F]) -> None:
    while files:
        files.popitem()[1].close()


def _opened(files: dict[int, F], number: int, open_: Callable[[], F]) -> F:
    """The file of that number among those open, opened if need be; the one opened first gives way."""
    if number not in files:
        if len(files) >= _MOST_OPEN:
            files.pop(next(iter(files))).close()
        files[number] = open_()
    return files[number]
