"""Publishing as a command does it: step after step, until all is there or a signal comes."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Final

from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.errors import ServerAway
from warehouse.clickhouse.publish import Publisher, Step
from warehouse.clickhouse.purge import GRACE
from warehouse.clickhouse.target import Target
from warehouse.trail import note

EVERY: Final = 1.0
"""Seconds between two steps at the tip: each makes a part in some tables, which the server must merge."""

PATIENCE: Final = 60.0
"""Seconds for which a server that is away is tried, when nobody follows."""


def publish_to(
    target: Target, directory: Path, cluster: str | None, stop: Event, follow: bool, say: Callable[[str], None]
) -> None:
    """Bring `target` to what the lake in `directory` has published, and go on if `follow`. Raises LakeError."""

    def waiting(error: ServerAway, seconds: float) -> None:
        say(f"waiting {seconds:.1f} s: {error}")

    try:
        with closing(Connection(target, stop, None if follow else PATIENCE, waiting)) as connection:
            publisher = Publisher(directory, connection, cluster)
            note(directory, "publish", to=target.name, generation=publisher.mark.generation)
            _go_on(publisher, stop, follow, say)
            say(f"published to height {publisher.mark.height} of {target.name}")
    except ServerAway:
        if not stop.is_set():
            raise


def _go_on(publisher: Publisher, stop: Event, follow: bool, say: Callable[[str], None]) -> None:
    while not stop.is_set():
        step = publisher.step()
        if step is not None:
            say(_described(step))
        publisher.tidy(GRACE)
        if step is None and not follow:
            return
        if follow:
            stop.wait(EVERY)


def _described(step: Step) -> str:
    return f"{'reorganisation, then ' if step.back else ''}height {step.height}, {step.rows} rows"
