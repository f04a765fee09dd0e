"""An operation with everything that its judge asks about it, and what the judge answers."""

from dataclasses import dataclass, replace
from typing import Any

from engine.plain.marketplace import Kind
from engine.plain.parties import Party
from engine.plain.payloads import Operation
from engine.plain.transactions import Transaction
from engine.verdicts import Code
from ingest.networks import Network


@dataclass(frozen=True, slots=True)
class Case:
    """One operation of one transaction with the parties that the rules give it. `txid` in display order."""

    tx_index: int
    txid: str
    vout: int
    transaction: Transaction
    operation: Operation
    ticker: str
    """Normalised `tick`, empty for swaps."""
    kind: Kind
    sender: Party | None
    recipient: Party | None
    network: Network

    @property
    def members(self) -> dict[str, Any]:
        return self.operation.members

    @property
    def amt(self) -> Any:
        return self.operation.members.get("amt")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is None for an operation that took effect.

    A swap's verdict says what its record carries: `operation`, `ticker`, and `amount` in units of 10^-8. Elsewhere they
    are the payload's, except that a valid burn of W has its own `amount`.
    """

    code: Code | None = None
    decisions: frozenset[str] = frozenset()
    operation: str | None = None
    ticker: str | None = None
    amount: int | None = None

    def tagged(self, *decisions: str) -> "Verdict":
        return replace(self, decisions=self.decisions | set(decisions))


def refused(code: Code, *decisions: str) -> Verdict:
    """Refused with this code."""
    return Verdict(code, frozenset(decisions))
