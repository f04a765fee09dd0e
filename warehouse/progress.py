"""How far indexing is: a bar on a terminal, a line every ten seconds in a log."""

import time
from datetime import timedelta
from typing import Final

import rich.progress
from rich.console import Console

from ingest.errors import IngestError
from ingest.source import Tip
from warehouse.indexer import Committed

EVERY: Final = 10.0
"""Seconds between two lines."""


class Progress:
    """Shown from `__enter__` to `__exit__`; tell it of every step."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}"),
            rich.progress.BarColumn(),
            rich.progress.TextColumn("{task.fields[rate]}"),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TextColumn("left"),
            rich.progress.TimeRemainingColumn(),
            console=console,
            speed_estimate_period=60,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task("looking at the chain", total=None, rate="")
        self.blocks = self.operations = 0
        self.began = self.told = time.monotonic()
        self.last: int | None = None

    def __enter__(self) -> "Progress":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def target(self, tip: Tip) -> None:
        """The height at which the source ends for now."""
        self.last = tip.height

    def waiting(self, error: IngestError, seconds: float) -> None:
        """The source is in the way; it is asked again by itself."""
        self.console.print(f"waiting {seconds:.1f} s: {error}", markup=False)

    def committed(self, step: Committed) -> None:
        """A step is published."""
        if step.blocks == 0:
            self.console.print(f"reorganisation: back to height {step.height}")
        self.blocks += step.blocks
        self.operations += step.operations
        left = None if self.last is None else max(0, self.last - step.height)
        now = time.monotonic()
        rate = self.blocks / (now - self.began)
        described = f"height {step.height}, {self.operations} operations"
        self.bar.update(
            self.task,
            description=described,
            completed=self.blocks,
            total=None if left is None else self.blocks + left,
            rate=f"{rate:.1f} blocks/s",
        )
        if self.bar.disable and (now - self.told >= EVERY or left == 0):
            self.told = now
            eta = f", {timedelta(seconds=round(left / rate))} left" if left else ""
            self.console.print(
                f"{described}, {rate:.1f} blocks/s, {self.operations / (now - self.began):.0f} operations/s{eta}"
            )
