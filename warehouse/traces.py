"""Traces of indexing: how a batch of blocks went from the node to the published tables."""

from opentelemetry.trace import Tracer, set_span_in_context

from warehouse.indexer import Committed


def trace_step(tracer: Tracer, step: Committed) -> None:
    """One trace for a published step, with a span for each stage. Made afterwards, so that it costs the stages nothing.

    A trace of blocks is named `blocks`, one of a rewind `reorganisation`.
    """
    if not step.stages:
        return
    attributes = {"simplicity.height": step.height, "simplicity.blocks": step.blocks}
    if step.blocks:
        attributes["simplicity.operations"] = step.operations
    else:
        attributes["simplicity.taken_back"] = step.taken_back
    began, ended = min(stage.began for stage in step.stages), max(stage.ended for stage in step.stages)
    root = tracer.start_span("blocks" if step.blocks else "reorganisation", attributes=attributes, start_time=began)
    context = set_span_in_context(root)
    for stage in step.stages:
        tracer.start_span(stage.name, context, start_time=stage.began).end(stage.ended)
    root.end(ended)
