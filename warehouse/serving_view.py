"""What point lookups see of one published height: the mapped fold and, over it, what blocks since have changed.

A view never changes. The next one shares all that it did not touch with the one before (persistent maps), so that a
new block costs what it contains, not what the lake holds.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import chain, islice
from typing import Final, NamedTuple

from immutables import Map

from engine.modules.stakes import RECEIPT
from ingest.source import Tip
from warehouse.extensions import Extensions, Held
from warehouse.manifest import Manifest
from warehouse.overlay import NOTHING, UNMOVED, Change, Changes, Moved
from warehouse.recent import Recent
from warehouse.serving_map import Account, RankKey, ServingMap, Supply, Token, rank_key

FEW: Final = 500
"""Changed accounts that are ranked while a request waits."""


class Listed(NamedTuple):
    """All that is told of a token."""

    ticker: str
    token: Token | None
    """None while there is no deploy (R-CORE-STONE-4)."""
    supply: Supply | None
    """None while nothing was minted."""
    held: Held


@dataclass(frozen=True, eq=False)
class View:
    """The ledger at the tip of one manifest. Amounts are in units of 10^-8."""

    manifest: Manifest
    tip: Tip
    last_operation_height: int
    """Newest block with any record, refused ones included; 0 when there is none."""
    fold: ServingMap
    changes: Map[str, Changes] = field(default_factory=Map)
    """By ticker."""
    touched: Map[str, frozenset[str]] = field(default_factory=Map)
    """Address to tickers with changes."""
    supplies: Map[str, Supply] = field(default_factory=Map)
    deploys: Map[str, Token] = field(default_factory=Map)
    newest: tuple[Token, ...] = ()
    """Deploys since the fold, newest first."""
    extensions: Extensions = field(default_factory=Extensions)
    recent: Recent | None = None
    """None where the newest operations are not known yet."""
    _moved: dict[str, Moved] = field(default_factory=dict)
    """Of the tickers whose holders were asked for; views of one fold share them."""
    _listed: list[Listed] = field(default_factory=list, init=False)
    """What `listed` answers, once it was asked."""

    @property
    def height(self) -> int:
        """The block after which all this holds."""
        return self.tip.height

    def account(self, ticker: str, address: str) -> Account | None:
        """The account, also one that is empty by now; None when it never was there."""
        if ticker.startswith(RECEIPT):
            return self.extensions.account(ticker, address)
        changes = self.changes.get(ticker)
        change = changes.by_address.get(address) if changes is not None else None
        return self.fold.account(ticker, address) if change is None else self._changed(ticker, address, change)

    def accounts_of(self, address: str) -> list[Account]:
        """What the address holds, largest balance first, then by ticker; empty accounts are left out."""
        accounts = {account.ticker: account for account in self.fold.accounts_of(address)}
        for ticker in self.touched.get(address, frozenset()):
            accounts[ticker] = self._changed(ticker, address, self.changes[ticker].by_address[address])
        return largest_first(chain(accounts.values(), self.extensions.accounts_of(address)))

    def token(self, ticker: str) -> Token | None:
        """The deploy of a ticker."""
        return self.deploys.get(ticker) or self.fold.tokens.get(ticker)

    def supply(self, ticker: str) -> Supply | None:
        """The supply of a ticker; None when nothing was ever minted."""
        return self.supplies.get(ticker) or self.fold.supply(ticker)

    def knows(self, ticker: str) -> bool:
        """Whether the ticker was deployed or, as STONES may be, minted without (R-CORE-STONE-4), or is a receipt."""
        known = self.token(ticker) is not None or self.supply(ticker) is not None
        return known or ticker in self.extensions.keepers

    def figures(self, ticker: str) -> Listed | None:
        """A token with its supply and what modules keep of it; None when there is no such token."""
        if keeper := self.extensions.keeper(ticker):
            return receipt_figures(self.extensions, ticker, self.token(keeper.ticker))
        token, supply = self.token(ticker), self.supply(ticker)
        return None if token is None and supply is None else Listed(ticker, token, supply, self.extensions.held(ticker))

    def tokens(self, skip: int, limit: int) -> list[Listed]:
        """Deployed tokens, newest deploy first."""
        return list(map(self._listing, islice(self._deployed(), skip, skip + limit)))

    def listed(self) -> list[Listed]:
        """All of them."""
        if not self._listed:
            self._listed[:] = map(self._listing, self._deployed())
        return self._listed

    def count_tokens(self) -> int:
        """How many were deployed."""
        return len(self.newest) + len(self.fold.tokens)

    def _deployed(self) -> Iterator[Token]:
        return chain(self.newest, reversed(self.fold.tokens.values()))

    def _listing(self, token: Token) -> Listed:
        return Listed(token.ticker, token, self.supply(token.ticker), self.extensions.held(token.ticker))

    def holders(self, ticker: str, skip: int, limit: int) -> list[Account]:
        """Accounts of the ticker above zero, largest first, then by address.

        The fold's ranking without changed accounts is merged with the changed ones; counting what comes before a
        rank finds the page by binary search, so that a far page costs no more than the first.
        """
        if ticker.startswith(RECEIPT):
            return self.extensions.ranking(ticker)[skip : skip + limit]
        ranking = self.fold.ranking(ticker)
        changes = self.changes.get(ticker, NOTHING)
        moved = self._ranked(ticker, changes)
        gone, come = moved.gone, moved.come

        def before(rank: int) -> int:
            """Holders that stand before the fold's holder of `rank`."""
            key = ranking[rank]
            return rank - bisect_left(gone, key) + bisect_left(come, key)

        rank = max(bisect_right(range(min(len(ranking), skip + len(gone) + 1)), skip, key=before) - 1, 0)
        place = 0
        if ranking and before(rank) <= skip:
            skip -= before(rank)
            place = bisect_left(come, ranking[rank])

        def unchanged() -> Iterator[tuple[RankKey, Account]]:
            for at in range(rank, len(ranking)):
                account = ranking.account(at)
                if account.address not in changes.by_address:
                    yield rank_key(account), account

        def changed() -> Iterator[tuple[RankKey, Account]]:
            for key in islice(come, place, None):
                address = key[1].decode()
                yield key, self._changed(ticker, address, changes.by_address[address])

        # No two accounts have the same key.
        return [account for _, account in islice(merge(unchanged(), changed()), skip, skip + limit)]

    def tells_holders_at_once(self, ticker: str) -> bool:
        """Whether the ranking is known but for few changes, so that a page of it costs no more than some lookups."""
        changes, known = self.changes.get(ticker, NOTHING), self._moved.get(ticker, UNMOVED).changes
        return known.steps <= changes.steps and len(changes.by_address) - len(known.by_address) <= FEW

    def count_holders(self, ticker: str) -> int:
        """How many they are."""
        if ticker.startswith(RECEIPT):
            return len(self.extensions.ranking(ticker))
        supply = self.supply(ticker)
        return supply.holders if supply else 0

    def _changed(self, ticker: str, address: str, change: Change) -> Account:
        credit_height = change.credit_height
        if not credit_height and (folded := self.fold.account(ticker, address)):
            credit_height = folded.credit_height
        return Account(ticker, address, change.balance, credit_height)

    def _ranked(self, ticker: str, changes: Changes) -> Moved:
        """How the ticker's changes alter the fold's ranking. A view that is older than the last asked starts anew."""
        known = self._moved.get(ticker, UNMOVED)
        if known.changes is changes:
            return known

        def folded(address: str) -> int:
            account = self.fold.account(ticker, address)
            return account.balance if account else 0

        if known.changes.steps > changes.steps:
            return UNMOVED.after(changes, folded)
        moved = self._moved[ticker] = known.after(changes, folded)
        return moved


def largest_first(accounts: Iterable[Account]) -> list[Account]:
    """Accounts of one address that are not empty, by balance, then by ticker."""
    return sorted((account for account in accounts if account.balance), key=lambda a: (-a.balance, a.ticker))


def receipt_figures(extensions: Extensions, ticker: str, rewards: Token | None) -> Listed | None:
    """What is told of a `y` ticker, `rewards` being what its keeper rewards with."""
    receipt = extensions.receipt(ticker, rewards)
    return None if receipt is None else Listed(ticker, *receipt, extensions.held(ticker))
