"""Blocks in, headers and candidates out (R-CORE-BLK-2, R-CORE-BLK-3). Nothing is believed that can be checked.

Of every block the header's hash and the merkle root are compared; its witness commitment too when a candidate with
witness is kept, since neither of the others covers witnesses.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from ingest.candidates import CANDIDATES, HEADERS, Kind
from ingest.errors import CorruptBlock, MissingPrevouts
from ingest.sha256 import PADDING_ROOM, Bytes, double_sha256
from ingest.source import RawBlock, SpentFormat
from ingest.spent import GROWTH, complete_key, walk_txouts, walk_undo
from ingest.walk import (
    BODY,
    BODY_END,
    COLUMNS,
    END,
    FAULTS,
    HEADER_SIZE,
    INPUTS,
    KIND,
    SMALLEST_TRANSACTION,
    START,
    TRUNCATED,
    Rows,
    compact_size,
    copy_candidates,
    hash_transactions,
    merkle_root,
    walk_block,
)

_COMMITMENT: Final = bytes.fromhex("6a24aa21a9ed")


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a range of blocks holds, in the order in which the blocks came."""

    headers: pa.Table
    """One row a block (schema HEADERS)."""
    candidates: pa.Table
    """One row a candidate (schema CANDIDATES)."""


def scan_blocks(blocks: Iterable[RawBlock]) -> Scanned:
    """Scan blocks one after the other.

    Raises `CorruptBlock` for the first that contradicts itself, and `MissingPrevouts` where a JSON candidate needs the
    outputs that its block spends and they did not come with it.
    """
    headers, candidates = [], []
    for block in blocks:
        scan = _Scan(block)
        headers.append(scan.header())
        if len(scan.chosen):
            candidates.append(scan.candidates())
    columns = zip(*headers, strict=True) if headers else [()] * len(HEADERS)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, HEADERS, strict=True)]
    return Scanned(
        pa.Table.from_arrays(arrays, schema=HEADERS),
        pa.Table.from_batches(candidates, schema=CANDIDATES).combine_chunks(),
    )


def transaction_rows(block: Bytes) -> Rows | int:
    """A row of `ingest.walk` for each transaction of the serialised block, or a fault."""
    count, _ = compact_size(block, HEADER_SIZE) if len(block) >= HEADER_SIZE else (TRUNCATED, 0)
    if count > len(block) // SMALLEST_TRANSACTION:
        count = TRUNCATED
    if count < 0:
        return count
    rows = np.empty((count, COLUMNS), np.int64)
    walked = walk_block(block, rows)
    return rows if walked == count else walked


def transaction_hashes(block: Bytes, rows: Rows, *, whole: bool) -> Bytes:
    """Hashes of the transactions, one after the other, 32 bytes each: txids, or wtxids when `whole`."""
    hashes = np.empty(32 * len(rows), np.uint8)
    longest = int((rows[:, END] - rows[:, START]).max())
    hash_transactions(block, rows, whole, hashes, np.empty(longest + PADDING_ROOM, np.uint8))
    return hashes


def root(hashes: Bytes) -> bytes | None:
    """Merkle root, 32 bytes, of the hashes laid one after the other; None when it also is that of fewer hashes."""
    level = hashes.copy()
    return level[:32].tobytes() if merkle_root(level) else None


def witness_commitment(block: Bytes, rows: Rows) -> tuple[bytes | None, bytes | None]:
    """The commitment that the coinbase carries, and the one that the transactions make; None where there is none."""
    coinbase = block[rows[0, START] : rows[0, END]].tobytes()
    body_end = int(rows[0, BODY_END] - rows[0, START])
    committed = _last_commitment(coinbase[:body_end])
    if coinbase[body_end : body_end + 2] != b"\x01\x20" or len(coinbase) != body_end + 38:
        return committed, None
    hashes = transaction_hashes(block, rows, whole=True)
    hashes[:32] = 0
    witness_root = root(hashes)
    return committed, witness_root and double_sha256(witness_root + coinbase[body_end + 2 : body_end + 34])


def keeps_commitments(block: Bytes, rows: Rows) -> bool:
    """Whether the transactions have the merkle root of the header, and their witnesses the coinbase's commitment."""
    if root(transaction_hashes(block, rows, whole=False)) != block[36:68].tobytes():
        return False
    if not has_witness(rows):
        return True
    committed, made = witness_commitment(block, rows)
    return committed is not None and committed == made


def has_witness(rows: Rows) -> bool:
    """Whether any of the transactions has one."""
    return bool((rows[:, BODY] != rows[:, START] + 4).any())


