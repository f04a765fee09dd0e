"""Do the rows that modules wrote add up, block by block? `tests.helpers.audit` asks."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa

from engine.schemas import State

Row = dict[str, Any]

VERSIONS = {
    "pools": ("pool",),
    "positions": ("position_id",),
    "programs": ("ticker",),
    "accounts": ("ticker", "address"),
    "vaults": ("vault",),
}
"""Keys of the tables whose rows are versions."""
BEGINNINGS = {"positions": "start_height", "programs": "start_height", "vaults": "opened_height"}
"""Where a version says at which height its first one stands."""
LOGS = {"executions": ("op_index",), "fills": ("op_index", "fill")}
"""Keys within a block of the tables whose rows are happenings."""
VAST = 10**18
"""Scaled balances from here on do not fit 50 digits with all their decimals."""


_EXACT = Context(prec=60)


class ModuleTables:
    """Latest versions of everything, and the rows of the block that is looked at."""

    def __init__(self, opening: State | None) -> None:
        self.latest: dict[str, dict[Any, Row]] = {name: {} for name in VERSIONS}
        self.rows: dict[str, dict[int, list[Row]]] = {}
        for name, key in VERSIONS.items():
            for row in [] if opening is None else _rows(opening.modules, name):
                self.latest[name][tuple(row[part] for part in key)] = row

    def load(self, tables: Mapping[str, pa.Table]) -> None:
        """The rows of a range of blocks, which are unique, sorted and of no null where none is allowed."""
        self.rows = {}
        for name, key in {**VERSIONS, **LOGS}.items():
            if name in tables:
                tables[name].validate(full=True)
                for field in tables[name].schema:
                    assert field.nullable or tables[name][field.name].null_count == 0, (name, field.name)
            rows = _rows(tables, name)
            keys = [(row["height"], *(row[part] for part in key)) for row in rows]
            assert keys == sorted(set(keys)), f"{name} is not sorted, or not unique"
            by_height = self.rows.setdefault(name, defaultdict(list))
            for row in rows:
                by_height[row["height"]].append(row)

    def block(self, height: int, operations: Sequence[Row]) -> dict[int, Row]:
        """Take over the versions of a block, whose rows belong to its records; positions settled in it, by id."""
        settled = {}
        for row in self.rows.get("positions", {}).get(height, []):
            before = self.latest["positions"].get((row["position_id"],))
            _assert_position(row, before)
            if row["status"] == "expired" and (before is None or before["status"] != "expired"):
                settled[row["position_id"]] = row
        for name, key in VERSIONS.items():
            for row in self.rows.get(name, {}).pop(height, []):
                begun = BEGINNINGS.get(name, "height")
                assert tuple(row[part] for part in key) in self.latest[name] or row[begun] == height, row
                self.latest[name][tuple(row[part] for part in key)] = row
        self._trades(height, operations)
        self._programs()
        ids = sorted(position for (position,) in self.latest["positions"])
        assert ids == list(range(1, len(ids) + 1)), "positions are not numbered from 1"
        return settled

    def finished(self) -> None:
        for name, by_height in self.rows.items():
            assert not any(by_height.values()), f"{name} has rows of heights that are not among the blocks"

    def held(self, ticker: str) -> int:
        """Principal that programs keep outside balances, in units of 10^-8."""
        staking = {row["ticker"] for row in self.latest["programs"].values() if row["staking_ticker"] == ticker}
        return sum(row["staked"] for row in self.latest["accounts"].values() if row["ticker"] in staking)

    def _trades(self, height: int, operations: Sequence[Row]) -> None:
        fills = defaultdict(list)
        for row in self.rows.get("fills", {}).pop(height, []):
            fills[row["op_index"]].append(row)
        for row in self.rows.get("executions", {}).pop(height, []):
            record, parts = operations[row["op_index"]], fills.pop(row["op_index"], [])
            assert record["valid"]
            assert record["operation"] == "swap_exe"
            assert (record["amount"], record["ticker"], record["txid"]) == (row["used"], row["source"], row["txid"])
            assert [part["fill"] for part in parts] == list(range(row["fills"]))
            for total, part in (("received", "taken"), ("used", "given")):
                assert abs(row[total] - sum(each[part] for each in parts)) <= len(parts), total
            assert row["partial"] or abs(row["used"] - row["requested"]) <= 1
        assert not fills, "fills of no execution"

    def _programs(self) -> None:
        """R-CURVE-STATE-5: staked amounts add up exactly; scaled ones never exceed their total (R-CURVE-IDX-3)."""
        staked: dict[str, int] = defaultdict(int)
        scaled: dict[str, int] = defaultdict(int)
        for row in self.latest["accounts"].values():
            staked[row["ticker"]] += row["staked"]
            scaled[row["ticker"]] += rays(row["scaled"])
            assert row["staked"] >= 0
            assert rays(row["scaled"]) >= 0
        for row in self.latest["programs"].values():
            ticker = row["ticker"]
            assert row["total_staked"] == staked[ticker], f"staked amounts of {ticker}"
            if rays(row["total_scaled"]) < VAST * 10**27:
                assert rays(row["total_scaled"]) >= scaled[ticker], f"scaled balances of {ticker}"
            assert rays(row["index"]) >= 10**27 * 10**27
            assert 0 <= Fraction(row["rewards_paid"]) * 10**8 <= row["max_supply"]


def rays(text: str) -> int:
    """A number with 27 decimals as a whole number of 10^-27."""
    whole, _, decimals = text.partition(".")
    assert len(decimals) == 27, text
    return int(whole + decimals)


def settlement_order(settled: Mapping[int, Row]) -> list[Row]:
    """R-SWAP-EXP-2: by unlock height and id, grouped by pool in order of first appearance."""
    due = sorted(settled.values(), key=lambda row: (row["unlock_height"], row["position_id"]))
    pools = list(dict.fromkeys(row["pool"] for row in due))
    return [row for pool in pools for row in due if row["pool"] == pool]


def paid_sides(position: Row, pools: Mapping[Any, Row]) -> Iterator[str]:
    """Tickers, side a first, in which something is owed to a position at its expiry."""
    pool = pools[(position["pool"],)]
    for side in "ab":
        ticker = pool[f"token_{side}"]
        principal = position["locked"] if ticker == position["source"] else 0
        if position[f"accumulated_{side}"] > 0 or principal > 0 or position[f"reward_{side}"] > 0:
            yield ticker


def units_of(table: pa.Table) -> list[Row]:
    """Rows with amounts as integers of 10^-8 tokens: sums of decimals would be rounded."""
    return [
        {key: int(value.scaleb(8, _EXACT)) if isinstance(value, Decimal) else value for key, value in row.items()}
        for row in table.to_pylist()
    ]


def _rows(tables: Mapping[str, pa.Table], name: str) -> list[Row]:
    return units_of(tables[name]) if name in tables else []


def _assert_position(row: Row, before: Row | None) -> None:
    states = ("active", "closed", "expired")
    assert (row["closed_height"] is None) == (row["status"] == "active"), row
    assert row["unlock_height"] == row["start_height"] + row["lock_blocks"]
    assert row["locked"] >= 0, row
    if before is not None:
        assert states.index(row["status"]) >= states.index(before["status"]), row
        assert before["closed_height"] in (None, row["closed_height"]), row
        fixed = ("txid", "vout", "owner_address", "pool", "source", "amount", "unlock_height", "entry_a", "entry_b")
        assert [row[name] for name in fixed] == [before[name] for name in fixed]
