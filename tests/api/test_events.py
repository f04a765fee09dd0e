"""GET /v1/events: every block and operation once, in order, whatever happens to chain, connection and server."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.keys import Scope, create_key
from api.marks import DEPTHS, DIGITS, WHOLE, Mark
from api.options import Options
from tests.helpers.api import running, serving
from tests.helpers.judged import FactMaker
from tests.helpers.recorded import people
from tests.helpers.wavering_writer import START, begun, truth
from warehouse.lake import Lake

GENEROUS = Options(anonymous_rate="1000000/minute")
BRC20 = "/v1/indexer/brc20"
NETWORK_TIMEOUT = httpx.Timeout(20)
"""Longer than the time between two comments."""

Event = dict[str, str]


def events(response: httpx.Response) -> Iterator[Event]:
    """Events as the standard defines them; comments are left out, but show when a test has waited too long."""
    event: Event = {}
    deadline = time.monotonic() + 60
    for line in response.iter_lines():
        assert time.monotonic() < deadline, "nothing more is told"
        if not line:
            if event:
                yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


@contextmanager
def listening(address: str, query: str = "", last: str | None = None) -> Iterator[Iterator[Event]]:
    headers = {} if last is None else {"Last-Event-ID": last}
    with httpx.stream("GET", f"{address}/v1/events?{query}", headers=headers, timeout=NETWORK_TIMEOUT) as response:
        assert response.status_code == 200, response.read()
        yield events(response)


def told(stream: Iterator[Event]) -> tuple[str, dict[str, Any]]:
    """Name and facts of the next event; the first of a stream has none."""
    event = next(stream)
    while "event" not in event:
        event = next(stream)
    return event["event"], json.loads(event["data"])


def refused(client: httpx.Client, query: str = "", last: bytes | None = None) -> tuple[int, str, str | None]:
    """Status, code and field of the answer, which must not be a stream."""
    headers = httpx.Headers({} if last is None else {b"Last-Event-ID": last})
    with client.stream("GET", f"/v1/events?{query}", headers=headers) as response:
        assert response.status_code != 200
        body = json.loads(response.read())
        assert response.status_code not in (429, 503) or response.headers["retry-after"]
        return response.status_code, body["code"], body["field"]


@dataclass
class Reader:
    """What a client knows that does as the documentation says, and that every event fits what it knew before."""

    blocks: dict[int, dict[str, Any]] = field(default_factory=dict)
    operations: list[tuple[int, int]] = field(default_factory=list)
    """Height and id."""
    reorganisations: int = 0
    connections: int = 0
    last: str | None = None
    _forgotten: dict[int, str] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        self.last = event.get("id", self.last)
        if "event" in event:
            getattr(self, event["event"])(json.loads(event["data"]))

    def block(self, fact: dict[str, Any]) -> None:
        height = fact["height"]
        assert height == max(self.blocks, default=START - 1) + 1, "a gap between blocks"
        assert fact["hash"] != self._forgotten.get(height), "a block that nobody took back was told to be"
        self.blocks[height] = fact
        self._forgotten = {}

    def operation(self, fact: dict[str, Any]) -> None:
        height = fact["block_height"]
        assert height == max(self.blocks)
        assert fact["block_hash"] == self.blocks[height]["hash"]
        assert (height, fact["id"]) > max(self.operations, default=(0, 0)), "an operation twice, or out of order"
        self.operations.append((height, fact["id"]))

    def reorganisation(self, fact: dict[str, Any]) -> None:
        height, above = fact["height"], max(self.blocks)
        assert height < above == fact["from_height"]
        self.reorganisations += 1
        if above - height <= 6:
            self._forgotten = {height + 1: self.blocks[height + 1]["hash"]}
        self.blocks = {each: known for each, known in self.blocks.items() if each <= height}
        self.operations = [each for each in self.operations if each[0] <= height]

    def has_read(self, hash_: str) -> bool:
        """Whether the block with this hash is the newest one, and all its operations were told."""
        newest = self.blocks.get(max(self.blocks, default=0), {})
        return newest.get("hash") == hash_ and newest["operations"] == sum(
            height == newest["height"] for height, _ in self.operations
        )

    def read_on(self, address: str, cut_after: int, end: str) -> None:
        """Until the last block; the connection is given up after so many events, and taken up again."""
        deadline = time.monotonic() + 60
        while not self.has_read(end):
            assert time.monotonic() < deadline
            self.connections += 1
            with listening(address, f"include_invalid=true&from={START}", self.last) as stream:
                for count, event in enumerate(stream):
                    self.take(event)
                    if count == cut_after or self.has_read(end):
                        break


def test_what_is_told_adds_up_to_the_chain_whatever_is_taken_back(tmp_path: Path) -> None:
    """Listeners that stay, and that come back every now and then to either of two workers, beside a writer process."""
    begun(tmp_path / "lake")
    facts = truth().all()[0]
    end = facts.blocks["hash"][-1].as_py()
    readers = {cut: Reader() for cut in (3, 10, 10_000)}
    failures: list[BaseException] = []
    with serving(tmp_path / "lake", workers=2) as client:
        address = str(client.base_url)
        writer = subprocess.Popen([sys.executable, "-m", "tests.helpers.wavering_writer", str(tmp_path / "lake")])

        def follow(reader: Reader, cut: int) -> None:
            try:
                reader.read_on(address, cut, end)
            except (AssertionError, httpx.HTTPError, KeyError) as error:
                failures.append(error)

        threads = [threading.Thread(target=follow, args=(reader, cut)) for cut, reader in readers.items()]
        for thread in threads:
            thread.start()
        assert writer.wait(60) == 0
        for thread in threads:
            thread.join(70)
    assert not failures, failures
    blocks = dict(zip(facts.blocks["height"].to_pylist(), facts.blocks["hash"].to_pylist(), strict=True))
    rows = facts.operations.select(["height", "op_index"]).to_pylist()
    for reader in readers.values():
        assert {height: fact["hash"] for height, fact in reader.blocks.items()} == blocks
        assert reader.operations == [(row["height"], row["height"] * WHOLE + row["op_index"]) for row in rows]
    assert readers[3].connections > 20
    assert readers[10_000].reorganisations > 0
    assert readers[10_000].connections == 1


def replayed(address: str, query: str, upto: int) -> list[dict[str, Any]]:
    """Operations of all blocks before one."""
    found = []
    with listening(address, f"from={START}&{query}") as stream:
        while True:
            name, fact = told(stream)
            if name == "operation":
                found.append(fact)
            elif fact["height"] == upto:
                return found


def test_operations_are_those_of_the_ticker_and_of_the_address(client: httpx.Client) -> None:
    """As the histories tell them, in processing order; a pool's account is an address too."""
    alice = people()["alice"]
    everything = client.get(f"{BRC20}/history/all").json()["data"]
    for query, expected in {
        "ticker=wtf": [row for row in everything if row["ticker"] == "WTF"],
        f"address={alice.upper()}": [row for row in everything if alice in (row["from_address"], row["to_address"])],
        f"address={alice}&ticker=WTF": client.get(f"/v1/indexer/address/{alice}/history?ticker=WTF&limit=1000").json(),
        "": everything,
        "include_invalid=true": client.get(f"{BRC20}/history/all?include_invalid=true").json()["data"],
        "ticker=nobody": [],
    }.items():
        found = replayed(str(client.base_url), query, 147)
        before = sorted((row for row in expected if row["block_height"] < 147), key=lambda row: row["id"])
        assert found == before, query
        assert found or query == "ticker=nobody"


