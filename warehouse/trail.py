"""The trail of administrative actions: who did what to this lake, one JSON object a line, never rewritten."""

import fcntl
import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

NAME: Final = "trail.jsonl"


def note(directory: Path, action: str, **details: Any) -> None:
    """Append an action, durably, in place of what a crash left of a line. `details` are JSON values without secrets."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "by": getpass.getuser(),
        "action": action,
        **details,
    }
    descriptor = os.open(directory / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        whole = file.read().rfind(b"\n") + 1
        file.seek(whole)
        file.truncate()
        file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def actions(directory: Path) -> list[dict[str, Any]]:
    """Everything noted, oldest first. A line that a crash cut off is left out."""
    path = directory / NAME
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines[:-1] if line]
