"""The seam for protocol extensions: what a module is, and who acts when.

The engine recognises the operations that extensions claim (all swaps, deploys with a curve, mints and burns of W and of
wrap tickers, single transfers of `y` tickers) and hands each to the first module that claims it. What no module claims
is refused with INVALID_OPERATION.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol

import pyarrow as pa

from engine.verdicts import Code
from engine.vocabulary import CAUSES
from ingest.networks import Network


class Phase(IntEnum):
    """When a module acts at a block's end (R-CORE-BLK-6); records are written between the two."""

    INDICES = 1
    EXPIRY = 3


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation handed to a module. Tickers and accounts are numbers of the engine, None where there is none."""

    name: str
    """deploy, mint, transfer, burn, swap_init, swap_exe or swap."""
    members: Mapping[str, Any]
    """The payload's members; JSON numbers are `engine.amounts.Integer` or `Real`, as written."""
    ticker: int | None
    """Number of the normalised `tick`, None for swaps."""
    ticker_text: str | None
    sender: int | None
    recipient: int | None
    height: int
    raw: bytes
    """The whole transaction."""
    prevouts: bytes
    """The outputs it spends (CANDIDATES)."""
    vout: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the record of a module's operation says. Without code it took effect."""

    code: Code | None
    ticker: int | None = None
    units: int | None = None
    sender: int | None = None
    recipient: int | None = None
    tags: int = 0
    """Set of divergences (engine.vocabulary)."""


class Writer(Protocol):
    """The ledger as a module sees it; every change writes a balance event at the current place."""

    def ticker(self, text: str) -> int:
        """Number of a normalised ticker."""

    def pool(self, name: str) -> int:
        """Number of the account `POOL::` + name."""

    def balance(self, ticker: int, account: int) -> int:
        """Units that the account holds."""

    def credit(self, ticker: int, account: int, units: int, cause: str) -> None:
        """Add units."""

    def debit(self, ticker: int, account: int, units: int, cause: str) -> None:
        """Take units. Raises ValueError when the account holds less."""


class Module(Protocol):
    """One protocol extension: its claims, its state, its effects. Its heights of activation are the network's."""

    name: str
    priority: int
    """Lower is asked first."""
    phase: Phase
    causes: Sequence[str]
    """Causes of balance events that it writes, beside those of the core."""

    def claims(self, operation: Operation) -> bool:
        """Whether the operation is the module's."""

    def apply(self, operation: Operation, ledger: Writer, network: Network) -> Outcome:
        """Judge and apply one claimed operation: wholly or not at all (D-29)."""

    def end_of_block(self, height: int, ledger: Writer, network: Network) -> Sequence[str]:
        """Act at the block's end; lines that the block's event text gains."""

    def tables(self) -> Mapping[str, pa.Table]:
        """The module's state by table name."""


class Registry:
    """The modules of an engine in the order in which they are asked."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self._modules = sorted(modules, key=lambda module: module.priority)
        own = {cause for module in self._modules for cause in module.causes}
        self.causes: Final = (*CAUSES, *sorted(own.difference(CAUSES)))

    def __bool__(self) -> bool:
        return bool(self._modules)

    def claimant(self, operation: Operation) -> Module | None:
        """The module that judges the operation."""
        return next((module for module in self._modules if module.claims(operation)), None)

    def end_of_block(self, height: int, ledger: Writer, network: Network) -> list[str]:
        """Let every module act, curve indices before expiries; the lines of event text, in order."""
        ordered = sorted(self._modules, key=lambda module: module.phase)
        return [line for module in ordered for line in module.end_of_block(height, ledger, network)]

    def tables(self) -> dict[str, pa.Table]:
        """State of all modules by table name."""
        return {name: table for module in self._modules for name, table in module.tables().items()}
