"""What the generated chains of modules really reach: a test that passes on refusals alone would prove little."""

from collections import Counter
from typing import Final

from hypothesis import HealthCheck, Phase, given, settings

from engine.judge import Engine
from engine.schemas import Judged
from tests.helpers.builders import Blocks, candidates, headers
from tests.helpers.module_chains import NETWORK, chains

EXAMPLES: Final = 80
LEAST: Final = {
    "expiry_accumulated": 50,
    "expiry_principal": 300,
    "expiry_reward": 100,
    "rounding": 50,
    "stake": 200,
    "swap_in": 200,
    "swap_init": 800,
    "swap_return": 50,
    "unstake": 25,
    "reward": 25,
    "wrap_mint": 250,
    "wrap_burn": 60,
    "several fills": 12,
    "partial fill": 48,
    "closed position": 24,
    "buys a y token": 17,
    "sells y for liquidity": 68,
    "settles a y position": 50,
    "y transfer": 24,
    "y step": 45,
    "closed vault": 30,
    "SWAP_NOT_ACTIVATED": 19,
    "SWAP_NO_MATCHING_POSITIONS": 35,
    "SWAP_INVALID_CALCULATION": 3,
    "SWAP_INSUFFICIENT_BALANCE": 6,
    "UNKNOWN_PROCESSING_ERROR": 12,
    "INSUFFICIENT_WRAP_BALANCE": 4,
    "D-60": 3,
}
"""Effects, and how often they happen at least in so many chains; a third of what was counted."""


def test_generated_chains_reach_every_effect() -> None:
    reached: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(chains())
    def judge(blocks: Blocks) -> None:
        reached.update(effects(Engine(NETWORK).judge(headers(blocks), candidates(blocks))))

    judge()
    assert {name: reached[name] for name, least in LEAST.items() if reached[name] < least} == {}


def effects(judged: Judged) -> "Counter[str]":
    """How often each thing of LEAST happened."""
    counted = Counter(judged.balance_events["cause"].to_pylist())
    for row in judged.operations.to_pylist():
        counted[row["code"] or "valid"] += 1
        counted.update((row["divergence"] or "").split(","))
        if row["valid"] and (row["ticker"] or "").startswith("y"):
            counted["y step" if row["multi"] else f"y {row['operation']}"] += 1
    counted["sells y for liquidity"] = counted["y swap_init"]
    for row in judged.modules["executions"].to_pylist():
        counted["partial fill"] += row["partial"]
        counted["several fills"] += row["fills"] > 1
        counted["buys a y token"] += row["destination"].startswith("y")
    for row in judged.modules["positions"].to_pylist():
        counted["closed position"] += row["status"] == "closed"
        counted["settles a y position"] += row["status"] == "expired" and row["source"].startswith("y")
    counted["closed vault"] = judged.modules["vaults"]["status"].to_pylist().count("closed")
    return counted
