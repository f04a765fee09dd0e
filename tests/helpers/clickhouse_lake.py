"""A lake in ClickHouse, published as the command does it."""

from contextlib import closing
from pathlib import Path
from threading import Event

from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.publish import Publisher
from warehouse.clickhouse.target import Target

PATIENCE = 10.0


def publish(lake: Path, address: str) -> None:
    """Bring the database of the address to what the lake has published."""
    with closing(Connection(Target.of(address), Event(), PATIENCE)) as connection:
        publisher = Publisher(lake, connection)
        while publisher.step():
            pass
