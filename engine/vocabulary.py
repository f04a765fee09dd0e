"""Numbers by which columns know the words of records: codes, operations, causes, divergences."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.verdicts import Code

CODES: Final = tuple(Code)
"""A code's number is 1 + its place; 0 is none."""

OPERATIONS: Final = (
    "deploy",
    "mint",
    "mint_stones",
    "transfer",
    "burn",
    "swap_init",
    "swap_exe",
    "swap",
    "invalid",
)
DEPLOY: Final = OPERATIONS.index("deploy")
MINT: Final = OPERATIONS.index("mint")
MINT_STONES: Final = OPERATIONS.index("mint_stones")
TRANSFER: Final = OPERATIONS.index("transfer")
BURN: Final = OPERATIONS.index("burn")
SWAP_INIT: Final = OPERATIONS.index("swap_init")
SWAP_EXE: Final = OPERATIONS.index("swap_exe")
SWAP: Final = OPERATIONS.index("swap")
INVALID: Final = OPERATIONS.index("invalid")

CAUSES: Final = ("mint", "mint_stones", "transfer_debit", "transfer_credit", "rounding")
"""Causes of balance events; modules append theirs."""
CAUSE_MINT: Final = CAUSES.index("mint")
CAUSE_STONES: Final = CAUSES.index("mint_stones")
CAUSE_DEBIT: Final = CAUSES.index("transfer_debit")
CAUSE_CREDIT: Final = CAUSES.index("transfer_credit")
CAUSE_ROUNDING: Final = CAUSES.index("rounding")

_DIVERGENCES: Final = (1, 2, 3, 5, 6, 7, 8, 16, 23)
"""Decisions that tag records of the core. A set of decisions is a number with one bit for each, lowest first."""
D1: Final = 1 << _DIVERGENCES.index(1)
D2: Final = 1 << _DIVERGENCES.index(2)
D3: Final = 1 << _DIVERGENCES.index(3)
D5: Final = 1 << _DIVERGENCES.index(5)
D6: Final = 1 << _DIVERGENCES.index(6)
D7: Final = 1 << _DIVERGENCES.index(7)
D8: Final = 1 << _DIVERGENCES.index(8)
D16: Final = 1 << _DIVERGENCES.index(16)
D23: Final = 1 << _DIVERGENCES.index(23)


class Divergences:
    """Sets of decisions as numbers of 64 bits: the core's bits are fixed, those of modules are given at first use."""

    def __init__(self) -> None:
        self._bits = {number: 1 << bit for bit, number in enumerate(_DIVERGENCES)}

    def set_of(self, numbers: Iterable[int]) -> int:
        """The set of the decisions so numbered."""
        chosen = 0
        for number in numbers:
            chosen |= self._bits.setdefault(number, 1 << len(self._bits))
        return chosen

    def words(self, sets: npt.NDArray[np.uint64]) -> pa.Array:
        """Text of each set, null for the empty one; each distinct set is spelled once."""
        tagged = np.flatnonzero(sets)
        if not len(tagged):
            return pa.nulls(len(sets), pa.string())
        distinct, places = np.unique(sets[tagged], return_inverse=True)
        numbers = np.full(len(sets), -1, np.int32)
        numbers[tagged] = places
        return pa.array([self._text(int(chosen)) for chosen in distinct]).take(pa.array(numbers, mask=numbers < 0))

    def _text(self, chosen: int) -> str:
        return ",".join(f"D-{number}" for number, bit in sorted(self._bits.items()) if chosen & bit)


def code_number(code: Code) -> int:
    """The number by which columns know the code."""
    return CODES.index(code) + 1


def code_words() -> pa.Array:
    """Text of every code number, null for 0."""
    return pa.array([None, *(code.value for code in CODES)], pa.string())
