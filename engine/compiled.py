"""The engine's door to the compiler, for functions that allocate nothing.

They do without the counting of references to arrays, which otherwise costs a kernel of many small functions far more
than its work: judging is ten times as fast without it.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba

import ingest.compiled  # noqa: F401 - says where translations are kept

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "boundscheck": False, "_nrt": False}
_UNWRAPPED: Final[dict[str, Any]] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: F) -> F:
    """Compile a kernel, which Python calls; the interpreter lock is released while it runs."""
    return cast(F, numba.njit(**_OPTIONS)(function))


def helper(function: F) -> F:
    """Compile a function that only kernels call."""
    return cast(F, numba.njit(**_OPTIONS, **_UNWRAPPED)(function))
