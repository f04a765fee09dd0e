"""A snapshot where it lies: one tar or a folder, here or on a server."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from warehouse.bundles.archive import Archive, Readable
from warehouse.bundles.contents import Contents, Member
from warehouse.bundles.errors import NoSnapshot, WrongSignature
from warehouse.bundles.folder import Folder
from warehouse.bundles.signing import signed_by
from warehouse.bundles.web import WebFile, WebFolder, connected, is_address, shown
from warehouse.errors import NewerFormat
from warehouse.tables import SCHEMA_VERSION


class Package(Protocol):
    """Where a snapshot's files are read from."""

    place: str

    def signed(self) -> tuple[bytes, bytes]:
        """The list of contents and its signature. Raises NoSnapshot, Tampered, DownloadStopped."""

    def check(self, contents: Contents) -> None:
        """Take over what must be in it. Raises Tampered for what is missing or too much, as far as that shows."""

    def open(self, member: Member) -> AbstractContextManager[Readable]:
        """One of the files for reading. Raises Tampered."""


@contextmanager
def opened(place: Path | str) -> Iterator[Package]:
    """The snapshot at `place`: a path, or an address, of one file when that ends with `.tar`. Raises NoSnapshot."""
    if is_address(str(place)):
        try:
            url = httpx.URL(str(place))
        except httpx.InvalidURL as error:
            raise NoSnapshot(place, str(error)) from error
        if not url.host:
            raise NoSnapshot(place, "the address names no server")
        with connected() as client:
            yield Archive(shown(url), WebFile(client, url)) if url.path.endswith(".tar") else WebFolder(client, url)
        return
    path = Path(place)
    if path.is_dir():
        yield Folder(path)
    elif path.exists():
        with path.open("rb") as file:
            yield Archive(str(path), file)
    else:
        raise NoSnapshot(path, "there is nothing of this name")


def checked_contents(package: Package, key: Ed25519PublicKey) -> Contents:
    """What the snapshot says it holds, once it is clear who says so and that nothing else is in it.

    Raises NoSnapshot, WrongSignature, Tampered and NewerFormat.
    """
    content, signature = package.signed()
    if not signed_by(key, signature, content):
        raise WrongSignature(package.place)
    try:
        contents = Contents.parsed(content)
    except ValueError as error:
        raise NoSnapshot(package.place, str(error)) from error
    if contents.schema_version > SCHEMA_VERSION:
        raise NewerFormat(package.place, "schema version", contents.schema_version, SCHEMA_VERSION)
    package.check(contents)
    return contents
