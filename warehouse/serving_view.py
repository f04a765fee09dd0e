"""What point lookups see of one published height: the mapped fold and, over it, what blocks since have changed.

A view never changes. The next one shares all that it did not touch with the one before (persistent maps), so that a
new block costs what it contains, not what the lake holds.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import chain, islice
from typing import NamedTuple

from immutables import Map

from ingest.source import Tip
from warehouse.manifest import Manifest
from warehouse.serving_map import Account, RankKey, ServingMap, Supply, Token, rank_key


class Change(NamedTuple):
    """An account that blocks since the fold have touched."""

    balance: int
    credit_height: int
    folded: int
    """Its balance in the fold, 0 when it is not there."""


Moved = tuple[list[RankKey], list[Account]]
"""Places in the fold's ranking that are void, and accounts that stand elsewhere by now; both in order."""


@dataclass(frozen=True, eq=False)
class View:
    """The ledger at the tip of one manifest. Amounts are in units of 10^-8."""

    manifest: Manifest
    tip: Tip
    last_operation_height: int
    """Newest block with any record, refused ones included; 0 when there is none."""
    fold: ServingMap
    changes: Map[str, Map[str, Change]] = field(default_factory=Map)
    """By ticker, then address."""
    touched: Map[str, frozenset[str]] = field(default_factory=Map)
    """Address to tickers with changes."""
    supplies: Map[str, Supply] = field(default_factory=Map)
    deploys: Map[str, Token] = field(default_factory=Map)
    newest: tuple[Token, ...] = ()
    """Deploys since the fold, newest first."""
    _rankings: dict[str, tuple[Map[str, Change], Moved]] = field(default_factory=dict)
    """Sorted changes of the tickers whose holders were asked for; views of one fold share them."""

    def account(self, ticker: str, address: str) -> Account | None:
        """The account, also one that is empty by now; None when it never had an event."""
        changes = self.changes.get(ticker)
        change = changes.get(address) if changes is not None else None
        if change is None:
            return self.fold.account(ticker, address)
        return Account(ticker, address, change.balance, change.credit_height)

    def accounts_of(self, address: str) -> list[Account]:
        """What the address holds, largest balance first, then by ticker; empty accounts are left out."""
        accounts = {account.ticker: account for account in self.fold.accounts_of(address)}
        for ticker in self.touched.get(address, frozenset()):
            change = self.changes[ticker][address]
            accounts[ticker] = Account(ticker, address, change.balance, change.credit_height)
        return sorted((a for a in accounts.values() if a.balance), key=lambda a: (-a.balance, a.ticker))

    def token(self, ticker: str) -> Token | None:
        """The deploy of a ticker."""
        return self.deploys.get(ticker) or self.fold.tokens.get(ticker)

    def supply(self, ticker: str) -> Supply | None:
        """The supply of a ticker; None when nothing was ever minted."""
        return self.supplies.get(ticker) or self.fold.supply(ticker)

    def knows(self, ticker: str) -> bool:
        """Whether the ticker was deployed or, as STONES may be, minted without (R-CORE-STONE-4)."""
        return self.token(ticker) is not None or self.supply(ticker) is not None

    def tokens(self, skip: int, limit: int) -> list[Token]:
        """Deployed tokens, newest deploy first."""
        return list(islice(chain(self.newest, reversed(self.fold.tokens.values())), skip, skip + limit))

    def holders(self, ticker: str, skip: int, limit: int) -> list[Account]:
        """Accounts of the ticker above zero, largest first, then by address.

        The fold's ranking without changed accounts is merged with the changed ones; counting what comes before a
        rank finds the page by binary search, so that a far page costs no more than the first.
        """
        ranking = self.fold.ranking(ticker)
        changes = self.changes.get(ticker, Map())
        gone, come = self._moved(ticker, changes)

        def before(rank: int) -> int:
            """Holders that stand before the fold's holder of `rank`."""
            return rank - bisect_left(gone, ranking[rank]) + bisect_left(come, ranking[rank], key=rank_key)

        rank = max(bisect_right(range(len(ranking)), skip, key=before) - 1, 0)
        place = 0
        if ranking and before(rank) <= skip:
            skip -= before(rank)
            place = bisect_left(come, ranking[rank], key=rank_key)

        def unchanged() -> Iterator[Account]:
            accounts = map(ranking.account, range(rank, len(ranking)))
            return (account for account in accounts if account.address not in changes)

        return list(islice(merge(unchanged(), come[place:], key=rank_key), skip, skip + limit))

    def _moved(self, ticker: str, changes: Map[str, Change]) -> Moved:
        known = self._rankings.get(ticker)
        if known is None or known[0] is not changes:
            gone = sorted((-change.folded, address.encode()) for address, change in changes.items() if change.folded)
            accounts = (
                Account(ticker, address, c.balance, c.credit_height) for address, c in changes.items() if c.balance
            )
            known = self._rankings[ticker] = changes, (gone, sorted(accounts, key=rank_key))
        return known[1]
