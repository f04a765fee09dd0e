"""A range of candidates with everything numbered: what the kernel walks over."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.accounts import Accounts
from engine.extract import JSON, Extracted
from engine.journal import Flags, Numbers, Small
from engine.marketplace import MARKETPLACE
from engine.payloads import Payloads
from engine.tickers import MULTIPLE, STONES, Tickers
from engine.vocabulary import TRANSFER
from ingest.compiled import compiled


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
    steps: Numbers
    first_step: npt.NDArray[np.int64]
    step_vout: Numbers
    step_payload: Numbers
    step_recipient: Numbers
    step_changed: Flags
    """Scratch of the kernel: the sender's entry had an event earlier in the block."""
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
        order=processing_order(block, len(heights), tx.form, tx.market, texts, payloads.rows),
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
        steps=tx.steps,
        first_step=extracted.first_step,
        step_vout=steps.vout,
        step_payload=texts[len(block) :],
        step_recipient=accounts.numbers(extracted.raw, steps.recipient_at, steps.recipient_size),
        step_changed=np.zeros(len(steps.vout), np.bool_),
        stones=stones,
        multiple=multiple,
    )


@compiled
def processing_order(block: Any, blocks: Any, form: Any, market: Any, payload: Any, payloads: Any) -> Any:
    """Transactions with the marketplace transfers of each block first, otherwise as they are (R-CORE-BLK-4)."""
    first = np.zeros(block.size, np.bool_)
    leading = np.zeros(blocks + 1, np.int64)
    sizes = np.zeros(blocks + 1, np.int64)
    for tx in range(block.size):
        sizes[block[tx] + 1] += 1
        if form[tx] == JSON and market[tx] == MARKETPLACE:
            row = payloads[payload[tx]]
            if row["code"] == 0 and row["operation"] == TRANSFER:
                first[tx] = True
                leading[block[tx]] += 1
    order = np.empty(block.size, np.int32)
    next_first = np.cumsum(sizes)
    next_other = next_first + leading
    for tx in range(block.size):
        places = next_first if first[tx] else next_other
        order[places[block[tx]]] = tx
        places[block[tx]] += 1
    return order
