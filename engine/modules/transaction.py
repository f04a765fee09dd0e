"""A transaction's inputs and outputs for modules, from bytes that a scan found sound."""

from typing import NamedTuple


class Output(NamedTuple):
    """An output of the transaction; `value` in satoshis."""

    value: int
    script: bytes


class Input(NamedTuple):
    """An input of the transaction with the script that it spends, None where the scan left it out."""

    witness: tuple[bytes, ...]
    spent_script: bytes | None


class _Reader:
    """A place in bytes that moves on with what is read."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at

    def take(self, size: int) -> bytes:
        start, self.at = self.at, self.at + size
        return self._data[start : self.at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def size(self) -> int:
        first = self.number(1)
        return first if first < 0xFD else self.number(2 << (first - 0xFD))

    def output(self) -> Output:
        value = self.number(8)
        return Output(value, self.take(self.size()))


def read_transaction(raw: bytes, prevouts: bytes) -> tuple[tuple[Input, ...], tuple[Output, ...]]:
    """Inputs and outputs of a serialised transaction; `prevouts` as in CANDIDATES."""
    has_witness = raw[4:6] == b"\x00\x01"
    reader = _Reader(raw, 6 if has_witness else 4)
    count = reader.size()
    for _ in range(count):
        reader.take(36)
        reader.take(reader.size() + 4)
    outputs = tuple(reader.output() for _ in range(reader.size()))
    witnesses = [_witness(reader) if has_witness else () for _ in range(count)]
    spent = _spent_scripts(prevouts, count)
    return tuple(Input(*pair) for pair in zip(witnesses, spent, strict=True)), outputs


def _witness(reader: _Reader) -> tuple[bytes, ...]:
    return tuple(reader.take(reader.size()) for _ in range(reader.size()))


def _spent_scripts(prevouts: bytes, count: int) -> list[bytes] | list[None]:
    if not prevouts:
        return [None] * count
    reader = _Reader(prevouts)
    return [reader.output().script for _ in range(count)]
