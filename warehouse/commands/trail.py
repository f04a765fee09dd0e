"""`simplicity trail`: who did what to a lake."""

import json
from typing import Annotated

import typer

import settings
from warehouse.trail import actions


def trail(
    data: settings.Data,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of lines.")] = False,
) -> None:
    """Show the administrative actions on a lake, oldest first: keys, rollbacks, rebuilds, imports, exports."""
    found = actions(data)
    if as_json:
        print(json.dumps(found))
        return
    for action in found:
        told = {name: value for name, value in action.items() if name not in ("time", "by", "action")}
        rest = " ".join(f"{name}={value}" for name, value in told.items() if value is not None)
        print(f"{action['time']}  {action['by']:<12} {action['action']:<16} {rest}".rstrip())
