"""`simplicity trail`: who did what to a lake."""

import json
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from typer._click.core import Context
from typer.core import TyperGroup

import settings
from warehouse import trail as kept

SHOW = "show"

console = Console(stderr=True, highlight=False, soft_wrap=True)


class ShowUnlessSaid(TyperGroup):
    """Takes `trail` alone for `trail show`."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        said = args[:1] == ["--help"] or {*args[:1]} & self.commands.keys()
        return super().parse_args(ctx, args if said else [SHOW, *args])


trail_app = typer.Typer(
    cls=ShowUnlessSaid, help="Show the administrative actions on a lake; remove old ones.", no_args_is_help=False
)


@trail_app.command(SHOW)
def show(
    data: settings.Data,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of lines.")] = False,
) -> None:
    """Show the actions, oldest first: keys, rollbacks, rebuilds, imports, exports. Meant when nothing is said."""
    found = kept.actions(data)
    if as_json:
        print(json.dumps(found))
        return
    for action in found:
        told = {name: value for name, value in action.items() if name not in ("time", "by", "action")}
        rest = " ".join(f"{name}={value}" for name, value in told.items() if value is not None)
        print(f"{action['time']}  {action['by']:<12} {action['action']:<16} {rest}".rstrip())


@trail_app.command()
def prune(
    data: settings.Data,
    before: Annotated[
        datetime,
        settings.setting(
            "before", "First day that is kept, as 2026-01-31 (UTC).", formats=["%Y-%m-%d"], metavar="DATE"
        ),
    ],
) -> None:
    """Remove what was noted before a day, and note that. Nothing is ever removed otherwise."""
    removed = kept.prune(data, before.date())
    console.print(f"removed {removed} actions from before {before.date()}")
