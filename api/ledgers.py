"""The ledger that a question is asked of: the published one, or the one after an earlier block."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple, TypeVar

from fastapi import Query, Request

from api.errors import BlockNotFound, CursorExpired
from api.pages import Page, cursor_of, key_of
from api.parameters import HIGHEST, current
from api.queries import Queries
from warehouse.histories import Histories
from warehouse.past import Past
from warehouse.serving_view import View

T = TypeVar("T")

Ledger = View | Past
"""Both answer the same questions."""

AtHeight = Annotated[
    int | None, Query(ge=0, le=HIGHEST, description="As after this block; default: the newest published one.")
]


class Moment(NamedTuple):
    """A block whose ledger is meant; the hash is None where any block of that height will do."""

    height: int
    hash: str | None


async def ask(request: Request, height: int | None, question: Callable[[Ledger], T]) -> T:
    """The answer of the ledger after block `height`, by default of the published one. Raises BlockNotFound."""
    view = current(request)
    if height is None or height == view.tip.height:
        return question(view)
    check_published(view, height)
    queries: Queries = request.app.state.queries
    return await queries.ask(view.manifest, lambda histories: question(Past(histories, height)))


async def ask_aside(request: Request, height: int | None, question: Callable[[Ledger], T]) -> T:
    """The same for questions that would hold up the point lookups."""
    view = current(request)
    if height is None or height == view.tip.height:
        return await asyncio.to_thread(question, view)
    return await ask(request, height, question)


async def ask_page(
    request: Request,
    kind: str,
    page: Page,
    height: int | None,
    question: Callable[[Ledger, int, int], Sequence[T]],
    is_quick: bool = False,
) -> tuple[Sequence[T], str | None]:
    """A page of a list whose order changes with the blocks, and the cursor of the next page.

    What is quick to tell of the published ledger is told at once: a thread would cost more than the answer.
    `question` gets how many rows to leave out and how many to tell. The next pages are those of the same block: its
    height and hash are in the cursor. Raises BlockNotFound, InvalidCursor and CursorExpired.
    """
    view = current(request)
    moment, offset = pinned(view, kind, page.cursor, height)
    skip = offset + page.skip

    def asked(ledger: Ledger) -> Sequence[T]:
        return question(ledger, skip, page.limit + 1)

    rows, hash_ = await at(request, moment, asked, is_quick)
    if len(rows) <= page.limit:
        return rows, None
    return rows[: page.limit], cursor_of(kind, (moment.height, hash_, skip + page.limit))


async def at(
    request: Request, moment: Moment, question: Callable[[Ledger], T], is_quick: bool = False
) -> tuple[T, str]:
    """The answer of the ledger after a block, and the block's hash. Raises CursorExpired when the hash is another."""
    view = current(request)
    if moment.height == view.tip.height and moment.hash in (None, view.tip.hash):
        return question(view) if is_quick else await asyncio.to_thread(question, view), view.tip.hash

    def asked(histories: Histories) -> tuple[T, str]:
        hash_ = histories.snapshot.block_hash(moment.height)
        if hash_ is None or moment.hash not in (None, hash_):
            raise CursorExpired(f"block {moment.height} was taken back meanwhile: begin without a cursor", "cursor")
        return question(Past(histories, moment.height)), hash_

    queries: Queries = request.app.state.queries
    return await queries.ask(view.manifest, asked)


def pinned(view: View, kind: str, cursor: str | None, height: int | None) -> tuple[Moment, int]:
    """The block whose ledger a list is of, and how many rows were told before. Raises BlockNotFound, InvalidCursor."""
    key = key_of(cursor, kind, int, str, int)
    if key is not None:
        return Moment(key[0], key[1]), key[2]
    if height is not None:
        check_published(view, height)
    return Moment(view.tip.height if height is None else height, None), 0


def check_published(view: View, height: int) -> None:
    """Raises BlockNotFound."""
    if not view.manifest.start_height <= height <= view.tip.height:
        published = f"{view.manifest.start_height} to {view.tip.height}"
        raise BlockNotFound(f"block {height} is not published (heights: {published})", "height")
