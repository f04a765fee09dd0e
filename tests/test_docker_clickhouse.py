"""A server cannot run here: the embedded engine of the same version takes its profiles, roles and statements instead.

It lets everybody in as `default` and keeps no users, so `default` gets the profile and the role of one or the other.
"""

import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Final
from xml.etree import ElementTree

import pytest
import yaml
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from typer.main import get_command

from api.app import create_app
from api.options import Options
from simplicity import app
from tests.helpers.api import running
from tests.helpers.clickhouse_server import ServerProcess
from tests.helpers.examples import BODIES, NETWORK_HEIGHT, REQUESTS, TRANSFER
from tests.helpers.mempool import MempoolNode
from tests.helpers.recorded import TIP, recorded_lake
from tests.helpers.twins import Twins
from warehouse.clickhouse.backend import ClickHouseBackend
from warehouse.clickhouse.client import connected
from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.marks import Marks
from warehouse.clickhouse.publish import Publisher
from warehouse.clickhouse.purge import Purge
from warehouse.clickhouse.target import Target
from warehouse.lake import Lake
from warehouse.manifest import read_manifest

ROOT: Final = Path(__file__).parent.parent
COMPOSE: Final = ROOT / "docker/compose.clickhouse.yml"
FILES: Final = sorted((ROOT / "docker/clickhouse").iterdir())
SECRETS: Final = {"publisher": "A" * 16, "api": "b-_9" * 6, "analyst": "0123456789abcdef"}

NOT_OF_TABLES: Final = {"/health/concurrency", "/metrics", "/v1/events", "/v1/sql"}
"""Examples that ask the server itself, never end, or need the lake."""
EXAMPLES: Final = [name for name, asked in REQUESTS.items() if asked.split("?")[0] not in NOT_OF_TABLES]

CHANGES: Final = (
    "INSERT INTO lake_commits (height) VALUES (1)",
    "CREATE TABLE mine (height Int32) ENGINE = Memory",
    "CREATE OR REPLACE VIEW tip AS SELECT 1",
    "DROP VIEW tip",
    "DROP TABLE lake_blocks",
    "TRUNCATE TABLE lake_blocks",
    "ALTER TABLE lake_blocks DELETE WHERE 1",
    "CREATE DATABASE mine",
    "CREATE USER mine",
)
OUTSIDE: Final = (
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV')",
    "SELECT * FROM remote('127.0.0.1:1', 'system', 'one')",
)

USERS: Final = """<clickhouse>
    <users><default>
        <password/>
        <networks><ip>::/0</ip></networks>
        <profile>{profile}</profile>
        <quota>default</quota>
        <grants><query>GRANT {role}</query></grants>
    </default></users>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
</clickhouse>"""

CONFIG: Final = """<clickhouse>
    <users_config>{home}/users.xml</users_config>
    <access_control_improvements>
        <select_from_system_db_requires_grant>true</select_from_system_db_requires_grant>
    </access_control_improvements>
</clickhouse>"""
"""As in the configuration that comes with a server."""


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def statements() -> list[str]:
    text = re.sub(r"^--.*$", "", (ROOT / "docker/clickhouse/users.sql").read_text(), flags=re.MULTILINE)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


@contextmanager
def server(home: Path, profile: str, role: str, published: Path | None = None) -> Iterator[ServerProcess]:
    """The engine over nothing or a copy of a folder, for one who has that profile and that role."""
    (home / "users.d").mkdir(parents=True)
    if published:
        # Only one may have a folder open.
        shutil.copytree(published, home / "folder", symlinks=True)
    for name in ("profiles.xml", "roles.xml"):
        shutil.copy(ROOT / "docker/clickhouse" / name, home / "users.d")
    (home / "users.xml").write_text(USERS.format(profile=profile, role=role))
    (home / "config.xml").write_text(CONFIG.format(home=home))
    with ServerProcess(home / "folder", home / "config.xml") as process:
        yield process


