"""Payload bytes to parsed operations: each distinct payload is read once (R-CORE-JSON-*)."""

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.amounts import Integer, Real, can_sum, is_vast, limbs, read_amount, read_recorded
from engine.arena import Bytes, grown
from engine.interner import Interner
from engine.tickers import Tickers, is_unstorable
from engine.verdicts import Code
from engine.vocabulary import BURN, DEPLOY, INVALID, MINT, SWAP, SWAP_EXE, SWAP_INIT, TRANSFER, code_number
from ingest.networks import MAX_NESTING

MOST_REMEMBERED: Final = 1 << 20
"""Distinct payloads after which the memory starts anew."""

SILENT: Final = 255
"""In the place of a code: leaves no record."""

_OPERATIONS: Final = {"deploy": DEPLOY, "mint": MINT, "transfer": TRANSFER, "burn": BURN, "swap": SWAP}
_DECODER: Final = json.JSONDecoder(parse_int=Integer, parse_float=Real, parse_constant=Real)


class Payload(NamedTuple):
    """What the rules need to know of one payload; the same names are the fields of PAYLOAD."""

    code: int
    """0: parsed. SILENT, or the number of the code of R-CORE-JSON-1."""
    operation: int = INVALID
    ticker: int = -1
    """This and the next five as in `engine.tickers.Ticker`."""
    text: int = -1
    upper: int = -1
    is_receipt: bool = False
    is_wrapped: bool = False
    is_hazard: bool = False
    has_amount: bool = False
    """`amt` is an amount (R-CORE-AMT-1) and in range."""
    amount: tuple[int, int] = (0, 0)
    has_recorded: bool = False
    recorded: tuple[int, int] = (0, 0)
    """What an invalid record carries for `amt` (R-CORE-AMT-5)."""
    has_supply: bool = False
    """`m` is an amount and in range."""
    supply: tuple[int, int] = (0, 0)
    has_limit: bool = False
    """`l` is an amount and in range."""
    limit: tuple[int, int] = (0, 0)
    bad_limit: bool = False
    """`l` is present, not null and no amount."""
    unstorable: bool = False
    """`amt`, or for a deploy `m` or `l`, is what the predecessor could not store (D-3)."""
    excess: bool = False
    """`amt` had more decimals than eight (D-23)."""
    excess_supply: bool = False
    """`m` or `l` had more decimals than eight (D-23)."""
    has_curve: bool = False
    """A deploy whose `curve` is true in the sense of R-CURVE-DEP-3."""
    is_summable: bool = False
    """`amt` can be added in R-CORE-MULTI-4."""
    is_vast: bool = False
    """Sums with such an `amt` may be beyond what a decimal can express."""
    poisons: bool = False
    """Silences the whole multi-transfer whose step it is, whatever else is wrong there (R-CORE-REC-5)."""
    has_no_ticker: bool = False
    """A swap whose `tick` is false or no text; the latter silences a multi-transfer when tickers are compared."""
    is_test: bool = False
    """`test_opi` (D-2)."""


def _field(name: str, default: object) -> tuple[Any, ...]:
    """The column of a field: numbers of texts are -1 where there is none."""
    if isinstance(default, tuple):
        return name, "<u8", len(default)
    if default is False:
        return name, "?"
    return name, "<i4" if default == -1 else "u1"


PAYLOAD: Final = np.dtype([("code", "u1"), *(_field(*item) for item in Payload._field_defaults.items())], align=True)


