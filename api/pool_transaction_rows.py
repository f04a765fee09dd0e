"""The shape of what happened in a pool, one row for each operation."""

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from api.rows import Amount, Time, time_text
from warehouse.pool_transactions import Moved, Transaction

MAIN_ACTIONS: Final = MappingProxyType(
    {
        "swap_exe": "credit_executor_dst_balance",
        "swap_init": "credit_pool_liquidity",
        "unlock": "credit_lp_principal_reward",
    }
)
"""The step by which clients know an operation."""


class PoolTransaction(TypedDict):
    """An opening, a trade, or the settlement of a position. What does not belong to it is null."""

    txid: Annotated[str | None, Field(description="Null of a settlement.")]
    block_height: int
    operation_type: Annotated[str, Field(description="swap_init, swap_exe or unlock.")]
    timestamp: Time
    action: str
    pool_id: str
    address: Annotated[str, Field(description="Who opened, traded or was paid.")]
    swap_position_id: int | None
    src_ticker: str
    dst_ticker: str
    amount_in: Annotated[str | None, Field(description="What a trade sold.")]
    amount_out_token_a: Annotated[
        str | None, Field(description="What a trade bought, the fee included, or a settlement paid.")
    ]
    amount_out_token_b: str | None
    fees_token_a: Annotated[str | None, Field(description="What a trade cost; of a settlement the reward in it.")]
    fees_token_b: str | None
    src_balance_before: Amount | None
    src_balance_after: Amount | None
    dst_balance_before: Amount | None
    dst_balance_after: Annotated[str | None, Field(description="Before the fee is paid.")]
    ticker: Annotated[str | None, Field(description="What a position locks.")]
    amount: Annotated[str | None, Field(description="What was locked; of a settlement what was left of it.")]
    lock_blocks: int | None
    ticker_balance_before: Amount | None
    ticker_balance_after: Amount | None


def transaction_row(found: Transaction) -> PoolTransaction:
    """An operation as clients know it. `y` tickers have no balance events: what only those tell is null."""
    sold, bought = found.source, found.destination
    row = PoolTransaction(
        txid=found.txid,
        block_height=found.height,
        operation_type=found.type,
        timestamp=time_text(datetime.fromtimestamp(found.time, UTC)),
        action=MAIN_ACTIONS[found.type],
        pool_id=found.pool,
        address=found.account,
        swap_position_id=found.position_id,
        src_ticker=sold,
        dst_ticker=bought,
        amount_in=None,
        amount_out_token_a=None,
        amount_out_token_b=None,
        fees_token_a=None,
        fees_token_b=None,
        src_balance_before=None,
        src_balance_after=None,
        dst_balance_before=None,
        dst_balance_after=None,
        ticker=None,
        amount=None,
        lock_blocks=found.lock_blocks,
        ticker_balance_before=None,
        ticker_balance_after=None,
    )
    if found.type == "swap_exe":
        _trade(row, found)
    elif found.type == "swap_init":
        row["ticker"], row["amount"] = sold, found.amount
        row["ticker_balance_before"], row["ticker_balance_after"] = _around(found.moved.get(("swap_init", sold)))
    else:
        _settlement(row, found)
    return row


def _trade(row: PoolTransaction, found: Transaction) -> None:
    row["amount_in"] = found.amount
    if found.destination < found.source:
        row["amount_out_token_a"], row["fees_token_a"] = found.received, found.fee
    else:
        row["amount_out_token_b"], row["fees_token_b"] = found.received, found.fee
    row["src_balance_before"], row["src_balance_after"] = _around(found.moved.get(("swap_in", found.source)))
    row["dst_balance_before"], row["dst_balance_after"] = _around(found.moved.get(("swap_out", found.destination)))


def _settlement(row: PoolTransaction, found: Transaction) -> None:
    tickers = sorted((found.source, found.destination))
    paid = [found.moved.get(("expiry", ticker)) for ticker in tickers]
    rewards = [found.moved.get(("expiry_reward", ticker)) for ticker in tickers]
    row["amount_out_token_a"], row["amount_out_token_b"] = (each and each.delta for each in paid)
    row["fees_token_a"], row["fees_token_b"] = (each and each.delta.lstrip("-") for each in rewards)
    principal = found.moved.get(("expiry_principal", found.source))
    row["ticker"], row["amount"] = found.source, principal and principal.delta.lstrip("-")
    row["ticker_balance_before"], row["ticker_balance_after"] = _around(found.moved.get(("expiry", found.source)))


def _around(moved: Moved | None) -> tuple[str | None, str | None]:
    return (None, None) if moved is None else (moved.before, moved.after)
