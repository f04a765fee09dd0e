"""ClickHouse as a backend: it tells what the lake tells, state by state, and is waited for while it is away."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingest.networks import REGTEST
from tests.helpers.api import free_port
from tests.helpers.branches import BranchWriter
from tests.helpers.clickhouse_lake import publish
from warehouse.backends import check_backend, opened
from warehouse.clickhouse import backend as clickhouse_backend
from warehouse.clickhouse.backend import REMEMBERED, ClickHouseBackend
from warehouse.clickhouse.client import bound
from warehouse.errors import BackendUnavailable, StateGone, UnusableBackend
from warehouse.folds import make_fold
from warehouse.histories import Filter, Histories
from warehouse.lake import Lake
from warehouse.lake_backend import LakeBackend
from warehouse.serving import Serving
from warehouse.serving_map import Supply
from warehouse.serving_view import View


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"chdb://{tmp_path_factory.mktemp('clickhouse')}"


@pytest.fixture
def address(engine: str, request: pytest.FixtureRequest) -> str:
    """A database of its own for each test."""
    return f"{engine}?database={request.node.name.split('[')[0]}"


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[BranchWriter]:
    with Lake.create(tmp_path / "lake", REGTEST.name, 0) as lake:
        yield BranchWriter(lake, seed=31)


NONE_MINTED = Supply(0, 0, 0, 0)
"""Before any mint there is a supply in a fold, and none in the blocks over it."""


def facts(view: View) -> object:
    """All that lookups tell."""
    tickers = [*(each.ticker for each in view.listed()), *view.extensions.keepers, "STONES"]
    holders = {ticker: view.holders(ticker, 0, 1000) for ticker in tickers}
    people = sorted({account.address for accounts in holders.values() for account in accounts})
    return (
        view.tip,
        view.last_operation_height,
        [each._replace(supply=each.supply or NONE_MINTED) for each in view.listed()],
        holders,
        [view.count_holders(ticker) for ticker in tickers],
        {address: view.accounts_of(address) for address in people},
    )


@pytest.mark.parametrize("folded", [False, True])
def test_lookups_are_those_of_the_lake(
    writer: BranchWriter, address: str, folded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a fold, and without one however far the chain has come; through a rewind under the block all begins with."""
    monkeypatch.setattr(clickhouse_backend, "MOST_BLOCKS", 6)
    address += str(folded)
    with closing(ClickHouseBackend(address)) as clickhouse:
        ours, theirs = Serving(LakeBackend(writer.lake.directory)), Serving(clickhouse)
        for back, on in ((0, 8), (0, 3), (0, 5), (2, 4), (9, 1), (0, 7)):
            if back:
                writer.rewind(back)
            writer.extend(on)
            if folded and on > 3:
                make_fold(writer.lake)
            publish(writer.lake.directory, address)
            assert ours.refresh()
            assert theirs.refresh()
            assert ours.view is not None
            assert theirs.view is not None
            assert facts(theirs.view) == facts(ours.view)
        for serving in (ours, theirs):
            assert not serving.refresh(), "only the newest operations were left to be read"
            assert not serving.changed()
        assert ours.view is not None
        assert theirs.view is not None
        for ticker in [each.ticker for each in ours.view.listed()]:
            assert theirs.view.recent is not None
            assert ours.view.recent is not None
            assert theirs.view.recent.page(ticker, 100) == ours.view.recent.page(ticker, 100)
        assert theirs.rewinds == ours.rewinds == 2


def test_a_state_stays_as_it_was_while_blocks_come_and_go(writer: BranchWriter, address: str) -> None:
    """A question that was begun before a reorganisation ends on the branch that it began with."""
    writer.extend(12)
    publish(writer.lake.directory, address)
    with closing(ClickHouseBackend(address)) as backend:
        manifest = backend.published().manifest

        def told() -> tuple[Any, ...]:
            histories = Histories(backend.at(manifest))
            return (
                histories.page(Filter(include_invalid=True), 1000),
                histories.block_hashes(0, 100),
                backend.at(manifest).rows("balance_events"),
            )

        before = told()
        writer.rewind(5)
        writer.extend(9)
        publish(writer.lake.directory, address)
        assert told() == before
        newer = backend.published()
        assert newer.manifest.tip == writer.tip
        assert newer.block_hash(11) != {each.height: each.hash for each in before[1]}[11]


def test_a_state_of_long_ago_is_gone(writer: BranchWriter, address: str) -> None:
    writer.extend(2)
    publish(writer.lake.directory, address)
    with closing(ClickHouseBackend(address)) as backend:
        old = backend.published().manifest
        backend._marks.update(dict.fromkeys(range(REMEMBERED), backend._mark()))
        backend.published()
        with pytest.raises(StateGone, match="since"):
            backend.at(old)


def test_what_is_not_published_yet_is_waited_for(writer: BranchWriter, address: str) -> None:
    with closing(ClickHouseBackend(address)) as backend:
        serving = Serving(backend)
        for _ in range(2):
            assert serving.changed()
            with pytest.raises(BackendUnavailable, match=r"simplicity publish|cannot answer"):
                serving.refresh()
        writer.extend(3)
        publish(writer.lake.directory, address)
        assert serving.refresh()
        assert serving.view is not None
        assert serving.view.tip == writer.tip


def test_a_server_that_is_away_is_waited_for_and_its_password_not_told() -> None:
    backend = ClickHouseBackend(f"clickhouse://reader:hush@127.0.0.1:{free_port()}/simplicity")
    assert backend.stamp() is None
    with pytest.raises(BackendUnavailable) as raised:
        backend.published()
    assert "hush" not in str(raised.value)
    backend.close()


def test_parameters_have_the_types_of_their_values() -> None:
    values = {"a": "x", "b": 1, "c": True, "d": ["x"], "e": [1], "f": []}
    query = "$a $b $c $d $e $f $a"
    expected = "{a:String} {b:Int64} {c:Bool} {d:Array(String)} {e:Array(Int64)} {f:Array(String)} {a:String}"
    assert bound(query, values) == expected


@pytest.mark.parametrize("address", ["", "postgres://host/lake", "clickhouse", "duckdb://x"])
def test_what_is_no_backend_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableBackend, match="duckdb"):
        check_backend(address)
    with pytest.raises(UnusableBackend):
        opened(address, tmp_path)


def test_the_lake_is_a_backend(tmp_path: Path) -> None:
    backend = opened("duckdb", tmp_path)
    assert (backend.directory, backend.stamp()) == (tmp_path, None)
    backend.close()
