"""The serving tables of one height, mapped into memory: lookups by binary search, nothing copied on opening."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from engine.schemas import TOKENS
from warehouse.arrays import Amounts, Texts, integers
from warehouse.serving_tables import ACCOUNTS, ACCOUNTS_FILE, TICKERS, TICKERS_FILE, TOKENS_FILE

TICKERS_REMEMBERED = 10_000
"""Rows of the tickers asked for most recently are not searched again."""

HOLDERS_REMEMBERED = 50_000
"""Holders told most recently are not read again."""


class Account(NamedTuple):
    """What one address holds of one token."""

    ticker: str
    address: str
    balance: int
    """In units of 10^-8."""
    credit_height: int
    """Newest block that credited the account, 0 when none did."""


class Supply(NamedTuple):
    """What was made and destroyed of one token, in units of 10^-8."""

    minted: int
    burned: int
    rounding: int
    holders: int


class Token(NamedTuple):
    """A deploy. Amounts are in units of 10^-8."""

    ticker: str
    max_supply: int
    limit_per_mint: int | None
    deploy_height: int
    deploy_txid: str
    deploy_time: datetime
    deployer_address: str | None
    deploy_op_index: int
    """Record of the deploy in its block."""


class ServingMap:
    """Point lookups at the height of one fold."""

    def __init__(self, accounts: pa.RecordBatch, tickers: pa.RecordBatch, tokens: pa.RecordBatch) -> None:
        self._ticker_row = lru_cache(TICKERS_REMEMBERED)(self._find_ticker)
        self.ranked = lru_cache(HOLDERS_REMEMBERED)(self._find_ranked)
        """The account that stands at a place of all accounts ordered by ticker, then balance."""
        self._addresses = Texts(accounts["address"])
        self._balances = Amounts(accounts["balance"])
        self._credit_heights = integers(accounts["credit_height"])
        self._ticker_of_row = integers(accounts["ticker_row"])
        self._by_balance = integers(accounts["by_balance"])
        self._by_address = integers(accounts["by_address"])
        self._tickers = Texts(tickers["ticker"])
        self._starts = integers(tickers["start"])
        self._stops = integers(tickers["stop"])
        self._minted, self._burned, self._rounding = map(
            Amounts, (tickers["minted"], tickers["burned"], tickers["rounding"])
        )
        self._holders = integers(tickers["holders"])
        self.tokens = token_rows(pa.table(tokens))
        """By ticker, in order of deploy."""

    @classmethod
    def open(cls, directory: Path) -> "ServingMap":
        """Map what `write_serving` wrote into `directory`."""
        return cls(*(_mapped(directory / name) for name in (ACCOUNTS_FILE, TICKERS_FILE, TOKENS_FILE)))

    @classmethod
    def empty(cls) -> "ServingMap":
        """What holds before the first fold: nothing."""
        return cls(*(pa.RecordBatch.from_pylist([], schema) for schema in (ACCOUNTS, TICKERS, TOKENS)))

    def account(self, ticker: str, address: str) -> Account | None:
        """The account, also one that is empty by now; None when it never had an event."""
        at = self._ticker_row(ticker)
        if at is None:
            return None
        stop, key = self._stops[at], address.encode()
        row = bisect_left(self._addresses, key, self._starts[at], stop)
        if row == stop or self._addresses[row] != key:
            return None
        return Account(ticker, address, self._balances[row], self._credit_heights[row])

    def accounts_of(self, address: str) -> Iterator[Account]:
        """Every account of the address by ticker, empty ones included."""
        key = address.encode()
        first = bisect_left(self._by_address, key, key=self._addresses.__getitem__)
        for place in range(first, len(self._by_address)):
            row = self._by_address[place]
            if self._addresses[row] != key:
                return
            ticker = self._tickers[self._ticker_of_row[row]].decode()
            yield Account(ticker, address, self._balances[row], self._credit_heights[row])

    def supply(self, ticker: str) -> Supply | None:
        """The ticker's supply; None when nothing was ever minted."""
        at = self._ticker_row(ticker)
        if at is None:
            return None
        return Supply(self._minted[at], self._burned[at], self._rounding[at], self._holders[at])

    def ranking(self, ticker: str) -> "Ranking":
        """The ticker's holders in order."""
        at = self._ticker_row(ticker)
        return Ranking(self, ticker, 0, 0) if at is None else Ranking(self, ticker, self._starts[at], self._holders[at])

    def _find_ranked(self, ticker: str, place: int) -> Account:
        row = self._by_balance[place]
        return Account(ticker, self._addresses[row].decode(), self._balances[row], self._credit_heights[row])

    def rank_key(self, place: int) -> "RankKey":
        """By what that account is sorted within its ticker."""
        row = self._by_balance[place]
        return -self._balances[row], self._addresses[row]

    def _find_ticker(self, ticker: str) -> int | None:
        key = ticker.encode()
        at = bisect_left(self._tickers, key)
        return at if at < len(self._tickers) and self._tickers[at] == key else None


RankKey = tuple[int, bytes]
"""Sorts holders: largest balance first, then address."""


def rank_key(account: Account) -> RankKey:
    """Where the account stands among the holders of its token."""
    return -account.balance, account.address.encode()


class Ranking:
    """The holders of one ticker as a sequence of their sort keys, for binary search."""

    def __init__(self, serving_map: ServingMap, ticker: str, start: int, count: int) -> None:
        self._map, self._ticker, self._start, self._count = serving_map, ticker, start, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, rank: int) -> RankKey:
        return self._map.rank_key(self._start + rank)

    def account(self, rank: int) -> Account:
        """The holder of `rank`, counted from 0."""
        return self._map.ranked(self._ticker, self._start + rank)


def token_rows(tokens: pa.Table) -> dict[str, Token]:
    """Rows of `engine.schemas.TOKENS` by ticker, in the table's order."""
    tokens = tokens.combine_chunks()
    if not tokens.num_rows:
        return {}
    max_supplies, limits = (Amounts(tokens[name].chunk(0)) for name in ("max_supply", "limit_per_mint"))
    limited = tokens["limit_per_mint"].is_valid().to_pylist()
    names = ("ticker", "deploy_height", "deploy_txid", "deploy_time", "deployer_address", "deploy_op_index")
    rows = zip(*(tokens[name].to_pylist() for name in names), strict=True)
    return {
        ticker: Token(ticker, max_supplies[row], limits[row] if limited[row] else None, *rest)
        for row, (ticker, *rest) in enumerate(rows)
    }


def supply_rows(supplies: pa.Table) -> dict[str, Supply]:
    """The last row of each ticker in a table of `engine.schemas.SUPPLIES`."""
    supplies = supplies.combine_chunks()
    if not supplies.num_rows:
        return {}
    amounts = (Amounts(supplies[name].chunk(0)) for name in ("minted", "burned", "rounding"))
    rows = zip(*amounts, supplies["holders"].to_pylist(), strict=True)
    return {ticker: Supply(*row) for ticker, row in zip(supplies["ticker"].to_pylist(), rows, strict=True)}


def _mapped(path: Path) -> pa.RecordBatch:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).get_batch(0)
