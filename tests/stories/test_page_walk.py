"""Walks through every list by its cursors while another thread commits blocks, and takes some back.

A list whose order blocks change stays that of the block of its first page, or is 410 once that block was taken back. A
history goes on behind the last row, so that nothing which stays in the chain is missing or told twice.
"""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pyarrow as pa
import pytest

from api.app import create_app
from api.options import Options
from engine.judge import Engine
from ingest.networks import REGTEST
from tests.helpers.api import running
from tests.helpers.builders import address, candidates, headers
from tests.helpers.traffic import Traffic
from warehouse.lake import Lake
from warehouse.maintenance import Maintenance

PREPARED: Final = 40
DEPTH: Final = 3
NEXT: Final = "x-next-cursor"

KNOWN: Final = {
    "address": address("bob"),
    "owner": address("bob"),
    "ticker": "ABC",
    "pool_id": "ABC-DEF",
    "position_id": "1",
}
DOCUMENT: Final = create_app(Path("nowhere")).openapi()["paths"]
LISTS: Final = {
    path: {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    for path, methods in DOCUMENT.items()
    for operation in methods.values()
    if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ()))
}
"""By path, what every list with cursors can be asked."""

OFTEN: Final = (
    "/v1/indexer/brc20/{ticker}/holders",
    "/v1/indexer/brc20/{ticker}/history",
    "/v1/indexer/brc20/block-hashes",
    "/v1/indexer/swap/executions",
    "/v1/indexer/swap/balance-changes",
)
"""One list of each manner, walked in the fast suite too."""
EACH: Final = [pytest.param(path, marks=() if path in OFTEN else pytest.mark.slow) for path in LISTS]


class Writer(threading.Thread):
    """Commits block after block, unless it is paused, and keeps the lake in shape as an indexer does.

    Without that every block stays a file of its own for each table, and a question about the past reads hundreds.
    """

    def __init__(self, lake: Lake) -> None:
        super().__init__()
        self.lake = lake
        self.engine = Engine(REGTEST)
        self.traffic = Traffic(11)
        self.branch = 0
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.maintenance = Maintenance(lake)

    @property
    def height(self) -> int:
        return self.lake.manifest.next_height - 1

    def commit(self, blocks: int) -> None:
        heights = range(self.height + 1, self.height + 1 + blocks)
        mined = {height: self.traffic.txs(self.traffic.random.randint(4, 12)) for height in heights}
        head, found = headers(mined, str(self.branch)), candidates(mined)
        if self.lake.tip:
            previous = pa.array([self.lake.tip.hash, *head["previous_hash"].to_pylist()[1:]], pa.string())
            place = head.schema.get_field_index("previous_hash")
            head = head.set_column(place, head.schema.field(place), previous.cast(head.schema.field(place).type))
        self.lake.commit(self.engine.judge(head, found), found)
        self.maintenance.due()

    def reorganise(self) -> int:
        """Take the newest blocks back and put others in their place; gives the highest block that stayed."""
        fork = self.height - DEPTH
        self.lake.rewind(fork)
        self.engine.restore(self.lake.state())
        self.branch += 1
        self.commit(DEPTH + 1)
        return fork

    def run(self) -> None:
        while not self.ended.wait(0.2):
            with self.lock:
                self.commit(1)


@pytest.fixture(scope="module")
def walking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Writer]]:
    directory = tmp_path_factory.mktemp("walk") / "lake"
    with Lake.create(directory, REGTEST.name, 0) as lake:
        writer = Writer(lake)
        writer.commit(PREPARED)
        options = Options(anonymous_rate="100000000/minute")
        with writer.maintenance, running(create_app(directory, options=options)) as client:
            writer.lock.acquire()
            writer.start()
            try:
                yield client, writer
            finally:
                writer.ended.set()
                writer.lock.release()
                writer.join()


@contextmanager
def blocks_arrive(writer: Writer) -> Iterator[None]:
    writer.lock.release()
    try:
        yield
    finally:
        writer.lock.acquire()


def wait_until_shown(client: httpx.Client, height: int) -> None:
    for _ in range(600):
        if client.get("/ready").json()["height"] >= height:
            return
        time.sleep(0.02)
    raise AssertionError(f"block {height} was not shown in time")


