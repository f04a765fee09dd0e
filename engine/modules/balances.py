"""Balances with all their digits, beside the columns of `engine.ledger` that show whole units of 10^-8.

Inside a block a balance has up to 50 digits (R-CORE-CONST-9). What is not shown exactly is known here, and as the slack
of the balance's entry, by which plain operations compare.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from engine.accounts import Accounts
from engine.books import INEXACT, Place
from engine.journal import Limbs, open_journal, with_room
from engine.ledger import Ledger, slot_of, store
from engine.modules.decimals import FIFTY_DIGITS
from engine.modules.exact import slack, text, tokens, whole
from engine.modules.registry import Account
from engine.supplies import adjust
from engine.tickers import Tickers
from engine.vocabulary import CAUSE_ROUNDING

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


class Balances:
    """Exact balances of one pass, and the journal that plain operations and modules write."""

    def __init__(self, ledger: Ledger, accounts: Accounts, tickers: Tickers) -> None:
        self.journal = open_journal(0)
        self.place = Place(0, 0, -1)
        self._ledger = ledger
        self._accounts = accounts
        self._tickers = tickers
        self._inexact: dict[tuple[int, int], Decimal] = {}
        """Balances by (ticker, account) that are not what is shown."""
        self._seen = 0
        """Events before this one are in the exact balances."""
        self._entries: dict[tuple[str, Account], Entry] = {}
        self._table = ledger.books.entries
        self._account_numbers: dict[Account, int] = {}

    def entry(self, ticker: str, account: Account) -> Entry:
        """The balance as it is in the books; where it is there is remembered."""
        if self._table is not self._ledger.books.entries:
            self._table = self._ledger.books.entries
            self._entries.clear()
        key = (ticker, account)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = Entry(self.ticker(ticker), self._account(account), -1)
        if entry.slot < 0:
            entry.slot = self._slot(entry.ticker, entry.account)
        return self._loaded(entry)

    def write(self, entries: Sequence[Entry], changes: Sequence[int], causes: Sequence[int]) -> None:
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

    def store(self, entries: Iterable[Entry], paid: Container[Entry] = ()) -> None:
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
            self.place.height,
            np.array([entry.ticker for entry in stored], np.int32),
            np.array([entry.account for entry in stored], np.int32),
            _columns([entry.shown for entry in stored]),
            np.array(slacks, np.int32),
            np.array([entry in paid for entry in stored], np.bool_),
            slots,
        )
        for entry, slot in zip(stored, slots.tolist(), strict=True):
            entry.slot = slot

    def round(self) -> list[str]:
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
        self.write([entry for entry, _ in changed], [change for _, change in changed], [CAUSE_ROUNDING] * len(changed))
        self.store(entries)
        for ticker, change in sums.items():
            self.adjust(ticker, 0, 0, change)
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
                self._inexact[ticker, account] = _add(exact, tokens(signed(delta)))
                followed[ticker, account] = Entry(ticker, account, self._slot(ticker, account))
        self.store([self._loaded(entry) for entry in followed.values()])
        self._ledger.books.counts[INEXACT] = 0

    def adjust(self, ticker: int, minted: int, burned: int, rounding: int) -> None:
        """Add units to the ticker's totals."""
        adjust(
            self._ledger.books,
            self.place.height,
            ticker,
            *(_columns([units])[0] for units in (minted, burned, rounding)),
        )

    def ticker(self, text_: str) -> int:
        """Number of a ticker that the books have room for."""
        number = self._tickers.number(text_)
        self._ledger.reserve(0, len(self._tickers))
        return number

    def _loaded(self, entry: Entry) -> Entry:
        entry.shown = signed(self._ledger.books.entries["balance"][entry.slot].tolist()) if entry.slot >= 0 else 0
        exact = self._inexact.get((entry.ticker, entry.account))
        entry.exact = tokens(entry.shown) if exact is None else exact
        return entry

    def _slot(self, ticker: int, account: int) -> int:
        return int(slot_of(self._ledger.books.entries, ticker, account))

    def _account(self, account: Account) -> int:
        number = self._account_numbers.get(account)
        if number is None:
            number = self._account_numbers[account] = self._accounts.number(*account)
        return number


def signed(pair: Sequence[int]) -> int:
    """The number that (low, high) is in two's complement."""
    units = int(pair[1]) << 64 | int(pair[0])
    return units - 2 * _SIGN if units >= _SIGN else units


def _columns(units: Sequence[int]) -> Limbs:
    """Rows of (low, high)."""
    return np.frombuffer(b"".join([n.to_bytes(16, "little", signed=True) for n in units]), np.uint64).reshape(-1, 2)
