"""Balances: who owns their columns, and the only functions that write them.

Plain operations reach them from the kernel, one balance event at a time. Effects of modules come in many at once, from
`engine.modules.balances`, which also knows the digits beyond the eighth decimal that a balance has inside a block.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.amounts import add, subtract
from engine.arena import grown
from engine.books import INEXACT, USED, Books, free_entries, new_tokens
from engine.compiled import compiled, helper
from engine.supplies import touch

_SMALLEST: Final = 1 << 12
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


class Ledger:
    """Owner of the books. Amounts here are integers of units, tickers and accounts are numbers."""

    def __init__(self) -> None:
        self.books = Books(free_entries(_SMALLEST), new_tokens(1024), np.zeros(1024, np.int32), np.zeros(3, np.int64))

    def reserve(self, entries: int, tickers: int) -> None:
        """Make room for so many more entries, at no more than two thirds of the table, and tickers up to a number."""
        size = len(self.books.entries)
        known = len(self.books.tokens)
        needed = (int(self.books.counts[USED]) + entries) * 3
        if needed <= size * 2 and tickers <= known:
            return
        while needed > size * 2:
            size *= 2
        table = self.books.entries
        if size != len(table):
            table = free_entries(size)
            _refill(self.books.entries, table)
        tokens = grown(self.books.tokens, tickers)
        tokens[known:] = new_tokens(len(tokens) - known)
        self.books = Books(table, tokens, grown(self.books.changed, tickers), self.books.counts)

    def restore_balances(
        self,
        tickers: npt.NDArray[np.int32],
        accounts: npt.NDArray[np.int32],
        balances: npt.NDArray[np.uint64],
    ) -> None:
        """Enter balances as they are, without events."""
        self.reserve(len(tickers), int(tickers.max(initial=-1)) + 1)
        _restore(self.books, tickers, accounts, balances)


@helper
def find(entries: Any, ticker: Any, account: Any) -> Any:
    """Slot of the entry, or the free slot where it belongs."""
    mask = np.uint64(entries.size - 1)
    key = (np.uint64(ticker) << np.uint64(32) | np.uint64(account)) * _MIX
    slot = (key ^ key >> np.uint64(32)) & mask
    while True:
        entry = entries[slot]
        if entry["account"] < 0 or (entry["account"] == account and entry["ticker"] == ticker):
            return slot
        slot = (slot + np.uint64(1)) & mask


@helper
def available(entries: Any, ticker: Any, account: Any) -> Any:
    """(low, high) of the whole units that the account holds exactly, which is never negative."""
    entry = entries[find(entries, ticker, account)]
    low = entry["balance"][0]
    high = entry["balance"][1]
    slack = entry["slack"] >> 1
    if slack > 0:
        return add(low, high, np.uint64(slack), np.uint64(0))
    if slack < 0:
        return subtract(low, high, np.uint64(-slack), np.uint64(0))
    return low, high


@helper
def changed_at(entries: Any, ticker: Any, account: Any) -> Any:
    """Height of the entry's latest event, -1 if there was none."""
    return entries[find(entries, ticker, account)]["changed"]


@compiled
def credit(books: Any, events: Any, place: Any, ticker: Any, account: Any, low: Any, high: Any, cause: Any) -> Any:
    """Add to a balance, opening it if need be."""
    entry = _opened(books, ticker, account)
    after_low, after_high = add(entry["balance"][0], entry["balance"][1], low, high)
    _set(books, place.height, entry, after_low, after_high)
    entry["credited"] = place.height
    _write(books, events, place, entry, low, high, cause)


@compiled
def debit(books: Any, events: Any, place: Any, ticker: Any, account: Any, low: Any, high: Any, cause: Any) -> Any:
    """Take from a balance that is known to suffice."""
    entry = _opened(books, ticker, account)
    after_low, after_high = subtract(entry["balance"][0], entry["balance"][1], low, high)
    _set(books, place.height, entry, after_low, after_high)
    minus_low, minus_high = subtract(np.uint64(0), np.uint64(0), low, high)
    _write(books, events, place, entry, minus_low, minus_high, cause)


@helper
def _opened(books: Any, ticker: Any, account: Any) -> Any:
    entry = books.entries[find(books.entries, ticker, account)]
    if entry["account"] < 0:
        entry["account"] = account
        entry["ticker"] = ticker
        books.counts[USED] += 1
    return entry


@helper
def _is_positive(low: Any, high: Any) -> Any:
    return high >> np.uint64(63) == np.uint64(0) and (low | high) != np.uint64(0)


@helper
def _set(books: Any, height: Any, entry: Any, low: Any, high: Any) -> Any:
    """Store a shown balance."""
    touch(books, entry["ticker"], height)
    was = np.int64(_is_positive(entry["balance"][0], entry["balance"][1]))
    books.tokens[entry["ticker"]]["holders"] += np.int64(_is_positive(low, high)) - was
    entry["balance"][0] = low
    entry["balance"][1] = high
    entry["changed"] = height


@helper
def _write(books: Any, events: Any, place: Any, entry: Any, low: Any, high: Any, cause: Any) -> Any:
    books.counts[INEXACT] += entry["slack"] != 0
    n = events.filled[0]
    events.block[n] = place.block
    events.record[n] = place.record
    events.ticker[n] = entry["ticker"]
    events.account[n] = entry["account"]
    events.delta[n, 0] = low
    events.delta[n, 1] = high
    events.after[n, 0] = entry["balance"][0]
    events.after[n, 1] = entry["balance"][1]
    events.cause[n] = cause
    events.filled[0] = n + 1


@compiled
def store(
    books: Any, height: Any, tickers: Any, accounts: Any, balances: Any, slacks: Any, paid: Any, slots: Any
) -> Any:
    """Enter shown balances with their slack, opening what is new; `slots` receives where each entry is."""
    for n in range(tickers.size):
        slots[n] = find(books.entries, tickers[n], accounts[n])
        entry = _opened(books, tickers[n], accounts[n])
        _set(books, height, entry, balances[n, 0], balances[n, 1])
        entry["slack"] = slacks[n]
        if paid[n]:
            entry["credited"] = height


@compiled
def slot_of(entries: Any, ticker: Any, account: Any) -> Any:
    """Slot of the entry, -1 when there is none."""
    slot = find(entries, ticker, account)
    return np.int64(slot) if entries[slot]["account"] >= 0 else np.int64(-1)


@compiled
def _refill(old: Any, new: Any) -> Any:
    for slot in range(old.size):
        entry = old[slot]
        if entry["account"] >= 0:
            new[find(new, entry["ticker"], entry["account"])] = entry


@compiled
def _restore(books: Any, tickers: Any, accounts: Any, balances: Any) -> Any:
    for n in range(tickers.size):
        entry = _opened(books, tickers[n], accounts[n])
        entry["balance"][0] = balances[n, 0]
        entry["balance"][1] = balances[n, 1]
