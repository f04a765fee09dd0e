"""Balances, supplies and numbers of byte strings, held to dictionaries."""

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.accounts import Accounts
from engine.amounts import limbs
from engine.books import Place
from engine.interner import Interner
from engine.journal import Events, open_journal, trimmed
from engine.ledger import Ledger, credit, debit, slot_of
from engine.supplies import close_block
from ingest.networks import REGTEST
from tests.helpers.builders import address, script_of

UNITS = st.sampled_from([0, 1, 10**8, 2**64 - 1, 2**64, 2**100 + 7])
TEXTS = st.binary(max_size=40) | st.sampled_from([b"a" * n for n in range(20)])
STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.booleans(), UNITS), max_size=60)
MINT, DEBIT = 0, 2


@settings(deadline=None)
@given(STEPS)
def test_balances_and_holders_follow_the_events(steps: list[tuple[int, int, bool, int]]) -> None:
    """Every change is one event; whoever shows more than zero is a holder."""
    ledger, journal = Ledger(), open_journal(len(steps))
    ledger.reserve(len(steps), 3)
    balances: dict[tuple[int, int], int] = {}
    events = []
    with np.errstate(over="ignore"):
        for record, (ticker, account, is_credit, units) in enumerate(steps):
            held = balances.get((ticker, account), 0)
            if not is_credit and units > held:
                continue
            held += units if is_credit else -units
            change, cause = (credit, MINT) if is_credit else (debit, DEBIT)
            low, high = (np.uint64(limb) for limb in limbs(units))
            change(ledger.books, journal.events, Place(0, 7, record), ticker, account, low, high, cause)
            balances[ticker, account] = held
            events.append((record, ticker, account, units if is_credit else -units, held))
        close_block(ledger.books, journal.supplies, 0, 7)
        for (ticker, account), units in balances.items():
            assert balance(ledger, ticker, account) == units
    assert events_of(trimmed(journal.events)) == events
    holders = {ticker: sum(units > 0 for (name, _), units in balances.items() if name == ticker) for ticker in range(3)}
    supplies = trimmed(journal.supplies)
    assert dict(zip(supplies.ticker.tolist(), supplies.holders.tolist(), strict=True)) == {
        ticker: count for ticker, count in holders.items() if count
    }


def balance(ledger: Ledger, ticker: int, account: int) -> int:
    slot = slot_of(ledger.books.entries, ticker, account)
    return int.from_bytes(ledger.books.entries["balance"][slot].tobytes(), "little") if slot >= 0 else 0


def events_of(events: Events) -> list[tuple[int, int, int, int, int]]:
    def signed(pair: Any) -> int:
        value = int(pair[1]) << 64 | int(pair[0])
        return value - (1 << 128) if value >> 127 else value

    return [
        (record, ticker, account, signed(delta), signed(after))
        for record, ticker, account, delta, after in zip(
            events.record.tolist(),
            events.ticker.tolist(),
            events.account.tolist(),
            events.delta,
            events.after,
            strict=True,
        )
    ]


def test_the_table_grows_without_losing_an_entry() -> None:
    ledger = Ledger()
    count = 20_000
    numbers = np.arange(count, dtype=np.int32)
    with np.errstate(over="ignore"):
        for first in range(0, count, 5_000):
            part = numbers[first : first + 5_000]
            amounts = np.array([limbs(int(n) + 1) for n in part], np.uint64)
            ledger.restore_balances(part % 7, part, amounts)
        assert all(balance(ledger, int(n % 7), int(n)) == n + 1 for n in numbers[::97])
        assert slot_of(ledger.books.entries, 0, 1) == -1


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([b"a" * n for n in range(20)]), max_size=80), st.integers(1, 9)
)
def test_equal_bytes_have_equal_numbers_in_order_of_appearance(texts: list[bytes], cut: int) -> None:
    expected = {text: number for number, text in enumerate(dict.fromkeys(filter(None, texts)))}
    interner = Interner()
    numbers: list[int] = []
    with np.errstate(over="ignore"):
        for first in range(0, len(texts), cut):
            part = texts[first : first + cut]
            sizes = np.array([len(text) for text in part], np.int32)
            data = np.frombuffer(b"".join(part), np.uint8)
            numbers += interner.intern(data, np.cumsum(sizes, dtype=np.int64) - sizes, sizes).tolist()
    assert numbers == [expected.get(text, -1) for text in texts]
    assert [interner[number] for number in range(interner.count)] == list(expected)


def test_many_strings_outgrow_the_table_and_are_found_again() -> None:
    interner = Interner()
    programs = np.random.default_rng(5).integers(0, 256, 22 * 50_000, np.uint8)
    starts, sizes = np.arange(0, len(programs), 22), np.full(50_000, 22, np.int32)
    with np.errstate(over="ignore"):
        first = interner.intern(programs, starts, sizes)
        assert np.array_equal(first, np.arange(50_000))
        assert np.array_equal(interner.intern(programs, starts[::-1], sizes), first[::-1])


def test_accounts_come_back_with_their_addresses_and_pools_without_script() -> None:
    """R-SWAP-STATE-2: a pool account is named, it has no script."""
    accounts = Accounts(REGTEST)
    scripts = pa.chunked_array(
        [pa.array([script_of("bob"), None, script_of("bob"), script_of("p2tr_al")], pa.binary())]
    )
    names = pa.chunked_array([[address("bob"), "POOL::A-B", address("bob"), address("p2tr_al")]])
    with np.errstate(over="ignore"):
        numbers = accounts.restore(scripts, names)
        assert numbers.tolist() == [0, 1, 0, 2]
        assert accounts.number("POOL::A-B", None) == 1
        assert accounts.number("POOL::A-C", None) == 3
        assert accounts.number(address("bob"), script_of("bob")) == 0
    taken = np.array([3, 1, -1, 2, 0], np.int32)
    assert accounts.take_addresses(taken).to_pylist() == [
        "POOL::A-C",
        "POOL::A-B",
        None,
        address("p2tr_al"),
        address("bob"),
    ]
    assert accounts.account(1) == ("POOL::A-B", None)
    assert accounts.account(2) == (address("p2tr_al"), script_of("p2tr_al"))
    assert accounts.take_scripts(taken).to_pylist() == [None, None, None, script_of("p2tr_al"), script_of("bob")]
