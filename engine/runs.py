"""The walk over a range: compiled runs of plain operations, and modules in between, on the same ledger."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import localcontext
from operator import itemgetter
from typing import Any, Final

import pyarrow as pa

from engine import kernel
from engine.accounts import Accounts
from engine.batch import Batch
from engine.books import CHANGED, Place
from engine.extract import Extracted
from engine.handover import Handover, Where
from engine.journal import Journal, open_journal, with_room
from engine.ledger import Ledger
from engine.modules.balances import Balances
from engine.modules.decimals import FIFTY_DIGITS
from engine.modules.registry import Module, Operation, Outcome, Phase, Registry
from engine.modules.writer import Writer
from engine.multi import INTERRUPTED, MODULE_STEP
from engine.payloads import Payloads
from engine.supplies import close_block
from engine.tickers import Tickers
from engine.verdicts import Code
from engine.vocabulary import Divergences
from ingest.networks import Network

_FEWEST_ENTRIES: Final = 1 << 12
_NOWHERE: Final = -1


class Runs:
    """One pass over one batch. `closing` collects what block ends add to the event text of each block, `rows` what
    modules write into their tables."""

    def __init__(
        self,
        network: Network,
        ledger: Ledger,
        accounts: Accounts,
        tickers: Tickers,
        payloads: Payloads,
        divergences: Divergences,
        modules: Sequence[Module],
        registry: Registry,
    ) -> None:
        self._network = network
        self._ledger = ledger
        self._tickers = tickers
        self._payloads = payloads
        self._modules = modules
        self._acting = [[module for module in modules if module.phase is phase] for phase in Phase]
        self._keys = {table.name: itemgetter(*table.key) for table in registry.tables}
        self._numbered = (network, accounts, tickers, payloads, divergences)
        self._balances = Balances(ledger, accounts, tickers)
        self._writer = Writer(network, self._balances, ledger, tickers, modules, registry.causes)
        self._first_record = 0
        self.closing: dict[int, str] = {}
        self.rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)

    def judge(self, batch: Batch, extracted: Extracted, txids: pa.ChunkedArray, times: pa.Array) -> Journal:
        """Judge every operation of the batch in processing order. `txids` is by candidate, `times` by block.

        Modules calculate with 50 digits, rounded half to even (R-CORE-CONST-9, D-96).
        """
        with localcontext(FIFTY_DIGITS):
            return self._judge(batch, extracted, txids, times)

    def _judge(self, batch: Batch, extracted: Extracted, txids: pa.ChunkedArray, times: pa.Array) -> Journal:
        handover = Handover(*self._numbered, batch, extracted)
        balances = self._balances
        balances.journal = open_journal(len(batch.order) + len(batch.step_vout))
        self._ledger.reserve(_FEWEST_ENTRIES, len(self._tickers))
        block = position = 0
        declined = _NOWHERE
        while True:
            status, block, position = kernel.run(
                batch,
                self._payloads.rows,
                self._ledger.books,
                balances.journal,
                self._network.stones_height,
                block,
                position,
                bool(self._modules),
                declined,
            )
            if status == kernel.DONE:
                return balances.journal
            if status == kernel.NEEDS_ROOM:
                steps = max(1, int(batch.steps[batch.order[position]]))
                self._ledger.reserve(max(_FEWEST_ENTRIES, kernel.ENTRIES_A_STEP * steps), len(self._tickers))
            elif status == kernel.BLOCK_END:
                self._end_block(block, int(batch.heights[block]))
                block += 1
            elif status == INTERRUPTED:
                balances.follow()
            else:
                tx = int(batch.order[position])
                records = int(balances.journal.records.filled[0]) - (status == MODULE_STEP)
                where = Where(
                    tx,
                    block,
                    int(batch.heights[block]),
                    times[block].as_py(),
                    txids[tx].as_py()[::-1].hex(),
                    records - self._first_record,
                )
                balances.place = Place(block, where.height, records)
                if status == MODULE_STEP:
                    self._judge_step(handover, batch.progress[0], where)
                elif self._judge_operation(handover, where):
                    position += 1
                else:
                    declined = position

    def _judge_operation(self, handover: Handover, where: Where) -> bool:
        """Let the claimant judge; False when no module wants the operation."""
        operation = handover.operation(where)
        module = self._claimant(operation)
        if module is None:
            return False
        if operation.recipient is None and operation.name in ("mint", "transfer") and self._is_kept(operation):
            outcome = handover.without_recipient(where, operation)
        else:
            outcome = self._applied(module, operation)
        handover.record(self._balances.journal.records, where, operation, outcome)
        return True

    def _judge_step(self, handover: Handover, progress: Any, where: Where) -> None:
        """Let the claimant judge the step whose record is the latest; what no module wants stays refused."""
        operation = handover.step(where, int(progress["step"]) - 1)
        module = self._claimant(operation)
        if module is None:
            return
        if operation.sender is None or operation.recipient is None:
            outcome = Outcome(Code.NO_STANDARD_OUTPUT)
        else:
            before = self._writer.balance(operation.ticker or "", operation.sender)
            outcome = self._applied(module, operation)
            handover.compare(progress, operation, outcome, before)
        progress["stopped"] = outcome.code is Code.INSUFFICIENT_BALANCE
        handover.record_step(self._balances.journal.records, operation, outcome)

    def _claimant(self, operation: Operation) -> Module | None:
        return next((module for module in self._modules if module.claims(operation, self._writer)), None)

    def _is_kept(self, operation: Operation) -> bool:
        return operation.ticker is not None and self._writer.is_kept(operation.ticker)

    def _applied(self, module: Module, operation: Operation) -> Outcome:
        outcome = module.apply(operation, self._writer)
        if outcome.code is None:
            self._writer.settle()
        else:
            self._writer.discard()
        if outcome.rounds:
            for each in self._modules:
                each.round()
        return outcome

    def _end_block(self, block: int, height: int) -> None:
        """R-CORE-BLK-6."""
        writer, balances = self._writer, self._balances
        balances.place = Place(block, height, _NOWHERE)
        lines: list[str] = []
        for acting in self._acting:
            for module in acting:
                lines += module.end_of_block(writer)
                writer.settle()
            lines += balances.round()
        if lines:
            self.closing[block] = "\n".join(lines)
        for module in self._modules:
            for table, rows in module.drain().items():
                self.rows[table] += sorted(({"height": height, **row} for row in rows), key=self._keys[table])
        changed = int(self._ledger.books.counts[CHANGED])
        if changed:
            balances.journal = balances.journal._replace(supplies=with_room(balances.journal.supplies, changed))
            close_block(self._ledger.books, balances.journal.supplies, block, height)
        self._first_record = int(balances.journal.records.filled[0])
