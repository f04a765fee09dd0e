"""The trail of administrative actions: who did what to this lake, one JSON object a line.

Lines are appended, and never change; only pruning takes the oldest away, and leaves a line that says so.
"""

import fcntl
import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any, Final

NAME: Final = "trail.jsonl"


def note(directory: Path, action: str, **details: Any) -> None:
    """Append an action, durably, in place of what a crash left of a line. `details` are JSON values without secrets."""
    line = _line(action, details)
    with _held(directory / NAME) as file:
        whole = file.read().rfind(b"\n") + 1
        file.seek(whole)
        file.truncate()
        _write(file, line)


def actions(directory: Path) -> list[dict[str, Any]]:
    """Everything noted and not pruned, oldest first. A line that a crash cut off is left out."""
    path = directory / NAME
    return [json.loads(line) for line in _whole_lines(path.read_bytes())] if path.exists() else []


def prune(directory: Path, before: date) -> int:
    """Remove the actions of the days (UTC) before a date, and note that; how many they were.

    A crash leaves the old trail or the new one, whole. Where nothing is that old, nothing is written.
    """
    path = directory / NAME
    if not path.exists():
        return 0
    with _held(path) as file:
        lines = _whole_lines(file.read())
        kept = [line for line in lines if not _is_before(line, before)]
        removed = len(lines) - len(kept)
        if removed:
            _replace(path, file, [*kept, _line("prune trail", {"before": before.isoformat(), "removed": removed})])
    return removed


@contextmanager
def _held(path: Path) -> Iterator[IO[bytes]]:
    """The trail, made if it is not there, under its lock; never a file that was replaced while waiting for the lock."""
    while True:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(path, file):
                yield file
                return


def _is_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _replace(path: Path, old: IO[bytes], lines: list[bytes]) -> None:
    """Put a file of these lines in the place of `old`, which is held, with the same owner.

    The new file is held too until its name is durable: a crash could otherwise take an action back that somebody has
    already noted in it.
    """
    beside = path.with_name(f"{NAME}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        owner, mine = os.fstat(old.fileno()), os.fstat(file.fileno())
        if owner.st_uid != mine.st_uid:
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        _write(file, *lines)
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _write(file: IO[bytes], *lines: bytes) -> None:
    file.write(b"".join(line + b"\n" for line in lines))
    file.flush()
    os.fsync(file.fileno())


def _line(action: str, details: dict[str, Any]) -> bytes:
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "by": getpass.getuser(),
        "action": action,
        **details,
    }
    return json.dumps(line, ensure_ascii=False).encode()


def _whole_lines(text: bytes) -> list[bytes]:
    return [line for line in text.split(b"\n")[:-1] if line]


def _is_before(line: bytes, day: date) -> bool:
    noted = json.loads(line).get("time")
    return noted is not None and datetime.fromisoformat(noted).date() < day
