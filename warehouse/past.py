"""The ledger after any published block: what `View` tells of the tip, told from the folds and the facts since."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Final

import pyarrow as pa

from engine.modules.stakes import RECEIPT
from ingest.networks import DECIMALS
from warehouse.extensions import Extensions
from warehouse.histories import Histories
from warehouse.serving import CREDITS
from warehouse.serving_map import Account, Supply, Token
from warehouse.serving_view import Listed, largest_first, receipt_figures
from warehouse.store import Folded, Published, Store, Values
from warehouse.sums import units_of
from warehouse.words import pair_of, text_of

REMEMBERED: Final = 4
"""Heights whose modules' state is kept: it is read whole."""

_CREDIT: Final = f"((delta > 0 AND cause <> 'rounding') OR cause IN ({', '.join(repr(cause) for cause in CREDITS)}))"
_CHANGES: Final = f"""
    SELECT ticker, address, max_by(balance_after, height::BIGINT * 4294967296 + sequence) AS balance,
        coalesce(max(height) FILTER (WHERE {_CREDIT}), {{none}}) AS credit_height
    FROM {{events}} WHERE {{condition}} GROUP BY ticker, address
"""
_ACCOUNTS: Final = f"""
    WITH changes AS ({_CHANGES}),
    folded AS (SELECT ticker, address, balance, credit_height FROM {{fold}} WHERE {{condition}})
    SELECT ticker, address, coalesce(changes.balance, folded.balance) AS balance,
        coalesce(changes.credit_height, folded.credit_height, 0) AS credit_height
    FROM changes FULL JOIN folded USING (ticker, address)
"""


class Past:
    """The ledger after block `height`, which must be published. Amounts are in units of 10^-8."""

    def __init__(self, histories: Histories, height: int) -> None:
        self.height = height
        self._store = histories.store
        self._first = self._store.snapshot.manifest.start_height

    @cached_property
    def extensions(self) -> Extensions:
        """What modules keep."""
        snapshot = self._store.snapshot
        return _extensions(_Moment(snapshot.origin, self.height, snapshot.block_hash(self.height), snapshot))

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
            condition = f"(ticker, address) IN {pair_of('tickers', 'addresses')}"
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
            receipts AS (
                SELECT arrayJoin(arrayZip($receipt_ticker, arrayZip($receipt_address, $receipt_balance))) AS receipt
            ),
            lines AS (
                SELECT ticker, address, {text_of("balance")} AS balance FROM plain WHERE balance <> 0
                UNION ALL
                SELECT
                    tupleElement(receipt, 1), tupleElement(tupleElement(receipt, 2), 1),
                    tupleElement(tupleElement(receipt, 2), 2)
                FROM receipts
            )
            SELECT concat('\n', concat_ws(';', ticker, address, balance)) AS line FROM lines ORDER BY ticker, address
        """
        for batch in self._store.batches(query, columns):
            if batch.num_rows:
                yield batch["line"].cast(pa.large_string())

    def _accounts(self, condition: str, tail: str, values: Values) -> list[Account]:
        query = f"SELECT ticker, address, {text_of('balance')}, credit_height FROM ({self._query(condition)}) {tail}"
        rows = self._store.fetch(query, values)
        return [Account(ticker, address, units_of(balance), height) for ticker, address, balance, height in rows]

    def _query(self, condition: str) -> str:
        return accounts_query(self._store, self.height, condition)

    def _supplies(self, ticker: str | None) -> dict[str, Supply]:
        """Supplies by ticker: of one token, or of all."""
        amounts = ", ".join(map(text_of, ("minted", "burned", "rounding")))
        condition, values = _of_ticker(ticker)
        query = f"SELECT ticker, {amounts}, holders FROM ({supplies_query(self._store, self.height, condition)})"
        found = self._store.fetch(query, values)
        return {name: Supply._make([*map(units_of, amounts), holders]) for name, *amounts, holders in found}

    def _tokens(self, ticker: str | None) -> dict[str, Token]:
        """Deploys by ticker, newest first: of one token, or of all."""
        condition, values = _of_ticker(ticker)
        query = f"""
            SELECT ticker, {text_of("max_supply")}, {text_of("limit_per_mint")}, deploy_height, deploy_txid,
                toUnixTimestamp(deploy_time), deployer_address, deploy_op_index
            FROM {self._store.facts("tokens", self._first, self.height)} WHERE {condition}
            ORDER BY deploy_height DESC, deploy_op_index DESC
        """
        return {
            name: Token(
                name,
                units_of(most),
                None if limit is None else units_of(limit),
                height,
                txid,
                datetime.fromtimestamp(seconds, UTC),
                *rest,
            )
            for name, most, limit, height, txid, seconds, *rest in self._store.fetch(query, values)
        }


def accounts_query(store: Store, height: int, condition: str = "true") -> str:
    """SQL for the accounts after a block, empty ones too: ticker, address, balance, credit_height.

    The condition is over ticker and address.
    """
    fold = store.folded(height)
    events = store.facts("balance_events", _since(store, fold), height)
    if fold is None:
        return _CHANGES.format(events=events, condition=condition, none=0)
    return _ACCOUNTS.format(events=events, condition=condition, none="NULL", fold=fold.accounts)


def supplies_query(store: Store, height: int, condition: str = "true") -> str:
    """SQL for the supplies after a block: ticker, minted, burned, rounding, holders. The condition is over ticker."""
    fold = store.folded(height)
    amounts = ("minted", "burned", "rounding", "holders")
    columns = f"height, ticker, {', '.join(amounts)}"
    rows = f"SELECT {columns} FROM {store.facts('supplies', _since(store, fold), height)}"
    if fold is not None:
        rows += f" UNION ALL SELECT {columns} FROM {fold.supplies}"
    newest = ", ".join(f"max_by({name}, height) AS {name}" for name in amounts)
    return f"SELECT ticker, {newest} FROM ({rows}) WHERE {condition} GROUP BY ticker"


def _since(store: Store, fold: Folded | None) -> int:
    """The first block that the fold does not know."""
    return store.snapshot.manifest.start_height if fold is None else fold.height + 1


def _of_ticker(ticker: str | None) -> tuple[str, Values]:
    return ("true", {}) if ticker is None else ("ticker = $ticker", {"ticker": ticker})


@dataclass(frozen=True, slots=True)
class _Moment:
    """A block, whichever state publishes it."""

    origin: str
    height: int
    block_hash: str | None
    snapshot: Published = field(compare=False)


@lru_cache(REMEMBERED)
def _extensions(moment: _Moment) -> Extensions:
    heights = moment.snapshot.manifest.start_height, moment.height
    return Extensions().after(lambda name, columns: moment.snapshot.rows(name, columns, heights))


def _joined(texts: pa.Array) -> memoryview:
    """The bytes of all texts in a row."""
    _, offsets, data = texts.buffers()
    bounds = memoryview(offsets).cast("q")
    return memoryview(data)[bounds[texts.offset] : bounds[texts.offset + len(texts)]]


def _text(units: int) -> str:
    """An amount that is not negative, with 8 decimals."""
    whole, fraction = divmod(units, 10**DECIMALS)
    return f"{whole}.{fraction:08d}"
