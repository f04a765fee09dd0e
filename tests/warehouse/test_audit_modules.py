"""The audit of swaps, curves and wrapped bitcoin: clean over busy chains, and no forgery goes unnoticed."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from engine.judge import Engine
from ingest.networks import MAINNET
from tests.helpers.builders import candidates, headers
from tests.helpers.forgery import Change, Row, any_row, drop_where, repeated, rewrite, set_where
from tests.helpers.scenarios import vector_scenario, vectors
from tests.helpers.traffic_lake import traffic_lake
from warehouse.audit import audit
from warehouse.compact import compact_step
from warehouse.duckdb_engine import connect
from warehouse.folds import make_fold
from warehouse.lake import Lake

BLOCKS = 60
ONE = Decimal("1.00000000")
UNIT = Decimal("0.00000001")
CAUSES = (
    "expiry",
    "expiry_accumulated",
    "expiry_principal",
    "expiry_reward",
    "mint",
    "mint_stones",
    "reward",
    "rounding",
    "stake",
    "swap_fee",
    "swap_in",
    "swap_init",
    "swap_out",
    "swap_return",
    "transfer_credit",
    "transfer_debit",
    "unstake",
    "wrap_burn",
    "wrap_mint",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = traffic_lake(tmp_path_factory.mktemp("lake"), seed=1, blocks=BLOCKS)
    with Lake.open(directory, grace=0) as lake:
        while compact_step(lake):
            pass
    return directory


@pytest.fixture
def directory(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(made, tmp_path / "lake")


def test_the_chain_has_every_cause_and_every_state(made: Path) -> None:
    """Else the tests below would show less than they say."""
    with connect(made) as sql:
        causes = {cause for (cause,) in sql.sql("SELECT DISTINCT cause FROM balance_events").fetchall()}
        assert causes == set(CAUSES)
        statuses = {status for (status,) in sql.sql("SELECT DISTINCT status FROM positions").fetchall()}
        assert statuses == {"active", "closed", "expired"}
        assert {status for (status,) in sql.sql("SELECT DISTINCT status FROM vaults").fetchall()} == {
            "active",
            "closed",
        }
        assert sql.sql("SELECT 1 FROM positions WHERE starts_with(source, 'y') AND status = 'expired'").fetchall()
        assert sql.sql("SELECT 1 FROM accounts WHERE starts_with(address, 'POOL::')").fetchall()
        assert sql.sql("SELECT 1 FROM y_balances WHERE balance > 0").fetchall()


def test_every_height_is_clean(made: Path) -> None:
    for height in range(0, BLOCKS, 6):
        assert audit(made, height) == []


@pytest.mark.parametrize("seed", [2, 3])
def test_other_chains_are_clean_too(seed: int, tmp_path: Path) -> None:
    traffic_lake(tmp_path, seed, BLOCKS)
    with Lake.open(tmp_path) as lake:
        make_fold(lake)
    assert audit(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 40))
def test_many_long_chains_are_clean(seed: int, tmp_path: Path) -> None:
    traffic_lake(tmp_path, seed, 4 * BLOCKS)
    assert audit(tmp_path) == []


def is_active(row: Row) -> bool:
    return bool(row["status"] == "active" and "y" not in row["pool"] and row["height"] > BLOCKS - 10)


def opens(row: Row) -> bool:
    return bool(row["height"] == row["start_height"])


def settles(row: Row) -> bool:
    return bool(row["height"] == row["unlock_height"])


def caused(cause: str, start: str = "") -> Change:
    """Drop the last event of a cause that changed anything, of an address that begins so."""
    return drop_where(lambda row: row["cause"] == cause and row["address"].startswith(start) and row["delta"])


def raise_pool(rows: list[Row]) -> None:
    """Give a pool more than anyone gave it, through all its later balances."""
    forged = next(row for row in rows if row["cause"] == "swap_init" and row["address"].startswith("POOL::"))
    forged["delta"] += ONE
    account = forged["ticker"], forged["address"]
    for row in rows[rows.index(forged) :]:
        if (row["ticker"], row["address"]) == account:
            row["balance_after"] += ONE


def more(amount: Decimal) -> Decimal:
    return amount + ONE


def unit_more(amount: Decimal) -> Decimal:
    return amount + UNIT


def is_valid(operation: str) -> Change:
    return drop_where(lambda row: row["operation"] == operation and row["valid"])


@pytest.mark.parametrize(
    ("table", "change", "checks"),
    [
        ("pools", set_where(any_row, reserve_a=unit_more), {"reserves"}),
        ("pools", set_where(any_row, fees_b=more), {"pool_accounts"}),
        ("pools", repeated, {"keys"}),
        ("positions", set_where(is_active, locked=unit_more), {"reserves"}),
        ("positions", set_where(is_active, locked=more), {"reserves", "pool_accounts"}),
        ("positions", set_where(is_active, accumulated_a=more, accumulated_b=more), {"pool_accounts"}),
        ("positions", set_where(is_active, status="closed"), {"reserves"}),
        ("positions", set_where(opens, amount=unit_more), {"positions"}),
        ("positions", set_where(opens, owner_address="bcrt1q"), {"positions"}),
        ("positions", set_where(opens, lock_blocks=lambda lock: lock + 1), {"positions"}),
        ("positions", drop_where(opens), {"positions", "effects"}),
        ("positions", drop_where(settles), {"event_hash"}),
        ("positions", set_where(settles, txid="00" * 32), {"event_hash"}),
        ("executions", set_where(any_row, used=unit_more), {"executions"}),
        ("executions", set_where(any_row, received=more), {"executions"}),
        ("executions", set_where(any_row, executor_address="bcrt1q"), {"executions"}),
        ("executions", set_where(any_row, vout=1), {"executions"}),
        ("executions", drop_where(any_row), {"executions"}),
        ("executions", repeated, {"keys"}),
        ("fills", set_where(any_row, taken=more), {"executions"}),
        ("fills", set_where(any_row, given=more), {"executions"}),
        ("fills", set_where(any_row, fill=lambda fill: fill + 1), {"executions"}),
        ("fills", drop_where(any_row), {"executions"}),
        ("programs", set_where(any_row, total_staked=unit_more), {"staked", "minted", "flows"}),
        ("programs", set_where(any_row, total_scaled="0." + "0" * 27), {"staked"}),
        ("programs", set_where(any_row, rewards_paid="900.500000001"), {"reward_cap"}),
        ("programs", set_where(any_row, rewards_paid="0"), {"reward_cap"}),
        ("programs", lambda rows: [row.update(max_supply=ONE) for row in rows], {"programs", "reward_cap"}),
        ("programs", lambda rows: [row.update(deploy_txid="00" * 32) for row in rows], {"programs"}),
        ("accounts", set_where(any_row, staked=unit_more), {"staked", "conservation"}),
        ("accounts", set_where(any_row, scaled=lambda scaled: f"1{scaled}"), {"staked"}),
        ("accounts", drop_where(any_row), {"staked"}),
        ("vaults", set_where(lambda row: row["height"] == row["opened_height"], amount=1), {"vaults"}),
        ("vaults", set_where(lambda row: row["status"] == "closed", closing_txid="00" * 32), {"vaults"}),
        ("vaults", set_where(lambda row: row["height"] == row["opened_height"], recipient_address="b"), {"vaults"}),
        ("vaults", drop_where(lambda row: row["status"] == "active"), {"vaults"}),
        ("supplies", set_where(any_row, rounding=unit_more), {"rounding", "conservation", "flows"}),
        ("supplies", set_where(lambda row: row["burned"] > 0, burned=more), {"burned", "flows"}),
        ("operations", is_valid("burn"), {"burned", "effects", "counts"}),
        ("operations", is_valid("swap_init"), {"effects"}),
        ("operations", is_valid("swap_exe"), {"event_hash"}),
        ("balance_events", raise_pool, {"pool_accounts", "flows", "conservation"}),
        ("balance_events", caused("rounding"), {"rounding", "event_hash", "flows"}),
        ("balance_events", caused("expiry"), {"event_hash", "flows"}),
        ("balance_events", caused("expiry_reward"), {"flows", "pool_accounts"}),
        ("balance_events", caused("wrap_mint"), {"effects", "flows"}),
        ("balance_events", caused("wrap_burn"), {"effects", "flows"}),
        ("balance_events", caused("stake"), {"effects", "minted", "flows", "positions"}),
        ("balance_events", caused("unstake"), {"minted", "flows"}),
        ("balance_events", caused("reward"), {"minted", "flows"}),
        ("balance_events", caused("swap_init", "bcrt"), {"effects", "flows"}),
        ("balance_events", caused("swap_in", "bcrt"), {"effects", "flows"}),
        ("balance_events", caused("swap_fee", "POOL::"), {"pool_accounts", "flows"}),
    ],
)
def test_a_forged_row_is_found(directory: Path, table: str, change: Change, checks: set[str]) -> None:
    rewrite(directory, table, change)
    found = {finding.check for finding in audit(directory)}
    assert checks <= found


def test_what_is_negative_within_a_block_is_no_finding_and_after_it_is(directory: Path) -> None:
    """What is shown may stand a unit off the exact balance until the block's end rounds it."""

    def overdraw(rows: list[Row], last: bool) -> None:
        for row, later in zip(rows, [*rows[1:], None], strict=True):
            same_block = later is not None and all(later[name] == row[name] for name in ("height", "ticker", "address"))
            if same_block != last:
                row["balance_after"] = -UNIT
                return

    for last in (False, True):
        copy = shutil.copytree(directory, directory.with_name(str(last)))
        rewrite(copy, "balance_events", lambda rows, last=last: overdraw(rows, last))  # type: ignore[misc]  # a default has no type
        found = {finding.check for finding in audit(copy)}
        assert "running_balances" in found
        assert ("negative_balances" in found) == last


SCENARIOS = {vector["id"]: vector for vector in vectors("SCENARIO")}
TELLING = ("SCENARIO-033", "SCENARIO-040", "SCENARIO-053", "SCENARIO-055")
"""Trades and a settlement, a curve, burns of W, and a pool that is short of a unit when it settles (D-42)."""


@pytest.mark.parametrize(
    "name", [name if name in TELLING else pytest.param(name, marks=pytest.mark.slow) for name in SCENARIOS]
)
def test_scenarios_of_the_vectors_are_clean(name: str, tmp_path: Path) -> None:
    blocks = vector_scenario(SCENARIOS[name]).blocks
    archive = candidates(blocks)
    with Lake.create(tmp_path, MAINNET.name, min(blocks)) as lake:
        lake.commit(Engine(MAINNET).judge(headers(blocks), archive), archive)
    assert audit(tmp_path) == []
