"""Figures of the exchange after one block: positions, trades, fees and rewards, each ticker for itself."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from warehouse.exchange_figures import (
    Counts,
    Day,
    DayFees,
    Direction,
    Executor,
    Filling,
    Overview,
    PoolFigures,
    PoolName,
    PoolRewards,
    PositionReward,
    Side,
    Sums,
    Trades,
)
from warehouse.sums import NOTHING, exact_sum, units
from warehouse.view_queries import ViewQueries
from warehouse.words import one_of, text_of

SOLD_OUT: Final = "(status = 'closed' OR closed_height < unlock_height)"
"""Whether a position gave all it had, even if it was settled since."""

_DAY: Final = "toDate(time)"
_COUNTS: Final = """
    count(*), count(*) FILTER (WHERE status = 'active'), count(*) FILTER (WHERE status = 'closed'),
    count(*) FILTER (WHERE status = 'expired')
"""
_HOURS: Final = f"""
    SELECT avg(toUnixTimestamp(closings.time) - toUnixTimestamp(openings.time)) / 3600
    FROM current_positions
    INNER JOIN blocks AS openings ON openings.height = start_height
    INNER JOIN blocks AS closings ON closings.height = closed_height
    WHERE {SOLD_OUT}
"""


@dataclass(frozen=True, slots=True)
class Period:
    """Blocks by height or by time, bounds included; what is None is no bound. Times are in seconds."""

    first: int | None = None
    last: int | None = None
    since: int | None = None
    until: int | None = None

    @property
    def condition(self) -> str:
        """The period in SQL, over `height` and `time`."""
        parts = {
            "first": f"height >= {self.first}",
            "last": f"height <= {self.last}",
            "since": f"toUnixTimestamp(time) >= {self.since}",
            "until": f"toUnixTimestamp(time) <= {self.until}",
        }
        return " AND ".join(part for name, part in parts.items() if getattr(self, name) is not None) or "true"


EVER: Final = Period()


def known_pool(views: ViewQueries, names: list[str]) -> PoolName | None:
    """The first pool that exists of those names."""
    query = f"SELECT DISTINCT pool, token_a, token_b FROM pools WHERE pool IN {one_of('names')}"
    found = [PoolName._make(row) for row in views.rows(query, {"names": names})]
    return min(found, key=lambda name: names.index(name.pool), default=None)


class ExchangeMetrics:
    """Figures after the block of `views`."""

    def __init__(self, views: ViewQueries) -> None:
        self._views = views

    def now(self) -> int:
        """Time of the block, in seconds."""
        query = f"SELECT toUnixTimestamp(time) FROM blocks WHERE height = {self._views.height}"
        return int(self._views.rows(query)[0][0])

    def overview(self) -> Overview:
        """The whole exchange."""
        counts = Counts._make(self._views.rows(f"SELECT {_COUNTS} FROM current_positions")[0])
        locked = "FROM current_positions WHERE status = 'active' GROUP BY source"
        pools = self._views.rows("SELECT count(DISTINCT pool) FROM current_positions WHERE status = 'active'")[0][0]
        executions, executors = self._views.rows("SELECT count(*), count(DISTINCT executor_address) FROM executions")[0]
        return Overview(
            positions=counts,
            locked=self._sums(f"SELECT source, {exact_sum('locked')} {locked}"),
            executions=executions,
            volumes=self._sums(f"SELECT source, {exact_sum('used')} FROM executions GROUP BY source"),
            active_pools=pools,
            executors=executors,
        )

    def directions(self, names: list[str] | None = None) -> list[Direction]:
        """Pools, each way for itself, by pool and what is locked."""
        where, values = _of_pools(names)
        positions = {
            tuple(row[:2]): row[2:]
            for row in self._views.rows(
                f"""
                    SELECT
                        pool, source, {_COUNTS}, {exact_sum("locked", "status = 'active'")}, {exact_sum("locked")},
                        min(unlock_height) FILTER (WHERE status = 'active')
                    FROM current_positions WHERE {where} GROUP BY pool, source
                """,
                values,
            )
        }
        query = (
            f"SELECT pool, source, count(*), {exact_sum('used')} FROM executions WHERE {where} GROUP BY pool, source"
        )
        trades = {tuple(row[:2]): row[2:] for row in self._views.rows(query, values)}
        found = []
        for name, sides in self._pools(names):
            for source, destination in (name[1:], name[:0:-1]):
                held = positions.get((name.pool, source), (0, 0, 0, 0, NOTHING, NOTHING, None))
                done = trades.get((name.pool, source), (0, NOTHING))
                found.append(
                    Direction(
                        name=name,
                        source=source,
                        destination=destination,
                        positions=Counts._make(held[:4]),
                        active_locked=units(held[4]),
                        locked=units(held[5]),
                        next_unlock_height=held[6],
                        executions=done[0],
                        volume=units(done[1]),
                        sides=sides,
                    )
                )
        return found

    def pool(self, name: PoolName) -> PoolFigures:
        """Positions of a pool."""
        values = {"pool": name.pool}
        query = f"SELECT {_COUNTS}, count(*) FILTER (WHERE {SOLD_OUT}) FROM current_positions WHERE pool = $pool"
        *counts, sold_out = self._views.rows(query, values)[0]
        query = f"""
            SELECT
                source, count(*) FILTER (WHERE status = 'active'), {exact_sum("amount")},
                {exact_sum("locked", "status = 'active'")}
            FROM current_positions WHERE pool = $pool GROUP BY source
        """
        rows = self._views.rows(query, values)
        return PoolFigures(
            positions=Counts._make(counts),
            active={row[0]: row[1] for row in rows},
            deposited={row[0]: units(row[2]) for row in rows},
            locked={row[0]: units(row[3]) for row in rows},
            sold_out=sold_out,
            hours=self._views.rows(f"{_HOURS} AND pool = $pool", values)[0][0],
        )

    def trades(self, name: PoolName, period: Period = EVER) -> Trades:
        """Trades of a pool in a period."""
        found = f"FROM executions INNER JOIN blocks USING (height) WHERE pool = $pool AND {period.condition}"
        values = {"pool": name.pool}
        executions, executors = self._views.rows(f"SELECT count(*), count(DISTINCT executor_address) {found}", values)[
            0
        ]
        rows = self._views.rows(
            f"SELECT destination, {exact_sum('received')}, {exact_sum('fee')} {found} GROUP BY destination", values
        )
        return Trades(
            executions, executors, {row[0]: units(row[1]) for row in rows}, {row[0]: units(row[2]) for row in rows}
        )

    def filling(self) -> Filling:
        """How positions end."""
        query = f"""
            SELECT count(*), count(*) FILTER (WHERE status = 'active'), count(*) FILTER (WHERE {SOLD_OUT})
            FROM current_positions
        """
        return Filling._make([*self._views.rows(query)[0], self._views.rows(_HOURS)[0][0]])

    def days(self, period: Period) -> list[Day]:
        """UTC days with trades, the newest first."""
        days: dict[date, list[Any]] = {}
        found = f"FROM executions INNER JOIN blocks USING (height) WHERE {period.condition}"
        query = (
            f"SELECT {_DAY} AS day, count(*), count(DISTINCT executor_address) {found} GROUP BY day ORDER BY day DESC"
        )
        for day, executions, executors in self._views.rows(query):
            days[day] = [executions, executors, {}]
        query = f"SELECT {_DAY} AS day, source, {exact_sum('used')} {found} GROUP BY day, source"
        for day, ticker, parts in self._views.rows(query):
            days[day][2][ticker] = units(parts)
        return [Day(day, *figures) for day, figures in days.items()]

    def daily_fees(self, name: PoolName, period: Period) -> list[DayFees]:
        """UTC days on which trades of a pool paid fees, the newest first."""
        days: dict[date, DayFees] = {}
        query = f"""
            SELECT {_DAY} AS day, destination, {exact_sum("fee")}, count(*)
            FROM executions INNER JOIN blocks USING (height)
            WHERE pool = $pool AND {period.condition} GROUP BY day, destination ORDER BY day DESC
        """
        for day, ticker, parts, trades in self._views.rows(query, {"pool": name.pool}):
            known = days.get(day, DayFees(day, {}, 0))
            days[day] = DayFees(day, {**known.fees, ticker: units(parts)}, known.trades + trades)
        return list(days.values())

    def executors(self, limit: int) -> list[Executor]:
        """Who trades most often, then by address."""
        rows = self._views.rows(
            f"""
                SELECT executor_address, count(*), max(toUnixTimestamp(time))
                FROM executions INNER JOIN blocks USING (height)
                GROUP BY ALL ORDER BY count(*) DESC, executor_address LIMIT {limit}
            """
        )
        volumes: dict[str, Sums] = defaultdict(dict)
        query = f"""
            SELECT executor_address, source, {exact_sum("used")} FROM executions
            WHERE executor_address IN {one_of("addresses")} GROUP BY ALL
        """
        for address, ticker, parts in self._views.rows(query, {"addresses": [row[0] for row in rows]}):
            volumes[address][ticker] = units(parts)
        return [Executor(address, executions, volumes[address], last) for address, executions, last in rows]

    def rewards(self, names: list[str] | None = None) -> list[PoolRewards]:
        """Fees and rewards of pools, by pool."""
        where, values = _of_pools(names)
        query = f"""
            SELECT
                pool, {exact_sum("greatest(reward_a, 0::DECIMAL(38, 8))")},
                {exact_sum("greatest(reward_b, 0::DECIMAL(38, 8))")},
                count(*) FILTER (WHERE reward_a > 0 OR reward_b > 0)
            FROM current_positions WHERE {where} GROUP BY pool
        """
        paid = {row[0]: (units(row[1]), units(row[2]), row[3]) for row in self._views.rows(query, values)}
        return [PoolRewards(name, sides, *paid.get(name.pool, (0, 0, 0))) for name, sides in self._pools(names)]

    def position_rewards(
        self, owner: str | None, pools: list[str] | None, rewarded: bool | None, limit: int, skip: int
    ) -> tuple[int, list[PositionReward]]:
        """How many positions there are, and a page of them, the last to unlock first."""
        where, values = _of_pools(pools)
        conditions = [where]
        if owner is not None:
            conditions.append("owner_address = $owner")
            values["owner"] = owner
        if rewarded is not None:
            conditions.append(f"(reward_a > 0 OR reward_b > 0) = {rewarded}")
        found = f"FROM current_positions WHERE {' AND '.join(conditions)}"
        total = self._views.rows(f"SELECT count(*) {found}", values)[0][0]
        rewards = (f"greatest(reward_{side}, 0::DECIMAL(38, 8))" for side in "ab")
        amounts = ", ".join(map(text_of, ("locked", "units_a", "units_b", "multiplier", *rewards)))
        query = f"""
            SELECT
                position_id, txid, vout, owner_address, pool, source, destination, {amounts}, status, unlock_height
            {found} ORDER BY unlock_height DESC, position_id DESC LIMIT {limit} OFFSET {skip}
        """
        return total, [PositionReward._make(row) for row in self._views.rows(query, values)]

    def fees(self) -> Sums:
        """All fees that trades ever paid."""
        return self._sums(f"SELECT destination, {exact_sum('fee')} FROM executions GROUP BY destination")

    def fees_by_side(self) -> tuple[int, int]:
        """The same by the side of the pools: first tickers, second tickers, unlike ones added."""
        first = exact_sum("fee", "destination < source")
        rows = self._views.rows(f"SELECT {first}, {exact_sum('fee', 'destination > source')} FROM executions")[0]
        return units(rows[0]), units(rows[1])

    def count_pools(self) -> tuple[int, int]:
        """How many pools there are, and how many have an active position."""
        total = self._views.rows("SELECT count(DISTINCT pool) FROM pools")[0][0]
        query = "SELECT count(DISTINCT pool) FROM current_positions WHERE status = 'active'"
        return total, self._views.rows(query)[0][0]

    def _pools(self, names: list[str] | None) -> list[tuple[PoolName, tuple[Side, Side]]]:
        where, values = _of_pools(names)
        sides = ", ".join(
            text_of(f"{column}_{side}") for side in "ab" for column in ("fees", "fee_per_share", "units", "liquidity")
        )
        query = f"SELECT pool, token_a, token_b, {sides} FROM current_pools WHERE {where} ORDER BY pool"
        return [
            (PoolName._make(row[:3]), (Side._make(row[3:7]), Side._make(row[7:])))
            for row in self._views.rows(query, values)
        ]

    def _sums(self, query: str) -> Sums:
        return {ticker: units(parts) for ticker, parts in self._views.rows(query)}


def _of_pools(names: list[str] | None) -> tuple[str, dict[str, Any]]:
    return ("true", {}) if names is None else (f"pool IN {one_of('names')}", {"names": names})
