"""The newest operations in memory are those that reading the segments gives, however they got there."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.helpers.judged import FactMaker
from warehouse import recent
from warehouse.histories import Filter, Histories
from warehouse.lake import Lake
from warehouse.lake_backend import LakeBackend
from warehouse.lake_store import LakeStore, open_database
from warehouse.serving import Serving

BLOCKS = 30
SIZES = (1, 2, 5, 8, 9, 40)


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database() as database:
        yield database


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little is kept and read that both ends are met."""
    monkeypatch.setattr(recent, "KEPT", 8)
    monkeypatch.setattr(recent, "READ", 60)


def compared(serving: Serving, lake: Lake, database: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """How many pages were known and how many were not; those that were are right."""
    view = serving.view
    assert view is not None
    assert view.recent is not None
    assert view.tip == lake.tip
    histories = Histories(LakeStore(database.cursor(), lake.snapshot))
    tickers = lake.snapshot.rows("tokens", ["ticker"])["ticker"].to_pylist()
    known = 0
    for ticker in tickers:
        expected = histories.page(Filter(ticker=ticker), max(SIZES))
        for size in SIZES:
            page = view.recent.page(ticker, size)
            assert page is None or list(page) == expected[:size]
            known += page is not None
    return known, len(tickers) * len(SIZES) - known


def settle(serving: Serving) -> None:
    """Nothing is left to be done."""
    while serving.changed():
        serving.refresh()


def test_block_by_block(tmp_path: Path, database: duckdb.DuckDBPyConnection) -> None:
    """Also while there is nothing yet, and over a fold and a rewind."""
    maker, known, unknown = FactMaker(seed=31), 0, 0
    with Lake.create(tmp_path, "regtest", 100) as lake:
        serving = Serving(LakeBackend(tmp_path))
        for number in range(BLOCKS):
            lake.commit(*maker.extend(1))
            settle(serving)
            if number % 10 == 5:
                maker.rewind(lake.manifest.next_height - 3)
                lake.rewind(lake.manifest.next_height - 3)
                settle(serving)
            found = compared(serving, lake, database)
            known, unknown = known + found[0], unknown + found[1]
    assert known > 100
    assert unknown > 100


def test_read_at_once(tmp_path: Path, database: duckdb.DuckDBPyConnection) -> None:
    """What does not suffice is not known, rather than short."""
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*FactMaker(seed=31).extend(BLOCKS))
        serving = Serving(LakeBackend(tmp_path))
        settle(serving)
        known, unknown = compared(serving, lake, database)
    assert known
    assert unknown


def test_a_whole_chain_is_known_to_its_end(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "KEPT", 10_000)
    monkeypatch.setattr(recent, "READ", 100_000)
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*FactMaker(seed=31).extend(BLOCKS))
        serving = Serving(LakeBackend(tmp_path))
        settle(serving)
        assert compared(serving, lake, database)[1] == 0


def test_an_indexer_that_catches_up_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While blocks come in heaps nothing is kept; the next small one brings it back."""
    maker = FactMaker(seed=31)
    with Lake.create(tmp_path, "regtest", 100) as lake:
        lake.commit(*maker.extend(5))
        serving = Serving(LakeBackend(tmp_path))
        settle(serving)
        monkeypatch.setattr(recent, "FEW", 3)
        lake.commit(*maker.extend(20))
        settle(serving)
        assert serving.view is not None
        assert serving.view.recent is None
        monkeypatch.setattr(recent, "FEW", 1000)
        lake.commit(*maker.extend(1))
        settle(serving)
        assert serving.view.recent is not None
