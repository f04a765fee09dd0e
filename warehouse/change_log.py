"""Questions about changes of balances: which there were, how they add up, whether each begins where one ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from warehouse.past import Past
from warehouse.sums import exact_sum, units, units_of
from warehouse.view_queries import ViewQueries
from warehouse.words import one_of, pair_of, text_of

POOL_ACCOUNT: Final = "POOL::"

OPERATION_TYPE: Final = "coalesce(operation, if(cause = 'rounding', 'rounding', 'unlock'))"
"""The record's operation; what a block's end does has none."""

_OF_POOL: Final = " of the pool"
_AMOUNTS: Final = ", ".join(map(text_of, ("balance_before", "delta", "balance_after")))
_IN_POOL: Final = f"(startsWith(cause, 'swap_') AND startsWith(address, '{POOL_ACCOUNT}'))"


class Kind(NamedTuple):
    """A cause; of what trades and openings do also whether it is the pool's account that changes."""

    cause: str
    pool: bool


class Change(NamedTuple):
    """A change of a balance. Amounts are text in tokens with 8 decimals; `time` is in seconds."""

    height: int
    sequence: int
    op_index: int | None
    tx_index: int | None
    txid: str | None
    vout: int | None
    operation_type: str
    cause: str
    ticker: str
    address: str
    before: str
    delta: str
    after: str
    pool: str | None
    position_id: int | None
    block_hash: str
    time: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes are asked for; what is None does not matter."""

    address: str | None = None
    ticker: str | None = None
    kinds: tuple[Kind, ...] | None = None
    operation_type: str | None = None
    pools: tuple[str, ...] | None = None
    position_id: int | None = None
    operation: tuple[int, int] | None = None
    """Height and place of a record."""
    change: tuple[int, int] | None = None
    """Height and place of a change."""
    txid: str | None = None
    first: int | None = None
    last: int | None = None
    """Heights, both included."""

    @property
    def source(self) -> str:
        """The smallest relation that can tell."""
        if self.pools is not None or self.position_id is not None:
            return "balance_changes"
        if self.txid is not None or self.operation_type is not None:
            return _WITH_RECORDS
        return "balance_events"

    @property
    def condition(self) -> str:
        """The filter in SQL, with `values` for its parameters."""
        parts = {
            "address": "address = $address",
            "ticker": "ticker = $ticker",
            "operation_type": f"{OPERATION_TYPE} = $operation_type",
            "position_id": "position_id = $position_id",
            "txid": "txid = $txid",
            "first": "height >= $first",
            "last": "height <= $last",
        }
        wanted = [part for name, part in parts.items() if getattr(self, name) is not None]
        if self.pools is not None:
            wanted.append(f"pool IN {one_of('pools')}")
        if self.kinds is not None:
            wanted.append(" OR ".join(f"cause = '{kind.cause}' AND {_IN_POOL} = {kind.pool}" for kind in self.kinds))
        if self.operation is not None:
            wanted.append("height = {} AND op_index = {}".format(*self.operation))
        if self.change is not None:
            wanted.append("height = {} AND sequence = {}".format(*self.change))
        return " AND ".join(f"({part or 'false'})" for part in wanted) or "true"

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the condition."""
        names = ("address", "ticker", "operation_type", "position_id", "txid", "first", "last", "pools")
        found = {name: value for name in names if (value := getattr(self, name)) is not None}
        return found | ({"pools": list(self.pools)} if self.pools is not None else {})


_WITH_RECORDS: Final = """(
    SELECT events.*, records.txid, records.operation
    FROM balance_events AS events LEFT JOIN records USING (height, op_index)
)"""


class GroupBy(StrEnum):
    """By what changes are grouped."""

    ADDRESS = "address"
    TICKER = "ticker"
    OPERATION_TYPE = "operation_type"
    ACTION = "action"
    POOL_ID = "pool_id"
    BLOCK_HEIGHT = "block_height"


