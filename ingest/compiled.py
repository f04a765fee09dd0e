"""The one door to the compiler: kernels are plain functions on arrays until `compiled` translates them.

Translations are kept on disk. The compiler would notice a change of the kernel's own file only, not of kernels and
constants that it imports, so each file's translations lie in a folder named for all sources that the file is made of.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])

ROOT: Final = Path(__file__).parent.parent


IMPORT: Final = re.compile(r"^from ((?:ingest|engine)[\w.]*) import (\([^)]*\)|.+)$", re.MULTILINE)


def compiled(function: F) -> F:
    """Compile `function` on first use, keep the result on disk, and release the interpreter lock while it runs.

    `NUMBA_DISABLE_JIT=1` leaves the function as it is, which is how coverage sees inside kernels.
    """
    return translated(function)


def translated(function: F, **options: Any) -> F:
    """`compiled` with more of the compiler's options."""
    if not os.environ.get("NUMBA_CACHE_DIR"):
        vars(numba.config).update(CACHE_DIR=str(kernel_folder(function.__module__)))
    return cast(F, numba.njit(cache=True, nogil=True, boundscheck=False, **options)(function))


def is_first_run() -> bool:
    """Whether nothing was compiled yet: compiling every kernel takes about a minute."""
    folder = vars(numba.config)["CACHE_DIR"]
    return bool(folder) and not any(Path(folder).parent.rglob("*.nbi"))


@cache
def kernel_folder(module: str) -> Path:
    """Where the translations of a module are kept: beside the sources, or in the user's temporary folder when that is
    not writable. What was kept for other sources of the module is removed."""
    beside, private = ROOT / "ingest/__pycache__/kernels", Path(tempfile.gettempdir()) / f"simplicity-{os.getuid()}"
    name = f"{module}-{sources_digest(module)}"
    folder = next(folder for home in (beside, private) if (folder := writable(home / name)))
    for old in folder.parent.glob(f"{module}-*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)
    return folder


def writable(folder: Path) -> Path | None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def sources_digest(module: str) -> str:
    """Changes when the file of the module does, or one that it imports, directly or not."""
    digest = sha256()
    for path in sorted(sources_of(module, set())):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def sources_of(module: str, seen: set[Path]) -> set[Path]:
    """Our files that a module is made of, added to `seen`."""
    path = (ROOT / module.replace(".", "/")).with_suffix(".py")
    if path.exists() and path not in seen:
        seen.add(path)
        for package, names in IMPORT.findall(path.read_text()):
            for name in (package, *(f"{package}.{name}" for name in re.findall(r"\w+", names))):
                sources_of(name, seen)
    return seen
