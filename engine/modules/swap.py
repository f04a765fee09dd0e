"""Liquidity positions and trades against them (R-SWAP-*)."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, Overflow
from functools import partial
from typing import Any, Final, Protocol, cast

import pyarrow as pa
import pyarrow.compute as pc

from engine.modules.decimals import fifty_digits, is_storable, plain, q8, recorded
from engine.modules.exchange import Exchange, carry_out, match, pay
from engine.modules.expiry import settle
from engine.modules.orders import SWAP, Deposit, Order, Refusal, read_deposit, read_order, unstorable
from engine.modules.pools import ACTIVE, EXPIRED, Indices, Pool, Position, Row, new_pool, pool_id, pool_of, position_of
from engine.modules.registry import Account, Ledger, Operation, Outcome, Phase, StateTable, Uncovered
from engine.modules.trade import multiplier_for, units_for
from engine.schemas import AMOUNT
from engine.verdicts import Code
from ingest.candidates import column
from ingest.networks import Network

_HEIGHT: Final = column("height", pa.int32(), "Height after which the row holds.")
_LOG_HEIGHT: Final = column("height", pa.int32(), "Height of the block.")
_OP_INDEX: Final = column("op_index", pa.int32(), "Record of the `exe` in its block.")


def _sides(name: str, doc: str) -> tuple[pa.Field, pa.Field]:
    return column(f"{name}_a", AMOUNT, f"{doc}, side a."), column(f"{name}_b", AMOUNT, f"{doc}, side b.")


POOLS: Final = StateTable(
    "pools",
    "a pool in each block that changed it",
    pa.schema(
        [
            _HEIGHT,
            column("pool", pa.string(), "Pool id: token A, a hyphen, token B (R-SWAP-POOL-1)."),
            column("token_a", pa.string(), "The pool's first ticker in code-point order."),
            column("token_b", pa.string(), "The pool's second ticker."),
            *_sides("liquidity", "Total liquidity deposited and not paid out as principal (R-SWAP-LP-2)"),
            *_sides("units", "Total LP units (R-SWAP-LP-1)"),
            *_sides("fees", "Fees collected and not yet paid out (R-SWAP-LP-3)"),
            *_sides("fee_per_share", "Fees per LP unit since the pool exists (R-SWAP-LP-3)"),
            *_sides(
                "reserve",
                "What active positions offer (R-SWAP-EXE-3), at most what fits; that of a `y` ticker grows by itself",
            ),
        ]
    ),
    ("pool",),
)

POSITIONS: Final = StateTable(
    "positions",
    "a liquidity position in each block that changed it",
    pa.schema(
        [
            _HEIGHT,
            column("position_id", pa.int64(), "Number of the position in order of opening, from 1."),
            column("txid", pa.string(), "Transaction of the `init`, 64 hex digits."),
            column("vout", pa.int32(), "Protocol output of the `init`."),
            column("owner_address", pa.string(), "Who locked the tokens and gets them back."),
            column("owner_script", pa.binary(), "Output script of the owner."),
            column("pool", pa.string(), "Pool id."),
            column("source", pa.string(), "Ticker that was locked."),
            column("destination", pa.string(), "Ticker that trades pay for it."),
            column("amount", AMOUNT, "Amount locked at first."),
            column("locked", AMOUNT, "Amount still locked; once expired, what was locked at that moment."),
            column("lock_blocks", pa.int32(), "Blocks for which the tokens are locked."),
            column("start_height", pa.int32(), "Height of the `init`."),
            column("unlock_height", pa.int32(), "Height at whose end the position is settled."),
            column("status", pa.string(), "active, closed (all was sold) or expired (settled)."),
            column("closed_height", pa.int32(), "Height at which it stopped being active.", nullable=True),
            *_sides("units", "LP units; zero once settled"),
            *_sides("entry", "Fee per share when the position was opened"),
            column("multiplier", AMOUNT, "Multiplier of rewards (R-SWAP-LP-5)."),
            *_sides("reward", "Fees paid out to the owner; -0.00000001 where rounding left less than nothing"),
            *_sides("accumulated", "Received in trades; zero once closed"),
            column(
                "index_at_lock",
                pa.string(),
                "Liquidity index when the position was opened, 27 decimals; null unless the source is a `y` ticker.",
                nullable=True,
            ),
        ]
    ),
    ("position_id",),
)

EXECUTIONS: Final = StateTable(
    "executions",
    "an executed trade",
    pa.schema(
        [
            _LOG_HEIGHT,
            _OP_INDEX,
            column("txid", pa.string(), "Transaction of the `exe`, 64 hex digits."),
            column("vout", pa.int32(), "Protocol output of the `exe`."),
            column("executor_address", pa.string(), "Who traded."),
            column("executor_script", pa.binary(), "Output script of the executor."),
            column("pool", pa.string(), "Pool id."),
            column("source", pa.string(), "Ticker that the executor sold."),
            column("destination", pa.string(), "Ticker that the executor bought."),
            column("requested", AMOUNT, "Amount that was offered for sale."),
            column("slippage", pa.string(), "Most slippage that was tolerated, in percent, as a decimal."),
            column("used", AMOUNT, "Amount that was sold."),
            column("received", AMOUNT, "Amount that was bought, fee included."),
            column("fee", AMOUNT, "Fee, in the ticker that was bought (R-SWAP-CALC-1)."),
            column("fills", pa.int32(), "Positions that gave."),
            column("partial", pa.bool_(), "Whether the slippage allowed only a part of what was requested."),
        ]
    ),
    ("height", "op_index"),
    is_log=True,
)

FILLS: Final = StateTable(
    "fills",
    "what one position gave in an executed trade",
    pa.schema(
        [
            _LOG_HEIGHT,
            _OP_INDEX,
            column("fill", pa.int32(), "Place of the position in the trade, from 0."),
            column("position_id", pa.int64(), "The position."),
            column("taken", AMOUNT, "Amount that left the position."),
            column("given", AMOUNT, "Amount that the position received for it."),
            column("closed", pa.bool_(), "Whether the position sold out."),
        ]
    ),
    ("height", "op_index", "fill"),
    is_log=True,
)

INIT: Final = "swap_init"
EXE: Final = "swap_exe"

_DEPLOYED_IN_THE_BLOCK: Final = 28
_Y_TICKER: Final = 43
_ONE_TICKER: Final = 49


class Curves(Protocol):
    """What the curve module tells about the tickers that it keeps."""

    def index(self, ticker: str) -> Decimal:
        """The liquidity index as stored."""

    def advance(self, ticker: str, height: int) -> None:
        """Advance the index to a block (R-CURVE-IDX-1)."""


class Swap:
    """The swap module."""

    name = SWAP
    priority = 2
    phase: Phase | None = Phase.EXPIRY
    causes: Mapping[str, str] = {
        INIT: "Tokens locked in a position: from the owner to the pool.",
        "swap_in": "What an executor sold, and what each position received of it.",
        "swap_out": "What an executor bought, the fee included: from the pool to the executor.",
        "swap_fee": "The fee of a trade: from the executor to the pool.",
        "swap_return": "What a position that sold out had received in trades: from the pool to the owner.",
        "expiry_accumulated": "What a position received in trades, out of the pool at the unlock height.",
        "expiry_principal": "What was left of the locked tokens, out of the pool at the unlock height.",
        "expiry_reward": "A position's share of the fees, out of the pool at the unlock height.",
        "expiry": "All that the pool paid for a position at the unlock height, to the owner.",
    }
    tables: Sequence[StateTable] = (POOLS, POSITIONS, EXECUTIONS, FILLS)

    def __init__(self, network: Network) -> None:
        self._activation = network.swap_exe_height
        self._pools: dict[str, Pool] = {}
        self._due: dict[int, list[Position]] = {}
        """Positions to settle at the end of a block, in order of opening."""
        self._next_id = 1
        self._touched_pools: dict[str, Pool] = {}
        self._touched_positions: dict[Position, Row | None] = {}
        """What the block may change; positions with what they were before, None for new ones."""
        self._rows: dict[str, list[Row]] = {table.name: [] for table in self.tables}

    def claims(self, operation: Operation, ledger: Ledger) -> bool:
        """Every swap; the curve module is asked before and takes stakes and claims (R-SWAP-ROUTE-4)."""
        return operation.name == SWAP

    @fifty_digits
    def apply(self, operation: Operation, ledger: Ledger) -> Outcome:
        """Judge a swap (R-SWAP-ROUTE-1)."""
        if operation.members.get("init") is not None:
            name, judge = INIT, self._init
        elif operation.members.get("exe") is not None:
            name, judge = EXE, self._exe
        else:
            return Outcome(Code.SWAP_MISSING_FIELDS, SWAP, sender=operation.sender)
        try:
            return judge(operation, ledger)
        except Refusal as refusal:
            amount = None if refusal.amount is None else recorded(refusal.amount)
            tags = frozenset(refusal.tags)
            name = refusal.operation or name
            return Outcome(refusal.code, name, refusal.ticker, amount, operation.sender, tags=tags)

    def _init(self, operation: Operation, ledger: Ledger) -> Outcome:
        """R-SWAP-INIT-1 and R-SWAP-INIT-2."""
        deposit = read_deposit(operation.members)
        owner = _check(deposit, operation.sender, ledger)
        source, destination, amount, lock = deposit
        pool = self._pools.get(pool_id(source, destination)) or new_pool(source, destination)
        if source == destination or not pool.trades(source, destination):
            raise Refusal(Code.INVALID_OPERATION, source, amount, tags=(_ONE_TICKER,))
        number = pool.side(source)
        side = pool.sides[number]
        try:
            units = units_for(amount, side.units, side.liquidity)
        except Overflow:
            raise unstorable(deposit) from None
        if not is_storable(side.units + units) or not is_storable(side.liquidity + amount):
            raise unstorable(deposit)
        index = None
        if ledger.is_kept(source):
            _curves(ledger).advance(source, ledger.height)
            index = _curves(ledger).index(source)
        ledger.move(source, owner, pool.account, amount, INIT)
        position = Position(
            id=self._next_id,
            txid=operation.txid,
            vout=operation.vout,
            owner=owner,
            pool=pool,
            side=number,
            amount=amount,
            locked=amount,
            lock=lock,
            start=ledger.height,
            unlock=ledger.height + lock,
            units=units,
            entry=[each.fee_per_share for each in pool.sides],
            multiplier=multiplier_for(lock),
            index=index,
        )
        self._next_id += 1
        side.units += units
        side.liquidity += amount
        self._pools[pool.id] = self._touched_pools[pool.id] = pool
        self._touched_positions[position] = None
        self._enter(position)
        return Outcome(None, INIT, source, amount, owner, tags=_tags_of_init(source, ledger))

    def _enter(self, position: Position) -> None:
        """Let a position into its pool, and into the block that settles it."""
        if position.status == ACTIVE:
            position.pool.open(position)
        self._due.setdefault(position.unlock, []).append(position)

    def _exe(self, operation: Operation, ledger: Ledger) -> Outcome:
        """R-SWAP-EXE-1 and R-SWAP-EXE-8."""
        if ledger.height < self._activation:
            raise Refusal(Code.SWAP_NOT_ACTIVATED)
        order = read_order(operation.members)
        executor = _check(order, operation.sender, ledger)
        pool = self._pools.get(pool_id(order.source, order.destination))
        if pool is None or not pool.trades(order.source, order.destination):
            raise Refusal(Code.SWAP_NO_MATCHING_POSITIONS, order.source, order.amount)
        exchange = match(pool, order, ledger.height, _indices(pool, ledger))
        try:
            pay(exchange, executor, ledger)
        except Uncovered:
            raise Refusal(Code.UNKNOWN_PROCESSING_ERROR, order.source, order.amount) from None
        self._touch(pool, (each.position for each in exchange.fills))
        carry_out(exchange, ledger.height)
        self._log(exchange, executor, operation)
        tags = {_Y_TICKER} if ledger.is_kept(order.destination) else ()
        return Outcome(None, EXE, order.source, exchange.used, executor, tags=frozenset(tags))

    def _log(self, exchange: Exchange, executor: Account, operation: Operation) -> None:
        """Write down a trade and what it changed."""
        pool, order = exchange.pool, exchange.order
        self._rows[EXECUTIONS.name].append(
            {
                "op_index": operation.op_index,
                "txid": operation.txid,
                "vout": operation.vout,
                "executor_address": executor.address,
                "executor_script": executor.script,
                "pool": pool.id,
                "source": order.source,
                "destination": order.destination,
                "requested": q8(order.amount),
                "slippage": plain(order.slippage),
                "used": q8(exchange.used),
                "received": q8(exchange.received),
                "fee": q8(exchange.trade.fee),
                "fills": len(exchange.fills),
                "partial": exchange.trade.is_partial,
            }
        )
        self._rows[FILLS.name] += [
            {
                "op_index": operation.op_index,
                "fill": place,
                "position_id": each.position.id,
                "taken": q8(each.taken),
                "given": q8(each.given),
                "closed": each.closes,
            }
            for place, each in enumerate(exchange.fills)
        ]

    @fifty_digits
    def end_of_block(self, ledger: Ledger) -> Sequence[str]:
        """Settle what is due, then round. The first pool is settled with the block's unrounded values
        (R-SWAP-EXP-2, R-SWAP-STATE-5 b)."""
        groups: dict[str, list[Position]] = {}
        for position in self._due.pop(ledger.height, ()):
            groups.setdefault(position.pool.id, []).append(position)
        lines: list[str] = []
        for place, (name, group) in enumerate(groups.items()):
            if place == 1:
                self.round()
            pool = self._pools[name]
            self._touch(pool, group)
            lines += settle(pool, group, _indices(pool, ledger), ledger)
        self.round()
        self._rows[POOLS.name] = [
            row for pool in self._touched_pools.values() if (row := pool.version(_indices(pool, ledger)))
        ]
        versions = {position: position.row() for position in self._touched_positions}
        self._rows[POSITIONS.name] = [row for each, row in versions.items() if row != self._touched_positions[each]]
        return lines

    def _touch(self, pool: Pool, positions: Iterable[Position]) -> None:
        """Remember what the block may change."""
        self._touched_pools[pool.id] = pool
        for position in positions:
            if position not in self._touched_positions:
                self._touched_positions[position] = position.row()

    def round(self) -> None:
        """Round what the block changed to stored precision (R-SWAP-STATE-5)."""
        for pool in self._touched_pools.values():
            pool.round()
        for position in self._touched_positions:
            position.round()

    def drain(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Rows of the block just finished."""
        rows, self._rows = self._rows, {table.name: [] for table in self.tables}
        self._touched_pools, self._touched_positions = {}, {}
        return rows

    def restore(self, tables: Mapping[str, pa.Table]) -> None:
        """Continue from the latest versions of pools and positions."""
        pools, positions = tables[POOLS.name], tables[POSITIONS.name]
        self._pools = {row["pool"]: pool_of(row) for row in pools.to_pylist()}
        self._next_id = (pc.max(positions["position_id"]).as_py() or 0) + 1
        for row in positions.filter(pc.field("status") != EXPIRED).sort_by("position_id").to_pylist():
            self._enter(position_of(row, self._pools[row["pool"]]))


