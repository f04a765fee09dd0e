"""Changes of balances, against the events of the lake: names, filters, sums, pages, and checks that can fail."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from tests.api.conftest import GENEROUS
from tests.helpers.api import running
from tests.helpers.builders import address
from tests.helpers.forgery import rewrite, set_where
from tests.helpers.market_lake import FIRST_TRADE, market_lake
from tests.helpers.recorded import people
from tests.helpers.settled_lake import BLOCKS, LATE, settled_lake
from warehouse.manifest import read_manifest
from warehouse.segments import read_rows

SWAP = "/v1/indexer/swap"
CHANGES = f"{SWAP}/balance-changes"
TRADE = "6124237f350cd8db57b47b4b3a39e7e5ab9e829163b2fe9b96c43be503b416d8"
POOL = "POOL::LOL-WTF"
BOB = people()["bob"]

Row = dict[str, Any]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Two pools; in one of them all was settled."""
    directory = settled_lake(tmp_path_factory.mktemp("settled"))
    with running(create_app(directory, options=GENEROUS)) as client:
        yield client


@pytest.fixture(scope="module")
def rows(client: httpx.Client) -> list[Row]:
    """All changes of the recorded chain, newest first."""
    answer = client.get(CHANGES, params={"limit": 1000}).json()
    assert answer["total"] == len(answer["items"])
    found: list[Row] = answer["items"]
    return found


def names(found: list[Row]) -> list[tuple[str, str, str]]:
    return [(row["action"], row["address"], row["amount_delta"]) for row in found]


def test_every_balance_event_is_a_change_and_nothing_else_is(lake: Path, rows: list[Row]) -> None:
    events = read_rows(lake, read_manifest(lake), "balance_events").to_pylist()
    records = {
        (row["height"], row["op_index"]): row for row in read_rows(lake, read_manifest(lake), "operations").to_pylist()
    }
    blocks = {row["height"]: row for row in read_rows(lake, read_manifest(lake), "blocks").to_pylist()}
    assert [row["id"] for row in reversed(rows)] == [e["height"] * 10_000_000 + e["sequence"] for e in events]
    for row, event in zip(reversed(rows), events, strict=True):
        record = records.get((event["height"], event["op_index"]))
        block = blocks[event["height"]]
        assert (row["address"], row["ticker"]) == (event["address"], event["ticker"])
        assert Decimal(row["amount_delta"]) == event["delta"]
        assert Decimal(row["balance_after"]) == event["balance_after"]
        assert row["txid"] == (record and record["txid"])
        assert row["tx_index"] == (record and record["tx_index"])
        assert row["operation_type"] == (record["operation"] if record else "unlock")
        assert row["operation_id"] == (record and event["height"] * 1_000_000 + event["op_index"])
        assert row["block_hash"] == block["hash"]
        assert row["timestamp"] == block["time"].strftime("%Y-%m-%dT%H:%M:%SZ")
        assert row["change_metadata"] == {"cause": event["cause"]}


def test_each_change_begins_where_the_one_before_it_ended(rows: list[Row]) -> None:
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in reversed(rows):
        account = row["address"], row["ticker"]
        assert Decimal(row["balance_before"]) == held[account]
        held[account] += Decimal(row["amount_delta"])
        assert Decimal(row["balance_after"]) == held[account]


