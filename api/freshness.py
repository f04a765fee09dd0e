"""Ties an answer to the published height that it was made from, and spares those who have it already.

An ETag is made of height, block hash and what was asked, so that it can be compared before any work is done: the same
question at the same height has the same answer.
"""

import re
from typing import Final
from zlib import crc32

from starlette.datastructures import Headers, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import keys
from api.columns import wanted
from api.follower import Follower, NetworkHeight
from api.formats import Format
from api.metrics import NOT_MODIFIED
from api.neighbours import Neighbours, Standing
from warehouse.serving_view import View

SHAPE: Final = 2
"""Version of the answers' shapes: grows when the same facts are told differently."""

NOT_OF_A_BLOCK_ALONE: Final = frozenset({"/v1/indexer/brc20/status", "/ready"})
"""Answers that also tell what the node and the indexer are doing."""

EVENTS: Final = "/v1/events"
"""Tells of many heights, and never ends."""

OTHERS: Final = frozenset({"/", "/health", "/ready"})
"""Paths outside /v1 that answer from a published height."""

BY_HEIGHT: Final = re.compile(r"/v1/indexer/brc20/history-by-height/(\d+)")
BLOCK_HASHES: Final = "/v1/indexer/brc20/block-hashes"
"""Questions about heights that are named: buried ones have the same answer for good."""

BURIED: Final = 100
"""Blocks on top of one that no reorganisation takes back."""

FOREVER: Final = b"public, max-age=86400, immutable"
ASKING: Final = b"public, no-cache"


class Freshness:
    """Gives each request one published state, adds its height, hash and ETag, and answers 304 on a match.

    `X-Degraded` tells those who ask whether somebody is away without whom the height does not grow.
    """

    def __init__(self, app: ASGIApp, follower: Follower, neighbours: Neighbours) -> None:
        self.app = app
        self.follower = follower
        self.neighbours = neighbours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_of_a_height(scope["path"]):
            await self.app(scope, receive, send)
            return
        view, network, standing = self.follower.view, self.follower.network, self.neighbours.standing
        scope["state"] |= {"view": view, "network": network, "standing": standing}
        if view is None or scope["path"] == EVENTS:
            await self.app(scope, receive, send)
            return
        height = [(b"x-block-height", b"%d" % view.tip.height), (b"x-block-hash", view.tip.hash.encode())]
        tag, keeping = _tag(view, network, standing, scope), _keeping(view, scope)
        if standing.degraded and keeping != FOREVER:
            height.append((b"x-degraded", standing.degraded.encode()))
        fresh = [*height, (b"etag", tag), (b"cache-control", keeping), (b"vary", b"Accept")]
        if scope["method"] == "GET" and tag in _tags(Headers(scope=scope).get("if-none-match", "")):
            NOT_MODIFIED.inc()
            await send({"type": "http.response.start", "status": 304, "headers": fresh})
            await send({"type": "http.response.body", "body": b""})
            return

        async def send_with_height(message: Message) -> None:
            if message["type"] == "http.response.start":
                keep = scope["method"] == "GET" and message["status"] == 200
                message["headers"] = [*message["headers"], *(fresh if keep else height)]
            await send(message)

        await self.app(scope, receive, send_with_height)


def _is_of_a_height(path: str) -> bool:
    return path.startswith("/v1/") or path in OTHERS


def _tag(view: View, network: NetworkHeight, standing: Standing, scope: Scope) -> bytes:
    asked = crc32(scope["query_string"], crc32(scope["path"].encode(), SHAPE + _may_read_all(scope)))
    if (format_ := wanted(scope)) is not Format.JSON:
        asked = crc32(format_.value.encode(), asked)
    others = crc32(repr((network, standing)).encode()) if scope["path"] in NOT_OF_A_BLOCK_ALONE else 0
    return b'"%d-%b-%08x"' % (view.tip.height, view.tip.hash[:16].encode(), asked ^ others)


def _may_read_all(scope: Scope) -> bool:
    """Whether whole lists are told without a cap: a key gets more than the same question without one."""
    identity = scope["state"].get("identity")
    return identity is not None and keys.Scope.READ in identity.scopes


def _keeping(view: View, scope: Scope) -> bytes:
    """For how long caches may keep the answer without asking. What is buried does not change."""
    if match := BY_HEIGHT.fullmatch(scope["path"]):
        height = match[1]
    elif scope["path"] == BLOCK_HASHES:
        height = QueryParams(scope["query_string"]).get("to", "")
    else:
        return ASKING
    buried = height.isascii() and height.isdecimal() and len(height) < 10 and int(height) <= view.tip.height - BURIED
    return FOREVER if buried else ASKING


def _tags(header: str) -> list[bytes]:
    """The ETags of an If-None-Match header; caches may have marked them weak. `*` is none of ours."""
    return [part.strip().removeprefix("W/").encode() for part in header.split(",")] if header else []
