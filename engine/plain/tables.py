"""Between the plain path's objects and the tables of `engine.schemas`."""

from collections import defaultdict
from decimal import Context, Decimal
from typing import Any, Final

import pyarrow as pa

from engine.plain.ledger import BlockInProgress, Ledger, Supply, Token
from engine.plain.parties import Party
from engine.plain.records import Event, Record, divergence
from engine.schemas import BALANCE_EVENTS, BALANCES, BLOCKS, OPERATIONS, SUPPLIES, TOKENS, Judged, State
from ingest.networks import DECIMALS

_EXACT: Final = Context(prec=60)


class Rows:
    """Rows of the tables of a range of blocks."""

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []
        self.operations: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.tokens: list[dict[str, Any]] = []
        self.supplies: list[dict[str, Any]] = []

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
        deployed = (block.ledger.tokens[ticker] for ticker in block.deployed)
        self.tokens += [_token_row(token) for token in sorted(deployed, key=lambda token: token.op_index)]
        self.supplies += [_supply_row(ticker, supply) for ticker, supply in block.changed_supplies()]

    def tables(self) -> Judged:
        return Judged(
            blocks=pa.Table.from_pylist(self.blocks, BLOCKS),
            operations=pa.Table.from_pylist(self.operations, OPERATIONS),
            balance_events=pa.Table.from_pylist(self.events, BALANCE_EVENTS),
            tokens=pa.Table.from_pylist(self.tokens, TOKENS),
            supplies=pa.Table.from_pylist(self.supplies, SUPPLIES),
        )


def state_of(ledger: Ledger, height: int | None, block_hash: str | None, cumulative: str) -> State:
    """The ledger as tables."""
    accounts = sorted(ledger.balances.items(), key=lambda item: (item[0][0], item[0][1].address))
    tokens = sorted(ledger.tokens.values(), key=lambda token: (token.height, token.op_index))
    return State(
        height=height,
        hash=block_hash,
        cumulative_hash=cumulative,
        balances=pa.Table.from_pylist(
            [
                {"ticker": ticker, "address": party.address, "script": party.script, "balance": _tokens(balance)}
                for (ticker, party), balance in accounts
            ],
            BALANCES,
        ),
        tokens=pa.Table.from_pylist([_token_row(token) for token in tokens], TOKENS),
        supplies=pa.Table.from_pylist(
            [
                _supply_row(ticker, supply)
                for ticker, supply in sorted(ledger.supplies.items())
                if supply.height is not None
            ],
            SUPPLIES,
        ),
    )


def ledger_of(state: State) -> Ledger:
    """The reverse of `state_of`."""
    supplies: defaultdict[str, Supply] = defaultdict(Supply)
    for row in state.supplies.to_pylist():
        minted, burned, rounding = (_units(row[name]) for name in ("minted", "burned", "rounding"))
        supplies[row["ticker"]] = Supply(minted, burned, rounding, row["holders"], row["height"])
    return Ledger(
        balances={
            (row["ticker"], Party(row["address"], row["script"])): _units(row["balance"])
            for row in state.balances.to_pylist()
        },
        tokens={row["ticker"]: _token(row) for row in state.tokens.to_pylist()},
        supplies=supplies,
    )


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
        "amount": None if record.amount is None else _tokens(record.amount),
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
        "delta": _tokens(event.delta),
        "balance_after": _tokens(event.balance_after),
        "cause": event.cause,
    }


def _token_row(token: Token) -> dict[str, Any]:
    return {
        "ticker": token.ticker,
        "max_supply": _tokens(token.max_supply),
        "limit_per_mint": None if token.limit is None else _tokens(token.limit),
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
        max_supply=_units(row["max_supply"]),
        limit=None if limit is None else _units(limit),
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
        "minted": _tokens(supply.minted),
        "burned": _tokens(supply.burned),
        "rounding": _tokens(supply.rounding),
        "holders": supply.holders,
    }


def _party_columns(role: str, party: Party | None) -> dict[str, Any]:
    return {
        f"{role}_address": None if party is None else party.address,
        f"{role}_script": None if party is None else party.script,
    }


def _tokens(units: int) -> Decimal:
    return Decimal(units).scaleb(-DECIMALS, _EXACT)


def _units(tokens: Decimal) -> int:
    return int(tokens.scaleb(DECIMALS, _EXACT))
