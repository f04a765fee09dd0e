"""Two indexers are compared block by block, over lakes that the engine made and over the API that serves them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import astuple, replace
from decimal import Decimal
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from api.app import create_app
from engine.judge import Engine
from engine.schemas import Judged
from ingest.candidates import HEADERS
from ingest.networks import REGTEST, Network
from tests.helpers.api import free_port, running
from tests.helpers.builders import (
    ORDINARY,
    SIG83,
    Blocks,
    address,
    block_hash,
    candidates,
    headers,
    make_tx,
    op_return,
    operation,
    pay,
    spend,
)
from tests.helpers.chain import Tx, TxOut
from tests.helpers.recorded import TIP, recorded_lake
from tests.helpers.traffic_lake import traffic_batches
from warehouse.duckdb_engine import connect
from warehouse.errors import LakeNotFound
from warehouse.lake import Lake
from warehouse.verify import PAGE, ApiSide, Difference, Effect, Hashes, LakeSide, Side, UnusableSide, first_difference

DEPLOY = '{"p":"brc-20","op":"deploy","tick":"abc","m":"1000","l":"100"}'


def mint(amount: str, recipient: str = "bob", salt: int = 0) -> Tx:
    return operation(f'{{"p":"brc-20","op":"mint","tick":"abc","amt":"{amount}"}}', "alice", recipient, salt)


def transfer(amount: str, salt: int = 0) -> Tx:
    return operation(f'{{"p":"brc-20","op":"transfer","tick":"abc","amt":"{amount}"}}', "bob", "carol", salt)


def runestone() -> Tx:
    return make_tx([spend("dave")], [TxOut(0, b"\x6a\x5d\x02\x01\x02"), pay("p2tr_erin")])


def marketplace(*counting: bool) -> Tx:
    """Executed before the block's other transfers (R-CORE-BLK-4) when it satisfies the template of its height."""
    payload = op_return('{"p":"brc-20","op":"transfer","tick":"abc","amt":"1"}')
    inputs = [spend("bob", SIG83 if counts else ORDINARY) for counts in counting]
    return make_tx([*inputs, spend("carol"), spend("dave")], [payload, pay("carol")])


BLOCKS: Blocks = {
    0: [],
    1: [operation(DEPLOY)],
    2: [mint("10"), mint("2.5", salt=1)],
    3: [],
    4: [transfer("1"), transfer("999", salt=1), transfer("2", salt=2)],
    5: [runestone(), mint("0.00000001")],
    6: [transfer("3"), marketplace(True, True), marketplace(True, False)],
    7: [],
}


def lake_of(directory: Path, blocks: Blocks = BLOCKS, network: Network = REGTEST, branch: str = "") -> Path:
    """A lake of the blocks as an engine judges them that knows `network`."""
    kept = candidates(blocks)
    with Lake.create(directory, network.name, min(blocks)) as lake:
        lake.commit(Engine(network).judge(headers(blocks, branch), kept), kept)
    return directory


def compared(ours: Side, theirs: Side) -> Difference | None:
    with closing(ours), closing(theirs):
        return first_difference(ours, theirs)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lake_of(tmp_path_factory.mktemp("ours") / "lake")


@pytest.fixture(params=["lake", "api"])
def side(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], Side]]:
    """Makes the other side of a lake's folder: the lake itself, or a server over it."""
    with ExitStack() as servers:

        def make(directory: Path) -> Side:
            if request.param == "lake":
                return LakeSide(directory)
            client = servers.enter_context(running(create_app(directory)))
            return ApiSide(str(client.base_url))

        yield make


OtherSide = Callable[[Path], Side]


def test_equal_chains_agree(side: OtherSide, lake: Path, tmp_path: Path) -> None:
    assert compared(LakeSide(lake), side(lake_of(tmp_path / "theirs"))) is None


@pytest.mark.parametrize("tip", [0, 6])
def test_different_tips_agree_on_the_heights_that_both_have(
    tip: int, side: OtherSide, lake: Path, tmp_path: Path
) -> None:
    shorter = lake_of(tmp_path / "theirs", {height: txs for height, txs in BLOCKS.items() if height <= tip})
    assert compared(LakeSide(lake), side(shorter)) is None
    assert compared(LakeSide(shorter), side(lake)) is None


