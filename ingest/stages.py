"""When a part of the work was done: for those who measure and trace it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """Work called `name` from `began` to `ended`, in nanoseconds since 1970."""

    name: str
    began: int
    ended: int

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended - self.began) / 1e9


class Watch:
    """Begins a stage when it is made."""

    __slots__ = ("_began", "_name", "_ticks")

    def __init__(self, name: str) -> None:
        self._name = name
        self._began = time.time_ns()
        self._ticks = time.perf_counter_ns()

    def end(self) -> Stage:
        """The stage that ends now; its length does not depend on whether the clock was set meanwhile."""
        return Stage(self._name, self._began, self._began + time.perf_counter_ns() - self._ticks)


def timed(name: str, function: Callable[[], T]) -> tuple[T, Stage]:
    """What `function` returns, and when it ran."""
    watch = Watch(name)
    result = function()
    return result, watch.end()
