"""The walk from the stream to published tables: what is yielded is published, and nothing ends in silence."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.errors import CorruptBlock, NodeUnreachable
from ingest.follow import Extend, Item, Rewind
from ingest.source import RawBlock, SpentFormat
from ingest.stages import Watch
from tests.helpers.chain import Block, make_block
from tests.helpers.lakes import content, older
from tests.helpers.traffic import Traffic
from warehouse.audit import audit
from warehouse.errors import RebuildNeeded
from warehouse.indexer import Indexer, rederive
from warehouse.lake import Lake

GENESIS = "00" * 32


def chain(length: int, seed: int, parent: Block | None = None) -> list[Block]:
    """Blocks with traffic; above `parent` or from height 0 on."""
    traffic = Traffic(seed)
    blocks: list[Block] = []
    for _ in range(length):
        below = blocks[-1] if blocks else parent
        height = below.height + 1 if below else 0
        tag = seed.to_bytes(2, "little")
        blocks.append(make_block(below.hash if below else GENESIS, height, traffic.txs(3), tag=tag))
    return blocks


def raw(block: Block) -> RawBlock:
    return RawBlock(block.height, block.hash, block.raw, block.spent, SpentFormat.TXOUTS)


def extend(*blocks: Block) -> Extend:
    return Extend([raw(block) for block in blocks])


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.create(tmp_path / "lake", "regtest", 0) as lake:
        yield lake


def run(lake: Lake, items: Iterator[Item] | list[Item], threads: int = 2) -> list[tuple[int, int]]:
    steps = Indexer(lake, threads).index(iter(items), threading.Event())
    return [(step.height, step.blocks) for step in steps]


def test_steps_are_published_in_order(lake: Lake) -> None:
    blocks = chain(6, seed=1)
    assert run(lake, [extend(*blocks[:2]), extend(blocks[2]), extend(*blocks[3:])]) == [(1, 2), (2, 1), (5, 3)]
    assert lake.tip is not None
    assert lake.tip.hash == blocks[-1].hash
    assert audit(lake.directory) == []


def test_a_rewind_in_the_stream_leaves_the_other_branch(lake: Lake) -> None:
    blocks = chain(6, seed=1)
    branch = chain(4, seed=2, parent=blocks[2])
    assert run(lake, [extend(*blocks), Rewind(2), extend(*branch)]) == [(5, 6), (2, 0), (6, 4)]
    assert [lake.block_hash(height) for height in range(7)] == [block.hash for block in blocks[:3] + branch]
    assert audit(lake.directory) == []


def test_steps_tell_when_what_was_done(lake: Lake) -> None:
    """Every stage of a batch of blocks lies within it, in order; a rewind tells how many blocks it took back."""
    blocks = chain(5, seed=1)
    fetched = Extend([raw(block) for block in blocks], Watch("fetch").end())
    extended, rewound = Indexer(lake).index(iter([fetched, Rewind(1)]), threading.Event())
    assert [stage.name for stage in extended.stages] == ["fetch", "scan", "judge", "commit"]
    times = [time for stage in extended.stages for time in (stage.began, stage.ended)]
    assert times == sorted(times)
    assert extended.taken_back == 0
    assert [stage.name for stage in rewound.stages] == ["rewind"]
    assert rewound.taken_back == 3
    assert rewound.stages[0].seconds > 0


def test_hashes_are_known_from_when_the_stream_hands_them_over(lake: Lake) -> None:
    """`follow` looks for a fork in what is about to be indexed, not only in what is published."""
    blocks = chain(4, seed=1)
    branch = chain(2, seed=2, parent=blocks[1])
    indexer = Indexer(lake)
    seen: list[str | None] = []

    def items() -> Iterator[Item]:
        yield extend(*blocks)
        seen.append(indexer.hash_at(3))
        yield Rewind(1)
        yield extend(*branch)
        seen.append(indexer.hash_at(3))
        seen.append(indexer.hash_at(4))

    for _ in indexer.index(items(), threading.Event()):
        pass
    assert seen == [blocks[3].hash, branch[1].hash, None]
    assert indexer.hash_at(3) == branch[1].hash


def test_what_came_before_an_error_of_the_source_is_published(lake: Lake) -> None:
    blocks = chain(3, seed=1)

    def items() -> Iterator[Item]:
        yield extend(*blocks)
        raise NodeUnreachable("The node is away")

    with pytest.raises(NodeUnreachable):
        run(lake, items())
    assert lake.tip is not None
    assert lake.tip.height == 2


def test_a_corrupt_block_ends_it_and_lets_the_stream_go(lake: Lake) -> None:
    blocks = chain(4, seed=1)
    broken = replace(raw(blocks[2]), raw=blocks[2].raw[:-1])
    stop = threading.Event()

    def items() -> Iterator[Item]:
        yield extend(*blocks[:2])
        yield Extend([broken])
        assert stop.wait(30), "the stream was left waiting"

    with pytest.raises(CorruptBlock):
        for _ in Indexer(lake).index(items(), stop):
            pass
    assert lake.tip is not None
    assert lake.tip.height == 1


def test_a_defect_in_the_stream_is_not_taken_for_its_end(lake: Lake) -> None:
    def items() -> Iterator[Item]:
        yield extend(*chain(1, seed=1))
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        run(lake, items())


def test_stop_ends_it_behind_a_published_step(lake: Lake) -> None:
    blocks = chain(5, seed=1)
    stop = threading.Event()
    for step in Indexer(lake).index(iter([extend(block) for block in blocks]), stop):
        assert lake.tip is not None
        assert lake.tip.height == step.height
        if step.height == 2:
            stop.set()
    assert lake.tip is not None
    assert lake.tip.height == 2


def test_rederiving_changes_no_row_and_folds(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    run(lake, [extend(*chain(40, seed=1))])
    before, files = lake.manifest, {segment.file.path for segment in lake.manifest.of("operations")}
    monkeypatch.setattr("warehouse.indexer.REBUILD_ROWS", 5)
    steps = list(rederive(lake, threading.Event()))
    assert len(steps) > 2
    assert sum(step.blocks for step in steps) == 40
    assert lake.manifest.cumulative_hash == before.cumulative_hash
    assert [fold.height for fold in lake.manifest.folds] == [39]
    assert files.isdisjoint(segment.file.path for segment in lake.manifest.of("operations"))
    assert audit(lake.directory) == []


def test_a_lake_of_the_first_schema_version_is_refused_and_rederived_from_its_archive(lake: Lake) -> None:
    """Its tables were judged before there were modules; the archive has all that modules need."""
    run(lake, [extend(*chain(40, seed=1))])
    whole, archive = content(lake.snapshot), lake.manifest.of("candidates")
    lake.close()
    older(lake.directory)
    with pytest.raises(RebuildNeeded, match="schema version 1"):
        audit(lake.directory)
    with Lake.open(lake.directory) as old:
        with pytest.raises(RebuildNeeded, match="run `simplicity rebuild`"):
            Indexer(old)
        for _ in rederive(old, threading.Event()):
            pass
        assert content(old.snapshot) == whole
        assert [segment.file for segment in old.manifest.of("candidates")] == [segment.file for segment in archive]
    assert audit(lake.directory) == []


def test_rederiving_that_is_stopped_leaves_everything(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    run(lake, [extend(*chain(12, seed=1))])
    before = lake.manifest
    monkeypatch.setattr("warehouse.indexer.REBUILD_ROWS", 5)
    stop = threading.Event()
    for _ in rederive(lake, stop):
        stop.set()
    assert lake.manifest == before


def test_rederiving_nothing_is_nothing(lake: Lake) -> None:
    assert list(rederive(lake, threading.Event())) == []
    assert lake.tip is None
