"""Swaps, W and curve programs of the recorded chain, against its notes, its public tables and arithmetic by hand."""

from fractions import Fraction

import duckdb
import httpx
import pytest

from tests.helpers.api import got
from tests.helpers.recorded import people

SWAP = "/v1/indexer/swap"
WRAP = "/v1/indexer/w"
BRC20 = "/v1/indexer/brc20"
ALICE, BOB, CAROL, DAVE, ERIN = (people()[name] for name in ("alice", "bob", "carol", "dave", "erin"))
INIT_A = "b22534308bf75fd3374eb794edd4268ac78518e7f08db648ae745a7a9e3a3a7d"
INIT_B = "778f214db133fbea9199c6b2ac350a5c6cb4f7723808e950092b2b7e0f310c59"
EXE_A = "6124237f350cd8db57b47b4b3a39e7e5ab9e829163b2fe9b96c43be503b416d8"
EXE_B = "28b8210d3326f80dc3c9407a264e45bf132a4329bdcc7c6c11e32eebe8a92bd8"
VAULT = "bcrt1p4mquy8ljmrwh7dphd8ag65338zjxarjvjm7rlnpx7ukllcn2zdrqdfpm7q"
UNIT = 10**8
RAY = 10**27

REFUSALS = [
    (f"{SWAP}/positions/3", 404, "POSITION_NOT_FOUND", "position_id"),
    (f"{SWAP}/positions/-1", 422, "INVALID_PARAMETER", "position_id"),
    (f"{SWAP}/positions/9223372036854775808", 422, "INVALID_PARAMETER", "position_id"),
    (f"{SWAP}/positions?owner=nobody", 400, "INVALID_ADDRESS", "owner"),
    (f"{SWAP}/positions?status=completed", 422, "INVALID_PARAMETER", "status"),
    (f"{SWAP}/positions?unlock_height_lte=x", 422, "INVALID_PARAMETER", "unlock_height_lte"),
    (f"{SWAP}/positions?limit=1001", 422, "INVALID_PARAMETER", "limit"),
    (f"{SWAP}/positions?offset=100001", 422, "INVALID_PARAMETER", "offset"),
    (f"{SWAP}/positions?cursor=abc", 400, "INVALID_CURSOR", "cursor"),
    (f"{SWAP}/owner/nobody/positions", 400, "INVALID_ADDRESS", "owner"),
    (f"{SWAP}/expiring", 422, "INVALID_PARAMETER", "height_lte"),
    (f"{SWAP}/expiring?height_lte=-1", 422, "INVALID_PARAMETER", "height_lte"),
    (f"{SWAP}/executions?executor=nobody", 400, "INVALID_ADDRESS", "executor"),
    (f"{SWAP}/executions/126000002", 404, "EXECUTION_NOT_FOUND", "execution_id"),
    (f"{SWAP}/executions/125000000", 404, "EXECUTION_NOT_FOUND", "execution_id"),
    (f"{SWAP}/executions/9223372036854775807", 404, "EXECUTION_NOT_FOUND", "execution_id"),
    (f"{SWAP}/executions/x", 422, "INVALID_PARAMETER", "execution_id"),
    (f"{SWAP}/tvl/nope", 404, "TICKER_NOT_FOUND", "ticker"),
    (f"{SWAP}/pools?limit=0", 422, "INVALID_PARAMETER", "limit"),
    (f"{SWAP}/pools/lol/reserves", 400, "INVALID_POOL_ID", "pool_id"),
    (f"{SWAP}/pools/-/reserves", 400, "INVALID_POOL_ID", "pool_id"),
    (f"{SWAP}/pools/lol-/detail", 400, "INVALID_POOL_ID", "pool_id"),
    (f"{SWAP}/pools/lol-nope/reserves", 404, "POOL_NOT_FOUND", "pool_id"),
    (f"{SWAP}/pools/lol-nope/detail", 404, "POOL_NOT_FOUND", "pool_id"),
    (f"{SWAP}/pools/lol-ywtf/detail", 404, "POOL_NOT_FOUND", "pool_id"),
    (f"{SWAP}/pools/lol-wtf/reserves?height=124", 404, "POOL_NOT_FOUND", "pool_id"),
    (f"{SWAP}/pools/lol-wtf/reserves?height=148", 404, "BLOCK_NOT_FOUND", "height"),
    (f"{SWAP}/tokens/locked?min_amount=much", 422, "INVALID_PARAMETER", "min_amount"),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=1", 422, "INVALID_PARAMETER", "slippage"),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=one&slippage=1", 422, "INVALID_PARAMETER", "amount"),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=Infinity&slippage=1", 422, "INVALID_PARAMETER", "amount"),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=1&slippage=NaN", 422, "INVALID_PARAMETER", "slippage"),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=0&slippage=1", 400, "NO_TRADE", "amount"),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=-1&slippage=1", 400, "NO_TRADE", "amount"),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=1e28&slippage=1", 400, "NO_TRADE", "amount"),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=1&slippage=100.1", 400, "NO_TRADE", "slippage"),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=1&slippage=-1", 400, "NO_TRADE", "slippage"),
    (f"{SWAP}/quote?src=lol&dst=LOL&amount=1&slippage=1", 400, "NO_TRADE", "dst"),
    (f"{SWAP}/quote?src=&dst=LOL&amount=1&slippage=1", 400, "NO_TRADE", "src"),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=1&slippage=1", 400, "NO_TRADE", None),
    (f"{SWAP}/quote?src=WTF&dst=LOL&amount=1&slippage=1", 400, "NO_TRADE", None),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=1&slippage=0&height=125", 400, "NO_TRADE", None),
    (f"{SWAP}/quote?src=LOL&dst=WTF&amount=1e-300&slippage=1&height=125", 400, "NO_TRADE", None),
    (f"{SWAP}/quote?src=LOL&dst=STONES&amount=1&slippage=1", 404, "POOL_NOT_FOUND", None),
    (f"{WRAP}/contracts?owner=nobody", 400, "INVALID_ADDRESS", "owner"),
    (f"{WRAP}/contracts?limit=0", 422, "INVALID_PARAMETER", "limit"),
    (f"{WRAP}/contracts/{BOB}", 404, "VAULT_NOT_FOUND", "script_address"),
    (f"{WRAP}/contracts/nothing", 400, "INVALID_ADDRESS", "script_address"),
    (f"{BRC20}/WTF/curve/info", 404, "PROGRAM_NOT_FOUND", "ticker"),
    (f"{BRC20}/yCRV/curve/info", 404, "PROGRAM_NOT_FOUND", "ticker"),
    (f"{BRC20}/WTF/curve/stakers", 404, "PROGRAM_NOT_FOUND", "ticker"),
    (f"{BRC20}/CRV/curve/stakers?limit=0", 422, "INVALID_PARAMETER", "limit"),
    (f"{BRC20}/CRV/curve/stakers?current_block=138", 404, "PROGRAM_NOT_FOUND", "ticker"),
    (f"{BRC20}/tickers/WTF/curve", 404, "PROGRAM_NOT_FOUND", "ticker"),
    (f"{BRC20}/WTF/curve/pending-rewards/{BOB}", 404, "PROGRAM_NOT_FOUND", "ticker"),
    (f"{BRC20}/CRV/curve/pending-rewards/nobody", 400, "INVALID_ADDRESS", "address"),
    (f"{BRC20}/CRV/curve/pending-rewards/{BOB}?current_block=-1", 422, "INVALID_PARAMETER", "current_block"),
    (f"{BRC20}/curve/tokens/locked?min_amount=much", 422, "INVALID_PARAMETER", "min_amount"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status", "code", "field"), REFUSALS)
def test_what_does_not_exist_or_makes_no_sense(
    client: httpx.Client, path: str, status: int, code: str, field: str | None
) -> None:
    response = client.get(path)
    body = response.json()
    assert (response.status_code, body["code"], body["field"]) == (status, code, field), body


@pytest.mark.parametrize(
    "path",
    [
        f"{SWAP}/positions?src=nope", f"{SWAP}/positions?dst=%00", f"{SWAP}/positions?owner={BOB}",
        f"{SWAP}/owner/{BOB}/positions", f"{SWAP}/expiring?height_lte=164", f"{SWAP}/pools?src=WTF",
        f"{SWAP}/executions?src=STONES", f"{SWAP}/executions?executor={ALICE}", f"{WRAP}/contracts?status=expired",
        f"{WRAP}/contracts?owner={BOB}", f"{SWAP}/positions?offset=100",
    ],
)  # fmt: skip
def test_a_filter_that_matches_nothing_is_an_empty_page(client: httpx.Client, path: str) -> None:
    body = got(client, path)
    assert body["items"] == []
    assert body["next_cursor"] is None
    assert body["total"] == (2 if "offset" in path else 0)


def test_positions_say_what_was_locked_and_what_is_left(client: httpx.Client) -> None:
    """Block 125 locks 100000 WTF for 10 blocks and 300 LOL for 40; two trades of block 126 take from both; the first
    is settled in block 135, when it has earned its share of 0.3 % of 3225.80645161 WTF."""
    assert got(client, f"{SWAP}/positions")["items"] == [
        {
            "id": 1,
            "position_ref": f"{INIT_A}:0",
            "owner": ALICE,
            "src": "WTF",
            "dst": "LOL",
            "pool_id": "LOL-WTF",
            "amount": "100000.00000000",
            "amount_locked": "96774.19354839",
            "lock_start_height": 125,
            "unlock_height": 135,
            "status": "expired",
            "closed_height": 135,
            "init_operation_id": 125_000_000,
            "lp_units_a": "0.00000000",
            "lp_units_b": "0.00000000",
            "reward_multiplier": "1.00100000",
            "reward_a_distributed": "0.00000000",
            "reward_b_distributed": "9.67741935",
            "accumulated_a": "10.00000000",
            "accumulated_b": "0.00000000",
        },
        {
            "id": 2,
            "position_ref": f"{INIT_B}:0",
            "owner": CAROL,
            "src": "LOL",
            "dst": "WTF",
            "pool_id": "LOL-WTF",
            "amount": "300.00000000",
            "amount_locked": "298.49623113",
            "lock_start_height": 125,
            "unlock_height": 165,
            "status": "active",
            "closed_height": None,
            "init_operation_id": 125_000_001,
            "lp_units_a": "300.00000000",
            "lp_units_b": "0.00000000",
            "reward_multiplier": "1.00400000",
            "reward_a_distributed": "0.00000000",
            "reward_b_distributed": "0.00000000",
            "accumulated_a": "0.00000000",
            "accumulated_b": "487.53050896",
        },
    ]


def test_the_operation_that_opened_a_position_is_found_by_its_number(client: httpx.Client) -> None:
    for position in got(client, f"{SWAP}/positions")["items"]:
        history = got(client, f"{BRC20}/history-by-height/{position['lock_start_height']}", limit=1000)
        (init,) = [row for row in history if row["id"] == position["init_operation_id"]]
        assert (init["op_id"], init["op"], init["from_address"]) == (
            position["position_ref"],
            "swap_init",
            position["owner"],
        )


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, [1, 2]),
        ({"owner": ALICE}, [1]),
        ({"owner": CAROL.upper()}, [2]),
        ({"src": "lol"}, [2]),
        ({"dst": "lol"}, [1]),
        ({"src": "ywtf"}, []),
        ({"status": "active"}, [2]),
        ({"status": "expired"}, [1]),
        ({"status": "closed"}, []),
        ({"unlock_height_lte": 164}, [1]),
        ({"unlock_height_lte": 165}, [1, 2]),
        ({"offset": 1}, [2]),
        ({"skip": 1}, [2]),
        ({"limit": 1}, [1]),
        ({"size": 1, "start": 1}, [2]),
        ({"owner": CAROL, "status": "expired"}, []),
    ],
)
def test_positions_are_filtered(client: httpx.Client, parameters: dict[str, object], found: list[int]) -> None:
    assert [row["id"] for row in got(client, f"{SWAP}/positions", **parameters)["items"]] == found


