"""Pages of operations and rows of blocks, as one state publishes them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from warehouse.store import Published, Store, Values
from warehouse.words import text_of

Place = tuple[int, int, int]
"""Height, transaction and place in the processing order: by what histories are sorted."""


class Operation(NamedTuple):
    """A record with the hash of its block."""

    height: int
    op_index: int
    time: datetime
    tx_index: int
    txid: str
    vout: int
    operation: str
    ticker: str | None
    amount: str | None
    """In tokens, with 8 decimals."""
    from_address: str | None
    to_address: str | None
    valid: bool
    marketplace: bool
    step: int | None
    ticker_text: str | None
    code: str | None
    step_code: str | None
    divergence: str | None
    multi: bool
    payload: bytes | None
    """Only where the transaction was asked for."""
    block_hash: str

    @property
    def place(self) -> Place:
        """By what histories are sorted."""
        return self.height, self.tx_index, self.op_index


class BlockHashes(NamedTuple):
    """What identifies a block and its effects, as 64 hex digits each."""

    height: int
    hash: str
    event_hash: str
    cumulative_hash: str
    record_hash: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which operations are asked for; what is None does not matter."""

    ticker: str | None = None
    address: str | None = None
    """Of the sender or the recipient."""
    op_type: str | None = None
    height: int | None = None
    include_invalid: bool = False

    @property
    def condition(self) -> str:
        """The filter in SQL, with `values` for its parameters."""
        parts = {
            "ticker": "ticker = $ticker",
            "address": "(from_address = $address OR to_address = $address)",
            "op_type": "operation = $op_type",
            "height": "height = $height",
        }
        wanted = [part for name, part in parts.items() if getattr(self, name) is not None]
        return " AND ".join([*([] if self.include_invalid else ["valid"]), *wanted]) or "true"

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the condition."""
        names = ("ticker", "address", "op_type", "height")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


OPERATION: Final = (
    f"height, op_index, toUnixTimestamp(block_time), tx_index, txid, vout, operation, ticker, {text_of('amount')}, "
    "from_address, to_address, valid, marketplace, step, ticker_text, code, step_code, divergence, multi"
)


class Histories:
    """Questions about the past, as of one published state. Not for use by several threads at once."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def snapshot(self) -> Published:
        """The state, for whole tables."""
        return self.store.snapshot

    def page(self, wanted: Filter, limit: int, skip: int = 0, behind: Place | None = None) -> list[Operation]:
        """A page of operations, of those behind a place: newest first, but those of one block by transaction.

        Spans of heights are visited in that order and only until the page is full.
        """
        condition, values = _behind(wanted, behind)
        end = "" if wanted.height is not None else " DESC"
        order = f"ORDER BY height{end}, tx_index{end}, op_index{end} LIMIT $limit OFFSET $skip"
        page: list[Operation] = []
        for span in self.store.spans("operations", *self._heights(wanted, behind)):
            found = self._operations(span, f"{condition} {order}", {**values, "limit": limit - len(page), "skip": skip})
            page += found
            if len(page) == limit:
                break
            if found:
                skip = 0
            elif skip:
                skip -= self._count(span, condition, values)
        return page

    def count(self, wanted: Filter, behind: Place | None = None) -> int:
        """How many operations there are behind a place."""
        return self._count(self._heights(wanted, behind), *_behind(wanted, behind))

    def of_transaction(self, txid: str) -> list[Operation]:
        """Every record of a transaction in processing order, refused ones too; empty when there is none."""
        return self._operations(
            self._published(), "txid = $txid ORDER BY op_index", {"txid": txid}, payload="hex(payload)"
        )

    def block_hashes(self, first: int, last: int) -> list[BlockHashes]:
        """Hashes of the blocks from `first` to `last` that are published."""
        source = self.store.facts("blocks", first, last)
        query = (
            f"SELECT {', '.join(BlockHashes._fields)} FROM {source} "
            "WHERE height BETWEEN $first AND $last ORDER BY height"
        )
        return [BlockHashes(*row) for row in self.store.fetch(query, {"first": first, "last": last})]

    def _published(self) -> tuple[int, int]:
        manifest = self.snapshot.manifest
        return manifest.start_height, manifest.next_height - 1

    def _heights(self, wanted: Filter, behind: Place | None) -> tuple[int, int]:
        """Between which blocks all lies that is wanted."""
        if wanted.height is not None:
            return wanted.height, wanted.height
        first, last = self._published()
        return first, last if behind is None else min(last, behind[0])

    def _count(self, heights: tuple[int, int], condition: str, values: Values) -> int:
        query = f"SELECT count(*) FROM {self.store.facts('operations', *heights)} WHERE {condition}"
        return int(self.store.fetch(query, values)[0][0])

    def _operations(
        self, heights: tuple[int, int], condition: str, values: Values, payload: str = "NULL"
    ) -> list[Operation]:
        query = f"SELECT {OPERATION}, {payload} FROM {self.store.facts('operations', *heights)} WHERE {condition}"
        rows = self.store.fetch(query, values)
        hashes = self.store.hashes(sorted({row[0] for row in rows})) if rows else {}
        return [_operation(row, hashes[row[0]]) for row in rows]


def _operation(row: tuple[Any, ...], block_hash: str) -> Operation:
    height, op_index, seconds, *rest, payload = row
    content = None if payload is None else bytes.fromhex(payload)
    return Operation._make([height, op_index, datetime.fromtimestamp(seconds, UTC), *rest, content, block_hash])


def _behind(wanted: Filter, place: Place | None) -> tuple[str, dict[str, Any]]:
    """The filter in SQL with its parameters, for what lies behind a place in the order of its pages."""
    if place is None:
        return wanted.condition, wanted.values
    names = ("at_height", "at_tx", "at_op")
    sign = "<" if wanted.height is None else ">"
    # The plain comparison of heights is for the statistics of segments, which know nothing of rows.
    condition = f"height {sign}= $at_height AND (height, tx_index, op_index) {sign} ($at_height, $at_tx, $at_op)"
    return f"{wanted.condition} AND {condition}", wanted.values | dict(zip(names, place, strict=True))
