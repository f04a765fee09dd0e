"""Runs statements of strangers: few at a time, each in a process that is stopped with its time or with its client."""

import asyncio
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import orjson
from fastapi import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from api import statement
from api.errors import ApiError, Busy, NotReady, QueryTimeout, QueryTooLarge, SqlNotServed, TooManyRows, UnusableQuery
from api.formats import Format
from warehouse import errors
from warehouse.manifest import Manifest

AT_ONCE: Final = 2
"""Statements of one worker that run at the same time."""
MOST_ROWS: Final = 1_000_000
MOST_BYTES: Final = 1 << 30
SECONDS: Final = 30.0
"""After which an answer must have begun."""
SENDING: Final = 300.0
"""Seconds after which it must have ended."""
PIECE: Final = 1 << 16

PROGRAM: Final = f"from {statement.__name__} import main; main()"

ERRORS: Final[dict[str, type[ApiError]]] = {
    errors.UnusableQuery.__name__: UnusableQuery,
    errors.QueryTooLarge.__name__: QueryTooLarge,
    MemoryError.__name__: QueryTooLarge,
    statement.TooManyRows.__name__: TooManyRows,
}
"""By what the process names them; whatever else goes wrong there lies with the files."""


class Analyst:
    """One for each worker process."""

    def __init__(self, data_dir: Path | None, seconds: float = SECONDS, rows: int = MOST_ROWS) -> None:
        """`data_dir` is the lake's folder; without files there are no statements."""
        self._data_dir = data_dir
        self._seconds = seconds
        self._rows = rows
        self._running = 0

    async def answer(self, request: Request, manifest: Manifest, query: str, format_: Format) -> Response:
        """What `query` answers at `manifest`, sent while it is made.

        Raises SqlNotServed, Busy, NotReady, UnusableQuery, QueryTimeout, QueryTooLarge and TooManyRows.
        """
        if self._data_dir is None:
            raise SqlNotServed("this server answers from ClickHouse: ask that one, or a server that has the lake")
        if self._running >= AT_ONCE:
            raise Busy("other statements are running: ask again in a second")
        self._running += 1
        process = None
        try:
            process = await _started()
            told = statement.Statement(
                self._data_dir, manifest, query, format_, self._rows, MOST_BYTES, int(self._seconds * 2) + 1
            )
            await self._begun(request, process, told)
        except BaseException:
            self._running -= 1
            if process is not None:
                await _end(process)
            raise
        return _Answer(self, process, format_.media_type)

    async def _begun(self, request: Request, process: Process, told: statement.Statement) -> None:
        beginning = asyncio.create_task(_first_line(process, pickle.dumps(told)))
        leaving = asyncio.create_task(_left(request))
        try:
            done, _ = await asyncio.wait(
                {beginning, leaving}, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if beginning not in done:
                why = "the client left" if done else f"the answer had not begun after {self._seconds:g} s: ask for less"
                raise QueryTimeout(why)
            _check(beginning.result())
        finally:
            beginning.cancel()
            leaving.cancel()
            await asyncio.gather(beginning, leaving, return_exceptions=True)

    async def done(self, process: Process) -> None:
        """Stop the process of an answer that has ended, well or not."""
        self._running -= 1
        await _end(process)


class _Answer(StreamingResponse):
    """The rest of what a process writes. However it ends, the process does."""

    def __init__(self, analyst: Analyst, process: Process, media_type: str) -> None:
        super().__init__(_pieces(process), media_type=media_type)
        self._analyst = analyst
        self._process = process

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(SENDING):
                await super().__call__(scope, receive, send)
        finally:
            await self._analyst.done(self._process)


class BrokenOff(Exception):
    """An answer that has begun cannot be ended; the connection is cut, so that nobody takes it for whole."""


async def _pieces(process: Process) -> AsyncIterator[bytes]:
    assert process.stdout is not None
    while piece := await process.stdout.read(PIECE):
        yield piece
    if await process.wait() != 0:
        raise BrokenOff


async def _started() -> Process:
    root = str(Path(__file__).parents[1])
    environment = {"PYTHONPATH": root, "LC_ALL": "C.UTF-8"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=environment, limit=PIECE,
    )  # fmt: skip


async def _first_line(process: Process, told: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(told)
    try:
        await process.stdin.drain()
        process.stdin.close()
        return await process.stdout.readline()
    except ConnectionError:
        return b""


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _check(line: bytes) -> None:
    if not line:
        raise QueryTooLarge("the statement needs more memory than it may, or more time of the processor")
    said = orjson.loads(line)
    if said["error"] is None:
        return
    kind = ERRORS.get(said["error"])
    if kind is None:
        raise NotReady("the files of this height were replaced meanwhile: ask again")
    raise kind(said["detail"], "query" if kind is UnusableQuery else None)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
