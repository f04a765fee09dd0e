"""Shapes of answers, and how they are made from what the warehouse knows. Field names are those that clients know."""

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from engine.tickers import STONES, WRAPPED
from ingest.networks import DECIMALS
from warehouse.histories import Operation
from warehouse.serving_map import Account, Supply
from warehouse.serving_view import Listed

UNIT: Final = 10**DECIMALS

Amount = Annotated[str, Field(description="Exact amount in tokens: plain notation, always 8 decimals.")]
Time = Annotated[str, Field(description="Block time: ISO 8601, UTC, whole seconds, ending in Z.")]


class TokenInfo(TypedDict):
    """A token and its supply."""

    ticker: str
    decimals: int
    max_supply: Amount
    limit_per_mint: Amount | None
    actual_deploy_txid_for_api: str
    deploy_tx_id: str
    deploy_block_height: int
    deploy_timestamp: str
    creator_address: str
    remaining_supply: Amount
    minted: Amount
    current_supply: Amount
    circulating_supply: Amount
    total_locked: Amount
    holders: int
    is_curve: bool


class Balance(TypedDict):
    """What an address holds of a token."""

    pkscript: Annotated[str, Field(description="Always empty.")]
    ticker: str
    wallet: str
    overall_balance: Amount
    available_balance: Amount
    block_height: Annotated[int, Field(description="Newest block that credited this balance, 0 when none did.")]


class HistoryRow(TypedDict):
    """A valid operation."""

    id: Annotated[int, Field(description="Height times 1,000,000 plus the place in the block's processing order.")]
    op_id: Annotated[str, Field(description="`txid:vout`, the operation's name that never changes.")]
    tx_id: str
    txid: str
    op: str
    ticker: str | None
    amount: Annotated[str | None, Field(description="Amount in tokens, 8 decimals; null when there is none.")]
    block_height: int
    block_hash: str
    tx_index: int
    timestamp: Time
    from_address: str | None
    to_address: str | None
    valid: bool
    is_marketplace: bool
    code: Annotated[str | None, Field(description="Why it was refused; null when it took effect.")]


class Envelope(TypedDict):
    """A whole list, or as much of it as the caller may have."""

    total_count: Annotated[int, Field(description="Rows there are, behind the cursor if one was sent.")]
    returned_count: int
    has_more: bool
    next_cursor: Annotated[str | None, Field(description="Where to go on; null at the end.")]


class TokenEnvelope(Envelope):
    """Tokens."""

    data: list[TokenInfo]


class BalanceEnvelope(Envelope):
    """Holders of a token."""

    data: list[Balance]


class HistoryEnvelope(Envelope):
    """Operations."""

    data: list[HistoryRow]


class VirtualHolders(TypedDict):
    """Holders with what positions lock beyond the balance of their pool."""

    holders: list[Balance]
    virtual_accounting: list[Balance] | None


class BalancesHash(TypedDict):
    """The hash by which two indexers compare all balances after a block."""

    height: int
    hash: Annotated[str, Field(description="Of the block.")]
    balances_hash: Annotated[str, Field(description="SHA-256 of all balances in canonical text, 64 hex digits.")]
    accounts: Annotated[int, Field(description="Accounts that hold something: lines of that text.")]


class Pending(TypedDict):
    """Whether a transfer waits in the node's mempool."""

    address: str
    ticker: str
    has_pending_transfer: bool


class ConcurrencyHealth(TypedDict):
    """How publishing goes, as this worker saw it since it started, for an hour at most."""

    status: Annotated[str, Field(description="healthy, or warning after a reorganisation.")]
    recent_conflicts: Annotated[int, Field(description="Always 0: a lake has one writer, who holds its lock.")]
    duplicate_blocks: Annotated[int, Field(description="Always 0: heights follow each other in every commit.")]
    potential_reorgs: Annotated[int, Field(description="Times that published blocks were taken back.")]
    last_processed_block: int
    processing_rate_blocks_per_hour: int
    optimistic_locking_enabled: bool
    reorg_detection_enabled: bool
    timestamp: Time


class BlockHashesRow(TypedDict):
    """The hashes by which two indexers compare a block."""

    height: int
    hash: str
    event_hash: str
    cumulative_hash: str
    record_hash: str


class IndexerStatus(TypedDict):
    """How far the indexer is."""

    current_block_height_network: Annotated[int | None, Field(description="The node's height; null when unknown.")]
    last_indexed_block_main_chain: int
    last_indexed_brc20_op_block: Annotated[int, Field(description="Newest block with any record, 0 when none has.")]
    lag: Annotated[int | None, Field(description="Blocks still to be indexed; null when the node's height is.")]
    network_height_error: Annotated[str | None, Field(description="Why the node's height is null.")]
    indexer: Annotated[
        str | None, Field(description="running, waiting, stopped or away; null when it never reported to the server.")
    ]
    indexer_error: Annotated[str | None, Field(description="What the indexer waits for.")]


