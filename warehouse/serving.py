"""Follows what is published and keeps a view for point lookups at that height."""

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from immutables import Map

from ingest.source import Tip
from warehouse.arrays import Amounts
from warehouse.backend import Backend
from warehouse.extensions import Extensions
from warehouse.manifest import Fold
from warehouse.overlay import NOTHING, Change, Changes
from warehouse.recent import Recent, are_few, read_recent
from warehouse.serving_map import ServingMap, supply_rows, token_rows
from warehouse.serving_view import View
from warehouse.store import Published, Store

EVENT_COLUMNS: Final = ("height", "ticker", "address", "delta", "balance_after", "cause")

CREDITS: Final = ("mint", "mint_stones", "transfer_credit")
"""Causes of events that credit the account, even with nothing; a module's events do when they add something."""


class Serving:
    """The newest view of a backend. `view` is replaced whole, so that whoever took it keeps one published height."""

    def __init__(self, backend: Backend) -> None:
        self.view: View | None = None
        """None until `refresh` has seen a published block."""
        self.rewinds = 0
        """How often a new view did not continue the one before."""
        self._backend = backend
        self._stamp: Hashable | None = None
        self._fold: Fold | None = None
        self._wants_recent = False

    def changed(self) -> bool:
        """Whether `refresh` would find anything to do; costs one look at what is published."""
        return self._stamp is None or self._owes_recent() or self._backend.stamp() != self._stamp

    def refresh(self) -> bool:
        """Catch up with what is published and say whether there was anything since the last call.

        New blocks are read and laid over the view; a rewind or a new fold starts a view anew. What was newest when it
        was started is read once there is nothing more urgent. Raises LakeError, and OSError when files vanish in
        between; the view then stays as it was and the next call tries again.
        """
        stamp = self._backend.stamp()
        if stamp == self._stamp and stamp is not None:
            if self._owes_recent():
                self._add_recent()
            return False
        snapshot = self._backend.published()
        self.view = self._advanced(snapshot, snapshot.manifest.tip) if snapshot.manifest.tip else None
        self._stamp = stamp
        return True

    def _owes_recent(self) -> bool:
        return self._wants_recent and self.view is not None and self.view.recent is None

    def _add_recent(self) -> None:
        snapshot = self._backend.published()
        if self.view is not None and snapshot.manifest == self.view.manifest:
            self.view = replace(self.view, recent=read_recent(snapshot))

    def _advanced(self, snapshot: Published, tip: Tip) -> View:
        fold = self._backend.fold(snapshot)
        standing = self.view if self.view is not None and _stands(self.view, snapshot) else None
        self.rewinds += standing is None and self.view is not None
        extensions = _extended(standing, snapshot, tip)
        start = standing if standing is not None and fold == self._fold else self._start(snapshot, fold)
        view = _laid_over(start, snapshot, tip)
        self._fold = fold
        return replace(view, extensions=extensions, recent=self._recent(standing, snapshot, tip))

    def _recent(self, view: View | None, snapshot: Published, tip: Tip) -> Recent | None:
        """The newest operations at `tip`: not while an indexer catches up."""
        if view is None:
            self._wants_recent = True
            return None
        if view.tip.height == tip.height:
            return view.recent
        heights = view.tip.height + 1, tip.height
        self._wants_recent = are_few(snapshot, heights)
        return view.recent.after(snapshot, heights) if view.recent and self._wants_recent else None

    def _start(self, snapshot: Published, fold: Fold | None) -> View:
        """What holds at the fold's height; before the first block when there is no fold."""
        first = snapshot.manifest.start_height
        if fold is None:
            return View(snapshot.manifest, Tip(first - 1, ""), 0, ServingMap.empty())
        busy = _last_operation(self._backend.at(snapshot.manifest), first, fold.height)
        return View(snapshot.manifest, Tip(fold.height, ""), busy, self._backend.opened(snapshot, fold))


