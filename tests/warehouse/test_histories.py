"""Histories read segment by segment: the same pages as from the whole table at once, however it is cut."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.judged import FactMaker
from warehouse.histories import Filter, Histories, Operation
from warehouse.lake import Lake
from warehouse.lake_store import FIRST_SPAN, LakeStore, open_database

BLOCKS = 3 * FIRST_SPAN + 2


@pytest.fixture(scope="module")
def maker() -> FactMaker:
    return FactMaker(seed=21)


@pytest.fixture(scope="module")
def histories(maker: FactMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Histories]:
    """Over one segment a block, more of them than the first spans take."""
    directory: Path = tmp_path_factory.mktemp("histories") / "lake"
    with Lake.create(directory, "regtest", 100) as lake, open_database() as database:
        for _ in range(BLOCKS):
            lake.commit(*maker.extend(1))
        yield Histories(LakeStore(database.cursor(), lake.snapshot))


def records(maker: FactMaker) -> list[dict[str, Any]]:
    return [row for block in maker.per_block for row in block["operations"]]


def test_pages_of_a_ticker_join_without_gap(histories: Histories, maker: FactMaker) -> None:
    """Also past pages that are wholly in older segments, and beyond the end."""
    tickers = {row["ticker"] for row in records(maker) if row["ticker"]}
    oldest = min(tickers, key=lambda ticker: int(ticker[1:4]))
    expected = [r["txid"] for r in reversed(records(maker)) if r["valid"] and r["ticker"] == oldest]
    assert len(expected) > 10
    for skip in range(0, len(expected) + 3, 4):
        page = histories.page(Filter(ticker=oldest), 5, skip)
        assert [operation.txid for operation in page] == expected[skip : skip + 5]


@pytest.mark.parametrize("include_invalid", [False, True])
def test_pages_behind_a_place_join_without_gap(histories: Histories, maker: FactMaker, include_invalid: bool) -> None:
    """Over all operations, newest first, and over one block, by transaction."""
    wanted = Filter(include_invalid=include_invalid)
    expected = [r for r in records(maker) if r["valid"] or include_invalid]
    expected.sort(key=lambda r: (r["height"], r["tx_index"], r["op_index"]), reverse=True)
    busiest = max(maker.per_block, key=lambda block: len(block["operations"]))["operations"]
    of_block = Filter(height=busiest[0]["height"], include_invalid=include_invalid)
    in_block = [r for r in busiest if r["valid"] or include_invalid]
    in_block.sort(key=lambda r: (r["tx_index"], r["op_index"]))
    for filter_, rows in ((wanted, expected), (of_block, in_block)):
        found: list[Operation] = []
        behind = None
        while page := histories.page(filter_, 7, behind=behind):
            assert histories.count(filter_, behind) == len(rows) - len(found)
            found += page
            behind = page[-1].place
        assert [(o.height, o.op_index) for o in found] == [(r["height"], r["op_index"]) for r in rows]


def test_a_ticker_that_only_the_oldest_segments_hold_is_found(histories: Histories, maker: FactMaker) -> None:
    first = next(row for row in records(maker) if row["operation"] == "deploy")
    (found,) = histories.page(Filter(ticker=first["ticker"], op_type="deploy"), 10)
    assert (found.height, found.op_index, found.txid) == (first["height"], first["op_index"], first["txid"])
    assert found.time == first["block_time"]
    block = maker.per_block[first["height"] - 100]["blocks"][0]
    assert found.block_hash == block["hash"]


def test_an_address_meets_its_operations_on_either_side(histories: Histories, maker: FactMaker) -> None:
    address = next(row["to_address"] for row in records(maker) if row["to_address"])
    theirs = [r for r in reversed(records(maker)) if r["valid"] and address in (r["from_address"], r["to_address"])]
    assert {address == row["from_address"] for row in theirs} == {True, False}
    found = histories.page(Filter(address=address), len(theirs) + 1)
    assert [(o.height, o.op_index, o.amount) for o in found] == [
        (r["height"], r["op_index"], None if r["amount"] is None else f"{r['amount']:.8f}") for r in theirs
    ]
    ticker = theirs[0]["ticker"]
    mints = [r["txid"] for r in theirs if r["ticker"] == ticker and r["operation"] == "mint"]
    wanted = Filter(ticker, address, "mint")
    assert [o.txid for o in histories.page(wanted, 100)] == mints
    assert histories.count(wanted) == len(mints)


def test_a_transaction_shows_its_refused_records_too(histories: Histories, maker: FactMaker) -> None:
    refused = next(row for row in records(maker) if not row["valid"])
    (found,) = histories.of_transaction(refused["txid"])
    assert not found.valid
    assert histories.of_transaction("00" * 32) == []


def test_hashes_of_blocks_that_are_not_there_are_left_out(histories: Histories) -> None:
    assert [row.height for row in histories.block_hashes(98, 101)] == [100, 101]
    assert histories.block_hashes(100 + BLOCKS, 10_000) == []
