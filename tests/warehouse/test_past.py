"""The ledger after any block, from folds and facts: what lookups told while that block was the newest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.judge import Engine
from ingest.networks import REGTEST
from tests.helpers.traffic_lake import traffic_batches
from warehouse.extensions import Extensions
from warehouse.folds import make_fold
from warehouse.histories import Histories
from warehouse.lake import Lake
from warehouse.lake_backend import LakeBackend
from warehouse.lake_store import LakeStore, open_database
from warehouse.manifest import read_manifest
from warehouse.past import Past
from warehouse.serving import Serving
from warehouse.serving_view import View
from warehouse.snapshot import Snapshot

BLOCKS = 48
BATCH = 4
FOLDED = (3, 6, 9)
"""Batches after which a fold is made; views go on over the older one first."""


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[View]]:
    """A lake of operations of all modules, and the view of every published height as it was then."""
    directory = tmp_path_factory.mktemp("past") / "lake"
    engine, views, serving = Engine(REGTEST), [], Serving(LakeBackend(directory))
    with Lake.create(directory, REGTEST.name, 0) as lake:
        for number, rows in enumerate(traffic_batches(seed=5, blocks=BLOCKS, batch=BATCH)):
            lake.commit(engine.judge(*rows), rows[1])
            serving.refresh()
            assert serving.view is not None
            views.append(serving.view)
            if number in FOLDED:
                make_fold(lake)
    return directory, views


@pytest.fixture
def histories(views: tuple[Path, list[View]]) -> Iterator[Histories]:
    directory, _ = views
    with open_database() as database:
        yield Histories(LakeStore(database.cursor(), Snapshot(directory, read_manifest(directory))))


def tickers(view: View) -> list[str]:
    return [*(each.ticker for each in view.listed()), *view.extensions.keepers, "STONES", "NOPE", "yNOPE"]


def test_every_height_is_told_as_its_own_view_told_it(views: tuple[Path, list[View]], histories: Histories) -> None:
    """Accounts, holders in order, supplies, what positions and programs hold, receipts."""
    receipts = locks = 0
    for view in views[1]:
        past = Past(histories, view.height)
        assert past.listed() == view.listed()
        assert past.count_tokens() == view.count_tokens()
        for ticker in tickers(view):
            holders = view.holders(ticker, 0, 1000)
            assert past.holders(ticker, 0, 1000) == holders
            assert past.holders(ticker, 2, 3) == holders[2:5]
            assert past.figures(ticker) == view.figures(ticker)
            assert past.count_holders(ticker) == view.count_holders(ticker) == len(holders)
            assert past.knows(ticker) == view.knows(ticker)
            pairs = [(ticker, account.address) for account in holders] + [(ticker, "nobody")]
            assert past.accounts(pairs) == [view.account(*pair) for pair in pairs] == [*holders, None]
            receipts += ticker.startswith("y") and len(holders)
            locks += view.extensions.held(ticker).locked > 0
        for address in {account.address for account in view.holders("ABC", 0, 1000)}:
            assert past.accounts_of(address) == view.accounts_of(address)
    assert receipts > 10
    assert locks > 10


def test_a_hash_of_balances_changes_with_every_balance(views: tuple[Path, list[View]], histories: Histories) -> None:
    hashes = {Past(histories, view.height).balances_hash() for view in views[1]}
    assert len(hashes) == len(views[1])
    for view in views[1]:
        assert Past(histories, view.height).balances_hash()[1] == sum(map(view.count_holders, set(tickers(view))))


def test_what_modules_keep_does_not_depend_on_how_blocks_were_taken_in(
    views: tuple[Path, list[View]], histories: Histories
) -> None:
    """Block by block, in batches, or all at once; what is no longer active leaves nothing."""
    snapshot, last = histories.snapshot, views[1][-1]
    stepwise = Extensions()
    for height in range(BLOCKS):
        heights = height, height
        stepwise = stepwise.after(lambda name, columns: snapshot.rows(name, columns, heights))  # noqa: B023 -- called at once
    for other in (stepwise, Past(histories, last.height).extensions):
        assert kept(other) == kept(last.extensions)
        for ticker in tickers(last):
            assert other.held(ticker) == last.extensions.held(ticker)


def kept(extensions: Extensions) -> list[object]:
    """All that modules keep, whether or not it was there at first."""
    accounts = {ticker: dict(extensions.receipts.items(ticker)) for ticker in extensions.keepers}
    for ticker, receipts in accounts.items():
        for address, receipt in receipts.items():
            assert extensions.receipts.find(ticker, address) == receipt
            assert dict(extensions.receipts.of(address)) == {
                other: accounts[other][address] for other in accounts if address in accounts[other]
            }
    sums = [
        {key: units for key, units in found.items() if units}
        for found in (extensions.locks.by_ticker, extensions.locks.by_pool)
    ]
    return [extensions.programs, extensions.keepers, accounts, *sums]


def test_a_rewind_takes_back_what_modules_kept(tmp_path: Path) -> None:
    """R-CORE-REORG-1: positions, programs and receipts too, and the count of such times grows."""
    engine = Engine(REGTEST)
    with Lake.create(tmp_path / "lake", REGTEST.name, 0) as lake:
        serving = Serving(LakeBackend(lake.directory))
        views = {}
        for rows in traffic_batches(seed=5, blocks=BLOCKS, batch=1):
            lake.commit(engine.judge(*rows), rows[1])
            serving.refresh()
            assert serving.view is not None
            views[serving.view.height] = serving.view
        assert serving.rewinds == 0
        lake.rewind(30)
        serving.refresh()
        assert serving.view is not None
        assert serving.rewinds == 1
        assert serving.view.listed() == views[30].listed()
        assert kept(serving.view.extensions) == kept(views[30].extensions)
