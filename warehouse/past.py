"""The ledger after any published block: what `View` tells of the tip, told from the folds and the facts since."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from engine.modules.stakes import RECEIPT
from ingest.networks import DECIMALS
from warehouse.extensions import Extensions
from warehouse.histories import Histories
from warehouse.manifest import Manifest
from warehouse.segments import read_rows
from warehouse.serving import CREDITS
from warehouse.serving_map import Account, Supply, Token
from warehouse.serving_view import Listed, largest_first, receipt_figures

REMEMBERED: Final = 4
"""Heights whose modules' state is kept: it is read whole."""

_CREDIT: Final = f"((delta > 0 AND cause <> 'rounding') OR cause IN ({', '.join(repr(cause) for cause in CREDITS)}))"
_CHANGES: Final = f"""
    SELECT ticker, address, arg_max(balance_after, height::BIGINT * 4294967296 + sequence) AS balance,
        max(height) FILTER ({_CREDIT}) AS credit_height
    FROM read_parquet($events)
    WHERE height > $folded AND height <= $height AND {{condition}}
    GROUP BY ticker, address
"""
_ACCOUNTS: Final = f"""
    WITH changes AS ({_CHANGES}),
    folded AS (SELECT ticker, address, balance, credit_height FROM {{fold}} WHERE {{condition}})
    SELECT ticker, address, coalesce(changes.balance, folded.balance) AS balance,
        coalesce(changes.credit_height, folded.credit_height, 0) AS credit_height
    FROM changes FULL JOIN folded USING (ticker, address)
"""
_NO_FOLD: Final = "(SELECT '' AS ticker, '' AS address, 0::DECIMAL(38, 8) AS balance, 0 AS credit_height WHERE false)"
_NO_EVENTS: Final = (
    "(SELECT 0 AS height, 0 AS sequence, '' AS ticker, '' AS address, 0::DECIMAL(38, 8) AS delta, "
    "0::DECIMAL(38, 8) AS balance_after, '' AS cause WHERE false)"
)


