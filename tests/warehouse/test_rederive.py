"""A new generation of tables replaces the old one in one step, or not at all."""

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest

from engine.schemas import Judged
from tests.helpers.judged import FactMaker
from tests.helpers.lakes import assert_same_state, content, facts_of, older
from warehouse import errors
from warehouse.folds import make_fold
from warehouse.lake import Lake
from warehouse.manifest import NAME, read_manifest
from warehouse.snapshot import LakeReader


@pytest.fixture
def maker() -> FactMaker:
    return FactMaker(seed=7, modules=True)


@pytest.fixture
def lake(tmp_path: Path, maker: FactMaker) -> Lake:
    lake = Lake.create(tmp_path, "regtest", 100)
    for count in (4, 1, 9):
        lake.commit(*maker.extend(count))
    make_fold(lake)
    return lake


def without_operations(judged: Judged, cumulative: str) -> tuple[Judged, str]:
    """The same blocks under rules that know no operation."""
    empty = sha256(b"").hexdigest()
    no_record = sha256(empty.encode()).hexdigest()
    rows = judged.blocks.to_pylist()
    for row in rows:
        cumulative = sha256((cumulative + empty).encode()).hexdigest()
        row |= {
            "operations": 0,
            "valid_operations": 0,
            "balance_events": 0,
            "event_hash": empty,
            "record_hash": no_record,
        }
        row["cumulative_hash"] = cumulative
    nothing = {
        name: getattr(judged, name).slice(0, 0) for name in ("operations", "balance_events", "tokens", "supplies")
    }
    nothing["modules"] = {name: rows.slice(0, 0) for name, rows in judged.modules.items()}
    return replace(judged, blocks=pa.Table.from_pylist(rows, schema=judged.blocks.schema), **nothing), cumulative


def test_the_same_judgement_gives_the_same_tables(lake: Lake, maker: FactMaker) -> None:
    archive = lake.manifest.of("candidates")
    generation = lake.rederive()
    for first, last in ((0, 10), (10, 14)):
        generation.commit(maker.judged(first, last)[0])
    generation.publish()
    assert content(lake.snapshot) == facts_of(maker)
    assert lake.manifest.of("candidates") == archive
    assert lake.manifest.folds == ()


def test_other_rules_give_other_tables_over_the_same_blocks(lake: Lake, maker: FactMaker) -> None:
    generation, cumulative = lake.rederive(), ""
    old = content(lake.snapshot)
    for first, last in ((0, 10), (10, 14)):
        judged, cumulative = without_operations(maker.judged(first, last)[0], cumulative)
        generation.commit(judged)
        assert content(lake.snapshot) == old, "nothing shows before the end"
    generation.publish()
    with lake:
        assert lake.manifest.cumulative_hash == cumulative
    with Lake.open(lake.directory) as reopened:
        found = content(reopened.snapshot)
        assert found["operations"].num_rows == 0
        assert found["candidates"] == old["candidates"]
        assert found["blocks"]["hash"] == old["blocks"]["hash"]
        state = reopened.state()
        assert {rows.num_rows for rows in (state.balances, *state.modules.values())} == {0}


def other_modules(directory: Path) -> None:
    """Make the lake one that was written without one of the modules, and with one that is gone."""
    path = directory / NAME
    manifest = json.loads(path.read_text())
    manifest["tables"].remove("pools")
    gone = next(segment for segment in manifest["segments"] if segment["table"] == "pools")
    manifest["segments"] = [segment for segment in manifest["segments"] if segment["table"] != "pools"]
    manifest["tables"].append("loans")
    manifest["segments"].append(gone | {"table": "loans"})
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("age", "says"), [(older, "schema version 1, known here is 3"), (other_modules, "the tables loans, pools: run")]
)
def test_tables_of_another_version_or_other_modules_are_refused_until_they_are_derived_anew(
    lake: Lake, maker: FactMaker, age: Callable[[Path], None], says: str
) -> None:
    lake.close()
    age(lake.directory)
    before = (lake.directory / NAME).read_bytes()
    with pytest.raises(errors.RebuildNeeded, match=says):
        LakeReader(lake.directory)
    with Lake.open(lake.directory) as writer:
        for use in (lambda: writer.rewind(103), lambda: writer.commit(*maker.extend(1)), writer.state):
            with pytest.raises(errors.RebuildNeeded, match="run `simplicity rebuild`"):
                use()
        maker.rewind(113)
        assert (lake.directory / NAME).read_bytes() == before
        archive = pa.concat_tables([rows for _, rows in writer.archive(5)])
        assert archive == maker.all()[1]
        generation = writer.rederive()
        generation.commit(maker.all()[0])
        generation.publish()
        assert content(writer.snapshot) == facts_of(maker)
    with Lake.open(lake.directory) as reopened:
        assert_same_state(reopened.state(), maker.state())
        reopened.commit(*maker.extend(2))
        assert content(reopened.snapshot) == facts_of(maker)


def test_an_unfinished_generation_cannot_be_published_and_leaves_the_old(lake: Lake, maker: FactMaker) -> None:
    before = read_manifest(lake.directory)
    generation = lake.rederive()
    generation.commit(maker.judged(0, 10)[0])
    generation.commit(maker.judged(10, 10)[0])
    with pytest.raises(errors.RebuildIncomplete, match="they end with"):
        generation.publish()
    assert read_manifest(lake.directory) == before
    lake.close()
    with Lake.open(lake.directory, grace=0) as reopened:
        assert content(reopened.snapshot) == facts_of(maker)
        there = {str(path.relative_to(lake.directory)) for path in lake.directory.rglob("*.parquet")}
        assert there <= reopened.manifest.paths()


def test_blocks_other_than_the_archived_ones_are_refused(lake: Lake) -> None:
    with pytest.raises(errors.RebuildIncomplete, match="are not those of the archive"):
        lake.rederive().commit(FactMaker(seed=8).extend(3)[0])


def test_blocks_committed_meanwhile_void_the_generation(lake: Lake, maker: FactMaker) -> None:
    generation = lake.rederive()
    generation.commit(maker.all()[0])
    lake.commit(*maker.extend(1))
    with pytest.raises(errors.RebuildIncomplete):
        generation.publish()


def test_an_archive_with_a_gap_is_not_judged(lake: Lake) -> None:
    part = lake.manifest.of("candidates")[0]
    lake.publish(lambda manifest: manifest.with_segments([s for s in manifest.segments if s != part]))
    with pytest.raises(errors.CountMismatch, match="candidates"):
        list(lake.archive(5))
