"""Transaction ids as they are displayed: hex digits of the bytes in reverse."""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine.arena import Bytes
from engine.compiled import compiled
from engine.journal import Numbers

_SIZE: Final = 32
_PAIRS: Final = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)
"""The two digits of every byte."""


def txid_texts(txids: pa.ChunkedArray, rows: Numbers) -> tuple[Bytes, pa.Array]:
    """The display text of the chosen rows: 64 characters each in one array, and the same memory as strings."""
    array = txids.combine_chunks()
    data = np.frombuffer(array.buffers()[1], np.uint8)[array.offset * _SIZE :]
    pairs = np.empty(len(rows) * _SIZE, np.uint16)
    _write(data, rows, pairs)
    text = pairs.view(np.uint8)
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * np.int32(2 * _SIZE)
    strings = pa.Array.from_buffers(pa.string(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(text)])
    return text, strings


@compiled
def _write(data: Any, rows: Any, pairs: Any) -> Any:
    for n in range(rows.size):
        source = np.int64(rows[n]) * _SIZE + _SIZE - 1
        for k in range(_SIZE):
            pairs[n * _SIZE + k] = _PAIRS[data[source - k]]
