"""Bitcoin Core's block files as a source: its `blocks` folder, in use by a running node or copied from one.

Blocks lie there as they arrived, stale ones among them. Their headers are read once and linked to a tree; the best
branch is the one with the most work, whose blocks and undo data are then read one by one.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from ingest.blockindex import BlockIndex
from ingest.errors import ChainMoved, CorruptFiles, Pruned
from ingest.folder import Folder
from ingest.headers import NO_PARENT
from ingest.networks import Network
from ingest.source import RawBlock, SpentFormat, Tip
from ingest.walk import HEADER_SIZE, compact_size

_MOST_UNCONNECTED: Final = 100
_NO_UNDO: Final = memoryview(b"")


class BlockFiles:
    """A `Source` over the files of one folder. Not for use by several threads at once.

    `tip` looks for what the node wrote since; the other methods answer as of the last `tip`.
    """

    def __init__(self, directory: Path | str, network: Network) -> None:
        self._folder = Folder(Path(directory), network)
        self._index = BlockIndex(self._folder, network)
        self._tree = self._index.tree
        self._tip: Tip | None = None

    def tip(self) -> Tip:
        """The highest block of the best branch that the node has connected, which is when it writes undo data."""
        self._index.read_on()
        height = self._tree.height
        while height > self._tree.base and not self._is_connected(height):
            height -= 1
        unconnected = self._tree.height - height
        if unconnected > _MOST_UNCONNECTED or (unconnected and not self._folder.has_undo()):
            raise CorruptFiles(f"{self._folder.path}: its rev*.dat lack the undo data of the last {unconnected} blocks")
        self._tip = Tip(height, self._hash(height))
        return self._tip

    def hash_at(self, height: int) -> str | None:
        """Hash of the best branch's block at `height`, None above the tip. `Pruned` below the first block."""
        tip = self._view(height)
        return self._hash(height) if height <= tip.height else None

    def blocks(self, start: int, stop: int) -> Iterator[RawBlock]:
        """Blocks `start` to `stop - 1` of the best branch. `Pruned` below the first block, `ChainMoved` above the tip.

        A block comes with empty `spent` when its undo data is missing.
        """
        tip = self._view(start)
        if stop > tip.height + 1:
            raise ChainMoved(f"The chain in {self._folder.path} ends at height {tip.height}, below {stop - 1}")
        rows = [self._tree.row_at(height) for height in range(start, stop)]
        return (self._load(row, height) for height, row in enumerate(rows, start))

    def close(self) -> None:
        """Release the files."""
        self._folder.close()

    def _view(self, height: int) -> Tip:
        tip = self._tip or self.tip()
        if height < self._tree.base:
            raise Pruned(f"The blocks in {self._folder.path} begin at height {self._tree.base}, above {height}")
        return tip

    def _hash(self, height: int) -> str:
        return self._tree.hashes[self._tree.row_at(height)][::-1].hex()

    def _is_connected(self, height: int) -> bool:
        if self._tip == Tip(height, self._hash(height)):
            return True
        return len(self._load(self._tree.row_at(height), height).spent) > 0

    def _load(self, row: int, height: int) -> RawBlock:
        number, record = self._index.place(row)
        file = self._folder.blocks(number)
        raw = file.read(*record)
        if len(raw) < record.size:
            raise CorruptFiles(f"{file.path} became shorter while it was in use")
        return RawBlock(height, self._tree.hashes[row][::-1].hex(), raw, self._undo(number, raw), SpentFormat.UNDO)

    def _undo(self, number: int, raw: memoryview) -> memoryview:
        """The block's undo data; empty when the node has not written it, as for the genesis block."""
        parent = bytes(raw[4:36])
        transactions, _ = compact_size(np.frombuffer(raw, np.uint8), HEADER_SIZE)
        records = self._folder.undo(number)
        if records is None or parent == NO_PARENT or transactions < 1:
            return _NO_UNDO
        return records.of(parent, transactions) or _NO_UNDO
