"""Follows the lake's manifest and keeps a view for point lookups at the published height."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from immutables import Map

from ingest.source import Tip
from warehouse.arrays import Amounts
from warehouse.extensions import Extensions
from warehouse.manifest import NAME, Fold, Manifest, read_manifest
from warehouse.segments import read_rows
from warehouse.serving_map import ServingMap, supply_rows, token_rows
from warehouse.serving_view import Change, View

EVENT_COLUMNS: Final = ("height", "ticker", "address", "delta", "balance_after", "cause")

CREDITS: Final = ("mint", "mint_stones", "transfer_credit")
"""Causes of events that credit the account, even with nothing; a module's events do when they add something."""


class Serving:
    """The newest view of a lake. `view` is replaced whole, so that whoever took it keeps one published height."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.view: View | None = None
        """None until `refresh` has seen a published block."""
        self.rewinds = 0
        """How often a new view did not continue the one before."""
        self._stamp: tuple[int, int, int] | None = None
        self._fold: Fold | None = None

    def changed(self) -> bool:
        """Whether `refresh` would find anything new; costs one look at the manifest's file status."""
        return self._manifest_stamp() != self._stamp or self._stamp is None

    def refresh(self) -> bool:
        """Catch up with the manifest and say whether anything was published since the last call.

        New blocks are read and laid over the view; a rewind or a new fold starts a view anew. Raises LakeError, and
        OSError when files vanish in between; the view then stays as it was and the next call tries again.
        """
        if not self.changed():
            return False
        stamp = self._manifest_stamp()
        manifest = read_manifest(self.directory)
        self.view = self._advanced(manifest, manifest.tip) if manifest.tip else None
        self._stamp = stamp
        return True

    def _manifest_stamp(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self.directory / NAME)
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _advanced(self, manifest: Manifest, tip: Tip) -> View:
        fold = manifest.fold_at(tip.height)
        standing = self.view if self.view is not None and self._stands(self.view, manifest) else None
        self.rewinds += standing is None and self.view is not None
        extensions = self._extended(standing, manifest, tip)
        start = standing if standing is not None and fold == self._fold else self._start(manifest, fold)
        view = self._laid_over(start, manifest, tip)
        self._fold = fold
        return replace(view, extensions=extensions)

    def _extended(self, view: View | None, manifest: Manifest, tip: Tip) -> Extensions:
        """What modules keep at `tip`: read whole when there is no view that still stands, since no fold has it."""
        if view is not None and view.tip.height == tip.height:
            return view.extensions
        known, above = (view.extensions, view.tip.height) if view else (Extensions(), manifest.start_height - 1)
        heights = above + 1, tip.height
        return known.after(lambda name, columns: read_rows(self.directory, manifest, name, columns, heights))

    def _stands(self, view: View, manifest: Manifest) -> bool:
        """Whether `manifest` still publishes all blocks of `view`, with the same effects: no rewind, no rebuild."""
        at = view.tip.height
        block = read_rows(self.directory, manifest, "blocks", ["hash", "cumulative_hash"], (at, at))
        return [*block.to_pydict().values()] == [[view.tip.hash], [view.manifest.cumulative_hash]]

    def _start(self, manifest: Manifest, fold: Fold | None) -> View:
        """What holds at the fold's height; before the first block when there is no fold."""
        if fold is None:
            return View(manifest, Tip(manifest.start_height - 1, ""), 0, ServingMap.empty())
        home = (self.directory / fold.serving[0].path).parent
        return View(manifest, Tip(fold.height, ""), self._last_operation(manifest, fold.height), ServingMap.open(home))

    def _last_operation(self, manifest: Manifest, height: int) -> int:
        """The newest block up to `height` with any record, 0 when there is none."""
        for segment in reversed(manifest.of("blocks")):
            span = segment.first, min(segment.last, height)
            if newest := _newest_busy(read_rows(self.directory, manifest, "blocks", ["height", "operations"], span)):
                return newest
        return 0

    def _laid_over(self, view: View, manifest: Manifest, tip: Tip) -> View:
        """`view` with the blocks above it, up to `tip`."""
        if view.tip.height == tip.height:
            return replace(view, manifest=manifest, tip=tip)
        heights = view.tip.height + 1, tip.height

        def rows(table: str, *columns: str) -> pa.Table:
            return read_rows(self.directory, manifest, table, columns or None, heights)

        changes, touched = _changed(view, rows("balance_events", *EVENT_COLUMNS))
        deploys = token_rows(rows("tokens"))
        return replace(
            view,
            manifest=manifest,
            tip=tip,
            last_operation_height=_newest_busy(rows("blocks", "height", "operations")) or view.last_operation_height,
            changes=changes,
            touched=touched,
            supplies=view.supplies.update(supply_rows(rows("supplies"))),
            deploys=view.deploys.update(deploys),
            newest=(*reversed(deploys.values()), *view.newest),
        )


def _newest_busy(blocks: pa.Table) -> int:
    busy = blocks.filter(pc.greater(blocks["operations"], 0))
    return int(pc.max(busy["height"]).as_py() or 0)


def _changed(view: View, events: pa.Table) -> tuple[Map[str, Map[str, Change]], Map[str, frozenset[str]]]:
    """The overlay of `view` with `events`, of which only the last of each account counts."""
    cause = pl.col("cause")
    credit = ((pl.col("delta") > 0) & (cause != "rounding")) | cause.is_in(CREDITS)
    last = (
        pl.from_arrow(events)
        .group_by("ticker", "address")  # type: ignore[union-attr]
        .agg(pl.col("balance_after").last(), pl.col("height").filter(credit).max().fill_null(0).alias("credit_height"))
        .to_arrow()
        .combine_chunks()
    )
    by_ticker: dict[str, dict[str, Change]] = {}
    touched = view.touched.mutate()
    names = zip(last["ticker"].to_pylist(), last["address"].to_pylist(), last["credit_height"].to_pylist(), strict=True)
    balances: Iterable[int] = Amounts(last["balance_after"].chunk(0)) if last.num_rows else ()
    for (ticker, address, credit_height), balance in zip(names, balances, strict=True):
        known = view.changes.get(ticker, Map()).get(address) or _folded(view, ticker, address)
        change = Change(balance, credit_height or known.credit_height, known.folded)
        by_ticker.setdefault(ticker, {})[address] = change
        touched[address] = touched.get(address, frozenset()) | {ticker}
    changes = view.changes.mutate()
    for ticker, accounts in by_ticker.items():
        changes[ticker] = changes.get(ticker, Map()).update(accounts)
    return changes.finish(), touched.finish()


def _folded(view: View, ticker: str, address: str) -> Change:
    account = view.fold.account(ticker, address)
    return Change(account.balance, account.credit_height, account.balance) if account else Change(0, 0, 0)