def _last_commitment(stripped: bytes) -> bytes | None:
    """The 32 bytes behind the last output script that begins as a commitment. `stripped` ends behind its outputs."""
    data = np.frombuffer(stripped, np.uint8)
    inputs_end = 4 if stripped[4] else 6
    _, position = compact_size(data, inputs_end)
    length, position = compact_size(data, position + 36)
    count, position = compact_size(data, position + length + 4)
    found = None
    for _ in range(count):
        length, position = compact_size(data, position + 8)
        script = stripped[position : position + length]
        if length >= 38 and script.startswith(_COMMITMENT):
            found = script[6:38]
        position += length
    return found


class _Scan:
    """One block taken apart and checked."""

    def __init__(self, block: RawBlock) -> None:
        self.block = block
        self.name = f"Block {block.hash} at height {block.height}"
        self.data = np.frombuffer(block.raw, np.uint8)
        rows = transaction_rows(self.data)
        if isinstance(rows, int):
            raise self._corrupt(FAULTS[rows])
        self.rows = rows
        self.txids = transaction_hashes(self.data, self.rows, whole=False)
        self.chosen = np.flatnonzero(self.rows[:, KIND])
        self._check_header()
        if has_witness(self.rows[self.rows[:, KIND] == Kind.JSON]):
            self._check_witnesses()

    def header(self) -> tuple[int, str, str, int, int]:
        """The block's row of HEADERS."""
        raw = bytes(self.block.raw[:HEADER_SIZE])
        (time,) = struct.unpack_from("<I", raw, 68)
        return self.block.height, self.block.hash, raw[35:3:-1].hex(), time, len(self.rows)

    def candidates(self) -> pa.RecordBatch:
        """The block's rows of CANDIDATES."""
        rows, count = self.rows[self.chosen], len(self.chosen)
        raw = np.empty(int((rows[:, END] - rows[:, START]).sum()), np.uint8)
        raw_ends = np.empty(count, np.int64)
        copy_candidates(self.data, rows, raw, raw_ends)
        prevouts, prevout_ends = self._prevouts()
        columns = [
            pa.array(np.full(count, self.block.height, np.int32)),
            pa.array(self.chosen.astype(np.int32)),
            pa.Array.from_buffers(
                pa.binary(32), count, [None, pa.py_buffer(self.txids.reshape(-1, 32)[self.chosen].tobytes())]
            ),
            pa.array(rows[:, KIND].astype(np.uint8)),
            _binary(raw, raw_ends),
            _binary(prevouts, prevout_ends),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=CANDIDATES)

    def _prevouts(self) -> tuple[Bytes, Rows]:
        """The outputs that JSON candidates spend, one candidate after the other, and where each candidate's end."""
        ends = np.zeros(len(self.chosen), np.int64)
        spent = np.frombuffer(self.block.spent, np.uint8)
        if not (self.rows[self.chosen, KIND] == Kind.JSON).any():
            return spent[:0], ends
        if not len(spent):
            raise MissingPrevouts(f"{self.name} came without the outputs that it spends")
        if self.block.spent_format is SpentFormat.TXOUTS:
            out = np.empty(len(spent), np.uint8)
            fault = walk_txouts(spent, self.rows, out, ends)
        else:
            out = np.empty(GROWTH * len(spent), np.uint8)
            keys = np.empty(int(self.rows[:, INPUTS].sum()), np.int64)
            fault, missing = walk_undo(spent, self.rows, out, ends, keys)
            if not fault:
                self._complete_keys(out, keys[:missing])
        if fault:
            raise self._corrupt(FAULTS[fault])
        return out[: ends[-1]].copy(), ends

    def _complete_keys(self, out: Bytes, missing: Rows) -> None:
        for at in missing:
            y = complete_key(out[at - 32 : at].tobytes(), bool(out[at]))
            if y is None:
                raise self._corrupt("a spent output's key is not on the curve")
            out[at : at + 32] = np.frombuffer(y, np.uint8)

    def _check_header(self) -> None:
        raw = bytes(self.block.raw[:HEADER_SIZE])
        if double_sha256(raw)[::-1].hex() != self.block.hash:
            raise self._corrupt("its header has another hash")
        if root(self.txids) != raw[36:68]:
            raise self._corrupt("its transactions, each once, do not have its merkle root")

    def _check_witnesses(self) -> None:
        committed, made = witness_commitment(self.data, self.rows)
        if committed is None or committed != made:
            raise self._corrupt("its witnesses do not have its commitment")

    def _corrupt(self, reason: str) -> CorruptBlock:
        return CorruptBlock(f"{self.name}: {reason}")


def _binary(data: Bytes, ends: Rows) -> pa.Array:
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    return pa.Array.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