def test_steps_have_the_names_that_clients_know(settled: httpx.Client) -> None:
    """The order of events is that of R-SWAP-EXE-7; a closed position is paid at once, the others at their heights."""
    exe, lp1, lp2 = address("exe"), address("lp1"), address("lp2")
    operation = settled.get(f"{CHANGES}/operation/2000000").json()
    assert names(operation) == [
        ("debit_executor_balance", exe, "-1000.00000000"),
        ("debit_pool_swap_out", POOL, "-1000.00000000"),
        ("credit_executor_dst_balance", exe, "1000.00000000"),
        ("debit_executor_fees", exe, "-3.00000000"),
        ("credit_pool_fees", POOL, "3.00000000"),
        ("credit_pool_accumulated_dst", POOL, "10.00000000"),
        ("credit_pool_accumulated_dst", POOL, "990.00000000"),
        ("debit_pool_accumulated_dst_closed", POOL, "-10.00000000"),
        ("credit_position_owner_closed", lp2, "10.00000000"),
    ]
    assert [row["swap_position_id"] for row in operation] == [*[None] * 5, 2, 3, 2, 2]
    assert names(settled.get(f"{CHANGES}/position/3").json()) == [
        ("debit_user_balance", lp2, "-1990.00000000"),
        ("credit_pool_liquidity", POOL, "1990.00000000"),
        ("credit_pool_accumulated_dst", POOL, "990.00000000"),
        ("debit_pool_accumulated_dst", POOL, "-990.00000000"),
        ("credit_lp_principal_reward", lp2, "990.00000000"),
        ("debit_pool_principal_reward", POOL, "-1000.00000000"),
        ("debit_pool_rewards", POOL, "-2.98498500"),
        ("credit_lp_principal_reward", lp2, "1002.98498500"),
    ]
    unlock = settled.get(CHANGES, params={"operation_type": "unlock", "ticker": "lol", "address": lp1}).json()["items"]
    assert [(row["txid"], row["tx_index"], row["operation_id"], row["pool_id"]) for row in unlock] == [
        (None, None, None, "LOL-WTF")
    ]


def test_stakes_and_claims_have_theirs(rows: list[Row]) -> None:
    actions = {row["change_metadata"]["cause"]: row["action"] for row in rows}
    assert {cause: actions[cause] for cause in ("stake", "unstake", "reward", "mint", "wrap_burn")} == {
        "stake": "debit_staking_token",
        "unstake": "credit_principal",
        "reward": "mint_crv_rewards",
        "mint": "mint",
        "wrap_burn": "wrap_burn",
    }


FILTERS: list[tuple[dict[str, str], Callable[[Row], bool]]] = [
    ({"address": POOL}, lambda row: row["address"] == POOL),
    ({"address": "POOL::wtf-lol"}, lambda row: row["address"] == POOL),
    ({"address": BOB}, lambda row: row["address"] == BOB),
    ({"ticker": "wtf"}, lambda row: row["ticker"] == "WTF"),
    ({"operation_type": "swap_exe"}, lambda row: row["operation_type"] == "swap_exe"),
    ({"operation_type": "unlock"}, lambda row: row["txid"] is None),
    ({"operation_type": "mint"}, lambda row: row["operation_type"] == "mint"),
    ({"action": "credit_pool_fees"}, lambda row: row["action"] == "credit_pool_fees"),
    ({"action": "debit_executor_balance"}, lambda row: row["action"] == "debit_executor_balance"),
    ({"action": "transfer_debit"}, lambda row: row["action"] == "transfer_debit"),
    ({"action": "swap_in"}, lambda _: False),
    ({"action": "o'clock"}, lambda _: False),
    ({"pool_id": "wtf-lol"}, lambda row: row["pool_id"] == "LOL-WTF"),
    ({"pool_id": "NO-POOL"}, lambda _: False),
    ({"swap_position_id": "1"}, lambda row: row["swap_position_id"] == 1),
    ({"swap_position_id": "0"}, lambda _: False),
    ({"operation_id": "126000001"}, lambda row: row["operation_id"] == 126000001),
    ({"operation_id": "0"}, lambda _: False),
    ({"txid": TRADE.upper()}, lambda row: row["txid"] == TRADE),
    ({"block_height_min": "126"}, lambda row: row["block_height"] >= 126),
    ({"block_height_max": "125"}, lambda row: row["block_height"] <= 125),
    ({"block_height_max": "0"}, lambda _: False),
    (
        {"pool_id": "LOL-WTF", "ticker": "WTF", "action": "debit_pool_rewards", "operation_type": "unlock"},
        lambda row: row["action"] == "debit_pool_rewards",
    ),
]