def test_other_ways_to_the_same_positions(client: httpx.Client) -> None:
    first, second = got(client, f"{SWAP}/positions")["items"]
    assert got(client, f"{SWAP}/positions/1") == first
    assert got(client, f"{SWAP}/owner/{CAROL}/positions")["items"] == [second]
    assert got(client, f"{SWAP}/owner/{CAROL}/positions", status="closed")["total"] == 0
    assert got(client, f"{SWAP}/expiring", height_lte=165)["items"] == [second]


def test_a_cursor_leads_from_page_to_page_and_fits_its_own_list_only(client: httpx.Client) -> None:
    page = client.get(f"{SWAP}/positions?limit=1")
    cursor = page.json()["next_cursor"]
    assert page.headers["x-next-cursor"] == cursor
    following = got(client, f"{SWAP}/positions", limit=1, cursor=cursor)
    assert [row["id"] for row in following["items"]] == [2]
    assert following["next_cursor"] is None
    refused = client.get(f"{SWAP}/positions", params={"status": "active", "cursor": cursor})
    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_CURSOR")


def test_executions_are_trades_and_claims(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    expected = sql.execute(
        "SELECT height * 1000000 + op_index, txid || ':' || vout, txid, from_address, ticker, amount::VARCHAR, height, "
        "strftime(block_time AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') FROM operations "
        "WHERE operation = 'swap_exe' AND valid ORDER BY height DESC, tx_index DESC, op_index DESC"
    ).fetchall()
    found = got(client, f"{SWAP}/executions")
    assert found["total"] == len(found["items"]) == 3
    assert [tuple(row.values()) for row in found["items"]] == expected
    assert [(row["ticker"], row["amount"]) for row in found["items"]] == [
        ("yWTF", "30.00000000"),
        ("WTF", "487.53050896"),
        ("LOL", "10.00000000"),
    ]
    for row in found["items"]:
        assert got(client, f"{SWAP}/executions/{row['id']}") == row


def test_executions_are_filtered_and_paged(client: httpx.Client) -> None:
    assert [row["txid"] for row in got(client, f"{SWAP}/executions", src="lol")["items"]] == [EXE_A]
    assert [row["txid"] for row in got(client, f"{SWAP}/executions", executor=ERIN)["items"]] == [EXE_B]
    assert [row["ticker"] for row in got(client, f"{SWAP}/executions", src="yWtf")["items"]] == ["yWTF"]
    walked, cursor = [], None
    for _ in range(3):
        page = got(client, f"{SWAP}/executions", limit=1, **({"cursor": cursor} if cursor else {}))
        walked += page["items"]
        cursor = page["next_cursor"]
    assert cursor is None
    assert walked == got(client, f"{SWAP}/executions")["items"]


def test_what_positions_lock(client: httpx.Client) -> None:
    """Of LOL 298.49623113 of at most 1000; of WTF nothing any more; W has no maximum but what was wrapped."""
    assert got(client, f"{SWAP}/tvl/lol") == {
        "ticker": "LOL",
        "total_locked_positions_sum": "298.49623113",
        "deploy_remaining_supply": "1298.49623113",
        "tvl_estimate": "298.49623113",
    }
    assert got(client, f"{SWAP}/tvl/WTF")["deploy_remaining_supply"] == "21000000.00000000"
    assert got(client, f"{SWAP}/tvl/w")["deploy_remaining_supply"] == "30000.00000000"
    assert got(client, f"{SWAP}/tvl/yWTF")["deploy_remaining_supply"] == "0.00000000"
    expected = {
        "total_tokens": 1,
        "tokens": [
            {
                "ticker": "LOL",
                "total_locked": "298.49623113",
                "active_pools_count": 1,
                "pools": [
                    {
                        "pool_id": "LOL-WTF",
                        "paired_ticker": "WTF",
                        "amount_locked": "298.49623113",
                        "active_positions": 1,
                        "next_expiration_height": 165,
                    }
                ],
                "total_active_positions": 1,
                "locked_percentage_of_supply": "29.85",
            }
        ],
    }
    assert got(client, f"{SWAP}/tokens/locked") == expected
    assert got(client, f"{SWAP}/tokens/locked", min_amount="298.49623113") == expected
    assert got(client, f"{SWAP}/tokens/locked", min_amount="298.49623114") == {"total_tokens": 0, "tokens": []}


def test_pools_under_any_spelling(client: httpx.Client) -> None:
    row = {
        "pool_id": "LOL-WTF",
        "src": "LOL",
        "dst": "WTF",
        "active_positions": 1,
        "locked_sum": "298.49623113",
        "next_expiration_height": 165,
    }
    assert got(client, f"{SWAP}/pools")["items"] == got(client, f"{SWAP}/pools", src="lol", dst="wtf")["items"] == [row]
    reserves = {
        "reserve_a": "298.49623113",
        "reserve_b": "0.00000000",
        "token_a": "LOL",
        "token_b": "WTF",
    }
    for name in ("LOL-WTF", "lol-wtf", "WTF-LOL", "wtf-Lol"):
        assert got(client, f"{SWAP}/pools/{name}/reserves") == {
            "pool_id": "LOL-WTF",
            **reserves,
            "last_updated_height": 125,
        }
        detail = got(client, f"{SWAP}/pools/{name}/detail", include_transactions=True, transactions_limit=5)
        assert (detail["pool"], detail["reserves"], detail["is_pool_active"]) == (row, reserves, False)
        assert detail["tvl"]["token_a"] == {"ticker": "LOL", "tvl_estimate": "298.49623113"}
        assert detail["metrics"] == got(client, f"{SWAP}/metrics/pools/LOL-WTF")
        listed = got(client, f"{SWAP}/pools/LOL-WTF/transactions", limit=5)
        assert detail["transactions"] == {name: listed[name] for name in ("total", "limit", "offset", "items")}
        assert detail["transactions"]["items"]
    bare = got(client, f"{SWAP}/pools/LOL-WTF/detail", include_metrics=False)
    assert (bare["metrics"], bare["transactions"]) == (None, None)
    then = got(client, f"{SWAP}/pools/LOL-WTF/reserves", height=134)
    assert (then["reserve_a"], then["reserve_b"]) == ("298.49623113", "96774.19354839")


def test_a_quote_is_what_the_trade_came_to(client: httpx.Client) -> None:
    """10 LOL against 300 LOL and 100000 WTF: 100000 - 300 x 100000 / 310 come out, 0.3 % of it as fee."""
    quote = got(client, f"{SWAP}/quote", src="lol", dst="Wtf", amount="10", slippage="50", height=125)
    out = Fraction(100_000) - Fraction(300 * 100_000, 310)
    expected = {
        "amount_in": Fraction(10),
        "amount_out": out * 997 / 1000,
        "protocol_fee": out * 3 / 1000,
        "expected_rate": Fraction(100_000, 300),
        "actual_rate": out * 997 / 1000 / 10,
        "slippage_percent": (1 - (out / 10) / Fraction(100_000, 300)) * 100,
        "reserve_in_before": Fraction(300),
        "reserve_out_before": Fraction(100_000),
        "reserve_in_after": Fraction(310),
        "reserve_out_after": 100_000 - out,
        "k_constant": Fraction(30_000_000),
        "price_impact": Fraction(1, 30),
        "price_impact_percent": Fraction(10, 3),
    }
    assert {name: quote[name] for name in ("src_ticker", "dst_ticker", "pool_id", "is_partial_fill")} == {
        "src_ticker": "LOL",
        "dst_ticker": "WTF",
        "pool_id": "LOL-WTF",
        "is_partial_fill": False,
    }
    for name, value in expected.items():
        assert abs(Fraction(quote[name]) / value - 1) < Fraction(1, 10**45), name
    assert (quote["amount_in"], quote["reserve_in_after"]) == ("10.00000000", "310.00000000")


def test_outputs_that_lock_bitcoin(client: httpx.Client) -> None:
    """Two mints in block 123; a burn of 5000 W opened neither."""
    listed = got(client, f"{WRAP}/contracts")
    assert listed["total"] == 2
    assert [
        (row["script_address"] == VAULT, row["initial_amount"], row["timelock_delay"]) for row in listed["items"]
    ] == [
        (False, "25000.00000000", 1000),
        (True, "10000.00000000", 256),
    ]
    one = got(client, f"{WRAP}/contracts/{VAULT.upper()}")
    assert one == listed["items"][1]
    assert (one["status"], one["creation_height"], one["closure_height"]) == ("active", 123, None)
    assert one["contract_ref"].endswith(":2")
    assert got(client, f"{WRAP}/contracts", script_address=VAULT)["items"] == [one]
    assert got(client, f"{WRAP}/contracts", owner=one["initiator_address"], status="active")["items"] == [one]
    assert got(client, f"{WRAP}/tvl") == {"ticker": "W", "remaining_locked": "30000.00000000"}
    assert got(client, f"{WRAP}/metrics") == {
        "tvl_w": "30000.00000000",
        "active_contracts": "2",
        "closed_contracts": "0",
        "expired_contracts": "0",
    }


def test_a_program_by_both_of_its_tickers(client: httpx.Client) -> None:
    """1000000 CRV over 100 blocks from 139 on, for stakers of WTF, of which there are at most 21000000."""
    rest = {
        "deploy_txid": "7718d1e6d79d01db0987b334b495a1faac869b7bc0477e19041e452656a82bcc",
        "curve_type": "linear",
        "lock_duration": 100,
        "staking_ticker": "WTF",
        "max_supply": "1000000.00000000",
        "max_stake_supply": "21000000.00000000",
        "rho_g": "0.04761905",
        "genesis_fee_init_sats": 3000,
        "genesis_fee_exe_sats": 1000,
        "genesis_address": ALICE,
        "start_block": 139,
        "last_reward_block": 146,
        "liquidity_index": "1387797096618476790661699654907.652749628016763635500000000",
        "total_staked": "1059.97478312",
        "total_scaled_staked": "1059.974783117703627499692090577",
    }
    assert got(client, f"{BRC20}/crv/curve/info") == {"ticker": "CRV", **rest}
    assert got(client, f"{BRC20}/ywtf/curve/info") == {"reward_ticker": "CRV", "ytoken_ticker": "yWTF", **rest}
    token = got(client, f"{BRC20}/tickers/crv/curve")
    info = got(client, f"{BRC20}/crv/info")
    del rest["deploy_txid"]
    assert token == {**rest, **info, "max_supply": 1_000_000, "limit_per_mint": None, "locked_in_curve": "0.00000000"}
    assert '"max_supply":1000000.00000000,' in client.get(f"{BRC20}/tickers/CRV/curve").text


def test_stakers_and_what_their_stakes_are_worth(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    index = Fraction(got(client, f"{BRC20}/CRV/curve/info")["liquidity_index"])
    stakers = got(client, f"{BRC20}/crv/curve/stakers")
    assert (stakers["ticker"], stakers["total"], stakers["start"], stakers["size"]) == ("CRV", 3, 0, 3)
    assert [(row["address"], row["staked_amount"]) for row in stakers["data"]] == [
        (CAROL, "999.89914943"),
        (BOB, "59.97478312"),
        (ERIN, "0.10085057"),
    ]
    shown = dict(sql.execute("SELECT address, balance FROM y_balances WHERE ticker = 'yWTF'").fetchall())
    for row in stakers["data"]:
        worth = Fraction(row["scaled_balance"]) * index / RAY
        assert abs(Fraction(row["ytoken_balance"]) / worth - 1) < Fraction(1, 10**48)
        assert int(worth * UNIT) == int(shown[row["address"]] * UNIT)
        one = got(client, f"{BRC20}/crv/curve/pending-rewards/{row['address']}")
        assert {name: one[name] for name in row} == row
        assert (one["has_position"], one["current_block"]) == (True, 147)
    assert got(client, f"{BRC20}/yWTF/curve/stakers", limit=1, skip=1)["data"] == stakers["data"][1:2]
    none = got(client, f"{BRC20}/CRV/curve/pending-rewards/{DAVE}")
    assert (none["has_position"], none["staked_amount"], none["ytoken_balance"]) == (False, "0.00000000", "0.00000000")


def test_stakes_as_of_a_block(client: httpx.Client) -> None:
    """Block 140: 1000 and 60 were staked, and the index has not moved yet."""
    stakers = got(client, f"{BRC20}/CRV/curve/stakers", current_block=140)
    assert [row["staked_amount"] for row in stakers["data"]] == ["1000.00000000", "60.00000000"]
    assert [row["ytoken_balance"] for row in stakers["data"]] == ["1000.00000000", "60.00000000"]
    one = got(client, f"{BRC20}/CRV/curve/pending-rewards/{BOB}", current_block=140)
    assert (one["staked_amount"], one["current_block"]) == ("60.00000000", 140)
    assert got(client, f"{BRC20}/CRV/curve/pending-rewards/{BOB}", current_block=999)["current_block"] == 147


def test_what_programs_hold(client: httpx.Client) -> None:
    (row,) = got(client, f"{BRC20}/curve/tokens/locked")["tokens"]
    circulating = Fraction(row["total_scaled_staked"]) * Fraction(row["liquidity_index"]) / RAY
    assert Fraction(row["total_ytoken_circulating"]) == Fraction(round(circulating * UNIT), UNIT)
    assert (row["reward_ticker"], row["staking_ticker"], row["stakers_count"]) == ("CRV", "WTF", 3)
    assert (row["total_staked_collateral"], row["locked_percentage_of_supply"]) == ("1059.97478312", "0.01")
    above = got(client, f"{BRC20}/curve/tokens/locked", min_amount=row["total_ytoken_circulating"])
    assert above["total_tokens"] == 1
    assert got(client, f"{BRC20}/curve/tokens/locked", min_amount="1e30") == {"total_tokens": 0, "tokens": []}
