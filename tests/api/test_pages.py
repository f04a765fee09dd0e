"""Pages by cursors: together every row once, whatever blocks bring in between; whole lists, capped and streamed."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import api.envelopes
from api.app import create_app
from api.keys import Scope, create_key
from api.options import Options
from engine.judge import Engine
from ingest.networks import REGTEST
from tests.helpers.api import running
from tests.helpers.recorded import people
from tests.helpers.traffic_lake import traffic_batches
from warehouse.folds import make_fold
from warehouse.lake import Lake

BRC20 = "/v1/indexer/brc20"
NEXT = "x-next-cursor"
ALICE = people()["alice"]

LISTS = [
    f"{BRC20}/list",
    f"{BRC20}/list?sort=holders",
    f"{BRC20}/WTF/holders",
    f"{BRC20}/yWTF/holders?height=145",
    f"{BRC20}/WTF/history",
    f"{BRC20}/WTF/history?include_invalid=true&type=transfer",
    f"{BRC20}/history-by-height/116",
    f"{BRC20}/history-by-height/117?include_invalid=true",
    f"/v1/indexer/address/{ALICE}/history",
    f"/v1/indexer/address/{ALICE}/brc20/WTF/history",
    f"{BRC20}/address/{ALICE}/tickers",
    f"{BRC20}/block-hashes?from=100&to=120",
]


def walk(client: httpx.Client, path: str, limit: int, between: Callable[[], None] = lambda: None) -> list[Any]:
    """Every page of a list, with something done between two pages."""
    rows: list[Any] = []
    cursor: dict[str, str] = {}
    url = httpx.URL(path)
    while True:
        response = client.get(url.copy_merge_params({"limit": str(limit), **cursor}))
        assert response.status_code == 200, response.text
        page = response.json()
        assert len(page) <= limit
        rows += page
        if NEXT not in response.headers:
            return rows
        assert len(page) == limit
        cursor = {"cursor": response.headers[NEXT]}
        between()


@pytest.mark.parametrize("path", LISTS)
def test_pages_together_are_the_list(client: httpx.Client, path: str) -> None:
    whole = client.get(path).json()
    assert len(whole) > 1
    for limit in (1, 2, 3, len(whole)):
        assert walk(client, path, limit) == whole


@pytest.mark.parametrize("path", LISTS)
def test_only_a_lists_own_cursors_are_taken(client: httpx.Client, path: str) -> None:
    """Not garbage, not those of other lists, not numbers that no row has."""
    url = httpx.URL(path)
    own = client.get(url.copy_merge_params({"limit": "1"})).headers[NEXT]
    assert client.get(url.copy_merge_params({"cursor": own})).status_code == 200
    others = [client.get(httpx.URL(other).copy_merge_params({"limit": "1"})).headers[NEXT] for other in LISTS]
    kind = json.loads(base64_text(own))[0]
    forged = [[kind], [kind, -1, "x", 2], [kind, 1 << 63, 0, 0], [kind, True, 0, 0], [kind, None], {"kind": kind}, 7]
    texts = [
        "",
        "?",
        "%00",
        "a",
        "====",
        own[:-3],
        own + "A",
        *(urlsafe_b64encode(json.dumps(f).encode()).decode().rstrip("=") for f in forged),
    ]
    for text in [*texts, *(other for other in others if other != own)]:
        response = client.get(url.copy_merge_params({"cursor": text}))
        assert (response.status_code, response.json()["code"], response.json()["field"]) == (
            400,
            "INVALID_CURSOR",
            "cursor",
        ), text
    assert client.get(url.copy_merge_params({"cursor": "A" * 4001})).status_code == 422


def base64_text(cursor: str) -> str:
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()


def test_synonyms_of_other_providers(client: httpx.Client) -> None:
    """`start`, `size` and `type` for `skip`, `limit` and `op_type`."""
    path = f"{BRC20}/WTF/history"
    expected = client.get(path, params={"skip": 1, "limit": 2, "op_type": "transfer"}).json()
    assert len(expected) == 2
    assert client.get(path, params={"start": 1, "size": 2, "type": "transfer"}).json() == expected
    holders = client.get(f"{BRC20}/WTF/holders", params={"skip": 2, "limit": 1}).json()
    assert client.get(f"{BRC20}/WTF/holders", params={"start": 2, "size": 1}).json() == holders


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[tuple[httpx.Client, Lake, Iterator[None]]]:
    """A lake that has some blocks, and whose next ones come one at a time."""
    engine = Engine(REGTEST)
    batches = traffic_batches(seed=5, blocks=40, batch=1)

    def grow() -> Iterator[None]:
        for rows in batches:
            lake.commit(engine.judge(*rows), rows[1])
            if lake.tip and lake.tip.height % 7 == 0:
                make_fold(lake)
            yield

    with Lake.create(tmp_path / "lake", REGTEST.name, 0) as lake:
        blocks = grow()
        for _ in range(20):
            next(blocks)
        with running(create_app(lake.directory, options=Options(anonymous_rate="1000000/minute"))) as client:
            yield client, lake, blocks


def published(client: httpx.Client, lake: Lake) -> None:
    """Wait until the server shows the lake's tip."""
    assert lake.tip is not None
    while client.get("/ready").json()["height"] != lake.tip.height:
        pass


