"""How the indexer is doing, told to those who serve what it publishes: a file of the lake, renewed every second.

The file is not part of what is published, and need not survive a power cut.
"""

import json
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from ingest.breaker import Circuit
from ingest.errors import IngestError
from ingest.source import Tip
from ingest.stages import Stage
from warehouse.files import UNFINISHED
from warehouse.indexer import Committed
from warehouse.indexer_metrics import IndexerMetrics

NAME: Final = "indexer.json"

EVERY: Final = 1.0
"""Seconds between two reports."""

SILENCE: Final = 10.0
"""Seconds without a report after which the indexer counts as away."""


class Activity(StrEnum):
    """What the indexer is doing."""

    RUNNING = "running"
    WAITING = "waiting"
    """For its source: the node is away, starting, or behind."""
    STOPPED = "stopped"
    """It ended: it was told to, had nothing more to index, or said what was in the way."""
    AWAY = "away"
    """It ended without a word, or stands still."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the indexer said last."""

    updated: float
    """Seconds since 1970."""
    running: bool
    waiting: str | None
    """Why it waits for its source; None when it does not."""
    circuit: Circuit
    metrics: str
    """In Prometheus' text format."""

    def activity(self, now: float) -> Activity:
        """What the indexer does at a time."""
        if not self.running:
            return Activity.STOPPED
        if now - self.updated > SILENCE:
            return Activity.AWAY
        return Activity.WAITING if self.waiting else Activity.RUNNING


_REPORT: Final = TypeAdapter(Report)


def read_report(directory: Path) -> Report | None:
    """The report in a lake; None when there is none that can be read."""
    with suppress(OSError, ValueError):
        return _REPORT.validate_json((directory / NAME).read_bytes())
    return None


class Reporter:
    """Reports from `__enter__` to `__exit__`, which must lie within the writer's hold on the lake."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._metrics = IndexerMetrics()
        self._waiting: str | None = None
        self._circuit = Circuit.CLOSED
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._report, name="report", daemon=True)

    def __enter__(self) -> "Reporter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def committed(self, step: Committed) -> None:
        """A step is published."""
        self._goes_on()
        self._metrics.committed(step)

    def target(self, tip: Tip) -> None:
        """Where the source ends for now."""
        self._goes_on()
        self._metrics.target(tip.height)

    def waiting(self, error: IngestError, _seconds: float) -> None:
        """The source is in the way."""
        self._waiting = str(error)
        self._metrics.waits()

    def called(self, call: Stage, outcome: str) -> None:
        """The node was called."""
        self._metrics.called(call, outcome)

    def circuit(self, circuit: Circuit) -> None:
        """What the circuit before the node became."""
        self._circuit = circuit
        self._metrics.circuit(circuit)

    def _goes_on(self) -> None:
        self._waiting = None
        self._metrics.goes_on()

    def _report(self) -> None:
        self._write(running=True)
        while not self._ended.wait(EVERY):
            self._write(running=True)
        self._write(running=False)

    def _write(self, running: bool) -> None:
        report = Report(time.time(), running, self._waiting, self._circuit, self._metrics.text())
        unfinished = self._path.with_name(NAME + UNFINISHED)
        # A full disk ends the indexer where it commits, with a message; nobody would read one from here.
        with suppress(OSError):
            unfinished.write_text(json.dumps(asdict(report)))
            unfinished.rename(self._path)
