"""The indexer's report: what it counts, what it says of itself, and what is taken from its silence."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest.breaker import Circuit
from ingest.errors import NodeUnreachable
from ingest.source import Tip
from ingest.stages import Stage
from warehouse import report
from warehouse.indexer import Committed
from warehouse.report import NAME, SILENCE, Activity, Report, Reporter, read_report

SECOND = 1_000_000_000


def stages(*seconds: tuple[str, int]) -> tuple[Stage, ...]:
    return tuple(Stage(name, 0, length * SECOND) for name, length in seconds)


def samples(directory: Path) -> dict[tuple[str, tuple[str, ...]], float]:
    """Values of the report's metrics by name and label values."""
    told = read_report(directory)
    assert told is not None
    return {
        (sample.name.removeprefix("simplicity_indexer_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(told.metrics)
        for sample in family.samples
    }


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_steps_are_counted_and_measured(tmp_path: Path) -> None:
    with Reporter(tmp_path) as reporter:
        reporter.target(Tip(120, "00"))
        work = stages(("fetch", 100), ("scan", 1), ("judge", 3), ("commit", 4))
        reporter.committed(Committed(109, 10, 7, stages=work))
        reporter.committed(Committed(106, 0, 0, taken_back=3, stages=stages(("rewind", 2))))
        reporter.called(Stage("getblockhash", 0, SECOND // 2), "answered")
        reporter.called(Stage("getblockhash", 0, SECOND // 2), "NodeBusy")
    found = samples(tmp_path)
    expected = {
        ("height", ()): 106,
        ("target_height", ()): 120,
        ("blocks_total", ()): 10,
        ("operations_total", ()): 7,
        ("block_seconds_sum", ()): 8,
        ("block_seconds_count", ()): 10,
        ("stage_seconds_sum", ("commit",)): 4,
        ("stage_seconds_sum", ("fetch",)): 100,
        ("stage_seconds_sum", ("rewind",)): 2,
        ("reorganisations_total", ()): 1,
        ("reorganisation_depth_blocks_sum", ()): 3,
        ("node_calls_total", ("getblockhash", "answered")): 1,
        ("node_calls_total", ("getblockhash", "NodeBusy")): 1,
        ("node_call_seconds_sum", ("getblockhash",)): 1,
        ("breaker_state", ("closed",)): 1,
        ("breaker_state", ("open",)): 0,
    }
    assert {key: found[key] for key in expected} == pytest.approx(expected)


def test_it_says_what_it_waits_for_and_that_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "EVERY", 0.02)

    def activity() -> Activity | None:
        told = read_report(tmp_path)
        return told.activity(time.time()) if told else None

    assert activity() is None
    with Reporter(tmp_path) as reporter:
        until(lambda: activity() is Activity.RUNNING)
        reporter.waiting(NodeUnreachable("nobody answers"), 1.5)
        reporter.circuit(Circuit.OPEN)
        until(lambda: activity() is Activity.WAITING)
        told = read_report(tmp_path)
        assert told is not None
        assert (told.waiting, told.circuit) == (str(NodeUnreachable("nobody answers")), Circuit.OPEN)
        assert samples(tmp_path)["waiting", ()] == 1
        reporter.committed(Committed(1, 1, 0))
        until(lambda: activity() is Activity.RUNNING)
        until(lambda: samples(tmp_path)["waiting", ()] == 0)
        assert samples(tmp_path)["waits_total", ()] == 1
    assert activity() is Activity.STOPPED


def test_silence_means_that_it_is_away(tmp_path: Path) -> None:
    told = Report(1000.0, True, None, Circuit.CLOSED, "")
    assert told.activity(1000.0 + SILENCE) is Activity.RUNNING
    assert told.activity(1000.1 + SILENCE) is Activity.AWAY


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", json.dumps({"updated": "soon", "running": True}).encode(), b"\xff"]
)
def test_what_is_no_report_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert read_report(tmp_path) is None
