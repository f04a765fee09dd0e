"""Transaction ids as they are displayed: hex digits of the bytes in reverse."""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine.arena import Bytes
from engine.journal import Numbers
from ingest.compiled import compiled

_SIZE: Final = 32
_DIGITS: Final = np.frombuffer(b"0123456789abcdef", np.uint8)


def txid_texts(txids: pa.ChunkedArray, rows: Numbers) -> tuple[Bytes, pa.Array]:
    """The display text of the chosen rows: 64 characters each in one array, and the same memory as strings."""
    array = txids.combine_chunks()
    data = np.frombuffer(array.buffers()[1], np.uint8)[array.offset * _SIZE :]
    text = np.empty(len(rows) * 2 * _SIZE, np.uint8)
    _write(data, rows, text)
    offsets = np.arange(0, len(text) + 1, 2 * _SIZE, dtype=np.int32)
    strings = pa.Array.from_buffers(pa.string(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(text)])
    return text, strings


@compiled
def _write(data: Any, rows: Any, text: Any) -> Any:
    for n in range(rows.size):
        source = np.int64(rows[n]) * _SIZE + _SIZE - 1
        target = n * 2 * _SIZE
        for k in range(_SIZE):
            byte = data[source - k]
            text[target + 2 * k] = _DIGITS[byte >> 4]
            text[target + 2 * k + 1] = _DIGITS[byte & 15]
