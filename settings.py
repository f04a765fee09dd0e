"""The table of settings: every option of the command, its environment variable, and the settings file.

An option given on the command line wins over its variable `SIMPLICITY_<OPTION>`, which wins over the settings file.
"""

import inspect
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from typer.core import TyperGroup

DEFAULT_FILE = Path("simplicity.toml")

NetworkName = Literal["mainnet", "testnet4", "signet", "regtest"]


def variable(option: str) -> str:
    """Name of the environment variable of an option."""
    return "SIMPLICITY_" + option.upper().replace("-", "_")


def setting(name: str, help: str, **options: Any) -> Any:
    """An option that is also an environment variable of the same name."""
    return typer.Option(f"--{name}", envvar=variable(name), help=help, **options)


Data = Annotated[Path, setting("data", "Folder of the lake: everything that is indexed lives in it.", metavar="DIR")]
NetworkOption = Annotated[
    NetworkName | None,
    setting("network", "Bitcoin network. Needed for a new lake; a lake that exists remembers its own."),
]
NodeUrl = Annotated[
    str | None, setting("node", "Bitcoin Core's RPC address, as http://host:port or https://host:port.", metavar="URL")
]
NodeCookie = Annotated[Path | None, setting("node-cookie", "The node's .cookie file.", metavar="FILE")]
NodeUser = Annotated[str | None, setting("node-user", "RPC user.", metavar="NAME")]
NodePassword = Annotated[
    str | None, setting("node-password", "RPC password. Better given in the environment.", metavar="TEXT")
]
NodeHeader = Annotated[
    str | None, setting("node-header", "Header that a hosted node asks for, as 'name: value'.", metavar="TEXT")
]
Blocks = Annotated[
    Path | None,
    setting("blocks", "Folder with the node's blk*.dat and rev*.dat files, or a copy of it.", metavar="DIR"),
]
Start = Annotated[
    int | None,
    setting(
        "start",
        "First height of a new lake; the protocol's first block when left out. A later start gives no true balances: "
        "what happened before is missing.",
        min=0,
    ),
]
BackendAddress = Annotated[
    str,
    setting(
        "backend",
        "Who answers: duckdb over the lake's files, or the ClickHouse that `publish` keeps, as "
        "clickhouse://user:password@host:port/database.",
        metavar="duckdb|URL",
    ),
]
Trace = Annotated[
    str | None,
    setting(
        "trace",
        "Collector that takes traces by OTLP over HTTP, as http://host:4318. The standard's OTEL_… variables hold too.",
        metavar="URL",
    ),
]
To = Annotated[int | None, setting("to", "Last height to index.", min=0)]
Batch = Annotated[int, setting("batch", "Most blocks in one commit.", min=1)]
Threads = Annotated[int, setting("threads", "Threads that scan blocks ahead of the judge.", min=1)]
Output = Annotated[Path | None, setting("output", "File to write instead of standard output.", metavar="FILE")]
Host = Annotated[str, setting("host", "Address to listen on.")]
Port = Annotated[int, setting("port", "Port to listen on.", min=1, max=65535)]
Workers = Annotated[int, setting("workers", "Processes that answer requests.", min=1)]
Anonymous = Annotated[
    bool,
    typer.Option(
        "--anonymous/--no-anonymous", envvar=variable("anonymous"), help="Whether clients without a key may read."
    ),
]
AnonymousRate = Annotated[
    str, setting("anonymous-rate", "What each address without a key may ask, by cost.", metavar="N/PERIOD")
]
KeyRate = Annotated[
    str, setting("key-rate", "What each key may ask, by cost, unless it says otherwise.", metavar="N/PERIOD")
]
LimitStore = Annotated[
    str | None,
    setting("limit-store", "Where several processes count requests together, as redis://host:port.", metavar="URL"),
]
CorsOrigin = Annotated[
    list[str],
    setting("cors-origin", "Site whose scripts may ask, as https://host; may be given several times.", metavar="SITE"),
]
TrustedProxy = Annotated[
    list[str],
    setting(
        "trusted-proxy", "Address or network whose X-Forwarded-For is believed; may be given several times.",
        metavar="ADDRESS",
    ),
]  # fmt: skip
NONE_GIVEN: Final[list[str]] = []
"""Default of options that may be given several times; nobody changes it."""
JwtKey = Annotated[
    Path | None,
    setting("jwt-key", "File with the public key (PEM) or the secret that tokens are verified by.", metavar="FILE"),
]
JwtIssuer = Annotated[str | None, setting("jwt-issuer", "Who must have issued a token.", metavar="TEXT")]
JwtAudience = Annotated[str | None, setting("jwt-audience", "For whom a token must be meant.", metavar="TEXT")]
AccessLog = Annotated[
    Path | None,
    setting(
        "access-log", "Folder for the log of requests, a file a day, instead of standard error. Made if missing.",
        metavar="DIR",
    ),
]  # fmt: skip
LogRetentionDays = Annotated[
    int, setting("log-retention-days", "Days for which files of --access-log are kept; older ones are removed.", min=1)
]


def environment(given: dict[str, Any]) -> dict[str, str]:
    """The environment variables that say the same as the options in `given`, by parameter name."""
    texts = {
        variable(name.replace("_", "-")): " ".join(value) if isinstance(value, list) else str(value)
        for name, value in given.items()
        if value is not None
    }
    return {name: text for name, text in texts.items() if text}


def with_options_of(
    command: Callable[..., None], *others: Callable[..., None], leaving: Iterable[str]
) -> Callable[..., None]:
    """`command`, which takes any keyword, with the options that any of the others has, except those left out."""
    parameters = {
        name: parameter
        for other in others
        for name, parameter in inspect.signature(other).parameters.items()
        if name not in leaving
    }
    # What `inspect.signature` asks first; functions are not declared to have it.
    command.__signature__ = inspect.Signature([*parameters.values()], return_annotation=None)  # type: ignore[attr-defined]
    command.__annotations__ = {name: parameter.annotation for name, parameter in parameters.items()}
    return command


def defaults_from(file: Path | None, group: TyperGroup) -> dict[str, dict[str, Any]] | None:
    """What the settings file gives to each command of the group, or None when there is no file.

    `file` must exist; without it `simplicity.toml` is read if it is there. Raises BadParameter, a wrong use, when the
    file cannot be read or names an option that no command has.
    """
    path = file or DEFAULT_FILE
    if file is None and not path.exists():
        return None
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint="--settings") from error
    known: set[str] = set()
    defaults = _defaults(group, values, known)
    if unknown := values.keys() - known:
        raise typer.BadParameter(f"{path}: no option is called {', '.join(sorted(unknown))}", param_hint="--settings")
    return defaults


def _defaults(group: TyperGroup, values: dict[str, Any], known: set[str]) -> dict[str, dict[str, Any]]:
    """The part of `values` that each command takes; `known` gains the names of its options."""
    defaults = {}
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            defaults[name] = _defaults(command, values, known)
            continue
        options = {option.opts[0].removeprefix("--"): option.name for option in command.params if option.name}
        known.update(options)
        defaults[name] = {options[option]: value for option, value in values.items() if option in options}
    return defaults
