"""Every view of the lake is there in ClickHouse too: its name, its columns, its rows."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any, Final

import duckdb
import pyarrow as pa
import pytest

from engine.judge import Engine
from engine.schemas import Judged
from ingest.networks import REGTEST
from tests.helpers.branches import BranchWriter
from tests.helpers.clickhouse_lake import publish
from tests.helpers.judged import UNIT, FactMaker
from tests.helpers.market_lake import market_lake
from tests.helpers.recorded import recorded_lake
from tests.helpers.traffic_lake import traffic_batches
from tests.helpers.view_twins import (
    assert_same_rows,
    columns_of_clickhouse,
    columns_of_duckdb,
    names_of_clickhouse,
    names_of_duckdb,
)
from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.errors import ServerAway
from warehouse.clickhouse.marks import Marks
from warehouse.clickhouse.target import Target
from warehouse.duckdb_engine import connect
from warehouse.folds import make_fold
from warehouse.lake import Lake
from warehouse.manifest import read_manifest
from warehouse.view_texts import ANALYTIC_VIEWS, VIEWS

AT_HEIGHTS: Final = ("balances_at", "holders_at", "distribution_at")
ONLY_DUCKDB: Final = {"fold_supplies"}
"""Supplies of a fold are files; ClickHouse has those of every height."""
ONLY_CLICKHOUSE: Final = {"commits", "segments"}
"""What a publisher keeps account with."""

START: Final = 100
MOST: Final = Decimal("9" * 30 + "." + "9" * 8)
"""The largest amount that a column holds."""

Twins = tuple[Connection, duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the engine in this process, which has one folder at a time."""
    return f"chdb://{tmp_path_factory.mktemp('clickhouse')}"


@contextmanager
def opened(address: str) -> Iterator[Connection]:
    with closing(Connection(Target.of(address), Event(), 10.0)) as connection:
        connection.use_database()
        yield connection


def busy_lake(directory: Path) -> Path:
    """Traffic by chance whose blocks are seven hours apart, with a fold in between."""
    judge = Engine(REGTEST)
    with Lake.create(directory, REGTEST.name, 0) as lake:
        for headers, candidates in traffic_batches(seed=31, blocks=120, batch=40):
            place = headers.schema.get_field_index("time")
            field, heights = headers.schema.field(place), headers["height"].to_pylist()
            first = headers["time"][0].as_py() - timedelta(minutes=10 * heights[0])
            times = pa.array([first + timedelta(hours=7 * height) for height in heights], field.type)
            lake.commit(judge.judge(headers.set_column(place, field, times), candidates), candidates)
            if heights[0] == 40:
                make_fold(lake)
    return directory


