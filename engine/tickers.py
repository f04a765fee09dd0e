"""Tickers: normal form and numbers (R-CORE-TICK-*)."""

import re
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.arena import Arena

STONES: Final = "STONES"
WRAPPED: Final = "W"
MULTIPLE: Final = "multiple"
"""What the record of a multi-transfer without one ticker says instead (R-CORE-MULTI-4)."""
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_WILDCARDS: Final = frozenset("%_\\")


def normalise(text: str) -> str:
    """Normal form of a `tick` that is not empty (R-CORE-TICK-1)."""
    return "y" + text[1:].upper() if text[0] in "yY" else text.upper()


def is_receipt(ticker: str) -> bool:
    """Whether the normalised ticker belongs to the curve extension (R-CORE-TICK-3)."""
    return ticker.startswith("y")


def is_lookup_hazard(ticker: str) -> bool:
    """Whether the predecessor's pattern match could take the ticker for another one (D-5)."""
    return not _WILDCARDS.isdisjoint(ticker)


def is_unstorable(text: str) -> bool:
    """Whether the text holds a NUL or a lone surrogate, so that its operation stays silent (R-CORE-REC-5)."""
    return _UNSTORABLE.search(text) is not None


class Tickers:
    """Every text that was ever met as a ticker, raw or normalised, by number. Equality is of texts (R-CORE-TICK-4)."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.texts = Arena()

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, text: str) -> int:
        """The text's number, a new one at first sight."""
        known = self._numbers.get(text)
        if known is None:
            known = self.texts.append(text.encode())
            self._numbers[text] = known
        return known

    def find(self, text: str) -> int | None:
        """The number of a text if it was ever met."""
        return self._numbers.get(text)

    def text(self, number: int) -> str:
        """The text so numbered."""
        return self.texts[number].decode()

    def take(self, numbers: npt.NDArray[np.int32]) -> pa.Array:
        """Texts by number as strings, null for negative numbers."""
        return self.texts.take(numbers, pa.string())
