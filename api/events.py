"""What happens, as it is published: blocks, their operations, and blocks that are taken back.

Nothing is queued for a listener: it knows where it stands and reads on when a block is published, as fast as its client
takes it. So a stream that is taken up again continues where it ended, on any worker, whatever became of the chain.
"""

import asyncio
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import orjson
from sse_starlette import ServerSentEvent

from api.errors import ApiError, BlockNotFound, CursorExpired, InvalidParameter
from api.follower import Follower
from api.marks import FIELD, WHOLE, Mark
from api.queries import Queries
from api.rows import HistoryRow, history_row
from api.streams import SEPARATOR
from warehouse.histories import Filter, Histories
from warehouse.manifest import Manifest
from warehouse.serving_view import View

T = TypeVar("T")

RETRY: Final = 1000
"""Milliseconds after which a client whose stream ended is to come back."""
LONGEST: Final = 3600.0
"""Seconds after which a stream ends, so that its client is asked anew who it is."""
BEHIND: Final = 1.0
"""Seconds for which another worker may be ahead of this one."""
PAUSE: Final = 0.2
"""Seconds until a question that had no answer is asked anew."""
KEPT: Final = 64
"""Answers kept for the other listeners."""
FURTHEST: Final = 10_000
"""Blocks that a stream may begin with."""

News = tuple[Mark, ServerSentEvent]
"""An event and the mark behind it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which operations are told."""

    ticker: str | None
    address: str | None
    include_invalid: bool

    def holds(self, row: HistoryRow) -> bool:
        """Whether this one is."""
        return (
            (self.ticker is None or row["ticker"] == self.ticker)
            and (self.address is None or self.address in (row["from_address"], row["to_address"]))
            and (self.include_invalid or row["valid"])
        )


@dataclass(frozen=True, slots=True)
class Block:
    """A published block with its operations in processing order."""

    mark: Mark
    facts: dict[str, Any]
    indexes: list[int]
    rows: list[HistoryRow]

    def begun(self) -> News:
        """The block itself."""
        mark = replace(self.mark, done=0)
        return mark, _event("block", mark, self.facts)

    def operations(self, wanted: Wanted, done: int) -> list[News]:
        """Wanted operations from the place `done` of the processing order on."""
        found = []
        for at in range(bisect_left(self.indexes, done), len(self.rows)):
            if wanted.holds(self.rows[at]):
                mark = replace(self.mark, done=self.indexes[at] + 1)
                found.append((mark, _event("operation", mark, self.rows[at])))
        return found


class Events:
    """What the streams of one worker tell."""

    def __init__(self, follower: Follower, queries: Queries) -> None:
        self._follower = follower
        self._queries = queries
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._asking = asyncio.Lock()

    async def listen(
        self, view: View, wanted: Wanted, last: str | None, first: int | None
    ) -> AsyncIterator[ServerSentEvent]:
        """What comes behind the event `last`; without one from block `first` on, or from now on.

        Raises BlockNotFound, InvalidCursor, CursorExpired and InvalidParameter, and what Queries does.
        """
        mark = await (self._behind(view, last) if last is not None else self._before(view, first))
        return self._stream(wanted, mark)

    async def _before(self, view: View, first: int | None) -> Mark:
        """The mark before a block, or behind the newest one."""
        if first is None:
            first = view.tip.height + 1
        elif first <= view.tip.height - FURTHEST:
            raise InvalidParameter(f"begin with one of the last {FURTHEST} blocks: histories have the others", "from")
        elif not view.manifest.start_height <= first <= view.tip.height + 1:
            raise BlockNotFound(f"block {first} is not published, nor the next to be", "from")
        return await self._mark(view, first - 1)

    async def _behind(self, view: View, last: str) -> Mark:
        """The mark of an event, once this worker has read what the event was told from."""
        mark = Mark.parsed(last)
        with suppress(TimeoutError):
            async with asyncio.timeout(BEHIND):
                while (view := self._follower.view or view).manifest.sequence < mark.sequence:
                    await self._follower.published.wait()
        if await self._standing(view, mark) < view.tip.height - FURTHEST:
            raise CursorExpired(f"what followed fills more than {FURTHEST} blocks: begin without it", FIELD)
        return mark

    async def _stream(self, wanted: Wanted, mark: Mark) -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent(id=str(mark), retry=RETRY, sep=SEPARATOR)
        clock = asyncio.get_running_loop().time
        end = clock() + LONGEST
        while (left := end - clock()) > 0:
            published, view = self._follower.published, self._follower.view
            try:
                if view is not None:
                    async for place, event in self._news(view, wanted, mark):
                        mark = place
                        yield event
            except ApiError:
                await asyncio.sleep(PAUSE)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(published.wait(), left)

    async def _news(self, view: View, wanted: Wanted, mark: Mark) -> AsyncIterator[News]:
        """What `view` has behind `mark`."""
        standing = await self._standing(view, mark)
        if standing != mark.height:
            gone, mark = mark.height, await self._mark(view, standing)
            yield mark, _event("reorganisation", mark, {"height": standing, "from_height": gone})
        elif mark.done < WHOLE:
            for news in (await self._block(view.manifest, mark.height)).operations(wanted, mark.done):
                yield news
        for height in range(mark.height + 1, view.tip.height + 1):
            block = await self._block(view.manifest, height)
            yield block.begun()
            for news in block.operations(wanted, 0):
                yield news

    async def _standing(self, view: View, mark: Mark) -> int:
        def asked(histories: Histories) -> int:
            return mark.standing(view.manifest.start_height, histories.snapshot.block_hash)

        return await self._ask(view.manifest, (mark.height, mark.hashes), asked)

    async def _mark(self, view: View, height: int) -> Mark:
        return await self._ask(view.manifest, ("mark", height), lambda histories: _mark_at(histories, height))

    async def _block(self, manifest: Manifest, height: int) -> Block:
        return await self._ask(manifest, ("block", height), lambda histories: _read(histories, height))

    async def _ask(self, manifest: Manifest, key: Hashable, question: Callable[[Histories], T]) -> T:
        """The answer to a question that many listeners ask at the same time."""
        async with self._asking:
            known = manifest.sequence, key
            if known not in self._answers:
                self._answers[known] = await self._queries.ask(manifest, question)
                if len(self._answers) > KEPT:
                    self._answers.popitem(last=False)
            answer: T = self._answers[known]
            return answer


def _mark_at(histories: Histories, height: int) -> Mark:
    """The end of a published block."""
    return Mark.at(height, histories.snapshot.manifest.sequence, histories.snapshot.block_hash)


def _read(histories: Histories, height: int) -> Block:
    """A published block."""
    [facts] = histories.block_hashes(height, height)
    found = histories.page(Filter(height=height, include_invalid=True), WHOLE)
    operations = sorted(found, key=lambda operation: operation.op_index)
    return Block(
        _mark_at(histories, height),
        {**facts._asdict(), "operations": len(operations)},
        [operation.op_index for operation in operations],
        [history_row(operation) for operation in operations],
    )


def _event(name: str, mark: Mark, fact: object) -> ServerSentEvent:
    return ServerSentEvent(orjson.dumps(fact).decode(), event=name, id=str(mark), sep=SEPARATOR)
