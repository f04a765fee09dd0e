"""From the stream of blocks to published tables: scans ahead in threads, judges and commits in order."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import Full, Queue

from engine.judge import Engine
from ingest.follow import Extend, Item, Rewind
from ingest.networks import NETWORKS
from ingest.scan import Scanned, scan_blocks
from ingest.stages import Stage, timed
from warehouse.folds import write_fold
from warehouse.lake import Lake
from warehouse.maintenance import Maintenance
from warehouse.manifest import Fold

REBUILD_ROWS = 500_000
"""Candidates judged at once when everything is derived anew."""

Staged = tuple[Scanned, tuple[Stage, ...]]
"""Scanned blocks, and what was done with them so far."""

Ahead = Future[Staged] | Rewind
"""What the reading thread hands over: a scan under way, or a rewind."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A step that is published and durable. `height` is the new tip; a rewind has no blocks."""

    height: int
    blocks: int
    operations: int
    taken_back: int = 0
    """Blocks that a rewind took back."""
    stages: tuple[Stage, ...] = ()
    """What was done when: fetch, scan, judge, commit; or rewind."""


class Indexer:
    """Drives the engine over a lake. Its ledger is restored from the lake and stays one commit for one step with it."""

    def __init__(self, lake: Lake, threads: int = 1) -> None:
        self.lake = lake
        self.threads = threads
        self.engine = Engine(NETWORKS[lake.manifest.network], lake.state())
        self._ahead: dict[int, str] = {}
        self._ahead_lock = threading.Lock()

    def hash_at(self, height: int) -> str | None:
        """Hash of the block that is, or is about to be, indexed at `height`: the stream runs ahead of the commits."""
        with self._ahead_lock:
            ahead = self._ahead.get(height)
        return ahead or self.lake.block_hash(height)

    def index(self, stream: Iterator[Item], stop: threading.Event) -> Iterator[Committed]:
        """Take in the stream until it ends or `stop` is set; what was yielded is published. At the end `stop` is set.

        Raises what the stream raises, and CorruptBlock from the scan.
        """
        with Maintenance(self.lake) as maintenance:
            for item in self._run_ahead(stream, stop):
                yield self._rewind(item.height) if isinstance(item, Rewind) else self._extend(*item)
                maintenance.due()
                if stop.is_set():
                    return

    def _extend(self, scanned: Scanned, before: tuple[Stage, ...]) -> Committed:
        judged, judge = timed("judge", lambda: self.engine.judge(scanned.headers, scanned.candidates))
        _, commit = timed("commit", lambda: self.lake.commit(judged, scanned.candidates))
        heights, hashes = (scanned.headers[name].to_pylist() for name in ("height", "hash"))
        with self._ahead_lock:
            for height, hash_ in zip(heights, hashes, strict=True):
                # The stream may already have put another branch's block in its place.
                if self._ahead.get(height) == hash_:
                    del self._ahead[height]
        return Committed(heights[-1], len(heights), judged.operations.num_rows, stages=(*before, judge, commit))

    def _rewind(self, height: int) -> Committed:
        before = self.lake.tip
        _, stage = timed("rewind", lambda: self._take_back(height))
        return Committed(height, 0, 0, before.height - height if before else 0, (stage,))

    def _take_back(self, height: int) -> None:
        self.lake.rewind(height)
        self.engine.restore(self.lake.state())

    def _run_ahead(self, stream: Iterator[Item], stop: threading.Event) -> Iterator[Staged | Rewind]:
        """The stream with its blocks scanned, `threads` batches at once; order is kept."""
        queue: Queue[Ahead | None] = Queue(maxsize=self.threads)
        abandoned = threading.Event()

        def hand_over(item: Ahead | None) -> None:
            while not abandoned.is_set():
                with suppress(Full):
                    queue.put(item, timeout=0.1)
                    return

        def read() -> None:
            try:
                for item in stream:
                    hand_over(self._started(item, pool))
                    if stop.is_set() or abandoned.is_set():
                        return
            finally:
                hand_over(None)

        with ThreadPoolExecutor(self.threads + 1, "ahead") as pool:
            reader = pool.submit(read)
            try:
                while (item := queue.get()) is not None:
                    yield item if isinstance(item, Rewind) else item.result()
                reader.result()
            finally:
                # The stream may be waiting for a block that nobody wants any more: `stop` is what it listens to.
                stop.set()
                abandoned.set()

    def _started(self, item: Item, pool: ThreadPoolExecutor) -> Ahead:
        with self._ahead_lock:
            if isinstance(item, Rewind):
                self._ahead = {height: hash_ for height, hash_ in self._ahead.items() if height <= item.height}
                return item
            self._ahead |= {block.height: block.hash for block in item.blocks}
        return pool.submit(_scan, item)


def _scan(item: Extend) -> Staged:
    scanned, scan = timed("scan", lambda: scan_blocks(item.blocks))
    return scanned, ((item.fetch, scan) if item.fetch else (scan,))


def rederive(lake: Lake, stop: threading.Event) -> Iterator[Committed]:
    """Judge the whole archive anew and replace every derived table at the end, in one step.

    When `stop` is set, or anything fails, the published tables stay as they were.
    """
    engine = Engine(NETWORKS[lake.manifest.network])
    generation = lake.rederive()
    archive = lake.archive(REBUILD_ROWS)
    fold: Fold | None = None
    with ThreadPoolExecutor(1, "read") as reader, ThreadPoolExecutor(1, "write") as writer:
        written: Future[None] | None = None
        batch = reader.submit(next, archive, None)
        while (rows := batch.result()) is not None and not stop.is_set():
            batch = reader.submit(next, archive, None)
            judged = engine.judge(*rows)
            if written is not None:
                written.result()
            written = writer.submit(generation.commit, judged)
            blocks = rows[0]["height"]
            yield Committed(blocks[-1].as_py(), len(blocks), judged.operations.num_rows)
        if written is not None and not stop.is_set():
            # The engine saw every block, so that it knows the fold while the last of them are still being written.
            fold = write_fold(lake.directory, blocks[-1].as_py(), *engine.folded())
            written.result()
    if not stop.is_set():
        generation.publish(fold)
