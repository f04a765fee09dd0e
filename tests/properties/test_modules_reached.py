"""What the generated chains of modules really reach: a test that passes on refusals alone would prove little."""

from collections import Counter
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings

from engine.judge import Engine
from engine.schemas import Judged
from tests.helpers.builders import Blocks, candidates, headers
from tests.helpers.module_chains import NETWORK, chains

SEEDS: Final = 8
LEAST: Final = {
    "expiry_accumulated": 20,
    "expiry_principal": 200,
    "expiry_reward": 40,
    "rounding": 15,
    "stake": 150,
    "swap_in": 80,
    "swap_init": 600,
    "swap_return": 12,
    "unstake": 10,
    "reward": 10,
    "wrap_mint": 200,
    "wrap_burn": 25,
    "several fills": 3,
    "partial fill": 10,
    "closed position": 4,
    "buys a y token": 2,
    "sells y for liquidity": 50,
    "settles a y position": 30,
    "y transfer": 6,
    "y step": 8,
    "closed vault": 10,
}
"""Effects, and how often they happen at least in so many chains: about half of the fewest seen."""


def test_generated_chains_reach_every_effect() -> None:
    """Several seeds: examples of one resemble each other."""
    reached: Counter[str] = Counter()

    @settings(
        max_examples=12, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(chains())
    def judge(blocks: Blocks) -> None:
        reached.update(effects(Engine(NETWORK).judge(headers(blocks), candidates(blocks))))

    for number in range(SEEDS):
        seed(number)(judge)()
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
