"""Liquidity in a `y` token: it grows while it is locked, and whoever buys it gets an account (D-43)."""

from decimal import Decimal
from typing import Any, Final

from ingest.networks import MAINNET
from tests.helpers.builders import address
from tests.helpers.scenarios import deploy_text
from tests.helpers.stories import UNIT, Story, codes, events, exe, init, swap

POOL: Final = "POOL::WTF-yLOL"
RAY: Final = 10**27
LOCKED: Final = 101
"""Index in RAY at the lock: one block of 10 CRV at a rate of 0.001 for 100 LOL staked makes 100."""
EXPIRED: Final = 1001
"""Index in RAY nine blocks later."""


def staked(engine_class: Any) -> Story:
    """ex2 stakes 100 LOL, locks 40 yLOL in the next block; lp2 locks 1000 WTF against it."""
    story = Story(engine_class)
    program = {"type": "linear", "lock": "100", "stakes": ["LOL"]}
    deploy = deploy_text("CRV", "1000", curve=program).replace("deployer:546", "deployer:0 | deployer:0")
    stake = swap("ex2", init="LOL,CRV", amt="100", wrap=True).replace("ex2:546", "deployer:0")
    assert codes(story.block(deploy, stake)) == [None, None]
    judged = story.block(init("ex2", "yLOL,WTF", "40"), init("lp2", "WTF,yLOL", "1000", "30"))
    assert [(row["valid"], row["divergence"]) for row in judged.operations.to_pylist()] == [
        (True, "D-43"),
        (True, None),
    ]
    return story


def accounts(story: Story) -> dict[str, dict[str, Any]]:
    return {row["address"]: row for row in story.engine.state().modules["accounts"].to_pylist()}


def y_balance(story: Story, holder: str) -> Decimal:
    """R-CURVE-STATE-3, in whole numbers."""
    (program,) = story.engine.state().modules["programs"].to_pylist()
    owner = holder if holder.startswith("POOL::") else address(holder, MAINNET)
    scaled, index = (int(text.replace(".", "")) for text in (accounts(story)[owner]["scaled"], program["index"]))
    return Decimal(scaled * index * 10**8 // RAY**3) * UNIT


def test_a_lock_moves_y_tokens_into_an_account_of_the_pool(engine_class: Any) -> None:
    """R-SWAP-INIT-2: the index is advanced to the block first, and noted in the position."""
    story = staked(engine_class)
    assert story.position(1)["index_at_lock"] == f"{LOCKED * RAY}.{'0' * 27}"
    assert abs(y_balance(story, POOL) - 40) <= 2 * UNIT
    assert abs(y_balance(story, "ex2") - (100 * LOCKED - 40)) <= 2 * UNIT
    assert accounts(story)[POOL]["script"] is None
    assert sum(row["staked"] for row in accounts(story).values()) == 100
    assert story.pool("WTF-yLOL")["reserve_b"] == 40


def test_buyers_of_y_tokens_get_an_account(engine_class: Any) -> None:
    """D-43, R-CURVE-XFER-5: without events, for accounts are not balances."""
    story = staked(engine_class)
    judged = story.block(exe("ex", "WTF,yLOL", "10"))
    (record,) = judged.operations.to_pylist()
    assert (record["valid"], record["divergence"], record["ticker"]) == (True, "D-43", "WTF")
    out = 40 - Decimal(40_000) / 1010
    (execution,) = judged.modules["executions"].to_pylist()
    assert abs(execution["received"] - out) <= UNIT
    assert abs(y_balance(story, "ex") - out * Decimal("0.997")) <= 2 * UNIT
    assert {ticker for _, ticker, _, _ in events(judged)} == {"WTF"}
    assert sum(row["staked"] for row in accounts(story).values()) == 100


def test_a_position_is_worth_what_its_lock_has_grown_to(engine_class: Any) -> None:
    """R-SWAP-EXE-3: nine blocks later 40 yLOL are 396.4; of the filled share of that worth the locked amount loses."""
    story = staked(engine_class)
    story.until(930_011)
    judged = story.block(exe("ex", "WTF,yLOL", "1000", "100"))
    worth = Decimal(40) * (EXPIRED - 100) / LOCKED
    (fill,) = judged.modules["fills"].to_pylist()
    assert abs(fill["taken"] - worth / 2) <= UNIT
    assert abs(story.position(1)["locked"] - 20) <= UNIT


def test_expiry_pays_what_a_lock_has_grown_to(engine_class: Any) -> None:
    """R-SWAP-EXP-7, D-43: principal and fees in one move without events; received tokens as ever."""
    story = staked(engine_class)
    story.block(exe("ex", "WTF,yLOL", "10"))
    story.until(930_011)
    lent = y_balance(story, "ex2")
    judged = story.block()
    grown = Decimal(EXPIRED) / LOCKED
    out = 40 - Decimal(40_000) / 1010
    returned = y_balance(story, "ex2") - lent * EXPIRED / (EXPIRED - 100)
    assert abs(returned - (40 - out) * grown) < Decimal("0.01"), "and what is left of a fee of 0.0012"
    assert y_balance(story, POOL) < Decimal("0.02")
    assert [(cause, ticker) for cause, ticker, _, _ in events(judged)] == [
        ("expiry_accumulated", "WTF"),
        ("expiry", "WTF"),
    ]
    assert story.position(1)["status"] == "expired"
    assert sum(row["staked"] for row in accounts(story).values()) == 100


def test_a_pool_that_holds_less_than_a_lock_is_worth_pays_what_it_has(engine_class: Any) -> None:
    """R-CURVE-IDX-3, D-42: whoever is touched forfeits a block's growth, the pool's account too."""
    story = staked(engine_class)
    for _ in range(9):
        story.block(exe("ex", "WTF,yLOL", "0.001"))
    assert y_balance(story, POOL) < 40 * Decimal(EXPIRED - 100) / LOCKED / 2
    judged = story.block()
    assert judged.modules["positions"]["status"].to_pylist() == ["expired"]
    assert y_balance(story, POOL) == 0
    assert sum(row["staked"] for row in accounts(story).values()) == 100


def test_y_tokens_cannot_be_sold(engine_class: Any) -> None:
    """R-SWAP-ROUTE-4: an `exe` of one is a claim, which WTF is no reward of."""
    story = staked(engine_class)
    judged = story.block(exe("ex2", "yLOL,WTF", "5"), exe("ex2", "YLOL,WTF", "5"))
    assert codes(judged) == ["TICKER_NOT_DEPLOYED", "TICKER_NOT_DEPLOYED"]
    assert judged.operations["ticker"].to_pylist() == ["yLOL", "YLOL"]
