"""One chain served from two backends, and what can be asked of it: every answer must be the same, byte for byte."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Final
from urllib.parse import quote, urlencode

import duckdb
import httpx

RELEVANT: Final = ("content-type", "etag", "cache-control", "x-block-height", "x-block-hash", "x-next-cursor")
NEXT: Final = "x-next-cursor"
SAME_ID: Final = {"X-Request-ID": "the-same-for-both"}
"""Errors tell it."""
PATHS_OF_A_ROUTE: Final = 5
VALUES_OF_A_PARAMETER: Final = 1

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Twins:
    """Clients of the two servers."""

    lake: httpx.Client
    clickhouse: httpx.Client

    def ask(self, path: str, body: object = None) -> httpx.Response:
        """The answer of both to a GET, or to a POST with a body."""
        method = "GET" if body is None else "POST"
        one, other = (
            client.request(method, path, json=body, headers=SAME_ID) for client in (self.lake, self.clickhouse)
        )
        assert other.status_code == one.status_code, f"{path}: {other.text}"
        assert other.content == one.content, path
        for name in RELEVANT:
            assert other.headers.get(name) == one.headers.get(name), f"{path}: {name}"
        assert one.status_code < 500, f"{path}: {one.text}"
        return one

    def wait_for(self, block_hash: str) -> None:
        """Until both answer from a block."""
        for client in (self.lake, self.clickhouse):
            for _ in range(400):
                if client.get("/ready").headers.get("x-block-hash") == block_hash:
                    break
                time.sleep(0.05)
            else:
                raise AssertionError(f"{client.base_url} did not come to {block_hash} in 20 s")

    def walk(self, path: str, pages: int) -> int:
        """Ask for so many pages of a list; gives the status of the first."""
        first = response = self.ask(path)
        for _ in range(pages - 1):
            if not (cursor := response.headers.get(NEXT)):
                break
            response = self.ask(f"{path}{'&' if '?' in path else '?'}cursor={quote(cursor)}")
        return first.status_code


FLAGS: Final = (
    "aggregated",
    "has_rewards",
    "include_invalid",
    "include_metrics",
    "include_transactions",
    "is_curve",
    "mintable",
    "newest",
)
NUMBERS: Final = {"limit": 2, "max_results": 2, "skip": 3, "offset": 3, "days": 2, "slippage": 50, "min_holders": 2}
WORDS: Final = {
    "status": ["active", "expired"],
    "action": ["credit_pool_fees", "debit_transfer"],
    "operation_type": ["swap_exe", "unlock"],
    "op_type": ["transfer", "mint"],
    "group_by": ["action", "pool_id", "block_height", "ticker", "operation_type"],
    "sort": ["holders", "ticker"],
    "order": ["asc"],
    "search": ["a"],
    "amount": ["0.5"],
    "min_amount": ["1"],
    "start_date": ["2024-01-01"],
    "end_date": ["2026-11-24"],
}
SOME: Final = {
    "creator": "SELECT deployer_address FROM tokens WHERE deployer_address IS NOT NULL ORDER BY ticker LIMIT 1",
    "owner": "SELECT owner_address FROM positions GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT 1",
    "executor": "SELECT executor_address FROM executions GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT 1",
    "address": "SELECT address FROM balance_events WHERE script IS NOT NULL GROUP BY 1 ORDER BY count(*), 1 LIMIT 2",
    "ticker": "SELECT ticker FROM balance_events GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT 4",
    "reward": "SELECT ticker FROM programs GROUP BY ALL ORDER BY 1 LIMIT 1",
    "receipt": "SELECT 'y' || staking_ticker FROM programs GROUP BY ALL ORDER BY 1 LIMIT 1",
    "src": "SELECT source FROM executions GROUP BY ALL ORDER BY 1 LIMIT 2",
    "pool_id": "SELECT pool FROM executions GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT 2",
    "position_id": "SELECT unnest([min(position_id), max(position_id)]) FROM positions",
    "execution_id": "SELECT max(height * 1000000 + op_index) FROM executions",
    "operation_id": "SELECT max(height * 1000000 + op_index) FROM operations WHERE valid GROUP BY operation ORDER BY 1",
    "change_id": "SELECT max(height * 10000000 + sequence) FROM balance_events GROUP BY cause ORDER BY 1",
    "script_address": "SELECT lock_address FROM vaults GROUP BY ALL ORDER BY 1 LIMIT 2",
    "txid": "SELECT max(txid) FROM operations WHERE valid GROUP BY operation ORDER BY operation LIMIT 3",
}
"""What has rows, in a lake."""


def samples(sql: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """Values of parameters by name: what a lake has rows for, and what it has none for."""
    found: dict[str, list[Any]] = {
        name: [row[0] for row in sql.execute(query).fetchall()] for name, query in SOME.items()
    }
    (tip,) = sql.execute("SELECT height FROM tip").fetchall()[0]
    middle = ("block_height_min", "block_height_max", "start_block", "end_block")
    return {
        **found,
        "address": [*found["address"], *found["owner"]],
        "ticker": [*found["reward"], *found["receipt"], *found["ticker"], "NOPE"],
        "dst": found["src"][::-1],
        "pool_id": [*found["pool_id"], "NO-POOL"],
        "position_id": [*found["position_id"], 10**6],
        "swap_position_id": found["position_id"][:1],
        "txid": [*found["txid"], "00" * 32],
        **{name: [tip // 2, tip - 1, tip + 1] for name in ("height", "from", "to")},
        **{name: [tip // 2] for name in middle},
        **{name: [tip + 5] for name in ("height_lte", "unlock_height_lte", "current_block")},
        **{name: [value] for name, value in NUMBERS.items()},
        **WORDS,
        **{name: ["true", "false"] for name in FLAGS},
    }


def questions(path: str, operation: dict[str, Any], known: dict[str, list[Any]]) -> Iterator[str]:
    """What can be asked of a route with those values: the path with each, and one parameter after the other."""
    parameters = operation.get("parameters", [])
    inside = [each["name"] for each in parameters if each["in"] == "path"]
    needed = {each["name"]: known[each["name"]][0] for each in parameters if each["in"] == "query" and each["required"]}
    paths = [
        path.format(**{name: quote(str(value), safe="") for name, value in zip(inside, values, strict=True)})
        for values in islice(product(*(known[name] for name in inside)), PATHS_OF_A_ROUTE)
    ]
    yield from (_with(each, needed) for each in paths)
    for each in parameters:
        if each["in"] == "query":
            values = known.get(each["name"], [])
            for value in values if each["name"] in WORDS else values[:VALUES_OF_A_PARAMETER]:
                yield _with(paths[0], {**needed, each["name"]: value})


def _with(path: str, parameters: Parameters) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path
