"""Does what an engine says about a range of blocks add up? Every test of a ledger asks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

import pyarrow as pa

from engine.schemas import BALANCE_EVENTS, BLOCKS, OPERATIONS, SUPPLIES, TOKENS, Judged, State
from tests.helpers.audit_modules import ModuleTables, Row, paid_sides, settlement_order, units_of

Account = tuple[str, str]

MINTS = ("mint", "mint_stones", "wrap_mint", "reward")
TRANSFER = ("transfer_debit", "transfer_credit")
TRADE = ("swap_in", "swap_out", "swap_fee", "swap_return")
EXPIRY = ("expiry_accumulated", "expiry_principal", "expiry_reward", "expiry")


def assert_conserved(*judged: Judged, opening: State | None = None) -> None:
    """Assert that consecutive results of `judge`, from `opening` on (default: an empty ledger), are consistent.

    Per ticker Σ balances + principal held by programs = minted − burned + rounding; no balance is negative after a
    block; `balance_after` is the previous one plus `delta`; supplies and holder counts follow from the events and
    appear exactly when they change; every event belongs to a valid record or to the block's end, and every record has
    the events of its operation; keys are unique and dense; hashes chain; rows of modules agree with each other and with
    the records.
    """
    _Audit(opening).run(judged)


def assert_same(first: Judged, second: Judged) -> None:
    """Assert that two results are equal row for row, naming the first row that differs."""
    assert first.modules.keys() == second.modules.keys()
    names = ("blocks", "operations", "balance_events", "tokens", "supplies")
    tables = [(name, getattr(first, name), getattr(second, name)) for name in names]
    for name, left, right in [*tables, *((name, first.modules[name], second.modules[name]) for name in first.modules)]:
        if left.equals(right):
            continue
        for row, (a, b) in enumerate(zip(left.to_pylist(), right.to_pylist(), strict=False)):
            differing = {key: (a[key], b[key]) for key in a if a[key] != b[key]}
            assert not differing, f"{name}, row {row}: {differing} in {a}"
        raise AssertionError(f"{name}: {left.num_rows} rows, {right.num_rows} rows, or other types")


class _Audit:
    def __init__(self, opening: State | None) -> None:
        self.balances: dict[Account, int] = {}
        self.supplies: dict[str, Row] = {}
        self.tokens: dict[str, Row] = {}
        self.cumulative = ""
        self.height: int | None = None
        self.txids: set[tuple[str, int]] = set()
        self.modules = ModuleTables(opening)
        if opening is not None:
            self.balances = {(row["ticker"], row["address"]): row["balance"] for row in units_of(opening.balances)}
            self.supplies = {row["ticker"]: row for row in units_of(opening.supplies)}
            self.tokens = {row["ticker"]: row for row in units_of(opening.tokens)}
            self.cumulative, self.height = opening.cumulative_hash, opening.height
        self.totals = {
            name: defaultdict(int, {ticker: row[name] for ticker, row in self.supplies.items()})
            for name in ("minted", "burned", "rounding")
        }

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
            self.modules.load(judged.modules)
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
            self.modules.finished()

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
        settled = self.modules.block(block["height"], operations)
        self._hashes(block, operations, self._end_lines(settled, events))
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

    def _end_lines(self, settled: Mapping[int, Row], events: Sequence[Row]) -> list[str] | None:
        """Lines of the block's end by its events; None when `y` tokens were paid, which leave no events."""
        pools = self.modules.latest["pools"]
        due = [(row, ticker) for row in settlement_order(settled) for ticker in paid_sides(row, pools)]
        if any(ticker.startswith("y") for _, ticker in due):
            return None
        lines, sides = [], iter(due)
        for event in events:
            if event["cause"] == "rounding":
                lines.append(f"rounding;;;{event['ticker']};{_amount(event['delta'])};;{event['address']}")
            if event["cause"] == "expiry":
                owner, ticker = event["address"], event["ticker"]
                owed = (row for row, side in sides if (row["owner_address"], side) == (owner, ticker))
                position = next(owed, None)
                assert position is not None, f"nothing is owed to {owner}"
                outpoint, pool = f"{position['txid']};{position['vout']}", f"POOL::{position['pool']}"
                lines.append(f"expiry;{outpoint};{ticker};{_amount(event['delta'])};{pool};{owner}")
        return lines

    def _hashes(self, block: Row, operations: list[Row], end: list[str] | None) -> None:
        lines = [";".join(_text(row, name) for name in _EVENT_FIELDS) for row in operations if row["valid"]]
        assert end is None or block["event_hash"] == _sha256("\n".join([*lines, *end]))
        records = [
            ";".join(_text(row, name) for name in (*_VERDICT_FIELDS, *(() if row["valid"] else _EVENT_FIELDS)))
            for row in operations
        ]
        assert block["record_hash"] == _sha256("\n".join([block["event_hash"], *records]))
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
        causes: dict[int | None, list[Row]] = defaultdict(list)
        slack = sum(event["cause"] not in (*TRANSFER, "mint", "mint_stones") for event in events)
        for event in events:
            account = (event["ticker"], event["address"])
            assert event["balance_after"] == self.balances.get(account, 0) + event["delta"], account
            assert event["balance_after"] >= -slack, f"{account} is negative"
            is_end = event["op_index"] is None
            assert is_end == (event["cause"] in ("rounding", *EXPIRY)) == (event["tx_index"] is None)
            assert (event["script"] is None) == event["address"].startswith("POOL::")
            self.balances[account] = event["balance_after"]
            causes[event["op_index"]].append(event)
        order = [len(operations) if index is None else index for index in causes]
        assert order == sorted(order), "events are not in processing order"
        _assert_balanced([event for event in causes.pop(None, []) if event["cause"] != "rounding"])
        for row in operations:
            _assert_effect(row, causes.pop(row["op_index"], []))
        assert not causes, "events of records that do not exist"
        for account in {(event["ticker"], event["address"]) for event in events}:
            assert self.balances[account] >= 0, f"{account} is negative after the block"

    def _supplies(self, events: list[Row], supplies: list[Row]) -> None:
        for event in events:
            if event["cause"] in MINTS:
                self.totals["minted"][event["ticker"]] += event["delta"]
            if event["cause"] == "wrap_burn":
                self.totals["burned"][event["ticker"]] -= event["delta"]
            if event["cause"] == "rounding":
                self.totals["rounding"][event["ticker"]] += event["delta"]
        assert [row["ticker"] for row in supplies] == sorted({row["ticker"] for row in supplies})
        changed = {row["ticker"]: row for row in supplies}
        for ticker in {event["ticker"] for event in events}:
            balances = [balance for (held_ticker, _), balance in self.balances.items() if held_ticker == ticker]
            before = self.supplies.get(ticker, _NOTHING)
            now = before | changed.pop(ticker, {})
            for name, total in self.totals.items():
                assert now[name] == total[ticker], (name, ticker)
            assert now["holders"] == sum(balance > 0 for balance in balances)
            supply = now["minted"] - now["burned"] + now["rounding"]
            assert sum(balances) + self.modules.held(ticker) == supply, f"{ticker} is not conserved"
            appears = any(row["ticker"] == ticker for row in supplies)
            assert appears == any(now[name] != before[name] for name in _NOTHING), f"supply row of {ticker}"
            token = self.tokens.get(ticker)
            is_wrap = token is not None and token["max_supply"] == token["limit_per_mint"] == 0
            has_program = (ticker,) in self.modules.latest["programs"]
            if token is not None and not is_wrap and not has_program and ticker != "STONES":
                assert now["minted"] - now["burned"] <= token["max_supply"]
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
    assert all(event["tx_index"] == row["tx_index"] for event in events), row
    causes = [event["cause"] for event in events]
    if row["multi"]:
        _assert_plain_effect(row, events)
    elif row["operation"] == "swap_init":
        assert causes in ([], ["swap_init", "swap_init"], ["stake"]), row
        assert (not events) == row["ticker"].startswith("y")
        assert all(abs(event["delta"]) == row["amount"] and event["ticker"] == row["ticker"] for event in events), row
        assert [event["address"] for event in events[:1]] in ([], [row["from_address"]]), row
    elif row["operation"] == "swap_exe" and row["ticker"].startswith("y"):
        assert causes in ([], ["unstake"], ["reward"], ["unstake", "reward"]), row
        assert all(event["address"] == row["from_address"] for event in events), row
    elif row["operation"] == "swap_exe":
        assert set(causes) <= set(TRADE), row
        _assert_balanced(events)
    elif row["operation"] == "burn":
        burned = [("wrap_burn", row["from_address"], -row["amount"])] if row["amount"] else []
        assert [(event["cause"], event["address"], event["delta"]) for event in events] == burned, row
    else:
        _assert_plain_effect(row, events)


