"""`simplicity keys`: who may use the API of a lake."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

import settings
from api.keys import Scope, create_key, read_keys, revoke_key
from api.options import check_rate

READING = [Scope.READ]

keys_app = typer.Typer(help="Create, list and revoke keys of the API.", no_args_is_help=True)


@keys_app.command()
def create(
    data: settings.Data,
    name: Annotated[str, typer.Option("--name", help="For whom or what the key is.")],
    scope: Annotated[list[Scope], typer.Option("--scope", help="What it may do; several times for more.")] = READING,
    rate: Annotated[str | None, typer.Option("--rate", help="Requests by cost, like 6000/minute.")] = None,
) -> None:
    """Make a key and show it, this once."""
    if rate is not None:
        check_rate(rate)
    key, text = create_key(data, name, scope, rate)
    print(text)
    typer.echo(f"key {key.id} for {name}: {', '.join(key.scopes)}. It is not kept and cannot be shown again.", err=True)


@keys_app.command("list")
def list_(
    data: settings.Data,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of lines.")] = False,
) -> None:
    """Show what is kept of the keys: never the keys themselves."""
    shown = [{name: value for name, value in asdict(key).items() if name != "sha256"} for key in read_keys(data)]
    if as_json:
        print(json.dumps(shown))
        return
    for key in shown:
        state = f"revoked {key['revoked']}" if key["revoked"] else f"since {key['created']}"
        print(
            f"smp_{key['id']}_…  {','.join(key['scopes']):<16} {key['rate'] or 'usual rate':<14} {state}  {key['name']}"
        )


@keys_app.command()
def revoke(
    data: settings.Data, key: Annotated[str, typer.Argument(help="The key's id: the eight digits after smp_.")]
) -> None:
    """Make a key open nothing any more, within a second and for good."""
    print(f"revoked {revoke_key(data, key.removeprefix('smp_')[:8]).id}")
