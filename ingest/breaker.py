"""A circuit breaker: a node that keeps failing is left alone for a while."""

import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from ingest.errors import CircuitOpen, NodeFailing

T = TypeVar("T")


class Circuit(StrEnum):
    """Whether calls are let through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """One call is under way as a probe; the others are turned away until it is answered."""


def unheard(_circuit: Circuit) -> None:
    """The `on_change` of those who do not report the circuit."""


class CircuitBreaker:
    """After `failures` calls in a row that got no answer, calls raise `CircuitOpen` at once for `pause` seconds.

    Then one call is let through as a probe: an answer closes the circuit, a failure opens it for another pause.
    `on_change` is told what `circuit` became, by the thread whose call changed it.
    """

    def __init__(
        self,
        failures: int = 5,
        pause: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[Circuit], None] = unheard,
    ) -> None:
        self.circuit = Circuit.CLOSED
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._failures = 0
        self._next_probe = 0.0
        self._last: NodeFailing | None = None

    def call(self, function: Callable[[], T]) -> T:
        """What `function` returns; only its `NodeFailing` errors count as failures."""
        self._admit()
        try:
            result = function()
        except NodeFailing as error:
            self._failed(error)
            raise
        except BaseException:
            self._answered()
            raise
        self._answered()
        return result

    def _admit(self) -> None:
        with self._lock:
            if self._failures < self._limit:
                return
            left = self._next_probe - self._clock()
            if left > 0:
                what = self._last.what if self._last else "unknown failure"
                raise CircuitOpen(f"Not asked for another {left:.0f} s after {self._failures} failures; last: {what}")
            self._next_probe = self._clock() + self._pause
            self._become(Circuit.HALF_OPEN)

    def _failed(self, error: NodeFailing) -> None:
        with self._lock:
            self._failures += 1
            self._last = error
            self._next_probe = self._clock() + self._pause
            if self._failures >= self._limit:
                self._become(Circuit.OPEN)

    def _answered(self) -> None:
        with self._lock:
            self._failures = 0
            self._become(Circuit.CLOSED)

    def _become(self, circuit: Circuit) -> None:
        if circuit is not self.circuit:
            self.circuit = circuit
            self._on_change(circuit)