@pytest.mark.parametrize("height", [0, 1, 6, 7])
def test_the_first_fork_is_found_wherever_it_is(height: int, side: OtherSide, lake: Path, tmp_path: Path) -> None:
    """Another block with the same effects: the hash alone differs."""
    with Lake.create(tmp_path / "theirs", REGTEST.name, 0) as forked:
        kept = candidates(BLOCKS)
        rows = headers(BLOCKS).to_pylist()
        for row, other in zip(rows[height:], headers(BLOCKS, "fork").to_pylist()[height:], strict=True):
            row["hash"] = other["hash"]
            row["previous_hash"] = other["previous_hash"] if row["height"] > height else row["previous_hash"]
        forked.commit(Engine(REGTEST).judge(pa.Table.from_pylist(rows, HEADERS), kept), kept)
    difference = compared(LakeSide(lake), side(tmp_path / "theirs"))
    assert difference is not None
    assert (difference.height, difference.what) == (height, "hash")
    assert (difference.our_effect, difference.their_effect) == (None, None)
    text = str(difference)
    assert f"height {height}: the chains have another block here" in text
    assert f"! hash             ours    {block_hash(height)}" in text
    assert "operation" not in text


def test_another_height_of_a_rule_is_traced_to_the_first_operation(side: OtherSide, lake: Path, tmp_path: Path) -> None:
    """The same blocks judged without runestones (R-CORE-CONST-3): one side has a mint that the other lacks."""
    theirs = lake_of(tmp_path / "theirs", network=replace(REGTEST, stones_height=6))
    difference = compared(LakeSide(lake), side(theirs))
    assert difference is not None
    assert (difference.height, difference.what) == (5, "cumulative_hash")
    assert difference.ours.hash == difference.theirs.hash == block_hash(5)
    our, their = difference.our_effect, difference.their_effect
    assert our is not None
    assert our == Effect("mint_stones", f"{runestone().txid}:0", "STONES", "1.00000000", None, address("p2tr_erin"))
    assert their is not None
    assert (their.operation, their.ticker, their.amount) == ("mint", "ABC", "0.00000001")
    assert "height 5: the same block has other effects" in str(difference)
    for line in (
        "  hash ",
        "! event_hash ",
        "! cumulative_hash ",
        "! record_hash ",
        "! operation        ours    mint_stones",
    ):
        assert f"\n{line}" in str(difference)


def test_effects_are_compared_in_processing_order(side: OtherSide, lake: Path, tmp_path: Path) -> None:
    """By the early template (R-CORE-MKT-4) the block's last transaction is executed second, by the new one refused."""
    theirs = lake_of(tmp_path / "theirs", network=replace(REGTEST, template_height=7))
    difference = compared(LakeSide(lake), side(theirs))
    assert difference is not None
    assert (difference.height, difference.what) == (6, "cumulative_hash")
    assert difference.our_effect is not None
    assert difference.our_effect.output == f"{transfer('3').txid}:0"
    assert difference.their_effect is not None
    assert difference.their_effect.output == f"{marketplace(True, False).txid}:0"


def test_one_transaction_more_shows_what_only_one_side_has(side: OtherSide, lake: Path, tmp_path: Path) -> None:
    theirs = lake_of(tmp_path / "theirs", {**BLOCKS, 7: [transfer("1.5", salt=9)]})
    difference = compared(LakeSide(lake), side(theirs))
    assert difference is not None
    assert (difference.height, difference.our_effect) == (7, None)
    assert difference.their_effect is not None
    assert difference.their_effect.amount == "1.50000000"
    assert "! amount           ours    none\n                   theirs  1.50000000" in str(difference)


def test_other_amounts_of_one_block_are_shown_line_by_line(side: OtherSide, lake: Path, tmp_path: Path) -> None:
    """The second of two mints differs; the first, and what both say of the second, is not marked."""
    theirs = lake_of(tmp_path / "theirs", {**BLOCKS, 2: [mint("10"), mint("2.25", salt=1)]})
    difference = compared(LakeSide(lake), side(theirs))
    assert difference is not None
    assert difference.height == 2
    assert str(difference).splitlines()[-12:] == [
        "  operation        ours    mint",
        "                   theirs  mint",
        f"! output           ours    {mint('2.5', salt=1).txid}:0",
        f"                   theirs  {mint('2.25', salt=1).txid}:0",
        "  ticker           ours    ABC",
        "                   theirs  ABC",
        "! amount           ours    2.50000000",
        "                   theirs  2.25000000",
        f"  sender           ours    {address('alice')}",
        f"                   theirs  {address('alice')}",
        f"  recipient        ours    {address('bob')}",
        f"                   theirs  {address('bob')}",
    ]


def test_refusals_are_compared_when_all_effects_agree(side: OtherSide, lake: Path, tmp_path: Path) -> None:
    theirs = lake_of(
        tmp_path / "theirs", {**BLOCKS, 4: [transfer("1"), transfer("998", salt=1), transfer("2", salt=2)]}
    )
    difference = compared(LakeSide(lake), side(theirs))
    assert difference is not None
    assert (difference.height, difference.what) == (4, "record_hash")
    assert (difference.our_effect, difference.their_effect) == (None, None)
    assert "the same block has other refusals; all effects of both sides agree" in str(difference)


