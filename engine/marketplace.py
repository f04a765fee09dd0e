"""Marketplace templates (R-CORE-MKT-*): what a transfer classifies as. Compiled."""

from typing import Any, Final

import numpy as np

from engine.compiled import helper
from engine.script import has_address, same
from engine.wire import prevout, witness_item

SIMPLE: Final = 0
MARKETPLACE: Final = 1
INVALID_MARKETPLACE: Final = 2

_SINGLE_ANYONECANPAY: Final = 0x83
_FEWEST: Final = 3
"""Inputs, and distinct addresses among them, that both templates demand."""


@helper
def classify(
    raw: Any, witness: Any, inputs: Any, prevouts: Any, first: Any, last: Any, new_template: Any, emergency: Any
) -> Any:
    """SIMPLE, MARKETPLACE or INVALID_MARKETPLACE of a transaction whose bytes are known to be sound.

    `witness` is where the witnesses begin in `raw`, `first` to `last` are its spent outputs.
    """
    counting = 0
    first_two = 0
    at = witness
    for index in range(inputs):
        size, byte, at = witness_item(raw, at, raw.size)
        if size > 0 and byte == _SINGLE_ANYONECANPAY:
            counting += 1
            first_two += index < 2
    if counting == 0:
        return SIMPLE
    if inputs < _FEWEST or not _has_three_addresses(prevouts, first, last, inputs):
        return INVALID_MARKETPLACE
    if not new_template:
        return MARKETPLACE
    if first_two < 2 or not (emergency or _first_two_agree(prevouts, first, last)):
        return INVALID_MARKETPLACE
    return MARKETPLACE


@helper
def _first_two_agree(prevouts: Any, first: Any, last: Any) -> Any:
    zero, zero_size, at = prevout(prevouts, first, last)
    one, one_size, at = prevout(prevouts, at, last)
    return has_address(prevouts, zero, zero_size) and same(prevouts, zero, zero_size, prevouts, one, one_size)


@helper
def _has_three_addresses(prevouts: Any, first: Any, last: Any, inputs: Any) -> Any:
    one = one_size = two = two_size = np.int64(0)
    at = first
    for _ in range(inputs):
        script, size, at = prevout(prevouts, at, last)
        if not has_address(prevouts, script, size) or same(prevouts, script, size, prevouts, one, one_size):
            continue
        if one_size == 0:
            one, one_size = script, size
        elif two_size == 0:
            two, two_size = script, size
        elif not same(prevouts, script, size, prevouts, two, two_size):
            return True
    return False
