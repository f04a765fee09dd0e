"""A chain from a formula instead of from transactions: operations, events and supplies, chunk by chunk.

Every balance is the sum of its events, every supply that of its mints. Hashes name blocks and stand for nothing else.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from engine.schemas import BALANCE_EVENTS, BLOCKS, FOLD, OPERATIONS, SUPPLIES, TOKENS
from tests.helpers.formula_columns import Numbers, amounts, hex_texts, named, people
from tests.helpers.formula_exchange import PARTNERS, POOLS

TICKERS: Final = 1_000
BLOCK: Final = 5_000
"""Operations of a block."""
FIRST_TIME: Final = 1_700_000_000
BLOCK_SECONDS: Final = 600

LARGEST: Final = "T0000"
"""The token that a fifth of all accounts hold."""
STONES: Final = 1
"""Number of the ticker that is minted without a deploy."""
NAMES: Final = [LARGEST, "STONES", *(f"T{number:04d}" for number in range(2, TICKERS))]
"""Tickers 2 and 3 have a pool, 4 and 5 have one, …"""

DEPLOY, MINT, TRANSFER, LOCK, TRADE, REFUSED, STONES_MINT = range(7)
SHARES: Final = {MINT: 0.50, TRANSFER: 0.44, LOCK: 0.02, TRADE: 0.02, REFUSED: 0.02}
EVENTS: Final = np.array([0, 1, 2, 2, 2, 0])
"""Of each kind."""
WORDS: Final = ["deploy", "mint", "transfer", "swap_init", "swap_exe", "transfer", "mint_stones"]
CREDIT: Final = 7
CAUSES: Final = ["", "mint", "transfer_debit", "swap_init", "swap_in", "", "mint_stones", "transfer_credit"]
CODES: Final = ["INSUFFICIENT_BALANCE", "INVALID_AMOUNT", "TICKER_NOT_DEPLOYED", "EXCEEDS_MAX_SUPPLY"]

PAYLOAD: Final = '{{"p":"brc-20","op":"{}","tick":"{}","amt":"{}"}}'

SMALLEST_MINT: Final = 100 * 10**8
LARGEST_MOVE: Final = 2 * 10**8
"""So small against a mint that nobody runs out."""
MAX_SUPPLY: Final = 21 * 10**17


@dataclass(frozen=True)
class Plan:
    """How large. Chunks of blocks are made and written one at a time."""

    operations: int
    accounts: int
    chunk_blocks: int = 200

    @property
    def chunks(self) -> int:
        """Only whole ones are made."""
        return self.operations // (self.chunk_blocks * BLOCK)


@dataclass(frozen=True)
class Asked:
    """Operations of a chunk: what each is, whose balance grows and shrinks by how much, and where it stands."""

    kind: Numbers
    to: Numbers
    frm: Numbers
    amount: Numbers
    height: Numbers
    index: Numbers


class FormulaChain:
    """The chain of a plan, and the ledger behind the chunks so far. Amounts are in units of 10^-8."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._random = np.random.default_rng(plan.operations)
        self._sizes = _sizes(plan.accounts)
        self._starts = np.concatenate(([0], np.cumsum(self._sizes)[:-1]))
        plain, pools = np.repeat(np.arange(TICKERS), self._sizes), np.arange(2 * POOLS)
        living = plan.accounts * 2 // 5
        number = (np.arange(plan.accounts) - self._starts[plain] + 7_919 * plain) % living
        self._ticker_of = np.concatenate((plain, pools + 2))
        self._address_of = np.concatenate((number, living + pools // 2))
        scripts, addresses = people(living)
        # Pools have no script.
        self._scripts = pa.concat_arrays([scripts, pa.nulls(POOLS, pa.binary())])
        self._addresses = pa.concat_arrays([addresses, pa.array([f"POOL::{pool}" for pool in PARTNERS])])
        count = len(self._ticker_of)
        self._balances = np.zeros(count, np.int64)
        self._last_heights, self._credit_heights = np.full(count, -1, np.int32), np.zeros(count, np.int32)
        self._minted, self._holders, self._supply_heights = (np.zeros(TICKERS, np.int64) for _ in range(3))
        self.hash, self.cumulative = "00" * 32, ""
        """Of the newest block."""

    def heights(self, chunk: int) -> range:
        """Blocks of a chunk."""
        return range(chunk * self.plan.chunk_blocks, (chunk + 1) * self.plan.chunk_blocks)

    def chunk(self, number: int) -> dict[str, pa.Table]:
        """Tables of the blocks of the next chunk, by name."""
        asked = self._asked(number)
        events, opened = self._events(asked)
        operations = self._operations(asked)
        tables = {
            "blocks": self._blocks(asked, events["height"].to_numpy()),
            "operations": operations,
            "balance_events": events,
            "supplies": self._supplies(self.heights(number), asked, opened),
        }
        return tables if number else {**tables, "tokens": _tokens(operations)}

    def balances(self) -> pa.Table:
        """The fold behind the chunks so far."""
        held = np.flatnonzero(self._last_heights >= 0)
        columns = {
            **self._accounts(held),
            "balance": amounts(self._balances[held]),
            "last_height": self._last_heights[held],
            "credit_height": self._credit_heights[held],
        }
        frame = pl.DataFrame({name: columns[name] for name in ("ticker", "address")}).with_row_index("n")
        return pa.table(columns, schema=FOLD).take(frame.sort("ticker", "address")["n"].to_arrow())

    def supplies(self) -> pa.Table:
        """The newest supply of each ticker."""
        minted = np.array(sorted(np.flatnonzero(self._minted), key=NAMES.__getitem__))
        return _supply_rows(self._supply_heights[minted], minted, self._minted[minted], self._holders[minted])

    def _asked(self, number: int) -> Asked:
        random, count = self._random, self.plan.chunk_blocks * BLOCK
        before = np.maximum(self._sizes * number // self.plan.chunks, min(number, 1))
        after = np.maximum(self._sizes * (number + 1) // self.plan.chunks, 1)
        first = TICKERS if number == 0 else 0
        kind = random.choice(list(SHARES), count, p=list(SHARES.values()))
        if first:
            # Nobody has anything yet.
            kind[kind != REFUSED] = MINT
            kind[:first] = DEPLOY
            kind[STONES] = REFUSED
        ticker = self._ticker_of[random.integers(0, self.plan.accounts, count)]
        ticker[:first] = np.arange(first)
        swapping = (kind == LOCK) | (kind == TRADE)
        ticker[swapping] = 2 + random.integers(0, 2 * POOLS, int(swapping.sum()))
        known = after if first else before
        to, frm = (self._starts[ticker] + (random.random(count) * known[ticker]).astype(np.int64) for _ in range(2))
        to[swapping] = self.plan.accounts + ticker[swapping] - 2
        new = _ranges(self._starts + before, after - before)
        places = first + random.permutation(count - first)[: len(new)]
        kind[places], to[places] = MINT, new
        amount = random.integers(10_000, LARGEST_MOVE, count)
        mints = kind == MINT
        amount[mints] = SMALLEST_MINT * 2 ** np.minimum(random.geometric(0.5, int(mints.sum())) - 1, 16)
        heights = np.array(self.heights(number), np.int32)
        index = np.tile(np.arange(BLOCK, dtype=np.int32), len(heights))
        return Asked(kind, to, frm, amount, np.repeat(heights, BLOCK), index)

    def _events(self, asked: Asked) -> tuple[pa.Table, tuple[Numbers, Numbers]]:
        """Balance events, and height and ticker of each account that they open."""
        kind = asked.kind
        op = np.repeat(np.arange(len(kind)), EVENTS[kind])
        second = np.diff(op, prepend=-1) == 0
        gains = second | (kind[op] == MINT)
        account = np.where(gains, asked.to[op], asked.frm[op])
        delta = np.where(gains, asked.amount[op], -asked.amount[op])
        height = asked.height[op]
        after, opening = self._moved(account, delta, height)
        cause = np.where(second & (kind[op] == TRANSFER), CREDIT, kind[op])
        cause[(cause == MINT) & (self._ticker_of[account] == STONES)] = STONES_MINT
        columns = {
            "height": height,
            "sequence": _numbered(height),
            "op_index": asked.index[op],
            "tx_index": asked.index[op] + 1,
            **self._accounts(account),
            "delta": amounts(delta),
            "balance_after": amounts(after),
            "cause": named(CAUSES, cause),
        }
        return pa.table(columns, schema=BALANCE_EVENTS), (height[opening], self._ticker_of[account[opening]])

    def _moved(self, account: Numbers, delta: Numbers, height: Numbers) -> tuple[Numbers, Numbers]:
        """Balances after each change, and which changes open an account; the ledger is moved on."""
        order = np.argsort(account, kind="stable")
        ordered, changes = account[order], delta[order]
        first = np.flatnonzero(np.diff(ordered, prepend=-1))
        sums = np.cumsum(changes)
        before = self._balances[ordered[first]] + changes[first] - sums[first]
        after = np.empty_like(delta)
        after[order] = sums + np.repeat(before, np.diff(np.append(first, len(ordered))))
        assert after.min() >= 0
        opening = order[first[self._last_heights[ordered[first]] < 0]]
        # Of several values for one place numpy keeps the last.
        self._balances[account] = after
        self._last_heights[account] = height
        self._credit_heights[account[delta > 0]] = height[delta > 0]
        return after, opening

    def _accounts(self, account: Numbers) -> dict[str, pa.Array]:
        address = pa.array(self._address_of[account])
        ticker = named(NAMES, self._ticker_of[account])
        return {"ticker": ticker, "address": self._addresses.take(address), "script": self._scripts.take(address)}

    def _operations(self, asked: Asked) -> pa.Table:
        kind, count = asked.kind, len(asked.kind)
        number = self._ticker_of[asked.to]
        word = named(WORDS, np.where((kind == MINT) & (number == STONES), STONES_MINT, kind))
        ticker = named(NAMES, number)
        sender = pa.array(self._address_of[asked.frm], mask=kind == MINT)
        recipient = pa.array(self._address_of[asked.to], mask=np.isin(kind, (DEPLOY, LOCK, TRADE)))
        texts = pl.DataFrame({"word": word, "ticker": ticker, "amount": asked.amount // 10**8 + 1})
        payload = texts.select(pl.format(PAYLOAD, *texts.columns))
        refused = kind == REFUSED
        columns = {
            "height": asked.height,
            "op_index": asked.index,
            "block_time": _times(asked.height),
            "tx_index": asked.index + 1,
            "txid": hex_texts(self._random, count),
            "vout": np.zeros(count, np.int32),
            "operation": word,
            "ticker": ticker,
            "ticker_text": ticker,
            "amount": amounts(asked.amount),
            "from_address": self._addresses.take(sender),
            "from_script": self._scripts.take(sender),
            "to_address": self._addresses.take(recipient),
            "to_script": self._scripts.take(recipient),
            "valid": ~refused,
            "code": pa.array(CODES).take(pa.array(asked.index % len(CODES), mask=~refused)),
            "marketplace": (kind == TRANSFER) & (asked.index % 20 == 0),
            "multi": np.zeros(count, bool),
            "payload": payload.to_series().to_arrow().cast(pa.binary()),
        }
        nothing = {field.name: pa.nulls(count, field.type) for field in OPERATIONS if field.name not in columns}
        return pa.table({name: (columns | nothing)[name] for name in OPERATIONS.names}, schema=OPERATIONS)

    def _supplies(self, heights: range, asked: Asked, opened: tuple[Numbers, Numbers]) -> pa.Table:
        grown, joined = (np.zeros((len(heights), TICKERS), np.int64) for _ in range(2))
        mints = asked.kind == MINT
        ticker = self._ticker_of[asked.to]
        np.add.at(grown, (asked.height[mints] - heights.start, ticker[mints]), asked.amount[mints])
        np.add.at(joined, (opened[0] - heights.start, opened[1]), 1)
        minted, holders = self._minted + grown.cumsum(0), self._holders + joined.cumsum(0)
        self._minted, self._holders = minted[-1], holders[-1]
        by_name = np.array(sorted(range(TICKERS), key=NAMES.__getitem__))
        block, place = np.nonzero((grown + joined)[:, by_name])
        which = by_name[place]
        self._supply_heights[which] = heights.start + block
        return _supply_rows(heights.start + block, which, minted[block, which], holders[block, which])

    def _blocks(self, asked: Asked, event_heights: Numbers) -> pa.Table:
        rows = []
        for height in np.unique(asked.height).tolist():
            parent = self.hash
            event_hash = sha256(str(height).encode()).hexdigest()
            self.hash = sha256(f"{self.plan} {height}".encode()).hexdigest()
            self.cumulative = sha256((self.cumulative + event_hash).encode()).hexdigest()
            valid = int((asked.kind[asked.height == height] != REFUSED).sum())
            events = int((event_heights == height).sum())
            rows.append(
                {
                    "height": height, "hash": self.hash, "previous_hash": parent, "time": _time(height),
                    "tx_count": BLOCK + 1, "candidates": 0, "operations": BLOCK, "valid_operations": valid,
                    "balance_events": events, "event_hash": event_hash, "cumulative_hash": self.cumulative,
                    "record_hash": event_hash,
                }
            )  # fmt: skip
        return pa.Table.from_pylist(rows, schema=BLOCKS)


def _sizes(accounts: int) -> Numbers:
    """Accounts of each ticker: a fifth of all, then ever fewer."""
    weights = 1 / (np.arange(1, TICKERS) + 10)
    rest = accounts - accounts // 5
    sizes = np.maximum((rest * weights / weights.sum()).astype(np.int64), 1)
    sizes[0] += rest - sizes.sum()
    return np.concatenate(([accounts // 5], sizes))


def _ranges(starts: Numbers, lengths: Numbers) -> Numbers:
    """All numbers of ranges, one range after the other."""
    offsets = starts - np.concatenate(([0], np.cumsum(lengths)[:-1]))
    return np.repeat(offsets, lengths) + np.arange(lengths.sum())


def _numbered(height: Numbers) -> Numbers:
    """Places from 0 within each height."""
    first = np.flatnonzero(np.diff(height, prepend=-1))
    return (np.arange(len(height)) - np.repeat(first, np.diff(np.append(first, len(height))))).astype(np.int32)


def _supply_rows(height: Numbers, ticker: Numbers, minted: Numbers, holders: Numbers) -> pa.Table:
    nothing = amounts(np.zeros(len(height), np.int64))
    columns = {
        "height": height.astype(np.int32), "ticker": named(NAMES, ticker), "minted": amounts(minted),
        "burned": nothing, "rounding": nothing, "holders": holders,
    }  # fmt: skip
    return pa.table(columns, schema=SUPPLIES)


def _tokens(operations: pa.Table) -> pa.Table:
    """Deploys of the first block."""
    deploys = operations.filter(pc.equal(operations["operation"], "deploy"))
    count = deploys.num_rows
    columns = {
        "ticker": deploys["ticker"],
        "max_supply": amounts(np.full(count, MAX_SUPPLY)),
        "limit_per_mint": amounts(np.full(count, SMALLEST_MINT << 16)),
        "deploy_height": deploys["height"],
        "deploy_op_index": deploys["op_index"],
        "deploy_txid": deploys["txid"],
        "deploy_time": deploys["block_time"],
        "deployer_address": deploys["from_address"],
        "deployer_script": deploys["from_script"],
    }
    return pa.table(columns, schema=TOKENS)


def _time(height: int) -> int:
    return FIRST_TIME + BLOCK_SECONDS * height


def _times(height: Numbers) -> pa.Array:
    return pa.array(FIRST_TIME + BLOCK_SECONDS * height.astype(np.int64)).cast(OPERATIONS.field("block_time").type)
