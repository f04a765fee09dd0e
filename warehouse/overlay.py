"""What blocks since the fold have changed of one ticker's accounts, and how that changes its ranking."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from immutables import Map

from warehouse.serving_map import RankKey


class Change(NamedTuple):
    """An account that blocks since the fold have touched."""

    balance: int
    credit_height: int
    """Newest of these blocks that credited it, 0 when none did: then what the fold says holds."""


@dataclass(frozen=True, eq=False, slots=True)
class Changes:
    """Changed accounts by address, and the steps by which they came about. Never changes."""

    by_address: Map[str, Change] = field(default_factory=Map)
    latest: tuple[str, ...] = ()
    """Addresses of the last step."""
    before: "Changes | None" = None
    steps: int = 0

    def after(self, accounts: Mapping[str, Change]) -> "Changes":
        """With one step more."""
        return Changes(self.by_address.update(accounts), tuple(accounts), self, self.steps + 1)

    def since(self, earlier: "Changes") -> set[str]:
        """Addresses that were changed after the step `earlier`, which these steps continue."""
        changed: set[str] = set()
        step = self
        while step is not earlier:
            changed.update(step.latest)
            assert step.before is not None
            step = step.before
        return changed


NOTHING = Changes()


@dataclass(frozen=True, eq=False, slots=True)
class Moved:
    """How changes alter the fold's ranking of a ticker. Lists are in the order of the ranking."""

    changes: Changes
    gone: list[RankKey]
    """Places in the fold's ranking that are void."""
    come: list[RankKey]
    """Where changed accounts above zero stand now."""

    def after(self, changes: Changes, folded: Callable[[str], int]) -> "Moved":
        """The same for later changes; only what they add is looked at. `folded` tells an address's balance there."""
        gone, come = self.gone.copy(), self.come.copy()
        entered = []
        for address in changes.since(self.changes):
            key = address.encode()
            if known := self.changes.by_address.get(address):
                if known.balance:
                    del come[bisect_left(come, (-known.balance, key))]
            elif balance := folded(address):
                gone.append((-balance, key))
            if balance := changes.by_address[address].balance:
                entered.append((-balance, key))
        # Sorting what is nearly sorted costs little more than looking at it.
        gone.sort()
        come.extend(entered)
        come.sort()
        return Moved(changes, gone, come)


UNMOVED = Moved(NOTHING, [], [])
