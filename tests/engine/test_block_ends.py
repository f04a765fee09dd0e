"""What the end of a block leaves: events without a record, supply, and the lines that the event text gains.

Every number is derived in the comment of SCENARIO-055 in `tests/rules/decisions.toml`.
"""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from engine.schemas import Judged
from ingest.networks import MAINNET
from tests.helpers.builders import address, candidates, headers
from tests.helpers.chain import Tx
from tests.helpers.scenarios import vector_scenario, vectors

SCENARIO = vector_scenario(next(each for each in vectors("SCENARIO") if each["id"] == "SCENARIO-055"))
POOL = "POOL::LOL-WTF"
LABELS = {**SCENARIO.labels, POOL: POOL}
TRADES, UNLOCK = 930_002, 930_011
UNIT = "0.00000001"


@pytest.fixture
def judged(engine_class: Any) -> Judged:
    judged: Judged = engine_class(MAINNET).judge(headers(SCENARIO.blocks), candidates(SCENARIO.blocks))
    return judged


def events(judged: Judged, height: int) -> list[tuple[str, str, str, str]]:
    return [
        (row["cause"], row["ticker"], LABELS[row["address"]], f"{row['delta']:.8f}")
        for row in judged.balance_events.to_pylist()
        if row["height"] == height
    ]


def test_events_of_trades_move_rounded_amounts_that_cancel_out(judged: Judged) -> None:
    """R-SWAP-EXE-8. Sums are rounded, not parts: what a record moves within a ticker comes to nothing."""
    trades = [event for event in events(judged, TRADES) if event[0] != "rounding"]
    assert trades == [
        # (1) to (7): ex gives 2 LOL for 1.96078431372..., less a fee of 0.00588235294...
        ("swap_in", "LOL", "ex", "-2.00000000"),
        ("swap_out", "WTF", POOL, "-1.96078431"),
        ("swap_out", "WTF", "ex", "1.96078431"),
        ("swap_fee", "WTF", "ex", "-0.00588235"),
        ("swap_fee", "WTF", POOL, "0.00588235"),
        ("swap_in", "LOL", POOL, "2.00000000"),
        # ex2 gives 2 WTF for 1.99921599372..., less 0.00599764798...
        ("swap_in", "WTF", "ex2", "-2.00000000"),
        ("swap_out", "LOL", POOL, "-1.99921599"),
        ("swap_out", "LOL", "ex2", "1.99921599"),
        ("swap_fee", "LOL", "ex2", "-0.00599765"),
        ("swap_fee", "LOL", POOL, "0.00599765"),
        ("swap_in", "WTF", POOL, "2.00000000"),
    ]


def test_the_end_of_a_block_rounds_exact_balances(judged: Judged) -> None:
    """R-CORE-BLK-7: of LOL the pool has 100.00678165425..., shown ...166; ex2 10001.99321834574..., shown ...834."""
    rounding = [event for event in events(judged, TRADES) if event[0] == "rounding"]
    assert rounding == [("rounding", "LOL", POOL, f"-{UNIT}"), ("rounding", "LOL", "ex2", UNIT)]
    assert all(row["rounding"] == 0 for row in judged.supplies.to_pylist())


def test_expiries_pay_position_by_position_what_the_pool_has(judged: Judged) -> None:
    """R-SWAP-EXP-4, D-42: side a before side b; accumulated, principal, reward, as far as there are any."""
    expiry = [event for event in events(judged, UNLOCK) if event[0] != "mint"]
    assert expiry == [
        ("expiry_principal", "LOL", POOL, "-98.00078401"),
        ("expiry_reward", "LOL", POOL, "-0.00599765"),
        ("expiry", "LOL", "lp1", "98.00678166"),
        ("expiry_accumulated", "WTF", POOL, "-2.00000000"),
        ("expiry", "WTF", "lp1", "2.00000000"),
        ("expiry_accumulated", "LOL", POOL, "-1.99999999"),
        ("expiry", "LOL", "lp2", "1.99999999"),
        ("expiry_principal", "WTF", POOL, "-98.03921569"),
        ("expiry_reward", "WTF", POOL, "-0.00588235"),
        ("expiry", "WTF", "lp2", "98.04509804"),
    ]
    ends = [row for row in judged.balance_events.to_pylist() if row["cause"] not in ("mint", "swap_init")]
    assert {row["op_index"] is None for row in ends if row["cause"].startswith(("expiry", "rounding"))} == {True}
    assert all((row["script"] is None) == (row["address"] == POOL) for row in ends)


def test_the_event_text_ends_with_roundings_and_expiries(judged: Judged) -> None:
    lp1, lp2, ex, ex2, zz = (address(label, MAINNET) for label in ("lp1", "lp2", "ex", "ex2", "zz"))
    (lock1, lock2), (trade1, trade2), (mint,) = (ids(SCENARIO.blocks[height]) for height in (930_001, TRADES, UNLOCK))
    hashes = dict(zip(*(judged.blocks[name].to_pylist() for name in ("height", "event_hash")), strict=True))
    assert hashes[TRADES] == digest(
        f"swap_exe;{trade1};0;LOL;2.00000000;{ex};",
        f"swap_exe;{trade2};0;WTF;2.00000000;{ex2};",
        f"rounding;;;LOL;-{UNIT};;{POOL}",
        f"rounding;;;LOL;{UNIT};;{ex2}",
    )
    assert hashes[UNLOCK] == digest(
        f"mint;{mint};0;LOL;7.00000000;{address('minter', MAINNET)};{zz}",
        f"expiry;{lock1};0;LOL;98.00678166;{POOL};{lp1}",
        f"expiry;{lock1};0;WTF;2.00000000;{POOL};{lp1}",
        f"expiry;{lock2};0;LOL;1.99999999;{POOL};{lp2}",
        f"expiry;{lock2};0;WTF;98.04509804;{POOL};{lp2}",
    )


def test_executions_and_fills_are_logged(judged: Judged) -> None:
    """R-SWAP-EXE-6: one fill each, of the only position of the other side."""
    rows = judged.modules["executions"].to_pylist()
    names = ("height", "op_index", "pool", "source", "requested", "used", "received", "fee", "fills", "partial")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (TRADES, 0, "LOL-WTF", "LOL", 2, 2, Decimal("1.96078431"), Decimal("0.00588235"), 1, False),
        (TRADES, 1, "LOL-WTF", "WTF", 2, 2, Decimal("1.99921599"), Decimal("0.00599765"), 1, False),
    ]
    assert [LABELS[row["executor_address"]] for row in rows] == ["ex", "ex2"]
    fills = [tuple(row.values()) for row in judged.modules["fills"].to_pylist()]
    assert fills == [
        (TRADES, 0, 0, 2, Decimal("1.96078431"), 2, False),
        (TRADES, 1, 0, 1, Decimal("1.99921599"), 2, False),
    ]


def ids(txs: Sequence[Tx]) -> list[str]:
    return [tx.txid for tx in txs]


def digest(*lines: str) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()
