"""The engine: candidates of consecutive blocks in, facts out. Pure: no file, clock, network or setting.

The plain path (`engine.plain`) is the same rules as ordinary Python; this one is columns and compiled passes.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import facts, standing
from engine.accounts import Accounts
from engine.batch import Batch, assemble
from engine.books import Books
from engine.errors import BrokenChain, MalformedCandidate
from engine.event_hash import Hashes, Scratch, block_hashes, cumulative_hash
from engine.extract import Extracted, extract
from engine.hexadecimal import txid_texts
from engine.journal import Events, Journal, Numbers, Records, trimmed
from engine.ledger import Ledger
from engine.modules.registry import Registry, installed
from engine.payloads import Payloads
from engine.runs import Runs
from engine.schemas import BALANCE_EVENTS, BLOCKS, OPERATIONS, SUPPLIES, TOKENS, Judged, State
from engine.tickers import Tickers
from engine.versions import Versions
from engine.vocabulary import Divergences
from ingest.candidates import CANDIDATES, HEADERS
from ingest.networks import Network

_MOST_ROWS: Final = 1 << 15
"""Candidates of a range: what a pass writes then fits into caches and into memory that the next pass uses again."""
_MOST_BYTES: Final = 1 << 29
_DESCRIBING: Final = ThreadPoolExecutor(1, "describe")


class _Part(NamedTuple):
    """What became of a range."""

    headers: pa.Table
    counts: list[pa.Array]
    hashes: Hashes
    operations: pa.Table
    balance_events: pa.Table
    tokens: pa.Table
    supplies: pa.Table
    modules: Mapping[str, pa.Table]


class Engine:
    """Judges blocks in order and keeps the ledger that the next block needs.

    `registry` holds the kinds of modules, by default those installed; with none, the operations of extensions are
    refused.
    """

    def __init__(self, network: Network, state: State | None = None, registry: Registry | None = None) -> None:
        self._network = network
        self._registry = installed() if registry is None else registry
        self._causes = pa.array(self._registry.causes)
        self._reset({})
        if state is not None:
            self.restore(state)

    def _reset(self, modules: Mapping[str, pa.Table]) -> None:
        self._height: int | None = None
        self._hash: str | None = None
        self._cumulative = ""
        self._tickers = Tickers()
        self._accounts = Accounts(self._network)
        self._payloads = Payloads(self._tickers)
        self._ledger = Ledger()
        self._scratch = Scratch()
        self._tokens = TOKENS.empty_table()
        self._divergences = Divergences()
        self._modules = [kind(self._network) for kind in self._registry.kinds]
        self._versions = Versions(self._registry.tables, modules)

    def restore(self, state: State) -> None:
        """Forget everything and continue after the block that `state` ends with."""
        self._reset(state.modules)
        self._height, self._hash, self._cumulative = state.height, state.hash, state.cumulative_hash
        with np.errstate(over="ignore"):
            standing.restore_balances(state.balances, self._ledger, self._accounts, self._tickers)
            standing.restore_tokens(state.tokens, self._ledger, self._tickers)
            standing.restore_supplies(state.supplies, self._ledger, self._tickers)
        self._tokens = state.tokens
        latest = self._versions.latest()
        for module in self._modules:
            module.restore({table.name: latest[table.name] for table in module.tables if not table.is_log})
        standing.restore_governed(state.tokens, self._ledger, self._tickers, self._modules)

    def folded(self) -> tuple[pa.Table, pa.Table, pa.Table]:
        """FOLD, latest SUPPLIES and TOKENS after the last block, of an engine that judged the chain from its first."""
        return (
            standing.folded(self._ledger, self._accounts, self._tickers),
            standing.supplies(self._ledger, self._tickers),
            self._tokens,
        )

    def state(self) -> State:
        """Everything that judging the next block depends on."""
        return State(
            self._height,
            self._hash,
            self._cumulative,
            standing.balances(self._ledger, self._accounts, self._tickers),
            self._tokens,
            standing.supplies(self._ledger, self._tickers),
            self._versions.latest(),
        )

    def judge(self, blocks: pa.Table, candidates: pa.Table) -> Judged:
        """Judge the candidates (CANDIDATES) of consecutive blocks (HEADERS), which continue the chain judged so far.

        Raises BrokenChain or MalformedCandidate before anything is judged.
        """
        blocks, candidates = blocks.select(HEADERS.names), candidates.select(CANDIDATES.names)
        self._check_chain(blocks)
        _check_order(blocks, candidates)
        with np.errstate(over="ignore"):
            self._payloads.forget_surplus()
            ranges = [self._number(*range_) for range_ in _ranges(blocks, candidates)]
            described = [self._judge_range(*range_) for range_ in ranges]
        parts = [part.result() for part in described]
        blocks_of_parts = [self._hashed(part) for part in parts]
        tokens = pa.concat_tables([TOKENS.empty_table(), *(part.tokens for part in parts)])
        self._tokens = pa.concat_tables([self._tokens, tokens])
        return Judged(
            pa.concat_tables([BLOCKS.empty_table(), *blocks_of_parts]),
            pa.concat_tables([OPERATIONS.empty_table(), *(part.operations for part in parts)]),
            pa.concat_tables([BALANCE_EVENTS.empty_table(), *(part.balance_events for part in parts)]),
            tokens,
            pa.concat_tables([SUPPLIES.empty_table(), *(part.supplies for part in parts)]),
            self._versions.joined([part.modules for part in parts]),
        )

    def _number(self, blocks: pa.Table, candidates: pa.Table) -> tuple[pa.Table, pa.Table, Extracted, Batch]:
        """Walk the candidates of a range and number what they say; balances stay as they are."""
        extracted = extract(candidates, self._network)
        heights = blocks["height"].to_numpy()
        block = (candidates["height"].to_numpy() - heights[0]).astype(np.int32)
        return (
            blocks,
            candidates,
            extracted,
            assemble(extracted, block, heights, self._accounts, self._payloads, self._tickers),
        )

    def _judge_range(self, blocks: pa.Table, candidates: pa.Table, extracted: Extracted, batch: Batch) -> Future[_Part]:
        """Judge a range; what became of it is described while the next one is judged.

        Numbers that were given stand for the same bytes for ever, so that it does not matter how far judging has come.
        """
        shared = (self._accounts, self._tickers)
        runs = Runs(
            self._network, self._ledger, *shared, self._payloads, self._divergences, self._modules, self._registry
        )
        times = blocks["time"].combine_chunks()
        journal = Journal(*(trimmed(table) for table in runs.judge(batch, extracted, candidates["txid"], times)))
        return _DESCRIBING.submit(
            self._described, blocks, candidates, extracted, batch, journal, runs, self._ledger.books, times
        )

    def _described(
        self,
        blocks: pa.Table,
        candidates: pa.Table,
        extracted: Extracted,
        batch: Batch,
        journal: Journal,
        runs: Runs,
        books: Books,
        times: pa.Array,
    ) -> _Part:
        heights = batch.heights
        shared = (self._accounts, self._tickers)
        records, events = journal.records, journal.events
        with np.errstate(over="ignore"):
            op_index = facts.place_in_block(records.block)
            tx_index = candidates["tx_index"].to_numpy()
            text, txid = txid_texts(candidates["txid"], records.transaction)
            parties = self._accounts.take_addresses(records.sender), self._accounts.take_addresses(records.recipient)
            return _Part(
                blocks,
                _counts(len(blocks), batch.block, records, events),
                block_hashes(self._scratch, records, text, *parties, self._tickers, len(heights), runs.closing),
                facts.operations(
                    records, op_index, batch, extracted, times, tx_index, txid, *parties, *shared, self._divergences
                ),
                facts.balance_events(events, records, op_index, heights, tx_index, *shared, self._causes),
                facts.tokens(records, op_index, heights, times, txid, books, *shared),
                facts.supplies(journal.supplies, heights, self._tickers),
                self._versions.tables(runs.rows),
            )

    def _hashed(self, part: _Part) -> pa.Table:
        """BLOCKS of the part; moves the engine's tip to its end."""
        event_hashes, record_hashes = part.hashes
        cumulative = []
        for event_hash in event_hashes:
            self._cumulative = cumulative_hash(self._cumulative, event_hash)
            cumulative.append(self._cumulative)
        headers = part.headers
        self._height, self._hash = headers["height"][-1].as_py(), headers["hash"][-1].as_py()
        hashes = map(pa.array, (event_hashes, cumulative, record_hashes))
        return pa.Table.from_arrays([*headers.columns, *part.counts, *hashes], schema=BLOCKS)

    def _check_chain(self, blocks: pa.Table) -> None:
        height, hash_ = self._height, self._hash
        columns = (blocks[name].to_pylist() for name in ("height", "hash", "previous_hash"))
        for next_height, next_hash, previous in zip(*columns, strict=True):
            if height is not None and (next_height, previous) != (height + 1, hash_):
                raise BrokenChain(
                    f"block {next_height} with parent {previous} does not follow block {height} ({hash_}); "
                    "rewind to the last common block and judge again from there"
                )
            height, hash_ = next_height, next_hash


