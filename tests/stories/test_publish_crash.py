"""Whoever is killed while a lake is published, ClickHouse shows the lake: no row twice, none missing, no half height.

Three processes: a writer that commits, reorganises, folds, merges and derives anew; `simplicity publish --follow`; and
ClickHouse. No package has ClickHouse's server, so its engine stands behind its HTTP interface in a process of its own
(`tests.helpers.clickhouse_server`): the client, the connection that breaks, the statement that is cut off and the files
that are left are real, the server around the engine is not. With `chdb://` the engine is in the publisher's process,
and both die together.
"""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from threading import Event

import pytest

from ingest.source import Tip
from tests.helpers.branching_writer import START
from tests.helpers.clickhouse_server import ServerProcess
from tests.helpers.published import assert_published, assert_whole, connected
from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.ddl import ENDS, STORED
from warehouse.clickhouse.target import Target
from warehouse.lake import Lake
from warehouse.manifest import read_manifest
from warehouse.snapshot import LakeReader
from warehouse.tables import FACTS, TABLES
from warehouse.trail import actions

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds within which whoever was started or held up has to go on."""

STARTING = 0.25
"""Of the kills, those that hit the publisher while it starts and makes what is missing."""

VICTIMS = (
    ("publisher",),
    ("publisher",),
    ("server",),
    ("server",),
    ("writer",),
    ("publisher", "server"),
    ("publisher", "writer"),
    ("server", "writer"),
    ("publisher", "server", "writer"),
)


class Child:
    """A process that is started again whenever it was killed; it must not end otherwise."""

    def __init__(self, log: Path, *command: str) -> None:
        self._command, self._log = command, log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Nothing if it runs."""
        if self._process is None:
            with self._log.open("wb") as log:
                command = [sys.executable, "-m", *self._command]
                self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def check(self) -> None:
        """Fails with what it said when it has ended."""
        assert self._process is None or self._process.poll() is None, self._log.read_text()

    def kill(self) -> None:
        """A kill that hits nobody is a failure: the process had ended."""
        assert self._process is not None
        self._process.kill()
        assert self._process.wait() == -signal.SIGKILL, self._log.read_text()
        self._process = None

    def end(self) -> None:
        if self._process is not None:
            self.kill()


@contextmanager
def writing(home: Path, seed: int) -> Iterator[tuple[Path, Child]]:
    """A lake, and who writes to it."""
    lake = home / "lake"
    Lake.create(lake, "regtest", START).close()
    writer = Child(home / "writer.log", "tests.helpers.branching_writer", str(lake), str(seed))
    try:
        yield lake, writer
    finally:
        writer.end()


def story(home: Path, rounds: int, seed: int) -> Counter[str]:
    """Kill one or more of the three so many times; how often while a statement of each kind was at work."""
    random, hits = Random(seed), Counter[str]()
    with writing(home, seed) as (lake, writer), ServerProcess(home / "clickhouse") as server:
        publisher = Child(home / "publisher.log", *publishing(lake, f"{server.address}/simplicity"), "--follow")
        children: dict[str, Child | ServerProcess] = {"publisher": publisher, "writer": writer, "server": server}
        try:
            with reading(server) as reader:
                while hits.total() < rounds:
                    writer.start()
                    publisher.start()
                    if random.random() < STARTING:
                        hits[struck(server, random, 100)] += 1
                        publisher.kill()
                        continue
                    compare(reader, lake, writer, publisher)
                    hits[struck(server, random, 60)] += 1
                    dead = random.choice(VICTIMS)
                    for name in dead:
                        children[name].kill()
                    if "server" in dead:
                        time.sleep(random.choice((0.0, 0.5)))
                        server.start()
                    assert_whole(reader)
                writer.start()
                publisher.start()
                compare(reader, lake, writer, publisher)
        finally:
            publisher.end()
    return hits


def publishing(lake: Path, address: str) -> list[str]:
    return ["simplicity", "publish", "--data", str(lake), "--to", address]


@contextmanager
def reading(server: ServerProcess) -> Iterator[Connection]:
    """A connection of another client, which outlives the server."""
    with closing(Connection(Target.of(f"{server.address}/simplicity"), Event(), PATIENCE)) as reader:
        reader.run("CREATE DATABASE IF NOT EXISTS simplicity")
        reader.use_database()
        yield reader


