"""Balances, tokens, supplies and what modules keep: the state, and the block in progress that alone changes it.

Inside a block an account has two balances. The exact one is a decimal of 50 digits, with which everything is calculated
and compared; the shown one, on the grid of 10^-8, is what balance events add up to. Plain operations move units of
that grid; swaps, expiries and claims leave residues, which the rounding at the block's end takes away (R-CORE-BLK-7,
D-23). Between blocks the two are equal.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from engine.plain.decimals import ZERO, tokens, units
from engine.plain.parties import Party
from engine.plain.records import Event, Record, decimal
from engine.plain.versions import Versions


class Uncovered(Exception):
    """A debit of more than the account holds: the operation is refused, and nothing of it remains (D-29)."""


@dataclass(frozen=True, slots=True)
class Token:
    """A deployed token (R-CORE-DEP-7); amounts in units of 10^-8."""

    ticker: str
    max_supply: int
    limit: int | None
    height: int
    op_index: int
    txid: str
    time: datetime
    deployer: Party | None

    @property
    def is_wrap(self) -> bool:
        """R-CORE-DEP-3: `m` and `l` are zero. It holds from the deploy itself on (D-11)."""
        return self.max_supply == 0 and self.limit == 0


@dataclass(frozen=True, slots=True)
class Supply:
    """Totals of a ticker in units of 10^-8, and how many accounts show more than zero."""

    minted: int = 0
    burned: int = 0
    rounding: int = 0
    holders: int = 0
    height: int | None = None
    """Last block that changed one of them."""


class Balance(NamedTuple):
    """What an account holds: exactly, in tokens, and as shown, in units of 10^-8."""

    exact: Decimal = ZERO
    shown: int = 0


class Ledger:
    """State between operations. An account exists from its first event on, also at zero (R-CORE-XFER-6)."""

    def __init__(self) -> None:
        self.balances: Versions[tuple[str, Party], Balance] = Versions()
        self.tokens: Versions[str, Token] = Versions()
        self.supplies: Versions[str, Supply] = Versions()
        self.modules: defaultdict[str, Versions[Any, Any]] = defaultdict(Versions)
        """What modules keep, by table: `pools`, `positions`, `programs`, `accounts`, `vaults`."""

    def balance(self, ticker: str, party: Party) -> Decimal:
        """Exact balance; `y` tickers are kept elsewhere (`engine.plain.holdings`)."""
        return self.balances.get((ticker, party), Balance()).exact

    def supply(self, ticker: str) -> Supply:
        return self.supplies.get(ticker, Supply())

    def is_wrap(self, ticker: str) -> bool:
        return ticker in self.tokens and self.tokens[ticker].is_wrap

    def close_block(self, height: int) -> None:
        """What follows belongs to the next block."""
        for versions in self.versions():
            versions.close_block(height)

    def versions(self) -> Iterator[Versions[Any, Any]]:
        """Everything that an operation can change."""
        yield from (self.balances, self.tokens, self.supplies)
        yield from self.modules.values()


class Effect(NamedTuple):
    """A change of one exact balance that is not an event yet."""

    ticker: str
    party: Party
    change: Decimal
    cause: str


@dataclass(slots=True)
class Totals:
    """What a unit of work does to a ticker's supply, in tokens; `held` is principal that leaves the balances."""

    minted: Decimal = ZERO
    burned: Decimal = ZERO
    held: Decimal = ZERO