def test_other_hashes_of_operations_that_look_the_same_say_so() -> None:
    """The event hash takes a multi-transfer's ticker as written (R-CORE-MULTI-5), operations show its normal form."""
    ours = Hashes(4, "aa", "b1", "c1", "d1")
    text = str(Difference(ours, replace(ours, event_hash="b2", cumulative_hash="c2")))
    assert text.startswith("height 4: the same block has other effects\n")
    assert text.endswith("look the same: see how a ticker is written, and what the block's end adds")


def test_more_blocks_than_a_page_are_compared(side: OtherSide, tmp_path: Path) -> None:
    """Refusals that differ beyond the second page are found, and equal ones agree to the end."""
    blocks: Blocks = {height: [] for height in range(2 * PAGE + 3)}
    refused = {2 * PAGE + 1: [transfer("1")]}
    ours, theirs = lake_of(tmp_path / "ours", blocks), lake_of(tmp_path / "theirs", {**blocks, **refused})
    assert compared(LakeSide(ours), side(ours)) is None
    difference = compared(LakeSide(ours), side(theirs))
    assert difference is not None
    assert (difference.height, difference.what) == (2 * PAGE + 1, "record_hash")


def test_a_block_of_more_operations_than_a_page_is_read_whole(side: OtherSide, tmp_path: Path) -> None:
    mints = [mint("0.001", salt=n) for n in range(PAGE + 2)]
    ours = lake_of(tmp_path / "ours", {0: [operation(DEPLOY)], 1: mints})
    theirs = lake_of(tmp_path / "theirs", {0: [operation(DEPLOY)], 1: [*mints[:-1], mint("0.002", salt=PAGE + 1)]})
    difference = compared(LakeSide(ours), side(theirs))
    assert difference is not None
    assert difference.their_effect is not None
    assert difference.their_effect.amount == "0.00200000"


def test_lakes_that_began_at_different_heights_do_not_compare(side: OtherSide, lake: Path, tmp_path: Path) -> None:
    later = lake_of(tmp_path / "later", {height: txs for height, txs in BLOCKS.items() if height >= 2})
    with pytest.raises(UnusableSide, match="one side begins at height 0, the other at 2"):
        compared(LakeSide(lake), side(later))


def test_a_lake_without_blocks_does_not_compare(tmp_path: Path) -> None:
    Lake.create(tmp_path / "empty", REGTEST.name, 0).close()
    with pytest.raises(UnusableSide, match="simplicity sync"):
        LakeSide(tmp_path / "empty")
    with pytest.raises(LakeNotFound):
        LakeSide(tmp_path / "absent")


def test_a_lake_is_compared_as_it_was_published_when_it_was_opened(lake: Path, tmp_path: Path) -> None:
    """A rewind in between changes nothing for a reader who holds the old state."""
    changing = lake_of(tmp_path / "changing")
    ours, theirs = LakeSide(lake), LakeSide(changing)
    with Lake.open(changing) as writer:
        writer.rewind(3)
    assert compared(ours, theirs) is None


def test_an_api_that_rewinds_meanwhile_is_to_be_compared_again(lake: Path, tmp_path: Path) -> None:
    class Shrinking(LakeSide):
        def range(self) -> tuple[int, int]:
            first, last = super().range()
            return first, last + 1

    with pytest.raises(UnusableSide, match="compare again"):
        compared(LakeSide(lake_of(tmp_path / "theirs", {**BLOCKS, 8: []})), Shrinking(lake))


def test_closed_sides_hold_nothing_open(lake: Path) -> None:
    ours, theirs = LakeSide(lake), ApiSide("http://127.0.0.1:1")
    ours.close()
    theirs.close()
    with pytest.raises(duckdb.ConnectionException):
        ours.hashes(0, 1)
    assert theirs.client.is_closed


def test_nothing_listens_at_the_address(lake: Path) -> None:
    with pytest.raises(UnusableSide, match="gives no answer"):
        compared(LakeSide(lake), ApiSide(f"http://127.0.0.1:{free_port()}"))


@pytest.mark.parametrize("url", ["http://[", "http://", "http://host:port"])
def test_an_address_that_is_none(url: str, lake: Path) -> None:
    with pytest.raises(UnusableSide, match="gives no answer"):
        compared(LakeSide(lake), ApiSide(url))


def test_an_api_that_has_no_block_yet(lake: Path, tmp_path: Path) -> None:
    with running(create_app(tmp_path / "none")) as client, pytest.raises(UnusableSide, match="503"):
        compared(LakeSide(lake), ApiSide(str(client.base_url)))