_KEYS: Final = {
    GroupBy.ADDRESS: "address",
    GroupBy.TICKER: "ticker",
    GroupBy.OPERATION_TYPE: OPERATION_TYPE,
    GroupBy.ACTION: f"concat(cause, if({_IN_POOL}, '{_OF_POOL}', ''))",
    GroupBy.POOL_ID: "pool",
    GroupBy.BLOCK_HEIGHT: "height",
}


class Group(NamedTuple):
    """Changes that have something in common. `deltas` are units of 10^-8 by ticker."""

    key: str | int | Kind | None
    changes: int
    first: int
    last: int
    addresses: int
    deltas: dict[str, int]


class Statistics(NamedTuple):
    """All changes there were. `volumes` are units of 10^-8 by ticker, whatever the sign of the changes."""

    changes: int
    by_operation_type: dict[str, int]
    by_kind: dict[Kind, int]
    by_pool: dict[str, int]
    volumes: dict[str, int]
    first: int | None
    last: int | None
    addresses: int


class Break(NamedTuple):
    """A change that does not begin where the one before it ended, or does not end where it leads."""

    change: Change
    expected: int
    """The balance after it, in units of 10^-8."""


class ChangeLog:
    """Changes of balances up to the block of `views`."""

    def __init__(self, views: ViewQueries) -> None:
        self._views = views

    def page(self, wanted: Wanted, limit: int, skip: int, newest: bool = True) -> tuple[int, list[Change]]:
        """How many changes there are, and a page of them: the newest or the oldest first, in processing order."""
        end = " DESC" if newest else ""
        found = f"FROM {wanted.source} WHERE {wanted.condition}"
        # Facts are counted and sorted faster apart; a view that joins them is better asked once.
        at_once = wanted.source == "balance_changes"
        query = f"""
            SELECT height, sequence {", count(*) OVER ()" if at_once else ""} {found}
            ORDER BY height{end}, sequence{end} LIMIT {limit} OFFSET {skip}
        """
        rows = self._views.rows(query, wanted.values)
        total = rows[0][2] if at_once and rows else self._views.rows(f"SELECT count(*) {found}", wanted.values)[0][0]
        return int(total), self._changes([row[:2] for row in rows], newest)

    def one(self, height: int, sequence: int) -> Change | None:
        """A change by its place."""
        return next(iter(self.page(Wanted(change=(height, sequence)), 1, 0)[1]), None)

    def position_exists(self, position_id: int) -> bool:
        """Whether a position was ever opened."""
        query = "SELECT count(*) FROM positions WHERE position_id = $position_id"
        return bool(self._views.rows(query, {"position_id": position_id})[0][0])

    def groups(self, wanted: Wanted, by: GroupBy, limit: int, skip: int) -> tuple[int, list[Group]]:
        """How many groups there are, and a page of them: the largest first."""
        source = "balance_changes" if by == GroupBy.POOL_ID else wanted.source
        if by == GroupBy.OPERATION_TYPE and source == "balance_events":
            source = _WITH_RECORDS
        keys = f"{_KEYS[by]} AS key, coalesce(key::VARCHAR, '') AS name"
        chosen = f"(SELECT {keys}, * FROM {source} WHERE {wanted.condition})"
        rows = self._views.rows(
            f"""
                SELECT
                    any_value(key), name, count(*), min(height), max(height), count(DISTINCT address),
                    count(*) OVER ()
                FROM {chosen} GROUP BY name ORDER BY count(*) DESC, name LIMIT {limit} OFFSET {skip}
            """,
            wanted.values,
        )
        total = (
            rows[0][6] if rows else self._views.rows(f"SELECT count(DISTINCT name) FROM {chosen}", wanted.values)[0][0]
        )
        deltas: dict[str, dict[str, int]] = {row[1]: {} for row in rows}
        if rows:
            query = f"""
                SELECT name, ticker, {exact_sum("delta")} FROM {chosen}
                WHERE name IN {one_of("names")} GROUP BY ALL ORDER BY ALL
            """
            for name, ticker, parts in self._views.rows(query, {**wanted.values, "names": list(deltas)}):
                deltas[name][ticker] = units(parts)
        groups = [
            Group._make([_kind(key) if by == GroupBy.ACTION else key, *figures, deltas[name]])
            for key, name, *figures, _ in rows
        ]
        return int(total), groups

    def statistics(self) -> Statistics:
        """All changes there were."""
        types = self._views.rows(f"SELECT {OPERATION_TYPE}, count(*) FROM {_WITH_RECORDS} GROUP BY ALL ORDER BY ALL")
        kinds = self._views.rows(f"SELECT cause, {_IN_POOL}, count(*) FROM balance_events GROUP BY ALL ORDER BY ALL")
        pools = self._views.rows(
            "SELECT pool, count(*) FROM balance_changes WHERE pool IS NOT NULL GROUP BY ALL ORDER BY ALL"
        )
        volumes = self._views.rows(
            f"SELECT ticker, {exact_sum('abs(delta)')} FROM balance_events GROUP BY ticker ORDER BY ticker"
        )
        count, first, last, addresses = self._views.rows(
            "SELECT count(*), min(height), max(height), count(DISTINCT address) FROM balance_events"
        )[0]
        return Statistics(
            changes=count,
            by_operation_type=dict(types),
            by_kind={Kind(cause, pool): rows for cause, pool, rows in kinds},
            by_pool=dict(pools),
            volumes={ticker: units(parts) for ticker, parts in volumes},
            first=first,
            last=last,
            addresses=addresses,
        )

    def breaks(self, changes: Sequence[Change], before: Past) -> list[Break]:
        """Those of one block's changes that the balances do not bear out.

        `before` is the ledger before that block: from there on every change of the same accounts is followed.
        """
        pairs = list(dict.fromkeys((change.ticker, change.address) for change in changes))
        accounts = zip(pairs, before.accounts(pairs), strict=True)
        held = {pair: account.balance if account else 0 for pair, account in accounts}
        wanted = {change.sequence: change for change in changes}
        query = f"""
            SELECT sequence, ticker, address, {text_of("delta")}, {text_of("balance_after")} FROM balance_events
            WHERE height = {before.height + 1} AND (ticker, address) IN {pair_of("tickers", "addresses")}
            ORDER BY sequence
        """
        tickers, addresses = (list(texts) for texts in zip(*pairs, strict=True))
        found = []
        for sequence, ticker, address, delta, after in self._views.rows(
            query, {"tickers": tickers, "addresses": addresses}
        ):
            expected = held[ticker, address] + units_of(delta)
            if sequence in wanted and expected != units_of(after):
                found.append(Break(wanted[sequence], expected))
            held[ticker, address] = units_of(after)
        return found

    def _changes(self, places: list[tuple[Any, ...]], newest: bool) -> list[Change]:
        """Changes by height and sequence."""
        if not places:
            return []
        heights, sequences = (list(numbers) for numbers in zip(*places, strict=True))
        query = f"""
            SELECT
                height, sequence, op_index, tx_index, txid, vout, {OPERATION_TYPE}, cause, ticker, address,
                {_AMOUNTS}, pool, position_id, hash, toUnixTimestamp(time)
            FROM balance_changes
            INNER JOIN blocks USING (height)
            LEFT JOIN (SELECT height, op_index, tx_index FROM records) AS places USING (height, op_index)
            WHERE (height, sequence) IN {pair_of("heights", "sequences")}
        """
        views = self._views.between(min(heights), max(heights))
        rows = views.rows(query, {"heights": heights, "sequences": sequences})
        return sorted((Change._make(row) for row in rows), key=lambda change: change[:2], reverse=newest)


def _kind(key: str) -> Kind:
    """The kind that a key of GroupBy.ACTION stands for."""
    return Kind(key.removesuffix(_OF_POOL), key.endswith(_OF_POOL))
