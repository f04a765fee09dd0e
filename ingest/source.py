"""The door behind which every source of blocks stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class SpentFormat(Enum):
    """How `RawBlock.spent` lists the outputs that the block's inputs spend."""

    UNDO = "undo"
    """The node's undo record (`rev*.dat`): compressed, coinbase left out, without its trailing checksum."""
    TXOUTS = "txouts"
    """Compact-size count of transactions (coinbase included, as an empty list), each a compact-size count of outputs,
    each output an 8-byte value, compact-size length and script: what the REST call `spenttxouts` answers."""


@dataclass(frozen=True, slots=True)
class RawBlock:
    """A block of the best chain as it was serialised, with the outputs that it spends."""

    height: int
    hash: str
    """64 hex digits in display order."""
    raw: bytes | memoryview
    spent: bytes | memoryview
    spent_format: SpentFormat


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a source's best chain ends."""

    height: int
    hash: str


class Source(Protocol):
    """Blocks of the best chain by height. Every method raises subclasses of `ingest.errors.IngestError` only."""

    def tip(self) -> Tip:
        """The end of the best chain that the source can serve now."""

    def hash_at(self, height: int) -> str | None:
        """Hash of the best chain's block at `height`, or None above the tip."""

    def blocks(self, start: int, stop: int) -> Iterator[RawBlock]:
        """Blocks of heights `start` to `stop - 1` in order, as of one view of the best chain."""

    def close(self) -> None:
        """Release files and connections."""
