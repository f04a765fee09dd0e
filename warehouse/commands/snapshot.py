"""`simplicity snapshot`: one published state for others, signed, and back into a lake."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import rich.progress
import typer
from rich.console import Console

import settings
from warehouse.bundles.contents import Contents
from warehouse.bundles.drill import drill as try_restore
from warehouse.bundles.reading import Advance, import_into
from warehouse.bundles.reading import verify as verify_files
from warehouse.bundles.signing import make_key_pair, read_private, read_public
from warehouse.bundles.web import is_address, is_open_to_others
from warehouse.bundles.writing import export as write_snapshot
from warehouse.manifest import read_any_manifest
from warehouse.tables import SCHEMA_VERSION
from warehouse.trail import note

DIFFERENCE = 1

console = Console(stderr=True, highlight=False, soft_wrap=True)

snapshot_app = typer.Typer(
    help="Export a published state, signed; verify it; make a lake of it; try a restore.", no_args_is_help=True
)

Snapshot = Annotated[
    str, typer.Argument(help="The snapshot: a tar file or a folder, here or on a server.", metavar="FILE|DIR|URL")
]
Key = Annotated[
    Path,
    settings.setting(
        "snapshot-key", "Public key (PEM) of whom you believe. Get it apart from the snapshot.", metavar="FILE"
    ),
]


@snapshot_app.command()
def key(
    private: Annotated[Path, typer.Argument(help="File for the private key, which signs.", metavar="PRIVATE")],
    public: Annotated[Path, typer.Argument(help="File for the public key, to hand out.", metavar="PUBLIC")],
) -> None:
    """Make a key pair for signing snapshots."""
    make_key_pair(private, public)
    console.print(f"{private} signs and stays with you; {public} is for those who import", markup=False)


@snapshot_app.command()
def export(
    data: settings.Data,
    output: Annotated[
        Path,
        settings.setting(
            "output", "Where to: one tar file if it ends with .tar, else a folder. It must not be there yet."
        ),
    ],
    signing_key: Annotated[
        Path, settings.setting("snapshot-signing-key", "Private key (PEM, ed25519) to sign with.", metavar="FILE")
    ],
) -> None:
    """Write the newest published state, also while `sync` goes on."""
    private = read_private(signing_key)
    with _bar("exporting") as advance:
        contents = write_snapshot(data, output, private, advance)
    note(data, "export snapshot", output=str(output), height=contents.height, hash=contents.hash)
    console.print(f"exported {_described(contents)}", markup=False)


@snapshot_app.command()
def verify(snapshot: Snapshot, snapshot_key: Key) -> None:
    """Check the signature and every byte; nothing is written."""
    public = read_public(snapshot_key)
    _warn_of_plain_text(snapshot)
    with _bar("verifying") as advance:
        contents = verify_files(snapshot, public, advance)
    console.print(f"genuine: {_described(contents)}", markup=False)


@snapshot_app.command("import")
def import_(snapshot: Snapshot, data: settings.Data, snapshot_key: Key) -> None:
    """Make a lake of the snapshot, or go on where an interrupted import stopped; `sync` follows from its height."""
    public = read_public(snapshot_key)
    _warn_of_plain_text(snapshot)
    with _bar("importing") as advance:
        contents = import_into(snapshot, data, public, advance)
    note(data, "import snapshot", height=contents.height, hash=contents.hash, cumulative_hash=contents.cumulative_hash)
    console.print(f"imported {_described(contents)}", markup=False)
    if read_any_manifest(data).schema_version < SCHEMA_VERSION:
        console.print("its tables are of an older version: run `simplicity rebuild` next, it needs no node")


@snapshot_app.command()
def drill(
    snapshot: Snapshot,
    snapshot_key: Key,
    rebuild: Annotated[
        bool, settings.setting("rebuild", "Also derive every table anew from the archive, and compare again.")
    ] = False,
) -> None:
    """Restore into a temporary folder, compare all hashes, and say how long it took."""
    public = read_public(snapshot_key)
    _warn_of_plain_text(snapshot)
    with _bar("restoring") as advance:
        report = try_restore(snapshot, public, rebuild, advance)
    for each in report.comparisons:
        verdict = "equal" if each.expected == each.found else f"DIFFERS, expected {each.expected}"
        print(f"{each.what:<32} {each.found}  {verdict}")
    size = report.contents.bytes / 1e6
    print(f"restored {size:.1f} MB in {report.restored:.2f} s, {size / max(report.restored, 1e-9):.0f} MB/s")
    print(f"compared in {report.compared:.2f} s")
    if report.differs:
        raise typer.Exit(DIFFERENCE)
    console.print(f"restorable: {_described(report.contents)}", markup=False)


def _warn_of_plain_text(place: str) -> None:
    if is_address(place) and is_open_to_others(place):
        console.print("the snapshot comes over plain http: its signature protects it, https also hides what you fetch")


def _described(contents: Contents) -> str:
    return (
        f"{contents.network}, height {contents.height} ({contents.hash}), cumulative hash {contents.cumulative_hash}, "
        f"{len(contents.files)} files, {contents.bytes} bytes"
    )


@contextmanager
def _bar(doing: str) -> Iterator[Advance]:
    with rich.progress.Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda count: bar.advance(task, count)
