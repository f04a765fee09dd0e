"""SHA-256 inside compiled kernels: with the processor's own instructions where it has them, else in plain arithmetic.

Calling hashlib once a transaction would cost more than all the rest of a scan. With the compiler switched off the
kernels are ordinary Python, and there hashlib is the right one.
"""

import hashlib
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from llvmlite import binding, ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic

from ingest.compiled import compiled

Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint32]

BLOCK: Final = 64
"""Bytes that one compression takes; a message is padded to whole blocks."""

PADDING_ROOM: Final = 72
"""Bytes that padding may add to a message."""


def _fractional_roots() -> tuple[list[int], list[int]]:
    """The standard's constants: 32 fractional bits of the cube roots of 64 primes, and of 8 square roots."""

    def root(prime: int, degree: int) -> int:
        scaled, low, high = prime << (32 * degree), 0, 1 << 40
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle**degree <= scaled else (low, middle)
        return low & 0xFFFFFFFF

    primes = [n for n in range(2, 312) if all(n % k for k in range(2, n))]
    return [root(prime, 3) for prime in primes], [root(prime, 2) for prime in primes[:8]]


_ROUNDS, _START = _fractional_roots()
ROUND_CONSTANTS: Final = np.array(_ROUNDS, np.uint32)
INITIAL_STATE: Final = np.array(_START, np.uint32)


@compiled
def compress_portably(state: Words, data: Bytes, blocks: int) -> None:
    """Mix the first `blocks` blocks of `data` into the eight words of `state`."""
    for block in range(blocks):
        _compress_one(state, data, block * BLOCK)


@compiled
def _compress_one(state: Words, data: Bytes, position: int) -> None:
    schedule = np.empty(64, np.uint32)
    for i in range(16):
        at = position + 4 * i
        schedule[i] = (
            (np.uint32(data[at]) << np.uint32(24))
            | (np.uint32(data[at + 1]) << np.uint32(16))
            | (np.uint32(data[at + 2]) << np.uint32(8))
            | np.uint32(data[at + 3])
        )
    for i in range(16, 64):
        near, far = schedule[i - 2], schedule[i - 15]
        mixed_near = _rotated(near, 17) ^ _rotated(near, 19) ^ (near >> np.uint32(10))
        mixed_far = _rotated(far, 7) ^ _rotated(far, 18) ^ (far >> np.uint32(3))
        schedule[i] = np.uint32(schedule[i - 16] + mixed_far + schedule[i - 7] + mixed_near)
    a, b, c, d, e, f, g, h = state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]
    for i in range(64):
        mixed_e = _rotated(e, 6) ^ _rotated(e, 11) ^ _rotated(e, 25)
        first = np.uint32(h + mixed_e + ((e & f) ^ (~e & g)) + ROUND_CONSTANTS[i] + schedule[i])
        mixed_a = _rotated(a, 2) ^ _rotated(a, 13) ^ _rotated(a, 22)
        second = np.uint32(mixed_a + ((a & b) ^ (a & c) ^ (b & c)))
        a, b, c, d, e, f, g, h = np.uint32(first + second), a, b, c, np.uint32(d + first), e, f, g
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e
    state[5] += f
    state[6] += g
    state[7] += h


@compiled
def _rotated(word: np.uint32, bits: int) -> np.uint32:
    return np.uint32((word >> np.uint32(bits)) | (word << np.uint32(32 - bits)))


@intrinsic
def _compress_by_instruction(typing: Any, state: Any, data: Any, blocks: Any) -> Any:
    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Constant:
        state_type, data_type, _ = signature.args
        words = context.make_array(state_type)(context, builder, arguments[0]).data
        message = context.make_array(data_type)(context, builder, arguments[1]).data
        builder.call(_compression(builder.module), [words, message, arguments[2]])
        return context.get_dummy_value()

    return types.void(state, data, types.intp), generate


def _compression(module: ir.Module) -> ir.Function:
    """The module's function that compresses a number of blocks.

    Not to be inlined: these instructions have no AVX form, and stall hundreds of cycles each where code around them
    has left the upper halves of the vector registers in use. A call clears those.
    """
    name = "simplicity_sha256_compress"
    if name in module.globals:
        return module.globals[name]
    arguments = [ir.IntType(32).as_pointer(), ir.IntType(8).as_pointer(), cgutils.intp_t]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    words, message, blocks = function.args
    builder = ir.IRBuilder(function.append_basic_block())
    with cgutils.for_range(builder, blocks) as loop:
        offset = builder.mul(loop.index, cgutils.intp_t(BLOCK))
        _emit_compression(builder, words, builder.gep(message, [offset]))
    builder.ret_void()
    return function


