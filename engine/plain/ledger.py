"""Balances, tokens and supplies: the state, and the block in progress that alone changes it."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from engine.plain.parties import Party
from engine.plain.records import Event, Record


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


@dataclass(slots=True)
class Supply:
    """Totals of a ticker in units of 10^-8, and how many accounts hold more than zero."""

    minted: int = 0
    burned: int = 0
    rounding: int = 0
    holders: int = 0
    height: int | None = None
    """Last block that changed one of them."""

    @property
    def totals(self) -> tuple[int, int, int, int]:
        return self.minted, self.burned, self.rounding, self.holders


@dataclass(slots=True)
class Ledger:
    """State between operations. An account exists from its first event on, also at zero (R-CORE-XFER-6)."""

    balances: dict[tuple[str, Party], int] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    supplies: defaultdict[str, Supply] = field(default_factory=lambda: defaultdict(Supply))

    def balance(self, ticker: str, party: Party) -> int:
        return self.balances.get((ticker, party), 0)

    def is_wrap(self, ticker: str) -> bool:
        return ticker in self.tokens and self.tokens[ticker].is_wrap


@dataclass(slots=True)
class BlockInProgress:
    """A block being judged: what its operations did so far, in processing order (R-CORE-BLK-5)."""

    ledger: Ledger
    height: int
    time: datetime
    records: list[Record] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    touched: set[tuple[str, Party]] = field(default_factory=set)
    """Accounts with an event in this block, which D-1 asks for."""
    deployed: set[str] = field(default_factory=set)
    supplies_before: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)

    @property
    def op_index(self) -> int:
        """Number of the record that is being judged: it is appended once its effects are done."""
        return len(self.records)

    def deploy(self, token: Token) -> None:
        self.ledger.tokens[token.ticker] = token
        self.deployed.add(token.ticker)

    def mint(self, ticker: str, party: Party, amount: int, tx_index: int, cause: str) -> None:
        self._change(ticker, party, amount, tx_index, cause)
        self.ledger.supplies[ticker].minted += amount

    def transfer(self, ticker: str, sender: Party, recipient: Party, amount: int, tx_index: int) -> None:
        """Debit, then credit: with one party on both sides nothing changes in the end (R-CORE-ADDR-4)."""
        self._change(ticker, sender, -amount, tx_index, "transfer_debit")
        self._change(ticker, recipient, amount, tx_index, "transfer_credit")

    def changed_supplies(self) -> list[tuple[str, Supply]]:
        """Tickers whose totals differ from before the block, with the totals now."""
        return [
            (ticker, self.ledger.supplies[ticker])
            for ticker, before in sorted(self.supplies_before.items())
            if self.ledger.supplies[ticker].totals != before
        ]

    def finish(self) -> None:
        """Date the totals that the block changed."""
        for _, supply in self.changed_supplies():
            supply.height = self.height

    def _change(self, ticker: str, party: Party, delta: int, tx_index: int, cause: str) -> None:
        before = self.ledger.balance(ticker, party)
        after = before + delta
        supply = self.ledger.supplies[ticker]
        self.supplies_before.setdefault(ticker, supply.totals)
        supply.holders += (after > 0) - (before > 0)
        self.ledger.balances[ticker, party] = after
        self.touched.add((ticker, party))
        self.events.append(Event(self.op_index, tx_index, ticker, party, delta, after, cause))
