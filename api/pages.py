"""Pages of lists: skip and limit, their synonyms, and cursors that stay true while blocks arrive.

A cursor names the last row of a page by what the list is sorted by, so that the next page begins behind that row
whatever was added before it. A list that is sorted by what blocks change also names the block that its first page was
made from, and stays with it.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BinasciiError
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import orjson
from fastapi import Depends, Query
from starlette.responses import Response

from api.answers import answer
from api.errors import InvalidCursor
from api.parameters import HIGHEST, MOST_ROWS, MOST_SKIPPED

T = TypeVar("T")

NEXT_CURSOR: Final = "X-Next-Cursor"
LONGEST: Final = 4000
"""Characters of the longest cursor: tickers and addresses are short, but a ticker may be a payload long."""

_BASE64: Final = re.compile(r"[A-Za-z0-9_-]*")

Key = Sequence[int | str]
"""By what a list is sorted, as a row has it."""

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Most rows of the answer.")]
Skip = Annotated[int, Query(ge=0, le=HIGHEST, description="Rows to leave out before the first.")]
HistorySkip = Annotated[int, Query(ge=0, le=MOST_SKIPPED, description="Rows to leave out before the first.")]
Size = Annotated[int | None, Query(ge=1, le=MOST_ROWS, description="Synonym of `limit`, which it overrules.")]
Start = Annotated[int | None, Query(ge=0, le=HIGHEST, description="Synonym of `skip`, which it overrules.")]
HistoryStart = Annotated[int | None, Query(ge=0, le=MOST_SKIPPED, description="Synonym of `skip`, which it overrules.")]
Cursor = Annotated[
    str | None, Query(max_length=LONGEST, description=f"`{NEXT_CURSOR}` of the page before; `skip` counts from there.")
]


class Page(NamedTuple):
    """Which part of a list is asked for: `limit` rows from `skip` on, behind the row that the cursor names."""

    skip: int
    limit: int
    cursor: str | None


class Part(NamedTuple):
    """Rows as they are answered, and the cursor of the page behind them."""

    rows: Sequence[object]
    cursor: str | None


async def _page(
    skip: Skip = 0, limit: Limit = 100, start: Start = None, size: Size = None, cursor: Cursor = None
) -> Page:
    return Page(skip if start is None else start, limit if size is None else size, cursor)


async def _history_page(
    skip: HistorySkip = 0, limit: Limit = 100, start: HistoryStart = None, size: Size = None, cursor: Cursor = None
) -> Page:
    return Page(skip if start is None else start, limit if size is None else size, cursor)


Paged = Annotated[Page, Depends(_page)]
"""`skip` has no cap: what lies before costs nothing."""
HistoryPaged = Annotated[Page, Depends(_history_page)]
"""`skip` is capped: what lies before has to be read. A cursor leads on."""


def cursor_of(kind: str, key: Key) -> str:
    """The cursor of a row of the list `kind`. Integers must fit 64 bits."""
    return urlsafe_b64encode(orjson.dumps([kind, *key])).rstrip(b"=").decode()


def key_of(cursor: str | None, kind: str, *types: type) -> list[Any] | None:
    """What `cursor_of` was given, None without a cursor. Raises InvalidCursor, also for the cursor of another list.

    `types` are those of the key's values, int or str. Integers are below 2^63 and not negative.
    """
    if cursor is None:
        return None
    try:
        if not _BASE64.fullmatch(cursor):
            raise ValueError
        found = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, BinasciiError) as error:
        raise _invalid() from error
    if not isinstance(found, list) or found[:1] != [kind] or [type(value) for value in found[1:]] != [*types]:
        raise _invalid()
    key = found[1:]
    if any(isinstance(value, int) and not 0 <= value < 1 << 63 for value in key):
        raise _invalid()
    return key


def cut(rows: Sequence[T], limit: int, kind: str, key: Callable[[T], Key]) -> tuple[Sequence[T], str | None]:
    """A page and the cursor of the next, None at the end. `rows` are those of the page and one more if there is one."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], cursor_of(kind, key(rows[limit - 1]))


def paged(body: object, next_cursor: str | None) -> Response:
    """The answer that carries one page."""
    response = answer(body)
    if next_cursor is not None:
        response.headers[NEXT_CURSOR] = next_cursor
    return response


def _invalid() -> InvalidCursor:
    return InvalidCursor(f"this is no {NEXT_CURSOR} of this list: begin without one", "cursor")