def target(process: ServerProcess) -> Target:
    return Target.of(f"{process.address}/simplicity")


def refusal(client: Client, statement: str) -> str | None:
    """The name of the error that a statement is answered with."""
    with pytest.raises(DatabaseError) as caught:
        client.command(statement)
    return caught.value.name


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_lake(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="module")
def folder(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded chain as its publisher brings it there, with a reorganisation that takes it under its fold."""
    home = tmp_path_factory.mktemp("publisher")
    shutil.copytree(lake, home / "shorter")
    with Lake.open(home / "shorter") as shorter:
        shorter.rewind(100)
    with (
        server(home / "server", "publisher", "writer") as process,
        closing(Connection(target(process), Event(), 10.0)) as connection,
    ):
        (home / "lake").symlink_to(lake)
        publisher = Publisher(home / "lake", connection)
        for now in (lake, home / "shorter", lake):
            (home / "lake").unlink()
            (home / "lake").symlink_to(now)
            while publisher.step():
                pass
    return home / "server/folder"


@pytest.fixture(scope="module")
def analyst(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with (
        server(tmp_path_factory.mktemp("home") / "analyst", "analyst", "reader", folder) as process,
        closing(connected(target(process))) as client,
    ):
        yield client


def test_compose_file_follows_the_compose_schema() -> None:
    check = Path(sys.executable).parent / "check-jsonschema"
    command = [str(check), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_server_is_of_the_version_that_the_tests_know(analyst: Client) -> None:
    branch = ".".join(str(analyst.command("SELECT version()")).split(".")[:2])
    assert services()["clickhouse"]["image"] == f"clickhouse/clickhouse-server:{branch}"


def test_publisher_and_api_wait_for_the_server_which_only_this_machine_reaches() -> None:
    found = services()
    assert "healthcheck" in found["clickhouse"]
    for name in ("publish", "api"):
        assert found[name]["depends_on"]["clickhouse"] == {"condition": "service_healthy"}
    assert all(port.startswith("127.0.0.1:") for port in found["clickhouse"]["ports"])


def test_publish_is_as_the_services_of_the_other_file() -> None:
    """Compose reads both files as one, but an anchor ends with its file."""
    whole = yaml.safe_load((ROOT / "docker/compose.yml").read_text())
    publish = services()["publish"]
    shared = whole["x-simplicity"]
    assert {name: publish[name] for name in shared} == shared
    assert {"indexer", "api"} <= set(whole["services"])


def test_variables_are_those_of_options() -> None:
    found = services()
    for service, name in (("publish", "publish"), ("api", "serve")):
        command = get_command(app).commands[name]  # type: ignore[attr-defined]  # a group has commands
        known = {option.envvar for option in command.params}
        assert set(found[service]["environment"]) <= known


def test_mounted_files_exist_and_none_is_left_out() -> None:
    mounts = [volume.split(":")[0] for volume in services()["clickhouse"]["volumes"] if volume.startswith("./")]
    assert sorted(ROOT / "docker" / mount for mount in mounts) == FILES


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".xml"], ids=lambda path: path.name)
def test_configuration_is_well_formed(path: Path) -> None:
    assert ElementTree.parse(path).getroot().tag == "clickhouse"


@pytest.mark.parametrize("path", [COMPOSE, *FILES], ids=lambda path: path.name)
def test_no_file_holds_a_password(path: Path) -> None:
    """Compose has variables of the environment in its place, SQL has parameters, and XML has no users with one."""
    text = path.read_text()
    given = re.findall(r"clickhouse://\w+:([^@]*)@", text) + re.findall(r"PASSWORD\w*:\s*(.*)", text)
    assert all(re.fullmatch(r"\$\{\w+:\?[^}]*\}", word) or word.startswith("?") for word in given)
    assert all(word.startswith("{") for word in re.findall(r"\bBY (\S+)", text) if word != "user_name")
    assert "<password" not in text


def test_statements_are_the_engines(analyst: Client) -> None:
    """It parses them with their parameters, and does not know others."""
    parameters = {f"{name}_password": password for name, password in SECRETS.items()}
    for statement in statements():
        assert "Query" in str(analyst.query(f"EXPLAIN AST {statement}", parameters=parameters).result_rows[0])
    assert refusal(analyst, "EXPLAIN AST CREATE USER x IDENTIFIED WITH no_such_method BY 'x'") == "SYNTAX_ERROR"


def test_users_are_given_profiles_and_roles_that_exist() -> None:
    text = "\n".join(statements())
    for kind, given in (("profiles", r"SETTINGS PROFILE '(\w+)'"), ("roles", r"GRANT (\w+) TO")):
        known = {each.tag for each in ElementTree.parse(ROOT / f"docker/clickhouse/{kind}.xml").iterfind(f"{kind}/*")}
        assert set(re.findall(given, text)) == known


def run_script(home: Path, secrets: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The script of a start, with a client that shows what it is given: arguments, then what it is to run."""
    client = home / "clickhouse-client"
    client.write_text('#!/bin/sh\necho "arguments: $*"\ncat\n')
    client.chmod(client.stat().st_mode | stat.S_IXUSR)
    for name, password in secrets.items():
        (home / f"clickhouse_{name}").write_text(password)
    environment = {
        "PATH": f"{home}:/usr/bin:/bin",
        "SECRETS": str(home),
        "STATEMENTS": str(ROOT / "docker/clickhouse/users.sql"),
    }
    script = str(ROOT / "docker/clickhouse/users.sh")
    return subprocess.run([script], env=environment, capture_output=True, text=True, check=False)


def test_passwords_go_to_the_server_in_statements_and_on_no_command_line(tmp_path: Path) -> None:
    done = run_script(tmp_path, SECRETS)
    assert done.returncode == 0, done.stderr
    arguments, *given = done.stdout.splitlines()
    assert not any(password in arguments for password in SECRETS.values())
    expected = (ROOT / "docker/clickhouse/users.sql").read_text()
    for name, password in SECRETS.items():
        expected = expected.replace(f"{{{name}_password:String}}", f"'{password}'")
    assert given == expected.splitlines()
    assert "{" not in expected


@pytest.mark.parametrize("password", ["", "short", "'; DROP DATABASE x; --", "with@sign/and:colon"])
def test_passwords_that_are_short_or_break_an_address_are_refused(password: str, tmp_path: Path) -> None:
    done = run_script(tmp_path, SECRETS | {"api": password})
    assert done.returncode != 0
    assert "password of api" in done.stderr
    assert "arguments:" not in done.stdout
    assert not password or password not in done.stderr


def test_publisher_may_also_remove_what_nobody_sees_and_nothing_elsewhere(
    folder: Path, lake: Path, tmp_path: Path
) -> None:
    with (
        server(tmp_path / "publisher", "publisher", "writer", folder) as process,
        closing(Connection(target(process), Event(), 10.0)) as connection,
        closing(connected(target(process))) as client,
    ):
        connection.use_database()
        stored = "SELECT (SELECT count() FROM lake_blocks), (SELECT uniqExact(fold) FROM lake_balances)"
        mark = Marks(connection, read_manifest(lake)).newest()
        assert mark is not None
        assert connection.rows(stored) == [(TIP + 1 + TIP - 100, 2)]
        Purge(connection, None).due(mark, grace=0)
        assert connection.rows(stored) == [(TIP + 1, 1)]
        for statement in (*OUTSIDE, "CREATE DATABASE mine", "CREATE USER mine", "DROP DATABASE simplicity"):
            assert refusal(client, statement) == "ACCESS_DENIED"


@pytest.mark.parametrize(
    "examples", [EXAMPLES[::9], pytest.param(EXAMPLES, marks=pytest.mark.slow)], ids=["some", "all"]
)
def test_api_may_ask_all_that_it_asks_and_change_nothing(
    examples: list[str], folder: Path, lake: Path, tmp_path: Path
) -> None:
    """Answers are those of the lake; the grants alone forbid changes."""
    told: dict[str, Any] = {
        "options": Options(anonymous_rate="1000000/minute"),
        "network_height": lambda: NETWORK_HEIGHT,
    }
    with server(tmp_path / "api", "api", "reader", folder) as process, MempoolNode([TRANSFER]) as node:
        backend = ClickHouseBackend(f"{process.address}/simplicity")
        with (
            running(create_app(lake, node=node.connect, **told)) as one,
            running(create_app(tmp_path, backend=backend, node=node.connect, **told)) as other,
        ):
            twins = Twins(one, other)
            for name in examples:
                assert twins.ask(REQUESTS[name], BODIES.get(name)).status_code == 200, name
        with closing(connected(target(process))) as client:
            for statement in (*CHANGES, *OUTSIDE):
                assert refusal(client, statement) == "ACCESS_DENIED", statement
            assert refusal(client, "SELECT 1 SETTINGS max_memory_usage = 0") == "SETTING_CONSTRAINT_VIOLATION"


def test_profile_of_the_api_changes_nothing_whatever_is_granted(folder: Path, tmp_path: Path) -> None:
    with (
        server(tmp_path / "api", "api", "writer", folder) as process,
        closing(connected(target(process))) as client,
    ):
        for statement in CHANGES[:4]:
            assert refusal(client, statement) == "READONLY", statement
        assert refusal(client, "SET readonly = 0") == "READONLY"


def test_analysts_see_every_view_and_change_nothing(analyst: Client) -> None:
    for view in ("holders", "daily_transfers", "supply_progress"):
        assert analyst.query(f"SELECT * FROM {view} LIMIT 1").result_rows
    for statement in (*CHANGES, *OUTSIDE):
        assert refusal(analyst, statement) == "ACCESS_DENIED", statement


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("SELECT sum(number) FROM numbers(1000000001)", "TOO_MANY_ROWS"),
        ("SELECT number FROM numbers(1000001) FORMAT Null", "TOO_MANY_ROWS_OR_BYTES"),
        (
            "SELECT groupArray(number) FROM numbers(50000000) SETTINGS max_memory_usage = 100000000",
            "MEMORY_LIMIT_EXCEEDED",
        ),
        (
            "SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_execution_time = 1, max_block_size = 1",
            "TIMEOUT_EXCEEDED",
        ),
    ],
)
def test_analysts_questions_end_at_their_limits(analyst: Client, query: str, error: str) -> None:
    assert refusal(analyst, query) == error


@pytest.mark.parametrize(
    "setting",
    [
        "max_rows_to_read", "max_result_rows", "max_memory_usage", "max_execution_time", "max_memory_usage_for_user",
        "max_concurrent_queries_for_user",
    ],
)  # fmt: skip
def test_analysts_cannot_raise_a_limit(analyst: Client, setting: str) -> None:
    """Neither by a greater value nor by none, which is written 0."""
    for value in (0, 10**12):
        assert refusal(analyst, f"SELECT 1 SETTINGS {setting} = {value}") == "SETTING_CONSTRAINT_VIOLATION"
        assert refusal(analyst, f"SET {setting} = {value}") == "SETTING_CONSTRAINT_VIOLATION"


@pytest.mark.parametrize("setting", ["read_overflow_mode", "result_overflow_mode", "timeout_overflow_mode"])
def test_an_answer_cut_short_is_an_error(analyst: Client, setting: str) -> None:
    assert refusal(analyst, f"SELECT 1 SETTINGS {setting} = 'break'") == "SETTING_CONSTRAINT_VIOLATION"