def asked(client: httpx.Client, path: str) -> str:
    """The path with names of things that the chain has."""
    changes = client.get("/v1/indexer/swap/balance-changes/position/1").json()
    names = {
        **KNOWN,
        "height": str(PREPARED // 2),
        "txid": changes[0]["txid"],
        "operation_id": str(changes[0]["operation_id"]),
        **({"ticker": "CRV"} if "curve" in path else {}),
    }
    return re.sub(r"{(\w+)}", lambda name: names[name[1]], path)


def rows_of(response: httpx.Response) -> list[Any]:
    assert response.status_code == 200, response.text
    body = response.json()
    found: list[Any] = body if isinstance(body, list) else body["items" if "items" in body else "data"]
    return found


def ask(client: httpx.Client, path: str, rows: int, **parameters: str | int) -> httpx.Response:
    unlocking = {"height_lte": 1_000_000} if "height_lte" in LISTS[path] else {}
    return client.get(asked(client, path), params={size(path): longest(path, rows), **unlocking, **parameters})


def size(path: str) -> str:
    """The parameter that says how many rows are wanted."""
    return "max_results" if "max_results" in LISTS[path] else "limit"


def longest(path: str, rows: int) -> int:
    """So many rows, or as many as a page of the list may have."""
    most: int = LISTS[path][size(path)].get("maximum", rows)
    return min(rows, most)


def whole(client: httpx.Client, path: str) -> list[Any]:
    """The list as it is while no block arrives."""
    if "max_results" in LISTS[path] or path.endswith("/block-hashes"):
        return rows_of(ask(client, path, 10_000))
    skip = "skip" if "skip" in LISTS[path] else "offset"
    rows: list[Any] = []
    while page := rows_of(ask(client, path, 1000, **{skip: len(rows)})):
        rows += page
    return rows


def walk_on(client: httpx.Client, path: str, page: httpx.Response, rows: int) -> tuple[list[Any], httpx.Response]:
    """The rows of the page and all pages behind it, and the last answer, which may be a refusal."""
    found = rows_of(page)
    while NEXT in page.headers:
        page = ask(client, path, rows, cursor=page.headers[NEXT])
        if page.status_code != 200:
            break
        found += rows_of(page)
    return found, page


def begun(client: httpx.Client, writer: Writer, path: str) -> tuple[list[Any], httpx.Response, int]:
    """The whole list, the first page of it, and how long the pages are."""
    wait_until_shown(client, writer.height)
    expected = whole(client, path)
    assert len(expected) > 1, "a list of one row has no second page"
    length = longest(path, -(-len(expected) // 5))
    return expected, ask(client, path, length), length


def told(rows: list[Any]) -> list[str]:
    return [json.dumps(row, sort_keys=True) for row in rows]


@pytest.mark.parametrize("path", EACH)
def test_a_walk_while_blocks_arrive_has_every_row_once(walking: tuple[httpx.Client, Writer], path: str) -> None:
    """The list is that of the block that the walk began with; hashes of blocks go on to the newest one."""
    client, writer = walking
    expected, first, length = begun(client, writer, path)
    height = writer.height
    with blocks_arrive(writer):
        wait_until_shown(client, height + 1)
        rows, last = walk_on(client, path, first, length)
    assert last.status_code == 200, last.text
    assert rows[: len(expected)] == expected
    if path.endswith("/block-hashes"):
        assert [row["height"] for row in rows] == list(range(len(rows)))
    else:
        assert len(rows) == len(expected)


@pytest.mark.parametrize("path", EACH)
def test_a_walk_over_a_reorganisation_ends_or_keeps_what_stays(walking: tuple[httpx.Client, Writer], path: str) -> None:
    client, writer = walking
    writer.commit(2)
    expected, first, length = begun(client, writer, path)
    fork = writer.reorganise()
    with blocks_arrive(writer):
        wait_until_shown(client, fork + DEPTH + 2)
        rows, last = walk_on(client, path, first, length)
    if not goes_on(path):
        assert (last.status_code, last.json()["code"]) == (410, "CURSOR_EXPIRED")
        assert rows == expected[:length]
        return
    assert last.status_code == 200, last.text
    assert len(set(told(rows))) == len(rows), "a row was told twice"
    stays = [row for row in expected if row.get("block_height", row.get("height")) <= fork]
    assert stays, "a walk that keeps nothing shows nothing"
    assert set(told(stays)) <= set(told(rows)), "a row that stayed was left out"


def goes_on(path: str) -> bool:
    """Whether the list is walked by the keys of its rows."""
    return "/history" in path or path.endswith(("/block-hashes", "/swap/executions"))
