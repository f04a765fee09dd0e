"""The lake under both judging paths, on chains that meet every rule: it keeps the ledger, and its audit agrees."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings

from engine.judge import Engine
from engine.plain import PlainEngine
from ingest.networks import REGTEST
from tests.helpers.builders import Blocks, candidates, headers
from tests.helpers.lakes import assert_same_state, content
from tests.helpers.strange_chains import FIRST, NETWORK, chains
from tests.helpers.traffic_lake import traffic_batches
from warehouse.audit import audit
from warehouse.compact import compact_step
from warehouse.folds import make_fold
from warehouse.lake import Lake


def part(blocks: Blocks) -> tuple[pa.Table, pa.Table]:
    return headers(blocks), candidates(blocks)


@pytest.mark.parametrize(("engine_class", "other_class"), [(PlainEngine, Engine), (Engine, PlainEngine)])
@given(blocks=chains())
@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow])
def test_the_lake_holds_the_ledger_of_every_height_and_goes_on_from_each(
    tmp_path_factory: pytest.TempPathFactory, engine_class: Any, other_class: Any, blocks: Blocks
) -> None:
    """Rewinding and judging the rest anew changes nothing, and the archive is enough to judge everything anew."""
    directory = tmp_path_factory.mktemp("lake")
    engine, states = engine_class(NETWORK), {}
    with Lake.create(directory, "regtest", FIRST) as lake:
        for height, txs in blocks.items():
            rows = part({height: txs})
            lake.commit(engine.judge(*rows), rows[1])
            states[height] = engine.state()
            if height == FIRST + 1:
                make_fold(lake)
        compact_step(lake)
        assert audit(directory) == []
        whole = content(lake.snapshot)
        for height in reversed(states):
            assert_same_state(lake.state(height), states[height])
            lake.rewind(height)
            engine.restore(lake.state())
            if rest := {at: txs for at, txs in blocks.items() if at > height}:
                rows = part(rest)
                lake.commit(engine.judge(*rows), rows[1])
            assert content(lake.snapshot) == whole
        other, generation = other_class(NETWORK), lake.rederive()
        for batch in lake.archive(3):
            generation.commit(other.judge(*batch))
        generation.publish()
        assert content(lake.snapshot) == whole
        assert audit(directory) == []


@pytest.mark.parametrize(("engine_class", "other_class"), [(PlainEngine, Engine), (Engine, PlainEngine)])
def test_the_state_of_modules_is_restored_at_every_height(tmp_path: Path, engine_class: Any, other_class: Any) -> None:
    """Busy pools, programs and vaults: an engine that begins with the lake's state goes on like its maker."""
    engine, states = engine_class(REGTEST), {}
    (whole_chain,) = traffic_batches(seed=4, blocks=40, batch=40)
    with Lake.create(tmp_path, REGTEST.name, 0) as lake:
        for rows in traffic_batches(seed=4, blocks=40, batch=4):
            lake.commit(engine.judge(*rows), rows[1])
            states[lake.manifest.next_height - 1] = engine.state()
        whole = content(lake.snapshot)
        for height in sorted(states, reverse=True)[1:]:
            assert_same_state(lake.state(height), states[height])
            if height % 3 == 0:
                lake.rewind(height)
                successor = other_class(REGTEST)
                successor.restore(lake.state())
                above = [rows.filter(pc.greater(rows["height"], height)) for rows in whole_chain]
                lake.commit(successor.judge(*above), above[1])
                assert content(lake.snapshot) == whole
        other, generation = other_class(REGTEST), lake.rederive()
        for batch in lake.archive(50):
            generation.commit(other.judge(*batch))
        generation.publish()
        assert content(lake.snapshot) == whole
    assert audit(tmp_path) == []
