"""The examples of the OpenAPI document, asked of the recorded chain. After a change of shapes:

python -m tests.helpers.examples
"""

import json
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from api.app import create_app
from api.keys import Scope, create_key
from tests.helpers.api import running
from tests.helpers.mempool import MempoolNode
from tests.helpers.recorded import people, recorded_lake
from tests.helpers.recorded_chain import raw_transaction

FILE = Path(__file__).parents[2] / "api/examples.json"
NETWORK_HEIGHT = 150

ALICE, BOB, CAROL, DAVE = (people()[name] for name in ("alice", "bob", "carol", "dave"))
LOCKED = "bcrt1p4mquy8ljmrwh7dphd8ag65338zjxarjvjm7rlnpx7ukllcn2zdrqdfpm7q"
"""What the mint of W locked bitcoin at."""
W_MINT = "7e342fd22e250e9c5f2d0ed2511385907cb25c1dcbfc3c6938e414cc6fbdfaeb"
TRANSFER = "b77078ad06a5b28a669ba3d4431bcd8b6ec86718cf34b4e6f756d785408a7038"
TRADE = "6124237f350cd8db57b47b4b3a39e7e5ab9e829163b2fe9b96c43be503b416d8"
REFUSED = "21cc3321c115e25f4acb60507bf86c5f7a3b6afd4c01bdfdcbcb714527f626d2"
REQUESTS = {
    "banner": "/",
    "health": "/health",
    "live": "/live",
    "ready": "/ready",
    "indexer_health": "/v1/indexer/brc20/health",
    "status": "/v1/indexer/brc20/status",
    "list": "/v1/indexer/brc20/list?limit=1",
    "token_info": "/v1/indexer/brc20/WTF/info",
    "holders": "/v1/indexer/brc20/WTF/holders?limit=2",
    "token_history": "/v1/indexer/brc20/WTF/history?op_type=transfer&limit=1",
    "transaction_history": f"/v1/indexer/brc20/WTF/tx/{TRANSFER}/history",
    "balance": f"/v1/indexer/address/{ALICE}/brc20/WTF/info",
    "address_tickers": f"/v1/indexer/brc20/address/{ALICE}/tickers?limit=2",
    "address_history": f"/v1/indexer/address/{ALICE}/history?ticker=LOL&limit=1",
    "history_by_height": "/v1/indexer/brc20/history-by-height/116?limit=1",
    "validate_wrap_mint": "/v1/validator/validate-wrap-mint",
    "validate_address": "/v1/validator/validate-address-from-witness",
    "validator_health": "/v1/validator/health",
    "block_hashes": "/v1/indexer/brc20/block-hashes?from=116&to=117",
    "balances_hash": "/v1/indexer/brc20/balances-hash?height=117",
    "list_all": "/v1/indexer/brc20/list/all?sort=holders&max_results=1",
    "holders_all": "/v1/indexer/brc20/WTF/holders/all?max_results=1",
    "balances": "/v1/indexer/brc20/balances",
    "history_all": "/v1/indexer/brc20/history/all?ticker=LOL&max_results=1",
    "token_history_all": "/v1/indexer/brc20/WTF/history/all?include_invalid=true&max_results=1",
    "history_by_height_all": "/v1/indexer/brc20/history-by-height/116/all?max_results=1",
    "address_history_all": f"/v1/indexer/address/{ALICE}/history/all?max_results=1",
    "address_token_history": f"/v1/indexer/address/{ALICE}/brc20/WTF/history?limit=1",
    "address_token_history_all": f"/v1/indexer/address/{ALICE}/brc20/WTF/history/all?max_results=1",
    "operations": f"/v1/indexer/brc20/operations/{REFUSED}",
    "concurrency": "/health/concurrency",
    "check_pending": "/v1/mempool/check-pending",
    "sql": "/v1/sql",
    "events": "/v1/events?from=147",
    "positions": "/v1/indexer/swap/positions?status=expired&limit=1",
    "position": "/v1/indexer/swap/positions/2",
    "owner_positions": f"/v1/indexer/swap/owner/{CAROL}/positions?limit=1",
    "expiring_positions": "/v1/indexer/swap/expiring?height_lte=165&limit=1",
    "executions": f"/v1/indexer/swap/executions?executor={DAVE}&limit=1",
    "execution": "/v1/indexer/swap/executions/126000001",
    "tvl": "/v1/indexer/swap/tvl/LOL",
    "pools": "/v1/indexer/swap/pools?limit=1",
    "reserves": "/v1/indexer/swap/pools/WTF-LOL/reserves?height=130",
    "pool_detail": "/v1/indexer/swap/pools/LOL-WTF/detail",
    "quote": "/v1/indexer/swap/quote?src=LOL&dst=WTF&amount=10&slippage=50&height=125",
    "swap_tokens_locked": "/v1/indexer/swap/tokens/locked?min_amount=1",
    "global_metrics": "/v1/indexer/swap/metrics/global",
    "pools_metrics": "/v1/indexer/swap/metrics/pools?limit=1",
    "pool_metrics": "/v1/indexer/swap/metrics/pools/LOL-WTF?start_block=126",
    "time_series": "/v1/indexer/swap/metrics/timeseries?days=7",
    "top_executors": "/v1/indexer/swap/metrics/top-executors?limit=1",
    "fill_rate": "/v1/indexer/swap/metrics/fill-rate",
    "rewards": "/v1/indexer/swap/metrics/rewards",
    "pools_rewards": "/v1/indexer/swap/metrics/rewards/pools",
    "pool_rewards": "/v1/indexer/swap/metrics/rewards/pools/LOL-WTF",
    "position_rewards": "/v1/indexer/swap/metrics/rewards/positions?has_rewards=true",
    "fees": "/v1/indexer/swap/metrics/fees",
    "daily_fees": "/v1/indexer/swap/pools/LOL-WTF/fees/daily?days=30",
    "pool_transactions": "/v1/indexer/swap/pools/LOL-WTF/transactions?limit=1",
    "balance_changes": "/v1/indexer/swap/balance-changes?action=credit_pool_fees&limit=1",
    "balance_change_groups": "/v1/indexer/swap/balance-changes/aggregate?group_by=action&ticker=LOL&limit=2",
    "balance_change_statistics": "/v1/indexer/swap/balance-changes/stats",
    "balance_change": "/v1/indexer/swap/balance-changes/1260000003",
    "balance_changes_of_transaction": f"/v1/indexer/swap/balance-changes/tx/{TRADE}?limit=1",
    "balance_changes_of_position": "/v1/indexer/swap/balance-changes/position/2?limit=1",
    "balance_changes_of_operation": "/v1/indexer/swap/balance-changes/operation/126000000?limit=1",
    "balance_changes_of_address": f"/v1/indexer/swap/balance-changes/address/{ALICE}?limit=1",
    "balance_changes_of_pool": "/v1/indexer/swap/balance-changes/pool/LOL-WTF?limit=1",
    "verify_transaction": f"/v1/indexer/swap/balance-changes/verify/tx/{TRADE}",
    "verify_operation": "/v1/indexer/swap/balance-changes/verify/operation/126000000",
    "contracts": "/v1/indexer/w/contracts?status=active&limit=1",
    "contract": f"/v1/indexer/w/contracts/{LOCKED}",
    "wrap_tvl": "/v1/indexer/w/tvl",
    "wrap_metrics": "/v1/indexer/w/metrics",
    "curve_tokens_locked": "/v1/indexer/brc20/curve/tokens/locked",
    "reward_token": "/v1/indexer/brc20/tickers/CRV/curve",
    "stake": f"/v1/indexer/brc20/CRV/curve/pending-rewards/{BOB}",
    "program": "/v1/indexer/brc20/CRV/curve/info",
    "stakers": "/v1/indexer/brc20/CRV/curve/stakers?limit=1",
}
"""By name of the route; asked with GET, or with POST where there is a body."""
BODIES: dict[str, dict[str, Any]] = {
    **{name: {"raw_tx_hex": raw_transaction(W_MINT)} for name in ("validate_wrap_mint", "validate_address")},
    "balances": {"pairs": [{"address": ALICE, "ticker": "WTF"}, {"address": ALICE, "ticker": "yWTF"}]},
    "check_pending": {"address": ALICE, "ticker": "WTF"},
    "sql": {"query": "SELECT rank, address, balance FROM holders WHERE ticker = 'WTF' AND rank <= 2 ORDER BY rank"},
}
FIRST_LINES = 11
"""Lines of a stream up to its second event."""
SHOWN_TIME = "2026-01-31T12:00:00Z"
"""Instead of the time at which the server was asked."""


