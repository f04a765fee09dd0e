"""The API over ClickHouse answers what it answers over the lake: the same status, body and headers on every route."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from api.app import create_app
from api.keys import NAME, Scope, create_key
from api.options import Options
from ingest.networks import REGTEST
from tests.helpers.api import running
from tests.helpers.branches import BranchWriter
from tests.helpers.clickhouse_lake import publish
from tests.helpers.examples import BODIES, NETWORK_HEIGHT, REQUESTS, TRANSFER
from tests.helpers.mempool import MempoolNode
from tests.helpers.traffic_lake import traffic_lake
from tests.helpers.twins import Twins, questions, samples
from warehouse.clickhouse.backend import ClickHouseBackend
from warehouse.duckdb_engine import connect
from warehouse.lake import Lake

GENEROUS: Final = Options(anonymous_rate="1000000/minute")
PAGES: Final = 2
OF_THE_PROCESS: Final = {"/health/concurrency", "/metrics", "/v1/events"}
"""What tells of the server that answers, or never ends."""
OF_THE_LAKE: Final = {"/v1/sql"}

DOCUMENT: Final = create_app(Path("nowhere")).openapi()["paths"]
ROUTES: Final = sorted(path for path, methods in DOCUMENT.items() if "get" in methods and path not in OF_THE_PROCESS)

EXAMPLES: Final = [
    name for name, request in REQUESTS.items() if request.split("?")[0] not in OF_THE_PROCESS | OF_THE_LAKE
]

Known = dict[str, list[Any]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the engine in this process, which has one folder at a time."""
    return f"chdb://{tmp_path_factory.mktemp('clickhouse')}"


def database(engine: str, name: str) -> str:
    """The address of a database of it."""
    return f"{engine}?database={name}"


@contextmanager
def served(address: str, lake: Path, home: Path) -> Iterator[Twins]:
    """A lake from both backends; `home` is what the server without the lake's files has for a folder."""
    with MempoolNode([TRANSFER]) as node:
        told: dict[str, Any] = {"options": GENEROUS, "network_height": lambda: NETWORK_HEIGHT, "node": node.connect}
        with (
            running(create_app(lake, **told)) as one,
            running(create_app(home, backend=ClickHouseBackend(address), **told)) as other,
        ):
            yield Twins(one, other)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server without the lake's files."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def recorded(engine: str, lake: Path, home: Path) -> Iterator[Twins]:
    """The recorded chain."""
    address = database(engine, "recorded")
    publish(lake, address)
    with served(address, lake, home) as twins:
        yield twins


@pytest.fixture(scope="module")
def chance(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Twins, Known]]:
    """A chain of operations of all modules by chance, and values to ask for."""
    lake = traffic_lake(tmp_path_factory.mktemp("lake") / "lake", seed=11, blocks=60)
    with connect(lake) as sql:
        known = samples(sql)
    address = database(engine, "chance")
    publish(lake, address)
    with served(address, lake, tmp_path_factory.mktemp("home")) as twins:
        yield twins, known


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_worked_example_is_the_same(recorded: Twins, name: str) -> None:
    assert recorded.ask(REQUESTS[name], BODIES.get(name)).status_code == 200


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_is_the_same_whatever_is_asked(chance: tuple[Twins, Known], path: str) -> None:
    """With each parameter that it takes, walking the pages of lists."""
    twins, known = chance
    answers = [twins.walk(question, PAGES) for question in questions(path, DOCUMENT[path]["get"], known)]
    assert any(status == 200 for status in answers)


def test_both_follow_a_reorganisation(engine: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """R-CORE-REORG-1: a branch that is longer, one that is not, and one that is shorter than what was seen."""
    address = database(engine, "branches")
    with Lake.create(tmp_path / "lake", REGTEST.name, 0) as lake:
        writer = BranchWriter(lake, seed=23)
        writer.extend(24)
        publish(lake.directory, address)
        with served(address, lake.directory, tmp_path_factory.mktemp("home")) as twins:
            for back, on in ((2, 4), (5, 5), (6, 3)):
                before = twins.ask("/v1/indexer/brc20/list").headers["x-block-hash"]
                writer.rewind(back)
                writer.extend(on)
                publish(lake.directory, address)
                twins.wait_for(writer.tip.hash)
                with connect(lake.directory) as sql:
                    known = samples(sql)
                for path in ROUTES:
                    question = next(questions(path, DOCUMENT[path]["get"], known))
                    assert before not in twins.ask(question).text


def test_statements_of_strangers_are_refused_without_the_lake(recorded: Twins, lake: Path, home: Path) -> None:
    """Keys are those of the folder that the server was given: a copy of the lake's file will do."""
    key = create_key(lake, "analyst", [Scope.SQL])[1]
    shutil.copy(lake / NAME, home)
    ask = {"json": {"query": "SELECT 1"}, "headers": {"X-API-Key": key}}
    assert wait_for_key(recorded.lake, ask).status_code == 200
    response = wait_for_key(recorded.clickhouse, ask)
    assert (response.status_code, response.json()["code"]) == (501, "SQL_NOT_SERVED")


def wait_for_key(client: httpx.Client, ask: dict[str, Any]) -> httpx.Response:
    """The answer, once the server has seen the key."""
    for _ in range(60):
        response = client.post("/v1/sql", **ask)
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            break
        time.sleep(0.05)
    return response
