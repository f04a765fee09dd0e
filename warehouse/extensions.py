"""What modules keep of tokens after one block, for lookups: curve programs, receipts of stakes, locks of positions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, NamedTuple

import polars as pl
import pyarrow as pa
from immutables import Map

from engine.modules.decimals import FIFTY_DIGITS, floor8
from engine.modules.program import RAY
from engine.modules.stakes import RECEIPT
from ingest.networks import DECIMALS
from warehouse.locks import COLUMNS as _POSITION
from warehouse.locks import Locks
from warehouse.receipts import Receipt, Receipts
from warehouse.serving_map import Account, Supply, Token, rank_key

Read = Callable[[str, Sequence[str]], pa.Table]
"""Rows of a table in its order, of the blocks to be taken in: name and columns."""

_PROGRAM: Final = (
    "ticker",
    "staking_ticker",
    "deploy_txid",
    "start_height",
    "genesis_address",
    "index",
    "total_staked",
)
_ACCOUNT: Final = ("height", "ticker", "address", "scaled")


class Program(NamedTuple):
    """A curve program."""

    ticker: str
    """What it rewards with."""
    staking_ticker: str
    deploy_txid: str
    start_height: int
    genesis_address: str
    growth: Decimal
    """Its liquidity index."""
    staked: int
    """In units of 10^-8."""

    @property
    def receipt(self) -> str:
        """The `y` ticker of what is staked."""
        return RECEIPT + self.staking_ticker


class Held(NamedTuple):
    """What modules keep of one token, in units of 10^-8."""

    locked: int = 0
    """In active positions that sell it."""
    staked: int = 0
    """In programs that stake it."""
    is_reward: bool = False


@dataclass(frozen=True, eq=False)
class Extensions:
    """The modules' state after one block. Never changes; the next one shares what it did not touch."""

    programs: Map[str, Program] = field(default_factory=Map)
    """By reward ticker."""
    keepers: Map[str, str] = field(default_factory=Map)
    """Reward ticker of the program whose accounts a `y` ticker shows (D-69)."""
    receipts: Receipts = field(default_factory=Receipts)
    """Accounts of `y` tickers."""
    locks: Locks = field(default_factory=Locks)
    """What active positions lock."""
    staked: Map[str, int] = field(default_factory=Map)
    """Sum of what programs hold, by staking ticker."""
    _rankings: dict[str, list[Account]] = field(default_factory=dict, init=False)

    def after(self, read: Read) -> "Extensions":
        """The state after further blocks."""
        steps = (
            ("programs", _PROGRAM, ("ticker",), Extensions._with_programs),
            ("accounts", _ACCOUNT, ("ticker", "address"), Extensions._with_receipts),
            ("positions", _POSITION, ("position_id",), Extensions._with_positions),
        )
        state = self
        for name, columns, key, step in steps:
            rows = read(name, columns)
            if rows.num_rows:
                state = step(state, _newest(rows, *key))
        # Programs grow without a new version of their accounts: what was ranked before holds no more.
        return replace(state)

    def keeper(self, ticker: str) -> Program | None:
        """The program whose accounts the ticker shows, None unless it is a `y` ticker of what a program stakes."""
        reward = self.keepers.get(ticker)
        return None if reward is None else self.programs[reward]

    def held(self, ticker: str) -> Held:
        """What is kept of a token."""
        return Held(self.locks.by_ticker.get(ticker, 0), self.staked.get(ticker, 0), ticker in self.programs)

    def account(self, ticker: str, address: str) -> Account | None:
        """The account of a `y` ticker; None when it never was there."""
        receipt = self.receipts.find(ticker, address)
        return None if receipt is None else self._account(ticker, address, receipt)

    def accounts_of(self, address: str) -> Iterator[Account]:
        """Every account of `y` tickers that the address has, empty ones included."""
        return (self._account(ticker, address, receipt) for ticker, receipt in self.receipts.of(address))

    def ranking(self, ticker: str) -> list[Account]:
        """Accounts of a `y` ticker above zero, largest first, then by address."""
        known = self._rankings.get(ticker)
        if known is None:
            accounts = (self._account(ticker, *item) for item in self.receipts.items(ticker))
            known = self._rankings[ticker] = sorted((each for each in accounts if each.balance), key=rank_key)
        return known

    def receipt(self, ticker: str, rewards: Token | None) -> tuple[Token, Supply] | None:
        """What a `y` ticker would be as a token, `rewards` being what its keeper rewards with."""
        program = self.keeper(ticker)
        if program is None or rewards is None:
            return None
        token = rewards._replace(
            ticker=ticker, max_supply=0, limit_per_mint=None, deployer_address=program.genesis_address
        )
        holders = self.ranking(ticker)
        return token, Supply(sum(account.balance for account in holders), 0, 0, len(holders))

    def _account(self, ticker: str, address: str, receipt: Receipt) -> Account:
        growth = self.programs[self.keepers[ticker]].growth
        return Account(ticker, address, receipt_balance(receipt.scaled, growth), receipt.height)

    def _with_programs(self, rows: pl.DataFrame) -> "Extensions":
        programs, keepers, staked = self.programs.mutate(), self.keepers.mutate(), self.staked.mutate()
        for *texts, index, principal in rows.select(_PROGRAM).iter_rows():
            program = Program._make([*texts, Decimal(index), _units(principal)])
            before = programs.get(program.ticker)
            change = program.staked - (before.staked if before else 0)
            staked[program.staking_ticker] = staked.get(program.staking_ticker, 0) + change
            programs[program.ticker] = program
            rival = programs[keepers.get(program.receipt, program.ticker)]
            first = min(program, rival, key=lambda each: (each.start_height, each.deploy_txid))
            keepers[program.receipt] = first.ticker
        return replace(self, programs=programs.finish(), keepers=keepers.finish(), staked=staked.finish())

    def _with_receipts(self, rows: pl.DataFrame) -> "Extensions":
        kept = {program: ticker for ticker, program in self.keepers.items()}
        shown = rows.filter(pl.col("ticker").is_in(list(kept))).with_columns(pl.col("ticker").replace_strict(kept))
        return replace(self, receipts=self.receipts.after(shown)) if len(shown) else self

    def _with_positions(self, rows: pl.DataFrame) -> "Extensions":
        return replace(self, locks=self.locks.after(rows))


def receipt_balance(scaled: Decimal, index: Decimal) -> int:
    """What an account shows of a `y` ticker, in units of 10^-8 (R-CURVE-STATE-3)."""
    balance = floor8(FIFTY_DIGITS.divide(FIFTY_DIGITS.multiply(scaled, index), RAY))
    return _units(balance)


def _newest(rows: pa.Table, *key: str) -> pl.DataFrame:
    """The last row of each key, in order of their first ones."""
    frame = pl.from_arrow(rows)
    assert isinstance(frame, pl.DataFrame)
    return frame.unique(key, keep="last", maintain_order=True)


def _units(amount: Decimal) -> int:
    return int(FIFTY_DIGITS.scaleb(amount, DECIMALS))
