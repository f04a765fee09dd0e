"""Run an iterator ahead of its consumer, so that fetching overlaps what is done with the fetched."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Final, Generic, TypeVar

from ingest.errors import IngestError, Stopped

T = TypeVar("T")

SLICE: Final = 0.1
"""Seconds between two looks at whether the other side has gone."""


class _End(Generic[T]):
    """What the producer puts last: nothing, or what it died of."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


def look_ahead(items: Iterator[T], depth: int, stop: Callable[[], bool]) -> Generator[T, None, None]:
    """The items of `items`, which a background thread draws up to `depth` ahead.

    Errors of `items` are raised here, after the items before them. `Stopped` is raised when `stop()` becomes true
    while nothing is ready. Closing the generator ends the thread after the item that it is drawing.
    """
    ready: queue.Queue[T | _End[T]] = queue.Queue(depth)
    closed = threading.Event()

    def offer(item: T | _End[T]) -> bool:
        while not closed.is_set():
            try:
                ready.put(item, timeout=SLICE)
            except queue.Full:
                continue
            return True
        return False

    def produce() -> None:
        end: _End[T] = _End(RuntimeError("the thread that fetches ahead died of an error that it could not name"))
        try:
            for item in items:
                if not offer(item):
                    return
            end = _End(None)
        except IngestError as error:
            end = _End(error)
        finally:
            offer(end)

    # A daemon: a thread that still waits for a slow node must not hold up the end of the program.
    threading.Thread(target=produce, name="look-ahead", daemon=True).start()
    try:
        while True:
            try:
                item = ready.get(timeout=SLICE)
            except queue.Empty:
                if stop():
                    raise Stopped("Stopped while blocks were being fetched") from None
                continue
            if not isinstance(item, _End):
                yield item
            elif item.error is None:
                return
            else:
                raise item.error
    finally:
        closed.set()
