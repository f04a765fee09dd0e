"""Tables of the curve module. Amounts are in tokens; what has 27 decimals does not fit a decimal column and is text."""

from typing import Final

import pyarrow as pa

from engine.modules.registry import StateTable
from engine.schemas import AMOUNT
from ingest.candidates import column

_HEIGHT: Final = column("height", pa.int32(), "Height after which the row holds.")

PROGRAMS: Final = StateTable(
    "programs",
    "a curve program in each block that changed it",
    pa.schema(
        [
            _HEIGHT,
            column("ticker", pa.string(), "Reward ticker R, which names the program."),
            column("deploy_txid", pa.string(), "Transaction of the deploy, 64 hex digits."),
            column("type", pa.string(), "linear or exponential (R-CURVE-EMIT-1, R-CURVE-EMIT-2)."),
            column("duration", pa.int64(), "Blocks in which rewards are emitted (`lock`)."),
            column("staking_ticker", pa.string(), "Staking ticker S; `y` followed by it is what stakers hold."),
            column("max_supply", AMOUNT, "Maximum supply of R, emitted over the duration."),
            column(
                "staking_max_supply",
                AMOUNT,
                "Maximum supply of S that the program reckons with; null while unknown (R-CURVE-DEP-6).",
                nullable=True,
            ),
            column(
                "rho",
                AMOUNT,
                "`max_supply` / `staking_max_supply`, null while unknown (R-CURVE-DEP-6) or where it reaches 10^30.",
                nullable=True,
            ),
            column("init_fee", pa.int64(), "Fee of a stake in satoshis."),
            column("exe_fee", pa.int64(), "Fee of a claim in satoshis; zero: none is asked for (D-70)."),
            column("genesis_address", pa.string(), "Sender of the deploy, to whom fees are paid."),
            column("genesis_script", pa.binary(), "Output script of that address."),
            column("start_height", pa.int32(), "Height of the deploy."),
            column("last_reward_height", pa.int32(), "Last block whose emission is in the index."),
            column("index", pa.string(), "Liquidity index, 27 decimals; 10^27 at first (R-CURVE-IDX-1)."),
            column("total_staked", AMOUNT, "Sum of what is staked."),
            column("total_scaled", pa.string(), "Total of scaled balances, 27 decimals; not adjusted by rescaling."),
            column("rewards_paid", pa.string(), "Rewards minted so far, as a decimal, before rounding (D-65)."),
        ]
    ),
    ("ticker",),
)

ACCOUNTS: Final = StateTable(
    "accounts",
    "an account of a curve program in each block that changed it",
    pa.schema(
        [
            _HEIGHT,
            column("ticker", pa.string(), "Reward ticker of the program."),
            column("address", pa.string(), "Whose account it is: an address, or `POOL::` and a pool id."),
            column("script", pa.binary(), "Output script of the address, null for a pool account.", nullable=True),
            column("staked", AMOUNT, "Principal in the staking ticker."),
            column("scaled", pa.string(), "Scaled balance, 27 decimals: times the index, it is what `y` shows."),
        ]
    ),
    ("ticker", "address"),
)