def struck(server: ServerProcess, random: Random, most: int) -> str:
    """Wait until some instant of the work, by the number of statements; what kind of statement was the last."""
    asked = server.next_statements(random.randint(1, most), PATIENCE)
    time.sleep(random.uniform(0, 0.02))
    return asked[-1].split()[0]


def compare(reader: Connection, lake: Path, writer: Child, publisher: Child) -> None:
    """Hold the writer until ClickHouse shows what the lake has published; then every table and view is the lake's."""
    writer.signal(signal.SIGSTOP)
    tip, deadline = read_manifest(lake).tip, time.monotonic() + PATIENCE
    while tip is not None and not shown(reader, tip):
        publisher.check()
        assert time.monotonic() < deadline, f"the lake's {tip} was not published"
        time.sleep(0.05)
    if tip is not None:
        assert_published(reader, LakeReader(lake).snapshot())
    writer.signal(signal.SIGCONT)


def shown(reader: Connection, tip: Tip) -> bool:
    """Whether the newest mark is of that block."""
    if not reader.rows(f"EXISTS TABLE {STORED}commits")[0][0]:
        return False
    newest = reader.rows(f"SELECT height, hash FROM {STORED}commits ORDER BY sequence DESC LIMIT 1")
    return newest == [(tip.height, tip.hash)]


def story_of_one_process(home: Path, rounds: int, seed: int) -> int:
    """The same with the engine in the publisher; how many kills left rows that no mark shows."""
    random, cut = Random(seed), 0
    with writing(home, seed) as (lake, writer):
        folder = home / "clickhouse"
        command = publishing(lake, f"chdb://{folder}")
        publisher = Child(home / "publisher.log", *command, "--follow")
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True, capture_output=True)
        try:
            for _ in range(rounds):
                writer.start()
                begun = publications(lake)
                publisher.start()
                while publications(lake) == begun:
                    publisher.check()
                    time.sleep(0.005)
                time.sleep(random.choice((random.uniform(0, 0.2), random.uniform(0, 3))))
                publisher.kill()
                if random.random() < 0.3:
                    writer.kill()
                else:
                    writer.signal(signal.SIGSTOP)
                with connected(folder) as reader:
                    assert_whole(reader)
                    cut += hidden(reader) > 0
                subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True, capture_output=True)
                with connected(folder) as reader:
                    assert_published(reader, LakeReader(lake).snapshot())
                writer.end()
        finally:
            publisher.end()
    return cut


def publications(lake: Path) -> int:
    """How often somebody has begun to publish the lake."""
    return sum(each["action"] == "publish" for each in actions(lake))


def hidden(reader: Connection) -> int:
    """Rows of the newest generation that no mark shows."""
    newest = f"generation = (SELECT max(generation) FROM {STORED}commits)"
    return sum(
        int(
            reader.rows(
                f"SELECT count() FROM {STORED}{name} WHERE {newest} AND {table.height} >= {ENDS}[generation + 1]"
            )[0][0]
        )
        for name, table in ((name, TABLES[name]) for name in FACTS)
    )


def test_a_few_kills_of_publisher_server_and_writer_change_nothing(tmp_path: Path) -> None:
    assert story(tmp_path, rounds=3, seed=1).total() == 3


def test_a_kill_of_publisher_and_engine_in_one_process_changes_nothing(tmp_path: Path) -> None:
    story_of_one_process(tmp_path, rounds=1, seed=1)


@pytest.mark.slow
def test_a_hundred_kills_of_publisher_server_and_writer_change_nothing(tmp_path: Path) -> None:
    hits = story(tmp_path, rounds=100, seed=2)
    print(hits)
    assert hits.total() == 100
    assert hits["INSERT"] > 10, "hardly a kill hit an insert"


@pytest.mark.slow
def test_twenty_kills_of_publisher_and_engine_in_one_process_change_nothing(tmp_path: Path) -> None:
    assert story_of_one_process(tmp_path, rounds=20, seed=3) > 0, "no kill left anything unfinished"
