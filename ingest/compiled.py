"""The one door to the compiler: kernels are plain functions on arrays until `compiled` translates them.

Translations are kept on disk. The compiler would notice a change of the kernel's own file only, not of kernels and
constants that it imports, so the folder is named for the sources of all kernels: another version never runs old code.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])

ROOT: Final = Path(__file__).parent.parent


def compiled(function: F) -> F:
    """Compile `function` on first use, keep the result on disk, and release the interpreter lock while it runs.

    `NUMBA_DISABLE_JIT=1` leaves the function as it is, which is how coverage sees inside kernels.
    """
    return cast(F, numba.njit(cache=True, nogil=True, boundscheck=False)(function))


def is_first_run() -> bool:
    """Whether no kernel of these sources is kept yet: compiling them all takes about a minute."""
    folder = Path(vars(numba.config)["CACHE_DIR"])
    return not any(folder.iterdir())


def sources_digest() -> str:
    """Changes when any file that kernels are made of does."""
    digest = sha256()
    for package in ("ingest", "engine"):
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def kernel_folder() -> Path:
    """Where translations are kept: beside the sources, or in the user's temporary folder when that is not writable.

    Folders of other versions beside the sources are removed.
    """
    name = f"kernels-{sources_digest()}"
    beside = Path(__file__).parent / "__pycache__"
    try:
        (beside / name).mkdir(parents=True, exist_ok=True)
        if not os.access(beside / name, os.W_OK):
            raise PermissionError(beside)
    except OSError:
        private = Path(tempfile.gettempdir()) / f"simplicity-{os.getuid()}" / name
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
        return private
    for old in beside.glob("kernels-*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)
    return beside / name


if not os.environ.get("NUMBA_CACHE_DIR"):
    vars(numba.config).update(CACHE_DIR=str(kernel_folder()))
