"""The swap module over a ledger in memory: for states of a pool that a chain of ordinary operations hardly reaches.

Accounts are labels of their own; amounts are given as text and read as decimals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from engine.modules.decimals import fifty_digits, q8
from engine.modules.registry import Account, Market, Operation, Outcome, Token, Uncovered
from engine.modules.swap import Swap
from ingest.networks import REGTEST, Network

MOST = Decimal("999999999999999999999999999")


def account(label: str) -> Account:
    """A label's account; pools have no script."""
    return Account(label, None if label.startswith("POOL::") else label.encode())


class Indices:
    """Stands for the curve module: indices as they are told, and advances as they were asked for."""

    def __init__(self) -> None:
        self.values: dict[str, Decimal] = {}
        self.advances: list[tuple[str, int]] = []

    def index(self, ticker: str) -> Decimal:
        return self.values[ticker]

    def advance(self, ticker: str, height: int) -> None:
        self.advances.append((ticker, height))


@dataclass
class MemoryLedger:
    """Exact balances of tokens that exist, and what moved. A ticker that begins with `y` is kept."""

    network: Network = REGTEST
    height: int = 100
    tokens: dict[str, int] = field(default_factory=dict)
    balances: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    events: list[tuple[str, str, str, Decimal]] = field(default_factory=list)
    curve: Indices = field(default_factory=Indices)

    def token(self, ticker: str) -> Token | None:
        return Token(MOST, None, self.tokens[ticker], False) if ticker in self.tokens else None

    def is_deployed(self, ticker: str) -> bool:
        return ticker in self.tokens or ticker in self.curve.values

    def is_kept(self, ticker: str) -> bool:
        return ticker.startswith("y")

    def balance(self, ticker: str, account: Account) -> Decimal:
        return self.balances.get((ticker, account.address), Decimal(0))

    @fifty_digits
    def credit(self, ticker: str, account: Account, amount: Decimal, cause: str) -> None:
        if amount:
            self.balances[ticker, account.address] = self.balance(ticker, account) + amount
            self.events.append((cause, ticker, account.address, amount))

    @fifty_digits
    def debit(self, ticker: str, account: Account, amount: Decimal, cause: str) -> None:
        if self.balance(ticker, account) < amount:
            raise Uncovered
        self.credit(ticker, account, -amount, cause)

    def move(self, ticker: str, sender: Account, recipient: Account, amount: Decimal, cause: str) -> None:
        self.debit(ticker, sender, amount, cause)
        self.credit(ticker, recipient, amount, cause)

    def settle(self) -> None:
        self.events.append(("settle", "", "", Decimal(0)))

    def other(self, name: str) -> Any:
        assert name == "curve"
        return self.curve

    def round(self) -> None:
        for key, balance in self.balances.items():
            self.balances[key] = q8(balance)


class MemoryMarket:
    """A swap module, its ledger, and blocks of operations."""

    def __init__(self, *tickers: str, height: int = 100, network: Network = REGTEST) -> None:
        self.ledger: Any = MemoryLedger(network, height, dict.fromkeys(tickers, 0))
        self.module = Swap(network)
        self.rows: Mapping[str, Sequence[Mapping[str, Any]]] = {}
        """Of the last block."""
        self.versions: dict[str, dict[object, dict[str, Any]]] = {"pools": {}, "positions": {}}
        self._count = 0

    def hold(self, label: str, **amounts: str) -> None:
        """Give an account balances."""
        for ticker, amount in amounts.items():
            self.ledger.balances[ticker, label] = Decimal(amount)

    def balance(self, label: str, ticker: str) -> Decimal:
        return Decimal(self.ledger.balance(ticker, account(label)))

    def swap(self, sender: str | None, **members: Any) -> Outcome:
        """Judge a swap; a refused one leaves the ledger as it was, as the engine sees to."""
        self._count += 1
        operation = Operation(
            name="swap",
            members=members,
            ticker=None,
            sender=None if sender is None else account(sender),
            recipient=None,
            market=Market.SIMPLE,
            step=None,
            height=self.ledger.height,
            time=datetime(2024, 1, 1, tzinfo=UTC),
            txid=f"{self._count:064x}",
            vout=0,
            op_index=self._count,
            raw=b"",
            prevouts=b"",
            network=self.ledger.network,
        )
        assert self.module.claims(operation, self.ledger)
        before = dict(self.ledger.balances), list(self.ledger.events)
        outcome = self.module.apply(operation, self.ledger)
        if outcome.code is not None:
            self.ledger.balances, self.ledger.events = before
        return outcome

    def init(self, sender: str, pair: str, amount: str, lock: str = "10") -> Outcome:
        return self.swap(sender, init=pair, amt=amount, lock=lock)

    def exe(self, sender: str, pair: str, amount: str, slip: str = "100") -> Outcome:
        return self.swap(sender, exe=pair, amt=amount, slip=slip)

    def end(self) -> list[str]:
        """End the block and begin the next; the lines of event text."""
        self.ledger.round()
        lines = list(self.module.end_of_block(self.ledger))
        self.ledger.round()
        self.rows = self.module.drain()
        for table, key in (("pools", "pool"), ("positions", "position_id")):
            for row in self.rows[table]:
                self.versions[table][row[key]] = {"height": self.ledger.height, **row}
        self.ledger.height += 1
        return lines

    def end_until(self, height: int) -> list[str]:
        """End blocks up to and including that of the height; the lines of the last."""
        while self.ledger.height < height:
            self.end()
        return self.end()

    def version(self, table: str, key: object) -> dict[str, Any]:
        """Latest version of a pool or position."""
        return self.versions[table][key]

    def restart(self, **changes: Mapping[str, str]) -> None:
        """Go on with a new module that knows the versions only; `changes` are amounts of pools, by column."""
        for name, amounts in changes.items():
            self.versions["pools"][name] |= {column: Decimal(amount) for column, amount in amounts.items()}
        self.module = Swap(self.ledger.network)
        self.module.restore(
            {
                table.name: pa.Table.from_pylist(list(self.versions[table.name].values()), table.schema)
                for table in self.module.tables
                if not table.is_log
            }
        )
