"""Keeps at hand what the lake publishes: the view that requests read, and the network's height beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import structlog

from api.metrics import LAG, NETWORK_HEIGHT, PUBLISHED_HEIGHT
from api.polling import every
from api.progress import Progress
from ingest.errors import IngestError
from warehouse.backend import Backend
from warehouse.errors import LakeError
from warehouse.serving import Serving
from warehouse.serving_view import View

NODE_POLL: Final = 5.0
"""Seconds between two questions to the node."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NetworkHeight:
    """What the node said last."""

    height: int | None
    error: str | None
    """Why there is no height; None before the node was asked."""


class Follower:
    """Follows a backend and, when there is one, a node. Read its attributes once a request: they change in between."""

    def __init__(self, backend: Backend, network_height: Callable[[], int] | None) -> None:
        """`network_height` may block and may raise LakeError and IngestError."""
        self.view: View | None = None
        self.error = "no block has been published yet"
        """Why there is no view."""
        self.asks_node: Final = network_height is not None
        self.network = NetworkHeight(None, None if self.asks_node else "no node was given to the server")
        self.progress = Progress()
        self.published = asyncio.Event()
        """Set, and replaced by another, once there is a newer view."""
        self._serving = Serving(backend)
        self._pause = backend.pause
        self._network_height = network_height

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow until the block ends. What is published now is there when it begins."""
        await self._refresh()
        async with AsyncExitStack() as tasks:
            await tasks.enter_async_context(every(self._pause, self._refresh))
            if self.asks_node:
                await tasks.enter_async_context(every(NODE_POLL, self._ask_node))
            yield

    async def _refresh(self) -> None:
        if not await asyncio.to_thread(self._serving.changed):
            return
        rewinds = self._serving.rewinds
        try:
            await asyncio.to_thread(self._serving.refresh)
        except (LakeError, OSError, pa.ArrowException) as error:
            if self.error != str(error):
                log.warning("lake_unreadable", error=str(error))
            self.error = str(error)
            return
        self.view = self._serving.view
        self.error = "no block has been published yet"
        if self.view:
            PUBLISHED_HEIGHT.set(self.view.tip.height)
            self.progress.note(self.view.tip.height, rewinds == self._serving.rewinds)
            self._set_lag()
        self.published.set()
        self.published = asyncio.Event()

    async def _ask_node(self) -> None:
        assert self._network_height is not None
        try:
            self.network = NetworkHeight(await asyncio.to_thread(self._network_height), None)
        except (IngestError, LakeError) as error:
            self.network = NetworkHeight(None, str(error))
            return
        NETWORK_HEIGHT.set(self.network.height or 0)
        self._set_lag()

    def _set_lag(self) -> None:
        if self.view and self.network.height is not None:
            LAG.set(lag(self.network.height, self.view.tip.height))


def lag(network_height: int, published_height: int) -> int:
    """Blocks that are still to be indexed; a node that is itself behind makes it no less than 0."""
    return max(network_height - published_height, 0)
