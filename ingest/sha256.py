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
def pad(data: Bytes, length: int) -> int:
    """Pad the first `length` bytes of `data` in place; the number of blocks that they then are."""
    blocks = (length + 9 + BLOCK - 1) // BLOCK
    end = blocks * BLOCK
    data[length] = np.uint8(0x80)
    for i in range(length + 1, end):
        data[i] = np.uint8(0)
    bits = length * 8
    for i in range(4):
        data[end - 1 - i] = np.uint8((bits >> (8 * i)) & 0xFF)
    return blocks


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


@compiled
def _put_words(state: Words, out: Bytes) -> None:
    for i in range(8):
        for k in range(4):
            out[4 * i + k] = np.uint8((state[i] >> np.uint32(24 - 8 * k)) & np.uint32(0xFF))


@compiled
def double_hash_portably(data: Bytes, blocks: int, out: Bytes) -> None:
    """Put SHA-256 of SHA-256 of the padded message, the first `blocks` blocks of `data`, into 32 bytes of `out`."""
    state, digest = INITIAL_STATE.copy(), np.empty(BLOCK, np.uint8)
    for block in range(blocks):
        _compress_one(state, data, block * BLOCK)
    _put_words(state, digest)
    state[:] = INITIAL_STATE
    pad(digest, 32)
    _compress_one(state, digest, 0)
    _put_words(state, out)


@intrinsic
def _double_hash_by_instruction(typing: Any, data: Any, blocks: Any, out: Any) -> Any:
    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Constant:
        message = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        digest = context.make_array(signature.args[2])(context, builder, arguments[2]).data
        builder.call(_double_hash_function(builder.module), [message, arguments[1], digest])
        return context.get_dummy_value()

    return types.void(data, types.intp, out), generate


def _double_hash_function(module: ir.Module) -> ir.Function:
    """The module's function that hashes a padded message twice, without leaving the registers in between.

    Not to be inlined: these instructions have no AVX form, and stall hundreds of cycles each where code around them
    has left the upper halves of the vector registers in use. A call clears those.
    """
    name = "simplicity_double_sha256"
    if name in module.globals:
        return module.globals[name]
    pointer = ir.IntType(8).as_pointer()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer, cgutils.intp_t, pointer]), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    data, blocks, out = function.args
    emit = _Emitter(ir.IRBuilder(function.append_basic_block()))
    state = emit.loop_over_blocks(data, blocks)
    padding = emit.words(1 << 31, 0, 0, 0), emit.words(0, 0, 0, 256)
    emit.store_digest(emit.compression(emit.initial, [*emit.natural(state), *padding]), out)
    emit.builder.ret_void()
    return function


_State = tuple[ir.Value, ir.Value]
"""The eight words as the instructions want them: (F, E, B, A) and (H, G, D, C)."""


