"""Numbers by which columns know the words of records: codes, operations, causes, divergences."""

from typing import Final

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

CAUSES: Final = ("mint", "mint_stones", "transfer_debit", "transfer_credit")
"""Causes of balance events; modules append theirs."""
CAUSE_MINT: Final = CAUSES.index("mint")
CAUSE_STONES: Final = CAUSES.index("mint_stones")
CAUSE_DEBIT: Final = CAUSES.index("transfer_debit")
CAUSE_CREDIT: Final = CAUSES.index("transfer_credit")

DIVERGENCES: Final = (1, 2, 3, 5, 6, 7, 8, 16, 23)
"""Decisions that tag records. A set of them is a number with one bit for each, lowest first."""
D1: Final = 1 << DIVERGENCES.index(1)
D2: Final = 1 << DIVERGENCES.index(2)
D3: Final = 1 << DIVERGENCES.index(3)
D5: Final = 1 << DIVERGENCES.index(5)
D6: Final = 1 << DIVERGENCES.index(6)
D7: Final = 1 << DIVERGENCES.index(7)
D8: Final = 1 << DIVERGENCES.index(8)
D16: Final = 1 << DIVERGENCES.index(16)
D23: Final = 1 << DIVERGENCES.index(23)


def code_number(code: Code) -> int:
    """The number by which columns know the code."""
    return CODES.index(code) + 1


def code_words() -> pa.Array:
    """Text of every code number, null for 0."""
    return pa.array([None, *(code.value for code in CODES)], pa.string())


def divergence_words() -> pa.Array:
    """Text of every set of divergences, null for the empty set."""
    sets = range(1 << len(DIVERGENCES))
    tags = [[f"D-{n}" for bit, n in enumerate(DIVERGENCES) if chosen >> bit & 1] for chosen in sets]
    return pa.array([",".join(tag) or None for tag in tags], pa.string())
