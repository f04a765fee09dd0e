"""The public names answer in SQL what the facts say, at the tip, at any height, and after every kind of change."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.helpers.judged import FactMaker
from warehouse.compact import compact_step
from warehouse.duckdb_engine import connect, refresh, script
from warehouse.folds import make_fold
from warehouse.lake import Lake
from warehouse.manifest import read_manifest


@pytest.fixture
def maker() -> FactMaker:
    return FactMaker(seed=6)


@pytest.fixture
def lake(tmp_path: Path, maker: FactMaker) -> Lake:
    """A fold with blocks above it, merged segments across it, and a quote in the path."""
    lake = Lake.create(tmp_path / "operator's lake", "regtest", 100)
    for _ in range(20):
        lake.commit(*maker.extend(1))
    make_fold(lake)
    for _ in range(5):
        lake.commit(*maker.extend(1))
    while compact_step(lake):
        pass
    return lake


def balances(maker: FactMaker, height: int | None = None) -> dict[tuple[str, str], Decimal]:
    rows = maker.state(height).balances.to_pylist()
    return {(row["ticker"], row["address"]): row["balance"] for row in rows}


@pytest.mark.parametrize("height", [None, 99, 100, 110, 119, 120, 124])
def test_balances_holders_and_supply_at_a_height(lake: Lake, maker: FactMaker, height: int | None) -> None:
    expected = balances(maker, height)
    with connect(lake.directory, height) as connection:
        found = connection.sql("SELECT ticker, address, balance FROM balances").fetchall()
        assert {(ticker, address): balance for ticker, address, balance in found} == expected
        ranked = sorted(
            ((ticker, -balance, address) for (ticker, address), balance in expected.items() if balance), key=lambda r: r
        )
        holders = connection.sql("SELECT ticker, -balance, address FROM holders ORDER BY ticker, rank").fetchall()
        assert holders == ranked
        circulating = dict(connection.sql("SELECT ticker, circulating FROM supply").fetchall())
        assert circulating == {
            row["ticker"]: sum((b for (ticker, _), b in expected.items() if ticker == row["ticker"]), Decimal(0))
            for row in maker.state(height).tokens.to_pylist()
        }


def test_ranks_count_from_one_without_gap(lake: Lake) -> None:
    with connect(lake.directory) as connection:
        query = "SELECT ticker, list(rank ORDER BY rank) AS ranks FROM holders GROUP BY ticker"
        ranks = connection.sql(query).fetchall()
        assert ranks
        assert all(found == list(range(1, len(found) + 1)) for _, found in ranks)


def test_supply_lists_every_deploy_and_tickers_minted_without_one(lake: Lake, maker: FactMaker) -> None:
    """STONES are minted without a deploy (R-CORE-STONE-4): here, a supply row whose token is left out."""
    with connect(lake.directory) as connection:
        tickers = {row["ticker"] for row in maker.state().tokens.to_pylist()}
        untouched = tickers - {row["ticker"] for row in maker.state().supplies.to_pylist()}
        found = connection.sql("SELECT ticker, height FROM supply").fetchall()
        assert {ticker for ticker, _ in found} == tickers
        assert {ticker for ticker, height in found if height is None} == untouched
        connection.execute(
            "CREATE OR REPLACE VIEW tokens AS "
            "FROM (SELECT NULL::VARCHAR AS ticker, NULL::DECIMAL(38, 8) AS max_supply) WHERE false"
        )
        undeployed = connection.sql("SELECT ticker, max_supply, minted FROM supply").fetchall()
        assert {ticker for ticker, _, _ in undeployed} == tickers - untouched
        assert all(cap is None and minted is not None for _, cap, minted in undeployed)


def test_operations_carry_the_block_hash_and_tip_says_what_is_shown(lake: Lake, maker: FactMaker) -> None:
    hashes = {block["blocks"][0]["height"]: block["blocks"][0]["hash"] for block in maker.per_block}
    with connect(lake.directory) as connection:
        found = connection.sql("SELECT height, block_hash FROM operations").fetchall()
        assert len(found) == sum(len(block["operations"]) for block in maker.per_block)
        assert all(block_hash == hashes[height] for height, block_hash in found)
        last = maker.per_block[-1]["blocks"][0]
        assert connection.sql("FROM tip").fetchall() == [("regtest", 124, last["hash"], last["cumulative_hash"])]
    with connect(lake.directory, 110) as connection:
        assert connection.sql("SELECT height FROM tip").fetchall() == [(110,)]
        assert connection.sql("SELECT max(height) FROM operations").fetchall()[0][0] <= 110


def test_times_are_shown_in_utc(lake: Lake, maker: FactMaker) -> None:
    with connect(lake.directory) as connection:
        shown = connection.sql("SELECT time::VARCHAR FROM blocks ORDER BY height LIMIT 1").fetchall()
        assert shown == [(f"{maker.per_block[0]['blocks'][0]['time']:%Y-%m-%d %H:%M:%S}+00",)]


def test_refresh_follows_commits_and_rewinds(lake: Lake, maker: FactMaker) -> None:
    def commit() -> None:
        lake.commit(*maker.extend(2))

    def rewind() -> None:
        maker.rewind(118)
        lake.rewind(118)

    with connect(lake.directory) as connection:
        for change in (commit, rewind):
            before = connection.sql("SELECT height FROM tip").fetchall()
            change()
            assert connection.sql("SELECT height FROM tip").fetchall() == before
            assert refresh(connection, lake.directory) == lake.tip
            found = connection.sql("SELECT ticker, address, balance FROM balances").fetchall()
            assert {(ticker, address): balance for ticker, address, balance in found} == balances(maker)


def test_cursors_of_the_connection_see_the_same_views(lake: Lake, maker: FactMaker) -> None:
    with connect(lake.directory) as connection:
        assert connection.cursor().sql("SELECT count(*) FROM balances").fetchall() == [(len(balances(maker)),)]


def test_the_script_gives_any_shell_the_same_views(lake: Lake, maker: FactMaker) -> None:
    connection = duckdb.connect()
    connection.execute(script(lake.directory, read_manifest(lake.directory)))
    assert connection.sql("SELECT count(*) FROM balances").fetchall() == [(len(balances(maker)),)]
