"""The seam for protocol extensions: what a module is, what it sees of the ledger, who acts when.

A module is one file of this package that ends with `MODULE = <its class>`. The engine recognises the operations that
extensions may claim and hands each to the first module that claims it; what none claims is judged as if there were no
modules. `docs/adding_a_module.md` shows a whole one.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, IntEnum
from functools import cache, cached_property
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import pyarrow as pa

from engine.modules.transaction import Input as Input
from engine.modules.transaction import Output as Output
from engine.modules.transaction import read_transaction
from engine.verdicts import Code
from engine.vocabulary import CAUSES
from ingest.addresses import address_of
from ingest.networks import Network


class Phase(IntEnum):
    """When a module acts at a block's end (R-CORE-BLK-6). Balances are rounded after each of the two."""

    INDICES = 1
    EXPIRY = 2


class Market(Enum):
    """What a single transfer is (R-CORE-MKT-2, R-CORE-MKT-3); SIMPLE for everything else."""

    SIMPLE = 0
    MARKETPLACE = 1
    INVALID = 2


class Account(NamedTuple):
    """Who holds a balance: an address with its output script, or `POOL::` and a pool id without one."""

    address: str
    script: bytes | None


@dataclass(frozen=True)
class Operation:
    """An operation handed to a module."""

    name: str
    """deploy, mint, transfer, burn or swap."""
    members: Mapping[str, Any]
    """The payload's members; JSON numbers are `engine.amounts.Integer` or `Real`, as written."""
    ticker: str | None
    """Normalised `tick`, None for swaps."""
    sender: Account | None
    """After R-CORE-MKT-7."""
    recipient: Account | None
    """By R-CORE-ADDR-3; of a step, the output after it."""
    market: Market
    step: int | None
    """Number of the step of a multi-transfer."""
    height: int
    time: datetime
    txid: str
    vout: int
    op_index: int
    """Number that its record has in the block."""
    raw: bytes
    """The whole transaction."""
    prevouts: bytes
    """The outputs that it spends, as in CANDIDATES."""
    network: Network

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """Outputs of the transaction."""
        return self._read[1]

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """Inputs of the transaction."""
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[tuple[Input, ...], tuple[Output, ...]]:
        return read_transaction(self.raw, self.prevouts)

    def after_op_return(self, distance: int) -> Output | None:
        """The output so many places after the first OP_RETURN output (R-CORE-ADDR-3); None beyond the last."""
        first = next((place for place, output in enumerate(self.outputs) if output.script.startswith(b"\x6a")), None)
        if first is None or first + distance >= len(self.outputs):
            return None
        return self.outputs[first + distance]

    def account(self, script: bytes | None) -> Account | None:
        """The account of a script, None for a script without address."""
        address = None if script is None else address_of(script, self.network)
        return None if address is None else Account(address, script)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the record of a module's operation says. Without code it took effect."""

    code: Code | None = None
    operation: str | None = None
    """Recorded name where it differs from the operation's: swap_init, swap_exe, swap."""
    ticker: str | None = None
    amount: Decimal | None = None
    """In tokens; recorded with 8 decimals, rounded half away from zero, and not at all where that reaches 10^30."""
    sender: Account | None = None
    recipient: Account | None = None
    tags: frozenset[int] = frozenset()
    """Divergences, by number. D-3, D-5 and D-23 of mints, transfers, burns and deploys are added by the engine."""
    rounds: bool = False
    """All modules round their state now (R-SWAP-STATE-5 a)."""


class Uncovered(Exception):
    """A debit of more than the account holds."""


class Token(NamedTuple):
    """A deployed token; amounts in tokens."""

    max_supply: Decimal
    limit: Decimal | None
    height: int
    is_wrap: bool