def answers(client: httpx.Client, lake: Path) -> dict[str, dict[str, Any]]:
    """What `api/examples.json` is to hold; `lake` is what the client asks."""
    key = create_key(lake, "examples", [Scope.SQL])[1]
    return {name: {"request": path, **_asked(client, name, path, key)} for name, path in REQUESTS.items()}


def _asked(client: httpx.Client, name: str, path: str, key: str) -> dict[str, Any]:
    if name == "concurrency":
        return {"answer": {**client.get(path).json(), "timestamp": SHOWN_TIME}}
    if name == "events":
        with client.stream("GET", path) as stream:
            return {"answer": "".join(f"{line}\n" for line in islice(stream.iter_lines(), FIRST_LINES))}
    if name not in BODIES:
        return {"answer": client.get(path).json()}
    headers = {"X-API-Key": key} if name == "sql" else None
    return {"body": BODIES[name], "answer": client.post(path, json=BODIES[name], headers=headers).json()}


if __name__ == "__main__":
    with TemporaryDirectory() as home, MempoolNode([TRANSFER]) as node:
        lake = recorded_lake(Path(home))
        with running(create_app(lake, network_height=lambda: NETWORK_HEIGHT, node=node.connect)) as client:
            FILE.write_text(json.dumps(answers(client, lake), indent=2, ensure_ascii=False) + "\n")