def _counts(blocks: int, candidates: Numbers, records: Records, events: Events) -> list[pa.Array]:
    """By block: candidates, records, valid ones and balance events. `candidates` has the block of each."""
    counted = (candidates, records.block, records.block[records.valid], events.block)
    return [pa.array(np.bincount(rows, minlength=blocks).astype(np.int32)) for rows in counted]


def _check_order(blocks: pa.Table, candidates: pa.Table) -> None:
    """Candidates are sorted by (height, tx_index), unique, and inside the range."""
    if not len(candidates):
        return
    heights = candidates["height"].to_numpy().astype(np.int64)
    place = heights << 32 | candidates["tx_index"].to_numpy()
    inside = len(blocks) and blocks["height"][0].as_py() <= heights[0] and heights[-1] <= blocks["height"][-1].as_py()
    if not inside or (np.diff(place) <= 0).any():
        raise MalformedCandidate(
            "candidates are not sorted by height and transaction, or not of the blocks given; read the range again"
        )


def _ranges(blocks: pa.Table, candidates: pa.Table) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The same blocks and candidates in ranges of whole blocks that bound the memory of a pass."""
    if not len(blocks):
        return
    heights = blocks["height"].to_numpy()
    rows = np.searchsorted(candidates["height"].to_numpy(), np.append(heights, heights[-1] + 1))
    sizes = pc.binary_length(candidates["raw"]).to_numpy() if len(candidates) else np.zeros(0, np.int32)
    total = np.append(0, np.cumsum(sizes, dtype=np.int64))[rows]
    first = 0
    for block in range(1, len(heights) + 1):
        last = block == len(heights)
        if last or rows[block + 1] - rows[first] > _MOST_ROWS or total[block + 1] - total[first] > _MOST_BYTES:
            yield blocks.slice(first, block - first), candidates.slice(rows[first], rows[block] - rows[first])
            first = block
