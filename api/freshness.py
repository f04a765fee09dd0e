"""Ties an answer to the published height that it was made from, and spares those who have it already.

An ETag is made of height, block hash and what was asked, so that it can be compared before any work is done: the same
question at the same height has the same answer.
"""

from typing import Final
from zlib import crc32

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import keys
from api.follower import Follower, NetworkHeight
from warehouse.serving_view import View

SHAPE: Final = 2
"""Version of the answers' shapes: grows when the same facts are told differently."""

STATUS: Final = "/v1/indexer/brc20/status"
"""The one answer that also depends on the node's height."""

OTHERS: Final = frozenset({"/", "/health", "/ready"})
"""Paths outside /v1 that answer from a published height."""


class Freshness:
    """Gives each request one published state, adds its height, hash and ETag, and answers 304 on a match."""

    def __init__(self, app: ASGIApp, follower: Follower) -> None:
        self.app = app
        self.follower = follower

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (scope["path"].startswith("/v1/") or scope["path"] in OTHERS):
            await self.app(scope, receive, send)
            return
        view, network = self.follower.view, self.follower.network
        scope["state"] |= {"view": view, "network": network}
        if view is None:
            await self.app(scope, receive, send)
            return
        height = [(b"x-block-height", b"%d" % view.tip.height), (b"x-block-hash", view.tip.hash.encode())]
        tag = _tag(view, network, scope)
        fresh = [*height, (b"etag", tag), (b"cache-control", b"public, no-cache")]
        if scope["method"] == "GET" and tag in _tags(Headers(scope=scope).get("if-none-match", "")):
            await send({"type": "http.response.start", "status": 304, "headers": fresh})
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_with_height(message: Message) -> None:
            if message["type"] == "http.response.start":
                keep = scope["method"] == "GET" and message["status"] == 200
                message["headers"] = [*message["headers"], *(fresh if keep else height)]
            await send(message)

        await self.app(scope, receive, send_with_height)


def _tag(view: View, network: NetworkHeight, scope: Scope) -> bytes:
    asked = crc32(scope["query_string"], crc32(scope["path"].encode(), SHAPE + _may_read_all(scope)))
    node = crc32(repr(network).encode()) if scope["path"] == STATUS else 0
    return b'"%d-%b-%08x"' % (view.tip.height, view.tip.hash[:16].encode(), asked ^ node)


def _may_read_all(scope: Scope) -> bool:
    """Whether whole lists are told without a cap: a key gets more than the same question without one."""
    identity = scope["state"].get("identity")
    return identity is not None and keys.Scope.READ in identity.scopes


def _tags(header: str) -> list[bytes]:
    """The ETags of an If-None-Match header; caches may have marked them weak. `*` is none of ours."""
    return [part.strip().removeprefix("W/").encode() for part in header.split(",")] if header else []
