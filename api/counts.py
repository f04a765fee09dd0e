"""How much each client asked lately: counted in this process, or in a store that several share."""

import math
from time import time
from typing import Final, NamedTuple

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

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


class Windows:
    """The counts of this process for one rate, as the shared store has them: what the window before counted fades
    while the present one goes on. Written out because every request passes here; old windows cost no memory.
    """

    def __init__(self, rate: RateLimitItem) -> None:
        self.rate = rate
        self._limit, self._seconds = rate.amount, rate.get_expiry()
        self._number = 0
        self._before: dict[str, int] = {}
        self._now: dict[str, int] = {}

    def hit(self, client: str, cost: int, now: float) -> Count:
        """Count a request of a client at a time in seconds, if there is room."""
        number = int(now // self._seconds)
        if number != self._number:
            self._before = self._now if number == self._number + 1 else {}
            self._number, self._now = number, {}
        ends = self._seconds - now % self._seconds
        before, count = self._before.get(client, 0), self._now.get(client, 0)
        left = self._limit - math.floor(before * ends / self._seconds + count)
        allowed = cost <= left
        if allowed:
            self._now[client] = count + cost
            left -= cost
        more = min(ends, ends % (self._seconds / before)) if before else ends
        return Count(allowed, self._limit, self._seconds, max(0, left), max(1, math.ceil(more)))


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
        self._shared = SlidingWindowCounterRateLimiter(self._redis) if self._redis else None
        self._local: dict[str, Windows] = {}

    async def take(self, rate: str, client: str, cost: int) -> Count:
        """Count a request, which passes if there is room. A store that is away does not stop anyone."""
        windows = self._local.get(rate) or self._local.setdefault(rate, Windows(parse(rate)))
        if self._shared is not None:
            try:
                return await _hit(self._shared, windows.rate, client, cost)
            except StorageError as error:
                log.warning("the store of limits does not answer: this process counts by itself", error=str(error))
        return windows.hit(client, cost, time())

    async def close(self) -> None:
        """Let go of the store's connections."""
        if self._redis is not None:
            # The library offers no way to close; this is the client that it made.
            await self._redis.bridge.storage.aclose()  # type: ignore[attr-defined]


async def _hit(limiter: SlidingWindowCounterRateLimiter, rate: RateLimitItem, client: str, cost: int) -> Count:
    allowed = await limiter.hit(rate, client, cost=cost)
    window = await limiter.get_window_stats(rate, client)
    reset = max(1, math.ceil(window.reset_time - time()))
    return Count(allowed, rate.amount, rate.get_expiry(), window.remaining, reset)
