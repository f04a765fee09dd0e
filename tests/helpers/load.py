"""Asks an HTTP server over many connections and says how long answers took. Runs as a process of its own:

    python -m tests.helpers.load open|closed PORT CONNECTIONS SECONDS RATE < paths

`open`: requests start when a clock of RATE a second says so, whatever became of those before, and their time counts
from then; a busy connection makes its next request wait. `closed`: each connection asks again once it has its answer.
"""

import asyncio
import json
import resource
import sys
from collections import deque
from dataclasses import asdict, dataclass
from itertools import cycle
from time import perf_counter
from typing import cast

import uvloop

SETTLE = 0.5
"""Seconds between the last connection and the first request: the server is to have accepted them all."""


@dataclass(frozen=True)
class Load:
    """What was measured; times in milliseconds, `cpu` as share of one core that the generator itself used."""

    answered: int
    errors: int
    rate: float
    p50: float
    p95: float
    p99: float
    worst: float
    cpu: float


class Connection(asyncio.Protocol):
    """One keep-alive connection; `ask` may be called while an answer is awaited."""

    def __init__(self, tally: "Tally") -> None:
        self.tally = tally
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.begun: float | None = None
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, due: float, request: bytes) -> None:
        if self.begun is not None:
            self.waiting.append((due, request))
            return
        self.begun = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head = self.received.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self.received.find(b"content-length: ")
        length = int(self.received[at + 16 : self.received.index(b"\r\n", at)]) if 0 <= at < head else 0
        if len(self.received) < head + 4 + length:
            return
        assert self.begun is not None
        self.tally.add(perf_counter() - self.begun, self.received[9:12])
        self.received = b""
        self.begun = None
        if self.waiting:
            self.ask(*self.waiting.popleft())
        else:
            self.tally.idle(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.begun is not None:
            self.tally.errors += 1


class Tally:
    """Answers as they come in."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.errors = 0
        self.end = 0.0
        self.requests = iter(cycle([b""]))
        self.closed = False

    def add(self, seconds: float, status: bytes) -> None:
        self.times.append(seconds)
        if status != b"200":
            self.errors += 1

    def idle(self, connection: Connection) -> None:
        if self.closed and (now := perf_counter()) < self.end:
            connection.ask(now, next(self.requests))


async def measure(mode: str, port: int, connections: int, seconds: float, rate: float, paths: list[str]) -> Load:
    """Load as the module describes; `rate` counts for `open` only."""
    tally = Tally()
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: Connection(tally), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    await asyncio.sleep(SETTLE)
    tally.requests = cycle([f"GET {path} HTTP/1.1\r\nHost: load\r\n\r\n".encode() for path in paths])
    used, start = cpu_seconds(), perf_counter()
    tally.end = start + seconds
    if mode == "closed":
        tally.closed = True
        for connection in opened:
            connection.ask(perf_counter(), next(tally.requests))
        await asyncio.sleep(seconds)
    else:
        for number in range(int(seconds * rate)):
            due = start + number / rate
            if (early := due - perf_counter()) > 0:
                await asyncio.sleep(early)
            opened[number % connections].ask(due, next(tally.requests))
    for _ in range(100):
        if all(connection.begun is None for connection in opened):
            break
        await asyncio.sleep(0.05)
    took = perf_counter() - start
    unanswered = sum((connection.begun is not None) + len(connection.waiting) for connection in opened)
    cpu = (cpu_seconds() - used) / took
    times = sorted(tally.times) or [0.0]
    p50, p95, p99, worst = (
        1000 * times[min(int(share * len(times)), len(times) - 1)] for share in (0.5, 0.95, 0.99, 1)
    )
    return Load(len(tally.times), tally.errors + unanswered, len(tally.times) / took, p50, p95, p99, worst, cpu)


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    mode, port, connections, seconds, rate = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    result = uvloop.run(
        measure(mode, int(port), int(connections), float(seconds), float(rate), sys.stdin.read().split())
    )
    print(json.dumps(asdict(result)))
