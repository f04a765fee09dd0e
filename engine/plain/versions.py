"""State by key that knows what the block in progress changed, and takes back what a refused operation did (D-29)."""

from typing import Any, Generic, Protocol, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Row(Protocol):
    """An immutable value that a module keeps in a table: one version of it is one row."""

    @property
    def key(self) -> Any:
        """What tells it apart in its table: a text, a number, or a tuple of them in the order of the columns."""

    def columns(self) -> dict[str, Any]:
        """The row, without `height`."""

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Row":
        """The reverse of `columns`."""


class Versions(dict[Key, Value], Generic[Key, Value]):
    """Immutable values by key. Nothing is ever deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.heights: dict[Key, int] = {}
        """Last block that changed the value of a key."""
        self._before_block: dict[Key, Value | None] = {}
        self._before_operation: dict[Key, Value | None] = {}
        self._first_written: set[Key] = set()
        """Keys that the operation in progress was the first of its block to write to."""

    def __setitem__(self, key: Key, value: Value) -> None:
        before = self.get(key)
        if key not in self._before_block:
            self._before_block[key] = before
            self._first_written.add(key)
        self._before_operation.setdefault(key, before)
        super().__setitem__(key, value)

    @property
    def touched(self) -> list[Key]:
        """Keys that operations of the block in progress have changed, in the order of their first write."""
        return list(self._before_block)

    def changed(self, absent: Value | None = None) -> list[Key]:
        """Keys whose value differs from that before the block, which was `absent` if there was none."""
        return [
            key
            for key, before in self._before_block.items()
            if self.get(key, absent) != (absent if before is None else before)
        ]

    def keep(self) -> None:
        """The operation took effect: what it did stays."""
        self._before_operation.clear()
        self._first_written.clear()

    def take_back(self) -> None:
        """The operation was refused: everything is as before it."""
        for key, before in self._before_operation.items():
            if before is None:
                del self[key]
            else:
                super().__setitem__(key, before)
        for key in self._first_written:
            del self._before_block[key]
        self.keep()

    def restore(self, key: Key, value: Value, height: int) -> None:
        """A value as an earlier block left it."""
        super().__setitem__(key, value)
        self.heights[key] = height

    def close_block(self, height: int) -> None:
        """What follows belongs to the next block."""
        self.heights |= dict.fromkeys(self.changed(), height)
        self._before_block.clear()
        self.keep()
