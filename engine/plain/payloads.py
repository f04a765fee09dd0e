"""From the bytes of a payload to an operation, a refusal with its code, or silence (sections 4 and 5)."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from engine.plain.transactions import MARKERS
from engine.unicode14 import upper
from engine.verdicts import Code
from ingest.networks import MAX_NESTING

OPERATIONS: Final = frozenset({"deploy", "mint", "transfer", "burn", "swap"})


@dataclass(frozen=True, slots=True)
class Operation:
    """A payload that passed R-CORE-JSON-1. Integers among its members are Decimals, other numbers floats."""

    name: str
    members: dict[str, Any]

    @property
    def ticker_text(self) -> str | None:
        """`tick` as the payload spells it; None where `swap` leaves it out or types it otherwise."""
        tick = self.members.get("tick")
        return tick if isinstance(tick, str) and tick else None

    @property
    def ticker(self) -> str | None:
        """Normalised ticker (R-CORE-TICK-1)."""
        return None if self.ticker_text is None else normalise(self.ticker_text)

    @property
    def is_silenced(self) -> bool:
        """A ticker that no lookup survives, so that no record is left (R-CORE-REC-5)."""
        if self.name == "swap":
            tick = self.members.get("tick")
            return bool(tick) and not isinstance(tick, str)
        return has_unusable_character(self.ticker_text)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A payload that is recorded as `invalid` with `code`."""

    code: Code
    decision: str | None = None


def parse_payload(payload: bytes) -> Operation | Refusal | None:
    """R-CORE-JSON-1, step by step; None stands for silence."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not any(marker in text for marker in MARKERS):
        return Refusal(Code.INVALID_PROTOCOL)
    if nesting(text) > MAX_NESTING:
        return None
    try:
        value = json.loads(text, parse_int=Decimal)
    except json.JSONDecodeError:
        return None
    return _operation(value) if isinstance(value, dict) else None


def _operation(members: dict[str, Any]) -> Operation | Refusal:
    """Steps 5 to 10. `test_opi` is like any unknown operation (R-CORE-TEST-1, D-2)."""
    name, tick = members.get("op"), members.get("tick")
    if members.get("p") is None:
        return Refusal(Code.MISSING_PROTOCOL)
    if members["p"] != "brc-20":
        return Refusal(Code.INVALID_PROTOCOL)
    if name is None:
        return Refusal(Code.MISSING_OPERATION)
    if not isinstance(name, str) or name not in OPERATIONS:
        return Refusal(Code.INVALID_OPERATION, decision="D-2" if name == "test_opi" else None)
    if name != "swap":
        if tick is None:
            return Refusal(Code.MISSING_TICKER)
        if not isinstance(tick, str) or not tick:
            return Refusal(Code.EMPTY_TICKER)
    return Operation(name, members)


def nesting(text: str) -> int:
    """Most `{` and `[` open at once outside strings, the outermost included (R-CORE-JSON-4, D-20)."""
    deepest = depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth -= 1
    return deepest


def normalise(tick: str) -> str:
    """R-CORE-TICK-1: upper case by the full Unicode mapping, except that a leading `y` or `Y` becomes `y`."""
    return "y" + upper(tick[1:]) if tick[:1] in ("y", "Y") else upper(tick)


def has_unusable_character(tick: str | None) -> bool:
    """A NUL or a lone surrogate."""
    return tick is not None and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in tick)
