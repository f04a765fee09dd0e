"""Where two indexers part: bisects the cumulative event hashes to the first block and operation that differ.

A side is a lake on this machine or an API elsewhere; both give hashes by range of heights and the valid operations of a
height.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol, Self

import httpx

from warehouse.duckdb_engine import connect
from warehouse.errors import LakeError
from warehouse.manifest import read_manifest

PAGE = 1000
"""Rows asked for at once."""


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
    """What a valid operation says of itself, in the terms that both sides share."""

    operation: str
    txid: str
    ticker: str | None
    amount: str | None
    sender: str | None
    recipient: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two indexers part."""

    height: int
    what: str
    """`hash`: other blocks; `cumulative_hash`: other effects; `record_hash`: other refusals."""
    ours: Hashes
    theirs: Hashes
    our_effect: Effect | None = None
    """First valid operation that differs; None when this side has no more, or when only refusals differ."""
    their_effect: Effect | None = None


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


class LakeSide:
    """A lake in a folder of this machine."""

    def __init__(self, directory: Path) -> None:
        self.tip = read_manifest(directory).tip
        if self.tip is None:
            raise UnusableSide(f"{directory} holds no block yet: run `simplicity sync` first")
        self.connection = connect(directory)

    def range(self) -> tuple[int, int]:
        first, last = self.connection.execute("SELECT min(height), max(height) FROM blocks").fetchall()[0]
        return first, last

    def hashes(self, first: int, last: int) -> list[Hashes]:
        rows = self.connection.execute(
            "SELECT height, hash, event_hash, cumulative_hash, record_hash FROM blocks "
            "WHERE height BETWEEN ? AND ? ORDER BY height",
            [first, last],
        ).fetchall()
        return [Hashes(*row) for row in rows]

    def effects(self, height: int) -> list[Effect]:
        rows = self.connection.execute(
            "SELECT operation, txid, ticker, amount, from_address, to_address FROM operations "
            "WHERE height = ? AND valid ORDER BY op_index",
            [height],
        ).fetchall()
        return [
            Effect(operation, txid, ticker, amount_text(amount), sender or None, recipient or None)
            for operation, txid, ticker, amount, sender, recipient in rows
        ]


class ApiSide:
    """An indexer behind the HTTP API at `url`, the address up to and without `/v1`."""

    def __init__(self, url: str, client: httpx.Client | None = None) -> None:
        self.base = url.rstrip("/") + "/v1/indexer/brc20"
        self.client = client or httpx.Client(timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get(self, path: str, **parameters: int) -> Any:
        try:
            response = self.client.get(self.base + path, params=parameters)
            response.raise_for_status()
            return response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnusableSide(f"{self.base}{path} gives no usable answer: {error}") from error

    def range(self) -> tuple[int, int]:
        with answers_of(self.base):
            lowest = self.get("/block-hashes", limit=1)
            if not lowest:
                raise UnusableSide(f"{self.base} holds no block yet")
            return lowest[0]["height"], self.get("/status")["last_indexed_block_main_chain"]

    def hashes(self, first: int, last: int) -> list[Hashes]:
        names = ("height", "hash", "event_hash", "cumulative_hash", "record_hash")
        with answers_of(self.base):
            rows = self.get("/block-hashes", **{"from": first, "to": last, "limit": PAGE})
            return [Hashes(*(row[name] for name in names)) for row in rows]

    def effects(self, height: int) -> list[Effect]:
        found: list[Effect] = []
        with answers_of(self.base):
            while rows := self.get(f"/history-by-height/{height}", skip=len(found), limit=PAGE):
                found += [
                    Effect(
                        row["op"],
                        row["txid"],
                        row["ticker"] or None,
                        amount_text(row["amount"]),
                        row["from_address"] or None,
                        row["to_address"] or None,
                    )
                    for row in rows
                ]
        return found


@contextmanager
def answers_of(base: str) -> Iterator[None]:
    """Answers of another shape than ours end as UnusableSide."""
    try:
        yield
    except (KeyError, TypeError, IndexError) as error:
        raise UnusableSide(f"{base} answers in another form: is it the API of this indexer?") from error


def amount_text(amount: object) -> str | None:
    """Plain notation without trailing zeros; absent and zero are one, as in the API's answers."""
    text = format(amount, "f") if not isinstance(amount, str | None) else amount or "0"
    trimmed = text.rstrip("0").rstrip(".") if "." in text else text
    return None if trimmed in ("", "0") else trimmed


def pages(first: int, last: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + PAGE - 1, last)) for start in range(first, last + 1, PAGE))


def first_difference(ours: Side, theirs: Side) -> Difference | None:
    """The first block where the two sides part, or None when they agree on every height that both have.

    Raises UnusableSide when they share no height or began at different ones, for then no cumulative hash compares.
    """
    (our_first, our_last), (their_first, their_last) = ours.range(), theirs.range()
    if our_first != their_first:
        raise UnusableSide(f"one side begins at height {our_first}, the other at {their_first}: nothing compares")
    last = min(our_last, their_last)

    def at(height: int) -> tuple[Hashes, Hashes]:
        return ours.hashes(height, height)[0], theirs.hashes(height, height)[0]

    def agree(height: int) -> bool:
        our, their = at(height)
        return (our.hash, our.cumulative_hash) == (their.hash, their.cumulative_hash)

    if agree(last):
        return first_refusal_difference(ours, theirs, our_first, last)
    low, high = our_first, last
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if agree(middle) else (low, middle)
    our, their = at(low)
    if our.cumulative_hash == their.cumulative_hash:
        return Difference(low, "hash", our, their)
    for our_effect, their_effect in zip_longest(ours.effects(low), theirs.effects(low)):
        if our_effect != their_effect:
            return Difference(low, "cumulative_hash", our, their, our_effect, their_effect)
    return Difference(low, "cumulative_hash", our, their)


def first_refusal_difference(ours: Side, theirs: Side, first: int, last: int) -> Difference | None:
    for page in pages(first, last):
        for our, their in zip(ours.hashes(*page), theirs.hashes(*page), strict=True):
            if our.record_hash != their.record_hash:
                return Difference(our.height, "record_hash", our, their)
    return None
