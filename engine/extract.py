"""Candidate transactions to what the rules read in them: one compiled walk over the archived bytes.

Nothing here depends on the ledger, and nothing is copied: texts and scripts are spans (start, length) of the blobs.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.arena import Bytes, Offsets, blobs
from engine.compiled import compiled, helper
from engine.errors import MalformedCandidate
from engine.marketplace import SIMPLE, classify
from engine.script import (
    RUNESTONE,
    has_address,
    has_marker,
    is_nulldata,
    is_return,
    is_step,
    is_wrapped_mint,
    push,
    same,
)
from engine.verdicts import Code
from engine.vocabulary import code_number
from engine.wire import compact_size, outputs_at, prevout, witness_at
from ingest.candidates import Kind
from ingest.networks import MAX_PAYLOAD, Network

NOTHING: Final = 0
"""Leaves no record (R-CORE-OPR-3, R-CORE-OPR-6, R-CORE-CONST-1)."""
STONES: Final = 1
JSON: Final = 2
MULTI: Final = 3

_POSITION: Final = code_number(Code.INVALID_OUTPUT_POSITION)
_RECEIVER: Final = code_number(Code.NO_RECEIVER_OUTPUT)
_WITH_PREVOUTS: Final = int(Kind.JSON)
_NEVER: Final = (1, 0)


class Transactions(NamedTuple):
    """One entry a candidate. A span of length 0 is absent."""

    form: npt.NDArray[np.uint8]
    """NOTHING, STONES, JSON or MULTI."""
    vout: npt.NDArray[np.int32]
    """The protocol output; 0 for MULTI (R-CORE-MULTI-3)."""
    payload_at: npt.NDArray[np.int64]
    payload_size: npt.NDArray[np.int32]
    recipient_at: npt.NDArray[np.int64]
    """Script of the recipient, with an address: R-CORE-ADDR-3, or R-CORE-STONE-3 for STONES."""
    recipient_size: npt.NDArray[np.int32]
    sender_at: npt.NDArray[np.int64]
    """Script of the sender in the blob of spent outputs (R-CORE-ADDR-2)."""
    sender_size: npt.NDArray[np.int32]
    buyer_at: npt.NDArray[np.int64]
    """Script that takes the sender's place in a classified transfer of the emergency range (R-CORE-MKT-7)."""
    buyer_size: npt.NDArray[np.int32]
    market: npt.NDArray[np.uint8]
    """SIMPLE, MARKETPLACE or INVALID_MARKETPLACE, as a transfer would classify (R-CORE-MKT-*)."""
    has_standard: npt.NDArray[np.bool_]
    """Some output is no OP_RETURN (R-CORE-ORDER-2.1)."""
    differs: npt.NDArray[np.bool_]
    """STONES whose output 0 has another address than the credited one (D-16)."""
    structure: npt.NDArray[np.uint8]
    """Code of R-CORE-MULTI-3, 0 where the structure holds."""
    steps: npt.NDArray[np.int32]
    """Number of steps of a MULTI."""


class Steps(NamedTuple):
    """One entry a step of a multi-transfer, transaction after transaction."""

    vout: npt.NDArray[np.int32]
    payload_at: npt.NDArray[np.int64]
    payload_size: npt.NDArray[np.int32]
    recipient_at: npt.NDArray[np.int64]
    recipient_size: npt.NDArray[np.int32]


class Extracted(NamedTuple):
    """Spans of a range of candidates and the blobs they point into."""

    raw: Bytes
    raw_offsets: Offsets
    prevouts: Bytes
    prevout_offsets: Offsets
    transactions: Transactions
    first_step: npt.NDArray[np.int64]
    """Place in `steps` of each transaction's first step."""
    steps: Steps


