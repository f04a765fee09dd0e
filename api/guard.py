"""The door: who asks, whether they may, and whether not too often."""

import re
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import keys
from api.counts import Counts
from api.errors import ApiError, KeyNeeded, MissingScope, RateLimited, api_error_response
from api.identity import Identities, Identity, is_loopback, network_of
from api.metrics import LIMITED

FREE: Final = frozenset({"/health", "/ready", "/live"})
"""Probes are asked by machines that have no key and must not be turned away."""

COSTS: Final = (
    (re.compile(r"/v1/sql$"), 50),
    (re.compile(r"(?s)/v1/.*(/all|/metrics/.*|/aggregate|/stats|/fees/daily)$"), 20),
    (re.compile(r"(?s)/v1/.*(history|transactions|executions|balance-changes|balances|events$)"), 5),
)
"""What a request counts for, by path; everything else counts for 1."""

REFUSED: Final = 10
GUESSES: Final = "600/minute"
"""Credentials that open nothing count for more, whatever the address may ask: guessing gets slow at once."""

SCOPES: Final = ((re.compile(r"/v1/sql(/|$)"), keys.Scope.SQL), (re.compile(r"/metrics$"), keys.Scope.ADMIN))
"""Paths that need more than reading. Metrics are also open to clients on this machine."""


class Guard:
    """Adds `identity` to the request's state and RateLimit-* to the answer, or refuses."""

    def __init__(self, app: ASGIApp, identities: Identities, counts: Counts) -> None:
        self.app = app
        self._identities = identities
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in FREE or scope["method"] == "OPTIONS":
            await self.app(scope, receive, send)
            return
        headers: list[tuple[bytes, bytes]] = []
        try:
            identity = await self._identify(scope)
            scope["state"]["identity"] = identity
            _check_scope(identity, scope)
            headers = await self._count(identity, cost_of(scope["path"]))
        except ApiError as error:
            await api_error_response(Request(scope), error)(scope, receive, send)
            return

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await self.app(scope, receive, send_with_limits)

    async def _identify(self, scope: Scope) -> Identity:
        try:
            return self._identities.of(scope)
        except ApiError:
            await self._count(Identity("", frozenset(), network_of(scope), GUESSES), REFUSED)
            raise

    async def _count(self, identity: Identity, cost: int) -> list[tuple[bytes, bytes]]:
        """RateLimit-* as they are after this request. Raises RateLimited."""
        count = await self._counts.take(identity.rate, identity.counted_by, cost)
        values = {"Limit": str(count.limit), "Remaining": str(count.left), "Reset": str(count.reset)}
        if not count.allowed:
            LIMITED.labels("anonymous" if identity.is_anonymous else "key").inc()
            raise RateLimited(
                f"this request costs {cost}; {count.limit} in {count.seconds} s are allowed: wait {count.reset} s",
                headers={
                    "Retry-After": str(count.reset),
                    **{f"RateLimit-{name}": value for name, value in values.items()},
                },
            )
        return [(f"ratelimit-{name.lower()}".encode(), value.encode()) for name, value in values.items()]


def cost_of(path: str) -> int:
    """What a request for this path counts for."""
    return next((cost for pattern, cost in COSTS if pattern.match(path)), 1)


def _check_scope(identity: Identity, connection: Scope) -> None:
    needed = next((scope for pattern, scope in SCOPES if pattern.match(connection["path"])), None)
    if needed is None or needed in identity.scopes:
        return
    if needed is keys.Scope.ADMIN and is_loopback(connection):
        return
    if identity.is_anonymous:
        raise KeyNeeded(f"{connection['path']} needs a key with the scope {needed}: send it as X-API-Key")
    raise MissingScope(f"{connection['path']} needs the scope {needed}, which {identity.name} has not")
