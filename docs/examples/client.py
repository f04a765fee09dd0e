"""Balances, holders and news of one token: python client.py http://127.0.0.1:8080 TICKER [ADDRESS …]

Needs httpx. Shows how to wait when the server says so, how to walk a list, and how to add up amounts.
"""

import sys
import time
from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Any

import httpx


def ask(client: httpx.Client, method: str, path: str, **request: Any) -> httpx.Response:
    """The answer; while the server is busy or not ready, asked again when it says so. Raises on a refusal."""
    for _ in range(5):
        response = client.request(method, path, **request)
        if response.status_code not in (429, 503):
            break
        time.sleep(float(response.headers.get("Retry-After", "1")))
    if response.is_error:
        error = response.json()
        raise SystemExit(f"{error['code']}: {error['detail']} (request {error['request_id']})")
    return response


def walk(client: httpx.Client, path: str, **parameters: str | int) -> Iterator[dict[str, Any]]:
    """Every row of a list once, page by page, whatever blocks arrive meanwhile."""
    while True:
        response = ask(client, "GET", path, params=parameters)
        yield from response.json()
        if "X-Next-Cursor" not in response.headers:
            return
        parameters["cursor"] = response.headers["X-Next-Cursor"]


def main(base_url: str, ticker: str, *addresses: str) -> None:
    with httpx.Client(base_url=f"{base_url}/v1/indexer", timeout=30) as client, localcontext() as exact:
        exact.prec = 60
        answer = ask(client, "GET", f"/brc20/{ticker}/info")
        token, height = answer.json(), int(answer.headers["X-Block-Height"])
        print(f"{token['ticker']} after block {height}: {token['minted']} of {token['max_supply']} minted")

        holders = list(walk(client, f"/brc20/{ticker}/holders", height=height, limit=2))
        total = sum(Decimal(holder["overall_balance"]) for holder in holders)
        print(f"{len(holders)} holders, together {total:f}")

        if addresses:
            pairs = [{"address": address, "ticker": ticker} for address in addresses]
            for balance in ask(client, "POST", "/brc20/balances", json={"pairs": pairs}).json():
                print(f"{balance['wallet']} {balance['overall_balance']}")

        for row in walk(client, f"/brc20/{ticker}/history", op_type="transfer", limit=2):
            print(f"{row['block_height']} {row['op_id']} {row['amount']} {row['from_address']} -> {row['to_address']}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
