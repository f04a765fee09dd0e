"""Large answers compressed for those who take it."""

from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SMALL: Final = 1000
"""Bytes of an answer that is not worth compressing."""
LEVEL: Final = 5

DEPENDS: Final = (b"vary", b"Accept-Encoding")


class Compression:
    """Leaves to the framework only requests that accept gzip: what it does for others takes as long as a lookup."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._compressed = GZipMiddleware(app, minimum_size=SMALL, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _takes_gzip(scope):
            await self._compressed(scope, receive, send)
            return

        async def send_plain(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], DEPENDS]
            await send(message)

        await self.app(scope, receive, send_plain)


def _takes_gzip(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
