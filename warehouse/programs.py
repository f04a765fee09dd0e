"""Questions about curve programs and their stakers after one block."""

from decimal import Decimal
from typing import Any, Final, NamedTuple

from engine.modules.decimals import FIFTY_DIGITS
from engine.modules.program import RAY
from engine.modules.stakes import RECEIPT
from warehouse.view_queries import ViewQueries
from warehouse.words import text_of


class Program(NamedTuple):
    """A curve program. Amounts are text in tokens with 8 decimals, index and scaled total have 27."""

    ticker: str
    deploy_txid: str
    type: str
    duration: int
    staking_ticker: str
    max_supply: str
    staking_max_supply: str | None
    rho: str | None
    init_fee: int
    exe_fee: int
    genesis_address: str
    start_height: int
    last_reward_height: int
    liquidity_index: str
    total_staked: str
    total_scaled: str


class Staker(NamedTuple):
    """An account of a program."""

    address: str
    staked: str
    scaled: str


_TEXTS: Final = ("max_supply", "staking_max_supply", "rho", "total_staked")
_INDEX: Final = '"index"'
_PROGRAM: Final = ", ".join(
    text_of(name) if name in _TEXTS else _INDEX if name == "liquidity_index" else name for name in Program._fields
)
_STAKER: Final = f"address, {text_of('staked')}, scaled"


class Programs:
    """Programs after the block of `views`."""

    def __init__(self, views: ViewQueries) -> None:
        self.height = views.height
        self._views = views

    def program(self, ticker: str) -> Program | None:
        """The program that rewards with a ticker; of a `y` ticker the one that keeps it (D-69)."""
        if ticker.startswith(RECEIPT):
            found = self._programs("WHERE staking_ticker = $ticker", ticker.removeprefix(RECEIPT))
        else:
            found = self._programs("WHERE ticker = $ticker", ticker)
        return found[0] if found else None

    def all(self) -> list[tuple[Program, int]]:
        """Every program, and how many of its accounts hold something."""
        query = "SELECT ticker, count(*) FROM current_accounts WHERE scaled <> '0.' || repeat('0', 27) GROUP BY ticker"
        stakers = dict(self._views.rows(query))
        return [(program, stakers.get(program.ticker, 0)) for program in self._programs("")]

    def staker(self, program: Program, address: str) -> Staker | None:
        """The account of an address, also one that is empty by now."""
        found = self._stakers("AND address = $address", {"ticker": program.ticker, "address": address})
        return found[0] if found else None

    def stakers(self, program: Program, limit: int, skip: int = 0) -> list[Staker]:
        """A page of accounts, the largest principal first, then by address; empty ones too."""
        order = "ORDER BY current_accounts.staked DESC, address LIMIT $limit OFFSET $skip"
        return self._stakers(order, {"ticker": program.ticker, "limit": limit, "skip": skip})

    def count_stakers(self, program: Program) -> int:
        """How many they are."""
        query = "SELECT count(*) FROM current_accounts WHERE ticker = $ticker"
        return int(self._views.rows(query, {"ticker": program.ticker})[0][0])

    def _programs(self, condition: str, ticker: str | None = None) -> list[Program]:
        query = f"SELECT {_PROGRAM} FROM current_programs {condition} ORDER BY start_height, deploy_txid"
        values = {} if ticker is None else {"ticker": ticker}
        return [Program._make(row) for row in self._views.rows(query, values)]

    def _stakers(self, tail: str, values: dict[str, Any]) -> list[Staker]:
        rows = self._views.rows(f"SELECT {_STAKER} FROM current_accounts WHERE ticker = $ticker {tail}", values)
        return [Staker._make(row) for row in rows]


def worth(scaled: str, index: str) -> Decimal:
    """What a scaled balance is in the `y` ticker, unrounded (R-CURVE-STATE-3)."""
    return FIFTY_DIGITS.divide(FIFTY_DIGITS.multiply(Decimal(scaled), Decimal(index)), RAY)
