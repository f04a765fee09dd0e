"""Transfers of one token as they happen: python events.py http://127.0.0.1:8080 TICKER [FROM_BLOCK]

Needs httpx. Shows how to take a stream up again where it ended, and what to do when blocks are taken back.
"""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx


def listen(base_url: str, **parameters: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and facts of every event once, whatever becomes of the connection. Raises on a refusal."""
    last: dict[str, str] = {}
    while True:
        try:
            with httpx.stream(
                "GET", f"{base_url}/v1/events", params=parameters, headers=last, timeout=httpx.Timeout(10, read=60)
            ) as response:
                if response.is_client_error and response.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    raise SystemExit(response.read().decode())
                yield from read(response, last) if response.is_success else ()
        except httpx.TransportError:
            pass
        time.sleep(1)


def read(response: httpx.Response, last: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of one connection; `last` keeps the id to come back with."""
    event: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
            continue
        if "event" in event:
            yield event["event"], json.loads(event["data"])
        if "id" in event:
            last["Last-Event-ID"] = event["id"]
        event = {}


def main(base_url: str, ticker: str, *first: str) -> None:
    for name, fact in listen(base_url, ticker=ticker, **({"from": first[0]} if first else {})):
        if name == "block":
            print(f"block {fact['height']} {fact['hash']}", flush=True)
        elif name == "reorganisation":
            print(f"forget what was above block {fact['height']}", flush=True)
        elif fact["op"] == "transfer":
            print(f"  {fact['amount']} {fact['from_address']} -> {fact['to_address']}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
