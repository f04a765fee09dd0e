"""The stream that indexing consumes: blocks that extend what we have, and rewinds when the best chain moved."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias, runtime_checkable

from ingest.blockjson import parent_of
from ingest.errors import ChainMoved, IngestError, NodeBehind, Stopped
from ingest.patience import Patience
from ingest.source import RawBlock, Source, Tip
from ingest.stages import Stage, Watch

BATCH_BLOCKS: Final = 144
BATCH_BYTES: Final = 64 << 20
"""Bytes of blocks and spent outputs after which a batch is handed out though it has fewer blocks."""


@dataclass(frozen=True, slots=True)
class Extend:
    """Blocks of one branch, each the parent of the next, the first one's parent being our tip."""

    blocks: list[RawBlock]
    fetch: Stage | None = field(default=None, compare=False)
    """When they were waited for; what was fetched ahead of that took no time here."""


@dataclass(frozen=True, slots=True)
class Rewind:
    """Our blocks above `height` are no longer on the best chain. Below the first height that we keep: all of them."""

    height: int


Item: TypeAlias = Extend | Rewind


@runtime_checkable
class WeighsChains(Protocol):
    """A source that can tell the work of chains that are not its best; needed to accept a best chain below our tip."""

    def chain_work(self, hash_: str) -> int | None:
        """Work of the chain that ends in the block; None when the block is unknown."""


def follow(
    source: Source,
    tip: Tip | None,
    our_hash: Callable[[int], str | None],
    *,
    start: int,
    stop_height: int | None = None,
    follow_tip: bool = False,
    patience: Patience | None = None,
    poll: float = 0.5,
    batch_blocks: int = BATCH_BLOCKS,
    batch_bytes: int = BATCH_BYTES,
    on_tip: Callable[[Tip], None] = lambda _: None,
) -> Iterator[Item]:
    """Everything between `tip`, where we are (None: before `start`), and the source's tip or `stop_height`.

    `our_hash` gives the hash that we keep for a height. An item must have been taken in before the next is asked for.
    With `follow_tip` the stream waits for new blocks, looking every `poll` seconds, and ends only at `stop_height`.
    `on_tip` is told the source's tip whenever it was looked up.
    It always ends, at a block boundary, when `patience.stop()` is true. What may succeed later is retried as
    `patience` says; other errors are raised. A source that is behind us is waited for, never followed back.
    """
    patience = patience or Patience()
    stream = _Stream(source, tip, our_hash, start, stop_height, batch_blocks, batch_bytes, on_tip)
    try:
        while not patience.stop():
            item = patience.call(stream.next, also=ChainMoved)
            if item is not None:
                yield item
            elif follow_tip and not stream.finished:
                patience.wait(poll)
            else:
                return
    except Stopped:
        return
    finally:
        stream.close()


