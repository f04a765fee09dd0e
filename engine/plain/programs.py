"""Curve programs: what is stored, to how many decimals, and how the index advances."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from engine.plain.decimals import RAY, ZERO, floor8, plain_text, q8, q27, tokens
from engine.plain.emission import emission
from engine.plain.parties import Party
from ingest.networks import AMOUNT_LIMIT

_LIMIT: Final = tokens(AMOUNT_LIMIT)
"""First amount that no table holds (R-CORE-CONST-8)."""


@dataclass(frozen=True, slots=True)
class Program:
    """Emission of a reward token to the holders who stake another one (R-CURVE-STATE-1). Amounts in tokens."""

    ticker: str
    """The reward token R; there is one program for each."""
    deploy_txid: str
    kind: str
    """`linear` or `exponential`."""
    duration: int
    """Blocks in which something is emitted."""
    staking_ticker: str
    """The staked token S."""
    max_supply: Decimal
    """M, the most that is ever paid."""
    staking_max_supply: Decimal | None
    """Maximum supply of S, None while S does not exist."""
    rho: Decimal | None
    """M per maximum supply of S; None while unknown. It has 8 decimals, except in the block that finds it (D-66)."""
    init_fee: int
    """Satoshis that a stake pays to the genesis address, exactly."""
    exe_fee: int
    """Satoshis that a claim pays; zero: nothing is asked (D-70)."""
    genesis: Party
    start_height: int
    last_reward_height: int
    """Last block whose emission is in the index."""
    index: Decimal
    """What one scaled unit is worth in `y`S, times 10^27."""
    total_staked: Decimal = ZERO
    total_scaled: Decimal = ZERO
    rewards_paid: Decimal = ZERO
    """Exact, so that what is left of M is exact too (D-65); without trailing zeros."""

    @property
    def key(self) -> str:
        return self.ticker

    @property
    def seniority(self) -> tuple[int, str]:
        """Of the programs that stake a token, the lowest keeps its `y` balances (R-CURVE-STATE-3, D-69)."""
        return self.start_height, self.deploy_txid

    @property
    def ratio(self) -> Decimal:
        """Rewards for each token of growth: rho, the exact quotient where rho rounds to zero, 1 while unknown."""
        if self.rho:
            return self.rho
        return self.max_supply / self.staking_max_supply if self.staking_max_supply else Decimal(1)

    def advanced(self, height: int, staking_max_supply: Decimal | None) -> "Program":
        """With the emission up to block `height` in the index (R-CURVE-IDX-1), and rho if it was unknown until now.

        The supply of S is None while S is not deployed; rho counts as 1 until then (D-76). A program for a token
        without supply has no rho and never advances (R-CURVE-DEP-6). Nobody gets what is emitted
        while nothing is staked, if this is called then; at a block's end it is not (D-64).
        """
        if height <= self.last_reward_height or staking_max_supply == 0:
            return self
        program = self.finding_rho(staking_max_supply)
        if program.total_staked:
            span = (program.start_height, program.last_reward_height, height)
            growth = emission(program.kind, program.max_supply, program.duration, *span) / program.ratio
            program = replace(program, index=q27(program.index + (growth / program.total_staked) * RAY))
        return replace(program, last_reward_height=height)

    def finding_rho(self, staking_max_supply: Decimal | None) -> "Program":
        """With rho from the maximum supply of S where it is still unknown (R-CURVE-STATE-1)."""
        if self.rho is not None or not staking_max_supply:
            return self
        return replace(self, staking_max_supply=staking_max_supply, rho=self.max_supply / staking_max_supply)

    def worth(self, scaled: Decimal) -> Decimal:
        """`y`S of a scaled balance (R-CURVE-STATE-3)."""
        return floor8(scaled * self.index / RAY)

    def scaled(self, worth: Decimal) -> Decimal:
        """Scaled balance of an amount of `y`S, not rounded yet."""
        return (worth * RAY) / self.index

    def stored(self) -> "Program":
        """As it is between blocks: rho has 8 decimals (D-66); one that cannot be stored gives way to the quotient."""
        rho = None if self.rho is None else q8(self.rho)
        return replace(self, rho=None if rho is not None and rho >= _LIMIT else rho)

    def columns(self) -> dict[str, Any]:
        """The row of `programs`, without height."""
        return {
            "ticker": self.ticker,
            "deploy_txid": self.deploy_txid,
            "type": self.kind,
            "duration": self.duration,
            "staking_ticker": self.staking_ticker,
            "max_supply": self.max_supply,
            "staking_max_supply": self.staking_max_supply,
            "rho": self.rho,
            "init_fee": self.init_fee,
            "exe_fee": self.exe_fee,
            "genesis_address": self.genesis.address,
            "genesis_script": self.genesis.script,
            "start_height": self.start_height,
            "last_reward_height": self.last_reward_height,
            "index": plain_text(q27(self.index)),
            "total_staked": self.total_staked,
            "total_scaled": plain_text(q27(self.total_scaled)),
            "rewards_paid": plain_text(self.rewards_paid),
        }

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Program":
        """The reverse of `columns`."""
        kept = {
            name: row[name]
            for name in (
                "ticker",
                "deploy_txid",
                "duration",
                "staking_ticker",
                "max_supply",
                "staking_max_supply",
                "rho",
                "init_fee",
                "exe_fee",
                "start_height",
                "last_reward_height",
                "total_staked",
            )
        }
        return cls(
            **kept,
            kind=row["type"],
            genesis=Party(row["genesis_address"], row["genesis_script"]),
            index=Decimal(row["index"]),
            total_scaled=Decimal(row["total_scaled"]),
            rewards_paid=Decimal(row["rewards_paid"]),
        )
