"""Shapes of answers about curve programs. Field names are those that clients know."""

from decimal import Decimal
from typing import Annotated, Any

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from api.numbers import PRECISE, Exact, Number, number_text, percentage
from api.rows import UNIT, Amount, TokenInfo
from engine.modules.stakes import RECEIPT
from warehouse.programs import Program, Staker, worth


class Terms(TypedDict):
    """What a program says and where it is."""

    curve_type: Annotated[str, Field(description="linear or exponential.")]
    lock_duration: Annotated[int, Field(description="Blocks in which rewards are emitted.")]
    staking_ticker: str
    max_stake_supply: Amount | None
    rho_g: Annotated[str | None, Field(description="max_supply / max_stake_supply, 8 decimals; null while unknown.")]
    genesis_fee_init_sats: int
    genesis_fee_exe_sats: int
    genesis_address: str
    start_block: int
    last_reward_block: int
    liquidity_index: Exact
    total_staked: Amount
    total_scaled_staked: Exact


class Parameters(Terms):
    """A program's deploy, its terms and its state."""

    deploy_txid: str
    max_supply: Annotated[str, Field(description="Of the reward token, 8 decimals.")]


class ProgramInfo(Parameters):
    """A program by its reward ticker."""

    ticker: str


class ReceiptInfo(Parameters):
    """A program by the `y` ticker that it keeps."""

    reward_ticker: str
    ytoken_ticker: str


class RewardToken(Terms):
    """A token that a program rewards with, and the program. Two amounts are numbers for clients that expect such."""

    ticker: str
    decimals: int
    max_supply: float
    limit_per_mint: float | None
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
    locked_in_curve: Annotated[str, Field(description="What programs hold of this token as stakes.")]


class StakerRow(TypedDict):
    """An account of a program."""

    address: str
    staked_amount: Amount
    ytoken_balance: Number
    scaled_balance: Exact


class Stakers(TypedDict):
    """A page of the accounts of a program."""

    ticker: str
    total: Annotated[int, Field(description="Accounts, empty ones included.")]
    start: int
    size: int
    data: list[StakerRow]
    next_cursor: str | None


class Stake(TypedDict):
    """What an address has in a program."""

    ticker: str
    address: str
    staked_amount: Amount
    ytoken_balance: Number
    scaled_balance: Exact
    liquidity_index: Exact
    current_block: Annotated[int, Field(description="Block after which this holds.")]
    has_position: bool


class StakedToken(TypedDict):
    """What a program holds."""

    reward_ticker: str
    staking_ticker: str
    total_staked_collateral: Amount
    total_ytoken_circulating: Amount
    total_scaled_staked: Exact
    liquidity_index: Exact
    stakers_count: int
    locked_percentage_of_supply: Annotated[
        str | None, Field(description="Principal in percent of the staked token's maximum supply, 2 decimals.")
    ]
    curve_type: str
    lock_duration: int


class StakedTokens(TypedDict):
    """What all programs hold."""

    total_tokens: int
    tokens: list[StakedToken]


NOTHING = Staker("", "0.00000000", f"0.{27 * '0'}")


def terms(program: Program) -> Terms:
    """What a program says and where it is, as clients know it."""
    return Terms(
        curve_type=program.type,
        lock_duration=program.duration,
        staking_ticker=program.staking_ticker,
        max_stake_supply=program.staking_max_supply,
        rho_g=program.rho,
        genesis_fee_init_sats=program.init_fee,
        genesis_fee_exe_sats=program.exe_fee,
        genesis_address=program.genesis_address,
        start_block=program.start_height,
        last_reward_block=program.last_reward_height,
        liquidity_index=program.liquidity_index,
        total_staked=program.total_staked,
        total_scaled_staked=program.total_scaled,
    )


def program_row(program: Program, ticker: str) -> ProgramInfo | ReceiptInfo:
    """A program as it was asked for: by its reward ticker, or by a `y` ticker."""
    rest = Parameters(deploy_txid=program.deploy_txid, max_supply=program.max_supply, **terms(program))
    if ticker.startswith(RECEIPT):
        return ReceiptInfo(reward_ticker=program.ticker, ytoken_ticker=ticker, **rest)
    return ProgramInfo(ticker=program.ticker, **rest)


def reward_token(info: TokenInfo, program: Program, staked: str) -> dict[str, Any]:
    """A `RewardToken`; the digits of the two numbers are exact."""
    numbers = {name: orjson.Fragment(text) for name in ("max_supply", "limit_per_mint") if (text := info[name])}
    return {**terms(program), **info, **numbers, "locked_in_curve": staked}


def staker_row(staker: Staker, program: Program) -> StakerRow:
    """An account as clients know it."""
    return StakerRow(
        address=staker.address,
        staked_amount=staker.staked,
        ytoken_balance=number_text(worth(staker.scaled, program.liquidity_index)),
        scaled_balance=staker.scaled,
    )


def stake_row(staker: Staker | None, address: str, program: Program, height: int) -> Stake:
    """What an address has in a program; zeros without an account."""
    row = staker_row(staker or NOTHING, program)
    return Stake(
        ticker=program.ticker,
        address=address,
        staked_amount=row["staked_amount"],
        ytoken_balance=row["ytoken_balance"],
        scaled_balance=row["scaled_balance"],
        liquidity_index=program.liquidity_index,
        current_block=height,
        has_position=staker is not None,
    )


def circulating(program: Program) -> Decimal:
    """What a program's scaled balances come to in the `y` ticker, to 8 decimals."""
    return worth(program.total_scaled, program.liquidity_index).quantize(Decimal("1E-8"), context=PRECISE)


def staked_token(program: Program, stakers: int) -> StakedToken:
    """What a program holds as clients know it."""
    most = 0 if program.staking_max_supply is None else int(Decimal(program.staking_max_supply) * UNIT)
    return StakedToken(
        reward_ticker=program.ticker,
        staking_ticker=program.staking_ticker,
        total_staked_collateral=program.total_staked,
        total_ytoken_circulating=f"{circulating(program):f}",
        total_scaled_staked=program.total_scaled,
        liquidity_index=program.liquidity_index,
        stakers_count=stakers,
        locked_percentage_of_supply=percentage(Decimal(program.total_staked), most),
        curve_type=program.type,
        lock_duration=program.duration,
    )
