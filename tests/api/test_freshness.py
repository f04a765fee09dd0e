"""Each answer names the published block that it was made from, and who has it already is told so."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.options import Options
from ingest.errors import IngestError, NodeUnreachable
from tests.helpers.api import running
from tests.helpers.judged import FactMaker
from tests.helpers.recorded import people
from warehouse.lake import Lake

GENEROUS = Options(anonymous_rate="1000000/minute")
BRC20 = "/v1/indexer/brc20"
ALICE = people()["alice"]
PATHS = [
    "/",
    "/health",
    "/ready",
    f"{BRC20}/health",
    f"{BRC20}/status",
    f"{BRC20}/list",
    f"{BRC20}/WTF/info",
    f"{BRC20}/WTF/holders",
    f"{BRC20}/WTF/history",
    f"{BRC20}/history-by-height/117",
    f"{BRC20}/block-hashes",
    f"{BRC20}/address/{ALICE}/tickers",
    f"/v1/indexer/address/{ALICE}/brc20/WTF/info",
    f"/v1/indexer/address/{ALICE}/history",
]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_names_its_block_and_is_spared_on_a_match(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    height, block_hash, tag = (first.headers[name] for name in ("x-block-height", "x-block-hash", "etag"))
    assert height == "147"
    assert client.get(f"{BRC20}/block-hashes?from=147").json()[0]["hash"] == block_hash
    assert first.headers["cache-control"] == "public, no-cache"
    for spelling in (tag, f"W/{tag}", f'"other", {tag}'):
        again = client.get(path, headers={"If-None-Match": spelling})
        assert (again.status_code, again.content) == (304, b"")
        assert [again.headers[name] for name in ("x-block-height", "x-block-hash", "etag")] == [height, block_hash, tag]
        assert "x-request-id" in again.headers
    for other in ('"147"', "*", tag.strip('"'), ""):
        assert client.get(path, headers={"If-None-Match": other}).status_code == 200


def test_a_tag_is_of_one_question_alone(client: httpx.Client) -> None:
    tags = {client.get(path).headers["etag"] for path in [*PATHS, f"{BRC20}/list?limit=1", f"{BRC20}/list?limit=2"]}
    assert len(tags) == len(PATHS) + 2
    borrowed = client.get(f"{BRC20}/list").headers["etag"]
    assert client.get(f"{BRC20}/nope/info", headers={"If-None-Match": borrowed}).status_code == 404


def test_the_probes_that_belong_to_no_block_say_nothing_of_one(client: httpx.Client) -> None:
    for path in ("/live", "/metrics", "/openapi.json"):
        assert not {"x-block-height", "etag"} & set(client.get(path).headers)


def test_status_changes_with_the_node_although_no_block_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.follower.NODE_POLL", 0.02)
    heights = iter(range(200, 100_000))
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        lake.commit(*FactMaker().extend(3))
    with running(create_app(tmp_path / "lake", options=GENEROUS, network_height=lambda: next(heights))) as client:
        seen: dict[str, int | None] = {}
        while len(seen) < 3:
            response = client.get(f"{BRC20}/status")
            height = response.json()["current_block_height_network"]
            assert height is None or response.json()["lag"] == height - 102
            assert seen.setdefault(response.headers["etag"], height) == height


def test_a_node_in_trouble_is_told_and_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.follower.NODE_POLL", 0.02)
    node: Iterator[int | IngestError] = iter(
        [200, NodeUnreachable("nobody answers"), NodeUnreachable("nobody answers"), 201]
    )

    def height() -> int:
        said = next(node, 202)
        if isinstance(said, IngestError):
            time.sleep(0.2)
            raise said
        return said

    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        lake.commit(*FactMaker().extend(3))
    seen: list[tuple[int | None, int | None, str | None]] = []
    with running(create_app(tmp_path / "lake", options=GENEROUS, network_height=height)) as client:
        while not seen or seen[-1][0] != 202:
            answer = client.get(f"{BRC20}/status").json()
            said = answer["current_block_height_network"], answer["lag"], answer["network_height_error"]
            if not seen or said != seen[-1]:
                seen.append(said)
    failure = (None, None, str(NodeUnreachable("nobody answers")))
    assert failure in seen
    assert seen[-1] == (202, 100, None)


def test_each_request_sees_one_published_height(tmp_path: Path) -> None:
    """While blocks are committed, taken back and committed anew, no answer mixes two states."""
    maker = FactMaker(seed=11)
    figures: dict[tuple[int, str], dict[str, tuple[str, int]]] = {}
    done = threading.Event()
    mixed: list[object] = []

    def remember() -> None:
        state = maker.state()
        assert state.height is not None
        assert state.hash is not None
        supplies = {row["ticker"]: (f"{row['minted']:.8f}", row["holders"]) for row in state.supplies.to_pylist()}
        figures[state.height, state.hash] = supplies

    def ask(client: httpx.Client) -> None:
        while not done.is_set():
            response = client.get(f"{BRC20}/list?limit=1000")
            key = int(response.headers["x-block-height"]), response.headers["x-block-hash"]
            expected = figures[key]
            found = {row["ticker"]: (row["minted"], row["holders"]) for row in response.json()}
            wrong = {ticker: f for ticker, f in found.items() if f != expected.get(ticker, ("0.00000000", 0))}
            if wrong or not set(expected) <= set(found):
                mixed.append((key, wrong))
            heights.add(key)

    heights: set[tuple[int, str]] = set()
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        facts = maker.extend(3)
        remember()
        lake.commit(*facts)
        with running(create_app(tmp_path / "lake", options=GENEROUS)) as client:
            asking = threading.Thread(target=ask, args=(client,))
            asking.start()
            for step in range(24):
                if step % 6 == 5:
                    maker.rewind(maker.start + len(maker.per_block) - 3)
                    lake.rewind(maker.start + len(maker.per_block) - 1)
                facts = maker.extend(1, branch=str(step))
                remember()
                lake.commit(*facts)
                done.wait(0.08)
            done.set()
            asking.join()
    assert mixed == []
    assert len(heights) > 5
