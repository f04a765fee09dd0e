"""The ledger that modules write to (`engine.modules.registry.Ledger`).

What a module does is collected as a unit of work, one operation or one settlement at a block's end, and written in one
go: balances count at once, events are those of what took effect.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from engine.amounts import limbs
from engine.ledger import Ledger
from engine.modules.balances import Balances, Entry, signed
from engine.modules.decimals import FIFTY_DIGITS
from engine.modules.exact import shown_changes, tokens, whole
from engine.modules.registry import Account, Keeper, Module, Token, Uncovered
from engine.operations import create
from engine.tickers import Tickers
from ingest.networks import Network

_add: Final = FIFTY_DIGITS.add
_ZERO: Final = Decimal(0)


class Unit:
    """What one unit of work did so far."""

    __slots__ = ("burned", "deploys", "effects", "entries", "held", "minted", "undo")

    def __init__(self) -> None:
        self.entries: dict[tuple[str, Account], Entry] = {}
        self.effects: list[tuple[Entry, Decimal, str]] = []
        self.minted: dict[str, Decimal] = {}
        self.burned: dict[str, Decimal] = {}
        self.held: dict[str, Decimal] = {}
        self.deploys: dict[str, Token] = {}
        self.undo: list[Callable[[], None]] = []

    def is_untouched(self) -> bool:
        return not (self.entries or self.deploys or self.undo or self.minted or self.burned or self.held)


class Writer:
    """The ledger of one pass as modules see it."""

    def __init__(
        self,
        network: Network,
        balances: Balances,
        ledger: Ledger,
        tickers: Tickers,
        modules: Sequence[Module],
        causes: Sequence[str],
    ) -> None:
        self.network = network
        self._balances = balances
        self._ledger = ledger
        self._tickers = tickers
        self._modules = {module.name: module for module in modules}
        self._keepers = [module for module in modules if isinstance(module, Keeper)]
        self._causes = {cause: number for number, cause in enumerate(causes)}
        self._unit = Unit()
        self._tokens: dict[str, Token] = {}
        self._keeper_of: dict[str, Keeper | None] = {}

    @property
    def height(self) -> int:
        return self._balances.place.height

    def token(self, ticker: str) -> Token | None:
        token = self._unit.deploys.get(ticker) or self._tokens.get(ticker)
        number = self._tickers.known(ticker)
        if token is None and number is not None and number < len(self._ledger.books.tokens):
            row = self._ledger.books.tokens[number]
            if row["is_deployed"]:
                limit = tokens(signed(row["limit"])) if row["has_limit"] else None
                maximum = tokens(signed(row["maximum"]))
                token = self._tokens[ticker] = Token(maximum, limit, int(row["deployed"]), bool(row["is_wrap"]))
        return token

    def is_deployed(self, ticker: str) -> bool:
        keeper = self._keeper(ticker)
        return keeper.exists(ticker) if keeper else self.token(ticker) is not None

    def is_kept(self, ticker: str) -> bool:
        return self._keeper(ticker) is not None

    def balance(self, ticker: str, account: Account) -> Decimal:
        keeper = self._keeper(ticker)
        if keeper:
            return keeper.balance(ticker, account)
        return _ZERO if self._tickers.known(ticker) is None else self._entry(ticker, account).exact

    def credit(self, ticker: str, account: Account, amount: Decimal, cause: str) -> None:
        if amount:
            self._change(self._entry(ticker, account), amount, cause)

    def debit(self, ticker: str, account: Account, amount: Decimal, cause: str) -> None:
        entry = self._entry(ticker, account)
        if amount > entry.exact:
            raise Uncovered(f"{account.address} holds {entry.exact} {ticker}, not {amount}")
        if amount:
            self._change(entry, amount.copy_negate(), cause)

    def move(self, ticker: str, sender: Account, recipient: Account, amount: Decimal, cause: str) -> None:
        keeper = self._keeper(ticker)
        if keeper is None:
            self.debit(ticker, sender, amount, cause)
            self.credit(ticker, recipient, amount, cause)
        elif amount:
            self._unit.undo.append(keeper.move(ticker, sender, recipient, amount))

    def mint(self, ticker: str, account: Account, amount: Decimal, cause: str) -> None:
        self.credit(ticker, account, amount, cause)
        _sum(self._unit.minted, ticker, amount)

    def burn(self, ticker: str, account: Account, amount: Decimal, cause: str) -> None:
        self.debit(ticker, account, amount, cause)
        _sum(self._unit.burned, ticker, amount)

    def hold(self, ticker: str, change: Decimal) -> None:
        _sum(self._unit.held, ticker, change)

    def deploy(self, ticker: str, max_supply: Decimal, limit: Decimal | None, deployer: Account | None) -> None:
        is_wrap = limit is not None and not max_supply and not limit
        self._unit.deploys[ticker] = Token(max_supply, limit, self.height, is_wrap)

    def other(self, name: str) -> Module:
        return self._modules[name]

    def settle(self) -> None:
        """Write what was done since the last unit of work, and begin the next."""
        if self._unit.is_untouched():
            return
        unit, self._unit = self._unit, Unit()
        for name, token in unit.deploys.items():
            self._create(self._balances.ticker(name), token)
        minted, burned, held = (self._totals(sums) for sums in (unit.minted, unit.burned, unit.held))
        totals = {
            ticker: minted.get(ticker, 0) - burned.get(ticker, 0) - held.get(ticker, 0)
            for ticker in {*minted, *burned, *held}
        }
        changes = shown_changes([(entry.ticker, amount) for entry, amount, _ in unit.effects], totals)
        if changes:
            entries = [entry for entry, _, _ in unit.effects]
            self._balances.write(entries, changes, [self._causes[cause] for _, _, cause in unit.effects])
            paid = {entry for entry, change in zip(entries, changes, strict=True) if change > 0}
            self._balances.store(dict.fromkeys(entries), paid)
        for ticker in {*minted, *burned}:
            self._balances.adjust(ticker, minted.get(ticker, 0), burned.get(ticker, 0), 0)

    def discard(self) -> None:
        """Forget the unit of work: it never happened (D-29)."""
        unit, self._unit = self._unit, Unit()
        for undo in reversed(unit.undo):
            undo()

    def _keeper(self, ticker: str) -> Keeper | None:
        """The module that keeps the ticker's balances."""
        if ticker not in self._keeper_of:
            self._keeper_of[ticker] = next((keeper for keeper in self._keepers if keeper.keeps(ticker)), None)
        return self._keeper_of[ticker]

    def _entry(self, ticker: str, account: Account) -> Entry:
        """The balance as the unit of work left it."""
        key = (ticker, account)
        entry = self._unit.entries.get(key)
        if entry is None:
            if self.is_kept(ticker):
                raise TypeError(f"the balances of {ticker} are a module's: they can only be moved")
            entry = self._unit.entries[key] = self._balances.entry(ticker, account)
        return entry

    def _change(self, entry: Entry, amount: Decimal, cause: str) -> None:
        entry.exact = _add(entry.exact, amount)
        self._unit.effects.append((entry, amount, cause))

    def _totals(self, sums: Mapping[str, Decimal]) -> dict[int, int]:
        return {self._balances.ticker(ticker): whole(amount) for ticker, amount in sums.items()}

    def _create(self, number: int, token: Token) -> None:
        limit = whole(token.limit or _ZERO)
        row = self._ledger.books.tokens[number]
        supply_limbs, limit_limbs = (np.array(limbs(units), np.uint64) for units in (whole(token.max_supply), limit))
        create(row, self.height, supply_limbs, limit_limbs, token.limit is not None)
        row["is_governed"] = True


def _sum(sums: dict[str, Decimal], ticker: str, amount: Decimal) -> None:
    sums[ticker] = _add(sums.get(ticker, _ZERO), amount)
