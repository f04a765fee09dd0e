"""Point lookups over the fold and the blocks since: always what a dictionary of the ledger would say."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.judge import Engine
from engine.schemas import SUPPLIES, TOKENS
from ingest.networks import REGTEST
from tests.helpers.judged import FactMaker
from tests.helpers.traffic_lake import traffic_batches
from warehouse.errors import LakeNotFound
from warehouse.folds import make_fold
from warehouse.lake import Lake
from warehouse.lake_backend import LakeBackend
from warehouse.serving import Serving
from warehouse.serving_map import Account, ServingMap
from warehouse.serving_tables import FOLD, write_serving
from warehouse.serving_view import View

UNIT = Decimal("0.00000001")
LEDGERS = st.dictionaries(
    st.tuples(st.sampled_from(["A", "AB", "é", "y😀"]), st.text("ab1é", min_size=1, max_size=3)),
    st.tuples(st.integers(0, 3) | st.integers(0, 10**38 - 1), st.integers(0, 9)),
)


def units(amount: Decimal) -> int:
    digits = amount.as_tuple()
    assert digits.exponent == -8
    return int("".join(map(str, digits.digits)))


def text_key(account: Account) -> tuple[int, bytes]:
    return -account.balance, account.address.encode()


@given(ledger=LEDGERS)
@settings(deadline=None)
def test_the_map_finds_what_the_fold_holds(
    tmp_path_factory: pytest.TempPathFactory, ledger: dict[tuple[str, str], tuple[int, int]]
) -> None:
    """Every account, every address, every ranking; neighbours that are not there are not found."""
    accounts = [
        Account(*key, *value)
        for key, value in sorted(ledger.items(), key=lambda item: tuple(text.encode() for text in item[0]))
    ]
    rows = [
        (
            a.ticker,
            a.address,
            Decimal(a.balance).scaleb(-8)
            if a.balance < 10**27
            else Decimal(f"{a.balance // 10**8}.{a.balance % 10**8:08d}"),
            a.credit_height,
        )
        for a in accounts
    ]
    fold = pa.Table.from_pylist([dict(zip(FOLD.names, row, strict=True)) for row in rows], schema=FOLD)
    directory = tmp_path_factory.mktemp("serving")
    write_serving(fold, SUPPLIES.empty_table(), TOKENS.empty_table(), directory)
    found = ServingMap.open(directory)
    for account in accounts:
        assert found.account(account.ticker, account.address) == account
        assert found.account(account.ticker, account.address + "1") == next(
            (a for a in accounts if (a.ticker, a.address) == (account.ticker, account.address + "1")), None
        )
    for address in {a.address for a in accounts} | {"zz"}:
        assert list(found.accounts_of(address)) == [a for a in accounts if a.address == address]
    for ticker in ("A", "AB", "é", "y😀", "none"):
        ranking = found.ranking(ticker)
        holders = sorted((a for a in accounts if a.ticker == ticker and a.balance), key=text_key)
        assert [ranking.account(rank) for rank in range(len(ranking))] == holders


def credit_heights(maker: FactMaker) -> dict[tuple[str, str], int]:
    heights: dict[tuple[str, str], int] = {}
    for block in maker.per_block:
        for event in block["balance_events"]:
            if event["cause"] != "transfer_debit":
                heights[event["ticker"], event["address"]] = event["height"]
    return heights


def assert_says(view: View | None, maker: FactMaker) -> None:
    """The view answers every lookup as the maker's own ledger would."""
    assert view is not None
    state, credits = maker.state(), credit_heights(maker)
    last_operation = max((row["height"] for block in maker.per_block for row in block["operations"]), default=0)
    accounts = [
        Account(row["ticker"], row["address"], units(row["balance"]), credits.get((row["ticker"], row["address"]), 0))
        for row in state.balances.to_pylist()
    ]
    assert (view.tip.height, view.tip.hash) == (state.height, state.hash)
    assert view.last_operation_height == last_operation
    for account in accounts:
        assert view.account(account.ticker, account.address) == account
    for address in {account.address for account in accounts}:
        held = [account for account in accounts if account.address == address and account.balance]
        assert view.accounts_of(address) == sorted(held, key=lambda a: (-a.balance, a.ticker))
    for supply in state.supplies.to_pylist():
        ticker = supply["ticker"]
        holders = sorted((a for a in accounts if a.ticker == ticker and a.balance), key=text_key)
        found = view.supply(ticker)
        assert found is not None
        assert (found.minted, found.holders) == (units(supply["minted"]), len(holders))
        for skip in range(len(holders) + 2):
            assert view.holders(ticker, skip, 3) == holders[skip : skip + 3]
    deploys = [row["ticker"] for row in state.tokens.to_pylist()][::-1]
    assert [token.ticker for token in view.tokens(0, len(deploys) + 1)] == deploys
    assert [token.ticker for token in view.tokens(2, 3)] == deploys[2:5]
    for row in state.tokens.to_pylist():
        token = view.token(row["ticker"])
        assert token is not None
        assert (token.max_supply, token.deploy_txid) == (units(row["max_supply"]), row["deploy_txid"])
        assert token.limit_per_mint == (None if row["limit_per_mint"] is None else units(row["limit_per_mint"]))


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        yield lake


def test_each_block_shows_as_soon_as_it_is_published(lake: Lake) -> None:
    maker, serving = FactMaker(seed=3), Serving(LakeBackend(lake.directory))
    assert serving.refresh()
    assert serving.view is None
    for _ in range(25):
        lake.commit(*maker.extend(1))
        assert serving.refresh()
        assert_says(serving.view, maker)
    assert not serving.refresh()


