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

FILE = Path(__file__).parents[2] / "api/examples.json"
NETWORK_HEIGHT = 150

ALICE = people()["alice"]
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
    "block_hashes": "/v1/indexer/brc20/block-hashes?from=116&to=117",
}
"""By name of the route."""


def answers(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """What `api/examples.json` is to hold."""
    return {name: {"request": path, "answer": client.get(path).json()} for name, path in REQUESTS.items()}


if __name__ == "__main__":
    with (
        TemporaryDirectory() as home,
        running(create_app(recorded_lake(Path(home)), network_height=lambda: NETWORK_HEIGHT)) as client,
    ):
        FILE.write_text(json.dumps(answers(client), indent=2, ensure_ascii=False) + "\n")
