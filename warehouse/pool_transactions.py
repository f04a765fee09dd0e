"""Questions about what happened in pools, operation by operation: openings, trades, settlements."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from warehouse.view_queries import ViewQueries
from warehouse.words import one_of, pair_of, text_of

Type = Literal["swap_init", "swap_exe", "unlock"]

SETTLED_LAST: Final = 1_000_000
"""Settlements come after all records of their block."""

_TRANSACTIONS: Final = f"""(
    SELECT
        height, op_index::BIGINT AS place, 'swap_exe' AS type, txid, pool, executor_address AS account,
        source, destination, used AS amount, received, fee, NULL AS lock_blocks, NULL AS position_id
    FROM executions
    UNION ALL
    SELECT
        height, op_index::BIGINT, 'swap_init', txid, pool, owner_address,
        source, destination, amount, NULL, NULL, lock_blocks, position_id
    FROM positions
    INNER JOIN (SELECT height, op_index, txid, vout FROM records WHERE operation = 'swap_init' AND valid) AS inits
    USING (height, txid, vout)
    WHERE height = start_height
    UNION ALL
    SELECT
        height, {SETTLED_LAST} + position_id, 'unlock', NULL, pool, owner_address,
        source, destination, NULL, NULL, NULL, lock_blocks, position_id
    FROM positions
    WHERE height = unlock_height
)"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which operations are asked for; what is None does not matter."""

    pools: tuple[str, ...] | None = None
    account: str | None = None
    ticker: str | None = None
    """Either side."""
    types: tuple[str, ...] | None = None

    @property
    def condition(self) -> str:
        """The filter in SQL, with `values` for its parameters."""
        parts = {
            "pools": f"pool IN {one_of('pools')}",
            "account": "account = $account",
            "ticker": "(source = $ticker OR destination = $ticker)",
            "types": f"type IN {one_of('types')}",
        }
        return " AND ".join(part for name, part in parts.items() if getattr(self, name) is not None) or "true"

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the condition."""
        found = {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


class Moved(NamedTuple):
    """A change of a balance, in tokens with 8 decimals."""

    before: str
    delta: str
    after: str


@dataclass(slots=True)
class Transaction:
    """An opening, a trade or the settlement of a position. Amounts are text in tokens with 8 decimals."""

    height: int
    place: int
    type: Type
    txid: str | None
    pool: str
    account: str
    source: str
    destination: str
    amount: str | None
    """Of an opening what was locked, of a trade what was sold."""
    received: str | None
    fee: str | None
    lock_blocks: int | None
    position_id: int | None
    time: int
    moved: dict[tuple[str, str], Moved] = field(default_factory=dict)
    """By cause and ticker: of an opening or a trade the account's balances, of a settlement all that was paid."""


class PoolTransactions:
    """What happened in pools up to the block of `views`."""

    def __init__(self, views: ViewQueries) -> None:
        self._views = views

    def page(self, wanted: Wanted, limit: int, skip: int) -> tuple[int, list[Transaction]]:
        """How many there are, and a page of them, newest first."""
        found = f"FROM {_TRANSACTIONS} WHERE {wanted.condition}"
        total = int(self._views.rows(f"SELECT count(*) {found}", wanted.values)[0][0])
        amounts = ", ".join(map(text_of, ("amount", "received", "fee")))
        query = f"""
            SELECT
                height, place, type, txid, pool, account, source, destination,
                {amounts}, lock_blocks, position_id, toUnixTimestamp(time)
            FROM (SELECT * {found} ORDER BY height DESC, place DESC LIMIT {limit} OFFSET {skip}) AS page
            INNER JOIN blocks USING (height)
            ORDER BY height DESC, place DESC
        """
        rows = self._views.rows(query, wanted.values) if skip < total else []
        transactions = [Transaction(*row) for row in rows]
        self._add_records(transactions)
        self._add_settlements([each for each in transactions if each.type == "unlock"])
        return total, transactions

    def _add_records(self, transactions: list[Transaction]) -> None:
        """The account's balances around what an opening locks, and what a trade sells and buys."""
        at = {(each.height, each.place): each for each in transactions if each.type != "unlock"}
        if not at:
            return
        heights, places = (list(numbers) for numbers in zip(*at, strict=True))
        query = f"""
            SELECT
                height, op_index, cause, ticker,
                {text_of("(balance_after - delta)::DECIMAL(38, 8)")}, {text_of("delta")}, {text_of("balance_after")}
            FROM balance_events
            WHERE height BETWEEN {min(heights)} AND {max(heights)}
                AND cause IN ('swap_init', 'swap_in', 'swap_out') AND NOT startsWith(address, 'POOL::')
                AND (height, op_index) IN {pair_of("heights", "places")}
        """
        for height, place, cause, ticker, *amounts in self._views.rows(query, {"heights": heights, "places": places}):
            at[height, place].moved[cause, ticker] = Moved(*amounts)

    def _add_settlements(self, settlements: list[Transaction]) -> None:
        """What the settled positions were paid."""
        if not settlements:
            return
        by_position = {each.position_id: each for each in settlements}
        heights = [each.height for each in settlements]
        query = f"""
            SELECT
                position_id, cause, ticker,
                {text_of("balance_before")}, {text_of("delta")}, {text_of("balance_after")}
            FROM balance_changes
            WHERE startsWith(cause, 'expiry') AND position_id IN {one_of("positions")}
        """
        views = self._views.between(min(heights), max(heights))
        for position_id, cause, ticker, *amounts in views.rows(query, {"positions": list(by_position)}):
            by_position[position_id].moved[cause, ticker] = Moved(*amounts)
