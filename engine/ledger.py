"""Balances and supplies: the columns, and the only functions that write them.

Plain operations reach them from the kernel, one balance event at a time. Effects of modules come in many at once, from
`engine.modules.writer`, which also knows the digits beyond the eighth decimal that a balance has inside a block.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.amounts import add, exceeds, subtract
from engine.arena import grown
from engine.compiled import compiled, helper

_LIMBS: Final = ("<u8", 2)

ENTRY: Final = np.dtype(
    [
        ("balance", *_LIMBS),
        ("ticker", "<i4"),
        ("account", "<i4"),
        ("changed", "<i4"),
        ("credited", "<i4"),
        ("slack", "<i4"),
    ],
    align=True,
)
"""One balance, as shown: signed, of whole units. `changed` is the height of its latest event, -1 when restored;
`credited` that of the latest one that paid it, 0 when there was none or it was restored. An entry without account is
free.

`slack` is what the exact balance has more than the shown one, in half units, where anything between whole units counts
as a half: 0 if they are equal, odd if the exact one is not of whole units. It is 0 outside of blocks.
"""

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
        ("is_governed", "?"),
    ],
    align=True,
)
"""Supply of one ticker, deployed or not. `old_*` is as of before block `changed`; `deployed` is a height,
`written` that of the latest row of SUPPLIES. Mints of a governed token are a module's."""

USED: Final = 0
CHANGED: Final = 1
INEXACT: Final = 2
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
    """USED entries; CHANGED tickers; events of plain operations on INEXACT balances, which nobody looked at yet."""


class Place(NamedTuple):
    """Where in the range an effect happens."""

    block: int
    height: int
    record: int
    """Negative at the block's end."""


class Ledger:
    """Owner of the books. Amounts here are integers of units, tickers and accounts are numbers."""

    def __init__(self) -> None:
        self.books = Books(_free(_SMALLEST), _tokens(1024), np.zeros(1024, np.int32), np.zeros(3, np.int64))

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
            table = _free(size)
            _refill(self.books.entries, table)
        tokens = grown(self.books.tokens, tickers)
        tokens[known:] = _tokens(len(tokens) - known)
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
def issue(books: Any, place: Any, ticker: Any, low: Any, high: Any) -> Any:
    """Add to the total minted of a ticker."""
    touch(books, ticker, place.height)
    minted = books.tokens[ticker]["minted"]
    minted[0], minted[1] = add(minted[0], minted[1], low, high)


@helper
def is_mintable(token: Any, low: Any, high: Any) -> Any:
    """Whether the amount fits between what was minted and the maximum supply (R-CORE-MINT-5).

    What was burned, as only W can be, makes room again (R-WRAP-BURN-2).
    """
    maximum = token["maximum"]
    minted = token["minted"]
    burned = token["burned"]
    used_low, used_high = subtract(minted[0], minted[1], burned[0], burned[1])
    if exceeds(used_low, used_high, maximum[0], maximum[1]):
        return False
    left_low, left_high = subtract(maximum[0], maximum[1], used_low, used_high)
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
def adjust(books: Any, height: Any, ticker: Any, minted: Any, burned: Any, rounding: Any) -> Any:
    """Add (low, high) to each of the ticker's totals."""
    touch(books, ticker, height)
    token = books.tokens[ticker]
    token["minted"][0], token["minted"][1] = add(token["minted"][0], token["minted"][1], minted[0], minted[1])
    token["burned"][0], token["burned"][1] = add(token["burned"][0], token["burned"][1], burned[0], burned[1])
    token["rounding"][0], token["rounding"][1] = add(
        token["rounding"][0], token["rounding"][1], rounding[0], rounding[1]
    )


@compiled
def slot_of(entries: Any, ticker: Any, account: Any) -> Any:
    """Slot of the entry, -1 when there is none."""
    slot = find(entries, ticker, account)
    return np.int64(slot) if entries[slot]["account"] >= 0 else np.int64(-1)


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