@pytest.mark.parametrize("every", [1, 4, 9])
def test_a_fold_changes_no_answer(lake: Lake, every: int) -> None:
    """Folds come at any height, before or after blocks that were laid over the last one."""
    maker, following = FactMaker(seed=6), Serving(LakeBackend(lake.directory))
    for number in range(1, 21):
        lake.commit(*maker.extend(1))
        following.refresh()
        if number % every == 0:
            assert make_fold(lake)
        starting = Serving(LakeBackend(lake.directory))
        for serving in (following, starting):
            serving.refresh()
            assert_says(serving.view, maker)


def test_a_rewind_below_the_fold_starts_from_the_one_before(lake: Lake) -> None:
    maker, serving = FactMaker(seed=7), Serving(LakeBackend(lake.directory))
    for _ in range(3):
        lake.commit(*maker.extend(5))
        make_fold(lake)
    serving.refresh()
    lake.rewind(107)
    maker.rewind(107)
    serving.refresh()
    assert_says(serving.view, maker)
    lake.commit(*maker.extend(9, branch="other"))
    make_fold(lake)
    serving.refresh()
    assert_says(serving.view, maker)


def test_a_view_is_not_touched_by_later_blocks(lake: Lake) -> None:
    maker, serving = FactMaker(seed=4), Serving(LakeBackend(lake.directory))
    lake.commit(*maker.extend(10))
    serving.refresh()
    before = serving.view
    lake.commit(*maker.extend(10))
    serving.refresh()
    # Rankings are shared among views: the newer one is asked first.
    assert_says(serving.view, maker)
    maker.rewind(109)
    assert_says(before, maker)


def test_holders_are_told_at_once_when_few_changes_are_still_to_be_ranked(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.serving_view.FEW", 1)
    maker, serving = FactMaker(seed=4), Serving(LakeBackend(lake.directory))
    lake.commit(*maker.extend(10))
    serving.refresh()
    older = serving.view
    assert older is not None
    ticker = max(older.changes, key=lambda name: len(older.changes[name].by_address))
    assert not older.tells_holders_at_once(ticker)
    older.holders(ticker, 0, 1)
    assert older.tells_holders_at_once(ticker)
    lake.commit(*maker.extend(10))
    serving.refresh()
    assert serving.view is not None
    serving.view.holders(ticker, 0, 1)
    assert serving.view.tells_holders_at_once(ticker)
    assert not older.tells_holders_at_once(ticker), "the ranking has gone on to a later block"


@pytest.mark.parametrize("depth", [1, 7, 19])
def test_a_rewind_is_as_if_the_blocks_had_never_been(lake: Lake, depth: int) -> None:
    """R-CORE-REORG-1, seen from the lookups, whether or not a refresh falls between rewind and new branch."""
    backend = LakeBackend(lake.directory)
    maker, seeing, missing = FactMaker(seed=5), Serving(backend), Serving(backend)
    lake.commit(*maker.extend(20))
    assert seeing.refresh()
    assert missing.refresh()
    tip = 119 - depth
    lake.rewind(tip)
    maker.rewind(tip)
    seeing.refresh()
    assert_says(seeing.view, maker)
    lake.commit(*maker.extend(depth + 3, branch="other"))
    for serving in (seeing, missing):
        assert serving.refresh()
        assert_says(serving.view, maker)


def test_pools_and_their_counterparts_are_found_like_any_account(tmp_path: Path) -> None:
    """Accounts without script, credits and debits of one cause, payments and roundings at a block's end."""
    engine, pools = Engine(REGTEST), 0
    with Lake.create(tmp_path, REGTEST.name, 0) as trading:
        serving = Serving(LakeBackend(tmp_path))
        for number, rows in enumerate(traffic_batches(seed=1, blocks=60, batch=6)):
            trading.commit(engine.judge(*rows), rows[1])
            serving.refresh()
            if number in (4, 7):
                make_fold(trading)
            view = serving.view
            assert view is not None
            with trading.snapshot.connect() as sql:
                accounts = sql.sql("SELECT ticker, address, balance, credit_height FROM balances").fetchall()
                credits = dict(sql.sql(LAST_CREDITS).fetchall())
            for ticker, address, balance, credit_height in accounts:
                assert view.account(ticker, address) == Account(ticker, address, units(balance), credit_height)
                assert credit_height == credits.get(f"{ticker} {address}", 0)
                pools += address.startswith("POOL::") and balance > 0
            held = sorted((Account(t, a, units(b), c) for t, a, b, c in accounts if t == "ABC" and b), key=text_key)
            assert view.holders("ABC", 0, 100) == held
    assert pools > 20


LAST_CREDITS = """
    SELECT ticker || ' ' || address, max(height)
    FROM balance_events
    WHERE (delta > 0 AND cause <> 'rounding') OR (delta = 0 AND cause IN ('mint', 'transfer_credit'))
    GROUP BY ALL
"""


def test_without_a_lake_it_says_so_and_recovers(tmp_path: Path) -> None:
    serving = Serving(LakeBackend(tmp_path / "lake"))
    with pytest.raises(LakeNotFound):
        serving.refresh()
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        lake.commit(*FactMaker().extend(5))
        assert serving.refresh()
    assert serving.view is not None
    assert serving.view.tip.height == 104
