"""Folds and compaction in a thread of their own, while the writer goes on committing."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from warehouse.compact import compact_step
from warehouse.folds import fold_due, make_fold
from warehouse.lake import Lake

REST: Final = 3.0
"""How many times longer than it worked the thread then rests: syncing keeps three quarters of the time."""


class Maintenance:
    """Keeps a lake in shape from `__enter__` to `__exit__`; call `due` after every commit."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._pool = ThreadPoolExecutor(1, "maintenance")
        self._step: Future[float] | None = None

    def __enter__(self) -> "Maintenance":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Wait for the step under way, and leave readers no more than a due fold's worth to lay over the newest one."""
        self._pool.shutdown()
        if error is None and fold_due(self._lake.manifest):
            make_fold(self._lake)

    def due(self) -> None:
        """Begin the next step if none is under way and the last is long enough ago. Raises what the last one raised."""
        if self._step is None or (self._step.done() and time.monotonic() >= self._step.result()):
            self._step = self._pool.submit(self._work)

    def _work(self) -> float:
        """A fold if it is due, and a step of compaction; returns the time at which the next may begin."""
        begun = time.monotonic()
        if fold_due(self._lake.manifest):
            make_fold(self._lake)
        compact_step(self._lake)
        now = time.monotonic()
        return now + REST * (now - begun)