def extract(candidates: pa.Table, network: Network) -> Extracted:
    """Walk every candidate (CANDIDATES). Raises MalformedCandidate on bytes that are no transaction."""
    raw, raw_offsets = blobs(candidates["raw"])
    prevouts, prevout_offsets = blobs(candidates["prevouts"])
    heights = candidates["height"].to_numpy()
    rows = len(candidates)
    transactions = _transactions(rows)
    broken = _walk(
        raw,
        raw_offsets,
        prevouts,
        prevout_offsets,
        candidates["kind"].to_numpy(),
        heights >= network.template_height,
        _within(heights, network.emergency_range or _NEVER),
        transactions,
    )
    if broken >= 0:
        raise MalformedCandidate(
            f"block {heights[broken]}, transaction {candidates['tx_index'][broken]}: the archived bytes are damaged; "
            "scan the block again"
        )
    transactions.form[heights < network.genesis_height] = NOTHING
    first_step = np.cumsum(transactions.steps, dtype=np.int64) - transactions.steps
    total = int(transactions.steps.sum())
    steps = Steps(np.zeros(total, np.int32), *_spans(total), *_spans(total))
    _walk_steps(raw, raw_offsets, transactions, first_step, steps)
    return Extracted(raw, raw_offsets, prevouts, prevout_offsets, transactions, first_step, steps)


