"""Runs of bytes, moved and read by words. Compiled."""

from collections.abc import Callable
from typing import Any, Final, cast

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from engine.compiled import helper


@helper
def word(data: Any, at: Any) -> Any:
    """Eight bytes as a little-endian number."""
    first = np.uint64(at)  # an index without sign needs no test for counting from the end
    return (
        np.uint64(data[first])
        | np.uint64(data[first + np.uint64(1)]) << np.uint64(8)
        | np.uint64(data[first + np.uint64(2)]) << np.uint64(16)
        | np.uint64(data[first + np.uint64(3)]) << np.uint64(24)
        | np.uint64(data[first + np.uint64(4)]) << np.uint64(32)
        | np.uint64(data[first + np.uint64(5)]) << np.uint64(40)
        | np.uint64(data[first + np.uint64(6)]) << np.uint64(48)
        | np.uint64(data[first + np.uint64(7)]) << np.uint64(56)
    )


def _memcpy_of(typing: Any, target: Any, at: Any, source: Any, start: Any, size: Any) -> Any:
    """Loops over bytes are an order of magnitude slower than the machine's own copy."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to = context.make_array(signature.args[0])(context, builder, arguments[0])
        from_ = context.make_array(signature.args[2])(context, builder, arguments[2])
        first = builder.gep(to.data, [arguments[1]])
        second = builder.gep(from_.data, [arguments[3]])
        cast(Any, cgutils).raw_memcpy(builder, first, second, arguments[4], 1)
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64, types.int64), generate


_memcpy: Final[Callable[..., None]] = intrinsic(_memcpy_of)


def _copy_in_python(target: Any, at: Any, source: Any, start: Any, size: Any) -> Any:
    target[at : at + size] = source[start : start + size]


def _copy(target: Any, at: Any, source: Any, start: Any, size: Any) -> Any:
    _memcpy(target, at, source, start, size)


copy: Final[Callable[..., None]] = _copy_in_python if cast(Any, numba.config).DISABLE_JIT else helper(_copy)
"""`copy(target, at, source, start, size)`: copy bytes to another array, or to a place of the same beyond them."""
