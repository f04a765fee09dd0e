"""Whole lists in one answer: capped for anyone, streamed without a cap for keys that may read."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Annotated, Final, TypeVar

import orjson
from fastapi import Query, Request
from starlette.responses import Response, StreamingResponse

from api.keys import Scope
from api.metrics import ROWS
from api.pages import paged
from api.parameters import HIGHEST

P = TypeVar("P")

MOST: Final = 10_000
"""Rows of an answer for callers without a key, and of each piece of a longer one."""

MaxResults = Annotated[
    int | None,
    Query(ge=1, le=HIGHEST, description=f"Most rows of the answer; without a key no more than {MOST}."),
]

More = Callable[[P, int], Awaitable[tuple[Sequence[object], P]]]
"""Rows behind a place, so many at most, and the place of the last of them."""


async def envelope(
    request: Request, total: int, max_results: int | None, start: P, more: More[P], cursor: Callable[[P], str]
) -> Response:
    """The list of `total` rows behind `start`, or as much of it as the caller may have.

    `cursor` names a place, for those who are to go on from there.
    """
    wanted = min(total, HIGHEST if max_results is None else max_results)
    if Scope.READ not in request.state.identity.scopes:
        wanted = min(wanted, MOST)
    head = {"total_count": total, "returned_count": wanted, "has_more": wanted < total}
    if wanted <= MOST:
        rows, place = await more(start, wanted) if wanted else ([], start)
        next_cursor = cursor(place) if wanted < total else None
        return _private(paged({**head, "data": rows, "next_cursor": next_cursor}, next_cursor))
    return _private(StreamingResponse(_pieces(head, start, more, cursor), media_type="application/json"))


async def _pieces(head: dict[str, int], start: P, more: More[P], cursor: Callable[[P], str]) -> AsyncIterator[bytes]:
    left, place, between = head["returned_count"], start, b""
    yield orjson.dumps(head)[:-1] + b',"data":['
    while left:
        rows, place = await more(place, min(left, MOST))
        ROWS.inc(len(rows))
        yield between + orjson.dumps(rows)[1:-1]
        left, between = left - len(rows), b","
    yield b'],"next_cursor":' + orjson.dumps(cursor(place) if head["has_more"] else None) + b"}"


def _private(response: Response) -> Response:
    """What is answered depends on who asks."""
    response.headers["Vary"] = "X-API-Key, Authorization"
    return response
