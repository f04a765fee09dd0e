"""The engine's use of the compiler, for functions that allocate nothing.

They do without the counting of references to arrays, which otherwise costs a kernel of many small functions far more
than its work: judging is ten times as fast without it.
"""

from collections.abc import Callable
from typing import TypeVar

from ingest.compiled import translated

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a kernel, which Python calls; the interpreter lock is released while it runs."""
    return translated(function, _nrt=False)


def helper(function: F) -> F:
    """Compile a function that only kernels call."""
    return translated(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)
