"""What ClickHouse shows is the lake, at whole heights, whatever happens between."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event

import pyarrow as pa
import pytest

from tests.helpers.judged import FactMaker
from tests.helpers.published import assert_published, assert_whole, connected
from warehouse.clickhouse.connection import Connection
from warehouse.clickhouse.ddl import STORED, local, statements
from warehouse.clickhouse.errors import OtherSchema, ServerAway, TakenOver, WrongTarget
from warehouse.clickhouse.publish import Publisher
from warehouse.clickhouse.target import Target
from warehouse.compact import compact_step
from warehouse.folds import make_fold
from warehouse.lake import Lake
from warehouse.tables import FACTS

START = 100


@dataclass
class Published:
    """A lake, the chain it is made of, and the engine that it is published to."""

    home: Path
    lake: Lake
    maker: FactMaker
    connection: Connection

    def extend(self, count: int, branch: str = "") -> None:
        self.lake.commit(*self.maker.extend(count, branch))

    def rewind(self, height: int) -> None:
        self.lake.rewind(height)
        self.maker.rewind(height)

    def publisher(self) -> Publisher:
        return Publisher(self.lake.directory, self.connection)

    def publish(self, publisher: Publisher | None = None) -> Publisher:
        """All that there is, after which both hold the same."""
        publisher = publisher or self.publisher()
        while publisher.step():
            assert_whole(self.connection)
        assert_published(self.connection, self.lake.snapshot)
        return publisher

    def stored(self, table: str) -> int:
        """Rows of a table, visible or not."""
        return int(self.connection.rows(f"SELECT count() FROM {STORED}{table}")[0][0])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Published]:
    with Lake.create(tmp_path / "lake", "regtest", START) as lake, connected(tmp_path / "ch") as connection:
        yield Published(tmp_path, lake, FactMaker(seed=5, start=START, modules=True), connection)


def merge_all(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.compact.FEW", 1)
    while compact_step(lake):
        pass


def test_every_table_is_the_lake_s_after_every_kind_of_step(world: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    world.extend(12)
    make_fold(world.lake)
    world.extend(1)
    publisher = world.publish()
    world.extend(3)
    world.publish(publisher)
    make_fold(world.lake)
    world.publish(publisher)
    world.rewind(START + 7)
    world.publish(publisher)
    world.extend(2, "other")
    world.publish(publisher)
    world.extend(4, "other")
    world.publish()
    merge_all(world.lake, monkeypatch)
    world.publish()


def test_a_compacted_segment_adds_no_rows_and_replaces_its_parts_in_the_ledger(
    world: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        world.extend(1)
    publisher = world.publish()
    before = {name: world.stored(name) for name in FACTS}
    merge_all(world.lake, monkeypatch)
    assert publisher.step() is None
    assert {name: world.stored(name) for name in FACTS} == before
    noted = world.connection.rows("SELECT table_name, sha256 FROM segments")
    assert {(part.table, part.file.sha256) for part in world.lake.manifest.segments} <= set(noted)


def test_small_segments_are_gathered_into_one_part_a_table(world: Published) -> None:
    for _ in range(30):
        world.extend(1)
    assert world.publisher().step() is not None
    parts = world.connection.rows(
        f"SELECT table, count() FROM system.parts WHERE active AND startsWith(table, '{STORED}') "
        f"AND table <> '{STORED}commits' "
        "GROUP BY table HAVING count() > 1"
    )
    assert parts == []


def test_many_rows_go_in_steps_of_whole_heights(world: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.clickhouse.publish.STEP_ROWS", 60)
    monkeypatch.setattr("warehouse.clickhouse.publish.INSERT_ROWS", 7)
    world.extend(30)
    make_fold(world.lake)
    publisher, heights = world.publisher(), []
    while step := publisher.step():
        heights.append(step.height)
        assert assert_whole(world.connection) == step.height - START + 1
    assert len(heights) > 4
    assert heights == sorted(set(heights))
    assert_published(world.connection, world.lake.snapshot)


def test_a_chain_that_comes_back_after_a_reorganisation_is_published_again(world: Published) -> None:
    world.extend(10)
    publisher = world.publish()
    for branch in ("other", "", "other", ""):
        world.rewind(START + 5)
        world.extend(4, branch)
        world.publish(publisher)


def test_rows_that_nobody_sees_are_removed_after_the_grace_time(world: Published) -> None:
    world.extend(10)
    make_fold(world.lake)
    publisher = world.publish()
    world.rewind(START + 3)
    world.extend(1, "other")
    make_fold(world.lake)
    world.publish(publisher)
    visible = len(world.lake.snapshot.rows("balance_events"))
    publisher.tidy(grace=600)
    assert world.stored("balance_events") > visible
    publisher.tidy(grace=0)
    assert world.stored("balance_events") == visible
    assert world.stored("balances") == len(world.connection.rows("SELECT ticker FROM fold"))
    assert_published(world.connection, world.lake.snapshot)


def test_the_same_insert_twice_adds_its_rows_once(world: Published) -> None:
    world.extend(1)
    world.publish()
    row = pa.table(
        {
            "table_name": ["blocks"], "first_height": [1], "last_height": [2], "rows": [3], "sha256": ["00"],
            "generation": pa.array([1], pa.uint32()),
        }
    )  # fmt: skip
    before = world.stored("segments")
    for _ in range(3):
        world.connection.insert(f"{STORED}segments", row, "token")
    assert world.stored("segments") == before + 1


@pytest.mark.parametrize("table", ["vaults", "blocks", "balances", "commits"])
def test_rows_of_an_insert_that_the_server_noted_and_lost_are_inserted_again(
    world: Published, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """As when it is killed between the two: it takes the repetition for known."""
    publisher = world.publisher()
    world.extend(12)
    make_fold(world.lake)
    insert, lost = Connection.insert, set[str]()

    def losing(connection: Connection, name: str, rows: pa.Table, token: str) -> None:
        if name == f"{STORED}{table}" and not lost:
            lost.add(token)
        if token not in lost:
            insert(connection, name, rows, token)

    monkeypatch.setattr(Connection, "insert", losing)
    world.publish(publisher)
    assert lost


def test_a_second_publisher_takes_over_and_the_first_can_do_no_harm(world: Published) -> None:
    world.extend(5)
    first = world.publish()
    world.extend(1)
    second = world.publisher()
    with pytest.raises(TakenOver, match="only one may run"):
        first.step()
    assert assert_whole(world.connection) == 5
    world.publish(second)


def test_rows_of_other_rules_over_the_same_blocks_replace_those_published(world: Published) -> None:
    world.extend(12)
    publisher = world.publish()
    judged, _ = world.maker.all()
    hashes = [text if n < 4 else text[::-1] for n, text in enumerate(judged.blocks["record_hash"].to_pylist())]
    at = judged.blocks.schema.get_field_index("record_hash")
    changed = judged.blocks.set_column(at, judged.blocks.schema.field(at), pa.array(hashes))
    generation = world.lake.rederive()
    generation.commit(type(judged)(**{**_parts(judged), "blocks": changed}))
    generation.publish()
    step = publisher.step()
    assert step is not None
    assert step.back
    assert_published(world.connection, world.lake.snapshot)


def test_a_database_of_another_lake_is_refused(world: Published, tmp_path: Path) -> None:
    world.extend(3)
    world.publish()
    with Lake.create(tmp_path / "test", "testnet4", START), pytest.raises(WrongTarget, match="network"):
        Publisher(tmp_path / "test", world.connection)
    with Lake.create(tmp_path / "late", "regtest", START + 1), pytest.raises(WrongTarget, match="start height"):
        Publisher(tmp_path / "late", world.connection)
    with Lake.create(tmp_path / "other", "regtest", START) as other:
        other.commit(*FactMaker(seed=6, start=START).extend(3, "other"))
        publisher = Publisher(tmp_path / "other", world.connection)
        with pytest.raises(WrongTarget, match=f"block {START}"):
            publisher.step()
    assert assert_whole(world.connection) == 3


def test_tables_of_another_schema_version_are_refused(world: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    world.extend(3)
    world.publish()
    monkeypatch.setattr("warehouse.clickhouse.marks.SCHEMA_VERSION", 99)
    with pytest.raises(OtherSchema, match="publish anew"):
        world.publisher()


def test_a_server_that_is_away_is_tried_until_the_deadline_and_its_password_is_told_to_nobody() -> None:
    waits: list[str] = []
    target = Target.of("clickhouse://writer:s3cret@127.0.0.1:1/main")
    connection = Connection(target, Event(), 1.0, lambda error, _seconds: waits.append(str(error)))
    with pytest.raises(ServerAway, match=r"127\.0\.0\.1:1/main does not answer") as caught:
        connection.rows("SELECT 1")
    assert waits
    assert "s3cret" not in "".join([*waits, str(caught.value), repr(target), repr(caught.value.__cause__)])


@pytest.mark.slow
def test_a_reader_sees_one_state_while_blocks_come_and_go(world: Published) -> None:
    """Every query reads seven tables; the writer commits, takes back, folds and removes as fast as it can."""
    random, ended, seen = Random(3), Event(), set()
    world.extend(20)
    publisher = world.publish()

    def write() -> None:
        try:
            deadline = time.monotonic() + 12
            for turn in range(10_000):
                height = world.lake.manifest.next_height - 1
                if turn % 3 == 2 or height > START + 40:
                    world.rewind(random.randrange(START + 5, height))
                world.extend(random.randrange(1, 4), str(turn))
                if turn % 4 == 0:
                    make_fold(world.lake)
                while publisher.step():
                    pass
                publisher.tidy(grace=1)
                if time.monotonic() > deadline:
                    return
        finally:
            ended.set()

    writer = threading.Thread(target=write)
    with connected(world.home / "ch") as reader:
        writer.start()
        while not ended.is_set():
            assert_whole(reader)
            ((height, hash_, events),) = reader.rows(
                "SELECT tip.height, tip.hash, (SELECT sum(balance_events) FROM blocks) FROM tip"
            )
            seen.add((height, hash_, events))
        writer.join()
    assert len(seen) > 5, "the reader was too slow to see anything change"
    assert_published(world.connection, world.lake.snapshot)


def test_a_half_inserted_height_is_seen_by_no_query(world: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    """The publisher stops after each of its inserts in turn; another takes over."""
    world.extend(6)
    world.publish()
    whole = Connection.insert
    for most in range(1, 14):
        world.extend(1)
        publisher, calls = world.publisher(), iter(range(most))

        def stopping(self: Connection, table: str, rows: pa.Table, token: str, calls: Iterator[int] = calls) -> None:
            whole(self, table, rows, token)
            if next(calls, None) is None:
                raise ServerAway("here", "stopped by the test")

        with monkeypatch.context() as patched:
            patched.setattr(Connection, "insert", stopping)
            try:
                publisher.step()
            except ServerAway:
                assert_whole(world.connection)
        world.publish()


@pytest.mark.parametrize("cluster", [None, "main"])
def test_the_parser_of_the_engine_takes_every_statement(world: Published, cluster: str | None) -> None:
    for statement in statements("simplicity", cluster):
        assert world.connection.rows(f"EXPLAIN AST {statement}")
        assert ("ON CLUSTER `main`" in statement) == (cluster is not None)


def test_a_cluster_keeps_a_ticker_s_rows_together_and_small_tables_whole_everywhere() -> None:
    texts = statements("db", "main")
    spread = [text for text in texts if "Distributed(" in text]
    assert {text.split()[5] for text in spread} == {
        f"{STORED}{name}" for name in ("operations", "balance_events", "balances", "candidates")
    }
    for text in texts:
        if "lake_operations" in text and "Distributed(" in text:
            assert "'local_operations', cityHash64(ifNull(ticker, '')))" in text
        if text.startswith("CREATE TABLE") and "Distributed(" not in text:
            assert "Replicated" in text
    assert local("operations", "main") == "local_operations"
    assert local("blocks", "main") == "lake_blocks"


def _parts(judged: object) -> dict[str, object]:
    return {name: getattr(judged, name) for name in judged.__dataclass_fields__}  # type: ignore[attr-defined]  # any dataclass has it