@pytest.mark.parametrize(
    "path", [f"{BRC20}/ABC/holders", f"{BRC20}/list?sort=minted", f"{BRC20}/ABC/history", f"{BRC20}/yABC/holders"]
)
def test_a_walk_while_blocks_arrive_has_every_row_once(
    growing: tuple[httpx.Client, Lake, Iterator[None]], path: str
) -> None:
    """Balances move and tokens are minted between the pages: the walk shows the list as it was when it began."""
    client, lake, blocks = growing
    before = client.get(path).json()
    assert len(before) > 1

    def grow() -> None:
        next(blocks, None)
        published(client, lake)

    assert walk(client, path, max(len(before) // 8, 1), grow) == before
    assert client.get(path).json() != before


def test_a_list_whose_block_was_taken_back_cannot_go_on(growing: tuple[httpx.Client, Lake, Iterator[None]]) -> None:
    """Pages of different branches would not belong together. Histories go on, with rows of the new branch."""
    client, lake, _ = growing
    holders = client.get(f"{BRC20}/ABC/holders", params={"limit": 1}).headers[NEXT]
    history = client.get(f"{BRC20}/ABC/history", params={"limit": 1}).headers[NEXT]
    lake.rewind(15)
    published(client, lake)
    for path in ("holders", "holders/all"):
        response = client.get(f"{BRC20}/ABC/{path}", params={"cursor": holders})
        assert (response.status_code, response.json()["code"]) == (410, "CURSOR_EXPIRED")
    assert client.get(f"{BRC20}/ABC/history", params={"cursor": history}).status_code == 200
    assert client.get("/health/concurrency").json()["status"] == "warning"
    assert client.get("/health/concurrency").json()["potential_reorgs"] == 1


WHOLE = [
    (f"{BRC20}/list/all", f"{BRC20}/list"),
    (f"{BRC20}/WTF/holders/all", f"{BRC20}/WTF/holders"),
    (f"{BRC20}/yWTF/holders/all", f"{BRC20}/yWTF/holders"),
    (f"{BRC20}/WTF/history/all", f"{BRC20}/WTF/history"),
    (f"{BRC20}/history/all?ticker=wtf", f"{BRC20}/WTF/history"),
    (f"{BRC20}/history-by-height/117/all?include_invalid=true", f"{BRC20}/history-by-height/117?include_invalid=true"),
    (f"/v1/indexer/address/{ALICE}/history/all?op_type=mint", f"/v1/indexer/address/{ALICE}/history?op_type=mint"),
    (f"/v1/indexer/address/{ALICE}/brc20/wtf/history/all", f"/v1/indexer/address/{ALICE}/history?ticker=WTF"),
]


@pytest.mark.parametrize(("whole", "paged"), WHOLE)
def test_a_whole_list_is_its_pages(client: httpx.Client, whole: str, paged: str) -> None:
    """Contract, defects 7 to 9: filters come before the limit, and the counts say what there is."""
    rows = client.get(paged).json()
    answer = client.get(whole).json()
    assert answer == {
        "total_count": len(rows),
        "returned_count": len(rows),
        "has_more": False,
        "data": rows,
        "next_cursor": None,
    }
    url = httpx.URL(whole)
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        part = client.get(url.copy_merge_params({"max_results": "2", **cursor})).json()
        assert part["total_count"] == len(rows) - len(found)
        assert part["returned_count"] == len(part["data"]) == min(2, part["total_count"])
        found += part["data"]
        assert part["has_more"] == (len(found) < len(rows))
        if not part["has_more"]:
            break
        cursor = {"cursor": part["next_cursor"]}
    assert found == rows


def test_all_of_history_without_a_ticker(client: httpx.Client) -> None:
    valid = client.get(f"{BRC20}/history/all").json()
    every = client.get(f"{BRC20}/history/all?include_invalid=true").json()
    assert all(row["valid"] for row in valid["data"])
    assert every["total_count"] > valid["total_count"] > 30
    assert [row for row in every["data"] if row["valid"]] == valid["data"]
    assert any(row["ticker"] is None for row in every["data"]), "contract, defect 19"
    assert all(row["code"] for row in every["data"] if not row["valid"])


@pytest.mark.parametrize(("whole", "_paged"), WHOLE)
def test_without_a_key_whole_lists_end_early_and_with_one_they_stream(
    lake: Path, monkeypatch: pytest.MonkeyPatch, whole: str, _paged: str
) -> None:
    monkeypatch.setattr(api.envelopes, "MOST", 1)
    _, reader = create_key(lake, "reader", [Scope.READ], None)
    _, other = create_key(lake, "other", [Scope.SQL], None)
    with running(create_app(lake)) as client:
        answers = {key: client.get(whole, headers={"X-API-Key": key} if key else {}) for key in ("", other, reader)}
    anonymous, without_scope, streamed = (answer.json() for answer in answers.values())
    total = streamed["total_count"]
    assert total > 1
    assert (anonymous["returned_count"], anonymous["has_more"], len(anonymous["data"])) == (1, True, 1)
    assert without_scope == anonymous
    assert (streamed["returned_count"], streamed["has_more"], len(streamed["data"])) == (total, False, total)
    assert list(streamed) == ["total_count", "returned_count", "has_more", "data", "next_cursor"]
    assert streamed["data"][:1] == anonymous["data"]
    assert "content-length" not in answers[reader].headers
    assert answers[""].headers["etag"] != answers[reader].headers["etag"]
    assert all(answer.headers["vary"].startswith("X-API-Key, Authorization") for answer in answers.values())
