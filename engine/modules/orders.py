"""What swaps ask for: members of a payload as a deposit (`init`) or an order (`exe`), checked in the stated order."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from engine.modules.numbers import is_missing, read_decimal, read_integer
from engine.tickers import is_unstorable
from engine.unicode14 import upper
from engine.verdicts import Code

SWAP: Final = "swap"

_UNSTORABLE: Final = 3
_MOST: Final = Decimal(10) ** 27
_SHORTEST_LOCK: Final = 10
_LONGEST_LOCK: Final = 1_000_000


class Refusal(Exception):
    """Why a swap is refused, and what its record says. `operation` is None where that is what was asked for."""

    def __init__(
        self,
        code: Code,
        ticker: str | None = None,
        amount: Decimal | None = None,
        operation: str | None = None,
        tags: Collection[int] = (),
    ) -> None:
        super().__init__(code)
        self.code, self.ticker, self.amount, self.operation, self.tags = code, ticker, amount, operation, tags


class Deposit(NamedTuple):
    """A valid request to lock liquidity."""

    source: str
    destination: str
    amount: Decimal
    lock: int
    """In blocks."""


class Order(NamedTuple):
    """A valid request to trade."""

    source: str
    destination: str
    amount: Decimal
    slippage: Decimal
    """Most that is tolerated, in percent."""


def read_deposit(members: Mapping[str, Any]) -> Deposit:
    """Rows 1 to 8 of R-SWAP-INIT-1. Raises Refusal."""
    source, destination = read_pair(members["init"])
    amount, lock = members.get("amt"), members.get("lock")
    if is_missing(amount) or is_missing(lock):
        raise Refusal(Code.SWAP_MISSING_FIELDS)
    number = _read_amount(amount)
    blocks = read_integer(lock)
    if blocks is None:
        raise Refusal(Code.SWAP_INVALID_LOCK_DURATION, amount=number)
    if blocks < _SHORTEST_LOCK:
        raise Refusal(Code.SWAP_LOCK_TOO_SHORT, amount=number)
    _check_amount(number)
    if blocks > _LONGEST_LOCK:
        raise Refusal(Code.SWAP_INVALID_LOCK_DURATION, amount=number)
    return Deposit(source, destination, number, blocks)


def read_order(members: Mapping[str, Any]) -> Order:
    """Rows 3 to 6 of R-SWAP-EXE-1. Raises Refusal."""
    source, destination = read_pair(members["exe"])
    amount, slippage = members.get("amt"), members.get("slip")
    if is_missing(amount) or is_missing(slippage):
        raise Refusal(Code.SWAP_MISSING_FIELDS)
    number = _read_amount(amount)
    percent = read_decimal(slippage)
    if percent is None or percent.is_nan() or not 0 <= percent <= 100:
        raise Refusal(Code.SWAP_INVALID_SLIPPAGE, amount=number)
    _check_amount(number)
    return Order(source, destination, number, percent)


def read_pair(value: object) -> tuple[str, str]:
    """The two tickers of `init` or `exe`, split at the first comma and normalised (R-SWAP-ROUTE-2, R-SWAP-ROUTE-3).

    Raises Refusal; what the predecessor stumbles over is recorded as operation `swap`.
    """
    if type(value) is str:
        if "," not in value:
            raise Refusal(Code.SWAP_MISSING_FIELDS)
        if is_unstorable(value):
            raise unknown()
        source, _, destination = value.partition(",")
        return normalise_member(source), normalise_member(destination)
    if is_missing(value) or (isinstance(value, list | dict) and "," not in value):
        raise Refusal(Code.SWAP_MISSING_FIELDS)
    raise unknown()


def normalise_member(text: str) -> str:
    """Normal form of a member of a pair (R-CORE-TICK-2)."""
    trimmed = text.strip()
    return "y" + upper(trimmed[1:]) if trimmed.startswith("y") else upper(trimmed)


def unknown() -> Refusal:
    """The refusal of what raises in the predecessor before it knows what was asked for."""
    return Refusal(Code.UNKNOWN_PROCESSING_ERROR, operation=SWAP)


def unstorable(request: Deposit | Order) -> Refusal:
    """The refusal of what would leave a total that cannot be stored: the predecessor loses the block (D-3)."""
    return Refusal(Code.UNKNOWN_PROCESSING_ERROR, request.source, request.amount, tags=(_UNSTORABLE,))


def _read_amount(value: object) -> Decimal:
    amount = read_decimal(value)
    if amount is None:
        raise Refusal(Code.SWAP_INVALID_AMOUNT)
    return amount


def _check_amount(amount: Decimal) -> None:
    """Above zero and at most 10^27, as deposits and orders demand."""
    if amount.is_nan():
        raise unknown()
    if not 0 < amount <= _MOST:
        raise Refusal(Code.SWAP_INVALID_AMOUNT, amount=amount)
