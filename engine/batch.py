"""A range of candidates with everything numbered: what the kernel walks over."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.accounts import Accounts
from engine.extract import JSON, Extracted, Transactions
from engine.journal import Flags, Numbers, Small
from engine.marketplace import MARKETPLACE
from engine.multi import PROGRESS
from engine.payloads import Payloads
from engine.tickers import MULTIPLE, STONES, Tickers
from engine.vocabulary import TRANSFER


class Batch(NamedTuple):
    """Columns by transaction, then by step. Accounts are -1 where there is none."""

    order: Numbers
    """Transactions in processing order."""
    block: Numbers
    """Place of the transaction's block in the range."""
    heights: Numbers
    """By block."""
    form: Small
    vout: Numbers
    payload: Numbers
    sender: Numbers
    buyer: Numbers
    recipient: Numbers
    market: Small
    has_standard: Flags
    differs: Flags
    structure: Small
    overflows: Flags
    """Multi-transfers whose amounts have a sum that cannot be expressed (R-CORE-MULTI-4)."""
    steps: Numbers
    first_step: npt.NDArray[np.int64]
    step_vout: Numbers
    step_payload: Numbers
    step_recipient: Numbers
    step_changed: Flags
    """Scratch of the kernel: the sender's entry had an event earlier in the block."""
    progress: npt.NDArray[Any]
    """Scratch of the kernel: one `engine.multi.PROGRESS`."""
    stones: int
    """Number of the ticker STONES."""
    multiple: int
    """Number of the text that a multi-transfer without one ticker records."""


def assemble(
    extracted: Extracted,
    block: Numbers,
    heights: Numbers,
    accounts: Accounts,
    payloads: Payloads,
    tickers: Tickers,
) -> Batch:
    """Number the scripts and payloads of a range and put its transactions in processing order."""
    tx, steps = extracted.transactions, extracted.steps
    sizes = np.where(tx.form == JSON, tx.payload_size, 0)
    texts = payloads.numbers(
        extracted.raw, np.concatenate([tx.payload_at, steps.payload_at]), np.concatenate([sizes, steps.payload_size])
    )
    stones, multiple = tickers.number(STONES), tickers.number(MULTIPLE)
    return Batch(
        order=processing_order(block, len(heights), tx, texts, payloads.rows),
        block=block,
        heights=heights,
        form=tx.form,
        vout=tx.vout,
        payload=texts[: len(block)],
        sender=accounts.numbers(extracted.prevouts, tx.sender_at, tx.sender_size),
        buyer=accounts.numbers(extracted.prevouts, tx.buyer_at, tx.buyer_size),
        recipient=accounts.numbers(extracted.raw, tx.recipient_at, tx.recipient_size),
        market=tx.market,
        has_standard=tx.has_standard,
        differs=tx.differs,
        structure=tx.structure,
        overflows=_overflows(extracted, texts[len(block) :], payloads),
        steps=tx.steps,
        first_step=extracted.first_step,
        step_vout=steps.vout,
        step_payload=texts[len(block) :],
        step_recipient=accounts.numbers(extracted.raw, steps.recipient_at, steps.recipient_size),
        step_changed=np.zeros(len(steps.vout), np.bool_),
        progress=np.zeros(1, PROGRESS),
        stones=stones,
        multiple=multiple,
    )


def _overflows(extracted: Extracted, step_payload: Numbers, payloads: Payloads) -> Flags:
    """Only steps of absurd size are looked at again."""
    overflows = np.zeros(len(extracted.first_step), np.bool_)
    vast = np.flatnonzero(payloads.rows["is_vast"][step_payload])
    for tx in np.unique(np.searchsorted(extracted.first_step, vast, "right") - 1):
        first = extracted.first_step[tx]
        numbers = step_payload[first : first + extracted.transactions.steps[tx]]
        parsed = numbers[payloads.rows["code"][numbers] == 0]
        overflows[tx] = not payloads.sums(parsed.tolist())
    return overflows


def processing_order(
    block: Numbers, blocks: int, tx: Transactions, payload: Numbers, payloads: npt.NDArray[Any]
) -> Numbers:
    """Transactions with the marketplace transfers of each block first, otherwise as they are (R-CORE-BLK-4)."""
    order = np.arange(len(block), dtype=np.int32)
    listed = np.flatnonzero((tx.form == JSON) & (tx.market == MARKETPLACE))
    rows = payloads[payload[listed]]
    listed = listed[(rows["code"] == 0) & (rows["operation"] == TRANSFER)]
    if not len(listed):
        return order
    others = np.ones(len(block), np.bool_)
    others[listed] = False
    return order[np.lexsort((others, block))]
