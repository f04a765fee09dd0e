"""What SQL shows of trades and settlements: pool and position of each change, and what a block's end did, in lines."""

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest

from engine.judge import Engine
from ingest.networks import REGTEST
from tests.helpers.builders import Blocks, address, candidates, headers, operation
from tests.helpers.chain import Tx
from tests.helpers.traffic_lake import traffic_lake
from warehouse.duckdb_engine import connect
from warehouse.lake import Lake


def swap(sender: str, salt: int = 0, **members: str) -> Tx:
    inner = ",".join(f'"{name}":"{value}"' for name, value in members.items())
    return operation(f'{{"p":"brc-20","op":"swap",{inner}}}', sender, salt=salt)


def token(ticker: str, *holders: str) -> list[Tx]:
    deploy = f'{{"p":"brc-20","op":"deploy","tick":"{ticker}","m":"100000","l":"5000"}}'
    mint = f'{{"p":"brc-20","op":"mint","tick":"{ticker}","amt":"5000"}}'
    return [operation(deploy), *(operation(mint, "alice", holder) for holder in holders)]


BLOCKS: Blocks = {
    0: [*token("LOL", "lp1", "lp2", "exe"), *token("WTF", "lp1", "lp2", "exe")],
    1: [
        swap("lp1", init="LOL,WTF", amt="1000", lock="10"),
        swap("lp2", init="WTF,LOL", amt="10", lock="10"),
        swap("lp2", init="WTF,LOL", amt="1990", lock="11"),
    ],
    2: [
        # Reserves are 1000 and 2000: 1000 LOL buy half of the WTF, all of the first position's and 990 of the second's.
        swap("exe", exe="LOL,WTF", amt="1000", slip="100"),
        swap("exe", salt=1, exe="WTF,LOL", amt="10", slip="100"),
    ],
    **{height: [] for height in range(3, 13)},
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("market")
    with Lake.create(home, REGTEST.name, 0) as lake:
        lake.commit(Engine(REGTEST).judge(headers(BLOCKS), candidates(BLOCKS)), candidates(BLOCKS))
    return home


@pytest.fixture
def sql(directory: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(directory) as connection:
        yield connection


def test_the_changes_of_a_trade_name_pool_and_position(sql: duckdb.DuckDBPyConnection) -> None:
    """What each position receives is its share of what it gave. The one that is sold out returns it to its owner."""
    found = sql.sql(
        "SELECT cause, ticker, address, delta, pool, position_id, operation, balance_after - balance_before = delta "
        "FROM balance_changes WHERE height = 2 AND op_index = 0 ORDER BY sequence"
    ).fetchall()
    pool, who = "POOL::LOL-WTF", {name: address(name) for name in ("exe", "lp2")}
    expected = [
        ("swap_in", "LOL", who["exe"], "-1000", None),
        ("swap_out", "WTF", pool, "-1000", None),
        ("swap_out", "WTF", who["exe"], "1000", None),
        ("swap_fee", "WTF", who["exe"], "-3", None),
        ("swap_fee", "WTF", pool, "3", None),
        ("swap_in", "LOL", pool, "10", 2),
        ("swap_in", "LOL", pool, "990", 3),
        ("swap_return", "LOL", pool, "-10", 2),
        ("swap_return", "LOL", who["lp2"], "10", 2),
    ]
    assert [(*row[:4], row[5]) for row in found] == [(*row[:3], Decimal(row[3]), row[4]) for row in expected]
    assert {row[4] for row in found} == {"LOL-WTF"}
    assert {row[6:] for row in found} == {("swap_exe", True)}


def test_deposits_belong_to_the_position_that_they_open(sql: duckdb.DuckDBPyConnection) -> None:
    found = sql.sql(
        "SELECT op_index, address, pool, position_id FROM balance_changes WHERE cause = 'swap_init' ORDER BY sequence"
    ).fetchall()
    assert [(row[0], row[3]) for row in found] == [(0, 1), (0, 1), (1, 2), (1, 2), (2, 3), (2, 3)]
    assert {row[2] for row in found} == {"LOL-WTF"}


def test_what_is_no_trade_has_neither_pool_nor_position(sql: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT DISTINCT pool, position_id, operation, txid IS NULL FROM balance_changes WHERE cause = 'mint'"
    assert sql.sql(query).fetchall() == [(None, None, "mint", False)]


def test_settlements_say_what_each_position_got(sql: duckdb.DuckDBPyConnection) -> None:
    """At block 11 lp1's position and the one of lp2 that is sold out are due, at 12 the other."""
    found = sql.sql(
        "SELECT height, position_id, pool, ticker, address, amount FROM settlements ORDER BY height, sequence"
    ).fetchall()
    assert found[0][:4] == (11, 1, "LOL-WTF", "LOL")
    assert {row[1]: row[4] for row in found} == {1: address("lp1"), 2: address("lp2"), 3: address("lp2")}
    paid = sql.sql(
        "SELECT position_id, source, locked, accumulated_a, accumulated_b, reward_a, reward_b "
        "FROM current_positions ORDER BY position_id"
    ).fetchall()
    for position, source, locked, *sides in paid:
        expected = {
            ticker: accumulated + reward + (locked if source == ticker else 0)
            for ticker, accumulated, reward in zip(("LOL", "WTF"), sides[:2], sides[2:], strict=True)
        }
        amounts = {row[3]: row[5] for row in found if row[1] == position}
        assert amounts == {ticker: amount for ticker, amount in expected.items() if amount}
    causes = sql.sql(
        "SELECT position_id, count(*) FROM balance_changes WHERE starts_with(cause, 'expiry') GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert [position for position, _ in causes] == sorted({row[1] for row in found})


@pytest.mark.parametrize("seed", [1, 4])
def test_closing_lines_make_the_event_text_of_every_block_whole(seed: int, tmp_path: Path) -> None:
    """Records, then roundings and settlements in order, hash to what the engine hashed, receipt tokens apart."""
    with connect(traffic_lake(tmp_path, seed, 60)) as sql:
        records = lines_by_height(
            sql,
            "SELECT height, op_index, concat_ws(';', operation, txid, vout, coalesce(ticker_text, ''), "
            "coalesce(amount::VARCHAR, ''), coalesce(from_address, ''), coalesce(to_address, '')) "
            "FROM operations WHERE valid ORDER BY height, op_index",
        )
        ends = lines_by_height(sql, "SELECT height, pass, line FROM closing_lines ORDER BY height, pass, place")
        receipts = {
            height
            for (height,) in sql.sql(
                "SELECT height FROM positions WHERE height = unlock_height AND contains(pool, 'y')"
            ).fetchall()
        }
        hashes = sql.sql("SELECT height, event_hash FROM blocks").fetchall()
    told = [height for height, _ in hashes if height not in receipts]
    assert len(set(told) & ends.keys()) > 10, "too few to show anything"
    for height, event_hash in hashes:
        text = "\n".join([*records.get(height, []), *ends.get(height, [])])
        assert (sha256(text.encode()).hexdigest() == event_hash) or height in receipts, height
    lines = [line for block in ends.values() for line in block]
    assert {line.partition(";")[0] for line in lines} == {"expiry", "rounding"}


def lines_by_height(sql: duckdb.DuckDBPyConnection, query: str) -> dict[int, list[Any]]:
    lines: dict[int, list[Any]] = {}
    for height, _, line in sql.sql(query).fetchall():
        lines.setdefault(height, []).append(line)
    return lines