class _Emitter:
    """Emits SHA-256 in the x86 SHA extensions, which do two rounds an instruction."""

    _WORDS = ir.VectorType(ir.IntType(32), 4)
    _BYTES = ir.VectorType(ir.IntType(8), 16)

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder = builder
        a, b, c, d, e, f, g, h = _START
        self.initial: _State = self.words(f, e, b, a), self.words(h, g, d, c)

    def words(self, *values: int) -> ir.Constant:
        return ir.Constant(self._WORDS, values)

    def loop_over_blocks(self, data: ir.Value, blocks: ir.Value) -> _State:
        """The state after all blocks at `data`."""
        places = [self.builder.alloca(self._WORDS) for _ in self.initial]
        for place, half in zip(places, self.initial, strict=True):
            self.builder.store(half, place)
        with cgutils.for_range(self.builder, blocks) as loop:
            block = self.builder.gep(data, [self.builder.mul(loop.index, cgutils.intp_t(BLOCK))])
            quads = [self._swapped(self._vector(block, i)) for i in range(4)]
            state = self.compression((self.builder.load(places[0]), self.builder.load(places[1])), quads)
            for place, half in zip(places, state, strict=True):
                self.builder.store(half, place)
        return self.builder.load(places[0]), self.builder.load(places[1])

    def compression(self, start: _State, quads: list[ir.Value]) -> _State:
        """The state after the block whose 16 words are the four `quads`."""
        feba, hgdc = start
        quads = list(quads)
        for i in range(16):
            if i >= 4:
                partial = self.builder.add(self._call("msg1", *quads[-4:-2]), self._pick(*quads[-2:], 1, 2, 3, 4))
                quads.append(self._call("msg2", partial, quads[-1]))
            keyed = self.builder.add(quads[i], self.words(*_ROUNDS[4 * i : 4 * i + 4]))
            hgdc = self._call("rnds2", hgdc, feba, keyed)
            feba = self._call("rnds2", feba, hgdc, self._pick(keyed, keyed, 2, 3, 2, 3))
        return self.builder.add(feba, start[0]), self.builder.add(hgdc, start[1])

    def natural(self, state: _State) -> _State:
        """(A, B, C, D) and (E, F, G, H)."""
        return self._pick(*state, 3, 2, 7, 6), self._pick(*state, 1, 0, 5, 4)

    def store_digest(self, state: _State, out: ir.Value) -> None:
        for i, half in enumerate(self.natural(state)):
            pointer = self.builder.gep(self.builder.bitcast(out, self._WORDS.as_pointer()), [cgutils.intp_t(i)])
            self.builder.store(self._swapped(half), pointer, align=1)

    def _swapped(self, quad: ir.Value) -> ir.Value:
        """The bytes of each word in reverse."""
        as_bytes = self.builder.bitcast(quad, self._BYTES)
        return self.builder.bitcast(self._pick(as_bytes, as_bytes, *(i ^ 3 for i in range(16))), self._WORDS)

    def _vector(self, pointer: ir.Value, place: int) -> ir.Value:
        vectors = self.builder.bitcast(pointer, self._WORDS.as_pointer())
        return self.builder.load(self.builder.gep(vectors, [cgutils.intp_t(place)]), align=1)

    def _pick(self, left: ir.Value, right: ir.Value, *lanes: int) -> ir.Value:
        return self.builder.shuffle_vector(left, right, ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes))

    def _call(self, name: str, *operands: ir.Value) -> ir.Value:
        kind = ir.FunctionType(self._WORDS, [self._WORDS] * len(operands))
        module, name = self.builder.module, f"llvm.x86.sha256{name}"
        # llvmlite carries no types.
        return self.builder.call(cgutils.get_or_insert_function(module, kind, name), operands)  # type: ignore[no-untyped-call]


@compiled
def double_hash_by_instruction(data: Bytes, blocks: int, out: Bytes) -> None:
    """As `double_hash_portably`; only where `HAS_INSTRUCTIONS`."""
    # An intrinsic takes its typing context from the compiler, not from the caller.
    _double_hash_by_instruction(data, blocks, out)  # type: ignore[call-arg]


def double_hash_by_hashlib(data: Bytes, blocks: int, out: Bytes) -> None:
    """As `double_hash_portably`, in ordinary Python: the length is in the padding."""
    length = int.from_bytes(data[blocks * BLOCK - 8 : blocks * BLOCK].tobytes(), "big") // 8
    out[:32] = np.frombuffer(double_sha256(data[:length].tobytes()), np.uint8)


_COMPILER: Final = vars(config)
_INTERPRETED: Final = bool(_COMPILER["DISABLE_JIT"])

HAS_INSTRUCTIONS: Final = (
    not _INTERPRETED
    # A processor named in the environment is what kernels are compiled for, whatever this machine has.
    and not _COMPILER["CPU_NAME"]
    and not _COMPILER["CPU_FEATURES"]
    and bool(binding.get_host_cpu_features().get("sha"))
)

if _INTERPRETED:
    double_hash = double_hash_by_hashlib
else:
    double_hash = double_hash_by_instruction if HAS_INSTRUCTIONS else double_hash_portably


def double_sha256(data: bytes | memoryview) -> bytes:
    """SHA-256 of SHA-256, outside kernels."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
