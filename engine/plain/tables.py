"""Between the plain path's objects and the tables of `engine.schemas`."""

from typing import Any, Final

import pyarrow as pa

from engine.modules.registry import StateTable, installed
from engine.plain.accounts import Account
from engine.plain.decimals import tokens, units
from engine.plain.ledger import Balance, BlockInProgress, Ledger, Supply, Token
from engine.plain.parties import Party
from engine.plain.programs import Program
from engine.plain.records import Event, Record, divergence
from engine.plain.swap_state import Pool, Position
from engine.plain.vaults import Vault
from engine.plain.versions import Row, Versions
from engine.schemas import BALANCE_EVENTS, BALANCES, BLOCKS, OPERATIONS, SUPPLIES, TOKENS, Judged, State

MODULE_TABLES: Final = installed().tables
"""Names and columns of the tables of modules: all that both judging paths share of them."""
ROWS: Final[dict[str, type[Row]]] = {
    "pools": Pool,
    "positions": Position,
    "programs": Program,
    "accounts": Account,
    "vaults": Vault,
}
"""What the values of a module's table are."""


class Rows:
    """Rows of the tables of a range of blocks."""

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []
        self.operations: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.tokens: list[dict[str, Any]] = []
        self.supplies: list[dict[str, Any]] = []
        self.modules: dict[str, list[dict[str, Any]]] = {table.name: [] for table in MODULE_TABLES}

    def add_block(self, header: dict[str, Any], block: BlockInProgress) -> None:
        """Append what a judged block leaves; `header` holds the columns of BLOCKS that are no counts of it."""
        counts = {
            "operations": len(block.records),
            "valid_operations": sum(record.valid for record in block.records),
            "balance_events": len(block.events),
        }
        self.blocks.append(header | counts)
        self.operations += [_operation_row(block, index, record) for index, record in enumerate(block.records)]
        self.events += [_event_row(block.height, sequence, event) for sequence, event in enumerate(block.events)]
        ledger = block.ledger
        deployed = (ledger.tokens[ticker] for ticker in ledger.tokens.changed())
        self.tokens += [_token_row(token) for token in sorted(deployed, key=lambda token: token.op_index)]
        supplies = sorted(ledger.supplies.changed(absent=Supply()))
        self.supplies += [_supply_row(ticker, ledger.supplies[ticker]) for ticker in supplies]
        for table in MODULE_TABLES:
            self.modules[table.name] += _module_rows(table, block)

    def tables(self) -> Judged:
        return Judged(
            blocks=pa.Table.from_pylist(self.blocks, BLOCKS),
            operations=pa.Table.from_pylist(self.operations, OPERATIONS),
            balance_events=pa.Table.from_pylist(self.events, BALANCE_EVENTS),
            tokens=pa.Table.from_pylist(self.tokens, TOKENS),
            supplies=pa.Table.from_pylist(self.supplies, SUPPLIES),
            modules={
                table.name: pa.Table.from_pylist(self.modules[table.name], table.schema) for table in MODULE_TABLES
            },
        )


def state_of(ledger: Ledger, height: int | None, block_hash: str | None, cumulative: str) -> State:
    """The ledger as tables."""
    accounts = sorted(ledger.balances.items(), key=lambda item: (item[0][0], item[0][1].address))
    deploys = sorted(ledger.tokens.values(), key=lambda token: (token.height, token.op_index))
    return State(
        height=height,
        hash=block_hash,
        cumulative_hash=cumulative,
        balances=pa.Table.from_pylist(
            [
                {"ticker": ticker, "address": party.address, "script": party.script, "balance": balance.exact}
                for (ticker, party), balance in accounts
            ],
            BALANCES,
        ),
        tokens=pa.Table.from_pylist([_token_row(token) for token in deploys], TOKENS),
        supplies=pa.Table.from_pylist(
            [
                _supply_row(ticker, supply)
                for ticker, supply in sorted(ledger.supplies.items())
                if supply.height is not None
            ],
            SUPPLIES,
        ),
        modules={
            table.name: pa.Table.from_pylist(_latest(ledger.modules[table.name]), table.schema)
            for table in MODULE_TABLES
            if not table.is_log
        },
    )


