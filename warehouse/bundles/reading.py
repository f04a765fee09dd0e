"""Out of a snapshot: its files checked, and made into a lake that nobody sees before it is whole."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from warehouse.bundles.contents import Contents, Member
from warehouse.bundles.errors import AlreadyThere, OtherLake, Tampered
from warehouse.bundles.package import Package, checked_contents, opened
from warehouse.files import UNFINISHED, HashedFile, exclusive, file_sha256, sync_directory
from warehouse.manifest import NAME as MANIFEST
from warehouse.manifest import read_any_manifest
from warehouse.snapshot import Snapshot

_CHUNK: Final = 1 << 20

Advance = Callable[[int], None]
"""Told how many bytes are done, again and again."""


def verify(place: Path | str, key: Ed25519PublicKey, advance: Advance = lambda _: None) -> Contents:
    """Check every byte of the snapshot at `place`, a path or an address.

    Raises NoSnapshot, WrongSignature, Tampered, NewerFormat and DownloadStopped.
    """
    with opened(place) as package:
        contents = checked_contents(package, key)
        for member in contents.files:
            _copy(package, member, None, advance)
    return contents


def import_into(
    place: Path | str, directory: Path, key: Ed25519PublicKey, advance: Advance = lambda _: None
) -> Contents:
    """Make the lake of the snapshot at `place` in `directory`, or go on with an import that was interrupted.

    Files that are there as they must be are kept. The manifest comes last: before it there is no lake. Raises what
    `verify` does, OtherLake, AlreadyThere and LakeInUse.
    """
    with opened(place) as package:
        contents = checked_contents(package, key)
        _check_room(directory, contents)
        directory.mkdir(parents=True, exist_ok=True)
        with exclusive(directory / "lock"):
            _check_room(directory, contents)
            for member in contents.files:
                target = directory / member.path
                if target.is_file() and file_sha256(target) == member.sha256:
                    advance(member.bytes)
                else:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    _copy(package, member, target, advance)
    read_any_manifest(directory)
    return contents


def _check_room(directory: Path, contents: Contents) -> None:
    manifest = directory / MANIFEST
    if manifest.exists() and file_sha256(manifest) != contents.files[-1].sha256:
        held = Snapshot(directory, read_any_manifest(directory))
        tip = held.manifest.tip
        if tip and held.manifest.network == contents.network and held.block_hash(contents.height) == contents.hash:
            raise AlreadyThere(directory, tip.height, contents.height)
        raise OtherLake(directory, "holds a lake of its own")
    listed = {member.path for member in contents.files}
    for folder in ("segments", "folds"):
        for path in sorted((directory / folder).rglob("*")):
            name = str(path.relative_to(directory))
            if path.is_symlink() or (path.is_file() and name.removesuffix(UNFINISHED) not in listed):
                raise OtherLake(directory, f"holds {name}, which is not of this snapshot")


def _copy(package: Package, member: Member, target: Path | None, advance: Advance) -> None:
    """Read a file and compare it with what was signed; written to `target`, it appears there whole or not at all."""
    digest = hashlib.sha256()
    count = 0
    unfinished = None if target is None else target.with_name(target.name + UNFINISHED)
    output = None if unfinished is None else HashedFile(unfinished)
    try:
        with package.open(member) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                count += len(chunk)
                if output is not None:
                    output.write(chunk)
                advance(len(chunk))
        if (count, digest.hexdigest()) != (member.bytes, member.sha256):
            raise Tampered(package.place, member.path, "is not what was signed")
    except BaseException:
        if output is not None and unfinished is not None:
            output.close()
            unfinished.unlink()
        raise
    if target is not None and output is not None and unfinished is not None:
        output.close()
        os.replace(unfinished, target)
        sync_directory(target.parent)
