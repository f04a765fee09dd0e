"""The walk over a range: compiled runs of plain operations, and modules in between, on the same ledger."""

from typing import Final

import numpy as np

from engine import kernel
from engine.accounts import Accounts
from engine.amounts import limbs
from engine.arena import Bytes, Offsets
from engine.batch import Batch
from engine.extract import Extracted
from engine.journal import Journal, open_journal, open_record, set_amount, with_room
from engine.ledger import Ledger, Place, close_block
from engine.modules.registry import Operation, Outcome, Registry
from engine.payloads import Payloads
from engine.tickers import Tickers
from engine.vocabulary import OPERATIONS, SWAP_INIT, code_number
from ingest.networks import Network

_FEWEST_ENTRIES: Final = 1 << 12
_NOWHERE: Final = -1


class Runs:
    """One pass over one batch. `closing` collects what modules add to the event text of each block."""

    def __init__(
        self,
        network: Network,
        ledger: Ledger,
        accounts: Accounts,
        tickers: Tickers,
        payloads: Payloads,
        registry: Registry,
    ) -> None:
        self._network = network
        self._ledger = ledger
        self._accounts = accounts
        self._tickers = tickers
        self._payloads = payloads
        self._registry = registry
        self._journal = open_journal(0)
        self._place = Place(0, 0, _NOWHERE)
        self.closing: dict[int, str] = {}

    def judge(self, batch: Batch, extracted: Extracted) -> Journal:
        """Judge every operation of the batch in processing order."""
        self._journal = open_journal(len(batch.order) + len(batch.step_vout))
        self._ledger.reserve(_FEWEST_ENTRIES, len(self._tickers))
        block = position = 0
        declined = _NOWHERE
        while True:
            status, block, position = kernel.run(
                batch,
                self._payloads.rows,
                self._ledger.books,
                self._journal,
                self._network.stones_height,
                block,
                position,
                bool(self._registry.kinds),
                declined,
            )
            if status == kernel.DONE:
                return self._journal
            if status == kernel.NEEDS_ROOM:
                steps = max(1, int(batch.steps[batch.order[position]]))
                self._ledger.reserve(max(_FEWEST_ENTRIES, kernel.ENTRIES_A_STEP * steps), len(self._tickers))
            elif status == kernel.BLOCK_END:
                self._end_block(block, int(batch.heights[block]))
                block += 1
            elif self._judge_by_module(batch, extracted, block, position):
                position += 1
            else:
                declined = position

    def ticker(self, text: str) -> int:
        """Number of a normalised ticker."""
        number = self._tickers.number(text)
        self._ledger.reserve(0, len(self._tickers))
        return number

    def pool(self, name: str) -> int:
        """Number of the account `POOL::` + name."""
        return self._accounts.pool(name)

    def balance(self, ticker: int, account: int) -> int:
        """Units that the account holds."""
        return self._ledger.balance(ticker, account)

    def credit(self, ticker: int, account: int, units: int, cause: str) -> None:
        """Add units, with an event at the current place."""
        self._make_room()
        number = self._registry.causes.index(cause)
        self._ledger.credit(self._journal.events, self._place, ticker, account, units, number)

    def debit(self, ticker: int, account: int, units: int, cause: str) -> None:
        """Take units, with an event at the current place. Raises ValueError when the account holds less."""
        self._make_room()
        number = self._registry.causes.index(cause)
        self._ledger.debit(self._journal.events, self._place, ticker, account, units, number)

    def _make_room(self) -> None:
        """Room for one event beside those that the plain operations still to come may write."""
        self._ledger.reserve(1, len(self._tickers))
        records, events, supplies = self._journal
        self._journal = Journal(
            records,
            with_room(events, 2 * len(records.block) + 1),
            with_room(supplies, 2 * len(records.block) + len(self._tickers)),
        )

    def _end_block(self, block: int, height: int) -> None:
        self._place = Place(block, height, _NOWHERE)
        lines = self._registry.end_of_block(height, self, self._network)
        if lines:
            self.closing[block] = "\n".join(lines)
        close_block(self._ledger.books, self._journal.supplies, block, height)

    def _judge_by_module(self, batch: Batch, extracted: Extracted, block: int, position: int) -> bool:
        """Let the claimant judge; False when no module wants the operation."""
        tx = int(batch.order[position])
        operation = self._operation(batch, extracted, tx, int(batch.heights[block]))
        module = self._registry.claimant(operation)
        if module is None:
            return False
        self._place = Place(block, operation.height, int(self._journal.records.filled[0]))
        outcome = module.apply(operation, self, self._network)
        self._record(batch, block, tx, OPERATIONS.index(operation.name), outcome)
        return True

    def _operation(self, batch: Batch, extracted: Extracted, tx: int, height: int) -> Operation:
        payload = self._payloads.rows[batch.payload[tx]]
        ticker = int(payload["ticker"]) if payload["operation"] < SWAP_INIT else None
        sender, recipient = int(batch.sender[tx]), int(batch.recipient[tx])
        return Operation(
            name=OPERATIONS[payload["operation"]],
            members=self._payloads.members(int(batch.payload[tx])),
            ticker=ticker,
            ticker_text=None if ticker is None else self._tickers.text(ticker),
            sender=sender if sender >= 0 else None,
            recipient=recipient if recipient >= 0 else None,
            height=height,
            raw=_row(extracted.raw, extracted.raw_offsets, tx),
            prevouts=_row(extracted.prevouts, extracted.prevout_offsets, tx),
            vout=int(batch.vout[tx]),
        )

    def _record(self, batch: Batch, block: int, tx: int, operation: int, outcome: Outcome) -> None:
        records = self._journal.records
        n = open_record(records, block, tx, tx, batch.vout[tx], operation)
        records.valid[n] = outcome.code is None
        records.code[n] = 0 if outcome.code is None else code_number(outcome.code)
        records.tags[n] = outcome.tags
        records.ticker[n] = records.text[n] = _number(outcome.ticker)
        records.sender[n] = _number(outcome.sender)
        records.recipient[n] = _number(outcome.recipient)
        if outcome.units is not None:
            set_amount(records, n, tuple(np.uint64(limb) for limb in limbs(outcome.units)))


def _row(data: Bytes, offsets: Offsets, row: int) -> bytes:
    return data[offsets[row] : offsets[row + 1]].tobytes()


def _number(optional: int | None) -> int:
    return -1 if optional is None else optional
