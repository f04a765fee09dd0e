"""Operations of a batch as modules see them, and records of what modules made of them."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from engine.accounts import Accounts
from engine.amounts import limbs, read_amount
from engine.arena import Bytes, Offsets
from engine.batch import Batch
from engine.extract import Extracted
from engine.journal import Records, open_record, set_amount
from engine.marketplace import MARKETPLACE, SIMPLE
from engine.modules.exact import recorded_units, tokens, whole
from engine.modules.registry import Account, Market, Operation, Outcome
from engine.payloads import Payloads
from engine.tickers import Tickers
from engine.verdicts import Code
from engine.vocabulary import (
    BURN,
    D3,
    D5,
    D23,
    DEPLOY,
    OPERATIONS,
    SWAP,
    SWAP_INIT,
    TRANSFER,
    Divergences,
    code_number,
)
from ingest.networks import Network


class Where(NamedTuple):
    """Where an operation stands."""

    transaction: int
    """Row of the candidate."""
    block: int
    """Place of the block in the range."""
    height: int
    time: datetime
    txid: str
    op_index: int


class Handover:
    """Reads operations out of one batch, and writes the outcomes down."""

    def __init__(
        self,
        network: Network,
        accounts: Accounts,
        tickers: Tickers,
        payloads: Payloads,
        divergences: Divergences,
        batch: Batch,
        extracted: Extracted,
    ) -> None:
        self._network = network
        self._accounts = accounts
        self._tickers = tickers
        self._payloads = payloads
        self._divergences = divergences
        self._batch = batch
        self._extracted = extracted
        self._known: dict[int, Account] = {}
        self._numbers: dict[Account, int] = {}

    def operation(self, where: Where) -> Operation:
        """The transaction's one operation."""
        batch, tx = self._batch, where.transaction
        payload = self._payload(where)
        kind = min(int(payload["operation"]), SWAP_INIT)
        market = int(batch.market[tx]) if kind == TRANSFER else SIMPLE
        sender = batch.buyer[tx] if market != SIMPLE and batch.buyer[tx] >= 0 else batch.sender[tx]
        return self._make(
            where,
            name=OPERATIONS[SWAP if kind == SWAP_INIT else kind],
            number=int(batch.payload[tx]),
            ticker=None if kind == SWAP_INIT else self._tickers.text(int(payload["ticker"])),
            sender=self._account(int(sender)),
            recipient=self._account(int(batch.recipient[tx])),
            market=Market(market),
            step=None,
            vout=int(batch.vout[tx]),
        )

    def step(self, where: Where, number: int) -> Operation:
        """A step of the transaction's multi-transfer, which is a transfer whatever its payload calls it."""
        batch, tx = self._batch, where.transaction
        step = int(batch.first_step[tx]) + number
        payload = int(batch.step_payload[step])
        return self._make(
            where,
            name=OPERATIONS[TRANSFER],
            number=payload,
            ticker=self._tickers.text(int(self._payloads.rows["ticker"][payload])),
            sender=self._account(int(batch.sender[tx])),
            recipient=self._account(int(batch.step_recipient[step])),
            market=Market.SIMPLE,
            step=number,
            vout=int(batch.step_vout[step]),
        )

    def without_recipient(self, where: Where, operation: Operation) -> Outcome:
        """What R-CORE-ORDER-2.2 makes of an operation without recipient."""
        payload = self._payload(where)
        amount = tokens(_signed(payload["recorded"])) if payload["has_recorded"] else None
        return Outcome(Code.NO_STANDARD_OUTPUT, None, operation.ticker, amount, operation.sender)

    def record(self, records: Records, where: Where, operation: Operation, outcome: Outcome) -> None:
        """Write the record of a judged operation."""
        name = OPERATIONS.index(outcome.operation or operation.name)
        n = open_record(records, where.block, where.transaction, where.transaction, operation.vout, name)
        payload = self._payload(where)
        records.valid[n] = outcome.code is None
        records.code[n] = 0 if outcome.code is None else code_number(outcome.code)
        records.marketplace[n] = outcome.code is None and operation.market.value == MARKETPLACE
        records.tags[n] = self._divergences.set_of(outcome.tags)
        if operation.ticker is not None:
            records.tags[n] |= np.uint64(_core_tags(payload, outcome.code is None))
        if outcome.ticker is not None:
            records.ticker[n] = records.text[n] = self._tickers.number(outcome.ticker)
        records.sender[n] = self._number(outcome.sender)
        records.recipient[n] = self._number(outcome.recipient)
        units = recorded_units(outcome.amount)
        if units is not None:
            set_amount(records, n, tuple(np.uint64(limb) for limb in limbs(units)))

    def compare(self, progress: Any, operation: Operation, outcome: Outcome, before: Decimal) -> None:
        """Note what the predecessor would have done otherwise with a step, as `engine.multi` does (D-1).

        `before` is what the sender held when the step was judged.
        """
        if outcome.code not in (None, Code.INSUFFICIENT_BALANCE):
            return
        asked = read_amount(operation.members.get("amt")).units or 0
        left = _signed(progress["left"]) if progress["has_left"] else whole(before)
        progress["has_left"] = True
        progress["left"] = limbs(max(left - asked, 0))
        moves_to_itself = outcome.code is None and asked > 0 and operation.sender == operation.recipient
        progress["differs"] |= asked > left or moves_to_itself

    def record_step(self, records: Records, operation: Operation, outcome: Outcome) -> None:
        """Write the verdict on a step into its record, the latest one, which has everything else already."""
        n = int(records.filled[0]) - 1
        step = int(self._batch.first_step[records.transaction[n]]) + int(records.step[n])
        payload = self._payloads.rows[self._batch.step_payload[step]]
        records.step_code[n] = 0 if outcome.code is None else code_number(outcome.code)
        records.tags[n] |= np.uint64(self._divergences.set_of(outcome.tags))
        if outcome.code is None:
            records.valid[n] = True
            records.tags[n] |= np.uint64(D23 * payload["excess"])
            if payload["operation"] != DEPLOY:
                set_amount(records, n, payload["amount"])

    def _make(self, where: Where, number: int, **fields: Any) -> Operation:
        extracted, tx = self._extracted, where.transaction
        return Operation(
            members=self._payloads.members(number),
            height=where.height,
            time=where.time,
            txid=where.txid,
            op_index=where.op_index,
            raw=_row(extracted.raw, extracted.raw_offsets, tx),
            prevouts=_row(extracted.prevouts, extracted.prevout_offsets, tx),
            network=self._network,
            **fields,
        )

    def _payload(self, where: Where) -> Any:
        return self._payloads.rows[self._batch.payload[where.transaction]]

    def _account(self, number: int) -> Account | None:
        if number < 0:
            return None
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = Account(*self._accounts.account(number))
            self._numbers[known] = number
        return known

    def _number(self, account: Account | None) -> int:
        if account is None:
            return -1
        number = self._numbers.get(account)
        return self._accounts.number(*account) if number is None else number


def _core_tags(payload: Any, valid: bool) -> int:
    """D-3, D-5 and D-23, which follow from the payload whoever judges it."""
    operation = payload["operation"]
    tags = 0
    if operation != DEPLOY and payload["unstorable"]:
        tags |= D3
    if operation != BURN and payload["is_hazard"]:
        tags |= D5
    if valid and (payload["excess_supply"] if operation == DEPLOY else payload["excess"] and operation != BURN):
        tags |= D23
    return tags


def _row(data: Bytes, offsets: Offsets, row: int) -> bytes:
    return data[offsets[row] : offsets[row + 1]].tobytes()


def _signed(pair: Any) -> int:
    return int.from_bytes(pair.tobytes(), "little", signed=True)