class IndexerHealth(TypedDict):
    """Whether the indexer can be asked."""

    status: str
    message: str


class Banner(TypedDict):
    """What answers at this address."""

    message: str
    version: str


class Health(TypedDict):
    """Whether answers can be given."""

    status: str


class ServiceHealth(TypedDict):
    """Whether one part of the API can be asked."""

    status: str
    service: str
    version: str


class Ready(TypedDict):
    """From which height answers are given, and what those do without whom it does not grow."""

    status: Annotated[str, Field(description="`ready`, also while somebody is away.")]
    height: int
    indexer: Annotated[
        str | None, Field(description="running, waiting, stopped or away; null when it never reported to the server.")
    ]
    node: Annotated[str | None, Field(description="answering or away; null when no node was given to the server.")]
    circuit: Annotated[
        str | None, Field(description="Of calls to the node: closed, half_open, or open while it is left alone.")
    ]


def amount_text(units: int) -> str:
    """Units of 10^-8 as tokens, always with 8 decimals: every amount has one spelling."""
    whole, fraction = divmod(abs(units), UNIT)
    return f"{'-' if units < 0 else ''}{whole}.{fraction:08d}"


@lru_cache(10_000)
def time_text(moment: datetime) -> str:
    """An instant in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def balance(account: Account) -> Balance:
    """An account as clients know it."""
    amount = amount_text(account.balance)
    return Balance(
        pkscript="",
        ticker=account.ticker,
        wallet=account.address,
        overall_balance=amount,
        available_balance=amount,
        block_height=account.credit_height,
    )


def token_info(figures: Listed) -> TokenInfo:
    """A token's figures. Without a deploy, as STONES may be (R-CORE-STONE-4), what a deploy says is zero or empty."""
    token, held = figures.token, figures.held
    supply = figures.supply or Supply(0, 0, 0, 0)
    max_supply = token.max_supply if token else 0
    existing = supply.minted - supply.burned + supply.rounding - held.staked
    minted = existing if held.is_reward else supply.minted
    unlimited = max_supply == 0 or figures.ticker == STONES
    current = existing if held.is_reward or unlimited else min(minted, max_supply)
    circulating = current if held.is_reward else max(0, current - held.locked - held.staked)
    txid = token.deploy_txid if token else ""
    return TokenInfo(
        ticker=figures.ticker,
        decimals=DECIMALS,
        max_supply=amount_text(max_supply),
        limit_per_mint=amount_text(token.limit_per_mint) if token and token.limit_per_mint is not None else None,
        actual_deploy_txid_for_api=txid,
        deploy_tx_id=txid,
        deploy_block_height=token.deploy_height if token else 0,
        deploy_timestamp=time_text(token.deploy_time) if token else "",
        creator_address=(token.deployer_address or "") if token else "",
        remaining_supply=amount_text(remaining_supply(figures)),
        minted=amount_text(minted),
        current_supply=amount_text(current),
        circulating_supply=amount_text(circulating),
        total_locked=amount_text(held.locked + held.staked),
        holders=supply.holders,
        is_curve=held.is_reward,
    )


def remaining_supply(figures: Listed) -> int:
    """What may still be minted; of tokens without a maximum what positions lock, of wrapped coins all there is too."""
    token, supply = figures.token, figures.supply or Supply(0, 0, 0, 0)
    if token is not None and token.max_supply:
        return max(0, token.max_supply - supply.minted)
    wrapped = figures.ticker == WRAPPED or (token is not None and token.limit_per_mint == 0)
    return figures.held.locked + (supply.minted - supply.burned if wrapped else 0)


def history_row(operation: Operation) -> HistoryRow:
    """A valid operation as clients know it."""
    return HistoryRow(
        id=operation.height * OPERATIONS_PER_BLOCK + operation.op_index,
        op_id=f"{operation.txid}:{operation.vout}",
        tx_id=operation.txid,
        txid=operation.txid,
        op=operation.operation,
        ticker=operation.ticker,
        amount=operation.amount,
        block_height=operation.height,
        block_hash=operation.block_hash,
        tx_index=operation.tx_index,
        timestamp=time_text(operation.time),
        from_address=operation.from_address,
        to_address=operation.to_address,
        valid=operation.valid,
        is_marketplace=operation.marketplace,
        code=operation.code,
    )


OPERATIONS_PER_BLOCK: Final = 1_000_000
"""More records than fit a block of 4 million weight units."""
