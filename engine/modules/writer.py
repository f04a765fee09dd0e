"""The ledger that modules write to (`engine.modules.registry.Ledger`).

Inside a block a balance has up to 50 digits; the columns of `engine.ledger` show it in whole units of 10^-8. What a
module does is collected as a unit of work, one operation or one settlement at a block's end, and written in one go.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from engine.accounts import Accounts
from engine.amounts import limbs
from engine.journal import Limbs, open_journal, with_room
from engine.ledger import INEXACT, Ledger, Place, adjust, slot_of, store
from engine.modules.decimals import FIFTY_DIGITS
from engine.modules.exact import shown_changes, slack, text, tokens, whole
from engine.modules.registry import Account, Keeper, Module, Token, Uncovered
from engine.operations import create
from engine.tickers import Tickers
from engine.vocabulary import CAUSE_ROUNDING
from ingest.networks import Network

_add: Final = FIFTY_DIGITS.add
_ZERO: Final = Decimal(0)
_SIGN: Final = 1 << 127


class Entry:
    """One balance at work: `exact` in tokens, `shown` in units of 10^-8."""

    __slots__ = ("account", "exact", "shown", "slot", "ticker")

    def __init__(self, ticker: int, account: int, slot: int) -> None:
        self.ticker = ticker
        self.account = account
        self.slot = slot
        """Place in the table of entries, negative for one that is not there yet."""
        self.exact = _ZERO
        self.shown = 0


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
    """Exact balances beside the ledger's columns, and the journal that both write."""

    def __init__(
        self,
        network: Network,
        ledger: Ledger,
        accounts: Accounts,
        tickers: Tickers,
        modules: Sequence[Module],
        causes: Sequence[str],
    ) -> None:
        self.network = network
        self.journal = open_journal(0)
        self.place = Place(0, 0, -1)
        self._ledger = ledger
        self._accounts = accounts
        self._tickers = tickers
        self._modules = {module.name: module for module in modules}
        self._keepers = [module for module in modules if isinstance(module, Keeper)]
        self._causes = {cause: number for number, cause in enumerate(causes)}
        self._unit = Unit()
        self._inexact: dict[tuple[int, int], Decimal] = {}
        """Balances by (ticker, account) that are not what is shown."""
        self._seen = 0
        """Events before this one are in the exact balances."""
        self._entries: dict[tuple[str, Account], Entry] = {}
        self._table = ledger.books.entries
        self._tokens: dict[str, Token] = {}
        self._keeper_of: dict[str, Keeper | None] = {}
        self._account_numbers: dict[Account, int] = {}

    @property
    def height(self) -> int:
        return self.place.height

    def token(self, ticker: str) -> Token | None:
        token = self._unit.deploys.get(ticker) or self._tokens.get(ticker)
        number = self._tickers.known(ticker)
        if token is None and number is not None and number < len(self._ledger.books.tokens):
            row = self._ledger.books.tokens[number]
            if row["is_deployed"]:
                limit = tokens(_signed(row["limit"])) if row["has_limit"] else None
                maximum = tokens(_signed(row["maximum"]))
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
            self._create(self._ticker(name), token)
        minted, burned, held = (self._totals(sums) for sums in (unit.minted, unit.burned, unit.held))
        totals = {
            ticker: minted.get(ticker, 0) - burned.get(ticker, 0) - held.get(ticker, 0)
            for ticker in {*minted, *burned, *held}
        }
        changes = shown_changes([(entry.ticker, amount) for entry, amount, _ in unit.effects], totals)
        if changes:
            entries = [entry for entry, _, _ in unit.effects]
            self._write(entries, changes, [self._causes[cause] for _, _, cause in unit.effects])
            paid = {entry for entry, change in zip(entries, changes, strict=True) if change > 0}
            self._store(dict.fromkeys(entries), paid)
        for ticker in {*minted, *burned}:
            self._adjust(ticker, minted.get(ticker, 0), burned.get(ticker, 0), 0)

    def discard(self) -> None:
        """Forget the unit of work: it never happened (D-29)."""
        unit, self._unit = self._unit, Unit()
        for undo in reversed(unit.undo):
            undo()

    def round_balances(self) -> list[str]:
        """Make exact what is shown, rounded half away from zero (R-CORE-BLK-7); the lines of the event text."""
        if not self._inexact:
            return []
        inexact = sorted(
            (self._tickers.text(ticker), self._accounts.account(account)[0], ticker, account)
            for ticker, account in self._inexact
        )
        lines, entries, changes, sums = [], [], [], defaultdict[int, int](int)
        for ticker_text, address, ticker, account in inexact:
            entry = self._loaded(Entry(ticker, account, self._slot(ticker, account)))
            change = whole(entry.exact) - entry.shown
            entry.exact = tokens(entry.shown + change)
            entries.append(entry)
            changes.append(change)
            sums[ticker] += change
            if change:
                lines.append(f"rounding;;;{ticker_text};{text(change)};;{address}")
        changed = [(entry, change) for entry, change in zip(entries, changes, strict=True) if change]
        self._write([entry for entry, _ in changed], [change for _, change in changed], [CAUSE_ROUNDING] * len(changed))
        self._store(entries)
        for ticker, change in sums.items():
            self._adjust(ticker, 0, 0, change)
        return lines

    def follow(self) -> None:
        """Let exact balances follow what plain operations did to them, one change after the other."""
        events = self.journal.events
        rows = slice(self._seen, int(events.filled[0]))
        followed = {}
        for ticker, account, delta in zip(
            events.ticker[rows].tolist(), events.account[rows].tolist(), events.delta[rows].tolist(), strict=True
        ):
            exact = self._inexact.get((ticker, account))
            if exact is not None:
                self._inexact[ticker, account] = _add(exact, tokens(_signed(delta)))
                followed[ticker, account] = Entry(ticker, account, self._slot(ticker, account))
        self._store([self._loaded(entry) for entry in followed.values()])
        self._ledger.books.counts[INEXACT] = 0

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
            entry = self._unit.entries[key] = self._known(key)
        return entry

    def _known(self, key: tuple[str, Account]) -> Entry:
        """The balance as it is in the books; where it is there is remembered."""
        if self._table is not self._ledger.books.entries:
            self._table = self._ledger.books.entries
            self._entries.clear()
        entry = self._entries.get(key)
        if entry is None:
            if self.is_kept(key[0]):
                raise TypeError(f"the balances of {key[0]} are a module's: they can only be moved")
            entry = self._entries[key] = Entry(self._ticker(key[0]), self._account(key[1]), -1)
        if entry.slot < 0:
            entry.slot = self._slot(entry.ticker, entry.account)
        return self._loaded(entry)

    def _loaded(self, entry: Entry) -> Entry:
        entry.shown = _signed(self._ledger.books.entries["balance"][entry.slot].tolist()) if entry.slot >= 0 else 0
        exact = self._inexact.get((entry.ticker, entry.account))
        entry.exact = tokens(entry.shown) if exact is None else exact
        return entry

    def _slot(self, ticker: int, account: int) -> int:
        return int(slot_of(self._ledger.books.entries, ticker, account))

    def _change(self, entry: Entry, amount: Decimal, cause: str) -> None:
        entry.exact = _add(entry.exact, amount)
        self._unit.effects.append((entry, amount, cause))

    def _write(self, entries: Sequence[Entry], changes: Sequence[int], causes: Sequence[int]) -> None:
        """Write an event for each change."""
        afters = []
        for entry, change in zip(entries, changes, strict=True):
            entry.shown += change
            afters.append(entry.shown)
        events = with_room(self.journal.events, 2 * len(self.journal.records.block) + len(entries))
        self.journal = self.journal._replace(events=events)
        first = int(events.filled[0])
        rows = slice(first, first + len(entries))
        events.block[rows] = self.place.block
        events.record[rows] = self.place.record
        events.ticker[rows] = [entry.ticker for entry in entries]
        events.account[rows] = [entry.account for entry in entries]
        events.delta[rows] = _columns(changes)
        events.after[rows] = _columns(afters)
        events.cause[rows] = causes
        events.filled[0] = rows.stop

    def _store(self, entries: Iterable[Entry], paid: Container[Entry] = ()) -> None:
        """Enter balances into the books, some of which were paid; nothing that happened before is news any more."""
        stored = list(entries)
        self._seen = int(self.journal.events.filled[0])
        if not stored:
            return
        self._ledger.reserve(len(stored), len(self._tickers))
        slacks = []
        for entry in stored:
            slacks.append(slack(entry.exact, entry.shown))
            if slacks[-1]:
                self._inexact[entry.ticker, entry.account] = entry.exact
            else:
                self._inexact.pop((entry.ticker, entry.account), None)
        slots = np.empty(len(stored), np.int64)
        store(
            self._ledger.books,
            self.height,
            np.array([entry.ticker for entry in stored], np.int32),
            np.array([entry.account for entry in stored], np.int32),
            _columns([entry.shown for entry in stored]),
            np.array(slacks, np.int32),
            np.array([entry in paid for entry in stored], np.bool_),
            slots,
        )
        for entry, slot in zip(stored, slots.tolist(), strict=True):
            entry.slot = slot

    def _totals(self, sums: Mapping[str, Decimal]) -> dict[int, int]:
        return {self._ticker(ticker): whole(amount) for ticker, amount in sums.items()}

    def _adjust(self, ticker: int, minted: int, burned: int, rounding: int) -> None:
        adjust(self._ledger.books, self.height, ticker, *(_columns([units])[0] for units in (minted, burned, rounding)))

    def _create(self, number: int, token: Token) -> None:
        limit = whole(token.limit or _ZERO)
        row = self._ledger.books.tokens[number]
        supply_limbs, limit_limbs = (np.array(limbs(units), np.uint64) for units in (whole(token.max_supply), limit))
        create(row, self.height, supply_limbs, limit_limbs, token.limit is not None)
        row["is_governed"] = True

    def _ticker(self, text_: str) -> int:
        number = self._tickers.number(text_)
        self._ledger.reserve(0, len(self._tickers))
        return number

    def _account(self, account: Account) -> int:
        number = self._account_numbers.get(account)
        if number is None:
            number = self._account_numbers[account] = self._accounts.number(*account)
        return number


def _sum(sums: dict[str, Decimal], ticker: str, amount: Decimal) -> None:
    sums[ticker] = _add(sums.get(ticker, _ZERO), amount)


def _signed(pair: Sequence[int]) -> int:
    """The number that (low, high) is in two's complement."""
    units = int(pair[1]) << 64 | int(pair[0])
    return units - 2 * _SIGN if units >= _SIGN else units


def _columns(units: Sequence[int]) -> Limbs:
    """Rows of (low, high)."""
    return np.frombuffer(b"".join([n.to_bytes(16, "little", signed=True) for n in units]), np.uint64).reshape(-1, 2)
