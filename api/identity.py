"""Who asks: a key, the bearer of a token, or nobody in particular."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

import jwt
from starlette.datastructures import Headers
from starlette.types import Scope as Connection

from api.errors import InvalidKey, KeyNeeded
from api.keys import PREFIX, KeyRing, Scope
from api.options import Options
from api.tokens import TokenVerifier

NOBODY: Final[frozenset[Scope]] = frozenset()
ANONYMOUS: Final = "anonymous"
REMEMBERED: Final = 4096
"""Addresses that need not be read again."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a client is known as, what it may do, and by what its requests are counted."""

    name: str
    scopes: frozenset[Scope]
    counted_by: str
    rate: str
    is_anonymous: bool = False


class Identities:
    """Tells clients apart by their headers and addresses."""

    def __init__(self, directory: Path, options: Options) -> None:
        self._options = options
        self._keys = KeyRing(directory)
        self._verifier = (
            TokenVerifier(Path(options.jwt_key), options.jwt_issuer or "", options.jwt_audience or "")
            if options.jwt_key
            else None
        )

    def of(self, connection: Connection) -> Identity:
        """Who asks. Raises InvalidKey for credentials that open nothing, KeyNeeded when there must be some."""
        credentials = _credentials(Headers(scope=connection))
        if credentials is None:
            if not self._options.anonymous:
                raise KeyNeeded("this server answers to keys only: send one as X-API-Key")
            return Identity(ANONYMOUS, NOBODY, network_of(connection), self._options.anonymous_rate, True)
        if credentials.startswith(PREFIX):
            key = self._keys.find(credentials)
            if key is None:
                raise InvalidKey("the key is unknown or was revoked: ask the operator for a new one")
            return Identity(f"key:{key.id}", frozenset(key.scopes), f"key:{key.id}", key.rate or self._options.key_rate)
        return self._bearer(credentials)

    def _bearer(self, token: str) -> Identity:
        if self._verifier is None:
            raise InvalidKey("this server knows keys that begin with smp_, and no tokens")
        try:
            subject, scopes = self._verifier.verify(token)
        except jwt.InvalidTokenError as error:
            raise InvalidKey(f"the token is refused: {error}") from error
        return Identity(f"token:{subject}", scopes, f"token:{subject}", self._options.key_rate)


def network_of(connection: Connection) -> str:
    """By what a client without key is counted: its address, of IPv6 the network of 64 bits that one customer has."""
    return _network(connection["client"][0] if connection.get("client") else "unknown")


@lru_cache(REMEMBERED)
def _network(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return host


def is_loopback(connection: Connection) -> bool:
    """Whether the client runs on this machine."""
    try:
        return ip_address(connection["client"][0]).is_loopback
    except (ValueError, TypeError, KeyError):
        return False


def _credentials(headers: Headers) -> str | None:
    if (key := headers.get("x-api-key")) is not None:
        return key
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else None
