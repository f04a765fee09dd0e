"""What can be wrong with a lake, each with what to do about it."""

from pathlib import Path


class LakeError(Exception):
    """Base of every error that the warehouse raises."""


class DifferenceFound(LakeError):
    """Something is not what it was signed to be: no trouble on the way, but what a check was made to find."""


class LakeNotFound(LakeError):
    """There is no manifest in the directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"no lake in {directory}: run `simplicity sync` with this --data first, or correct the path")
        self.directory = directory


class LakeExists(LakeError):
    """A lake was to be created where one already is."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"{directory} already holds a lake: open it, or choose an empty directory")
        self.directory = directory


class LakeInUse(LakeError):
    """Another process holds the writer's lock."""

    def __init__(self, directory: Path, holder: str) -> None:
        super().__init__(f"{directory} is being written by {holder}: stop it first, only one writer may run")
        self.directory = directory
        self.holder = holder


class NewerFormat(LakeError):
    """The lake was written by a version of the program that knows more than this one."""

    def __init__(self, path: Path | str, what: str, found: int, known: int) -> None:
        super().__init__(f"{path}: {what} {found} is newer than {known}, the newest known here: upgrade simplicity")
        self.path = path
        self.found = found
        self.known = known


class RebuildNeeded(LakeError):
    """The published tables are not those that this program derives: an older version wrote them, or other modules."""

    def __init__(self, directory: Path, by: str) -> None:
        super().__init__(f"the tables in {directory} were derived by {by}: run `simplicity rebuild`, it needs no node")
        self.directory = directory


class ManifestDamaged(LakeError):
    """The manifest is not what the writer leaves behind."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be read ({why}): restore the directory from a copy, or sync into a new one")
        self.path = path


class SegmentMissing(LakeError):
    """A file that the current manifest names is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is listed but missing: run `simplicity audit`, then restore the file from a copy")
        self.path = path


class SchemaMismatch(LakeError):
    """A table offered for writing does not have the columns of its schema."""

    def __init__(self, table: str, difference: str) -> None:
        super().__init__(f"rows for {table} do not fit its schema: {difference}")
        self.table = table


class HeightGap(LakeError):
    """Blocks do not follow the tip, or each other, without gap."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"block {found} was offered where {expected} must come next")
        self.expected = expected
        self.found = found


class ChainBroken(LakeError):
    """A block does not continue the block below it: another parent, or another cumulative hash."""

    def __init__(self, height: int, what: str, expected: str, found: str) -> None:
        super().__init__(f"block {height} has {what} {found or 'none'}, but after the block below it is {expected}")
        self.height = height


class CountMismatch(LakeError):
    """A table has more or fewer rows, or rows of other heights, than its blocks count."""

    def __init__(self, table: str, height: int, expected: int, found: int) -> None:
        super().__init__(f"{table}: block {height} counts {expected} rows but {found} were found")
        self.table = table
        self.height = height


class HeightUnknown(LakeError):
    """A height outside the published range was asked for."""

    def __init__(self, height: int, start: int, tip: int | None) -> None:
        known = f"{start} to {tip}" if tip is not None else "none yet"
        super().__init__(f"height {height} is not in the lake (heights: {known})")
        self.height = height


class CatalogueNotWritten(LakeError):
    """The file with the views, for other programs, could not be replaced."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be written ({why}): make room, or correct the folder's permissions")
        self.path = path


class RebuildIncomplete(LakeError):
    """A new generation does not cover exactly the published blocks."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the re-derived tables cannot replace the published ones: {why}")


class UnusableQuery(LakeError):
    """A statement that is none, or none that strangers may run."""


class QueryTooLarge(LakeError):
    """A statement that needs more memory or disk than it may."""


class StateGone(LakeError):
    """A published state was asked for that is no longer there."""


class UnusableBackend(LakeError):
    """The address of a backend cannot be used as it is; the text says why."""


class BackendUnavailable(LakeError):
    """The database that keeps the published tables does not answer, or has none yet; it may later."""
