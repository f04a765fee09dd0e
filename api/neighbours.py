"""Those whom the server depends on and outlives: the indexer that publishes, and the node."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from api.follower import Follower
from api.metrics import INDEXER_UP, LAG_SECONDS
from api.polling import every
from ingest.breaker import Circuit, CircuitBreaker
from warehouse.report import Activity, read_report

POLL: Final = 1.0
"""Seconds between two looks at the indexer's report."""

ALIVE: Final = frozenset({Activity.RUNNING, Activity.WAITING})


class NodeState(StrEnum):
    """Whether the node answered when it was last asked."""

    ANSWERING = "answering"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Standing:
    """What they are doing."""

    indexer: Activity | None
    """None when it never reported."""
    indexer_error: str | None
    """Why the indexer waits."""
    node: NodeState | None
    """None when no node was given to the server, or none was asked yet."""
    circuit: Circuit | None
    """Whether the node is called; None when no node was given to the server."""

    @property
    def degraded(self) -> str:
        """What keeps answers from being new, as `indexer-away, node-away`; empty when nothing does."""
        troubles = []
        if self.indexer not in (None, Activity.RUNNING):
            troubles.append(f"indexer-{self.indexer}")
        if self.node is NodeState.AWAY:
            troubles.append(f"node-{self.node}")
        return ", ".join(troubles)


class Neighbours:
    """Watches them from one worker. Read `standing` once a request: it changes in between."""

    def __init__(self, data_dir: Path, follower: Follower, breaker: CircuitBreaker | None) -> None:
        """`breaker` is that of the calls to the node, if there is one."""
        self.indexer_metrics = ""
        """Those of an indexer that is there."""
        self._data_dir = data_dir
        self._follower = follower
        self._breaker = breaker
        self._indexer: tuple[Activity | None, str | None] = None, None
        self._level_since = time.monotonic()

    @property
    def standing(self) -> Standing:
        """What they are doing now."""
        return Standing(*self._indexer, self._node(), self._breaker.circuit if self._breaker else None)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch them until the block ends."""
        await self._look()
        async with every(POLL, self._look):
            yield

    async def _look(self) -> None:
        report = await asyncio.to_thread(read_report, self._data_dir)
        activity = report.activity(time.time()) if report else None
        is_alive = activity in ALIVE
        waiting = report.waiting if report and activity is Activity.WAITING else None
        self._indexer = activity, waiting
        self.indexer_metrics = report.metrics if report and is_alive else ""
        if report:
            INDEXER_UP.set(is_alive)
        self._set_lag()

    def _node(self) -> NodeState | None:
        network = self._follower.network
        if network.height is not None:
            return NodeState.ANSWERING
        return NodeState.AWAY if self._follower.asks_node and network.error else None

    def _set_lag(self) -> None:
        view, network = self._follower.view, self._follower.network
        if network.height is None:
            return
        now = time.monotonic()
        if view is not None and view.tip.height >= network.height:
            self._level_since = now
        LAG_SECONDS.set(now - self._level_since)
