"""What payloads ask of the curve module: programs, stakes and claims, checked in the stated order."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from engine.amounts import Integer, Real, read_amount, read_recorded
from engine.modules.emission import EXPONENTIAL, LINEAR
from engine.modules.numbers import is_missing, read_decimal, read_integer
from engine.modules.orders import Refusal, read_deposit, read_pair
from engine.modules.program import Program
from engine.modules.registry import Operation
from engine.tickers import is_unstorable
from engine.unicode14 import upper
from engine.verdicts import Code
from ingest.networks import DECIMALS

RECEIPT: Final = "y"
"""What the tickers of receipts begin with (R-CORE-TICK-3)."""

_LONGEST: Final = (1 << 63) - 1
_NOT_ABOVE_ZERO: Final = 61
_LONG_ENOUGH: Final = "10"


class Request(NamedTuple):
    """A valid request to stake or to claim. `ticker` is what is given: S by a stake, `y` and S by a claim."""

    ticker: str
    reward: str
    amount: Decimal


def is_stake(members: Mapping[str, Any]) -> bool:
    """Whether a swap is a stake (R-SWAP-ROUTE-1, R-SWAP-ROUTE-4)."""
    wrap = members.get("wrap")
    is_one = isinstance(wrap, Integer | Real) and float(wrap) == 1
    return members.get("init") is not None and (wrap is True or is_one or wrap == "true")


def is_claim(members: Mapping[str, Any]) -> bool:
    """Whether a swap is a claim (R-SWAP-ROUTE-1, R-SWAP-ROUTE-4)."""
    pair = members.get("exe")
    return members.get("init") is None and type(pair) is str and pair.strip().startswith(RECEIPT)


def read_program(operation: Operation, ticker: str) -> Program | None:
    """The program that a deploy asks for, None where rows 2 to 8 of R-CURVE-DEP-1 or R-CURVE-DEP-4 refuse it."""
    curve, genesis, supply = operation.members["curve"], operation.sender, amount_of(operation, "m")
    init, exe = operation.after_op_return(1), operation.after_op_return(2)
    if not isinstance(curve, dict) or genesis is None or init is None or exe is None or not supply:
        return None
    if operation.account(init.script) != genesis or operation.account(exe.script) != genesis:
        return None
    type_, duration, staking = curve.get("type"), _duration(curve.get("lock")), _first_stake(curve.get("stakes"))
    if type_ not in (LINEAR, EXPONENTIAL) or duration is None or staking is None:
        return None
    return Program(
        ticker=ticker,
        deploy_txid=operation.txid,
        type=type_,
        duration=duration,
        staking=staking,
        max_supply=supply,
        init_fee=init.value,
        exe_fee=exe.value,
        genesis=genesis,
        start=operation.height,
        last=operation.height,
    )


def read_stake(members: Mapping[str, Any]) -> Request:
    """Rows 1, 3, 6 and 7 of R-SWAP-INIT-1. Raises Refusal."""
    deposit = read_deposit({**members, "lock": _LONG_ENOUGH})
    return Request(deposit.source, deposit.destination, deposit.amount)


def read_claim(members: Mapping[str, Any]) -> Request:
    """R-CURVE-CLAIM-1 up to the amount, which has to be above zero (D-61). Raises Refusal."""
    ticker, reward = read_pair(members["exe"])
    if is_missing(members.get("amt")):
        raise Refusal(Code.SWAP_MISSING_FIELDS)
    amount = read_decimal(members["amt"])
    if amount is None:
        raise Refusal(Code.SWAP_INVALID_AMOUNT)
    if amount.is_nan() or amount <= 0:
        raise Refusal(Code.SWAP_INVALID_AMOUNT, ticker, amount, tags=(_NOT_ABOVE_ZERO,))
    return Request(ticker, reward, amount)


def amount_of(operation: Operation, member: str = "amt") -> Decimal | None:
    """A member as an amount in tokens (R-CORE-AMT-1)."""
    return _tokens(read_amount(operation.members.get(member)).units)


def recorded_amount(operation: Operation) -> Decimal | None:
    """What the record of a mint or transfer carries for `amt`, also where it is no amount (R-CORE-AMT-5)."""
    amount = amount_of(operation)
    return _tokens(read_recorded(operation.members.get("amt"))) if amount is None else amount


def _tokens(units: int | None) -> Decimal | None:
    return None if units is None else Decimal(units).scaleb(-DECIMALS)


def _duration(lock: object) -> int | None:
    """`lock` as a number of blocks; JSON numbers are truncated, true counts as 1 (R-CURVE-DEP-1, R-CURVE-DEP-4)."""
    if isinstance(lock, bool):
        number: float | None = int(lock)
    elif isinstance(lock, Real):
        number = float(lock)
    else:
        number = read_integer(lock)
    return int(number) if number is not None and 1 <= number <= _LONGEST else None


def _first_stake(stakes: object) -> str | None:
    """The staking ticker: the others have no meaning (R-CURVE-DEP-5)."""
    if not isinstance(stakes, list) or not stakes or type(stakes[0]) is not str or is_unstorable(stakes[0]):
        return None
    return upper(stakes[0])
