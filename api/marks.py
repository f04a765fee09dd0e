"""Where a stream of events stands: names that still mean something after the chain was reorganised."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from api.errors import InvalidCursor

DEPTHS: Final = (1, 2, 3, 4, 5, 6, 8, 16, 32, 64, 128, 256)
"""Blocks below its own of which a mark holds the hashes: where the chain parted is exact for the first six."""

DIGITS: Final = 12
"""Hex digits of each hash."""

WHOLE: Final = 1_000_000
"""Instead of a place in the block's processing order: everything of the block has been told."""

FIELD: Final = "Last-Event-ID"

_MARK: Final = re.compile(rf"(-1|\d{{1,9}})-(\d{{1,7}})-(\d{{1,15}})((?:-[0-9a-f]{{{DIGITS}}}){{0,{len(DEPTHS) + 1}}})")

Hashes = Callable[[int], str | None]
"""Hash of the published block of a height."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Everything up to a place in a block. Without hashes: before the first block."""

    height: int
    done: int
    sequence: int
    """Of the manifest that it was read from: who has an older one has not seen it yet."""
    hashes: tuple[str, ...]
    """First digits of the block's hash and of those `DEPTHS` below it, as far as there are blocks."""

    @classmethod
    def at(cls, height: int, sequence: int, hashes: Hashes) -> "Mark":
        """The end of the published block of a height."""
        found = [hashes(height - depth) for depth in (0, *DEPTHS) if height >= depth]
        return cls(height, WHOLE, sequence, tuple(each[:DIGITS] for each in found if each is not None))

    @classmethod
    def parsed(cls, text: str) -> "Mark":
        """The mark that has this text. Raises InvalidCursor."""
        match = _MARK.fullmatch(text) if text.isascii() else None
        if match is None or int(match[2]) > WHOLE:
            raise InvalidCursor("this is the id of no event: begin without one", FIELD)
        return cls(int(match[1]), int(match[2]), int(match[3]), tuple(match[4].split("-")[1:]))

    def __str__(self) -> str:
        return "-".join((str(self.height), str(self.done), str(self.sequence), *self.hashes))

    def standing(self, start: int, hashes: Hashes) -> int:
        """The highest block of this mark that is still published; one below `start` when none is."""
        for depth, known in zip((0, *DEPTHS), self.hashes, strict=False):
            found = hashes(self.height - depth)
            if found is not None and found[:DIGITS] == known:
                return self.height - depth
        return start - 1