def _emit_compression(builder: ir.IRBuilder, words: ir.Value, message: ir.Value) -> None:
    """Emit one compression, two rounds an instruction. The state is wanted as (F, E, B, A) and (H, G, D, C)."""
    lane, four = ir.IntType(32), ir.VectorType(ir.IntType(32), 4)
    sixteen = ir.VectorType(ir.IntType(8), 16)

    def instruction(name: str, *operands: ir.Value) -> ir.Value:
        kind = ir.FunctionType(four, [four] * len(operands))
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.sha256{name}")  # type: ignore[no-untyped-call]
        return builder.call(function, operands)

    def picked(left: ir.Value, right: ir.Value, *lanes: int) -> ir.Value:
        mask = ir.Constant(ir.VectorType(lane, len(lanes)), lanes)
        return builder.shuffle_vector(left, right, mask)

    def loaded(pointer: ir.Value, kind: ir.Type, offset: int) -> ir.Value:
        value = builder.load(builder.gep(builder.bitcast(pointer, four.as_pointer()), [lane(offset)]), align=1)
        return builder.bitcast(value, kind)

    def stored(value: ir.Value, offset: int) -> None:
        builder.store(value, builder.gep(builder.bitcast(words, four.as_pointer()), [lane(offset)]), align=1)

    abcd, efgh = loaded(words, four, 0), loaded(words, four, 1)
    start = feba, hgdc = picked(abcd, efgh, 5, 4, 1, 0), picked(abcd, efgh, 7, 6, 3, 2)
    big_endian = [i ^ 3 for i in range(16)]
    schedule: list[ir.Value] = []
    for i in range(16):
        if i < 4:
            loaded_bytes = loaded(message, sixteen, i)
            quad = builder.bitcast(picked(loaded_bytes, loaded_bytes, *big_endian), four)
        else:
            shifted = picked(schedule[i - 2], schedule[i - 1], 1, 2, 3, 4)
            partial = builder.add(instruction("msg1", schedule[i - 4], schedule[i - 3]), shifted)
            quad = instruction("msg2", partial, schedule[i - 1])
        schedule.append(quad)
        keyed = builder.add(quad, ir.Constant(four, _ROUNDS[4 * i : 4 * i + 4]))
        hgdc = instruction("rnds2", hgdc, feba, keyed)
        feba = instruction("rnds2", feba, hgdc, picked(keyed, keyed, 2, 3, 2, 3))
    feba, hgdc = builder.add(feba, start[0]), builder.add(hgdc, start[1])
    stored(picked(feba, hgdc, 3, 2, 7, 6), 0)
    stored(picked(feba, hgdc, 1, 0, 5, 4), 1)


@compiled
def compress_by_instruction(state: Words, data: Bytes, blocks: int) -> None:
    """As `compress_portably`, by the x86 SHA extensions; only where `HAS_INSTRUCTIONS`."""
    _compress_by_instruction(state, data, blocks)  # type: ignore[call-arg]


_COMPILER: Final = vars(config)
_INTERPRETED: Final = bool(_COMPILER["DISABLE_JIT"])

HAS_INSTRUCTIONS: Final = (
    not _INTERPRETED
    # A processor named in the environment is what kernels are compiled for, whatever this machine has.
    and not _COMPILER["CPU_NAME"]
    and not _COMPILER["CPU_FEATURES"]
    and bool(binding.get_host_cpu_features().get("sha"))
)

_compress = compress_by_instruction if HAS_INSTRUCTIONS else compress_portably


@compiled
def _digest(data: Bytes, length: int, state: Words, out: Words) -> None:
    """Pad the first `length` bytes of `data` in place, hash them, and put the eight words, big-endian, into `out`."""
    blocks = (length + 9 + BLOCK - 1) // BLOCK
    end = blocks * BLOCK
    data[length] = np.uint8(0x80)
    for i in range(length + 1, end):
        data[i] = np.uint8(0)
    bits = length * 8
    for i in range(4):
        data[end - 1 - i] = np.uint8((bits >> (8 * i)) & 0xFF)
    for i in range(8):
        state[i] = INITIAL_STATE[i]
    _compress(state, data, blocks)
    for i in range(8):
        word = state[i]
        swapped = (word >> np.uint32(16)) | (word << np.uint32(16))
        out[i] = ((swapped >> np.uint32(8)) & np.uint32(0x00FF00FF)) | (
            (swapped & np.uint32(0x00FF00FF)) << np.uint32(8)
        )


@compiled
def _double_digest(data: Bytes, length: int, state: Words, out: Words) -> None:
    _digest(data, length, state, data[:32].view(np.uint32))
    _digest(data, 32, state, out)


def _double_digest_by_hashlib(data: Bytes, length: int, state: Words, out: Words) -> None:
    out[:8] = np.frombuffer(double_sha256(data[:length].tobytes()), np.uint32)


double_digest = _double_digest_by_hashlib if _INTERPRETED else _double_digest
"""`double_digest(data, length, state, out)`: SHA-256 twice over the first `length` bytes of `data`, to the 32 bytes
that are the first eight words of `out`. Overwrites `data`, which needs PADDING_ROOM bytes more; `state` is room for
eight words."""


def double_sha256(data: bytes | memoryview) -> bytes:
    """SHA-256 of SHA-256, outside kernels."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
