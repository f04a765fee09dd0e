"""Questions that read the public views, and pages of what they answer: `limit` and `offset`, an envelope, a cursor."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeVar
from zlib import crc32

from fastapi import Depends, Query, Request
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from api.errors import CursorExpired
from api.ledgers import Moment, check_published, pinned
from api.pages import Cursor, HistoryStart, Limit, Size, cursor_of, paged
from api.parameters import MOST_SKIPPED, current
from warehouse.histories import Histories
from warehouse.view_queries import ViewQueries

T = TypeVar("T")
Row = TypeVar("Row")

Offset = Annotated[int, Query(ge=0, le=MOST_SKIPPED, description="Rows to leave out before the first.")]
Skip = Annotated[int | None, Query(ge=0, le=MOST_SKIPPED, description="Synonym of `offset`, which it overrules.")]


class Items(TypedDict, Generic[Row]):
    """A page of a list."""

    total: Annotated[int, Field(description="Rows of the whole list.")]
    limit: int
    offset: int
    items: list[Row]
    next_cursor: Annotated[str | None, Field(description="Where to go on; null at the end.")]


class Part(NamedTuple):
    """Which part of a list is asked for: `limit` rows from `offset` on, counted from the cursor if there is one."""

    limit: int
    offset: int
    cursor: str | None


async def _part(
    limit: Limit = 100,
    offset: Offset = 0,
    skip: Skip = None,
    start: HistoryStart = None,
    size: Size = None,
    cursor: Cursor = None,
) -> Part:
    synonyms = [each for each in (start, skip) if each is not None]
    return Part(limit if size is None else size, [*synonyms, offset][0], cursor)


Parted = Annotated[Part, Depends(_part)]


async def ask_views(request: Request, question: Callable[[ViewQueries], T], height: int | None = None) -> T:
    """The answer of the views after block `height`, by default the newest published one. Raises BlockNotFound."""
    view = current(request)
    at = view.tip.height if height is None else height
    check_published(view, at)
    answer: T = await request.app.state.queries.ask(view.manifest, lambda found: question(ViewQueries(found, at)))
    return answer


async def page_of_views(
    request: Request,
    kind: str,
    part: Part,
    question: Callable[[ViewQueries, int, int], tuple[int, Sequence[T]]],
    height: int | None = None,
) -> tuple[int, Sequence[T], str | None]:
    """How many rows a list has, a page of it, and the cursor of the next page.

    `question` gets how many rows to tell and how many to leave out. The next pages are of the same block: its height
    and hash are in the cursor. Raises BlockNotFound, InvalidCursor and CursorExpired.
    """
    view = current(request)
    moment, told = pinned(view, kind, part.cursor, height)
    skip = told + part.offset

    def asked(histories: Histories) -> tuple[int, Sequence[T], str]:
        hash_ = _block_hash(histories, moment)
        total, rows = question(ViewQueries(histories, moment.height), part.limit, skip)
        return total, rows, hash_

    total, rows, hash_ = await request.app.state.queries.ask(view.manifest, asked)
    place = skip + len(rows)
    following = cursor_of(kind, (moment.height, hash_, place)) if rows and place < total else None
    return total, rows, following


def kind_of(name: str, wanted: object) -> str:
    """The kind of a list's cursors: those of other filters do not fit."""
    return f"{name}/{crc32(repr(wanted).encode()):08x}"


def items(part: Part, total: int, rows: Sequence[Any], next_cursor: str | None) -> Response:
    """The answer that carries a page in its envelope."""
    body = {"total": total, "limit": part.limit, "offset": part.offset, "items": rows, "next_cursor": next_cursor}
    return paged(body, next_cursor)


def _block_hash(histories: Histories, moment: Moment) -> str:
    """Hash of the block that a page is of. Raises CursorExpired."""
    hash_ = histories.snapshot.block_hash(moment.height)
    if hash_ is None or moment.hash not in (None, hash_):
        raise CursorExpired(f"block {moment.height} was taken back meanwhile: begin without a cursor", "cursor")
    return hash_
