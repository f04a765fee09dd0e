"""How publishing went within the last hour, as one worker saw it."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

WINDOW: Final = 3600.0
"""Seconds that count."""

MOST: Final = 100_000
"""Steps that are remembered at most."""


class Progress:
    """Blocks that came, and how often some went."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._came: deque[tuple[float, int]] = deque(maxlen=MOST)
        self._went: deque[float] = deque(maxlen=MOST)
        self._height: int | None = None

    def note(self, height: int, is_continued: bool) -> None:
        """A state was published that continues the one before, or took blocks of it back."""
        now = self._clock()
        if self._height is not None:
            self._came.append((now, max(height - self._height, 0)))
        if not is_continued:
            self._went.append(now)
        self._height = height

    @property
    def blocks(self) -> int:
        """Blocks that were published."""
        return sum(blocks for at, blocks in self._came if at > self._clock() - WINDOW)

    @property
    def reorganisations(self) -> int:
        """How often blocks were taken back."""
        return sum(at > self._clock() - WINDOW for at in self._went)