def _extended(view: View | None, snapshot: Published, tip: Tip) -> Extensions:
    """What modules keep at `tip`: read whole when there is no view that still stands, since no fold has it."""
    if view is not None and view.tip.height == tip.height:
        return view.extensions
    known, above = (view.extensions, view.tip.height) if view else (Extensions(), snapshot.manifest.start_height - 1)
    heights = above + 1, tip.height
    return known.after(lambda name, columns: snapshot.rows(name, columns, heights))


def _stands(view: View, snapshot: Published) -> bool:
    """Whether all blocks of `view` are still published, with the same effects: no rewind, no rebuild."""
    at = view.tip.height
    block = snapshot.rows("blocks", ["hash", "cumulative_hash"], (at, at))
    return [*block.to_pydict().values()] == [[view.tip.hash], [view.manifest.cumulative_hash]]


def _laid_over(view: View, snapshot: Published, tip: Tip) -> View:
    """`view` with the blocks above it, up to `tip`."""
    if view.tip.height == tip.height:
        return replace(view, manifest=snapshot.manifest, tip=tip)
    heights = view.tip.height + 1, tip.height

    def rows(table: str, *columns: str) -> pa.Table:
        return snapshot.rows(table, columns or None, heights)

    changes, touched = _changed(view, rows("balance_events", *EVENT_COLUMNS))
    deploys = token_rows(rows("tokens"))
    return replace(
        view,
        manifest=snapshot.manifest,
        tip=tip,
        last_operation_height=_newest_busy(rows("blocks", "height", "operations")) or view.last_operation_height,
        changes=changes,
        touched=touched,
        supplies=view.supplies.update(supply_rows(rows("supplies"))),
        deploys=view.deploys.update(deploys),
        newest=(*reversed(deploys.values()), *view.newest),
    )


def _last_operation(store: Store, first: int, last: int) -> int:
    """The newest block with any record of those from `first` to `last`, 0 when there is none."""
    for span in store.spans("blocks", first, last):
        query = f"SELECT coalesce(max(height), 0) FROM {store.facts('blocks', *span)} WHERE operations > 0"
        if newest := store.fetch(query, {})[0][0]:
            return int(newest)
    return 0


def _newest_busy(blocks: pa.Table) -> int:
    busy = blocks.filter(pc.greater(blocks["operations"], 0))
    return int(pc.max(busy["height"]).as_py() or 0)


def _changed(view: View, events: pa.Table) -> tuple[Map[str, Changes], Map[str, frozenset[str]]]:
    """The overlay of `view` with `events`, of which only the last of each account counts."""
    cause = pl.col("cause")
    credit = ((pl.col("delta") > 0) & (cause != "rounding")) | cause.is_in(CREDITS)
    frame = pl.from_arrow(events)
    assert isinstance(frame, pl.DataFrame)
    last = (
        frame.group_by("ticker", "address")
        .agg(pl.col("balance_after").last(), pl.col("height").filter(credit).max().fill_null(0).alias("credit_height"))
        .to_arrow()
        .combine_chunks()
    )
    by_ticker: dict[str, dict[str, Change]] = {}
    touched = view.touched.mutate()
    names = zip(last["ticker"].to_pylist(), last["address"].to_pylist(), last["credit_height"].to_pylist(), strict=True)
    balances: Iterable[int] = Amounts(last["balance_after"].chunk(0)) if last.num_rows else ()
    for (ticker, address, credit_height), balance in zip(names, balances, strict=True):
        known = view.changes.get(ticker, NOTHING).by_address.get(address)
        change = Change(balance, credit_height or (known.credit_height if known else 0))
        by_ticker.setdefault(ticker, {})[address] = change
        touched[address] = touched.get(address, frozenset()) | {ticker}
    changes = view.changes.mutate()
    for ticker, accounts in by_ticker.items():
        changes[ticker] = changes.get(ticker, NOTHING).after(accounts)
    return changes.finish(), touched.finish()
