"""The ledger as Arrow tables, out and in (engine.schemas.State)."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.accounts import Accounts
from engine.amounts import decimals, from_decimals
from engine.arena import Arena
from engine.journal import Numbers
from engine.ledger import Ledger
from engine.modules.registry import Governor, Module
from engine.operations import create
from engine.schemas import BALANCES, FOLD, SUPPLIES
from engine.tickers import Tickers


def balances(ledger: Ledger, accounts: Accounts, tickers: Tickers) -> pa.Table:
    """BALANCES of every entry, sorted by (ticker, address)."""
    return folded(ledger, accounts, tickers).select(BALANCES.names)


def folded(ledger: Ledger, accounts: Accounts, tickers: Tickers) -> pa.Table:
    """FOLD of every entry, sorted by (ticker, address); the heights are true only of what was never restored."""
    entries = ledger.books.entries
    held = entries[entries["account"] >= 0]
    by_ticker, by_address = ranks(tickers.texts), ranks(accounts.addresses)
    held = held[np.lexsort((by_address[held["account"]], by_ticker[held["ticker"]]))]
    return pa.Table.from_arrays(
        [
            tickers.take(held["ticker"]),
            accounts.take_addresses(held["account"]),
            accounts.take_scripts(held["account"]),
            decimals(held["balance"]),
            pa.array(held["changed"]),
            pa.array(held["credited"]),
        ],
        schema=FOLD,
    )


def ranks(strings: Arena) -> Numbers:
    """Place of every string, by number, among all of them in the order of their bytes."""
    order = pc.sort_indices(strings.arrow(pa.large_binary())).to_numpy()
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return places


def supplies(ledger: Ledger, tickers: Tickers) -> pa.Table:
    """The latest row of SUPPLIES of each ticker, sorted by ticker."""
    rows = ledger.books.tokens
    numbers = np.flatnonzero(rows["written"] >= 0).astype(np.int32)
    written = rows[numbers]
    table = pa.Table.from_arrays(
        [
            pa.array(written["written"]),
            tickers.take(numbers),
            decimals(written["minted"]),
            decimals(written["burned"]),
            decimals(written["rounding"]),
            pa.array(written["holders"]),
        ],
        schema=SUPPLIES,
    )
    return table.sort_by("ticker")


def restore_balances(table: pa.Table, ledger: Ledger, accounts: Accounts, tickers: Tickers) -> None:
    """Enter rows of BALANCES into an empty ledger."""
    if not len(table):
        return
    numbers = accounts.restore(table["script"], table["address"])
    ledger.restore_balances(_numbers(table["ticker"], tickers), numbers, from_decimals(table["balance"]))


def restore_tokens(table: pa.Table, ledger: Ledger, tickers: Tickers) -> None:
    """Enter rows of TOKENS."""
    numbers = _numbers(table["ticker"], tickers)
    ledger.reserve(0, len(tickers))
    supply, limit = from_decimals(table["max_supply"]), from_decimals(table["limit_per_mint"])
    has_limit = table["limit_per_mint"].is_valid().to_numpy()
    heights = table["deploy_height"].to_numpy()
    for n, number in enumerate(numbers):
        create(ledger.books.tokens[number], heights[n], supply[n], limit[n] * has_limit[n], has_limit[n])


def restore_governed(table: pa.Table, ledger: Ledger, tickers: Tickers, modules: Iterable[Module]) -> None:
    """Mark the tokens among rows of TOKENS that a module deployed."""
    governors = [module for module in modules if isinstance(module, Governor)]
    for ticker in table["ticker"].to_pylist() if governors else ():
        ledger.books.tokens[tickers.number(ticker)]["is_governed"] = any(
            governor.governs(ticker) for governor in governors
        )


def restore_supplies(table: pa.Table, ledger: Ledger, tickers: Tickers) -> None:
    """Enter the latest row of SUPPLIES of each ticker."""
    numbers = _numbers(table["ticker"], tickers)
    ledger.reserve(0, len(tickers))
    rows = ledger.books.tokens
    for name in ("minted", "burned", "rounding"):
        rows[name][numbers] = from_decimals(table[name])
    rows["holders"][numbers] = table["holders"].to_numpy()
    rows["written"][numbers] = table["height"].to_numpy()


def _numbers(column: pa.ChunkedArray, tickers: Tickers) -> Numbers:
    """Numbers of normalised tickers, each distinct text looked up once."""
    if not len(column):
        return np.zeros(0, np.int32)
    encoded = column.combine_chunks().dictionary_encode()
    numbers = np.array([tickers.number(text) for text in encoded.dictionary.to_pylist()], np.int32)
    by_row: Numbers = numbers[encoded.indices.to_numpy()]
    return by_row
