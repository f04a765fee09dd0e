"""Which backend an address means."""

from pathlib import Path
from typing import Final

from warehouse.backend import Backend
from warehouse.errors import UnusableBackend
from warehouse.lake_backend import LakeBackend

LAKE: Final = "duckdb"
"""The files in the folder given, asked in this process."""

SCHEMES: Final = ("clickhouse://", "chdb://")


def check_backend(address: str) -> None:
    """Raises UnusableBackend for what no backend has for an address."""
    if address != LAKE and not address.startswith(SCHEMES):
        raise UnusableBackend(
            f"{address!r} is no backend: say {LAKE}, clickhouse://user:password@host:port/database, or chdb:///folder"
        )


def check_start(address: str, workers: int) -> None:
    """What can be known before a server starts. Raises UnusableBackend, BackendUnavailable."""
    check_backend(address)
    if address.startswith("chdb://") and workers > 1:
        raise UnusableBackend("chdb:// is open in one process at a time: say --workers 1, or publish to a server")
    if address != LAKE:
        from warehouse.clickhouse.client import check
        from warehouse.clickhouse.target import Target

        check(Target.of(address))


def opened(address: str, directory: Path) -> Backend:
    """The backend of that address, `directory` being the lake's folder. Raises UnusableBackend, BackendUnavailable."""
    check_backend(address)
    if address == LAKE:
        return LakeBackend(directory)
    # Its libraries take a second to load, and only this needs them.
    from warehouse.clickhouse.backend import ClickHouseBackend

    return ClickHouseBackend(address)
