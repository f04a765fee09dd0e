"""A module that does what swaps tell it to, so that tests can make the ledger do anything.

A swap's member `do` is a list of calls such as `["credit", "ABC", "bob", "1.5"]`: the name of a method of the ledger,
a ticker, labels of people (`tests.helpers.builders`; `POOL::` names are pools), and an amount; `crowd` mints to as many
pools as the amount says. `later` is the same for the block's end, where each call is a unit of work; `refuse` names the
code with which the operation ends after all. The puppet keeps the balances of `y` tickers and governs what it deploys.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from engine.judge import Engine
from engine.modules.registry import Account, Ledger, Module, Operation, Outcome, Phase, Registry, StateTable, Uncovered
from engine.schemas import AMOUNT, Judged
from engine.verdicts import Code
from ingest.candidates import column
from ingest.networks import REGTEST, Network
from tests.helpers.builders import address, candidates, headers, make_tx, op_return, operation, pay, script_of, spend
from tests.helpers.chain import Tx, TxOut

Call = list[str]
Row = dict[str, Any]

KEPT = StateTable(
    name="kept",
    row="a balance that the puppet keeps",
    schema=pa.schema(
        [
            column("height", pa.int32(), "Height after which the row holds."),
            column("ticker", pa.string(), "Ticker."),
            column("address", pa.string(), "Whose."),
            column("balance", AMOUNT, "How much."),
        ]
    ),
    key=("ticker", "address"),
)
DEEDS = StateTable(
    name="deeds",
    row="an operation that the puppet applied",
    schema=pa.schema(
        [
            column("height", pa.int32(), "Height of the block."),
            column("op_index", pa.int32(), "Record in the block."),
            column("calls", pa.int32(), "How many calls it made."),
        ]
    ),
    key=("height", "op_index"),
    is_log=True,
)
GOVERNED = StateTable(
    name="governed",
    row="a token that the puppet deployed",
    schema=pa.schema(
        [
            column("height", pa.int32(), "Height after which the row holds."),
            column("ticker", pa.string(), "Ticker."),
        ]
    ),
    key=("ticker",),
)


class Puppet:
    """The module. `seen` holds what it was asked to judge, `rounded` how often it was told to round."""

    name = "puppet"
    priority = 1
    phase: Phase | None = Phase.EXPIRY
    causes: Mapping[str, str] = {"pulled": "What a swap's calls do.", "released": "What calls do at a block's end."}
    tables: Sequence[StateTable] = (KEPT, DEEDS, GOVERNED)

    def __init__(self, network: Network) -> None:
        self.seen: list[Operation] = []
        self.rounded = 0
        self._kept: dict[tuple[str, str], Decimal] = {}
        self._governed: set[str] = set()
        self._later: list[Call] = []
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def claims(self, operation: Operation, ledger: Ledger) -> bool:
        return operation.members.get("leave") is None

    def apply(self, operation: Operation, ledger: Ledger) -> Outcome:
        self.seen.append(operation)
        if operation.name == "transfer":
            return self._transfer(operation, ledger)
        if operation.name == "deploy":
            ledger.deploy(operation.ticker or "", Decimal(1000), Decimal(100), operation.sender)
            self._governed.add(operation.ticker or "")
            self._write(GOVERNED, ticker=operation.ticker)
            return Outcome(ticker=operation.ticker, sender=operation.sender)
        if operation.name == "mint":
            return Outcome(Code.INVALID_OPERATION, ticker=operation.ticker, tags=frozenset({31}))
        calls = operation.members.get("do", ())
        try:
            for call in calls:
                self._pull(call, ledger, "pulled")
        except Uncovered:
            return Outcome(Code.UNKNOWN_PROCESSING_ERROR, sender=operation.sender)
        if "refuse" in operation.members:
            return Outcome(Code(operation.members["refuse"]), sender=operation.sender)
        self._later += operation.members.get("later", ())
        self._write(DEEDS, op_index=operation.op_index, calls=len(calls))
        return Outcome(
            operation="swap_init",
            ticker=operation.members.get("recorded"),
            amount=_decimal(operation.members.get("amt")),
            sender=operation.sender,
            tags=frozenset({60}) if "tag" in operation.members else frozenset(),
            rounds="rounds" in operation.members,
        )

    def _transfer(self, operation: Operation, ledger: Ledger) -> Outcome:
        assert operation.ticker is not None
        assert operation.sender is not None
        assert operation.recipient is not None
        amount = _decimal(operation.members.get("amt"))
        parties = (operation.sender, operation.recipient)
        try:
            ledger.move(operation.ticker, *parties, amount or Decimal(0), "pulled")
        except Uncovered:
            return Outcome(Code.INSUFFICIENT_BALANCE, None, operation.ticker, amount, *parties)
        return Outcome(None, None, operation.ticker, amount, *parties, tags=frozenset({62}))

    def _pull(self, call: Call, ledger: Ledger, cause: str) -> None:
        name, ticker, *rest = call
        people, amount = [person(label) for label in rest[:-1]], Decimal(rest[-1])
        if name == "give":
            self._set(ticker, people[0].address, amount)
        elif name == "hold":
            ledger.hold(ticker, amount)
        elif name == "crowd":
            for number in range(int(amount)):
                ledger.mint(ticker, person(f"POOL::{number}"), Decimal("0.3333333333"), cause)
        else:
            getattr(ledger, name)(ticker, *people, amount, cause)

    def end_of_block(self, ledger: Ledger) -> Sequence[str]:
        later, self._later = self._later, []
        for call in later:
            self._pull(call, ledger, "released")
            ledger.settle()
        return [f"expiry;{';'.join(call)}" for call in later]

    def round(self) -> None:
        self.rounded += 1

    def drain(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        rows, self._rows = self._rows, {}
        latest = {(row["ticker"], row["address"]): row for row in rows.get("kept", ())}
        return rows | {"kept": list(latest.values())}

    def restore(self, tables: Mapping[str, pa.Table]) -> None:
        assert set(tables) == {"kept", "governed"}
        self._kept = {(row["ticker"], row["address"]): row["balance"] for row in tables["kept"].to_pylist()}
        self._governed = set(tables["governed"]["ticker"].to_pylist())

    def governs(self, ticker: str) -> bool:
        return ticker in self._governed

    def keeps(self, ticker: str) -> bool:
        return ticker.startswith("y")

    def exists(self, ticker: str) -> bool:
        return any(kept == ticker for kept, _ in self._kept)

    def balance(self, ticker: str, account: Account) -> Decimal:
        return self._kept.get((ticker, account.address), Decimal(0))

    def move(self, ticker: str, sender: Account, recipient: Account, amount: Decimal) -> Callable[[], None]:
        before = {account: self.balance(ticker, account) for account in (recipient, sender)}
        if amount > before[sender]:
            raise Uncovered
        self._set(ticker, sender.address, before[sender] - amount)
        self._set(ticker, recipient.address, self.balance(ticker, recipient) + amount)

        def undo() -> None:
            for account, balance in before.items():
                self._set(ticker, account.address, balance)

        return undo

    def _set(self, ticker: str, holder: str, balance: Decimal) -> None:
        self._kept[ticker, holder] = balance
        self._write(KEPT, ticker=ticker, address=holder, balance=balance)

    def _write(self, table: StateTable, **row: Any) -> None:
        self._rows.setdefault(table.name, []).append(row)


PUPPETS = Registry([Puppet])


def person(label: str) -> Account:
    """The account of a label."""
    return Account(label, None) if label.startswith("POOL::") else Account(address(label), script_of(label))


def swap(*calls: Call, salt: int = 0, **members: Any) -> Tx:
    """A swap of alice that makes the calls."""
    return operation(json.dumps({"p": "brc-20", "op": "swap", "do": calls, **members}), "alice", "alice", salt)


def puppet_of(engine: Any) -> Any:
    """The puppet at work in an engine."""
    return next(module for module in engine._modules if isinstance(module, Puppet))


def _decimal(member: object) -> Decimal | None:
    return Decimal(member) if isinstance(member, str) else None


MODULE: type[Module] = Puppet


def judged(registry: Registry, *blocks: list[Tx], start: int = 5) -> Judged:
    return engine_and_facts(registry, *blocks, start=start)[1]


def engine_and_facts(registry: Registry, *blocks: list[Tx], start: int = 5) -> tuple[Engine, Judged]:
    chain = {start + n: txs for n, txs in enumerate(blocks)}
    engine = Engine(REGTEST, None, registry)
    return engine, engine.judge(headers(chain), candidates(chain))


def txs(*texts: str | Tx) -> list[Tx]:
    """The texts as operations of alice, who is also the recipient."""
    return [
        text if isinstance(text, Tx) else operation(text, "alice", "alice", salt) for salt, text in enumerate(texts)
    ]


def without_recipient(text: str) -> Tx:
    return make_tx([spend("alice")], [op_return(text)])


def multi(*amounts: str, ticker: str = "yABC", recipients: Sequence[str] = ()) -> Tx:
    """Transfers of alice to bob, or to whom it says."""
    outputs: list[TxOut] = []
    for step, amount in enumerate(amounts):
        text = json.dumps({"p": "brc-20", "op": "transfer", "tick": ticker, "amt": amount}, separators=(",", ":"))
        outputs += [op_return(text), pay(recipients[step] if recipients else "bob")]
    return make_tx([spend("alice")], outputs)


def rows(result: Judged) -> list[Row]:
    found: list[Row] = result.operations.to_pylist()
    return found


def verdicts(result: Judged) -> list[tuple[str, str | None]]:
    return [(row["operation"], row["code"]) for row in rows(result)]
