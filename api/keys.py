"""API keys: kept as hashes beside the lake, shown once when they are made."""

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from warehouse.errors import LakeError
from warehouse.files import exclusive, write_whole
from warehouse.manifest import read_manifest
from warehouse.trail import note

NAME: Final = "keys.json"
LOCK: Final = "keys.lock"

PREFIX: Final = "smp_"
SHAPE: Final = re.compile(r"smp_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
"""`smp_`, the key's id, and 256 random bits: a plain hash of it cannot be searched, so no slow one is needed."""


class Scope(StrEnum):
    """What a client may do."""

    READ = "read"
    """Ask every route, lists without their caps."""
    SQL = "sql"
    """Send SQL of its own."""
    ADMIN = "admin"
    """See what is for the operator: metrics."""


class UnknownKey(LakeError):
    """No key has this id."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of a key."""

    id: str
    """Also the visible part of the key, `smp_<id>_…`."""
    name: str
    scopes: tuple[Scope, ...]
    sha256: str
    created: str
    rate: str | None = None
    """Requests by cost, like `6000/minute`; None for the server's default."""
    revoked: str | None = None


def create_key(directory: Path, name: str, scopes: Iterable[Scope], rate: str | None = None) -> tuple[Key, str]:
    """Make a key for the lake in `directory`: what is kept of it, and its text, which is never shown again.

    Raises LakeNotFound where there is no lake.
    """
    read_manifest(directory)
    id_ = secrets.token_hex(4)
    text = f"{PREFIX}{id_}_{secrets.token_urlsafe(32)}"
    key = Key(id_, name, tuple(sorted(set(scopes))), _sha256(text), _now(), rate)
    with exclusive(directory / LOCK):
        _write(directory, [*read_keys(directory), key])
    note(directory, "create key", key=id_, name=name, scopes=list(key.scopes), rate=rate)
    return key, text


def revoke_key(directory: Path, id_: str) -> Key:
    """From now on the key opens nothing. Raises UnknownKey."""
    with exclusive(directory / LOCK):
        keys = {key.id: key for key in read_keys(directory)}
        if id_ not in keys:
            raise UnknownKey(f"{directory} has no key {id_}: `simplicity keys list` shows the ids")
        keys[id_] = replace(keys[id_], revoked=keys[id_].revoked or _now())
        _write(directory, keys.values())
    note(directory, "revoke key", key=id_)
    return keys[id_]


def read_keys(directory: Path) -> list[Key]:
    """All keys ever made, revoked ones too, oldest first."""
    path = directory / NAME
    if not path.exists():
        return []
    return [_key(entry) for entry in json.loads(path.read_bytes())]


class KeyRing:
    """The keys in force, read anew when their file has changed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen: tuple[int, int] | None = None
        self._keys: dict[str, Key] = {}

    def find(self, text: str) -> Key | None:
        """The key in force whose text this is."""
        match = SHAPE.fullmatch(text)
        self._refresh()
        key = self._keys.get(match[1]) if match else None
        return key if key and hmac.compare_digest(key.sha256, _sha256(text)) else None

    def _refresh(self) -> None:
        try:
            status = (self._directory / NAME).stat()
        except FileNotFoundError:
            self._seen, self._keys = None, {}
            return
        seen = (status.st_ino, status.st_mtime_ns)
        if seen != self._seen:
            self._keys = {key.id: key for key in read_keys(self._directory) if key.revoked is None}
            self._seen = seen


def _write(directory: Path, keys: Iterable[Key]) -> None:
    mask = os.umask(0o077)
    try:
        write_whole(directory / NAME, json.dumps([asdict(key) for key in keys], indent=1).encode())
    finally:
        os.umask(mask)


def _key(entry: dict[str, Any]) -> Key:
    return Key(**{**entry, "scopes": tuple(map(Scope, entry["scopes"]))})


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
