"""Around every request: its id, its line in the log, its place in the metrics."""

import re
from functools import lru_cache
from secrets import token_hex
from time import perf_counter
from typing import Final

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import LATENCY, REQUESTS

USABLE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
"""Ids that are taken over from the client; others could break a log line."""

UNMATCHED: Final = "unmatched"
"""Route of requests that no template matches; their paths would be labels without end."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
OTHER: Final = "other"

log = structlog.get_logger("access")


class Access:
    """Takes over or makes X-Request-ID, and writes down how the request ended."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = perf_counter()
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if USABLE_ID.fullmatch(given) else token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            seconds = perf_counter() - start
            route = route_of(scope)
            answered, latency = _measures(method_of(scope), route, int(status))
            answered.inc()
            latency.observe(seconds)
            log.info(
                "request",
                id=request_id,
                method=scope["method"],
                path=scope["path"],
                route=route,
                status=int(status),
                milliseconds=round(seconds * 1000, 3),
                **_trace(scope),
            )


@lru_cache(4096)
def _measures(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """What counts such requests and what takes their time, found once: the labels are few."""
    return REQUESTS.labels(method, route, status), LATENCY.labels(route)


def route_of(scope: Scope) -> str:
    """The route template that the request was answered by."""
    return str(getattr(scope.get("route"), "path_format", UNMATCHED))


def method_of(scope: Scope) -> str:
    """The request's method; those that nobody defined are one."""
    return scope["method"] if scope["method"] in METHODS else OTHER


def _trace(scope: Scope) -> dict[str, str]:
    """The trace's id, for the log, when there is a trace."""
    trace_id = scope["state"].get("trace_id")
    return {"trace": trace_id} if trace_id else {}