class Ledger(Protocol):
    """The ledger as a module sees it. Effects of an operation count at once and are written once it took effect.

    Amounts are exact, in tokens, not negative, of up to 50 digits; an amount of zero does nothing. Tickers that a
    module keeps have balances and moves only.
    """

    @property
    def network(self) -> Network:
        """The network whose rules hold."""

    @property
    def height(self) -> int:
        """The block being judged."""

    def token(self, ticker: str) -> Token | None:
        """The deployed token of that name."""

    def is_deployed(self, ticker: str) -> bool:
        """Whether a token of that name was deployed, or a module keeps it and it exists."""

    def is_kept(self, ticker: str) -> bool:
        """Whether a module keeps the ticker's balances."""

    def balance(self, ticker: str, account: Account) -> Decimal:
        """What the account holds."""

    def credit(self, ticker: str, account: Account, amount: Decimal, cause: str) -> None:
        """Add."""

    def debit(self, ticker: str, account: Account, amount: Decimal, cause: str) -> None:
        """Take. Raises Uncovered."""

    def move(self, ticker: str, sender: Account, recipient: Account, amount: Decimal, cause: str) -> None:
        """Debit, then credit. Raises Uncovered."""

    def mint(self, ticker: str, account: Account, amount: Decimal, cause: str) -> None:
        """Credit what did not exist before."""

    def burn(self, ticker: str, account: Account, amount: Decimal, cause: str) -> None:
        """Debit what ceases to exist. Raises Uncovered."""

    def hold(self, ticker: str, change: Decimal) -> None:
        """Principal that the module keeps outside balances grew by `change`, a multiple of 10^-8."""

    def deploy(self, ticker: str, max_supply: Decimal, limit: Decimal | None, deployer: Account | None) -> None:
        """Create the token of the current operation; its mints are judged by modules after R-CORE-MINT-1 to -5."""

    def settle(self) -> None:
        """At a block's end: what follows is a new unit of work; what was done so far is written."""

    def other(self, name: str) -> "Module":
        """Another module by name. Raises KeyError."""


@dataclass(frozen=True, slots=True)
class StateTable:
    """A table that a module writes. Its first column is `height`, after which a row holds."""

    name: str
    row: str
    """What a row means, for the documentation."""
    schema: pa.Schema
    key: tuple[str, ...]
    """Without the height for versions; of a log, the whole key."""
    is_log: bool = False
    """Rows are happenings, not versions of a state, and judging never needs them again."""


class Module(Protocol):
    """One protocol extension: its claims, its state, its effects. A class of it, called with a network, is empty."""

    name: str
    priority: int
    """Lower is asked first."""
    phase: Phase | None
    causes: Mapping[str, str]
    """Causes of balance events that it writes, with what each means."""
    tables: Sequence[StateTable]

    def __init__(self, network: Network) -> None: ...

    def claims(self, operation: Operation, ledger: Ledger) -> bool:
        """Whether the operation is the module's."""

    def apply(self, operation: Operation, ledger: Ledger) -> Outcome:
        """Judge one claimed operation; its own state changes only once nothing can fail any more (D-29)."""

    def end_of_block(self, ledger: Ledger) -> Sequence[str]:
        """Act at the block's end, in the module's phase; lines that the block's event text gains."""

    def round(self) -> None:
        """Round the state to its stored precision in the middle of a block (R-SWAP-STATE-5 a)."""

    def drain(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Rows by table that the block just finished produced; the engine sorts them and fills in their height."""

    def restore(self, tables: Mapping[str, pa.Table]) -> None:
        """Continue from the latest versions of the module's own tables, all but the logs."""


@runtime_checkable
class Governor(Module, Protocol):
    """A module that deploys tokens, whose mints are judged by modules from then on."""

    def governs(self, ticker: str) -> bool:
        """Whether the module deployed the token: how the engine knows after `restore`."""


@runtime_checkable
class Keeper(Module, Protocol):
    """A module that keeps the balances of some tickers."""

    def keeps(self, ticker: str) -> bool:
        """Whether the ticker's balances are the module's, existing or not."""

    def exists(self, ticker: str) -> bool:
        """Whether a kept ticker counts as deployed."""

    def balance(self, ticker: str, account: Account) -> Decimal:
        """What the account holds of a kept ticker."""

    def move(self, ticker: str, sender: Account, recipient: Account, amount: Decimal) -> Callable[[], None]:
        """Move at once. What is returned takes it back: called, latest first, when the operation is refused after all.

        Raises Uncovered.
        """


class Registry:
    """Kinds of modules, in the order in which they are asked."""

    def __init__(self, kinds: Iterable[type[Module]] = ()) -> None:
        self.kinds: Final = tuple(sorted(kinds, key=lambda kind: (kind.priority, kind.name)))
        self.tables: Final = tuple(table for kind in self.kinds for table in kind.tables)
        own = {cause for kind in self.kinds for cause in kind.causes}
        self.causes: Final = (*CAUSES, *sorted(own.difference(CAUSES)))
        """Causes of balance events by number."""


@cache
def installed() -> Registry:
    """The modules of this package: every file of it that names a `MODULE`."""
    package = importlib.import_module("engine.modules")
    names = sorted(found.name for found in pkgutil.iter_modules(package.__path__, "engine.modules."))
    found = (getattr(importlib.import_module(name), "MODULE", None) for name in names)
    return Registry(kind for kind in found if kind is not None)
