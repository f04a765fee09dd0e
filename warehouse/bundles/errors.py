"""What can be wrong with a snapshot, each with what to do about it."""

from pathlib import Path

from warehouse.errors import LakeError


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
    """The file or folder is not a snapshot."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is not a snapshot ({why}): get it again from where it was made")


class WrongSignature(LakeError):
    """The list of contents was not signed with the key that is believed."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"snapshot.json in {path} was not signed by the given key: it was changed, or made by somebody else; "
            "do not use it"
        )


class Tampered(LakeError):
    """A file of the snapshot is not what its maker signed. `name` is its path in the snapshot."""

    def __init__(self, path: Path, name: str, why: str) -> None:
        super().__init__(f"{name} in {path} {why}: do not use this snapshot, get it again from where it was made")
        self.name = name


class OtherLake(LakeError):
    """A snapshot was to be imported where something else already is."""

    def __init__(self, directory: Path, why: str) -> None:
        super().__init__(f"{directory} {why}: import into an empty folder")
