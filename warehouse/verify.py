"""Where two indexers part: bisects the cumulative event hashes to the first block and operation that differ.

A side is a lake on this machine or an API elsewhere; both give hashes by range of heights and the valid operations of a
height.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from itertools import zip_longest
from pathlib import Path
from typing import Final, Protocol, TypeVar

import httpx
from pydantic import TypeAdapter

from warehouse.duckdb_engine import connect
from warehouse.errors import LakeError
from warehouse.histories import Filter, Histories
from warehouse.lake_store import LakeStore, open_database
from warehouse.manifest import read_manifest
from warehouse.snapshot import Snapshot

S = TypeVar("S", "Hashes", "Effect")
T = TypeVar("T")

PAGE: Final = 1000
"""Rows asked for at once."""

MOST_OPERATIONS: Final = 1_000_000
"""More than fit a block."""


@dataclass(frozen=True, slots=True)
class Hashes:
    """The hashes of one block, as 64 hex digits."""

    height: int
    hash: str
    event_hash: str
    cumulative_hash: str
    record_hash: str


@dataclass(frozen=True, slots=True)
class Effect:
    """A valid operation, or an effect of a block's end, in the terms of the event hash. `amount` is in tokens, with 8
    decimals."""

    operation: str
    output: str | None
    """`txid:vout` of the protocol output; of an expiry, that of the position's deposit."""
    ticker: str | None
    amount: str | None
    sender: str | None
    recipient: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two indexers part. As text: for a reader who has to find out who is right."""

    ours: Hashes
    theirs: Hashes
    our_effect: Effect | None = None
    """First effect that differs; None when this side has no more, or when the effects are the same."""
    their_effect: Effect | None = None
    at_end: bool = False
    """Whether the effects are of the block's end: its valid operations agree."""

    @property
    def height(self) -> int:
        """Height of the block."""
        return self.ours.height

    @property
    def what(self) -> str:
        """`hash`: other blocks; `cumulative_hash`: other effects of one block; `record_hash`: other refusals alone."""
        return next(name for name in MEANING if getattr(self.ours, name) != getattr(self.theirs, name))

    def __str__(self) -> str:
        """What differs, both sides of each value line by line, `!` before what is not equal."""
        lines = [f"height {self.height}: {MEANING[self.what]}", *_both(Hashes, self.ours, self.theirs)]
        if self.our_effect or self.their_effect:
            what = "effect of the block's end" if self.at_end else "valid operation"
            lines += [f"first {what} that differs:", *_both(Effect, self.our_effect, self.their_effect)]
        elif self.ours.cumulative_hash != self.theirs.cumulative_hash:
            lines += ["the valid operations look the same: see how a ticker is written, and what the block's end adds"]
        return "\n".join(lines)


MEANING: Final = {
    "hash": "the chains have another block here",
    "cumulative_hash": "the same block has other effects",
    "record_hash": "the same block has other refusals; all effects of both sides agree",
}
"""What a difference in this hash means, the gravest first."""


def _both(kind: type[S], ours: S | None, theirs: S | None) -> Iterator[str]:
    """Two lines a field; a side that has nothing to show says `none`."""
    names = [field.name for field in fields(kind)]
    values = [astuple(side) if side else (None,) * len(names) for side in (ours, theirs)]
    for name, our, their in zip(names, *values, strict=True):
        if name != "height":
            yield f"{' ' if our == their else '!'} {name:<16} ours    {'none' if our is None else our}"
            yield f"{'':<18} theirs  {'none' if their is None else their}"


class UnusableSide(LakeError):
    """A side cannot be read or compared; the text says why and what to do."""


class Side(Protocol):
    """One of the two indexers that are compared. Ranges are inclusive."""

    def range(self) -> tuple[int, int]:
        """First and last height that the side has."""

    def hashes(self, first: int, last: int) -> list[Hashes]:
        """Hashes of the heights `first` to `last`, at most `PAGE` of them."""

    def effects(self, height: int) -> list[Effect]:
        """Valid operations of a height in processing order."""

    def closing(self, height: int) -> list[Effect] | None:
        """What the end of a height's block did, in order; None from a side that cannot tell."""

    def close(self) -> None:
        """Let go of what the side holds open."""


class LakeSide:
    """A lake in a folder of this machine, as it is published now."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manifest = read_manifest(directory)
        if self.manifest.tip is None:
            raise UnusableSide(f"{directory} holds no block yet: run `simplicity sync` first")
        self.tip = self.manifest.tip.height
        self.database = open_database()
        self.histories = Histories(LakeStore(self.database, Snapshot(directory, self.manifest)))

    def close(self) -> None:
        self.database.close()

    def range(self) -> tuple[int, int]:
        return self.manifest.start_height, self.tip

    def hashes(self, first: int, last: int) -> list[Hashes]:
        return [Hashes(*row) for row in self.histories.block_hashes(first, last)]

    def effects(self, height: int) -> list[Effect]:
        rows = self.histories.page(Filter(height=height), MOST_OPERATIONS)
        return [
            Effect(row.operation, f"{row.txid}:{row.vout}", row.ticker, row.amount, row.from_address, row.to_address)
            for row in sorted(rows, key=lambda row: row.op_index)
        ]

    def closing(self, height: int) -> list[Effect]:
        query = (
            "SELECT operation, output, ticker, amount::VARCHAR, from_address, to_address "
            "FROM closing_lines WHERE height = ? ORDER BY pass, place"
        )
        with connect(self.directory, height, self.manifest) as connection:
            return [Effect(*row) for row in connection.execute(query, [height]).fetchall()]


@dataclass(frozen=True, slots=True)
class Status:
    """What is used of the API's status."""

    last_indexed_block_main_chain: int


