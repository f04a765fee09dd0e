"""The one door to the compiler: kernels are plain functions on arrays until `compiled` translates them."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile `function` on first use, keep the result on disk, and release the interpreter lock while it runs.

    `NUMBA_DISABLE_JIT=1` leaves the function as it is, which is how coverage sees inside kernels.
    """
    return cast(F, numba.njit(cache=True, nogil=True, boundscheck=False)(function))
