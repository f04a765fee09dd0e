"""Byte strings one after the other in one growing array, known by their numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.compiled import compiled
from engine.words import copy

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]


class Arena:
    """Append-only list of byte strings. String n is `data[offsets[n] : offsets[n + 1]]`."""

    def __init__(self) -> None:
        self.count = 0
        self.offsets: Offsets = np.zeros(1024, np.int64)
        self.data: Bytes = np.zeros(1 << 16, np.uint8)

    def reserve(self, strings: int, size: int) -> None:
        """Make room for `strings` more with `size` bytes together."""
        self.offsets = grown(self.offsets, self.count + strings + 1)
        self.data = grown(self.data, int(self.offsets[self.count]) + size)

    def append(self, text: bytes) -> int:
        """Store one string and tell its number."""
        self.reserve(1, len(text))
        start = int(self.offsets[self.count])
        self.data[start : start + len(text)] = np.frombuffer(text, np.uint8)
        self.count += 1
        self.offsets[self.count] = start + len(text)
        return self.count - 1

    def extend(self, strings: pa.Array) -> None:
        """Store an Arrow array of strings or bytes without nulls."""
        data, offsets = blobs(strings)
        size = int(offsets[-1] - offsets[0])
        self.reserve(len(strings), size)
        start = int(self.offsets[self.count])
        self.data[start : start + size] = data[offsets[0] : offsets[-1]]
        self.offsets[self.count + 1 : self.count + 1 + len(strings)] = offsets[1:] - offsets[0] + start
        self.count += len(strings)

    def __getitem__(self, number: int) -> bytes:
        return self.data[self.offsets[number] : self.offsets[number + 1]].tobytes()

    def lengths(self, numbers: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        """Lengths of the strings so numbered, 0 for negative numbers."""
        known = np.maximum(numbers, 0)
        return np.where(numbers < 0, 0, self.offsets[known + 1] - self.offsets[known])

    def arrow(self, type_: pa.DataType, first: int = 0) -> pa.Array:
        """The strings from number `first` on as large_string or large_binary, sharing memory until the next growth."""
        buffers = [None, pa.py_buffer(self.offsets), pa.py_buffer(self.data)]
        return pa.Array.from_buffers(type_, self.count - first, buffers, offset=first)

    def take(self, numbers: npt.NDArray[np.int32], type_: pa.DataType) -> pa.Array:
        """The strings so numbered as `type_` (string or binary), null for negative numbers."""
        offsets = np.empty(len(numbers) + 1, np.int32)
        present = measure(self.offsets, numbers, offsets)
        if not present:
            return pa.nulls(len(numbers), type_)
        data = np.empty(int(offsets[-1]), np.uint8)
        gather(self.offsets, self.data, numbers, offsets, data)
        valid = None if present == len(numbers) else pa.py_buffer(np.packbits(numbers >= 0, bitorder="little"))
        buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.Array.from_buffers(type_, len(numbers), buffers, len(numbers) - present)


@compiled
def measure(starts: Any, numbers: Any, offsets: Any) -> Any:
    """Where each of the strings so numbered will stand, one after the other; how many numbers are not negative."""
    present = 0
    at = np.int32(0)
    offsets[0] = at
    for row in range(numbers.size):
        number = numbers[row]
        if number >= 0:
            at += np.int32(starts[number + 1] - starts[number])
            present += 1
        offsets[row + 1] = at
    return present


@compiled
def gather(starts: Any, source: Any, numbers: Any, offsets: Any, target: Any) -> Any:
    """Copy the strings so numbered to their places."""
    for row in range(numbers.size):
        if numbers[row] >= 0:
            copy(target, offsets[row], source, starts[numbers[row]], offsets[row + 1] - offsets[row])


def grown(array: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    """The array, or a copy of at least twice its length, so that `rows` rows fit; new rows are zero."""
    if rows <= len(array):
        return array
    larger = np.zeros((max(rows, 2 * len(array)), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


def blobs(column: pa.ChunkedArray | pa.Array) -> tuple[Bytes, Offsets]:
    """Data and 64-bit offsets of a binary or string column. The data is shared where the column is one chunk."""
    array = one_chunk(column) if isinstance(column, pa.ChunkedArray) else column
    _, offset_buffer, data_buffer = array.buffers()
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
    if offset_buffer is None:
        return data, np.zeros(len(array) + 1, np.int64)
    is_large = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    offsets = np.frombuffer(offset_buffer, np.int64 if is_large else np.int32)
    return data, offsets[array.offset : array.offset + len(array) + 1].astype(np.int64)


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """The column as one array, without a copy where it is one already; 64-bit offsets where it is put together."""
    if column.num_chunks == 1:
        return column.chunk(0)
    wide = {pa.binary(): pa.large_binary(), pa.string(): pa.large_string()}
    return column.cast(wide.get(column.type, column.type)).combine_chunks()
