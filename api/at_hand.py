"""The shortest way: answers that the published view has at hand, found without the router.

Choosing among all routes and validating parameters takes several times as long as the lookup. What is not at hand, or
is asked for with a query, takes the usual way and is answered there by the same functions.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import orjson
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.routes import addresses, tokens
from warehouse.serving_view import View


class Lookup(NamedTuple):
    """A route, its path as a pattern, and what answers it from a view: None when that does not suffice."""

    route: APIRoute
    path: re.Pattern[str]
    answer: Callable[..., object | None]


def _lookup(routes: Iterable[BaseRoute], name: str, answer: Callable[..., object | None]) -> Lookup:
    route = next(route for route in routes if isinstance(route, APIRoute) and route.name == name)
    return Lookup(route, route.path_regex, answer)


LOOKUPS: Final = (
    _lookup(addresses.router.routes, "balance", addresses.balance_at_hand),
    _lookup(tokens.router.routes, "token_info", tokens.info_at_hand),
)


class AtHand:
    """Answers lookups; stands next to the router, inside everything that guards and describes answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _found(scope)
        if body is None:
            await self.app(scope, receive, send)
            return
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _found(scope: Scope) -> bytes | None:
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
        return None
    view: View | None = scope["state"].get("view")
    if view is None:
        return None
    for route, path, answer in LOOKUPS:
        if match := path.match(scope["path"]):
            found = answer(view, **match.groupdict())
            if found is not None:
                scope["route"] = route
                return orjson.dumps(found)
    return None
