"""The `simplicity` command, and the only file that wires the four packages.

Its options are the table of `settings.py`.
"""

import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer._click.core import Context
from typer.core import TyperGroup

import settings
from api.app import SAFE
from api.command import keys_app
from api.keys import UnknownKey
from api.options import Options, UnusableOption
from api.server import serve as serve_http
from api.tracing import tracing
from ingest.breaker import CircuitBreaker
from ingest.compiled import is_first_run
from ingest.errors import IngestError
from ingest.files import BlockFiles
from ingest.follow import follow as follow_chain
from ingest.networks import NETWORKS
from ingest.node import Node
from ingest.patience import Patience
from ingest.rpc import Credentials
from ingest.source import Source
from warehouse.answers import plain
from warehouse.audit import audit as audit_lake
from warehouse.backends import LAKE
from warehouse.bundles.errors import UnusableKey
from warehouse.catalogue import Catalogue, write_catalogue
from warehouse.commands.catalogue import catalogue
from warehouse.commands.export import export
from warehouse.commands.publish import publish
from warehouse.commands.shell import shell
from warehouse.commands.snapshot import snapshot_app
from warehouse.commands.sql import sql
from warehouse.commands.trail import trail_app
from warehouse.duckdb_engine import connect
from warehouse.errors import DifferenceFound, LakeError, LakeNotFound, UnusableQuery
from warehouse.folds import fold_due, make_fold
from warehouse.indexer import Indexer, rederive
from warehouse.lake import Lake
from warehouse.manifest import read_manifest
from warehouse.progress import Progress
from warehouse.report import Reporter
from warehouse.stopping import stop_on_signal
from warehouse.traces import trace_step
from warehouse.trail import note
from warehouse.verify import ApiSide, LakeSide, first_difference

RECORDED_CHAIN = Path(__file__).parent / "tests/data/regtest/blocks.tar.gz"

DIFFERENCE, WRONG_USE, IN_THE_WAY = 1, 2, 3
"""Exit codes beside 0."""

console = Console(stderr=True, highlight=False, soft_wrap=True)