@dataclass(frozen=True, slots=True)
class Row:
    """What is used of a row of the API's history by height."""

    id: int
    """Grows with the processing order."""
    op: str
    op_id: str
    ticker: str | None
    amount: str | None
    from_address: str | None
    to_address: str | None


class ApiSide:
    """An indexer behind the HTTP API at `url`, the address up to and without `/v1`."""

    def __init__(self, url: str) -> None:
        self.base = url.rstrip("/") + "/v1/indexer/brc20"
        self.client = httpx.Client(timeout=30)

    def close(self) -> None:
        self.client.close()

    def get(self, path: str, shape: type[T], **parameters: int) -> T:
        """The answer, checked for its shape. Raises UnusableSide."""
        try:
            response = self.client.get(self.base + path, params=parameters)
            response.raise_for_status()
            return TypeAdapter(shape).validate_json(response.content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnusableSide(f"{self.base}{path} gives no answer: {error}") from error
        except ValueError as error:
            raise UnusableSide(
                f"{self.base}{path} answers in another form: is it the API of this indexer, and as new as this one?"
            ) from error

    def range(self) -> tuple[int, int]:
        lowest = self.get("/block-hashes", list[Hashes], limit=1)
        if not lowest:
            raise UnusableSide(f"{self.base} holds no block yet")
        return lowest[0].height, self.get("/status", Status).last_indexed_block_main_chain

    def hashes(self, first: int, last: int) -> list[Hashes]:
        return self.get("/block-hashes", list[Hashes], **{"from": first, "to": last, "limit": PAGE})

    def effects(self, height: int) -> list[Effect]:
        rows: list[Row] = []
        while page := self.get(f"/history-by-height/{height}", list[Row], skip=len(rows), limit=PAGE):
            rows += page
        return [
            Effect(row.op, row.op_id, row.ticker, row.amount, row.from_address, row.to_address)
            for row in sorted(rows, key=lambda row: row.id)
        ]

    def closing(self, height: int) -> None:
        return None


def first_difference(ours: Side, theirs: Side) -> Difference | None:
    """The first block where the two sides part, or None when they agree on every height that both have.

    Refusals are compared when all effects agree. Raises UnusableSide when the sides began at different heights, for
    then no cumulative hash compares.
    """
    (our_first, our_last), (their_first, their_last) = ours.range(), theirs.range()
    if our_first != their_first:
        raise UnusableSide(f"one side begins at height {our_first}, the other at {their_first}: nothing compares")
    low, high = our_first, min(our_last, their_last)
    if _agree(ours, theirs, high):
        return _refusal_difference(ours, theirs, low, high)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if _agree(ours, theirs, middle) else (low, middle)
    our, their = _at(ours, low), _at(theirs, low)
    if our.cumulative_hash != their.cumulative_hash:
        if pair := _first_unequal(ours.effects(low), theirs.effects(low)):
            return Difference(our, their, *pair)
        our_end, their_end = ours.closing(low), theirs.closing(low)
        if our_end is not None and their_end is not None and (pair := _first_unequal(our_end, their_end)):
            return Difference(our, their, *pair, at_end=True)
    return Difference(our, their)


def _first_unequal(ours: list[Effect], theirs: list[Effect]) -> tuple[Effect | None, Effect | None] | None:
    pairs = zip_longest(ours, theirs)
    return next(((our, their) for our, their in pairs if our != their), None)


def _agree(ours: Side, theirs: Side, height: int) -> bool:
    """Whether both have the same block at `height`, and had the same effects up to there."""
    our, their = _at(ours, height), _at(theirs, height)
    return (our.hash, our.cumulative_hash) == (their.hash, their.cumulative_hash)


def _refusal_difference(ours: Side, theirs: Side, first: int, last: int) -> Difference | None:
    for start in range(first, last + 1, PAGE):
        end = min(start + PAGE - 1, last)
        for our, their in zip(_hashes(ours, start, end), _hashes(theirs, start, end), strict=True):
            if our.record_hash != their.record_hash:
                return Difference(our, their)
    return None


def _at(side: Side, height: int) -> Hashes:
    return _hashes(side, height, height)[0]


def _hashes(side: Side, first: int, last: int) -> list[Hashes]:
    """One row for each height. Raises UnusableSide when some are missing, as after a rewind in between."""
    found = side.hashes(first, last)
    if [row.height for row in found] != list(range(first, last + 1)):
        raise UnusableSide(f"a side no longer has every height from {first} to {last}: compare again")
    return found
