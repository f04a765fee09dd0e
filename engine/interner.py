"""Numbers for byte strings: equal bytes, equal number, in the order of first appearance."""

import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.arena import Arena, Bytes
from engine.compiled import compiled, helper
from engine.words import copy, word

_HALF: Final = np.uint64(32)
_LOW: Final = np.uint64(0xFFFFFFFF)
_SMALLEST: Final = 1 << 12
_AHEAD: Final = 32
_STRETCH: Final = 1 << 12
"""Strings for which room is made at a time."""


class Interner(Arena):
    """An arena of distinct byte strings with a hash table over it. Strings are compared byte by byte.

    Whoever writes transactions chooses the strings, so the hash has keys that nobody can know: equal hashes cannot be
    made on purpose. Numbers do not depend on the keys.
    """

    def __init__(self) -> None:
        super().__init__()
        self._secrets = np.frombuffer(os.urandom(32), np.uint64) | np.uint64(1)
        self._table = np.zeros(_SMALLEST, np.uint64)
        self._keys = np.zeros(_AHEAD, np.uint64)

    def intern(self, data: Bytes, starts: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Numbers of the strings `data[start : start + length]`; -1 where the length is 0."""
        numbers = np.empty(len(starts), np.int32)
        done = 0
        while done < len(starts):
            self._make_room(min(len(starts) - done, _STRETCH), int(lengths[done : done + _STRETCH].sum()))
            done, self.count, _ = _intern(
                data,
                starts,
                lengths,
                self._table,
                self.offsets,
                self.data,
                self.count,
                numbers,
                done,
                self._keys,
                self._secrets,
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
            _refill(self._table, self.offsets, self.data, self.count, self._secrets)


@helper
def _stirred(state: Any, taken: Any, secrets: Any) -> Any:
    """Each half of the word is masked by a secret before they are multiplied: no difference cancels for sure."""
    state += ((taken + secrets[1]) & _LOW) * (((taken >> _HALF) + secrets[2]) & _LOW)
    state = (state ^ (state >> _HALF)) * secrets[3]
    return state ^ (state >> _HALF)


@helper
def _hash(data: Any, start: Any, length: Any, secrets: Any) -> Any:
    state = np.uint64(length) * secrets[0]
    at = start
    end = start + length
    while at + 8 <= end:
        state = _stirred(state, word(data, at), secrets)
        at += 8
    tail = np.uint64(0)
    if length >= 8:
        tail = word(data, end - 8)
    else:
        while at < end:
            tail = tail << np.uint64(8) | np.uint64(data[at])
            at += 1
    return _stirred(state, tail, secrets)


@helper
def _equal(a: Any, a_start: Any, b: Any, b_start: Any, length: Any) -> Any:
    at = 0
    while at + 8 <= length:
        if word(a, a_start + at) != word(b, b_start + at):
            return False
        at += 8
    if length >= 8:
        return word(a, a_start + length - 8) == word(b, b_start + length - 8)
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
    keys: Any,
    secrets: Any,
) -> Any:
    """Number strings from `done` on until there is no room: (strings done, count, nothing of meaning).

    A slot holds the upper hash half and number + 1. Reading ahead for a few strings at once lets the processor wait for
    their memory together; `warm` is what was read, told so that it is read at all.
    """
    mask = np.uint64(table.size - 1)
    warm = np.uint8(0)
    for first in range(done, starts.size, keys.size):
        last = min(first + keys.size, starts.size)
        for i in range(first, last):
            keys[i - first] = _hash(data, starts[i], lengths[i], secrets)
            held = table[keys[i - first] & mask]
            if held != np.uint64(0):
                warm ^= arena[offsets[np.int64(held & _LOW) - 1]]
        for i in range(first, last):
            start = starts[i]
            length = lengths[i]
            if length <= 0:
                numbers[i] = -1
                continue
            top = offsets[count]
            if (count + 1) * 2 > table.size or count + 1 >= offsets.size or top + length > arena.size:
                return i, count, warm
            number = _find(data, start, length, keys[i - first], table, offsets, arena, count)
            if number == count:
                copy(arena, top, data, start, length)
                count += 1
                offsets[count] = top + length
            numbers[i] = number
    return starts.size, count, warm


@helper
def _find(data: Any, start: Any, length: Any, key: Any, table: Any, offsets: Any, arena: Any, count: Any) -> Any:
    """Number of the string, or `count` after entering it under that number."""
    mask = np.uint64(table.size - 1)
    tag = key >> _HALF
    slot = key & mask
    while True:
        held = table[slot]
        if held == np.uint64(0):
            table[slot] = tag << _HALF | np.uint64(count + 1)
            return count
        if held >> _HALF == tag:
            number = np.int64(held & _LOW) - 1
            first = offsets[number]
            if offsets[number + 1] - first == length and _equal(data, start, arena, first, length):
                return number
        slot = (slot + np.uint64(1)) & mask


@compiled
def _refill(table: Any, offsets: Any, arena: Any, count: Any, secrets: Any) -> Any:
    mask = np.uint64(table.size - 1)
    for number in range(count):
        key = _hash(arena, offsets[number], offsets[number + 1] - offsets[number], secrets)
        slot = key & mask
        while table[slot] != np.uint64(0):
            slot = (slot + np.uint64(1)) & mask
        table[slot] = (key >> _HALF) << _HALF | np.uint64(number + 1)
