"""What questions need of whoever keeps the tables: one published state, as Arrow and in SQL."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from warehouse.manifest import Manifest

Values = Mapping[str, Any]
"""Parameters of a query by name: numbers, texts, and lists of either."""


class Published(Protocol):
    """The tables as one manifest publishes them."""

    @property
    def origin(self) -> str:
        """Where they are: with a block's height and hash it names a state for good."""

    @property
    def manifest(self) -> Manifest:
        """Network, heights, tip and cumulative hash."""

    def rows(
        self, table: str, columns: Sequence[str] | None = None, heights: tuple[int, int] | None = None
    ) -> pa.Table:
        """Rows of a fact table in its order, of the heights `heights[0]` to `heights[1]` included or of all."""

    def block_hash(self, height: int) -> str | None:
        """Hash of the block at `height`, None where there is none."""


class Folded(NamedTuple):
    """Relations of what held after one block: accounts with balance and credit height, and supplies."""

    height: int
    accounts: str
    supplies: str


class Store(Protocol):
    """The same in SQL, in the words of `warehouse.words`. Not for use by several threads at once.

    Reads raise StateGone when the state is no longer there.
    """

    @property
    def snapshot(self) -> Published:
        """The state."""

    def fetch(self, query: str, values: Values) -> list[tuple[Any, ...]]:
        """Rows of a query."""

    def batches(self, query: str, values: Values) -> Iterator[pa.RecordBatch]:
        """The same in batches, when they are too many to be fetched at once."""

    def facts(self, table: str, first: int, last: int) -> str:
        """The relation of a fact table's rows from block `first` to block `last`."""

    def spans(self, table: str, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Ranges of heights that cover those from `first` to `last`, the newest first: few rows, then more."""

    def folded(self, height: int) -> Folded | None:
        """What is known of the newest block up to `height` for which it was computed; None when of none."""

    def hashes(self, heights: Sequence[int]) -> dict[int, str]:
        """Hashes of the blocks of ascending heights."""

    def views(self, height: int) -> dict[str, str]:
        """The query behind each public name after block `height`, each after those that it reads."""

    def interrupt(self) -> None:
        """Give up what is being asked; from another thread."""
