"""A module as an example: tokens whose mints are worth half as much after every so many blocks.

`{"op": "deploy", ..., "curve": {"type": "halving", "every": "100"}}` deploys such a token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from engine.amounts import read_amount
from engine.modules.exact import tokens
from engine.modules.registry import Ledger, Operation, Outcome, Phase, StateTable
from engine.schemas import AMOUNT
from engine.verdicts import Code
from ingest.candidates import column
from ingest.networks import Network

HALVINGS = StateTable(
    name="halvings",
    row="a token whose mints lose worth, in each block that deployed or minted it",
    schema=pa.schema(
        [
            column("height", pa.int32(), "Height after which the row holds."),
            column("ticker", pa.string(), "Normalised ticker."),
            column("start", pa.int32(), "Height of the deploy."),
            column("every", pa.int32(), "Blocks after which a mint is worth half as much as before."),
            column("minted", AMOUNT, "What mints asked for so far, in tokens."),
        ]
    ),
    key=("ticker",),
)


class Token(NamedTuple):
    """What the module remembers of a token."""

    start: int
    every: int
    minted: Decimal = Decimal(0)


class Halving:
    """The module."""

    name = "halving"
    priority = 0
    phase: Phase | None = None
    causes: Mapping[str, str] = {"halved_mint": "A mint, worth what the height of its block says."}
    tables: Sequence[StateTable] = (HALVINGS,)

    def __init__(self, network: Network) -> None:
        self._tokens: dict[str, Token] = {}
        self._changed: set[str] = set()

    def claims(self, operation: Operation, ledger: Ledger) -> bool:
        """Deploys that ask for it, and mints of what they deployed."""
        if operation.name == "deploy":
            curve = operation.members["curve"]
            return isinstance(curve, dict) and curve.get("type") == "halving"
        return operation.name == "mint" and self.governs(operation.ticker or "")

    def apply(self, operation: Operation, ledger: Ledger) -> Outcome:
        """The core has checked ticker and amounts of a deploy, and R-CORE-MINT-1 to -5 of a mint."""
        return self._deploy(operation, ledger) if operation.name == "deploy" else self._mint(operation, ledger)

    def _deploy(self, operation: Operation, ledger: Ledger) -> Outcome:
        ticker, every = operation.ticker or "", str(operation.members["curve"].get("every", ""))
        says = Outcome(ticker=ticker, sender=operation.sender, recipient=operation.recipient)
        if not (every.isascii() and every.isdecimal() and 0 < int(every) < 10**6):
            return replace(says, code=Code.INVALID_OPERATION)
        maximum, limit = (_amount(operation, name) for name in ("m", "l"))
        ledger.deploy(ticker, maximum or Decimal(0), limit, operation.sender)
        self._set(ticker, Token(ledger.height, int(every)))
        return says

    def _mint(self, operation: Operation, ledger: Ledger) -> Outcome:
        ticker, amount, recipient = operation.ticker or "", _amount(operation, "amt"), operation.recipient
        assert amount is not None
        assert recipient is not None
        token = self._tokens[ticker]
        worth = amount / 2 ** ((ledger.height - token.start) // token.every)
        ledger.mint(ticker, recipient, worth, "halved_mint")
        self._set(ticker, token._replace(minted=token.minted + amount))
        return Outcome(ticker=ticker, amount=amount, sender=operation.sender, recipient=recipient)

    def _set(self, ticker: str, token: Token) -> None:
        self._tokens[ticker] = token
        self._changed.add(ticker)

    def governs(self, ticker: str) -> bool:
        """Mints of these tokens come here."""
        return ticker in self._tokens

    def end_of_block(self, ledger: Ledger) -> Sequence[str]:
        """Nothing: the module has no phase."""
        return ()

    def round(self) -> None:
        """Nothing: everything that it remembers has eight decimals."""

    def drain(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """A version of every token that the block minted or deployed."""
        changed, self._changed = self._changed, set()
        return {HALVINGS.name: [{"ticker": ticker, **self._tokens[ticker]._asdict()} for ticker in changed]}

    def restore(self, tables: Mapping[str, pa.Table]) -> None:
        """Remember the tokens again."""
        for row in tables[HALVINGS.name].to_pylist():
            self._tokens[row["ticker"]] = Token(row["start"], row["every"], row["minted"])


def _amount(operation: Operation, member: str) -> Decimal | None:
    units = read_amount(operation.members.get(member)).units
    return None if units is None else tokens(units)


MODULE = Halving
