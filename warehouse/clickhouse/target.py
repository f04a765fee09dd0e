"""The address of a ClickHouse, and how it is called where a password must not be seen."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from warehouse.clickhouse.errors import UnusableTarget

DEFAULT_DATABASE: Final = "default"


@dataclass(frozen=True, slots=True)
class Target:
    """A server, or the engine in this process, and a database of it."""

    address: str = field(repr=False)
    database: str
    name: str
    """The address without user and password."""

    @classmethod
    def of(cls, address: str) -> "Target":
        """Raises UnusableTarget."""
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            raise UnusableTarget from None
        asked = parse_qs(parts.query).get("database", [DEFAULT_DATABASE])[0]
        if parts.scheme == "chdb" and not parts.netloc and parts.path not in ("", "/"):
            return cls(address, asked, f"chdb://{parts.path}")
        if parts.scheme != "clickhouse" or not parts.hostname:
            raise UnusableTarget
        database = unquote(parts.path.strip("/")) or asked
        return cls(address, database, f"clickhouse://{parts.hostname}:{port or 8123}/{database}")

    @property
    def folder(self) -> Path | None:
        """Where the engine in this process keeps the database, None for a server."""
        parts = urlsplit(self.address)
        return Path(parts.path) if parts.scheme == "chdb" else None

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of `clickhouse_connect.get_client`: the database may not exist yet."""
        if self.folder is not None:
            return {"dsn": self.address.split("?")[0], "database": DEFAULT_DATABASE}
        return {"dsn": self.address, "database": DEFAULT_DATABASE, "autogenerate_session_id": False}
