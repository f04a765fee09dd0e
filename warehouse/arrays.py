"""Arrow arrays read in place as Python sequences: text as bytes, amounts as integers, nothing converted ahead."""

from collections.abc import Iterator
from typing import Literal

import pyarrow as pa


class Texts:
    """A `large_string` array without nulls as a sequence of UTF-8 bytes."""

    def __init__(self, array: pa.Array) -> None:
        _, offsets, data = array.buffers()
        self._length = len(array)
        self._offsets = _view(offsets, array).cast("q")[array.offset :]
        self._data = _view(data, array)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, row: int) -> bytes:
        return bytes(self._data[self._offsets[row] : self._offsets[row + 1]])


class Amounts:
    """A `decimal128(38, 8)` array without nulls as a sequence of integers of 10^-8 units."""

    def __init__(self, array: pa.Array) -> None:
        self._length = len(array)
        self._data = _view(array.buffers()[1], array)[16 * array.offset :]

    def __getitem__(self, row: int) -> int:
        return int.from_bytes(self._data[16 * row : 16 * row + 16], "little", signed=True)

    def __iter__(self) -> Iterator[int]:
        return map(self.__getitem__, range(self._length))


def integers(array: pa.Array) -> "memoryview[int]":
    """An integer array without nulls as a memoryview of its values."""
    codes: dict[str, Literal["i", "I", "q"]] = {"int32": "i", "uint32": "I", "int64": "q"}
    return _view(array.buffers()[1], array).cast(codes[str(array.type)])[array.offset : array.offset + len(array)]


def _view(buffer: pa.Buffer | None, array: pa.Array) -> memoryview:
    return memoryview(buffer if buffer is not None and len(array) else b"").cast("B")
