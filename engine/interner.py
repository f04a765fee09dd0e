"""Numbers for byte strings: equal bytes, equal number, in the order of first appearance."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.arena import Arena, Bytes
from engine.compiled import compiled, helper
from engine.words import copy, word

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_STIR: Final = np.uint64(0xD6E8FEB86659FD93)
_HALF: Final = np.uint64(32)
_LOW: Final = np.uint64(0xFFFFFFFF)
_SMALLEST: Final = 1 << 12


class Interner(Arena):
    """An arena of distinct byte strings with a hash table over it. Strings are compared byte by byte."""

    def __init__(self) -> None:
        super().__init__()
        self._table = np.zeros(_SMALLEST, np.uint64)

    def intern(self, data: Bytes, starts: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Numbers of the strings `data[start : start + length]`; -1 where the length is 0."""
        numbers = np.empty(len(starts), np.int32)
        done = 0
        while done < len(starts):
            self._make_room(min(len(starts) - done, 1 << 16), int(lengths[done : done + (1 << 16)].sum()))
            done, self.count = _intern(
                data, starts, lengths, self._table, self.offsets, self.data, self.count, numbers, done
            )
        return numbers

    def intern_one(self, text: bytes) -> int:
        """Number of one string that is not empty."""
        data = np.frombuffer(text, np.uint8)
        return int(self.intern(data, np.zeros(1, np.int64), np.array([len(text)], np.int32))[0])

    def _make_room(self, strings: int, size: int) -> None:
        self.reserve(strings, size)
        slots = len(self._table)
        while (self.count + strings) * 2 > slots:
            slots *= 2
        if slots != len(self._table):
            self._table = np.zeros(slots, np.uint64)
            _refill(self._table, self.offsets, self.data, self.count)


@helper
def _hash(data: Any, start: Any, length: Any) -> Any:
    state = np.uint64(length) * _MIX
    at = start
    end = start + length
    while at + 8 <= end:
        state = (state ^ word(data, at)) * _MIX
        state ^= state >> _HALF
        at += 8
    tail = np.uint64(0)
    while at < end:
        tail = tail << np.uint64(8) | np.uint64(data[at])
        at += 1
    state = (state ^ tail) * _STIR
    return state ^ (state >> _HALF)


@helper
def _equal(a: Any, a_start: Any, b: Any, b_start: Any, length: Any) -> Any:
    at = 0
    while at + 8 <= length:
        if word(a, a_start + at) != word(b, b_start + at):
            return False
        at += 8
    while at < length:
        if a[a_start + at] != b[b_start + at]:
            return False
        at += 1
    return True


@compiled
def _intern(
    data: Any,
    starts: Any,
    lengths: Any,
    table: Any,
    offsets: Any,
    arena: Any,
    count: Any,
    numbers: Any,
    done: Any,
) -> Any:
    """Number strings from `done` on until there is no room. A slot holds the upper hash half and number + 1."""
    mask = np.uint64(table.size - 1)
    for i in range(done, starts.size):
        start = starts[i]
        length = lengths[i]
        if length <= 0:
            numbers[i] = -1
            continue
        top = offsets[count]
        if (count + 1) * 2 > table.size or count + 1 >= offsets.size or top + length > arena.size:
            return i, count
        key = _hash(data, start, length)
        tag = key >> _HALF
        slot = key & mask
        while True:
            held = table[slot]
            if held == np.uint64(0):
                copy(arena, top, data, start, length)
                offsets[count + 1] = top + length
                table[slot] = tag << _HALF | np.uint64(count + 1)
                numbers[i] = count
                count += 1
                break
            if held >> _HALF == tag:
                number = np.int64(held & _LOW) - 1
                first = offsets[number]
                if offsets[number + 1] - first == length and _equal(data, start, arena, first, length):
                    numbers[i] = number
                    break
            slot = (slot + np.uint64(1)) & mask
    return starts.size, count


@compiled
def _refill(table: Any, offsets: Any, arena: Any, count: Any) -> Any:
    mask = np.uint64(table.size - 1)
    for number in range(count):
        key = _hash(arena, offsets[number], offsets[number + 1] - offsets[number])
        slot = key & mask
        while table[slot] != np.uint64(0):
            slot = (slot + np.uint64(1)) & mask
        table[slot] = (key >> _HALF) << _HALF | np.uint64(number + 1)