@pytest.mark.parametrize(("query", "holds"), FILTERS, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_filters_filter(
    client: httpx.Client, rows: list[Row], query: dict[str, str], holds: Callable[[Row], bool]
) -> None:
    """Contract, defects 15 and 28: a filter of 0 is a filter, as is a single bound."""
    answer = client.get(CHANGES, params={**query, "limit": "1000"}).json()
    wanted = [row for row in rows if holds(row)]
    assert (answer["total"], answer["items"]) == (len(wanted), wanted)


@pytest.mark.parametrize(
    ("path", "holds"),
    [
        (f"tx/{TRADE}", lambda row: row["txid"] == TRADE),
        (f"tx/{'0' * 64}", lambda _: False),
        ("operation/126000000", lambda row: row["operation_id"] == 126000000),
        ("operation/0", lambda _: False),
        ("position/2", lambda row: row["swap_position_id"] == 2),
    ],
)
def test_lists_of_one_thing_are_in_processing_order(
    client: httpx.Client, rows: list[Row], path: str, holds: Callable[[Row], bool]
) -> None:
    assert client.get(f"{CHANGES}/{path}").json() == [row for row in reversed(rows) if holds(row)]


def test_one_change_is_found_by_its_number(client: httpx.Client, rows: list[Row]) -> None:
    for row in rows[::7]:
        assert client.get(f"{CHANGES}/{row['id']}").json() == row


def test_lists_of_a_pool_and_an_address_are_pages(client: httpx.Client, rows: list[Row]) -> None:
    """Contract, defect 18: both failed whenever there was something to tell."""
    pool = client.get(f"{CHANGES}/pool/wtf-lol", params={"operation_type": "swap_exe", "action": "credit_pool_fees"})
    assert pool.json()["items"] == [row for row in rows if row["action"] == "credit_pool_fees"]
    answer = client.get(f"{CHANGES}/address/{BOB}", params={"ticker": "lol", "limit": 2, "offset": 1}).json()
    wanted = [row for row in rows if row["address"] == BOB and row["ticker"] == "LOL"]
    assert (answer["total"], answer["limit"], answer["offset"]) == (len(wanted), 2, 1)
    assert answer["items"] == wanted[1:3]


def test_pages_stay_true_while_blocks_arrive(tmp_path: Path) -> None:
    directory, advance = market_lake(tmp_path, last=FIRST_TRADE + 3)
    with running(create_app(directory, options=GENEROUS)) as client:
        whole = client.get(CHANGES, params={"limit": 1000}).json()["items"]
        first = client.get(CHANGES, params={"limit": 37}).json()
        advance()
        walked, cursor = first["items"], first["next_cursor"]
        while cursor is not None:
            answer = client.get(CHANGES, params={"limit": 37, "cursor": cursor}).json()
            walked, cursor = [*walked, *answer["items"]], answer["next_cursor"]
        assert walked == whole
        assert client.get(CHANGES).json()["total"] > len(whole)


KEYS: dict[str, Callable[[Row], Any]] = {
    "address": lambda row: row["address"],
    "ticker": lambda row: row["ticker"],
    "operation_type": lambda row: row["operation_type"],
    "action": lambda row: row["action"],
    "pool_id": lambda row: row["pool_id"],
    "block_height": lambda row: str(row["block_height"]),
}


@pytest.mark.parametrize("by", KEYS)
def test_groups_add_up_each_ticker_for_itself(client: httpx.Client, rows: list[Row], by: str) -> None:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[KEYS[by](row)].append(row)
    answer = client.get(f"{CHANGES}/aggregate", params={"group_by": by}).json()["items"]
    assert {item["group_key"]: item["count"] for item in answer} == {key: len(found) for key, found in groups.items()}
    assert [item["count"] for item in answer] == sorted((item["count"] for item in answer), reverse=True)
    for item in answer:
        found = groups[item["group_key"]]
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for row in found:
            sums[row["ticker"]] += Decimal(row["amount_delta"])
        assert item["total_delta_by_ticker"] == {ticker: f"{total:.8f}" for ticker, total in sums.items()}
        assert Decimal(item["total_delta"]) == sum(sums.values())
        heights = [row["block_height"] for row in found]
        assert (item["min_block_height"], item["max_block_height"]) == (min(heights), max(heights))
        assert item["unique_addresses"] == len({row["address"] for row in found})
        assert item["unique_tickers"] == len(sums)


def test_groups_are_filtered_and_paged(client: httpx.Client) -> None:
    query = {"group_by": "action", "ticker": "lol", "operation_type": "swap_exe"}
    whole = client.get(f"{CHANGES}/aggregate", params=query).json()["items"]
    assert {item["group_key"] for item in whole} >= {"credit_pool_fees", "debit_executor_balance"}
    assert all(item["total_delta_by_ticker"].keys() == {"LOL"} for item in whole)
    first = client.get(f"{CHANGES}/aggregate", params={**query, "limit": 2}).json()
    rest = client.get(f"{CHANGES}/aggregate", params={**query, "cursor": first["next_cursor"]}).json()
    assert [*first["items"], *rest["items"]] == whole


def test_statistics_count_every_change_once(client: httpx.Client, rows: list[Row]) -> None:
    answer = client.get(f"{CHANGES}/stats").json()
    volumes: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        volumes[row["ticker"]] += abs(Decimal(row["amount_delta"]))
    assert answer["total_changes"] == len(rows)
    assert answer["total_volume_by_ticker"] == {ticker: f"{total:.8f}" for ticker, total in volumes.items()}
    assert Decimal(answer["total_volume"]) == sum(volumes.values())
    for name, key in (("by_operation_type", "operation_type"), ("by_action", "action"), ("by_pool", "pool_id")):
        wanted: dict[str, int] = defaultdict(int)
        for row in rows:
            if row[key] is not None:
                wanted[row[key]] += 1
        assert answer[name] == wanted
    assert (answer["period_start_block"], answer["period_end_block"]) == (116, 147)
    assert (answer["unique_addresses"], answer["unique_pools"]) == (len({row["address"] for row in rows}), 1)


def test_every_transaction_of_the_chain_verifies(client: httpx.Client, rows: list[Row]) -> None:
    """Contract, defects 17 and 33."""
    for name in {row["txid"] for row in rows} - {None}:
        answer = client.get(f"{CHANGES}/verify/tx/{name}").json()
        found = [row for row in rows if row["txid"] == name]
        assert (answer["identifier"], answer["found"], answer["total_changes"]) == (name, True, len(found))
        assert (answer["errors"], answer["warnings"]) == ([], [])


def test_verification_tells_what_changes_come_to(client: httpx.Client) -> None:
    answer = client.get(f"{CHANGES}/verify/operation/126000000").json()
    executor = "2MvxycpY1sYaZicdkpHXm22WGt3chVbqbxf"
    # 3225.80645161 bought, of which 0.3 % are the fee.
    assert answer["address_ticker_deltas"] == {
        f"{executor}::LOL": "-10.00000000",
        f"{executor}::WTF": "3216.12903226",
        f"{POOL}::LOL": "10.00000000",
        f"{POOL}::WTF": "-3216.12903226",
    }
    assert answer["pool_deltas"] == {POOL: {"LOL": "10.00000000", "WTF": "-3216.12903226"}}
    assert answer["deploy_deltas"] == {"LOL": "0.00000000", "WTF": "0.00000000"}
    mint = client.get(f"{CHANGES}/verify/operation/116000011").json()
    assert mint["deploy_deltas"] == {"LOL": "200.00000000"}


@pytest.mark.parametrize("path", [f"tx/{'0' * 64}", "operation/0", f"operation/{2**53 - 1}"])
def test_what_changed_nothing_is_not_found(client: httpx.Client, path: str) -> None:
    answer = client.get(f"{CHANGES}/verify/{path}").json()
    assert (answer["found"], answer["total_changes"], answer["errors"]) == (False, 0, [])


def test_verification_shows_a_balance_that_does_not_follow(tmp_path: Path) -> None:
    directory = settled_lake(tmp_path)

    def credited(row: Row) -> bool:
        return bool(row["height"] == 2 and row["op_index"] == 0 and row["cause"] == "swap_out" and row["delta"] > 0)

    rewrite(directory, "balance_events", set_where(credited, delta=Decimal("1000.00000001")))
    with running(create_app(directory, options=GENEROUS)) as client:
        answer = client.get(f"{CHANGES}/verify/tx/{BLOCKS[2][0].txid}").json()
        assert answer == client.get(f"{CHANGES}/verify/operation/2000000").json() | {"identifier": answer["identifier"]}
        assert answer["errors"] == [
            {
                "change_id": 20000002,
                "address": address("exe"),
                "ticker": "WTF",
                "expected_balance_after": "6000.00000001",
                "actual_balance_after": "6000.00000000",
                "difference": "-0.00000001",
            }
        ]
        assert [(row["ticker"], row["net_delta"]) for row in answer["warnings"]] == [("WTF", "0.00000001")]


def test_what_happened_in_a_pool_is_told_operation_by_operation(settled: httpx.Client) -> None:
    """Contract, defects 13 and 32: whole operations on every page, with all that they moved."""
    answer = settled.get(f"{SWAP}/pools/wtf-lol/transactions").json()
    assert [(row["operation_type"], row["block_height"], row["swap_position_id"]) for row in answer["items"]] == [
        ("unlock", 12, 3),
        ("unlock", 11, 2),
        ("unlock", 11, 1),
        ("swap_exe", 2, None),
        ("swap_exe", 2, None),
        ("swap_init", 1, 3),
        ("swap_init", 1, 2),
        ("swap_init", 1, 1),
    ]
    unlock, trade, opening = answer["items"][0], answer["items"][4], answer["items"][5]
    assert {name: value for name, value in trade.items() if value is not None} == {
        "txid": BLOCKS[2][0].txid,
        "block_height": 2,
        "operation_type": "swap_exe",
        "timestamp": "2024-01-01T00:20:00Z",
        "action": "credit_executor_dst_balance",
        "pool_id": "LOL-WTF",
        "address": address("exe"),
        "src_ticker": "LOL",
        "dst_ticker": "WTF",
        "amount_in": "1000.00000000",
        "amount_out_token_b": "1000.00000000",
        "fees_token_b": "3.00000000",
        "src_balance_before": "5000.00000000",
        "src_balance_after": "4000.00000000",
        "dst_balance_before": "5000.00000000",
        "dst_balance_after": "6000.00000000",
    }
    assert (opening["ticker"], opening["amount"], opening["lock_blocks"]) == ("WTF", "1990.00000000", 11)
    assert (opening["ticker_balance_before"], opening["ticker_balance_after"]) == ("4990.00000000", "3000.00000000")
    assert (unlock["txid"], unlock["action"], unlock["amount"]) == (None, "credit_lp_principal_reward", "1000.00000000")
    assert (unlock["amount_out_token_a"], unlock["amount_out_token_b"]) == ("990.00000000", "1002.98498500")
    assert (unlock["fees_token_a"], unlock["fees_token_b"]) == (None, "2.98498500")


@pytest.mark.parametrize("type_", ["swap_init", "swap_exe", "unlock", "nothing"])
def test_pages_of_operations_neither_overlap_nor_split(settled: httpx.Client, type_: str) -> None:
    path = f"{SWAP}/pools/LOL-WTF/transactions"
    whole = settled.get(path).json()
    wanted = [row for row in whole["items"] if row["operation_type"] == type_]
    by_offset = [
        settled.get(path, params={"operation_type": type_, "limit": 1, "offset": at}).json()
        for at in range(len(wanted) + 1)
    ]
    assert [row for answer in by_offset for row in answer["items"]] == wanted
    assert {answer["total"] for answer in by_offset} == {len(wanted)}


def test_what_an_address_did_in_pools(settled: httpx.Client) -> None:
    path = f"{CHANGES}/address/{address('exe')}"
    trades = settled.get(path, params={"aggregated": True}).json()
    assert [(row["block_height"], row["pool_id"]) for row in trades["items"]] == [(LATE, "LOL-SAT"), (2, "LOL-WTF")]
    only = settled.get(path, params={"aggregated": True, "ticker": "sat"}).json()
    assert only["items"] == trades["items"][:1]
    none = settled.get(path, params={"aggregated": True, "action": "credit_pool_liquidity"}).json()
    assert (none["total"], none["items"]) == (0, [])


def test_pools_of_receipts_have_trades_without_balances(tmp_path: Path) -> None:
    """`y` balances grow by themselves and have no events; a ticker with a hyphen is found all the same."""
    directory, _ = market_lake(tmp_path)
    with running(create_app(directory, options=GENEROUS)) as client:
        trade = client.get(f"{SWAP}/pools/ywtf-lol/transactions", params={"operation_type": "swap_exe"}).json()[
            "items"
        ][0]
        assert (trade["src_ticker"], trade["dst_ticker"], trade["dst_balance_after"]) == ("LOL", "yWTF", None)
        assert Decimal(trade["amount_out_token_b"]) > 0
        hyphen = client.get(f"{SWAP}/pools/c-a-b/transactions").json()
        assert {row["pool_id"] for row in hyphen["items"]} == {"A-B-C"}


@pytest.mark.parametrize(
    ("path", "status", "code", "field"),
    [
        ("balance-changes/99", 404, "CHANGE_NOT_FOUND", "change_id"),
        (f"balance-changes/{2**53 - 1}", 404, "CHANGE_NOT_FOUND", "change_id"),
        (f"balance-changes/{2**53}", 422, "INVALID_PARAMETER", "change_id"),
        ("balance-changes/x", 422, "INVALID_PARAMETER", "change_id"),
        ("balance-changes/-1", 422, "INVALID_PARAMETER", "change_id"),
        ("balance-changes/position/0", 404, "POSITION_NOT_FOUND", "position_id"),
        ("balance-changes/position/3", 404, "POSITION_NOT_FOUND", "position_id"),
        ("balance-changes/tx/abc", 422, "INVALID_PARAMETER", "txid"),
        ("balance-changes/verify/tx/abc", 422, "INVALID_PARAMETER", "txid"),
        ("balance-changes/verify/operation/x", 422, "INVALID_PARAMETER", "operation_id"),
        ("balance-changes/operation/99999999999999999999", 422, "INVALID_PARAMETER", "operation_id"),
        ("balance-changes/address/nobody", 400, "INVALID_ADDRESS", "address"),
        ("balance-changes/address/POOL::", 400, "INVALID_ADDRESS", "address"),
        ("balance-changes/pool/NO-POOL", 404, "POOL_NOT_FOUND", "pool_id"),
        ("balance-changes/pool/LOL", 400, "INVALID_POOL_ID", "pool_id"),
        ("balance-changes?address=nobody", 400, "INVALID_ADDRESS", "address"),
        ("balance-changes?txid=abc", 422, "INVALID_PARAMETER", "txid"),
        ("balance-changes?limit=1001", 422, "INVALID_PARAMETER", "limit"),
        ("balance-changes?offset=100001", 422, "INVALID_PARAMETER", "offset"),
        ("balance-changes?block_height_min=-1", 422, "INVALID_PARAMETER", "block_height_min"),
        ("balance-changes?swap_position_id=99999999999999999999", 422, "INVALID_PARAMETER", "swap_position_id"),
        ("balance-changes?cursor=abc", 400, "INVALID_CURSOR", "cursor"),
        ("balance-changes/aggregate?group_by=color", 422, "INVALID_PARAMETER", "group_by"),
        ("pools/NO-POOL/transactions", 404, "POOL_NOT_FOUND", "pool_id"),
        ("pools/LOL/transactions", 400, "INVALID_POOL_ID", "pool_id"),
        ("pools/LOL-WTF/transactions?limit=101", 422, "INVALID_PARAMETER", "limit"),
    ],
)
def test_what_cannot_be_answered_says_why(client: httpx.Client, path: str, status: int, code: str, field: str) -> None:
    response = client.get(f"{SWAP}/{path}")
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (status, code, field)
