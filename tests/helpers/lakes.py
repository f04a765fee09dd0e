"""Comparing lakes with the facts that went into them, and making them old."""

import json
from pathlib import Path

import pyarrow as pa

from engine.modules.registry import installed
from engine.schemas import State
from tests.helpers.judged import FactMaker
from warehouse.commit import facts
from warehouse.manifest import NAME
from warehouse.snapshot import Snapshot
from warehouse.tables import FACTS, STATES, TABLES


def content(snapshot: Snapshot) -> dict[str, pa.Table]:
    """Every row of every fact table, whatever files they are in."""
    return {name: snapshot.rows(name).combine_chunks() for name in FACTS}


def facts_of(maker: FactMaker) -> dict[str, pa.Table]:
    """The same, straight from the maker."""
    judged, candidates = maker.all()
    tables = {**facts(judged), "candidates": candidates}
    return {name: tables[name] if name in tables else TABLES[name].schema.empty_table() for name in FACTS}


def assert_same_state(found: State, expected: State) -> None:
    """Both states are equal row by row."""
    assert (found.height, found.hash, found.cumulative_hash) == (
        expected.height,
        expected.hash,
        expected.cumulative_hash,
    )
    for name in ("balances", "tokens", "supplies"):
        assert getattr(found, name).equals(getattr(expected, name)), name
    assert found.modules.keys() == set(STATES)
    for name, rows in found.modules.items():
        assert rows.equals(expected.modules.get(name, TABLES[name].schema.empty_table())), name


def older(directory: Path) -> None:
    """Make the lake one of the first schema version, whose manifest named no tables and which knew no modules."""
    path = directory / NAME
    manifest = json.loads(path.read_text())
    manifest["schema_version"] = 1
    del manifest["tables"]
    modules = {table.name for table in installed().tables}
    manifest["segments"] = [
        segment | {"schema_version": 1} for segment in manifest["segments"] if segment["table"] not in modules
    ]
    path.write_text(json.dumps(manifest))
