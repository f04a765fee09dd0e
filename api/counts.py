"""How much each client asked lately: counted in this process, or in a store that several share."""

import math
from time import time
from typing import Final, NamedTuple

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter as SharedWindows
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from limits.util import WindowStats

STORE_TIMEOUT: Final = 0.5
"""Seconds after which a shared store counts as away."""

log = structlog.get_logger("limits")


class Count(NamedTuple):
    """What became of one request."""

    allowed: bool
    limit: int
    seconds: int
    """Length of the window to which the limit applies."""
    left: int
    reset: int
    """Seconds until there is more."""


class Counts:
    """Requests by cost in sliding windows. One for each worker process."""

    def __init__(self, store: str | None) -> None:
        """`store` is the address of a Redis, None to count in this process."""
        self._redis = (
            RedisStorage(
                f"async+{store}",
                implementation="redispy",
                wrap_exceptions=True,
                socket_connect_timeout=STORE_TIMEOUT,
                socket_timeout=STORE_TIMEOUT,
            )
            if store
            else None
        )
        self._shared = SharedWindows(self._redis) if self._redis else None
        self._local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._rates: dict[str, RateLimitItem] = {}

    async def take(self, rate: str, client: str, cost: int) -> Count:
        """Count a request, which passes if there is room. A store that is away does not stop anyone."""
        item = self._rates.get(rate) or self._rates.setdefault(rate, parse(rate))
        if self._shared is not None:
            try:
                allowed = await self._shared.hit(item, client, cost=cost)
                return _count(item, allowed, await self._shared.get_window_stats(item, client))
            except StorageError as error:
                log.warning("the store of limits does not answer: this process counts by itself", error=str(error))
        allowed = self._local.hit(item, client, cost=cost)
        return _count(item, allowed, self._local.get_window_stats(item, client))

    async def close(self) -> None:
        """Let go of the store's connections."""
        if self._redis is not None:
            # The library offers no way to close; this is the client that it made.
            await self._redis.bridge.storage.aclose()  # type: ignore[attr-defined]


def _count(rate: RateLimitItem, allowed: bool, window: WindowStats) -> Count:
    reset = max(1, math.ceil(window.reset_time - time()))
    return Count(allowed, rate.amount, rate.get_expiry(), window.remaining, reset)
