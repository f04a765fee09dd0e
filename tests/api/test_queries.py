"""Questions about the past have a deadline and a queue, and never hold up the rest."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import api.queries
from api.app import create_app
from api.errors import Busy, QueryTimeout
from api.queries import Queries
from tests.helpers.api import running
from tests.helpers.judged import FactMaker
from warehouse.histories import Histories
from warehouse.lake import Lake
from warehouse.lake_backend import LakeBackend
from warehouse.manifest import read_manifest

ENDLESS = "SELECT count(*) FROM range(10_000_000_000) a, range(1000) b WHERE a.range % 7 = b.range"


def endless(histories: Histories) -> object:
    return histories.store.fetch(ENDLESS, {})


def test_what_takes_too_long_is_interrupted(lake: Path) -> None:
    """The answer comes at the deadline, and the thread is free again for the next question."""
    manifest = read_manifest(lake)

    async def ask() -> float:
        queries = Queries(LakeBackend(lake), deadline=0.2)
        started = time.monotonic()
        for _ in range(api.queries.AT_ONCE + 1):
            with pytest.raises(QueryTimeout):
                await queries.ask(manifest, endless)
        assert len(await queries.ask(manifest, lambda histories: histories.block_hashes(0, 2))) == 3
        queries.close()
        return time.monotonic() - started

    assert asyncio.run(ask()) < 15


def test_more_than_can_wait_is_turned_away(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.queries.WAITING", 1)
    manifest = read_manifest(lake)

    async def ask() -> list[BaseException | object]:
        queries = Queries(LakeBackend(lake), deadline=0.5)
        asked = [queries.ask(manifest, endless) for _ in range(api.queries.AT_ONCE + 3)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        queries.close()
        return outcomes

    outcomes = [type(outcome) for outcome in asyncio.run(ask())]
    assert outcomes.count(Busy) == 2
    assert outcomes.count(QueryTimeout) == api.queries.AT_ONCE + 1


def test_a_slow_history_does_not_hold_up_a_balance(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Histories, "page", lambda histories, *_: endless(histories))
    with running(create_app(lake, query_deadline=1.0)) as client, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.get, "/v1/indexer/brc20/history-by-height/117")
        times = []
        while not slow.done():
            started = time.monotonic()
            assert client.get("/v1/indexer/brc20/WTF/info").status_code == 200
            times.append(time.monotonic() - started)
        response: httpx.Response = slow.result()
    assert (response.status_code, response.json()["code"]) == (503, "QUERY_TIMEOUT")
    assert response.headers["retry-after"] == "5"
    assert len(times) > 5
    assert sorted(times)[len(times) // 2] < 0.3


def test_files_that_are_gone_mean_ask_again(tmp_path: Path) -> None:
    """A worker whose manifest is older than the grace time for replaced files."""
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        lake.commit(*FactMaker().extend(3))
        (segment,) = lake.manifest.of("operations")
        with running(create_app(tmp_path / "lake")) as client:
            (tmp_path / "lake" / segment.file.path).unlink()
            response = client.get("/v1/indexer/brc20/history-by-height/101")
    assert (response.status_code, response.json()["code"]) == (503, "NOT_READY")


def test_files_that_are_gone_mean_ask_again_for_earlier_heights_too(tmp_path: Path) -> None:
    """What modules kept at a height is read whole, without the engine that reads histories."""
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        lake.commit(*FactMaker().extend(3))
        with running(create_app(tmp_path / "lake")) as client:
            for segment in lake.manifest.of("blocks"):
                (tmp_path / "lake" / segment.file.path).unlink()
            for path in ("list?height=101", "T001/info?height=101", "balances-hash?height=101"):
                response = client.get(f"/v1/indexer/brc20/{path}")
                assert (response.status_code, response.json()["code"]) == (503, "NOT_READY"), path