def _latest(versions: Versions[Any, Any]) -> list[dict[str, Any]]:
    return [{"height": versions.heights[key]} | versions[key].columns() for key in sorted(versions)]


def ledger_of(state: State) -> Ledger:
    """The reverse of `state_of`."""
    ledger = Ledger()
    for row in state.balances.to_pylist():
        party = Party(row["address"], row["script"])
        balance = Balance(row["balance"], units(row["balance"]))
        ledger.balances.restore((row["ticker"], party), balance, state.height or 0)
    for row in state.tokens.to_pylist():
        ledger.tokens.restore(row["ticker"], _token(row), row["deploy_height"])
    for row in state.supplies.to_pylist():
        minted, burned, rounding = (units(row[name]) for name in ("minted", "burned", "rounding"))
        supply = Supply(minted, burned, rounding, row["holders"], row["height"])
        ledger.supplies.restore(row["ticker"], supply, row["height"])
    for name, kind in ROWS.items():
        for row in state.modules[name].to_pylist() if name in state.modules else []:
            value = kind.of(row)
            ledger.modules[name].restore(value.key, value, row["height"])
    return ledger


def _module_rows(table: StateTable, block: BlockInProgress) -> list[dict[str, Any]]:
    """What the block adds to a module's table: its happenings, or a version of each key that it changed."""
    if table.is_log:
        rows = block.logs[table.name]
    else:
        versions = block.ledger.modules[table.name]
        rows = [versions[key].columns() for key in sorted(versions.changed())]
    return [{"height": block.height} | row for row in rows]


def _operation_row(block: BlockInProgress, op_index: int, record: Record) -> dict[str, Any]:
    return {
        "height": block.height,
        "op_index": op_index,
        "block_time": block.time,
        "tx_index": record.tx_index,
        "txid": record.txid,
        "vout": record.vout,
        "step": record.step,
        "operation": record.operation,
        "ticker": record.ticker,
        "ticker_text": record.ticker_text,
        "amount": None if record.amount is None else tokens(record.amount),
        **_party_columns("from", record.sender),
        **_party_columns("to", record.recipient),
        "valid": record.valid,
        "code": record.code,
        "step_code": record.step_code,
        "divergence": divergence(record.decisions),
        "marketplace": record.marketplace,
        "multi": record.multi,
        "payload": record.payload,
    }


def _event_row(height: int, sequence: int, event: Event) -> dict[str, Any]:
    return {
        "height": height,
        "sequence": sequence,
        "op_index": event.op_index,
        "tx_index": event.tx_index,
        "ticker": event.ticker,
        "address": event.party.address,
        "script": event.party.script,
        "delta": tokens(event.delta),
        "balance_after": tokens(event.balance_after),
        "cause": event.cause,
    }


def _token_row(token: Token) -> dict[str, Any]:
    return {
        "ticker": token.ticker,
        "max_supply": tokens(token.max_supply),
        "limit_per_mint": None if token.limit is None else tokens(token.limit),
        "deploy_height": token.height,
        "deploy_op_index": token.op_index,
        "deploy_txid": token.txid,
        "deploy_time": token.time,
        **_party_columns("deployer", token.deployer),
    }


def _token(row: dict[str, Any]) -> Token:
    address, limit = row["deployer_address"], row["limit_per_mint"]
    return Token(
        ticker=row["ticker"],
        max_supply=units(row["max_supply"]),
        limit=None if limit is None else units(limit),
        height=row["deploy_height"],
        op_index=row["deploy_op_index"],
        txid=row["deploy_txid"],
        time=row["deploy_time"],
        deployer=None if address is None else Party(address, row["deployer_script"]),
    )


def _supply_row(ticker: str, supply: Supply) -> dict[str, Any]:
    return {
        "height": supply.height,
        "ticker": ticker,
        "minted": tokens(supply.minted),
        "burned": tokens(supply.burned),
        "rounding": tokens(supply.rounding),
        "holders": supply.holders,
    }


def _party_columns(role: str, party: Party | None) -> dict[str, Any]:
    return {
        f"{role}_address": None if party is None else party.address,
        f"{role}_script": None if party is None else party.script,
    }
