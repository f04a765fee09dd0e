"""One lake of the recorded chain and one application over it for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import httpx
import pytest

from api.app import create_app
from api.options import Options
from tests.helpers.api import running
from tests.helpers.examples import NETWORK_HEIGHT, TRANSFER
from tests.helpers.mempool import MempoolNode
from tests.helpers.recorded import recorded_lake
from warehouse.duckdb_engine import connect

GENEROUS = Options(anonymous_rate="1000000/minute", cors_origins=("https://wallet.example",))


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a lake that holds the recorded chain."""
    return recorded_lake(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="session")
def client(lake: Path) -> Iterator[httpx.Client]:
    """Asks the application over the recorded chain; the node says that the network is 3 blocks further, and that one of
    its transfers waits."""
    with (
        MempoolNode([TRANSFER]) as node,
        running(create_app(lake, options=GENEROUS, network_height=lambda: NETWORK_HEIGHT, node=node.connect)) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def sql(lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same lake through its public tables: the other way to the same facts."""
    with connect(lake) as connection:
        yield connection
