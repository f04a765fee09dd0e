"""The arrays of the ledger: balances by entry, supplies by ticker."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

_LIMBS: Final = ("<u8", 2)

ENTRY: Final = np.dtype(
    [
        ("balance", *_LIMBS),
        ("ticker", "<i4"),
        ("account", "<i4"),
        ("changed", "<i4"),
        ("credited", "<i4"),
        ("slack", "<i4"),
    ],
    align=True,
)
"""One balance, as shown: signed, of whole units. `changed` is the height of its latest event, -1 when restored;
`credited` that of the latest one that paid it, 0 when there was none or it was restored. An entry without account is
free.

`slack` is what the exact balance has more than the shown one, in half units, where anything between whole units counts
as a half: 0 if they are equal, odd if the exact one is not of whole units. It is 0 outside of blocks.
"""

TOKEN: Final = np.dtype(
    [
        ("maximum", *_LIMBS),
        ("limit", *_LIMBS),
        ("minted", *_LIMBS),
        ("burned", *_LIMBS),
        ("rounding", *_LIMBS),
        ("holders", "<i8"),
        ("old_minted", *_LIMBS),
        ("old_burned", *_LIMBS),
        ("old_rounding", *_LIMBS),
        ("old_holders", "<i8"),
        ("changed", "<i4"),
        ("deployed", "<i4"),
        ("written", "<i4"),
        ("is_deployed", "?"),
        ("has_limit", "?"),
        ("is_wrap", "?"),
        ("is_governed", "?"),
    ],
    align=True,
)
"""Supply of one ticker, deployed or not. `old_*` is as of before block `changed`; `deployed` is a height,
`written` that of the latest row of SUPPLIES. Mints of a governed token are a module's."""

USED: Final = 0
CHANGED: Final = 1
INEXACT: Final = 2


class Books(NamedTuple):
    """The arrays that kernels work on."""

    entries: npt.NDArray[Any]
    """ENTRY, an open-addressing table keyed by (ticker, account); its length is a power of two."""
    tokens: npt.NDArray[Any]
    """TOKEN by ticker number."""
    changed: npt.NDArray[np.int32]
    """Tickers whose supply the current block touched."""
    counts: npt.NDArray[np.int64]
    """USED entries; CHANGED tickers; events of plain operations on INEXACT balances, which nobody looked at yet."""


class Place(NamedTuple):
    """Where in the range an effect happens."""

    block: int
    height: int
    record: int
    """Negative at the block's end."""


def free_entries(size: int) -> npt.NDArray[Any]:
    entries = np.zeros(size, ENTRY)
    entries["account"] = -1
    entries["changed"] = -1
    return entries


def new_tokens(size: int) -> npt.NDArray[Any]:
    tokens = np.zeros(size, TOKEN)
    tokens["changed"] = -1
    tokens["deployed"] = -1
    tokens["written"] = -1
    return tokens
