"""Counting in one process gives what a shared store of the library would give."""

import asyncio
from random import Random

import pytest
from limits import parse
from limits.aio import strategies
from limits.aio.storage import MemoryStorage, memory
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from api import counts
from api.counts import Windows, _hit


class Clock:
    """Stands still between two questions."""

    now = 1_700_000_000.0

    def time(self) -> float:
        return self.now


def test_windows_agree_with_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three clients, now and then silent for longer than two windows, some asking more than they may."""
    clock, random = Clock(), Random(7)
    monkeypatch.setattr(memory, "time", clock)
    monkeypatch.setattr(strategies, "time", clock)
    monkeypatch.setattr(counts, "time", clock.time)
    rate = parse("50/minute")
    windows = Windows(rate)

    async def refused() -> int:
        library, number = SlidingWindowCounterRateLimiter(MemoryStorage()), 0
        for _ in range(3000):
            clock.now += random.choice([0.01, 0.7, 5.0]) if random.random() < 0.99 else random.choice([61, 130, 600])
            client, cost = random.choice(["one", "two", "three"]), random.choice([1, 5, 20])
            found = windows.hit(client, cost, clock.now)
            assert found == await _hit(library, rate, client, cost)
            number += not found.allowed
        return number

    assert asyncio.run(refused()) > 300
