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
    """SHA-256 over the valid records, a line each, and `closing` lines."""
    return _digest([*(_event_line(record) for record in records if record.valid), *closing])


def record_hash(event_hash: str, records: Iterable[Record]) -> str:
    """SHA-256 over the event hash and all records: `valid;step;code;step_code`, of refused ones all the rest."""
    lines = []
    for record in records:
        step = "" if record.step is None else record.step
        verdict = f"{int(record.valid)};{step};{record.code or ''};{record.step_code or ''}"
        lines.append(verdict if record.valid else f"{verdict};{_event_line(record)}")
    return _digest([event_hash, *lines])


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


def _event_line(record: Record) -> str:
    return ";".join(
        (
            record.operation,
            record.txid,
            str(record.vout),
            record.ticker_text or "",
            decimal(record.amount),
            _address(record.sender),
            _address(record.recipient),
        )
    )


def _address(party: Party | None) -> str:
    return "" if party is None else party.address