def test_a_stream_is_no_answer_of_one_height(client: httpx.Client) -> None:
    """Nothing may keep it, compress it or hold it back."""
    with client.stream("GET", "/v1/events", headers={"Accept": "text/csv", "If-None-Match": "*"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["ratelimit-limit"]
        assert not {"etag", "x-block-height", "content-encoding"} & set(response.headers)


def test_blocks_are_told_from_the_next_one_unless_others_are_asked_for(lake: Path, client: httpx.Client) -> None:
    address = str(client.base_url)
    with listening(address) as stream:
        assert next(stream)["id"].startswith(f"147-{WHOLE}-")
    with listening(address, "from=148") as stream:
        assert next(stream)["id"].startswith(f"147-{WHOLE}-")
    with listening(address, "from=147") as stream:
        assert told(stream)[1]["height"] == 147
    with listening(address, "from=148", last=f"144-{WHOLE}-1-{hash_at(client, 144)}") as stream:
        assert told(stream)[1]["height"] == 145
    assert refused(client, "from=149") == (404, "BLOCK_NOT_FOUND", "from")


def hash_at(client: httpx.Client, height: int) -> str:
    [row] = client.get(f"{BRC20}/block-hashes?from={height}&to={height}").json()
    return str(row["hash"][:DIGITS])


def test_what_is_too_far_back_is_refused(lake: Path, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the event of a chain that this one has nothing of."""
    monkeypatch.setattr("api.events.FURTHEST", 10)
    with running(create_app(lake, options=GENEROUS)) as bounded:
        assert refused(bounded, "from=137") == (422, "INVALID_PARAMETER", "from")
        for last in (f"136-{WHOLE}-1-{hash_at(client, 136)}", f"147-{WHOLE}-1-{'0' * DIGITS}"):
            assert refused(bounded, last=last.encode()) == (410, "CURSOR_EXPIRED", "Last-Event-ID")
        for query, known in (("from=138", None), ("", f"137-{WHOLE}-1-{hash_at(client, 137)}")):
            with listening(str(bounded.base_url), query, known) as stream:
                assert told(stream)[1]["height"] == 138


@pytest.mark.parametrize(
    "last", ["nonsense", "1-", "-2-0-0", f"1-{WHOLE + 1}-0", "1-0-0-xyz", "1-0", "1" * 300, "\xb2-0-0"]
)
def test_an_id_of_no_event_is_refused(client: httpx.Client, last: str) -> None:
    assert refused(client, last=last.encode("latin-1")) == (400, "INVALID_CURSOR", "Last-Event-ID")


def test_bad_filters_are_refused(client: httpx.Client) -> None:
    assert refused(client, "address=nowhere") == (400, "INVALID_ADDRESS", "address")


def test_keys_open_streams_as_they_open_everything_else(lake: Path) -> None:
    _, key = create_key(lake, "listener", [Scope.READ])
    with running(create_app(lake, options=Options(anonymous=False))) as client:
        assert refused(client) == (401, "KEY_NEEDED", None)
        with client.stream("GET", "/v1/events", headers={"X-API-Key": key}) as response:
            assert response.status_code == 200
            assert int(response.headers["ratelimit-remaining"]) == int(response.headers["ratelimit-limit"]) - 5


@pytest.mark.parametrize(("bound", "refusal"), [("MOST", (503, "BUSY")), ("MOST_OF_ONE", (429, "RATE_LIMITED"))])
def test_streams_are_bounded(lake: Path, monkeypatch: pytest.MonkeyPatch, bound: str, refusal: tuple[int, str]) -> None:
    """Whose client leaves makes room, before anything else is told."""
    monkeypatch.setattr(f"api.streams.{bound}", 2)
    with running(create_app(lake, options=GENEROUS)) as client:
        address = str(client.base_url)
        with listening(address) as one, listening(address) as other:
            next(one), next(other)
            assert refused(client)[:2] == refusal
            assert "simplicity_event_streams 2.0" in client.get("/metrics").text
        deadline = time.monotonic() + 10
        while "simplicity_event_streams 0.0" not in client.get("/metrics").text:
            assert time.monotonic() < deadline, "the place of a stream that ended stays taken"
            time.sleep(0.05)
        with listening(address) as stream:
            next(stream)


def test_silence_is_broken_by_comments(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.streams.HEARTBEAT", 0.1)
    with running(create_app(lake, options=GENEROUS)) as client, client.stream("GET", "/v1/events") as response:
        lines = response.iter_lines()
        assert [next(lines)[:2] for _ in range(7)] == ["id", "re", "", ": ", "", ": ", ""]


def test_a_stream_ends_after_a_while_and_is_taken_up(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its client is asked anew who it is: the key may have been revoked."""
    monkeypatch.setattr("api.events.LONGEST", 0.3)
    with running(create_app(lake, options=GENEROUS)) as client:
        with listening(str(client.base_url), "from=146") as stream:
            first = list(stream)
        with listening(str(client.base_url), "from=1", first[1]["id"]) as stream:
            assert list(stream)[1:] == first[2:]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_is_told_to_end_ends_its_streams_whole(lake: Path, tmp_path: Path, workers: int) -> None:
    """At once, so that clients can go on elsewhere; nothing is cut off."""
    log = tmp_path / "log"
    ended: list[float] = []
    meeting = threading.Barrier(2)

    def listen(address: str) -> None:
        with listening(address) as stream:
            next(stream)
            meeting.wait()
            assert not list(stream)
            ended.append(time.monotonic())

    with serving(lake, workers, log) as client:
        thread = threading.Thread(target=listen, args=(str(client.base_url),))
        thread.start()
        meeting.wait(20)
        asked = time.monotonic()
    thread.join(20)
    assert ended
    assert ended[0] - asked < 5
    assert not [line for line in log.read_text().splitlines() if '"level": "error"' in line]


def test_a_worker_that_is_behind_reads_on_first(tmp_path: Path) -> None:
    """What another worker has told already is not told again, nor told to have been taken back."""
    maker = FactMaker(seed=7)
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        lake.commit(*maker.extend(2))
        with running(create_app(tmp_path / "lake", options=GENEROUS)) as client:
            known = lake.manifest.sequence
            ahead, later = maker.extend(1), maker.extend(1)
            last = Mark(102, WHOLE, known + 1, (ahead[0].blocks["hash"][0].as_py()[:DIGITS],))

            def commit() -> None:
                time.sleep(0.4)
                lake.commit(*ahead)
                time.sleep(0.4)
                lake.commit(*later)

            writer = threading.Thread(target=commit)
            writer.start()
            with listening(str(client.base_url), last=str(last)) as stream:
                name, fact = told(stream)
            writer.join()
            assert (name, fact["height"]) == ("block", 103)
            # The same event once more, of a block that this chain never gets: in the end it is told so.
            other = Mark(104, WHOLE, known + 9, ("0" * DIGITS, later[0].blocks["hash"][0].as_py()[:DIGITS]))
            with listening(str(client.base_url), last=str(other)) as stream:
                assert told(stream) == ("reorganisation", {"height": 103, "from_height": 104})


def test_a_mark_knows_how_far_the_chain_parted() -> None:
    shown = {height: f"{height:0{DIGITS}x}".ljust(64, "0") for height in range(100, 200)}
    for fork in (199, 198, 195, 193, 192, 190, 150, 100, 99):
        new = {height: shown[height] if height <= fork else "f" * 64 for height in range(100, 190)}
        mark = Mark.parsed(str(Mark.at(199, 3, shown.get)))
        known = [199 - depth for depth in (0, *DEPTHS)]
        expected = max([height for height in known if 100 <= height <= min(fork, 189)], default=99)
        assert mark.standing(100, new.get) == expected
    assert Mark.parsed(str(Mark.at(-1, 0, shown.get))).standing(0, shown.get) == -1
