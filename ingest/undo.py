"""Which record of a `rev*.dat` undoes which block of the `blk*.dat` with the same number.

Blocks are stored as they arrive and undone as they are connected, so the two orders differ. A record's checksum covers
the hash of its block's parent: that tells.
"""

import hashlib
from typing import Final

import numpy as np

from ingest.records import HEAD_SIZE, Record, RecordFile
from ingest.walk import compact_size

CHECKSUM_SIZE: Final = 32
_LONGEST_COUNT: Final = 9


class UndoRecords:
    """The records of one file by the number of transactions that they undo, read on as the file grows.

    What follows a damaged head cannot be found: its blocks then have no undo data.
    """

    def __init__(self, file: RecordFile, magic: bytes) -> None:
        self._file = file
        self._magic = magic
        self._end = 0
        self._records: dict[int, list[Record]] = {}
        self._next: dict[int, int] = {}
        self._last: int | None = None
        """Number of transactions of the last record."""

    def close(self) -> None:
        """Release the file."""
        self._file.close()

    def of(self, parent: bytes, transactions: int) -> memoryview | None:
        """Undo data of the block with this parent hash and number of transactions, or None where there is none."""
        undo = self._find(parent, transactions - 1)
        if undo is None:
            self._read_on()
            undo = self._find(parent, transactions - 1)
        return undo

    def _find(self, parent: bytes, count: int) -> memoryview | None:
        records = self._records.get(count, [])
        first = self._next.get(count, 0)
        for i in [*range(first, len(records)), *range(first)]:
            data = self._file.read(records[i].offset, records[i].size + CHECKSUM_SIZE)
            undo = data[: records[i].size]
            if _checksum(parent, undo) == data[records[i].size :]:
                self._next[count] = i + 1
                return undo
        return None

    def _read_on(self) -> None:
        """Take in the records written since the last time, and the last one again: it may have been half written."""
        if self._last is not None:
            self._end = self._records[self._last].pop().offset - HEAD_SIZE
            self._last = None
        while True:
            magic, size = self._file.head(self._end)
            count, _ = compact_size(np.frombuffer(self._file.read(self._end + HEAD_SIZE, _LONGEST_COUNT), np.uint8), 0)
            end = self._end + HEAD_SIZE + size + CHECKSUM_SIZE
            if magic != self._magic or count < 0 or end > self._file.size():
                return
            self._records.setdefault(count, []).append(Record(self._end + HEAD_SIZE, size))
            self._last = count
            self._end = end


def _checksum(parent: bytes, undo: memoryview) -> bytes:
    once = hashlib.sha256(parent)
    once.update(undo)
    return hashlib.sha256(once.digest()).digest()
