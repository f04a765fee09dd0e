"""The examples of the OpenAPI document, asked of the recorded chain. After a change of shapes:

python -m tests.helpers.examples
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from api.app import create_app
from tests.helpers.api import running
from tests.helpers.recorded import people, recorded_lake
from tests.helpers.recorded_chain import raw_transaction

FILE = Path(__file__).parents[2] / "api/examples.json"
NETWORK_HEIGHT = 150

ALICE = people()["alice"]
W_MINT = "7e342fd22e250e9c5f2d0ed2511385907cb25c1dcbfc3c6938e414cc6fbdfaeb"
TRANSFER = "b77078ad06a5b28a669ba3d4431bcd8b6ec86718cf34b4e6f756d785408a7038"
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
}
"""By name of the route; asked with GET, or with POST where there is a body."""
BODIES = {name: {"raw_tx_hex": raw_transaction(W_MINT)} for name in ("validate_wrap_mint", "validate_address")}


def answers(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """What `api/examples.json` is to hold."""
    return {name: {"request": path, **_asked(client, name, path)} for name, path in REQUESTS.items()}


def _asked(client: httpx.Client, name: str, path: str) -> dict[str, Any]:
    if name not in BODIES:
        return {"answer": client.get(path).json()}
    return {"body": BODIES[name], "answer": client.post(path, json=BODIES[name]).json()}


if __name__ == "__main__":
    with (
        TemporaryDirectory() as home,
        running(create_app(recorded_lake(Path(home)), network_height=lambda: NETWORK_HEIGHT)) as client,
    ):
        FILE.write_text(json.dumps(answers(client), indent=2, ensure_ascii=False) + "\n")