class Payloads:
    """Parsed payloads by number. Numbers hold until `forget_surplus`."""

    def __init__(self, tickers: Tickers, most_remembered: int = MOST_REMEMBERED) -> None:
        self._tickers = tickers
        self._most_remembered = most_remembered
        self._texts = Interner()
        self.rows = np.zeros(1024, PAYLOAD)

    def sums(self, numbers: Iterable[int]) -> bool:
        """Whether the amounts of the steps with these payloads can be summed (R-CORE-MULTI-4)."""
        return can_sum(amount for number in numbers for amount in step_amounts(self.members(number)))

    def forget_surplus(self) -> None:
        """Start anew when too much is remembered. Numbers given before are void."""
        if self._texts.count > self._most_remembered:
            self._texts = Interner()

    def numbers(
        self, data: Bytes, starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        """Number of each payload `data[start : start + length]`, -1 where the length is 0; parses the new ones."""
        known = self._texts.count
        numbers = self._texts.intern(data, starts, lengths)
        self.rows = grown(self.rows, self._texts.count)
        new = [parse(self._texts[number], self._tickers) for number in range(known, self._texts.count)]
        self.rows[known : self._texts.count] = np.array(new, PAYLOAD)
        return numbers

    def members(self, number: int) -> dict[str, Any]:
        """Members of a payload that parsed, for modules; numbers are Integer or Real."""
        members: dict[str, Any] = _DECODER.decode(self._texts[number].decode())
        return members


def parse(payload: bytes, tickers: Tickers) -> Payload:
    """Apply R-CORE-JSON-1, then read the members that the operation's rules ask for."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return Payload(SILENT)
    if '"p":"brc-20"' not in text and '"p": "brc-20"' not in text:
        return _refused(Code.INVALID_PROTOCOL)
    members = read_object(text)
    return Payload(SILENT) if members is None else _read(members, tickers)


def read_object(text: str) -> dict[str, Any] | None:
    """Members of a JSON object (steps 3 and 4 of R-CORE-JSON-1); None for what is none, or nested too deeply (D-20)."""
    if _nesting(text) > MAX_NESTING:
        return None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _refused(code: Code) -> Payload:
    return Payload(code_number(code))


def _read(members: dict[str, Any], tickers: Tickers) -> Payload:
    """Steps 5 to 10 of R-CORE-JSON-1."""
    protocol = members.get("p")
    if protocol is None:
        return _refused(Code.MISSING_PROTOCOL)
    if type(protocol) is not str or protocol != "brc-20":
        return _refused(Code.INVALID_PROTOCOL)
    name = members.get("op")
    if name is None:
        return _refused(Code.MISSING_OPERATION)
    if type(name) is not str or name not in _OPERATIONS:
        return _refused(Code.INVALID_OPERATION)._replace(is_test=type(name) is str and name == "test_opi")
    tick = members.get("tick")
    operation = _OPERATIONS[name]
    if operation == SWAP:
        return _swap(members, tick, tickers)
    if tick is None:
        return _refused(Code.MISSING_TICKER)
    if type(tick) is not str or not tick:
        return _refused(Code.EMPTY_TICKER)
    if is_unstorable(tick):
        return Payload(SILENT, poisons=True)
    return _operation(operation, members, tick, tickers)


def _swap(members: dict[str, Any], tick: object, tickers: Tickers) -> Payload:
    """Swaps need no ticker; one that is no text drops the transaction unless it is false (R-CORE-REC-5)."""
    operation = SWAP
    if members.get("init") is not None:
        operation = SWAP_INIT
    elif members.get("exe") is not None:
        operation = SWAP_EXE
    if type(tick) is not str or not tick:
        silent = is_truthy(tick)
        return _operation(operation, members, "", tickers)._replace(code=SILENT if silent else 0, has_no_ticker=True)
    if is_unstorable(tick):
        return _operation(operation, members, "", tickers)._replace(poisons=True)
    return _operation(operation, members, tick, tickers)


def _operation(operation: int, members: dict[str, Any], tick: str, tickers: Tickers) -> Payload:
    raw = members.get("amt")
    amount = read_amount(raw)
    recorded = read_recorded(raw) if amount.units is None else amount.units
    payload = Payload(
        0,
        operation,
        *tickers.read(tick),
        has_amount=amount.units is not None,
        amount=limbs(amount.units or 0),
        has_recorded=recorded is not None,
        recorded=limbs(recorded or 0),
        unstorable=raw is not None and recorded is None,
        excess=amount.excess,
        is_summable=amount.units is not None or can_sum(step_amounts(members)),
        is_vast=amount.units is None and is_vast(raw),
    )
    return _with_supply(payload, members) if operation == DEPLOY else payload


def _with_supply(payload: Payload, members: dict[str, Any]) -> Payload:
    """What a deploy says beside its ticker."""
    supply, limit = read_amount(members.get("m")), read_amount(members.get("l"))
    return payload._replace(
        has_supply=supply.units is not None,
        supply=limbs(supply.units or 0),
        has_limit=limit.units is not None,
        limit=limbs(limit.units or 0),
        bad_limit=limit.units is None and members.get("l") is not None,
        unstorable=supply.out_of_range or (supply.units is not None and limit.out_of_range),
        excess_supply=supply.excess or limit.excess,
        has_curve=is_truthy(members.get("curve")),
    )


def step_amounts(members: dict[str, Any]) -> list[object]:
    """What a step adds to the sum of its multi-transfer: nothing when `amt` is missing."""
    return [members["amt"]] if "amt" in members else []


def is_truthy(value: object) -> bool:
    """Truth of a JSON value as the protocol knows it: null, false, zero, empty text and containers are false."""
    if isinstance(value, Integer):
        return bool(value.strip("-0"))
    if isinstance(value, Real):
        return float(value) != 0
    return bool(value)


def _nesting(text: str) -> int:
    """Most `{` and `[` open at once outside strings (R-CORE-JSON-4)."""
    if text.count("{") + text.count("[") <= MAX_NESTING:
        return 0
    deepest = depth = 0
    quoted = escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth -= 1
    return deepest
