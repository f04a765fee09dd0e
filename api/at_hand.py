"""The shortest way: answers that the published view has at hand, found without the router.

Choosing among all routes and validating parameters takes several times as long as the lookup. What is not at hand, or
is asked for with more than a short page's `limit`, takes the usual way and is answered there by the same functions.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import orjson
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answers import count_rows
from api.pages import NEXT_CURSOR, Part
from api.parameters import AnyConvertor
from api.routes import addresses, histories, tokens
from warehouse.serving_view import View

LIMIT: Final = re.compile(rb"limit=(100|[1-9][0-9]?)")
"""A query that is at hand: as few rows as are told at once."""
USUAL: Final = 100

Headers = list[tuple[bytes, bytes]]


class Lookup(NamedTuple):
    """A route, its path as a pattern, and what answers it from a view: None when that does not suffice."""

    route: APIRoute
    path: re.Pattern[str]
    answer: Callable[..., Any]


def _lookup(routes: Iterable[BaseRoute], name: str, answer: Callable[..., Any]) -> Lookup:
    """Tickers with a slash take the usual way, for their paths can be those of other routes."""
    route = next(route for route in routes if isinstance(route, APIRoute) and route.name == name)
    return Lookup(route, re.compile(route.path_regex.pattern.replace(AnyConvertor.regex, "[^/]+")), answer)


ROWS: Final = (
    _lookup(addresses.router.routes, "balance", addresses.balance_at_hand),
    _lookup(tokens.router.routes, "token_info", tokens.info_at_hand),
)
PAGES: Final = (
    _lookup(tokens.router.routes, "holders", tokens.holders_at_hand),
    _lookup(histories.router.routes, "token_history", histories.history_at_hand),
)
"""These are told how many rows are wanted, and answer with a `Part`."""


class AtHand:
    """Answers lookups; stands next to the router, inside everything that guards and describes answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _found(scope)
        if found is None:
            await self.app(scope, receive, send)
            return
        body, headers = found
        headers += [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _found(scope: Scope) -> tuple[bytes, Headers] | None:
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    view: View | None = scope["state"].get("view")
    if view is None:
        return None
    if not scope["query_string"]:
        return _row(view, scope) or _page(view, scope, USUAL)
    limit = LIMIT.fullmatch(scope["query_string"])
    return _page(view, scope, int(limit[1])) if limit else None


def _row(view: View, scope: Scope) -> tuple[bytes, Headers] | None:
    for route, path, answer in ROWS:
        if match := path.match(scope["path"]):
            found = answer(view, **match.groupdict())
            if found is not None:
                scope["route"] = route
                return orjson.dumps(found), []
    return None


def _page(view: View, scope: Scope, limit: int) -> tuple[bytes, Headers] | None:
    for route, path, answer in PAGES:
        if match := path.match(scope["path"]):
            part: Part | None = answer(view, limit=limit, **match.groupdict())
            if part is not None:
                scope["route"] = route
                count_rows(part.rows)
                next_page = [(NEXT_CURSOR.lower().encode(), part.cursor.encode())] if part.cursor else []
                return orjson.dumps(part.rows), next_page
    return None
