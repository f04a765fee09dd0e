"""Snapshots of the recorded chain, taken apart and put together again."""

import json
import tarfile
from pathlib import Path

from tests.helpers.recorded import recorded_lake
from warehouse.bundles.archive import ending, padding
from warehouse.bundles.contents import NAME, SIGNATURE
from warehouse.bundles.signing import make_key_pair, read_private
from warehouse.bundles.writing import export

FORMS = ("chain.tar", "chain")


def exported_home(home: Path) -> Path:
    """A lake of the recorded chain, key pairs of two operators, and a snapshot in either form."""
    recorded_lake(home)
    for name in ("ours", "theirs"):
        make_key_pair(home / f"{name}.key", home / f"{name}.pub")
    for form in FORMS:
        export(home / "lake", home / form, read_private(home / "ours.key"))
    return home


def as_folder(bundle: Path) -> Path:
    """The files of the snapshot in a folder, to be changed there."""
    if bundle.is_dir():
        return bundle
    folder = bundle.with_suffix(".files")
    with tarfile.open(bundle) as archive:
        archive.extractall(folder, filter="data")
    return folder


def packed(folder: Path, bundle: Path) -> None:
    """The folder's files as the snapshot again, in the order and with the headers of an export."""
    if folder == bundle:
        return
    try:
        listed = [file["path"] for file in json.loads((folder / NAME).read_bytes())["files"]]
    except ValueError:
        listed = []
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or path.is_file()}
    names = [name for name in (NAME, SIGNATURE, *listed) if name in found]
    content = b"".join(entry(folder, name) for name in [*names, *sorted(found - set(names))])
    bundle.write_bytes(content + ending(len(content)))


def entry(folder: Path, name: str) -> bytes:
    """A file, or a link, with its header."""
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    if (folder / name).is_symlink():
        info.type = tarfile.SYMTYPE
        info.linkname = str((folder / name).readlink())
        return info.tobuf()
    content = (folder / name).read_bytes()
    info.size = len(content)
    return info.tobuf() + content + padding(info.size)
