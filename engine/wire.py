"""The consensus serialisation of a transaction, read with every length checked. A negative position means damage."""

from typing import Any

import numpy as np

from engine.compiled import helper


@helper
def compact_size(data: Any, at: Any, end: Any) -> Any:
    """(number, position after it); (0, -1) when it is cut off or greater than what is left of the transaction."""
    if at < 0 or at >= end:
        return 0, -1
    first = np.int64(data[at])
    if first < 0xFD:
        return first, at + 1
    width = 2 << (first - 0xFD)
    if at + 1 + width > end:
        return 0, -1
    number = np.int64(0)
    for k in range(width):
        number |= np.int64(data[at + 1 + k]) << (8 * k)
    if number < 0 or number > end - at:
        return 0, -1
    return number, at + 1 + width


@helper
def prevout(data: Any, at: Any, end: Any) -> Any:
    """(script start, script length, position after) of a serialised output; the position is -1 when it is cut off."""
    if at < 0 or at + 8 > end:
        return 0, 0, -1
    size, script = compact_size(data, at + 8, end)
    if script < 0 or size > end - script:
        return 0, 0, -1
    return script, size, script + size


@helper
def outputs_at(data: Any, at: Any, end: Any) -> Any:
    """(number of inputs, position of the outputs' count, whether a witness follows them)."""
    at += 4
    segwit = at + 2 <= end and data[at] == 0 and data[at + 1] == 1
    if segwit:
        at += 2
    inputs, at = compact_size(data, at, end)
    if inputs < 1:
        return 0, -1, False
    for _ in range(inputs):
        if at < 0 or at + 36 > end:
            return 0, -1, False
        size, at = compact_size(data, at + 36, end)
        if at < 0 or size + 4 > end - at:
            return 0, -1, False
        at += size + 4
    return inputs, at, segwit


@helper
def witness_item(data: Any, at: Any, end: Any) -> Any:
    """(length of the first item, its last byte, position after the stack) of one input's witness."""
    items, at = compact_size(data, at, end)
    first_size = np.int64(0)
    last_byte = np.uint8(0)
    for item in range(items):
        size, at = compact_size(data, at, end)
        if at < 0 or size > end - at:
            return first_size, last_byte, np.int64(-1)
        if item == 0 and size > 0:
            first_size = size
            last_byte = data[at + size - 1]
        at += size
    return first_size, last_byte, at


@helper
def witness_at(data: Any, at: Any, end: Any, inputs: Any) -> Any:
    """Position after the witnesses of all inputs."""
    for _ in range(inputs):
        _, _, at = witness_item(data, at, end)
        if at < 0:
            return at
    return at