@pytest.fixture(scope="module", params=["recorded", "market", "busy"])
def twins(request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    home = tmp_path_factory.mktemp(request.param)
    lakes = {
        "recorded": lambda: recorded_lake(home),
        "market": lambda: market_lake(home)[0],
        "busy": lambda: busy_lake(home / "lake"),
    }
    directory, address = lakes[request.param](), f"{engine}?database={request.param}"
    publish(directory, address)
    with opened(address) as connection, connect(directory) as lake:
        yield connection, lake


def assert_all_the_same(connection: Connection, lake: duckdb.DuckDBPyConnection) -> None:
    for view in ANALYTIC_VIEWS:
        assert_same_rows(connection, lake, view)


def test_both_engines_have_the_same_views_of_the_same_columns(twins: Twins) -> None:
    connection, lake = twins
    ours, theirs = names_of_clickhouse(connection), names_of_duckdb(lake)
    # Tables of facts are views in both, under the same name.
    assert ours - ONLY_CLICKHOUSE == theirs - ONLY_DUCKDB
    assert {*VIEWS, *AT_HEIGHTS} < ours
    for name in sorted(ours & theirs):
        asked = [f"{name}(147)", f"{name}(at_height = 147)"] if name in AT_HEIGHTS else [name, name]
        assert columns_of_clickhouse(connection, asked[1]) == columns_of_duckdb(lake, asked[0]), name


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_answers_the_same(twins: Twins, view: str, request: pytest.FixtureRequest) -> None:
    rows = assert_same_rows(*twins, view)
    assert rows > 0 or "busy" not in request.node.name


@pytest.mark.parametrize("view", AT_HEIGHTS)
def test_balances_and_their_spread_after_any_block(twins: Twins, view: str) -> None:
    """Before there are balances, below the fold and above it, and at the tip."""
    ((tip,),) = twins[1].sql("SELECT height FROM tip").fetchall()
    counts = [assert_same_rows(*twins, f"{view}({height})") for height in (-1, tip - 60, tip - 31, tip)]
    assert counts[0] == 0
    assert counts[-1] > 0


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[BranchWriter]:
    with Lake.create(tmp_path / "lake", REGTEST.name, 0) as lake:
        yield BranchWriter(lake, seed=31)


def test_views_follow_a_reorganisation(writer: BranchWriter, engine: str) -> None:
    address, directory = f"{engine}?database=branches", writer.lake.directory
    writer.extend(30)
    make_fold(writer.lake)
    publish(directory, address)
    writer.rewind(12)
    writer.extend(15)
    publish(directory, address)
    with opened(address) as connection, connect(directory) as lake:
        assert_all_the_same(connection, lake)
        for height in (10, 20, writer.tip.height):
            assert_same_rows(connection, lake, f"distribution_at({height})")


def test_no_view_sees_rows_that_are_not_published_yet(
    writer: BranchWriter, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publisher inserts the rows of new blocks and stops before their mark."""

    def stopped(*_: object) -> None:
        raise ServerAway("here", "stopped by the test")

    address, directory = f"{engine}?database=unmarked", writer.lake.directory
    writer.extend(25)
    publish(directory, address)
    before = read_manifest(directory)
    writer.extend(10)
    with monkeypatch.context() as patched:
        patched.setattr(Marks, "show", stopped)
        with pytest.raises(ServerAway):
            publish(directory, address)
    with opened(address) as connection, connect(directory, manifest=before) as lake:
        assert_all_the_same(connection, lake)
        assert_same_rows(connection, lake, "distribution_at(24)")
        ahead = connection.rows("SELECT count() FROM distribution_at(at_height = 34)")
        assert ahead == connection.rows("SELECT count() FROM holder_distribution")


def test_a_database_of_an_older_program_gets_the_views_of_this_one(writer: BranchWriter, engine: str) -> None:
    address = f"{engine}?database=older"
    writer.extend(20)
    publish(writer.lake.directory, address)
    with opened(address) as connection, connect(writer.lake.directory) as lake:
        connection.run("CREATE OR REPLACE VIEW velocity AS SELECT ticker FROM tokens")
        connection.run("DROP VIEW distribution_at")
        publish(writer.lake.directory, address)
        assert_same_rows(connection, lake, "velocity")
        assert_same_rows(connection, lake, "distribution_at(19)")


def vast(facts: Judged) -> Judged:
    """The same rows, where amounts of every second group add up to the most that a column holds, of the others to more.

    The first amount of a group is the largest there is, the others are one unit of 10^-8 or nothing.
    """
    groups: dict[object, Decimal] = {}

    def amount(group: object) -> Decimal:
        if group in groups:
            return groups[group]
        groups[group] = UNIT * (len(groups) % 2)
        return MOST

    def changed(table: pa.Table, change: Callable[[dict[str, Any]], dict[str, Any]]) -> pa.Table:
        return pa.Table.from_pylist([row | change(row) for row in table.to_pylist()], schema=table.schema)

    pool = facts.modules["pools"]["pool"][0].as_py()
    modules = {
        "executions": lambda row: (
            {"source": "A", "destination": "B"}
            | {name: amount((name, row["pool"])) for name in ("used", "received", "fee")}
        ),
        "positions": lambda row: {
            "pool": pool,
            "source": "AB"[row["position_id"] % 2],
            "status": "active",
            "locked": MOST if row["position_id"] < 2 else UNIT * (row["position_id"] % 2),
        },
        "programs": lambda row: {
            "max_supply": MOST,
            "duration": 2**62 - row["duration"],
            "start_height": 0,
            "last_reward_height": 2**31 - 1,
        },
    }
    return replace(
        facts,
        operations=changed(
            facts.operations,
            lambda row: {
                "amount": amount(row["ticker"]) if row["operation"] == "transfer" and row["valid"] else row["amount"],
                "marketplace": row["op_index"] % 2 == 0,
            },
        ),
        modules={**facts.modules, **{name: changed(facts.modules[name], change) for name, change in modules.items()}},
    )


def test_sums_up_to_the_largest_amount_are_exact_and_larger_ones_null(engine: str, tmp_path: Path) -> None:
    address = f"{engine}?database=vast"
    with Lake.create(tmp_path / "lake", "regtest", START) as made:
        facts, candidates = FactMaker(seed=5, start=START, operations=20, modules=True).extend(40)
        made.commit(vast(facts), candidates)
        publish(made.directory, address)
        with opened(address) as connection, connect(made.directory) as lake:
            for view, column in (
                ("daily_volume", "volume"),
                ("marketplace_share", "volume"),
                ("pool_volumes", "sold"),
                ("pool_fees", "fees"),
                ("position_values", "side_locked"),
                ("velocity", "volume"),
            ):
                assert_same_rows(connection, lake, view)
                found = connection.rows(f"SELECT max({column}), countIf({column} IS NULL) > 0 FROM {view}")
                assert found == [(MOST, True)], view
            assert_same_rows(connection, lake, "emission_against_plan")