class Past:
    """The ledger after block `height`, which must be published. Amounts are in units of 10^-8."""

    def __init__(self, histories: Histories, height: int) -> None:
        self.height = height
        self._histories = histories
        manifest = histories.manifest
        fold = manifest.fold_at(height)
        self._folded = fold.height if fold else manifest.start_height - 1
        self._fold = histories.files([fold.balances.path]) if fold else []
        self._fold_supplies = [fold.supplies.path] if fold else []
        events = histories.segments("balance_events", self._folded + 1, height)
        self._events = histories.files([part.file.path for part in events])

    @cached_property
    def extensions(self) -> Extensions:
        """What modules keep."""
        manifest = self._histories.manifest
        block_hash = self._histories.snapshot.block_hash(self.height)
        return _extensions(_Moment(self._histories.directory, self.height, block_hash, manifest))

    def account(self, ticker: str, address: str) -> Account | None:
        """The account, also one that is empty by then; None when it never was there."""
        return self.accounts([(ticker, address)])[0]

    def accounts(self, pairs: Sequence[tuple[str, str]]) -> list[Account | None]:
        """The accounts of pairs of ticker and address, in their order."""
        found: dict[tuple[str, str], Account | None] = {}
        for ticker, address in pairs:
            if ticker.startswith(RECEIPT):
                found[ticker, address] = self.extensions.account(ticker, address)
        plain = [pair for pair in pairs if pair not in found]
        if plain:
            condition = "(ticker, address) IN (SELECT (unnest($tickers), unnest($addresses)))"
            tickers, addresses = (list(texts) for texts in zip(*plain, strict=True))
            for account in self._accounts(condition, "", {"tickers": tickers, "addresses": addresses}):
                found[account.ticker, account.address] = account
        return [found.get(pair) for pair in pairs]

    def accounts_of(self, address: str) -> list[Account]:
        """What the address holds, largest balance first, then by ticker; empty accounts are left out."""
        accounts = self._accounts("address = $address", "", {"address": address})
        return largest_first([*accounts, *self.extensions.accounts_of(address)])

    def holders(self, ticker: str, skip: int, limit: int) -> list[Account]:
        """Accounts of the ticker above zero, largest first, then by address."""
        if ticker.startswith(RECEIPT):
            return self.extensions.ranking(ticker)[skip : skip + limit]
        tail = "WHERE balance > 0 ORDER BY balance DESC, address LIMIT $limit OFFSET $skip"
        return self._accounts("ticker = $ticker", tail, {"ticker": ticker, "limit": limit, "skip": skip})

    def count_holders(self, ticker: str) -> int:
        """How many they are."""
        figures = self.figures(ticker)
        return figures.supply.holders if figures and figures.supply else 0

    def knows(self, ticker: str) -> bool:
        """Whether the ticker was deployed, minted without (R-CORE-STONE-4), or is a receipt."""
        return self.figures(ticker) is not None

    def figures(self, ticker: str) -> Listed | None:
        """A token with its supply and what modules keep of it; None when there is no such token."""
        if keeper := self.extensions.keeper(ticker):
            return receipt_figures(self.extensions, ticker, self._tokens(keeper.ticker).get(keeper.ticker))
        token, supply = self._tokens(ticker).get(ticker), self._supplies(ticker).get(ticker)
        return None if token is None and supply is None else Listed(ticker, token, supply, self.extensions.held(ticker))

    def tokens(self, skip: int, limit: int) -> list[Listed]:
        """Deployed tokens, newest deploy first."""
        return self.listed()[skip : skip + limit]

    def listed(self) -> list[Listed]:
        """All of them."""
        supplies, extensions = self._supplies(None), self.extensions
        return [
            Listed(token.ticker, token, supplies.get(token.ticker), extensions.held(token.ticker))
            for token in self._tokens(None).values()
        ]

    def count_tokens(self) -> int:
        """How many were deployed."""
        return len(self._tokens(None))

    def balances_hash(self) -> tuple[str, int]:
        """SHA-256 of all balances in canonical text (docs/protocol.md, section 16), and how many lines it has."""
        digest, lines = sha256(), 0
        for texts in self._balance_lines():
            joined = _joined(texts)
            digest.update(joined if lines else joined[1:])
            lines += len(texts)
        return digest.hexdigest(), lines

    def _balance_lines(self) -> Iterator[pa.Array]:
        """A line feed and a line for each account that holds something, in order."""
        receipts = [account for ticker in self.extensions.keepers for account in self.extensions.ranking(ticker)]
        columns = {
            "receipt_ticker": [account.ticker for account in receipts],
            "receipt_address": [account.address for account in receipts],
            "receipt_balance": [_text(account.balance) for account in receipts],
        }
        query = f"""
            WITH plain AS ({self._query("true")}),
            lines AS (
                SELECT ticker, address, balance::VARCHAR AS balance FROM plain WHERE balance <> 0
                UNION ALL
                SELECT unnest($receipt_ticker), unnest($receipt_address), unnest($receipt_balance)
            )
            SELECT chr(10) || concat_ws(';', ticker, address, balance) AS line FROM lines ORDER BY ticker, address
        """
        for batch in self._histories.batches(query, {**self._values(), **columns}):
            if batch.num_rows:
                yield batch["line"].cast(pa.large_string())

    def _accounts(self, condition: str, tail: str, values: dict[str, Any]) -> list[Account]:
        query = f"SELECT ticker, address, balance::VARCHAR, credit_height FROM ({self._query(condition)}) {tail}"
        rows = self._histories.fetch(query, {**values, **self._values()})
        return [Account(ticker, address, _units(balance), height) for ticker, address, balance, height in rows]

    def _query(self, condition: str) -> str:
        query = _ACCOUNTS.format(condition=condition, fold="read_parquet($fold)" if self._fold else _NO_FOLD)
        return query if self._events else query.replace("read_parquet($events)", _NO_EVENTS)

    def _values(self) -> dict[str, Any]:
        files = {"fold": self._fold, "events": self._events}
        return {"folded": self._folded, "height": self.height} | {name: paths for name, paths in files.items() if paths}

    def _supplies(self, ticker: str | None) -> dict[str, Supply]:
        """Supplies by ticker: of one token, or of all."""
        paths = [part.file.path for part in self._histories.segments("supplies", self._folded + 1, self.height)]
        condition = "" if ticker is None else "AND ticker = $ticker"
        query = f"""
            SELECT ticker, arg_max(minted, height)::VARCHAR, arg_max(burned, height)::VARCHAR,
                arg_max(rounding, height)::VARCHAR, arg_max(holders, height)
            FROM read_parquet($files) WHERE height <= $height {condition} GROUP BY ticker
        """
        values = {"height": self.height} | ({} if ticker is None else {"ticker": ticker})
        rows = self._histories.file_rows([*self._fold_supplies, *paths], query, values)
        return {name: Supply._make([*map(_units, amounts), holders]) for name, *amounts, holders in rows}

    def _tokens(self, ticker: str | None) -> dict[str, Token]:
        """Deploys by ticker, newest first: of one token, or of all."""
        condition = "" if ticker is None else "AND ticker = $ticker"
        query = f"""
            SELECT ticker, max_supply::VARCHAR, limit_per_mint::VARCHAR, deploy_height, deploy_txid,
                epoch(deploy_time)::BIGINT, deployer_address, deploy_op_index
            FROM read_parquet($files) WHERE deploy_height <= $height {condition}
            ORDER BY deploy_height DESC, deploy_op_index DESC
        """
        values = {"height": self.height} | ({} if ticker is None else {"ticker": ticker})
        first = self._histories.manifest.start_height
        rows = self._histories.rows(self._histories.segments("tokens", first, self.height), query, values)
        return {
            name: Token(
                name,
                _units(most),
                None if limit is None else _units(limit),
                height,
                txid,
                datetime.fromtimestamp(seconds, UTC),
                *rest,
            )
            for name, most, limit, height, txid, seconds, *rest in rows
        }


@dataclass(frozen=True, slots=True)
class _Moment:
    """A block of a lake, whichever manifest publishes it."""

    directory: Path
    height: int
    block_hash: str | None
    manifest: Manifest = field(compare=False)


@lru_cache(REMEMBERED)
def _extensions(moment: _Moment) -> Extensions:
    heights = moment.manifest.start_height, moment.height
    return Extensions().after(
        lambda name, columns: read_rows(moment.directory, moment.manifest, name, columns, heights)
    )


def _joined(texts: pa.Array) -> memoryview:
    """The bytes of all texts in a row."""
    _, offsets, data = texts.buffers()
    bounds = memoryview(offsets).cast("q")
    return memoryview(data)[bounds[texts.offset] : bounds[texts.offset + len(texts)]]


def _units(amount: str) -> int:
    """An amount with 8 decimals as an integer."""
    return int(amount.replace(".", ""))


def _text(units: int) -> str:
    """The same the other way round, of what is not negative."""
    whole, fraction = divmod(units, 10**DECIMALS)
    return f"{whole}.{fraction:08d}"
