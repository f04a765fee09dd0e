"""Balances and supplies: the columns, and the only functions that write them.

Plain operations reach them from the kernel, modules through `Ledger`; both write the same balance events.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.amounts import add, exceeds, limbs, subtract
from engine.arena import grown
from engine.compiled import compiled, helper
from engine.journal import Events

_LIMBS: Final = ("<u8", 2)

ENTRY: Final = np.dtype(
    [("balance", *_LIMBS), ("ticker", "<i4"), ("account", "<i4"), ("changed", "<i4")],
    align=True,
)
"""One balance. `changed` is the height of its latest event, -1 when restored. An entry without account is free."""

TOKEN: Final = np.dtype(
    [
        ("maximum", *_LIMBS),
        ("limit", *_LIMBS),
        ("minted", *_LIMBS),
        ("burned", *_LIMBS),
        ("rounding", *_LIMBS),
        ("holders", "<i8"),
        ("old_minted", *_LIMBS),
        ("old_burned", *_LIMBS),
        ("old_rounding", *_LIMBS),
        ("old_holders", "<i8"),
        ("changed", "<i4"),
        ("deployed", "<i4"),
        ("written", "<i4"),
        ("is_deployed", "?"),
        ("has_limit", "?"),
        ("is_wrap", "?"),
    ],
    align=True,
)
"""Supply of one ticker, deployed or not. `old_*` is as of before block `changed`; `deployed` is a height,
`written` that of the latest row of SUPPLIES."""

USED: Final = 0
CHANGED: Final = 1
_SMALLEST: Final = 1 << 12
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


class Books(NamedTuple):
    """The arrays that kernels work on."""

    entries: npt.NDArray[Any]
    """ENTRY, an open-addressing table keyed by (ticker, account); its length is a power of two."""
    tokens: npt.NDArray[Any]
    """TOKEN by ticker number."""
    changed: npt.NDArray[np.int32]
    """Tickers whose supply the current block touched."""
    counts: npt.NDArray[np.int64]
    """USED entries; CHANGED tickers."""


class Place(NamedTuple):
    """Where in the range an effect happens."""

    block: int
    height: int
    record: int
    """Negative at the block's end."""


class Ledger:
    """Owner of the books. Amounts here are integers of units, tickers and accounts are numbers."""

    def __init__(self) -> None:
        self.books = Books(_free(_SMALLEST), _tokens(1024), np.zeros(1024, np.int32), np.zeros(2, np.int64))

    def reserve(self, entries: int, tickers: int) -> None:
        """Make room for so many more entries, at no more than two thirds of the table, and tickers up to a number."""
        size = len(self.books.entries)
        while (int(self.books.counts[USED]) + entries) * 3 > size * 2:
            size *= 2
        table = self.books.entries
        if size != len(table):
            table = _free(size)
            _refill(self.books.entries, table)
        known = len(self.books.tokens)
        tokens = grown(self.books.tokens, tickers)
        tokens[known:] = _tokens(len(tokens) - known)
        self.books = Books(table, tokens, grown(self.books.changed, tickers), self.books.counts)

    def balance(self, ticker: int, account: int) -> int:
        """Units that the account holds."""
        low, high = balance(self.books.entries, ticker, account)
        return int(high) << 64 | int(low)

    def credit(self, events: Events, place: Place, ticker: int, account: int, units: int, cause: int) -> None:
        """Add units to a balance and write the event."""
        low, high = (np.uint64(limb) for limb in limbs(units))
        credit(self.books, events, place, ticker, account, low, high, cause)

    def debit(self, events: Events, place: Place, ticker: int, account: int, units: int, cause: int) -> None:
        """Take units from a balance and write the event. Raises ValueError when it holds less."""
        if units > self.balance(ticker, account):
            raise ValueError("debit of more than the account holds")
        low, high = (np.uint64(limb) for limb in limbs(units))
        debit(self.books, events, place, ticker, account, low, high, cause)

    def restore_balances(
        self,
        tickers: npt.NDArray[np.int32],
        accounts: npt.NDArray[np.int32],
        balances: npt.NDArray[np.uint64],
    ) -> None:
        """Enter balances as they are, without events."""
        self.reserve(len(tickers), int(tickers.max(initial=-1)) + 1)
        _restore(self.books, tickers, accounts, balances)


def _free(size: int) -> npt.NDArray[Any]:
    entries = np.zeros(size, ENTRY)
    entries["account"] = -1
    entries["changed"] = -1
    return entries


def _tokens(size: int) -> npt.NDArray[Any]:
    tokens = np.zeros(size, TOKEN)
    tokens["changed"] = -1
    tokens["deployed"] = -1
    tokens["written"] = -1
    return tokens


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


