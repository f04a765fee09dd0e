"""Consistent random facts about made-up blocks, for tests of the lake that need no engine.

Every table conforms to its schema and to the others: counts, hashes, running balances and supplies all add up. Rows of
modules, if wanted, are right in form only: versions and happenings that mean nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Any

import pyarrow as pa

from engine.modules.registry import StateTable, installed
from engine.schemas import BALANCE_EVENTS, BALANCES, BLOCKS, OPERATIONS, SUPPLIES, TOKENS, Judged, State
from ingest.candidates import CANDIDATES

UNIT = Decimal("0.00000001")
ADDRESSES = [
    (f"bcrt1q{sha256(b'%d' % n).hexdigest()[:38]}", b"\x00\x14" + sha256(b"%d" % n).digest()[:20]) for n in range(12)
]

Rows = list[dict[str, Any]]


@dataclass
class FactMaker:
    """Makes block after block; `rewind` forgets the newest. Two makers with one seed make the same blocks."""

    seed: int = 1
    start: int = 100
    operations: int = 8
    """Most operations of a block."""
    modules: bool = False
    """Make rows for the tables of all installed modules too."""
    per_block: list[dict[str, Rows]] = field(default_factory=list)
    ledgers: "list[_Ledger]" = field(default_factory=list)

    def extend(self, count: int, branch: str = "") -> tuple[Judged, pa.Table]:
        """Facts and candidates of the next `count` blocks; another `branch` makes other blocks."""
        first = len(self.per_block)
        for _ in range(count):
            self._block(branch)
        return self.judged(first, len(self.per_block))

    def rewind(self, height: int) -> None:
        """Forget the blocks above `height`."""
        keep = max(height - self.start + 1, 0)
        del self.per_block[keep:], self.ledgers[keep:]

    def judged(self, first: int, last: int) -> tuple[Judged, pa.Table]:
        """Facts and candidates of the blocks at positions `first` to `last` - 1."""
        made = self.per_block[first:last]

        def table(name: str, schema: pa.Schema) -> pa.Table:
            return pa.Table.from_pylist([row for block in made for row in block[name]], schema=schema)

        facts = Judged(
            blocks=table("blocks", BLOCKS),
            operations=table("operations", OPERATIONS),
            balance_events=table("balance_events", BALANCE_EVENTS),
            tokens=table("tokens", TOKENS),
            supplies=table("supplies", SUPPLIES),
            modules={each.name: table(each.name, each.schema) for each in installed().tables} if self.modules else {},
        )
        return facts, table("candidates", CANDIDATES)

    def all(self) -> tuple[Judged, pa.Table]:
        """Facts and candidates of every block made so far."""
        return self.judged(0, len(self.per_block))

    def state(self, height: int | None = None) -> State:
        """The ledger after `height`, by a dictionary."""
        made = self.per_block if height is None else self.per_block[: max(height - self.start + 1, 0)]
        balances: dict[tuple[str, str], dict[str, Any]] = {}
        supplies: dict[str, dict[str, Any]] = {}
        for block in made:
            for event in block["balance_events"]:
                balances[event["ticker"], event["address"]] = {
                    "ticker": event["ticker"],
                    "address": event["address"],
                    "script": event["script"],
                    "balance": event["balance_after"],
                }
            for row in block["supplies"]:
                supplies[row["ticker"]] = row
        versions = {
            table.name: {tuple(row[name] for name in table.key): row for block in made for row in block[table.name]}
            for table in installed().tables
            if self.modules and not table.is_log
        }
        last = made[-1]["blocks"][0] if made else None
        return State(
            height=last["height"] if last else None,
            hash=last["hash"] if last else None,
            cumulative_hash=last["cumulative_hash"] if last else "",
            balances=pa.Table.from_pylist([balances[key] for key in sorted(balances)], schema=BALANCES),
            tokens=pa.Table.from_pylist([row for block in made for row in block["tokens"]], schema=TOKENS),
            supplies=pa.Table.from_pylist([supplies[key] for key in sorted(supplies)], schema=SUPPLIES),
            modules={
                table.name: pa.Table.from_pylist(
                    [versions[table.name][key] for key in sorted(versions[table.name])], schema=table.schema
                )
                for table in installed().tables
                if table.name in versions
            },
        )

    def _block(self, branch: str) -> None:
        height = self.start + len(self.per_block)
        parent = self.per_block[-1]["blocks"][0] if self.per_block else None
        previous = parent["hash"] if parent else "00" * 32
        hash_ = sha256(f"{self.seed} {branch} {previous}".encode()).hexdigest()
        random = Random(hash_)
        time = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=10 * height)
        block = _BlockFacts(height, time, random, self.ledgers[-1] if self.ledgers else _Ledger({}, {}, []))
        for _ in range(random.randint(0, self.operations)):
            block.operation()
        rows = block.finished(hash_, previous, parent["cumulative_hash"] if parent else "")
        if self.modules:
            rows |= {
                table.name: _module_rows(table, height, Random(f"{hash_}{table.name}")) for table in installed().tables
            }
        self.per_block.append(rows)
        self.ledgers.append(block.ledger)


@dataclass(frozen=True)
class _Ledger:
    """Balances by (ticker, address), minted totals and deployed tickers."""

    balances: dict[tuple[str, str], Decimal]
    minted: dict[str, Decimal]
    tickers: list[str]


class _BlockFacts:
    """The rows of one block while they are made."""

    def __init__(self, height: int, time: datetime, random: Random, ledger: "_Ledger") -> None:
        self.height, self.time, self.random = height, time, random
        self.balances, self.minted = dict(ledger.balances), dict(ledger.minted)
        self.tickers = list(ledger.tickers)
        self.changed: set[str] = set()
        self.rows: dict[str, Rows] = {name: [] for name in ("operations", "balance_events", "tokens", "candidates")}

    @property
    def ledger(self) -> "_Ledger":
        """What the next block begins with."""
        return _Ledger(self.balances, self.minted, self.tickers)

    def operation(self) -> None:
        """One record, mostly valid."""
        choice = self.random.random()
        if not self.tickers or choice < 0.1:
            self._deploy()
        elif choice < 0.45:
            self._mint()
        elif choice < 0.9:
            self._transfer()
        else:
            self._record("invalid", code="MISSING_OPERATION")

    def _deploy(self) -> None:
        ticker = f"T{self.height}{len(self.rows['operations'])}"
        row = self._record("deploy", ticker, sender=self.random.choice(ADDRESSES))
        self.tickers.append(ticker)
        self.rows["tokens"].append(
            {
                "ticker": ticker,
                "max_supply": Decimal(10) ** 9,
                "limit_per_mint": self.random.choice([None, Decimal(1000)]),
                "deploy_height": self.height,
                "deploy_op_index": row["op_index"],
                "deploy_txid": row["txid"],
                "deploy_time": self.time,
                "deployer_address": row["from_address"],
                "deployer_script": row["from_script"],
            }
        )

    def _mint(self) -> None:
        ticker, amount = self.random.choice(self.tickers), self._amount(10**11)
        receiver = self.random.choice(ADDRESSES)
        row = self._record("mint", ticker, amount, receiver=receiver)
        self._event(row, receiver, amount, "mint")
        self.minted[ticker] = self.minted.get(ticker, Decimal(0)) + amount

    def _transfer(self) -> None:
        ticker = self.random.choice(self.tickers)
        sender, receiver = self.random.choice(ADDRESSES), self.random.choice(ADDRESSES)
        balance = self.balances.get((ticker, sender[0]), Decimal(0))
        amount = self.random.choice([balance, Decimal(0), self._amount(10**9)])
        if amount > balance:
            self._record("transfer", ticker, amount, sender, receiver, code="INSUFFICIENT_BALANCE")
            return
        row = self._record("transfer", ticker, amount, sender, receiver)
        self._event(row, sender, -amount, "transfer_debit")
        self._event(row, receiver, amount, "transfer_credit")

    def _amount(self, limit: int) -> Decimal:
        return self.random.randrange(limit) * UNIT

    def _event(self, row: dict[str, Any], account: tuple[str, bytes], delta: Decimal, cause: str) -> None:
        key = row["ticker"], account[0]
        self.balances[key] = self.balances.get(key, Decimal(0)) + delta
        self.changed.add(row["ticker"])
        self.rows["balance_events"].append(
            {
                "height": self.height,
                "sequence": len(self.rows["balance_events"]),
                "op_index": row["op_index"],
                "tx_index": row["tx_index"],
                "ticker": row["ticker"],
                "address": account[0],
                "script": account[1],
                "delta": delta,
                "balance_after": self.balances[key],
                "cause": cause,
            }
        )

    def _record(
        self,
        operation: str,
        ticker: str | None = None,
        amount: Decimal | None = None,
        sender: tuple[str, bytes] | None = None,
        receiver: tuple[str, bytes] | None = None,
        code: str | None = None,
    ) -> dict[str, Any]:
        index = len(self.rows["operations"])
        txid = sha256(f"{self.height} {index} {self.random.random()}".encode()).digest()
        payload = f'{{"p":"brc-20","op":"{operation}","n":{self.random.randrange(9)}}}'.encode()
        self.rows["candidates"].append(
            {
                "height": self.height,
                "tx_index": index + 1,
                "txid": txid,
                "kind": 2,
                "raw": payload * 3,
                "prevouts": txid,
            }
        )
        row = {
            "height": self.height,
            "op_index": index,
            "block_time": self.time,
            "tx_index": index + 1,
            "txid": txid[::-1].hex(),
            "vout": 0,
            "step": None,
            "operation": operation,
            "ticker": ticker,
            "ticker_text": ticker,
            "amount": amount,
            "from_address": sender and sender[0],
            "from_script": sender and sender[1],
            "to_address": receiver and receiver[0],
            "to_script": receiver and receiver[1],
            "valid": code is None,
            "code": code,
            "step_code": None,
            "divergence": None,
            "marketplace": False,
            "multi": False,
            "payload": payload,
        }
        self.rows["operations"].append(row)
        return row

    def finished(self, hash_: str, previous: str, cumulative: str) -> dict[str, Rows]:
        """All tables of the block."""
        event_hash = _digest(effects(self.rows["operations"]))
        block = {
            "height": self.height,
            "hash": hash_,
            "previous_hash": previous,
            "time": self.time,
            "tx_count": len(self.rows["candidates"]) + 1,
            "candidates": len(self.rows["candidates"]),
            "operations": len(self.rows["operations"]),
            "valid_operations": sum(row["valid"] for row in self.rows["operations"]),
            "balance_events": len(self.rows["balance_events"]),
            "event_hash": event_hash,
            "cumulative_hash": _digest(cumulative + event_hash),
            "record_hash": _digest(all_records(event_hash, self.rows["operations"])),
        }
        return {**self.rows, "blocks": [block], "supplies": [self._supply(ticker) for ticker in sorted(self.changed)]}

    def _supply(self, ticker: str) -> dict[str, Any]:
        holders = sum(balance > 0 for (name, _), balance in self.balances.items() if name == ticker)
        return {
            "height": self.height,
            "ticker": ticker,
            "minted": self.minted.get(ticker, Decimal(0)),
            "burned": Decimal(0),
            "rounding": Decimal(0),
            "holders": holders,
        }


def _module_rows(table: StateTable, height: int, random: Random) -> Rows:
    """A few rows of a block, each with another key, sorted."""
    made = [{field.name: _value(field, random) for field in table.schema} | {"height": height} for _ in range(3)]
    by_key = {tuple(row[name] for name in table.key): row for row in made[: random.randint(0, 3)]}
    return [by_key[key] for key in sorted(by_key)]


def _value(field: pa.Field, random: Random) -> Any:
    """One of few values, so that keys occur again in later blocks. Texts read as numbers: some columns mean one."""
    number = random.randrange(9)
    if field.nullable and number == 0:
        return None
    if pa.types.is_decimal(field.type):
        return number * UNIT
    if pa.types.is_string(field.type):
        return f"{number}.{0:027d}"
    return bytes([number]) if pa.types.is_binary(field.type) else bool(number) if field.type == pa.bool_() else number


EVENT_FIELDS = ("operation", "txid", "vout", "ticker_text", "amount", "from_address", "to_address")


def effects(operations: Sequence[dict[str, Any]]) -> str:
    """The canonical text of a block's valid records."""
    return "\n".join(_line(row, EVENT_FIELDS) for row in operations if row["valid"])


def all_records(event_hash: str, operations: Sequence[dict[str, Any]]) -> str:
    """The canonical text of all a block's records."""
    lines = [event_hash]
    for row in operations:
        told = () if row["valid"] else EVENT_FIELDS
        lines.append(_line(row, ("valid", "step", "code", "step_code", *told)))
    return "\n".join(lines)


def _line(row: dict[str, Any], names: Sequence[str]) -> str:
    return ";".join(_text(row[name]) for name in names)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Decimal):
        return f"{value:.8f}"
    return "" if value is None else str(value)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
