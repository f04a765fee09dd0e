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


def opened(address: str, directory: Path) -> Backend:
    """The backend of that address, `directory` being the lake's folder. Raises UnusableBackend, BackendUnavailable."""
    check_backend(address)
    if address == LAKE:
        return LakeBackend(directory)
    # Its libraries take a second to load, and only this needs them.
    from warehouse.clickhouse.backend import ClickHouseBackend

    return ClickHouseBackend(address)
