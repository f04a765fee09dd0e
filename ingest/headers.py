"""The tree of block headers, and its branch with the most work."""

from array import array
from typing import Final

from ingest.networks import Network

NO_PARENT: Final = bytes(32)
_ABSENT: Final = -1


def target(bits: int) -> int:
    """Largest hash, as a little-endian number, that the compact form admits; 0 where the form is not valid."""
    exponent, mantissa = bits >> 24, bits & 0x007FFFFF
    if bits & 0x00800000:
        return 0
    return mantissa << (8 * (exponent - 3)) if exponent > 3 else mantissa >> (8 * (3 - exponent))


def has_work(header: bytes, hash_: bytes, network: Network) -> bool:
    """Whether the header's hash meets the target that it claims, and the network admits such a target."""
    return int.from_bytes(hash_, "little") <= _claimed_target(header) <= target(network.easiest_bits)


def _claimed_target(header: bytes) -> int:
    return target(int.from_bytes(header[72:76], "little"))


class HeaderTree:
    """Headers in the order in which they were seen, each a row; linked ones have a height and the work up to them.

    A header whose parent is unknown waits, unless it is made a root. Costs about 300 bytes a header.
    """

    def __init__(self) -> None:
        self.hashes: list[bytes] = []
        """Hash of each row, 32 bytes in hashing order."""
        self._rows: dict[bytes, int] = {}
        self._parents = array("i")
        self._heights = array("i")
        self._work: list[int] = []
        """Work of the header alone until it is linked, then of the whole branch up to it."""
        self._waiting: dict[bytes, list[int]] = {}
        self._best = array("i")
        self.base = 0
        """Height of the root."""

    def __contains__(self, hash_: bytes) -> bool:
        return hash_ in self._rows

    @property
    def rooted(self) -> bool:
        """Whether there is a root, and so a best branch."""
        return len(self._best) > 0

    @property
    def height(self) -> int:
        """Height at which the best branch ends."""
        return self.base + len(self._best) - 1

    def row_at(self, height: int) -> int:
        """Row of the best branch at a height from `base` to `height`."""
        return self._best[height - self.base]

    def add(self, header: bytes, hash_: bytes) -> None:
        """Take in a header that is not there yet, as the next row. One without parent becomes the root, at height 0."""
        row, previous = len(self.hashes), header[4:36]
        self.hashes.append(hash_)
        self._rows[hash_] = row
        self._parents.append(_ABSENT)
        self._heights.append(_ABSENT)
        self._work.append((1 << 256) // (_claimed_target(header) + 1))
        parent = self._rows.get(previous)
        if previous == NO_PARENT and not self._best:
            self._link(row)
        elif parent is not None and self._heights[parent] != _ABSENT:
            self._parents[row] = parent
            self._link(row)
        else:
            self._waiting.setdefault(previous, []).append(row)

    def set_root(self, row: int, height: int) -> None:
        """Let the tree begin with this waiting row."""
        for waiting in self._waiting.values():
            if row in waiting:
                waiting.remove(row)
        self.base = height
        self._link(row)

    def heaviest_root(self) -> int | None:
        """The row without parent from which the most work follows; the first seen among equals."""
        best, most = None, 0
        for parent, rows in self._waiting.items():
            if parent in self._rows:
                continue
            for row in rows:
                work = self._work_from(row)
                if work > most or (work == most and best is not None and row < best):
                    best, most = row, work
        return best

    def _work_from(self, root: int) -> int:
        """Work of the heaviest branch that begins with a waiting row."""
        most, pending = 0, [(root, 0)]
        while pending:
            row, below = pending.pop()
            work = below + self._work[row]
            most = max(most, work)
            pending.extend((child, work) for child in self._waiting.get(self.hashes[row], ()))
        return most

    def _link(self, first: int) -> None:
        """Give heights and work to a row whose parent is linked or that is the root, and to all that waited for it."""
        pending = [first]
        while pending:
            row = pending.pop()
            parent = self._parents[row]
            self._heights[row] = self.base if parent == _ABSENT else self._heights[parent] + 1
            if parent != _ABSENT:
                self._work[row] += self._work[parent]
            if not self._best or self._rank(row) > self._rank(self._best[-1]):
                self._make_best(row)
            children = self._waiting.pop(self.hashes[row], [])
            for child in children:
                self._parents[child] = row
            pending.extend(reversed(children))

    def _rank(self, row: int) -> tuple[int, int]:
        """By work; among equals the first seen."""
        return self._work[row], -row

    def _make_best(self, row: int) -> None:
        branch = array("i")
        at = self._heights[row] - self.base
        while at >= len(self._best) or (at >= 0 and self._best[at] != row):
            branch.append(row)
            row = self._parents[row]
            at -= 1
        del self._best[at + 1 :]
        branch.reverse()
        self._best.extend(branch)
