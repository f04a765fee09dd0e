"""Single queries over the public views as they are after one block, without defining anything in the database."""

import re
from copy import copy
from typing import Any, Final, Self

from warehouse.histories import Histories
from warehouse.tables import FACTS

_WORD: Final = re.compile(r"\w+")


class ViewQueries:
    """The public names after block `height`, for queries that run beside others."""

    def __init__(self, histories: Histories, height: int) -> None:
        self.height = height
        self._store = histories.store
        self._definitions = self._store.views(height)

    def between(self, first: int, last: int) -> Self:
        """The same from the facts of these blocks only: right for views whose rows come from one block each."""
        narrow = copy(self)
        facts = {name: f"SELECT * FROM {self._store.facts(name, first, last)}" for name in FACTS}
        narrow._definitions = self._definitions | {"records": facts.pop("operations"), **facts}
        return narrow

    def rows(self, query: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Rows of a query that reads views by their names. It must not begin with WITH."""
        needed = self._needed(query)
        views = ", ".join(f'"{name}" AS ({text}\n)' for name, text in self._definitions.items() if name in needed)
        return self._store.fetch(f"WITH {views} {query}" if views else query, values or {})

    def _needed(self, query: str) -> set[str]:
        """Views whose names a query mentions, and those that they mention."""
        needed: set[str] = set()
        texts = [query]
        while texts:
            names = {word for word in _WORD.findall(texts.pop()) if word in self._definitions} - needed
            needed |= names
            texts += [self._definitions[name] for name in names]
        return needed