@compiled
def balance(entries: Any, ticker: Any, account: Any) -> Any:
    """(low, high) of what the account holds."""
    entry = entries[find(entries, ticker, account)]
    return entry["balance"][0], entry["balance"][1]


@helper
def changed_at(entries: Any, ticker: Any, account: Any) -> Any:
    """Height of the entry's latest event, -1 if there was none."""
    return entries[find(entries, ticker, account)]["changed"]


@helper
def touch(books: Any, ticker: Any, height: Any) -> Any:
    """Remember the ticker's supply as of before this block."""
    token = books.tokens[ticker]
    if token["changed"] == height:
        return
    token["changed"] = height
    for k in range(2):
        token["old_minted"][k] = token["minted"][k]
        token["old_burned"][k] = token["burned"][k]
        token["old_rounding"][k] = token["rounding"][k]
    token["old_holders"] = token["holders"]
    books.changed[books.counts[CHANGED]] = ticker
    books.counts[CHANGED] += 1


@compiled
def credit(books: Any, events: Any, place: Any, ticker: Any, account: Any, low: Any, high: Any, cause: Any) -> Any:
    """Add to a balance, opening it if need be."""
    entry = _opened(books, ticker, account)
    before_low = entry["balance"][0]
    before_high = entry["balance"][1]
    after_low, after_high = add(before_low, before_high, low, high)
    _set(books, events, place, entry, before_low | before_high, after_low, after_high)
    _write(events, place, entry, low, high, cause)


@compiled
def debit(books: Any, events: Any, place: Any, ticker: Any, account: Any, low: Any, high: Any, cause: Any) -> Any:
    """Take from a balance that is known to suffice."""
    entry = _opened(books, ticker, account)
    before_low = entry["balance"][0]
    before_high = entry["balance"][1]
    after_low, after_high = subtract(before_low, before_high, low, high)
    _set(books, events, place, entry, before_low | before_high, after_low, after_high)
    minus_low, minus_high = subtract(np.uint64(0), np.uint64(0), low, high)
    _write(events, place, entry, minus_low, minus_high, cause)


@helper
def issue(books: Any, place: Any, ticker: Any, low: Any, high: Any) -> Any:
    """Add to the total minted of a ticker."""
    touch(books, ticker, place.height)
    minted = books.tokens[ticker]["minted"]
    minted[0], minted[1] = add(minted[0], minted[1], low, high)


@helper
def is_mintable(token: Any, low: Any, high: Any) -> Any:
    """Whether the amount fits between what was minted and the maximum supply (R-CORE-MINT-5)."""
    maximum = token["maximum"]
    minted = token["minted"]
    if exceeds(minted[0], minted[1], maximum[0], maximum[1]):
        return False
    left_low, left_high = subtract(maximum[0], maximum[1], minted[0], minted[1])
    return not exceeds(low, high, left_low, left_high)


@helper
def _opened(books: Any, ticker: Any, account: Any) -> Any:
    entry = books.entries[find(books.entries, ticker, account)]
    if entry["account"] < 0:
        entry["account"] = account
        entry["ticker"] = ticker
        books.counts[USED] += 1
    return entry


@helper
def _set(books: Any, events: Any, place: Any, entry: Any, before: Any, after_low: Any, after_high: Any) -> Any:
    """Store the balance; `before` is zero when the old one was."""
    touch(books, entry["ticker"], place.height)
    entry["balance"][0] = after_low
    entry["balance"][1] = after_high
    entry["changed"] = place.height
    was = np.int64(before != np.uint64(0))
    books.tokens[entry["ticker"]]["holders"] += np.int64((after_low | after_high) != np.uint64(0)) - was


@helper
def _write(events: Any, place: Any, entry: Any, low: Any, high: Any, cause: Any) -> Any:
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
def close_block(books: Any, supplies: Any, block: Any, height: Any) -> Any:
    """Write a supply for every ticker whose numbers differ from before the block."""
    for k in range(books.counts[CHANGED]):
        ticker = books.changed[k]
        token = books.tokens[ticker]
        same = token["holders"] == token["old_holders"]
        for limb in range(2):
            same = same and token["minted"][limb] == token["old_minted"][limb]
            same = same and token["burned"][limb] == token["old_burned"][limb]
            same = same and token["rounding"][limb] == token["old_rounding"][limb]
        if same:
            continue
        token["written"] = height
        n = supplies.filled[0]
        supplies.block[n] = block
        supplies.ticker[n] = ticker
        for limb in range(2):
            supplies.minted[n, limb] = token["minted"][limb]
            supplies.burned[n, limb] = token["burned"][limb]
            supplies.rounding[n, limb] = token["rounding"][limb]
        supplies.holders[n] = token["holders"]
        supplies.filled[0] = n + 1
    books.counts[CHANGED] = 0


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