def with_other_end(judged: Judged, height: int, change: Callable[[list[dict[str, Any]]], object]) -> Judged:
    """The same facts but for the balance events of one block, and hashes that tell the difference from there on."""
    blocks, events = judged.blocks.to_pylist(), judged.balance_events.to_pylist()
    change([event for event in events if event["height"] == height])
    cumulative = ""
    for row in blocks:
        if row["height"] == height:
            row["event_hash"] = "ab" * 32
        row["cumulative_hash"] = cumulative = sha256((cumulative + row["event_hash"]).encode()).hexdigest()
    return replace(
        judged,
        blocks=pa.Table.from_pylist(blocks, judged.blocks.schema),
        balance_events=pa.Table.from_pylist(events, judged.balance_events.schema),
    )


@pytest.mark.parametrize("cause", ["expiry", "rounding"])
def test_the_first_effect_of_a_blocks_end_that_differs_is_named(cause: str, tmp_path: Path) -> None:
    """All valid operations agree: what was paid at an unlock height, or rounded, does not."""
    (rows,) = traffic_batches(seed=1, blocks=40, batch=40)
    judged = Engine(REGTEST).judge(*rows)
    place = next(row for row in judged.balance_events.to_pylist() if row["cause"] == cause)

    def paid_another(events: list[dict[str, Any]]) -> None:
        event = next(event for event in events if event["cause"] == cause)
        event["delta"] += Decimal("0.00000001")

    for name, facts in (("ours", judged), ("theirs", with_other_end(judged, place["height"], paid_another))):
        with Lake.create(tmp_path / name, REGTEST.name, 0) as lake:
            lake.commit(facts, rows[1])
    difference = compared(LakeSide(tmp_path / "ours"), LakeSide(tmp_path / "theirs"))
    assert difference is not None
    assert (difference.height, difference.what, difference.at_end) == (place["height"], "cumulative_hash", True)
    our, their = difference.our_effect, difference.their_effect
    assert our is not None
    assert their is not None
    assert replace(our, amount=None) == replace(their, amount=None)
    assert (our.operation, our.ticker, our.recipient) == (cause, place["ticker"], place["address"])
    assert our.amount == f"{place['delta']:.8f}"
    assert (our.output is None) == (our.sender is None) == (cause == "rounding")
    text = str(difference)
    assert "first effect of the block's end that differs:" in text
    assert f"! amount           ours    {our.amount}" in text


def canned(answer: object, _request: Request) -> Response:
    return JSONResponse(answer)


HASHES_ROW = {"height": 0, "hash": block_hash(0), "event_hash": "", "cumulative_hash": "", "record_hash": ""}


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({}, "404"),
        ({"/block-hashes": "<html>Welcome</html>"}, "another form"),
        ({"/block-hashes": {"error": "no"}}, "another form"),
        ({"/block-hashes": []}, "no block yet"),
        ({"/block-hashes": [{key: HASHES_ROW[key] for key in ("height", "hash", "event_hash")}]}, "another form"),
        ({"/block-hashes": [HASHES_ROW], "/status": {"last_indexed_block_main_chain": None}}, "another form"),
        ({"/block-hashes": [HASHES_ROW], "/status": {"last_indexed_block_main_chain": 7}}, "compare again"),
    ],
    ids=["no such route", "text", "other JSON", "empty", "older rows", "older status", "ignores the range"],
)
def test_what_answers_is_not_this_api_or_an_older_one(answers: dict[str, object], says: str, lake: Path) -> None:
    app = FastAPI()
    for path, answer in answers.items():
        app.add_route(f"/v1/indexer/brc20{path}", partial(canned, answer))
    with running(app) as client, pytest.raises(UnusableSide, match=says):
        compared(LakeSide(lake), ApiSide(str(client.base_url)))


def test_both_sides_see_the_same_in_every_block_of_the_recorded_chain(tmp_path: Path) -> None:
    """Hashes and effects through the files and through HTTP, with null addresses, amounts and multi-transfers."""
    directory = recorded_lake(tmp_path)
    with running(create_app(directory)) as client, ExitStack() as sides:
        ours = sides.enter_context(closing(LakeSide(directory)))
        theirs = sides.enter_context(closing(ApiSide(f"{client.base_url}/")))
        assert ours.range() == theirs.range() == (0, TIP)
        assert ours.hashes(0, TIP) == theirs.hashes(0, TIP)
        effects = {height: ours.effects(height) for height in range(TIP + 1)}
        assert effects == {height: theirs.effects(height) for height in range(TIP + 1)}
    with connect(directory) as sql:
        expected = sql.sql(
            "SELECT operation, txid || ':' || vout, ticker, amount::VARCHAR, from_address, to_address "
            "FROM operations WHERE valid ORDER BY height, op_index"
        ).fetchall()
        multi, bare = sql.sql(
            "SELECT count(*) FILTER (multi), count(*) FILTER (from_address IS NULL) FROM operations WHERE valid"
        ).fetchall()[0]
    assert [astuple(effect) for height in effects for effect in effects[height]] == expected
    assert multi > 0
    assert bare > 0
