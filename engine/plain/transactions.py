"""Transactions as the rules see them: outputs with their first push, inputs with witness and spent script."""

import struct
from dataclasses import dataclass
from typing import Final

from engine.errors import MalformedCandidate

OP_RETURN: Final = 0x6A
RUNESTONE: Final = 0x5D
"""Second byte of a runestone's script, and first byte of a payload that counts as one (R-CORE-OPR-2)."""
WRAP_MARKER: Final = bytes.fromhex("5b577c4254437c4d5d")
"""Beginning of an abandoned form of payload that still counts as qualifying (R-CORE-OPR-2.4)."""
MARKERS: Final = ('"p":"brc-20"', '"p": "brc-20"')
SINGLE_ANYONECANPAY: Final = 0x83


@dataclass(frozen=True, slots=True)
class Output:
    """An output of a transaction; `value` in satoshis."""

    value: int
    script: bytes

    @property
    def is_op_return(self) -> bool:
        """Whether the script begins with OP_RETURN; every nulldata output does."""
        return self.script[:1] == bytes([OP_RETURN])

    @property
    def is_nulldata(self) -> bool:
        """Whether a node calls the output `nulldata`: OP_RETURN, then push opcodes only, none of them cut off."""
        return self.is_op_return and _only_pushes(self.script[1:])

    @property
    def payload(self) -> bytes | None:
        """First push behind OP_RETURN, None when there is none (R-CORE-OPR-1)."""
        return first_push(self.script)


@dataclass(frozen=True, slots=True)
class Input:
    """An input; `spent_script` is the script of the output it spends, None where the scan left it out."""

    witness: tuple[bytes, ...]
    spent_script: bytes | None

    @property
    def counts_as_marketplace_signature(self) -> bool:
        """R-CORE-MKT-1: witness item 0 ends in SINGLE | ANYONECANPAY. Without witness an input never counts."""
        return bool(self.witness) and self.witness[0][-1:] == bytes([SINGLE_ANYONECANPAY])


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the rules need of a transaction."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]


def first_push(script: bytes) -> bytes | None:
    """The data pushed directly behind OP_RETURN; None when cut off or when no push follows (R-CORE-OPR-1)."""
    if script[:1] != bytes([OP_RETURN]) or len(script) < 2:
        return None
    opcode, rest = script[1], script[2:]
    if 0x01 <= opcode <= 0x4B:
        length, data = opcode, rest
    elif opcode in (0x4C, 0x4D, 0x4E):
        width = {0x4C: 1, 0x4D: 2, 0x4E: 4}[opcode]
        if len(rest) < width:
            return None
        length, data = int.from_bytes(rest[:width], "little"), rest[width:]
    else:
        return None
    return data[:length] if len(data) >= length else None


def _only_pushes(script: bytes) -> bool:
    at = 0
    while at < len(script):
        opcode = script[at]
        at += 1
        if opcode > 0x60:
            return False
        if opcode in (0x4C, 0x4D, 0x4E):
            width = {0x4C: 1, 0x4D: 2, 0x4E: 4}[opcode]
            if at + width > len(script):
                return False
            length = int.from_bytes(script[at : at + width], "little")
            at += width
        else:
            length = opcode if opcode < 0x4C else 0
        at += length
        if at > len(script):
            return False
    return True


def is_runestone_form(output: Output) -> bool:
    """R-CORE-OPR-2.1 (script begins `6a5d`) or R-CORE-OPR-2.2 (the payload begins with 0x5d)."""
    payload = output.payload
    return output.is_op_return and (
        output.script[1:2] == bytes([RUNESTONE]) or (payload is not None and payload[:1] == bytes([RUNESTONE]))
    )


def protocol_payload(output: Output) -> bytes:
    """First push of a protocol output; the single byte 0x5d for a script that begins `6a5d` (R-CORE-OPR-4)."""
    payload = output.payload
    return bytes([RUNESTONE]) if payload is None else payload


def qualifies(output: Output) -> bool:
    """R-CORE-OPR-2: could this be the transaction's protocol output? Size and validity are asked later."""
    if not output.is_op_return:
        return False
    if is_runestone_form(output):
        return True
    payload = output.payload
    if payload is None:
        return False
    text = payload.decode("utf-8", errors="ignore")
    return any(marker in text for marker in MARKERS) or payload.startswith(WRAP_MARKER)


def protocol_output(transaction: Transaction) -> int | None:
    """Index of the only qualifying output; None when there is none or more than one (R-CORE-OPR-3, -5)."""
    found = [index for index, output in enumerate(transaction.outputs) if qualifies(output)]
    return found[0] if len(found) == 1 else None


def multi_transfer_steps(transaction: Transaction) -> list[int]:
    """Indices of the steps of a multi-transfer, empty when the transaction is none (R-CORE-MULTI-1, -2)."""
    steps = [index for index, output in enumerate(transaction.outputs) if _is_step(output)]
    return steps if len(steps) >= 2 else []


def _is_step(output: Output) -> bool:
    payload = output.payload
    if payload is None or not output.is_nulldata:
        return False
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return '"p":"brc-20"' in text and '"op":"transfer"' in text


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) != count:
            raise MalformedCandidate(f"ends {count - len(taken)} bytes early")
        self.at += count
        return taken

    def compact_size(self) -> int:
        first = self.take(1)[0]
        return first if first < 0xFD else int.from_bytes(self.take({0xFD: 2, 0xFE: 4, 0xFF: 8}[first]), "little")

    def output(self) -> Output:
        (value,) = struct.unpack("<q", self.take(8))
        return Output(value, self.take(self.compact_size()))

    def finish(self) -> None:
        if self.at != len(self.data):
            raise MalformedCandidate(f"has {len(self.data) - self.at} bytes too many")


def parse_transaction(raw: bytes, prevouts: bytes) -> Transaction:
    """Read a candidate's `raw` and `prevouts` columns; raises MalformedCandidate."""
    reader = _Reader(raw)
    reader.take(4)
    has_witness = raw[4:6] == b"\x00\x01"
    if has_witness:
        reader.take(2)
    input_count = reader.compact_size()
    for _ in range(input_count):
        reader.take(36)
        reader.take(reader.compact_size() + 4)
    outputs = tuple(reader.output() for _ in range(reader.compact_size()))
    witnesses: list[tuple[bytes, ...]] = [()] * input_count
    if has_witness:
        for index in range(input_count):
            witnesses[index] = tuple(reader.take(reader.compact_size()) for _ in range(reader.compact_size()))
    reader.take(4)
    reader.finish()

    spent: list[bytes | None] = [None] * input_count
    if prevouts:
        reader = _Reader(prevouts)
        spent = [reader.output().script for _ in range(input_count)]
        reader.finish()
    return Transaction(tuple(Input(w, s) for w, s in zip(witnesses, spent, strict=True)), outputs)
