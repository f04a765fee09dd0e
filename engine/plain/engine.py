"""Blocks in, tables out: the plain engine with its state (R-CORE-BLK-1 to R-CORE-BLK-6)."""

from datetime import datetime
from typing import Any

import pyarrow as pa

from engine.errors import BrokenChain, MalformedCandidate
from engine.plain import curves, swaps
from engine.plain.candidates import Candidate, judge_candidate, processing_order
from engine.plain.decimals import precisely
from engine.plain.ledger import BlockInProgress, Ledger
from engine.plain.records import cumulative_hash, event_hash, record_hash
from engine.plain.tables import Rows, ledger_of, state_of
from engine.plain.transactions import parse_transaction
from engine.schemas import Judged, State
from ingest.networks import Network


class PlainEngine:
    """Judges consecutive blocks by the rules of one network; same tables as the compiled `Engine`."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.ledger = Ledger()
        self.height: int | None = None
        self.hash: str | None = None
        self.cumulative = ""

    def restore(self, state: State) -> None:
        """Go on from `state`, forgetting everything else."""
        self.ledger = ledger_of(state)
        self.height, self.hash, self.cumulative = state.height, state.hash, state.cumulative_hash

    def state(self) -> State:
        """The ledger after the last block, tables sorted by (ticker, address), deploy and ticker."""
        return state_of(self.ledger, self.height, self.hash, self.cumulative)

    def judge(self, blocks: pa.Table, candidates: pa.Table) -> Judged:
        """Judge `blocks` (schema HEADERS) with their `candidates` (schema CANDIDATES).

        Raises BrokenChain when heights or parent hashes do not join, and MalformedCandidate, before anything is judged.
        """
        headers = blocks.to_pylist()
        self._check_chain(headers)
        by_height = _candidates_by_height(headers, candidates)
        rows = Rows()
        with precisely():
            for header in headers:
                self._judge_block(header, by_height[header["height"]], rows)
        return rows.tables()

    def _check_chain(self, headers: list[dict[str, Any]]) -> None:
        height, last_hash = self.height, self.hash
        for header in headers:
            if height is not None and header["height"] != height + 1:
                raise BrokenChain(f"block {header['height']} does not follow height {height}")
            if height is not None and header["previous_hash"] != last_hash:
                raise BrokenChain(f"block {header['height']} has parent {header['previous_hash']}, not {last_hash}")
            height, last_hash = header["height"], header["hash"]

    def _judge_block(self, header: dict[str, Any], candidates: list[Candidate], rows: Rows) -> None:
        height, time = header["height"], header["time"]
        assert isinstance(time, datetime)
        block = BlockInProgress(self.ledger, height, time)
        if height >= self.network.genesis_height:
            for candidate in processing_order(candidates, height, self.network):
                judge_candidate(block, candidate, self.network)
            self._end_block(block)
        block.finish()
        events = event_hash(block.records, block.closing)
        self.cumulative = cumulative_hash(self.cumulative, events)
        self.height, self.hash = height, header["hash"]
        rows.add_block(
            header
            | {
                "candidates": len(candidates),
                "event_hash": events,
                "cumulative_hash": self.cumulative,
                "record_hash": record_hash(events, block.records),
            },
            block,
        )
        self.ledger.close_block(height)

    def _end_block(self, block: BlockInProgress) -> None:
        """R-CORE-BLK-6, R-CORE-BLK-7."""
        curves.end_of_block(block)
        block.round_balances()
        swaps.end_of_block(block)
        block.round_balances()


def _candidates_by_height(headers: list[dict[str, Any]], candidates: pa.Table) -> dict[int, list[Candidate]]:
    by_height: dict[int, list[Candidate]] = {header["height"]: [] for header in headers}
    for row in candidates.to_pylist():
        if row["height"] not in by_height:
            raise MalformedCandidate(f"a candidate of height {row['height']} belongs to none of the blocks")
        transaction = parse_transaction(row["raw"], row["prevouts"])
        by_height[row["height"]].append(Candidate(row["tx_index"], row["txid"][::-1].hex(), transaction))
    return by_height
