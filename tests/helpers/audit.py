"""Does what an engine says about a range of blocks add up? Every test of a ledger asks."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Context, Decimal
from hashlib import sha256
from typing import Any

import pyarrow as pa

from engine.schemas import BALANCE_EVENTS, BLOCKS, OPERATIONS, SUPPLIES, TOKENS, Judged, State

Row = dict[str, Any]
Account = tuple[str, str]

MINTS = ("mint", "mint_stones")
TRANSFER = ("transfer_debit", "transfer_credit")


def assert_conserved(*judged: Judged, opening: State | None = None) -> None:
    """Assert that consecutive results of `judge`, from `opening` on (default: an empty ledger), are consistent.

    Per ticker Σ balances = minted − burned + rounding; no balance is negative; `balance_after` is the previous one plus
    `delta`; supplies and holder counts follow from the events and appear exactly when they change; every event
    belongs to a valid record and every valid mint and transfer has its events; keys are unique and dense; hashes chain.
    """
    _Audit(opening).run(judged)


def assert_same(first: Judged, second: Judged) -> None:
    """Assert that two results are equal row for row, naming the first row that differs."""
    for name in ("blocks", "operations", "balance_events", "tokens", "supplies"):
        left, right = getattr(first, name), getattr(second, name)
        if left.equals(right):
            continue
        for row, (a, b) in enumerate(zip(left.to_pylist(), right.to_pylist(), strict=False)):
            differing = {key: (a[key], b[key]) for key in a if a[key] != b[key]}
            assert not differing, f"{name}, row {row}: {differing} in {a}"
        raise AssertionError(f"{name}: {left.num_rows} rows, {right.num_rows} rows, or other types")


def rows_of(table: pa.Table) -> list[Row]:
    """Rows with amounts as integers of 10^-8 tokens: sums of decimals would be rounded."""
    return [
        {key: int(value.scaleb(8, _EXACT)) if isinstance(value, Decimal) else value for key, value in row.items()}
        for row in table.to_pylist()
    ]


class _Audit:
    def __init__(self, opening: State | None) -> None:
        self.balances: dict[Account, int] = {}
        self.supplies: dict[str, Row] = {}
        self.tokens: dict[str, Row] = {}
        self.cumulative = ""
        self.height: int | None = None
        self.txids: set[tuple[str, int]] = set()
        if opening is not None:
            self.balances = {(row["ticker"], row["address"]): row["balance"] for row in rows_of(opening.balances)}
            self.supplies = {row["ticker"]: row for row in rows_of(opening.supplies)}
            self.tokens = {row["ticker"]: row for row in rows_of(opening.tokens)}
            self.cumulative, self.height = opening.cumulative_hash, opening.height
        self.minted = defaultdict(int, {ticker: row["minted"] for ticker, row in self.supplies.items()})

    def run(self, results: Iterable[Judged]) -> None:
        for judged in results:
            schemas = (BLOCKS, OPERATIONS, BALANCE_EVENTS, TOKENS, SUPPLIES)
            tables = (judged.blocks, judged.operations, judged.balance_events, judged.tokens, judged.supplies)
            for table, schema in zip(tables, schemas, strict=True):
                assert_conforms(table, schema)
            operations, events, tokens, supplies = (
                _by_height(table, key)
                for table, key in zip(tables[1:], ("height", "height", "deploy_height", "height"), strict=True)
            )
            for block in judged.blocks.to_pylist():
                height = block["height"]
                self._block(
                    block,
                    operations.pop(height, []),
                    events.pop(height, []),
                    tokens.pop(height, []),
                    supplies.pop(height, []),
                )
            for rows in (operations, events, tokens, supplies):
                assert not rows, "rows of heights that are not among the blocks"

    def _block(
        self, block: Row, operations: list[Row], events: list[Row], tokens: list[Row], supplies: list[Row]
    ) -> None:
        assert self.height is None or block["height"] == self.height + 1
        self.height = block["height"]
        assert [row["op_index"] for row in operations] == list(range(len(operations)))
        assert [row["sequence"] for row in events] == list(range(len(events)))
        assert block["operations"] == len(operations)
        assert block["valid_operations"] == sum(row["valid"] for row in operations)
        assert block["balance_events"] == len(events)
        self._records(block, operations)
        self._hashes(block, operations)
        self._tokens(operations, tokens)
        self._effects(operations, events)
        self._supplies(events, supplies)

    def _records(self, block: Row, operations: list[Row]) -> None:
        for row in operations:
            key = (row["txid"], row["vout"])
            assert key not in self.txids, f"two records of {key}"
            self.txids.add(key)
            assert 0 < row["tx_index"] < block["tx_count"]
            assert row["block_time"] == block["time"]
            if row["valid"]:
                assert row["code"] is None
                assert row["step_code"] is None
            for role in ("from", "to"):
                assert (row[f"{role}_address"] is None) == (row[f"{role}_script"] is None)
            assert (row["ticker"] is None) <= (row["ticker_text"] in (None, "multiple"))
            assert row["step"] is None or row["multi"]

    def _hashes(self, block: Row, operations: list[Row]) -> None:
        lines = [";".join(_text(row, name) for name in _EVENT_FIELDS) for row in operations if row["valid"]]
        assert block["event_hash"] == _sha256("\n".join(lines))
        records = [";".join(_text(row, name) for name in _RECORD_FIELDS) for row in operations]
        assert block["record_hash"] == _sha256("\n".join(records))
        self.cumulative = _sha256(self.cumulative + block["event_hash"])
        assert block["cumulative_hash"] == self.cumulative

    def _tokens(self, operations: list[Row], tokens: list[Row]) -> None:
        deploys = [row for row in operations if row["operation"] == "deploy" and row["valid"] and not row["multi"]]
        assert [(row["op_index"], row["ticker"], row["txid"], row["from_address"]) for row in deploys] == [
            (row["deploy_op_index"], row["ticker"], row["deploy_txid"], row["deployer_address"]) for row in tokens
        ]
        for row in tokens:
            assert row["ticker"] not in self.tokens, f"{row['ticker']} is deployed twice"
            self.tokens[row["ticker"]] = row

    def _effects(self, operations: list[Row], events: list[Row]) -> None:
        causes: dict[int, list[Row]] = defaultdict(list)
        for event in events:
            account = (event["ticker"], event["address"])
            assert event["balance_after"] == self.balances.get(account, 0) + event["delta"], account
            assert event["balance_after"] >= 0, f"{account} is negative"
            self.balances[account] = event["balance_after"]
            causes[event["op_index"]].append(event)
        assert list(causes) == sorted(causes), "events are not in processing order"
        for row in operations:
            _assert_effect(row, causes.pop(row["op_index"], []))
        assert not causes, "events of records that do not exist"

    def _supplies(self, events: list[Row], supplies: list[Row]) -> None:
        for event in events:
            if event["cause"] in MINTS:
                self.minted[event["ticker"]] += event["delta"]
        assert [row["ticker"] for row in supplies] == sorted({row["ticker"] for row in supplies})
        changed = {row["ticker"]: row for row in supplies}
        for ticker in {event["ticker"] for event in events}:
            held = [balance for (held_ticker, _), balance in self.balances.items() if held_ticker == ticker]
            before = self.supplies.get(ticker, _NOTHING)
            now = before | changed.pop(ticker, {})
            assert now["minted"] == self.minted[ticker]
            assert now["holders"] == sum(balance > 0 for balance in held)
            assert sum(held) == now["minted"] - now["burned"] + now["rounding"], f"{ticker} is not conserved"
            appears = any(row["ticker"] == ticker for row in supplies)
            assert appears == any(now[name] != before[name] for name in _NOTHING), f"supply row of {ticker}"
            if ticker in self.tokens and ticker != "STONES":
                assert now["minted"] <= self.tokens[ticker]["max_supply"]
            if appears:
                self.supplies[ticker] = now
        assert not changed, "supplies of tickers without an event"


def assert_conforms(table: pa.Table, schema: pa.Schema) -> None:
    """The very schema, valid data, and no null where none is allowed."""
    assert table.schema.equals(schema), table.schema
    table.validate(full=True)
    for field in schema:
        assert field.nullable or table[field.name].null_count == 0, field.name


def _assert_effect(row: Row, events: list[Row]) -> None:
    """The events of one record: none when refused, else what its operation does."""
    if not row["valid"] or (row["operation"] == "deploy" and not row["multi"]):
        assert not events, row
        return
    assert all(event["ticker"] == row["ticker"] and event["tx_index"] == row["tx_index"] for event in events), row
    if row["operation"] in MINTS and not row["multi"]:
        assert [(event["cause"], event["address"], event["delta"]) for event in events] == [
            (row["operation"], row["to_address"], row["amount"])
        ]
        return
    assert len(events) == len(TRANSFER), row
    debit, credit = events
    assert (debit["cause"], credit["cause"]) == TRANSFER
    assert debit["delta"] == -credit["delta"] <= 0
    assert credit["address"] == row["to_address"]
    assert row["from_address"] in (None, debit["address"])
    assert row["amount"] in (None, credit["delta"])


def _by_height(table: pa.Table, key: str) -> dict[int, list[Row]]:
    rows: dict[int, list[Row]] = defaultdict(list)
    previous = None
    for row in rows_of(table):
        assert previous is None or previous <= row[key], f"not sorted by {key}"
        previous = row[key]
        rows[previous].append(row)
    return dict(rows)


_EXACT = Context(prec=60)
_NOTHING: Row = {"minted": 0, "burned": 0, "rounding": 0, "holders": 0}
_EVENT_FIELDS = ("operation", "txid", "vout", "ticker_text", "amount", "from_address", "to_address")
_RECORD_FIELDS = (
    "operation",
    "txid",
    "vout",
    "step",
    "ticker_text",
    "amount",
    "from_address",
    "to_address",
    "valid",
    "code",
    "step_code",
)


def _text(row: Row, name: str) -> str:
    value = row[name]
    if value is None:
        return ""
    if name == "amount":
        return f"{'-' if value < 0 else ''}{abs(value) // 10**8}.{abs(value) % 10**8:08d}"
    return str(int(value) if isinstance(value, bool) else value)


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