class _Stream:
    """Where we are, and the source's blocks that follow while its best chain stays the same."""

    def __init__(
        self,
        source: Source,
        tip: Tip | None,
        our_hash: Callable[[int], str | None],
        start: int,
        stop_height: int | None,
        batch_blocks: int,
        batch_bytes: int,
        on_tip: Callable[[Tip], None],
    ) -> None:
        self._source = source
        self._tip = tip
        self._our_hash = our_hash
        self._start = start
        self._stop_height = stop_height
        self._batch_blocks = batch_blocks
        self._batch_bytes = batch_bytes
        self._on_tip = on_tip
        self._blocks: Iterator[RawBlock] | None = None
        self._last = start - 1

    @property
    def finished(self) -> bool:
        """Whether we are at the height that the stream ends with."""
        return self._stop_height is not None and self._next_height > self._stop_height

    def next(self) -> Item | None:
        """The next item, or None when there is nothing above us now."""
        return self._extend() or self._look() or self._extend()

    def close(self) -> None:
        """Stop what is being fetched."""
        if isinstance(self._blocks, Generator):
            self._blocks.close()
        self._blocks = None

    @property
    def _next_height(self) -> int:
        return self._start if self._tip is None else self._tip.height + 1

    def _look(self) -> Rewind | None:
        """Compare the source's best chain with ours; ready the blocks above us when ours is part of it."""
        best = self._source.tip()
        self._on_tip(best)
        if self._tip == best:
            return None
        if self._tip is not None and not self._is_current(self._tip, best):
            return self._rewind(self._tip, best)
        last = best.height if self._stop_height is None else min(best.height, self._stop_height)
        if self._next_height <= last:
            self._last = last
            self._blocks = self._source.blocks(self._next_height, last + 1)
        return None

    def _is_current(self, ours: Tip, best: Tip) -> bool:
        theirs = self._source.hash_at(ours.height)
        if theirs is None and best.height >= ours.height:
            raise ChainMoved(f"The best chain lost height {ours.height} while it was being read")
        return theirs == ours.hash

    def _rewind(self, ours: Tip, best: Tip) -> Rewind:
        if best.height < ours.height and not self._outweighs(best, ours):
            raise NodeBehind(f"The source's chain ends at {best.height}, below {ours.height} which is indexed")
        height = self._last_common_height(min(ours.height, best.height + 1))
        if self._source.hash_at(best.height) != best.hash:
            raise ChainMoved("The best chain changed while the fork was being looked for")
        hash_ = self._our_hash(height) if height >= self._start else None
        self._tip = Tip(height, hash_) if hash_ is not None else None
        return Rewind(height)

    def _outweighs(self, best: Tip, ours: Tip) -> bool:
        """Whether a best chain that ends below us is another branch with more work. When in doubt it is not."""
        if self._our_hash(best.height) == best.hash or not isinstance(self._source, WeighsChains):
            return False
        our_work, best_work = self._source.chain_work(ours.hash), self._source.chain_work(best.hash)
        return our_work is not None and best_work is not None and best_work > our_work

    def _last_common_height(self, differing: int) -> int:
        """Greatest height below `differing` where both chains have the same block, `start - 1` if there is none."""
        step = 1
        while (common := max(differing - step, self._start - 1)) >= self._start and not self._agrees(common):
            differing, step = common, 2 * step
        while differing - common > 1:
            middle = (common + differing) // 2
            if self._agrees(middle):
                common = middle
            else:
                differing = middle
        return common

    def _agrees(self, height: int) -> bool:
        theirs = self._source.hash_at(height)
        if theirs is None:
            raise ChainMoved(f"The best chain lost height {height} while the fork was being looked for")
        return theirs == self._our_hash(height)

    def _extend(self) -> Extend | None:
        """The next batch, None when nothing is being fetched or all of it was handed out.

        On trouble, the blocks before it are handed out; the trouble returns if it lasts.
        """
        batch: list[RawBlock] = []
        size = 0
        watch = Watch("fetch")
        try:
            while self._blocks is not None and len(batch) < self._batch_blocks and size < self._batch_bytes:
                block = next(self._blocks, None)
                if block is None:
                    self._check_complete(batch)
                    self.close()
                else:
                    self._check_joins(block, batch)
                    batch.append(block)
                    size += len(block.raw) + len(block.spent)
        except IngestError as error:
            self.close()
            if not batch or isinstance(error, ChainMoved | Stopped):
                raise
        if not batch:
            return None
        self._tip = Tip(batch[-1].height, batch[-1].hash)
        return Extend(batch, watch.end())

    def _check_joins(self, block: RawBlock, batch: list[RawBlock]) -> None:
        below = batch[-1] if batch else self._tip
        if block.height != (below.height + 1 if below else self._start):
            raise ChainMoved(f"The source sent height {block.height} out of turn")
        if below is not None and parent_of(block) != below.hash:
            raise ChainMoved(f"Block {block.hash} at height {block.height} does not follow {below.hash}")

    def _check_complete(self, batch: list[RawBlock]) -> None:
        reached = batch[-1].height if batch else self._next_height - 1
        if reached != self._last:
            raise ChainMoved(f"The source's blocks end at {reached}, before {self._last}")