def _check(request: Deposit | Order, sender: Account | None, ledger: Ledger) -> Account:
    """Rows 9 and 11 to 13 of R-SWAP-INIT-1, which are 7 to 9 of R-SWAP-EXE-1; the sender. Raises Refusal."""
    refuse = partial(Refusal, ticker=request.source, amount=request.amount)
    if sender is None:
        raise refuse(Code.NO_VALID_RECEIVER)
    if not ledger.is_deployed(request.source) or not ledger.is_deployed(request.destination):
        raise refuse(Code.TICKER_NOT_DEPLOYED)
    if ledger.balance(request.source, sender) < request.amount:
        raise refuse(Code.SWAP_INSUFFICIENT_BALANCE)
    return sender


def _curves(ledger: Ledger) -> Curves:
    return cast(Curves, ledger.other("curve"))


def _indices(pool: Pool, ledger: Ledger) -> Indices:
    a, b = (_curves(ledger).index(side.token) if ledger.is_kept(side.token) else None for side in pool.sides)
    return a, b


def _tags_of_init(source: str, ledger: Ledger) -> frozenset[int]:
    if ledger.is_kept(source):
        return frozenset({_Y_TICKER})
    token = ledger.token(source)
    return frozenset({_DEPLOYED_IN_THE_BLOCK} if token is not None and token.height == ledger.height else ())


MODULE = Swap
