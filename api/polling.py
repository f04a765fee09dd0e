"""What a worker does again and again beside answering requests."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger()


@asynccontextmanager
async def every(seconds: float, action: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Repeat `action` until the block ends, resting so long in between. An error that it raises ends the process."""
    task = asyncio.create_task(_repeat(seconds, action))
    task.add_done_callback(_end_process)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _repeat(seconds: float, action: Callable[[], Awaitable[None]]) -> None:
    while True:
        await action()
        await asyncio.sleep(seconds)


def _end_process(task: asyncio.Task[None]) -> None:
    """A defect must not leave a server that goes on serving an old height: the process ends, and is started anew."""
    if not task.cancelled() and (error := task.exception()):
        log.critical("follower_failed", exc_info=error)
        signal.raise_signal(signal.SIGTERM)
