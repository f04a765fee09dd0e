"""Records and balance events of a block, and the texts that are hashed (section 11)."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from engine.plain.parties import Party
from engine.verdicts import Code
from ingest.networks import DECIMALS


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the operation log (R-CORE-REC-1, R-CORE-REC-2); `amount` in units of 10^-8.

    `valid` is a field of its own because an invalid step of a multi-transfer has no `code` (R-CORE-MULTI-5).
    """

    tx_index: int
    txid: str
    vout: int
    operation: str
    payload: bytes
    valid: bool
    ticker: str | None = None
    ticker_text: str | None = None
    amount: int | None = None
    sender: Party | None = None
    recipient: Party | None = None
    code: Code | None = None
    step: int | None = None
    step_code: Code | None = None
    decisions: frozenset[str] = frozenset()
    """Decisions (`D-n`) by which the predecessor judges or executes the operation differently."""
    marketplace: bool = False
    multi: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one account in units of 10^-8, with the balance that it leaves.

    `op_index` and `tx_index` are None for effects of the block's end.
    """

    op_index: int | None
    tx_index: int | None
    ticker: str
    party: Party
    delta: int
    balance_after: int
    cause: str


def event_hash(records: Iterable[Record], closing: Iterable[str]) -> str:
    """SHA-256 over the valid records, a line each, `operation;txid;vout;ticker;amount;from;to`, and `closing` lines."""
    lines = [
        f"{r.operation};{r.txid};{r.vout};{r.ticker_text or ''};{decimal(r.amount)};"
        f"{_address(r.sender)};{_address(r.recipient)}"
        for r in records
        if r.valid
    ]
    return _digest([*lines, *closing])


def record_hash(records: Iterable[Record]) -> str:
    """SHA-256 over all records: `operation;txid;vout;step;ticker;amount;from;to;valid;code;step_code`."""
    return _digest(
        f"{r.operation};{r.txid};{r.vout};{'' if r.step is None else r.step};{r.ticker_text or ''};"
        f"{decimal(r.amount)};{_address(r.sender)};{_address(r.recipient)};{int(r.valid)};"
        f"{r.code or ''};{r.step_code or ''}"
        for r in records
    )


def cumulative_hash(previous: str, block: str) -> str:
    """SHA-256 of the previous cumulative hash (empty before the first block) and the block's event hash, as text."""
    return sha256((previous + block).encode("ascii")).hexdigest()


def divergence(decisions: frozenset[str]) -> str | None:
    """The tags as the column carries them: ascending by number, joined by commas."""
    return ",".join(sorted(decisions, key=lambda tag: int(tag.removeprefix("D-")))) or None


def _digest(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode("utf-8")).hexdigest()


def decimal(units: int | None) -> str:
    """The amount with all its 8 decimals, empty when there is none."""
    if units is None:
        return ""
    whole, fraction = divmod(abs(units), 10**DECIMALS)
    return f"{'-' if units < 0 else ''}{whole}.{fraction:0{DECIMALS}d}"


def _address(party: Party | None) -> str:
    return "" if party is None else party.address
