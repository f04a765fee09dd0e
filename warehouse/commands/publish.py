"""`simplicity publish`: the lake's tables in ClickHouse."""

from typing import Annotated

import typer
from rich.console import Console

import settings
from warehouse.clickhouse.ddl import statements
from warehouse.clickhouse.target import Target
from warehouse.errors import UnusableQuery
from warehouse.stopping import stop_on_signal

console = Console(stderr=True, highlight=False, soft_wrap=True)


def publish(
    data: settings.Data,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            envvar=settings.variable("publish-to"),
            help="clickhouse://user:password@host:port/database, or chdb:///folder for the engine in this process. "
            "Better given in the environment.",
            metavar="URL",
        ),
    ] = None,
    follow: Annotated[bool, settings.setting("follow", "Go on with new blocks instead of ending at the tip.")] = False,
    cluster: Annotated[
        str | None, settings.setting("cluster", "Make replicated and distributed tables on this cluster.")
    ] = None,
    ddl: Annotated[bool, typer.Option("--ddl", help="Print the statements that make the tables, and end.")] = False,
) -> None:
    """Bring the tables of a ClickHouse to what the lake has published; readers of it see whole heights only."""
    target = None if to is None else Target.of(to)
    if ddl:
        print_ddl(target.database if target else "simplicity", cluster)
        return
    if target is None:
        raise UnusableQuery("say where to publish to with --to clickhouse://… or chdb:///…, or --ddl to see the tables")
    # Its libraries take a second to load, and only this command needs them.
    from warehouse.clickhouse.follow import publish_to

    with stop_on_signal() as stop:
        publish_to(target, data, cluster, stop, follow, lambda text: console.print(text, markup=False))


def print_ddl(database: str, cluster: str | None) -> None:
    """What `publish` would run first, for a reader or another client."""
    first, *others = statements(database, cluster)
    print(";\n\n".join([first, f"USE `{database}`", *others]) + ";")
