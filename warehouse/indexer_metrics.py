"""What the indexer counts and measures, in Prometheus' text format."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from ingest.breaker import Circuit
from ingest.stages import Stage
from warehouse.indexer import Committed

PREFIX: Final = "simplicity_indexer_"
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
DEPTHS: Final = (1, 2, 3, 6, 12, 24, 100)

WORK: Final = frozenset({"scan", "judge", "commit"})
"""Stages that are ours; fetching is the node's."""


class IndexerMetrics:
    """Of one indexer, from its start on."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._height = Gauge(f"{PREFIX}height", "Height of the newest block that is published.", registry=registry)
        self._target = Gauge(f"{PREFIX}target_height", "Height at which the source ends.", registry=registry)
        self._blocks = Counter(f"{PREFIX}blocks_total", "Blocks that were published.", registry=registry)
        self._operations = Counter(
            f"{PREFIX}operations_total", "Operations judged, refused ones too.", registry=registry
        )
        self._block = Histogram(
            f"{PREFIX}block_seconds",
            "Seconds of scanning, judging and committing a block: of its batch, by the batch's blocks.",
            buckets=SECONDS,
            registry=registry,
        )
        self._stage = Histogram(
            f"{PREFIX}stage_seconds",
            "Seconds of a stage of a batch of blocks: fetch (waiting for the node), scan, judge, commit; or rewind.",
            ["stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self._reorganisations = Counter(
            f"{PREFIX}reorganisations_total", "How often published blocks were taken back.", registry=registry
        )
        self._depth = Histogram(
            f"{PREFIX}reorganisation_depth_blocks", "Blocks taken back at once.", buckets=DEPTHS, registry=registry
        )
        self._waiting = Gauge(f"{PREFIX}waiting", "1 while the source is in the way, else 0.", registry=registry)
        self._waits = Counter(f"{PREFIX}waits_total", "Pauses before the source was asked again.", registry=registry)
        self._calls = Counter(
            f"{PREFIX}node_calls_total",
            "Calls to the node, by method and outcome: answered, or why not.",
            ["method", "outcome"],
            registry=registry,
        )
        self._call = Histogram(
            f"{PREFIX}node_call_seconds",
            "Seconds of a call to the node.",
            ["method"],
            buckets=SECONDS,
            registry=registry,
        )
        self._circuit = Gauge(
            f"{PREFIX}breaker_state", "1 for the state that the circuit breaker is in.", ["state"], registry=registry
        )
        self.circuit(Circuit.CLOSED)

    def committed(self, step: Committed) -> None:
        """A step is published."""
        self._height.set(step.height)
        self._blocks.inc(step.blocks)
        self._operations.inc(step.operations)
        if step.taken_back:
            self._reorganisations.inc()
            self._depth.observe(step.taken_back)
        for stage in step.stages:
            self._stage.labels(stage.name).observe(stage.seconds)
        work = sum(stage.seconds for stage in step.stages if stage.name in WORK)
        for _ in range(step.blocks):
            self._block.observe(work / step.blocks)

    def target(self, height: int) -> None:
        """Where the source ends."""
        self._target.set(height)

    def waits(self) -> None:
        """The source is in the way."""
        self._waits.inc()
        self._waiting.set(1)

    def goes_on(self) -> None:
        """It no longer is."""
        self._waiting.set(0)

    def called(self, call: Stage, outcome: str) -> None:
        """The node was called."""
        self._calls.labels(call.name, outcome).inc()
        self._call.labels(call.name).observe(call.seconds)

    def circuit(self, now: Circuit) -> None:
        """The circuit breaker's state."""
        for circuit in Circuit:
            self._circuit.labels(circuit).set(circuit is now)

    def text(self) -> str:
        """All of them."""
        return generate_latest(self._registry).decode()
