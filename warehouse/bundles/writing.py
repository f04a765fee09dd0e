"""Into a snapshot: one published state, while the writer goes on."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from warehouse.bundles.archive import ending, header, padding
from warehouse.bundles.contents import NAME, SIGNATURE, Contents, Member
from warehouse.bundles.errors import NothingToExport, OutputExists
from warehouse.bundles.hashes import balances_hash
from warehouse.bundles.reading import Advance
from warehouse.files import UNFINISHED, exclusive, file_sha256, sync_directory, sync_file
from warehouse.manifest import NAME as MANIFEST
from warehouse.manifest import write_manifest
from warehouse.snapshot import LakeReader, Snapshot

HELD: Final = "export"
"""What the folder is called, in the lake's, that holds the files of a state while they are copied."""


def export(directory: Path, output: Path, key: Ed25519PrivateKey, advance: Advance = lambda _: None) -> Contents:
    """Write the newest published state of the lake to `output`: one tar, or a folder when it ends with a slash.

    It appears whole or not at all. Raises LakeError, NothingToExport, OutputExists, and
    LakeInUse while another export is under way.
    """
    if output.exists():
        raise OutputExists(output)
    with _held(directory) as (held, snapshot):
        contents = _contents(held, snapshot)
        signature = key.sign(contents.encoded())
        unfinished = output.with_name(f"{output.name}-{secrets.token_hex(4)}{UNFINISHED}")
        try:
            (_write_tar if output.suffix == ".tar" else _write_folder)(held, unfinished, contents, signature, advance)
            unfinished.rename(output)
            sync_directory(output.resolve().parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.unlink(missing_ok=True)
    return contents


@contextmanager
def _held(directory: Path) -> Iterator[tuple[Path, Snapshot]]:
    """A folder with the files of the newest state, which the writer cannot remove there. They are links, not copies."""
    held = directory / HELD

    def linked(snapshot: Snapshot) -> Snapshot:
        shutil.rmtree(held, ignore_errors=True)
        for name in snapshot.manifest.paths():
            (held / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(directory / name, held / name)
        return snapshot

    with exclusive(directory / f"{HELD}.lock"):
        try:
            snapshot = LakeReader(directory).read(linked)
            if snapshot.manifest.tip is None:
                raise NothingToExport(directory)
            write_manifest(held, snapshot.manifest)
            yield held, Snapshot(held, snapshot.manifest)
        finally:
            shutil.rmtree(held, ignore_errors=True)


def _contents(held: Path, snapshot: Snapshot) -> Contents:
    manifest = snapshot.manifest
    assert manifest.tip is not None
    files = [segment.file for segment in manifest.segments]
    files += [file for fold in manifest.folds for file in fold.files]
    members = sorted((Member(file.path, file.bytes, file.sha256) for file in files), key=lambda member: member.path)
    own = held / MANIFEST
    return Contents(
        manifest.network,
        manifest.tip.height,
        manifest.tip.hash,
        manifest.cumulative_hash,
        balances_hash(snapshot),
        manifest.schema_version,
        (*members, Member(MANIFEST, own.stat().st_size, file_sha256(own))),
    )


def _write_tar(held: Path, target: Path, contents: Contents, signature: bytes, advance: Advance) -> None:
    with target.open("wb") as archive:
        for name, content in ((NAME, contents.encoded()), (SIGNATURE, signature)):
            archive.write(header(name, len(content)) + content + padding(len(content)))
        for member in contents.files:
            archive.write(header(member.path, member.bytes))
            with (held / member.path).open("rb") as file:
                shutil.copyfileobj(file, archive)
            archive.write(padding(member.bytes))
            advance(member.bytes)
        archive.write(ending(archive.tell()))
    sync_file(target)


def _write_folder(held: Path, target: Path, contents: Contents, signature: bytes, advance: Advance) -> None:
    target.mkdir()
    for name, content in ((NAME, contents.encoded()), (SIGNATURE, signature)):
        (target / name).write_bytes(content)
        sync_file(target / name)
    for member in contents.files:
        (target / member.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(held / member.path, target / member.path)
        sync_file(target / member.path)
        advance(member.bytes)
