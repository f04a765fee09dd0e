"""Streams of server-sent events: how many there may be, and how one is kept alive and ended."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from api.errors import Busy, RateLimited
from api.metrics import STREAMS

MOST: Final = 256
"""Streams of one worker."""
MOST_OF_ONE: Final = 32
"""Streams of one client."""
HEARTBEAT: Final = 15
"""Seconds from one comment to the next; they show that the connection stands."""
PATIENCE: Final = 30.0
"""Seconds for which a client may take nothing of what it is sent."""
SEPARATOR: Final = "\n"


class Places:
    """Streams that are open in this worker, by client."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def taken(self, client: str) -> Iterator[None]:
        """Hold a place. Raises Busy and RateLimited."""
        if self._open.total() >= MOST:
            raise Busy("too many streams are open: try again in a second")
        if self._open[client] >= MOST_OF_ONE:
            raise RateLimited(f"{MOST_OF_ONE} streams are open already: end one first", headers={"Retry-After": "5"})
        self._open[client] += 1
        STREAMS.inc()
        try:
            yield
        finally:
            STREAMS.dec()
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]


class EventStream(EventSourceResponse):
    """An answer that goes on until the client leaves, the server ends, or `events` does."""

    def __init__(self, events: AsyncIterator[ServerSentEvent], places: Places, client: str) -> None:
        super().__init__(
            events,
            sep=SEPARATOR,
            ping=HEARTBEAT,
            ping_message_factory=lambda: ServerSentEvent(comment="", sep=SEPARATOR),
            send_timeout=PATIENCE,
        )
        self._places = places
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A client that takes nothing is let go: that is its affair, not a failure.
        with self._places.taken(self._client), suppress(SendTimeoutError):
            await super().__call__(scope, receive, send)
            if self.active:
                # The server ends, and the client is still there: to it, too, the answer has an end.
                await send({"type": "http.response.body", "body": b"", "more_body": False})
