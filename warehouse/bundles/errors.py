"""What can be wrong with a snapshot, each with what to do about it."""

from pathlib import Path

from warehouse.errors import DifferenceFound, LakeError


class UnusableKey(LakeError):
    """A file that should hold a key does not."""

    def __init__(self, path: Path, kind: str, why: str) -> None:
        super().__init__(
            f"{path} is no {kind} key of ed25519 in PEM ({why}): make a pair with `simplicity snapshot key`"
        )


class NothingToExport(LakeError):
    """The lake has no block yet."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"{directory} has no block to export: run `simplicity sync` first")


class OutputExists(LakeError):
    """A snapshot would be written over something."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is already there: remove it, or give another --output")


class NoSnapshot(LakeError):
    """What is at the place is not a snapshot."""

    def __init__(self, place: Path | str, why: str) -> None:
        super().__init__(f"{place} is not a snapshot ({why}): get it again from where it was made")


class WrongSignature(DifferenceFound):
    """The list of contents was not signed with the key that is believed."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"snapshot.json in {place} was not signed by the given key: it was changed, or made by somebody else; "
            "do not use it"
        )


class Tampered(DifferenceFound):
    """A file of the snapshot is not what its maker signed. `name` is its path in the snapshot."""

    def __init__(self, place: str, name: str, why: str) -> None:
        super().__init__(f"{name} in {place} {why}: do not use this snapshot, get it again from where it was made")
        self.name = name


class DownloadStopped(LakeError):
    """A server gave nothing more, several times in a row."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place} gives no more ({why}): run the same command again, an import goes on where it was")


class AlreadyThere(LakeError):
    """The lake that a snapshot was to be imported into holds its chain already."""

    def __init__(self, directory: Path, tip: int, height: int) -> None:
        super().__init__(
            f"the lake in {directory} already holds this chain up to height {tip}, the snapshot ends at {height}: "
            "there is nothing to import, `simplicity sync` goes on"
        )
        self.directory = directory


class OtherLake(LakeError):
    """A snapshot was to be imported where something else already is."""

    def __init__(self, directory: Path, why: str) -> None:
        super().__init__(f"{directory} {why}: import into an empty folder")