def _assert_plain_effect(row: Row, events: list[Row]) -> None:
    assert all(event["ticker"] == row["ticker"] for event in events), row
    if row["operation"] in MINTS and not row["multi"]:
        causes = [event["cause"] for event in events]
        nothing = row["ticker"] == "W" and row["amount"] == 0 and not events
        assert causes in ([row["operation"]], ["wrap_mint"]) or nothing, row
        assert all((each["address"], each["delta"]) == (row["to_address"], row["amount"]) for each in events), row
    elif row["ticker"].startswith("y"):
        assert not events, row
    else:
        assert len(events) == len(TRANSFER), row
        debit, credit = events
        assert (debit["cause"], credit["cause"]) == TRANSFER
        assert debit["delta"] == -credit["delta"] <= 0
        assert credit["address"] == row["to_address"]
        assert row["from_address"] in (None, debit["address"])
        assert row["amount"] in (None, credit["delta"])


def _assert_balanced(events: Sequence[Row]) -> None:
    """What leaves an account arrives at another."""
    sums: dict[str, int] = defaultdict(int)
    for event in events:
        sums[event["ticker"]] += event["delta"]
    assert not any(sums.values()), events


def _by_height(table: pa.Table, key: str) -> dict[int, list[Row]]:
    rows: dict[int, list[Row]] = defaultdict(list)
    previous = None
    for row in units_of(table):
        assert previous is None or previous <= row[key], f"not sorted by {key}"
        previous = row[key]
        rows[previous].append(row)
    return dict(rows)


_NOTHING: Row = {"minted": 0, "burned": 0, "rounding": 0, "holders": 0}
_EVENT_FIELDS = ("operation", "txid", "vout", "ticker_text", "amount", "from_address", "to_address")
_VERDICT_FIELDS = ("valid", "step", "code", "step_code")


def _text(row: Row, name: str) -> str:
    value = row[name]
    if value is None:
        return ""
    if name == "amount":
        return _amount(value)
    return str(int(value) if isinstance(value, bool) else value)


def _amount(units: int) -> str:
    return f"{'-' if units < 0 else ''}{abs(units) // 10**8}.{abs(units) % 10**8:08d}"


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