@dataclass(slots=True)
class BlockInProgress:
    """A block being judged: what its operations did so far, in processing order (R-CORE-BLK-5).

    A unit of work is one operation, or the settlement of one position. What it does counts at once; `add` (an
    operation's record) or `settle` (at the block's end) writes its events, or takes everything back.
    """

    ledger: Ledger
    height: int
    time: datetime
    records: list[Record] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    logs: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    """Rows of the modules' tables of happenings."""
    closing: list[str] = field(default_factory=list)
    """Lines that the block's end adds to the event text."""
    with_event: set[tuple[str, Party]] = field(default_factory=set)
    """Accounts with an event in this block, which D-1 asks for."""
    effects: list[Effect] = field(default_factory=list)
    totals: defaultdict[str, Totals] = field(default_factory=lambda: defaultdict(Totals))

    @property
    def op_index(self) -> int:
        """Number of the record that is being judged: it is appended once its effects are done."""
        return len(self.records)

    # What operations do. Amounts are tokens.

    def deploy(self, token: Token) -> None:
        self.ledger.tokens[token.ticker] = token

    def mint(self, ticker: str, party: Party, amount: Decimal, cause: str) -> None:
        """Credit what did not exist before; zero makes an event too (R-CORE-XFER-6)."""
        self.totals[ticker].minted += amount
        self._change(ticker, party, amount, cause)

    def transfer(self, ticker: str, sender: Party, recipient: Party, amount: Decimal) -> None:
        """Debit, then credit: with one party on both sides nothing changes in the end (R-CORE-ADDR-4)."""
        self._change(ticker, sender, -amount, "transfer_debit")
        self._change(ticker, recipient, amount, "transfer_credit")

    # What modules do. Amounts are tokens; an amount of zero makes no event.

    def credit(self, ticker: str, party: Party, amount: Decimal, cause: str) -> None:
        if amount:
            self._change(ticker, party, amount, cause)

    def debit(self, ticker: str, party: Party, amount: Decimal, cause: str) -> None:
        """Raises Uncovered."""
        if amount > self.ledger.balance(ticker, party):
            raise Uncovered
        if amount:
            self._change(ticker, party, -amount, cause)

    def create(self, ticker: str, party: Party, amount: Decimal, cause: str) -> None:
        """Credit what did not exist before."""
        self.totals[ticker].minted += amount
        self.credit(ticker, party, amount, cause)

    def destroy(self, ticker: str, party: Party, amount: Decimal, cause: str) -> None:
        """Debit what ceases to exist. Raises Uncovered."""
        self.totals[ticker].burned += amount
        self.debit(ticker, party, amount, cause)

    def hold(self, ticker: str, change: Decimal) -> None:
        """Principal that a module keeps outside balances grew by `change`, which has 8 decimals at most."""
        self.totals[ticker].held += change

    # Ends of units of work and of the block.

    def add(self, record: Record) -> None:
        """The record of the operation just judged: its effects are written if it is valid, else taken back."""
        if record.valid:
            self.settle(self.op_index, record.tx_index)
        else:
            self.effects.clear()
            self.totals.clear()
            for versions in self.ledger.versions():
                versions.take_back()
        self.records.append(record)

    def settle(self, op_index: int | None = None, tx_index: int | None = None) -> None:
        """Write the events of the unit of work.

        Each shows how far the rounded sum of the unit's exact changes moved, except that a ticker's last one shows what
        is missing to what was minted less what was burned and held: shown balances conserve supply in every unit.
        """
        last = {effect.ticker: place for place, effect in enumerate(self.effects)}
        sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        for place, (ticker, party, change, cause) in enumerate(self.effects):
            before = units(sums[ticker])
            sums[ticker] += change
            after = self._total(ticker) if place == last[ticker] else units(sums[ticker])
            self._show(ticker, party, after - before, cause, op_index, tx_index)
        for ticker, totals in self.totals.items():
            supply = self.ledger.supply(ticker)
            minted, burned = supply.minted + units(totals.minted), supply.burned + units(totals.burned)
            self.ledger.supplies[ticker] = replace(supply, minted=minted, burned=burned)
        self.effects.clear()
        self.totals.clear()
        for versions in self.ledger.versions():
            versions.keep()

    def round_balances(self) -> None:
        """Round what the block touched to 8 decimals, by explicit events (R-CORE-BLK-7, D-23)."""
        balances = self.ledger.balances
        for ticker, party in sorted(balances.touched, key=lambda account: (account[0], account[1].address)):
            exact, shown = balances[ticker, party]
            rounded = units(exact)
            balances[ticker, party] = Balance(tokens(rounded), shown)
            delta = rounded - shown
            if delta:
                self._show(ticker, party, delta, "rounding", None, None)
                supply = self.ledger.supply(ticker)
                self.ledger.supplies[ticker] = replace(supply, rounding=supply.rounding + delta)
                self.closing.append(f"rounding;;;{ticker};{decimal(delta)};;{party.address}")

    def finish(self) -> None:
        """Date the totals that the block changed."""
        supplies = self.ledger.supplies
        for ticker in supplies.changed(absent=Supply()):
            supplies[ticker] = replace(supplies[ticker], height=self.height)

    def _change(self, ticker: str, party: Party, change: Decimal, cause: str) -> None:
        exact, shown = self.ledger.balances.get((ticker, party), Balance())
        self.ledger.balances[ticker, party] = Balance(exact + change, shown)
        self.effects.append(Effect(ticker, party, change, cause))

    def _total(self, ticker: str) -> int:
        totals = self.totals[ticker]
        return units(totals.minted) - units(totals.burned) - units(totals.held)

    def _show(
        self, ticker: str, party: Party, delta: int, cause: str, op_index: int | None, tx_index: int | None
    ) -> None:
        exact, shown = self.ledger.balances[ticker, party]
        self.ledger.balances[ticker, party] = Balance(exact, shown + delta)
        supply = self.ledger.supply(ticker)
        holders = supply.holders + (shown + delta > 0) - (shown > 0)
        self.ledger.supplies[ticker] = replace(supply, holders=holders)
        self.with_event.add((ticker, party))
        self.events.append(Event(op_index, tx_index, ticker, party, delta, shown + delta, cause))
