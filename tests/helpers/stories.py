"""A chain told block by block, audited at every one: what tests of swaps that span blocks are written with.

Amounts are texts, holders labels; `LOL` and `WTF` exist, and every holder has 10000 of each.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from engine.schemas import Judged, State
from ingest.networks import MAINNET
from tests.helpers.audit import assert_conserved
from tests.helpers.builders import address, candidates, headers
from tests.helpers.scenarios import deploy_text, mint_text, operation_text, transactions

HOLDERS: Final = ("lp1", "lp2", "ex", "ex2")
TICKERS: Final = ("LOL", "WTF")
UNIT: Final = Decimal("0.00000001")

Row = dict[str, Any]


def swap(sender: str, **members: object) -> str:
    """A swap with the members as they are."""
    return operation_text(sender, {"p": "brc-20", "op": "swap"} | members, sender)


def init(sender: str, pair: str, amount: str, lock: str = "10") -> str:
    return swap(sender, init=pair, amt=amount, lock=lock)


def exe(sender: str, pair: str, amount: str, slip: str = "100") -> str:
    return swap(sender, exe=pair, amt=amount, slip=slip)


class Story:
    """Blocks from 930000 on, by either engine; its first one deploys and mints."""

    def __init__(self, engine_class: Any, tickers: tuple[str, ...] = TICKERS, height: int = 930_000) -> None:
        self.engine = engine_class(MAINNET)
        self.height = height - 1
        self.roundings = 0
        """Units by which rounding may have moved what pools hold."""
        deploys = [deploy_text(ticker, "1000000", "10000") for ticker in tickers]
        self.block(*deploys, *(mint_text(ticker, "10000", holder) for holder in HOLDERS for ticker in tickers))

    def block(self, *texts: str) -> Judged:
        """Judge the next block and audit it, also what pools hold."""
        opening: State = self.engine.state()
        self.height += 1
        blocks = transactions({self.height: texts})
        judged: Judged = self.engine.judge(headers(blocks), candidates(blocks))
        assert_conserved(judged, opening=None if opening.height is None else opening)
        self.roundings += 4 * judged.balance_events.num_rows
        self._assert_pools_cover()
        return judged

    def until(self, height: int) -> None:
        """Empty blocks up to and including `height`."""
        while self.height < height:
            self.block()

    def balance(self, holder: str, ticker: str) -> Decimal:
        """Of a label, or of a pool by the name of its account."""
        owner = holder if holder.startswith("POOL::") else address(holder, MAINNET)
        for row in self.engine.state().balances.to_pylist():
            if (row["ticker"], row["address"]) == (ticker, owner):
                return Decimal(row["balance"])
        return Decimal(0)

    def pool(self, name: str = "LOL-WTF") -> Row:
        return self._latest("pools", "pool", name)

    def position(self, number: int) -> Row:
        return self._latest("positions", "position_id", number)

    def _latest(self, table: str, key: str, value: object) -> Row:
        rows: Mapping[object, Row] = {row[key]: row for row in self.engine.state().modules[table].to_pylist()}
        return rows[value]

    def _assert_pools_cover(self) -> None:
        """An account holds what is locked, accumulated and undistributed, but for what rounding moved."""
        modules = self.engine.state().modules
        unsettled = [row for row in modules["positions"].to_pylist() if row["status"] != "expired"]
        for pool in modules["pools"].to_pylist():
            own = [row for row in unsettled if row["pool"] == pool["pool"]]
            for side in "ab":
                ticker = pool[f"token_{side}"]
                if ticker.startswith("y"):
                    continue
                locked = sum(row["locked"] for row in own if row["source"] == ticker)
                owed = locked + sum(row[f"accumulated_{side}"] for row in own) + pool[f"fees_{side}"]
                held = self.balance(f"POOL::{pool['pool']}", ticker)
                assert abs(held - owed) <= self.roundings * UNIT, (pool["pool"], ticker, held, owed)
                assert pool[f"reserve_{side}"] == locked


def codes(judged: Judged) -> list[str | None]:
    """Why the records of a block were refused."""
    return [row["code"] for row in judged.operations.to_pylist()]


def events(judged: Judged) -> list[tuple[str, str, str, Decimal]]:
    """Cause, ticker, address and change of each event."""
    return [(row["cause"], row["ticker"], row["address"], row["delta"]) for row in judged.balance_events.to_pylist()]