def _spans(rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    return np.zeros(rows, np.int64), np.zeros(rows, np.int32)


def _transactions(rows: int) -> Transactions:
    return Transactions(
        np.zeros(rows, np.uint8),
        np.zeros(rows, np.int32),
        *_spans(rows),
        *_spans(rows),
        *_spans(rows),
        *_spans(rows),
        market=np.zeros(rows, np.uint8),
        has_standard=np.zeros(rows, np.bool_),
        differs=np.zeros(rows, np.bool_),
        structure=np.zeros(rows, np.uint8),
        steps=np.zeros(rows, np.int32),
    )


def _within(heights: npt.NDArray[np.int32], range_: tuple[int, int]) -> npt.NDArray[np.bool_]:
    return (heights >= range_[0]) & (heights <= range_[1])


@compiled
def _walk(
    raw: Any,
    raw_offsets: Any,
    prevouts: Any,
    prevout_offsets: Any,
    kinds: Any,
    new_template: Any,
    emergency: Any,
    transactions: Any,
) -> Any:
    """Fill `transactions`; the row of the first damaged candidate, -1 if there is none."""
    for row in range(kinds.size):
        start = raw_offsets[row]
        end = raw_offsets[row + 1]
        inputs, at, segwit = outputs_at(raw, start, end)
        if at < 0:
            return row
        at = _walk_outputs(raw, at, end, row, transactions)
        if at < 0:
            return row
        after = witness_at(raw, at, end, inputs) if segwit else at
        if after < 0 or after + 4 != end:
            return row
        if kinds[row] != _WITH_PREVOUTS:
            continue
        first = prevout_offsets[row]
        last = prevout_offsets[row + 1]
        sender, size, here = prevout(prevouts, first, last)
        for _ in range(1, inputs):
            if here >= 0:
                _, _, here = prevout(prevouts, here, last)
        if here != last:
            return row
        if has_address(prevouts, sender, size):
            transactions.sender_at[row] = sender
            transactions.sender_size[row] = size
        if segwit and transactions.form[row] == JSON:
            market = classify(raw, at, inputs, prevouts, first, last, new_template[row], emergency[row])
            transactions.market[row] = market
            if emergency[row] and market != SIMPLE:
                _set_buyer(prevouts, first, last, inputs, row, transactions)
    return -1


@helper
def _set_buyer(prevouts: Any, first: Any, last: Any, inputs: Any, row: Any, transactions: Any) -> Any:
    """The address of input 1, or of input 0 if input 1 has none (R-CORE-MKT-7)."""
    transactions.buyer_at[row] = transactions.sender_at[row]
    transactions.buyer_size[row] = transactions.sender_size[row]
    if inputs > 1:
        _, _, here = prevout(prevouts, first, last)
        second, size, _ = prevout(prevouts, here, last)
        if has_address(prevouts, second, size):
            transactions.buyer_at[row] = second
            transactions.buyer_size[row] = size


@helper
def _walk_outputs(raw: Any, at: Any, end: Any, row: Any, transactions: Any) -> Any:
    """Apply R-CORE-OPR-2, -3, R-CORE-MULTI-1, R-CORE-ADDR-3 and R-CORE-STONE-3; where the outputs end, or -1."""
    outputs, at = compact_size(raw, at, end)
    first_output = at
    qualifying = 0
    nulldata = 0
    protocol = -1
    stones = False
    text_at = 0
    text_size = 0
    first_return = -1
    zero_at = 0
    zero_size = 0
    next_at = 0
    next_size = 0
    for vout in range(outputs):
        script, size, at = prevout(raw, at, end)
        if at < 0:
            return -1
        if is_return(raw, script, size):
            if first_return < 0:
                first_return = vout
            nulldata += is_nulldata(raw, script, size)
            start, length = push(raw, script + 1, script + size)
            rune = size > 1 and raw[script + 1] == RUNESTONE
            if rune:
                start, length = script + 1, 1
            rune = rune or (length > 0 and raw[start] == RUNESTONE)
            if rune or (
                length > 0 and (has_marker(raw, start, start + length) or is_wrapped_mint(raw, start, start + length))
            ):
                qualifying += 1
                protocol = vout
                stones = rune
                text_at = start
                text_size = length
            continue
        transactions.has_standard[row] = True
        if not has_address(raw, script, size):
            continue
        if vout == 0:
            zero_at, zero_size = script, size
        if first_return >= 0 and vout == first_return + 1:
            transactions.recipient_at[row] = script
            transactions.recipient_size[row] = size
        if protocol >= 0 and vout == protocol + 1:
            next_at, next_size = script, size
    if at < 0:
        return -1
    if nulldata > 1:
        steps = _count_steps(raw, first_output, end, outputs)
        if steps > 1:
            transactions.form[row] = MULTI
            transactions.steps[row] = steps
            return at
    if qualifying != 1 or text_size > MAX_PAYLOAD:
        return at
    transactions.form[row] = STONES if stones else JSON
    transactions.vout[row] = protocol
    transactions.payload_at[row] = text_at
    transactions.payload_size[row] = text_size
    if stones:
        credited_at, credited_size = (next_at, next_size) if next_size > 0 else (zero_at, zero_size)
        transactions.recipient_at[row] = credited_at
        transactions.recipient_size[row] = credited_size
        transactions.differs[row] = zero_size > 0 and not same(raw, zero_at, zero_size, raw, credited_at, credited_size)
    return at


@helper
def _step_payload(raw: Any, script: Any, size: Any) -> Any:
    """Span of the payload if the output is a step of a multi-transfer, else a negative length."""
    if not is_nulldata(raw, script, size):
        return script, -1
    start, length = push(raw, script + 1, script + size)
    if length < 1 or not is_step(raw, start, start + length):
        return script, -1
    return start, length


@helper
def _count_steps(raw: Any, at: Any, end: Any, outputs: Any) -> Any:
    steps = 0
    for _ in range(outputs):
        script, size, at = prevout(raw, at, end)
        _, length = _step_payload(raw, script, size)
        steps += length > 0
    return steps


@compiled
def _walk_steps(raw: Any, raw_offsets: Any, transactions: Any, first_step: Any, steps: Any) -> Any:
    """Fill `steps` and the structure code of every multi-transfer (R-CORE-MULTI-2, R-CORE-MULTI-3)."""
    for row in range(transactions.form.size):
        if transactions.form[row] != MULTI:
            continue
        end = raw_offsets[row + 1]
        _, at, _ = outputs_at(raw, raw_offsets[row], end)
        outputs, at = compact_size(raw, at, end)
        step = -1
        last = -1
        structure = 0
        for vout in range(outputs):
            script, size, at = prevout(raw, at, end)
            if step >= 0 and vout == last + 1 and has_address(raw, script, size):
                steps.recipient_at[first_step[row] + step] = script
                steps.recipient_size[first_step[row] + step] = size
            start, length = _step_payload(raw, script, size)
            if length < 1:
                continue
            step += 1
            last = vout
            steps.vout[first_step[row] + step] = vout
            steps.payload_at[first_step[row] + step] = start
            steps.payload_size[first_step[row] + step] = length
            if structure == 0 and vout != 2 * step:
                structure = _POSITION
            elif structure == 0 and vout + 1 >= outputs:
                structure = _RECEIVER
        transactions.structure[row] = structure
        transactions.payload_at[row] = steps.payload_at[first_step[row]]
        transactions.payload_size[row] = steps.payload_size[first_step[row]]