class Commands(TyperGroup):
    """The one place where errors become messages and exit codes."""

    def invoke(self, ctx: Context) -> object:
        try:
            return super().invoke(ctx)
        except (UnusableQuery, UnusableOption, UnknownKey, UnusableKey) as error:
            raise fail(str(error), WRONG_USE) from error
        except DifferenceFound as error:
            raise fail(str(error), DIFFERENCE) from error
        except (IngestError, LakeError) as error:
            raise fail(str(error), IN_THE_WAY) from error
        except OSError as error:
            raise fail(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "), IN_THE_WAY) from error


app = typer.Typer(
    name="simplicity",
    cls=Commands,
    help="An analytics-first indexer of the Universal BRC-20 protocol.",
    epilog="Exit codes: 0 done; 1 a difference was found; 2 wrong use; 3 the node or the data is in the way.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


app.add_typer(keys_app, name="keys")
app.add_typer(snapshot_app, name="snapshot")
app.add_typer(trail_app, name="trail")


@app.callback()
def read_settings(
    context: typer.Context,
    file: Annotated[
        Path | None,
        settings.setting("settings", "Settings file (TOML, option = value). Default: simplicity.toml, if it is there."),
    ] = None,
) -> None:
    assert isinstance(context.command, TyperGroup)
    context.default_map = settings.defaults_from(file, context.command)


def fail(message: str, code: int) -> typer.Exit:
    console.print(f"simplicity: {message}", markup=False)
    return typer.Exit(code)


def open_source(
    network: str,
    node: str | None,
    blocks: Path | None,
    credentials: Credentials,
    patience: Patience,
    reporter: Reporter,
) -> Source:
    if node is not None and blocks is None:
        breaker = CircuitBreaker(on_change=reporter.circuit)
        return Node(node, NETWORKS[network], credentials, patience=patience, breaker=breaker, on_call=reporter.called)
    if blocks is not None and node is None:
        return BlockFiles(blocks, NETWORKS[network])
    raise fail("give either --node URL or --blocks DIR", WRONG_USE)


def open_lake(data: Path, network: str | None, start: int | None) -> Lake:
    """The lake in `data`, made if it is not there."""
    try:
        manifest = read_manifest(data)
    except LakeNotFound:
        if network is None:
            raise fail(f"{data} holds no lake yet: say which one to make with --network", WRONG_USE) from None
        return Lake.create(data, network, NETWORKS[network].genesis_height if start is None else start)
    if network not in (None, manifest.network):
        raise fail(f"{data} holds a lake of {manifest.network}, not of {network}", WRONG_USE)
    if start not in (None, manifest.start_height):
        raise fail(f"the lake in {data} starts at height {manifest.start_height}, not at {start}", WRONG_USE)
    return Lake.open(data)


def each(*listeners: Callable[..., None]) -> Callable[..., None]:
    """Tells all of them."""

    def tell(*news: object) -> None:
        for listener in listeners:
            listener(*news)

    return tell


@app.command()
def sync(
    data: settings.Data,
    network: settings.NetworkOption = None,
    node: settings.NodeUrl = None,
    blocks: settings.Blocks = None,
    start: settings.Start = None,
    to: settings.To = None,
    follow: Annotated[bool, settings.setting("follow", "Go on with new blocks instead of ending at the tip.")] = False,
    batch: settings.Batch = 144,
    threads: settings.Threads = 1,
    node_cookie: settings.NodeCookie = None,
    node_user: settings.NodeUser = None,
    node_password: settings.NodePassword = None,
    node_header: settings.NodeHeader = None,
    trace: settings.Trace = None,
) -> None:
    """Index blocks from a node or its block files, resuming where the last run stopped."""
    credentials = Credentials(node_user, node_password, node_cookie, node_header)
    with stop_on_signal() as stop, open_lake(data, network, start) as lake, Catalogue(lake), ExitStack() as ending:
        if is_first_run():
            console.print("the first run compiles the kernels: this takes about a minute, once")
        if traces := tracing(trace, "simplicity-indexer"):
            ending.callback(traces.close)
        with Progress(console) as progress, Reporter(data) as reporter:
            patience = Patience(None if follow else 60.0, stop.is_set, each(progress.waiting, reporter.waiting))
            source = open_source(lake.manifest.network, node, blocks, credentials, patience, reporter)
            indexer = Indexer(lake, threads)
            stream = follow_chain(
                source,
                lake.tip,
                indexer.hash_at,
                start=lake.manifest.start_height,
                stop_height=to,
                follow_tip=follow,
                batch_blocks=batch,
                patience=patience,
                poll=0.1,
                on_tip=each(progress.target, reporter.target),
            )
            try:
                for committed in indexer.index(stream, stop):
                    progress.committed(committed)
                    reporter.committed(committed)
                    if traces:
                        trace_step(traces.tracer, committed)
            finally:
                source.close()
        console.print(f"indexed to {describe_tip(lake)}")


def describe_tip(lake: Lake) -> str:
    tip = lake.manifest.tip
    return f"height {tip.height} ({tip.hash})" if tip else "nothing: the source has no block to index"


@app.command()
def serve(
    data: settings.Data,
    host: settings.Host = "127.0.0.1",
    port: settings.Port = 8080,
    workers: settings.Workers = 1,
    node: settings.NodeUrl = None,
    node_cookie: settings.NodeCookie = None,
    node_user: settings.NodeUser = None,
    node_password: settings.NodePassword = None,
    node_header: settings.NodeHeader = None,
    anonymous: settings.Anonymous = SAFE.anonymous,
    anonymous_rate: settings.AnonymousRate = SAFE.anonymous_rate,
    key_rate: settings.KeyRate = SAFE.key_rate,
    limit_store: settings.LimitStore = None,
    cors_origin: settings.CorsOrigin = settings.NONE_GIVEN,
    trusted_proxy: settings.TrustedProxy = settings.NONE_GIVEN,
    jwt_key: settings.JwtKey = None,
    jwt_issuer: settings.JwtIssuer = None,
    jwt_audience: settings.JwtAudience = None,
    access_log: settings.AccessLog = None,
    log_retention_days: settings.LogRetentionDays = SAFE.log_retention_days,
    trace: settings.Trace = None,
    backend: settings.BackendAddress = LAKE,
) -> None:
    """Serve the HTTP API from what is published, also while `sync` runs."""
    credentials = Credentials(node_user, node_password, node_cookie, node_header)
    options = Options(
        anonymous=anonymous,
        anonymous_rate=anonymous_rate,
        key_rate=key_rate,
        limit_store=limit_store,
        cors_origins=tuple(cors_origin),
        trusted_proxies=tuple(trusted_proxy),
        jwt_key=str(jwt_key) if jwt_key else None,
        jwt_issuer=jwt_issuer,
        jwt_audience=jwt_audience,
        access_log=str(access_log) if access_log else None,
        log_retention_days=log_retention_days,
    )
    serve_http(
        data,
        host=host,
        port=port,
        workers=workers,
        node=node,
        credentials=credentials,
        options=options,
        trace=trace,
        backend=backend,
    )


def run(**given: Any) -> None:
    """Follow the chain and serve the API: `sync --follow` and `serve` side by side, each restarted when it dies."""
    open_lake(given["data"], given["network"], given["start"]).close()
    environment = {**os.environ, **settings.environment(given)}
    with stop_on_signal() as stop:
        supervise({"sync": ["sync", "--follow"], "serve": ["serve"]}, environment, stop)


app.command()(settings.with_options_of(run, sync, serve, leaving=("to", "follow")))


def supervise(children: dict[str, list[str]], environment: dict[str, str], stop: threading.Event) -> None:
    """Keep the children running until `stop`: one that dies starts again after a pause that doubles up to a minute.

    Wrong use does not go away by itself: it ends everything with the child's exit code.
    """
    running: dict[str, subprocess.Popen[bytes]] = {}
    due = dict.fromkeys(children, 0.0)
    pause = dict.fromkeys(children, 1.0)
    try:
        while not stop.is_set():
            for name, arguments in children.items():
                if name not in running and time.monotonic() >= due[name]:
                    command = [sys.executable, "-m", "simplicity", *arguments]
                    running[name] = subprocess.Popen(command, env=environment, start_new_session=True)
                code = running[name].poll() if name in running else None
                if code is None:
                    continue
                del running[name]
                if code == WRONG_USE:
                    raise typer.Exit(code)
                console.print(f"simplicity: {name} ended with code {code}: starts again in {pause[name]:.0f} s")
                due[name] = time.monotonic() + pause[name]
                pause[name] = min(60.0, 2 * pause[name])
            stop.wait(0.1)
    finally:
        for child in running.values():
            child.send_signal(signal.SIGTERM)
        for child in running.values():
            child.wait()


@app.command()
def demo(
    data: Annotated[Path, settings.setting("data", "Folder to index into.", metavar="DIR")] = Path("demo-data"),
    host: settings.Host = "127.0.0.1",
    port: settings.Port = 8080,
    once: Annotated[bool, settings.setting("once", "Index, then end without serving.")] = False,
) -> None:
    """Index the recorded chain that comes with Simplicity, serve it, and say what to try next."""
    blocks = data / "node"
    blocks.mkdir(parents=True, exist_ok=True)
    with tarfile.open(RECORDED_CHAIN) as archive:
        archive.extractall(blocks, filter="data")
    lake = data / "lake"
    sync(lake, "regtest", blocks=blocks / "blocks")
    if not once:
        console.print(WHAT_TO_TRY.format(url=f"http://{host}:{port}", lake=lake), markup=False)
        serve_http(lake, host=host, port=port, workers=1)


WHAT_TO_TRY = """
The recorded chain is indexed and served. Try:
  {url}/docs                                   every route, with examples
  {url}/v1/indexer/brc20/WTF/info              a token
  {url}/v1/indexer/brc20/WTF/holders           who holds it
  {url}/v1/indexer/brc20/history-by-height/117 what a block did
and in a second terminal:
  .venv/bin/simplicity status --data {lake}
  .venv/bin/simplicity sql --data {lake} "SELECT * FROM holders"
  .venv/bin/simplicity sql --data {lake} "SELECT operation, code, count(*) FROM operations GROUP BY ALL"
  .venv/bin/simplicity audit --data {lake}
Ctrl-C ends it.
"""


for command in (sql, shell, export, catalogue, publish):
    app.command()(command)


@app.command()
def rollback(
    data: settings.Data,
    to: Annotated[int, settings.setting("to", "Last height that is kept.", min=0)],
) -> None:
    """Forget every block above a height, as if it had never been seen."""
    with Lake.open(data) as lake:
        before = lake.tip
        lake.rewind(to)
        note(data, "rollback", **{"from": before and before.height, "to": lake.tip and lake.tip.height})
        if fold_due(lake.manifest):
            make_fold(lake)
        write_catalogue(data, lake.manifest)
        console.print(f"kept up to {describe_tip(lake)}")


@app.command()
def rebuild(data: settings.Data) -> None:
    """Derive every table anew from the archived candidates, without a node; readers see the old ones until the end."""
    with stop_on_signal() as stop, Lake.open(data) as lake, Progress(console) as progress:
        for committed in rederive(lake, stop):
            progress.committed(committed)
        if not stop.is_set():
            note(data, "rebuild", height=lake.tip and lake.tip.height, cumulative_hash=lake.manifest.cumulative_hash)
            write_catalogue(data, lake.manifest)
        console.print("stopped: every table is as before" if stop.is_set() else f"rebuilt to {describe_tip(lake)}")


@app.command()
def audit(
    data: settings.Data,
    height: Annotated[
        int | None, settings.setting("height", "Audit the state at this height instead of the newest.", min=0)
    ] = None,
) -> None:
    """Check files against their hashes, balances against events, and supply against balances."""
    findings = audit_lake(data, height)
    for finding in findings:
        print(finding)
    if findings:
        raise fail(f"{len(findings)} findings", DIFFERENCE)
    console.print("audit clean")


@app.command()
def verify(
    data: settings.Data,
    against: Annotated[
        str, settings.setting("against", "Another lake's folder, or the address of an API.", metavar="DIR|URL")
    ],
) -> None:
    """Compare with another indexer, and show the first block and operation that differ."""
    other = ApiSide if against.startswith(("http://", "https://")) else lambda folder: LakeSide(Path(folder))
    with closing(LakeSide(data)) as ours, closing(other(against)) as theirs:
        difference = first_difference(ours, theirs)
        if difference is not None:
            print(difference)
            raise typer.Exit(DIFFERENCE)
        console.print("both agree")


@app.command()
def status(
    data: settings.Data,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
    node: settings.NodeUrl = None,
    node_cookie: settings.NodeCookie = None,
    node_user: settings.NodeUser = None,
    node_password: settings.NodePassword = None,
    node_header: settings.NodeHeader = None,
) -> None:
    """Say what is indexed and, with a node, how far it is ahead."""
    manifest = read_manifest(data)
    counts = connect(data).execute(
        "SELECT (SELECT max(time) FROM blocks), (SELECT count(*) FROM operations), "
        "(SELECT count(*) FROM tokens), (SELECT count(*) FROM holders)"
    )
    time_, operations, tokens, holders = counts.fetchall()[0]
    network_height = None
    if node is not None:
        credentials = Credentials(node_user, node_password, node_cookie, node_header)
        with closing(Node(node, NETWORKS[manifest.network], credentials)) as source:
            network_height = source.network_height()
    tip = manifest.tip
    report = {
        "data": str(data),
        "network": manifest.network,
        "start_height": manifest.start_height,
        "height": tip and tip.height,
        "hash": tip and tip.hash,
        "time": plain(time_),
        "cumulative_hash": manifest.cumulative_hash,
        "operations": operations,
        "tokens": tokens,
        "balances_above_zero": holders,
        "files": len(manifest.paths()),
        "bytes": sum(segment.file.bytes for segment in manifest.segments),
        "node_height": network_height,
        "behind": None if network_height is None or tip is None else max(0, network_height - tip.height),
    }
    if manifest.start_height > NETWORKS[manifest.network].genesis_height:
        report["warning"] = "started above the protocol's first block: balances lack what happened before"
    if as_json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name.replace('_', ' '):<20} {'unknown' if value is None else value}")


def main() -> None:
    """Entry point of the `simplicity` command."""
    app()


if __name__ == "__main__":
    main()
