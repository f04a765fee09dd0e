"""What blocks the files hold and where: their headers linked to a tree, read on as the node writes."""

from array import array
from typing import Final

import numpy as np

from ingest.errors import CorruptFiles, NoBlockFiles, WrongNetwork
from ingest.folder import Folder, Stamp
from ingest.headers import NO_PARENT, HeaderTree, has_work
from ingest.networks import NETWORKS, Network
from ingest.records import HEAD_SIZE, Record, RecordFile
from ingest.scan import keeps_commitments, transaction_rows
from ingest.sha256 import double_sha256
from ingest.walk import BODY, HEADER_SIZE, compact_size

_LARGEST_BLOCK: Final = 4_000_000


class BlockIndex:
    """The tree of all headers in a folder, and the place of each block.

    A file is read from where the last reading ended. In the newest one a last record that is not whole is still being
    written, hence not there yet; anywhere else it is damage.
    """

    def __init__(self, folder: Folder, network: Network) -> None:
        self.tree = HeaderTree()
        self._folder = folder
        self._network = network
        self._places = array("q")
        self._ends: dict[int, int] = {}
        self._stamps: dict[int, Stamp] = {}
        self._newest = -1

    def place(self, row: int) -> tuple[int, Record]:
        """Number of the file that holds the block of that row, and where."""
        number, offset, size = self._places[3 * row : 3 * row + 3]
        return number, Record(offset, size)

    def read_on(self) -> None:
        """Take in the blocks written since the last time."""
        stamps = self._folder.numbers()
        newest = max(stamps)
        for number, stamp in stamps.items():
            # A change within one tick of the file system's clock leaves no trace in the stamp.
            if number in (newest, self._newest) or self._stamps.get(number) != stamp:
                self._read_file(number, number == newest)
                self._stamps[number] = stamp
        self._newest = newest
        if not self.tree.rooted:
            self._choose_root()

    def _read_file(self, number: int, newest: bool) -> None:
        file = self._folder.blocks(number)
        first_time = number not in self._ends
        self._ends.setdefault(number, 0)
        while record := self._record(file, self._ends[number], newest):
            self._take(file, number, record)
            self._ends[number] = record.offset + record.size
        if (first_time or not newest) and _has_hole(file, self._ends[number]):
            raise CorruptFiles(f"{file.path}: nothing but zeros at byte {self._ends[number]}, and records behind")

    def _record(self, file: RecordFile, position: int, newest: bool) -> Record | None:
        """The record at `position`, None where none is written yet."""
        if file.is_blank(position):
            return None
        magic, size = file.head(position)
        record = Record(position + HEAD_SIZE, size)
        end = record.offset + size
        if magic != self._network.magic or not HEADER_SIZE < size <= _LARGEST_BLOCK:
            if newest and file.is_blank_from(record.offset):
                return None
            raise self._foreign(file, position, magic)
        if end > file.size():
            if newest:
                return None
            raise CorruptFiles(f"{file.path} ends in the middle of the block at byte {position}")
        if newest and file.is_blank(end) and not _is_whole(file, record) and file.is_blank_from(end):
            return None
        return record

    def _foreign(self, file: RecordFile, position: int, magic: bytes) -> CorruptFiles | WrongNetwork:
        """What it means that no block of our network begins at `position`."""
        for network in NETWORKS.values():
            if position == 0 and magic == network.magic != self._network.magic:
                return WrongNetwork(f"{file.path} holds blocks of {network.name}, not of {self._network.name}")
        hint = "; its xor.dat may be missing" if position == 0 else ""
        return CorruptFiles(f"{file.path}: no block of {self._network.name} begins at byte {position}{hint}")

    def _take(self, file: RecordFile, number: int, record: Record) -> None:
        header = bytes(file.read(record.offset, HEADER_SIZE))
        hash_ = double_sha256(header)
        if hash_ in self.tree:
            return
        if not has_work(header, hash_, self._network):
            raise CorruptFiles(f"{file.path}: the header at byte {record.offset} lacks its proof of work")
        if header[4:36] == NO_PARENT and hash_[::-1].hex() != self._network.genesis_hash:
            raise WrongNetwork(f"{file.path} has the genesis block {hash_[::-1].hex()}, not {self._network.name}'s")
        self.tree.add(header, hash_)
        self._places.extend((number, record.offset, record.size))

    def _choose_root(self) -> None:
        """Begin a partial copy of files, without the genesis block, where the most work follows."""
        row = self.tree.heaviest_root()
        if row is None:
            raise NoBlockFiles(f"{self._folder.path}: its blk*.dat hold no block yet")
        number, record = self.place(row)
        file = self._folder.blocks(number)
        height = _coinbase_height(bytes(file.read(*record)))
        if height is None:
            raise CorruptFiles(f"{file.path}: the first block does not tell its height; older files are needed too")
        self.tree.set_root(row, height)


def _has_hole(file: RecordFile, position: int) -> bool:
    """Whether something was written behind a blank; not when the node has filled the blank meanwhile."""
    return file.is_blank(position) and not file.is_blank_from(position) and file.is_blank(position)


def _is_whole(file: RecordFile, record: Record) -> bool:
    block = np.frombuffer(file.read(*record), np.uint8)
    rows = transaction_rows(block)
    return not isinstance(rows, int) and keeps_commitments(block, rows)


def _coinbase_height(raw: bytes) -> int | None:
    """The height that the coinbase's script begins with (BIP 34), None when it does not."""
    block = np.frombuffer(raw, np.uint8)
    rows = transaction_rows(block)
    if isinstance(rows, int) or int.from_bytes(raw[:4], "little") < 2:
        return None
    length, script = compact_size(block, int(rows[0, BODY]) + 37)
    if length < 1:
        return None
    opcode = raw[script]
    if 0x51 <= opcode <= 0x60:
        return opcode - 0x50
    return (
        int.from_bytes(raw[script + 1 : script + 1 + opcode], "little") if 1 <= opcode <= min(8, length - 1) else None
    )
