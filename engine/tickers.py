"""Tickers: normal form and numbers (R-CORE-TICK-*)."""

import re
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.arena import Arena
from engine.unicode14 import upper

STONES: Final = "STONES"
WRAPPED: Final = "W"
MULTIPLE: Final = "multiple"
"""What the record of a multi-transfer without one ticker says instead (R-CORE-MULTI-4)."""
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_WILDCARDS: Final = frozenset("%_\\")


def normalise(text: str) -> str:
    """Normal form of a `tick` (R-CORE-TICK-1)."""
    return "y" + upper(text[1:]) if text[:1] in ("y", "Y") else upper(text)


def is_unstorable(text: str) -> bool:
    """Whether the text holds a NUL or a lone surrogate, so that its operation stays silent (R-CORE-REC-5)."""
    return _UNSTORABLE.search(text) is not None


class Ticker(NamedTuple):
    """What there is to know of a `tick`, by numbers of texts."""

    ticker: int
    """The normal form."""
    text: int
    """As written."""
    upper: int
    """In upper case (R-CORE-MULTI-4)."""
    is_receipt: bool
    """The normal form belongs to the curve extension (R-CORE-TICK-3)."""
    is_wrapped: bool
    is_hazard: bool
    """The predecessor's pattern match could take the normal form for another ticker (D-5)."""


class Tickers:
    """Every text that was ever met as a ticker, raw or normalised, by number. Equality is of texts (R-CORE-TICK-4)."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._read: dict[str, Ticker] = {}
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

    def known(self, text: str) -> int | None:
        """The text's number if it was ever met."""
        return self._numbers.get(text)

    def read(self, tick: str) -> Ticker:
        """Read a `tick`, each distinct text once."""
        known = self._read.get(tick)
        if known is None:
            ticker = normalise(tick)
            known = Ticker(
                ticker=self.number(ticker),
                text=self.number(tick),
                upper=self.number(upper(tick)),
                is_receipt=ticker.startswith("y"),
                is_wrapped=ticker == WRAPPED,
                is_hazard=not _WILDCARDS.isdisjoint(ticker),
            )
            self._read[tick] = known
        return known

    def text(self, number: int) -> str:
        """The text so numbered."""
        return self.texts[number].decode()

    def take(self, numbers: npt.NDArray[np.int32]) -> pa.Array:
        """Texts by number as strings, null for negative numbers."""
        return self.texts.take(numbers, pa.string())
