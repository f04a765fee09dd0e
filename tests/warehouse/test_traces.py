"""What a trace of indexing tells."""

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ingest.stages import Stage
from warehouse.indexer import Committed
from warehouse.traces import trace_step


def spans_of(step: Committed) -> dict[str, ReadableSpan]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace_step(provider.get_tracer("test"), step)
    return {span.name: span for span in exporter.get_finished_spans()}


def test_blocks_are_one_trace_with_a_span_for_each_stage() -> None:
    stages = Stage("fetch", 10, 20), Stage("scan", 25, 40), Stage("judge", 50, 60), Stage("commit", 60, 75)
    spans = spans_of(Committed(117, 4, 9, stages=stages))
    root = spans.pop("blocks")
    assert root.context is not None
    assert (root.parent, root.start_time, root.end_time) == (None, 10, 75)
    assert dict(root.attributes or {}) == {
        "simplicity.height": 117,
        "simplicity.blocks": 4,
        "simplicity.operations": 9,
    }
    assert {name: (span.start_time, span.end_time) for name, span in spans.items()} == {
        stage.name: (stage.began, stage.ended) for stage in stages
    }
    assert {span.parent and span.parent.span_id for span in spans.values()} == {root.context.span_id}


def test_a_reorganisation_tells_its_depth() -> None:
    spans = spans_of(Committed(114, 0, 0, 3, (Stage("rewind", 10, 20),)))
    assert set(spans) == {"reorganisation", "rewind"}
    assert dict(spans["reorganisation"].attributes or {}) == {
        "simplicity.height": 114,
        "simplicity.blocks": 0,
        "simplicity.taken_back": 3,
    }


def test_a_step_without_stages_is_not_traced() -> None:
    assert spans_of(Committed(117, 4, 9)) == {}
