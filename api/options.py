"""What an operator decides about the API, and how it reaches the worker processes: as environment variables."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from limits import parse

from warehouse.errors import LakeError

VARIABLE: Final = "SIMPLICITY_API_OPTIONS"


class UnusableOption(LakeError):
    """An option of the API cannot be used as it is; the text says why."""


@dataclass(frozen=True)
class Options:
    """Safe as it stands: anonymous clients read, slowly; no other site's scripts; no proxy is believed."""

    anonymous: bool = True
    """Whether clients without key may read."""
    anonymous_rate: str = "1200/minute"
    key_rate: str = "12000/minute"
    limit_store: str | None = None
    """Where requests are counted when several processes share the counts, like `redis://host:6379`."""
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks whose X-Forwarded-For is believed."""
    jwt_key: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    access_log: str | None = None
    """Folder for the lines of finished requests; None for standard error."""
    log_retention_days: int = 30
    """Whole days for which such lines are kept, after their own."""

    def __post_init__(self) -> None:
        for rate in (self.anonymous_rate, self.key_rate):
            check_rate(rate)
        if "*" in self.cors_origins:
            raise UnusableOption("name the sites that may ask from their scripts, one by one: * is no site")
        if self.jwt_key and not (self.jwt_issuer and self.jwt_audience):
            raise UnusableOption("tokens need an issuer and an audience to be checked against")

    def text(self) -> str:
        """For the environment of a worker."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Options":
        values: dict[str, Any] = json.loads(text)
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**{**values, **lists})


def check_rate(rate: str) -> None:
    """Raises UnusableOption for what is no rate."""
    try:
        parse(rate)
    except ValueError as error:
        raise UnusableOption(f"{rate!r} is no rate: write it like 1200/minute") from error
