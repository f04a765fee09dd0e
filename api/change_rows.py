"""Shapes of answers about changes of balances, and the names that clients know the steps of an operation by."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from api.rows import OPERATIONS_PER_BLOCK, Amount, Time, amount_text, time_text
from warehouse.change_log import POOL_ACCOUNT, Break, Change, Group, Kind, Statistics
from warehouse.sums import units_of

CHANGES_PER_BLOCK: Final = 10_000_000

ACTIONS: Final = MappingProxyType(
    {
        Kind("swap_init", pool=False): "debit_user_balance",
        Kind("swap_init", pool=True): "credit_pool_liquidity",
        Kind("swap_in", pool=False): "debit_executor_balance",
        Kind("swap_in", pool=True): "credit_pool_accumulated_dst",
        Kind("swap_out", pool=True): "debit_pool_swap_out",
        Kind("swap_out", pool=False): "credit_executor_dst_balance",
        Kind("swap_fee", pool=False): "debit_executor_fees",
        Kind("swap_fee", pool=True): "credit_pool_fees",
        Kind("swap_return", pool=True): "debit_pool_accumulated_dst_closed",
        Kind("swap_return", pool=False): "credit_position_owner_closed",
        Kind("expiry_accumulated", pool=False): "debit_pool_accumulated_dst",
        Kind("expiry_principal", pool=False): "debit_pool_principal_reward",
        Kind("expiry_reward", pool=False): "debit_pool_rewards",
        Kind("expiry", pool=False): "credit_lp_principal_reward",
        Kind("stake", pool=False): "debit_staking_token",
        Kind("unstake", pool=False): "credit_principal",
        Kind("reward", pool=False): "mint_crv_rewards",
    }
)
"""What the predecessor calls our causes. Of all others the cause is the name."""

KINDS: Final = MappingProxyType({action: kind for kind, action in ACTIONS.items()})

CONSERVING: Final = ("swap_", "transfer_")
"""How causes begin that move tokens without making or destroying any."""


class Metadata(TypedDict):
    """What else is known of a change."""

    cause: Annotated[str, Field(description="As the table `balance_changes` names it.")]


class BalanceChange(TypedDict):
    """A change of a balance."""

    id: Annotated[int, Field(description="Height times 10,000,000 plus the place in the block.")]
    change_ref: Annotated[
        str,
        Field(description="`txid:vout:n` with n the place in the block; `block hash:n` of what a block's end does."),
    ]
    address: str
    ticker: str
    amount_delta: Annotated[str, Field(description="Signed, exact, 8 decimals.")]
    balance_before: Amount
    balance_after: Amount
    operation_type: Annotated[
        str, Field(description="The record's operation; `unlock` or `rounding` at the end of a block.")
    ]
    action: Annotated[str, Field(description="Step of the operation.")]
    txid: Annotated[str | None, Field(description="Null of what a block's end does.")]
    block_height: int
    block_hash: str
    tx_index: int | None
    operation_id: int | None
    swap_position_id: int | None
    swap_pool_id: Annotated[int | None, Field(description="Always null: pools have no number. `pool_id` names them.")]
    pool_id: str | None
    change_metadata: Metadata
    timestamp: Time


ByTicker = dict[str, Amount]


class ChangeGroup(TypedDict):
    """Changes that have something in common."""

    group_key: str | None
    count: int
    total_delta: Annotated[str, Field(description="Sum of the changes; of several tickers a number without a unit.")]
    total_delta_by_ticker: ByTicker
    min_block_height: int
    max_block_height: int
    unique_addresses: int
    unique_tickers: int


class ChangeGroups(TypedDict):
    """Groups of changes."""

    items: list[ChangeGroup]
    next_cursor: Annotated[str | None, Field(description="Where to go on; null at the end.")]


class ChangeStatistics(TypedDict):
    """All changes of balances there were."""

    total_changes: int
    by_operation_type: dict[str, int]
    by_action: dict[str, int]
    by_pool: dict[str, int]
    total_volume: Annotated[str, Field(description="Sum of all changes without their signs, unlike tokens added.")]
    total_volume_by_ticker: ByTicker
    period_start_block: int | None
    period_end_block: int | None
    unique_addresses: int
    unique_tickers: int
    unique_pools: int


class ChangeError(TypedDict):
    """A change that the balances do not bear out."""

    change_id: int
    address: str
    ticker: str
    expected_balance_after: Amount
    actual_balance_after: Amount
    difference: Amount


class ChangeWarning(TypedDict):
    """Tokens that came from nowhere, or went there."""

    ticker: str
    net_delta: Amount
    message: str


class Verification(TypedDict):
    """Whether changes follow from the balances before them, and what they add up to."""

    identifier: str
    found: bool
    total_changes: int
    errors: Annotated[list[ChangeError], Field(description="Balance before, taken from the ledger, plus change.")]
    warnings: Annotated[list[ChangeWarning], Field(description="What swaps and transfers made or destroyed.")]
    address_ticker_deltas: Annotated[dict[str, Amount], Field(description="`ADDRESS::TICKER` to net change.")]
    pool_deltas: Annotated[dict[str, ByTicker], Field(description="Account of a pool to ticker to net change.")]
    deploy_deltas: Annotated[ByTicker, Field(description="Ticker to net change of all accounts.")]


def action_of(kind: Kind) -> str:
    """What clients call a kind of change."""
    return ACTIONS.get(kind, kind.cause)


def kinds_of(action: str) -> tuple[Kind, ...]:
    """The kinds that an action means; no other name than the one of `action_of` counts."""
    if action in KINDS:
        return (KINDS[action],)
    kind = Kind(action, pool=False)
    return () if kind in ACTIONS or not action.isidentifier() else (kind,)


def change_id(change: Change) -> int:
    """The number of a change."""
    return change.height * CHANGES_PER_BLOCK + change.sequence


def change_row(change: Change) -> BalanceChange:
    """A change as clients know it."""
    pool = change.cause.startswith("swap_") and change.address.startswith(POOL_ACCOUNT)
    record = change.block_hash if change.txid is None else f"{change.txid}:{change.vout}"
    return BalanceChange(
        id=change_id(change),
        change_ref=f"{record}:{change.sequence}",
        address=change.address,
        ticker=change.ticker,
        amount_delta=change.delta,
        balance_before=change.before,
        balance_after=change.after,
        operation_type=change.operation_type,
        action=action_of(Kind(change.cause, pool)),
        txid=change.txid,
        block_height=change.height,
        block_hash=change.block_hash,
        tx_index=change.tx_index,
        operation_id=None if change.op_index is None else change.height * OPERATIONS_PER_BLOCK + change.op_index,
        swap_position_id=change.position_id,
        swap_pool_id=None,
        pool_id=change.pool,
        change_metadata=Metadata(cause=change.cause),
        timestamp=time_text(datetime.fromtimestamp(change.time, UTC)),
    )


def by_ticker(sums: dict[str, int]) -> ByTicker:
    """Units by ticker as amounts, in the order of tickers."""
    return {ticker: amount_text(sums[ticker]) for ticker in sorted(sums)}


def group_row(group: Group) -> ChangeGroup:
    """A group as clients know it."""
    key = action_of(group.key) if isinstance(group.key, Kind) else group.key
    return ChangeGroup(
        group_key=None if key is None else str(key),
        count=group.changes,
        total_delta=amount_text(sum(group.deltas.values())),
        total_delta_by_ticker=by_ticker(group.deltas),
        min_block_height=group.first,
        max_block_height=group.last,
        unique_addresses=group.addresses,
        unique_tickers=len(group.deltas),
    )


def statistics_row(found: Statistics) -> ChangeStatistics:
    """Statistics as clients know them."""
    return ChangeStatistics(
        total_changes=found.changes,
        by_operation_type=found.by_operation_type,
        by_action={action_of(kind): changes for kind, changes in found.by_kind.items()},
        by_pool=found.by_pool,
        total_volume=amount_text(sum(found.volumes.values())),
        total_volume_by_ticker=by_ticker(found.volumes),
        period_start_block=found.first,
        period_end_block=found.last,
        unique_addresses=found.addresses,
        unique_tickers=len(found.volumes),
        unique_pools=len(found.by_pool),
    )


def verification(identifier: str, changes: Sequence[Change], breaks: Sequence[Break]) -> Verification:
    """What there is to say about changes and those of them that are wrong."""
    accounts: dict[tuple[str, str], int] = {}
    totals: dict[str, int] = {}
    moved: dict[str, int] = {}
    pools: dict[str, dict[str, int]] = {}
    for change in changes:
        delta, ticker = units_of(change.delta), change.ticker
        accounts[change.address, ticker] = accounts.get((change.address, ticker), 0) + delta
        totals[ticker] = totals.get(ticker, 0) + delta
        if change.cause.startswith(CONSERVING):
            moved[ticker] = moved.get(ticker, 0) + delta
        if change.address.startswith(POOL_ACCOUNT):
            pool = pools.setdefault(change.address, {})
            pool[ticker] = pool.get(ticker, 0) + delta
    return Verification(
        identifier=identifier,
        found=bool(changes),
        total_changes=len(changes),
        errors=[_error(found) for found in breaks],
        warnings=[
            ChangeWarning(ticker=ticker, net_delta=amount_text(delta), message="moved, but not conserved")
            for ticker, delta in sorted(moved.items())
            if delta
        ],
        address_ticker_deltas={
            f"{address}::{ticker}": amount_text(sum_) for (address, ticker), sum_ in accounts.items()
        },
        pool_deltas={account: by_ticker(sums) for account, sums in sorted(pools.items())},
        deploy_deltas=by_ticker(totals),
    )


def _error(found: Break) -> ChangeError:
    change = found.change
    return ChangeError(
        change_id=change_id(change),
        address=change.address,
        ticker=change.ticker,
        expected_balance_after=amount_text(found.expected),
        actual_balance_after=change.after,
        difference=amount_text(units_of(change.after) - found.expected),
    )
