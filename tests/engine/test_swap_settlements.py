"""What positions are paid once their lock has passed, by whichever path judges (section 8 of the swap rules)."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from hashlib import sha256
from typing import Any

from engine.schemas import Judged
from ingest.networks import MAINNET
from tests.helpers.builders import address
from tests.helpers.scenarios import deploy_text, mint_text
from tests.helpers.stories import UNIT, Story, codes, events, exe, init, swap

FIFTY = Context(prec=50, rounding=ROUND_HALF_EVEN)
POOL = "POOL::LOL-WTF"
MULTIPLIER = Decimal("1.001")
"""Of ten blocks (R-SWAP-LP-5)."""


def rounded(number: Decimal) -> Decimal:
    return number.quantize(UNIT, ROUND_HALF_UP)


def fee_of(reserve_in: str, reserve_out: str, amount: str) -> Decimal:
    """Fee of a trade in full precision (R-SWAP-CALC-1)."""
    with localcontext(FIFTY):
        given, offered, paid = Decimal(reserve_in), Decimal(reserve_out), Decimal(amount)
        return (offered - given * offered / (given + paid)) * Decimal("0.003")


def test_events_and_lines_of_a_block_in_which_positions_expire(engine_class: Any) -> None:
    """R-SWAP-EXP-2, R-SWAP-EXP-4: by unlock height and number, side a before b; what is zero leaves no event."""
    story = Story(engine_class)
    story.block(init("lp2", "WTF,LOL", "2000", "11"), init("lp1", "LOL,WTF", "1000", "10"))
    story.block(exe("ex", "LOL,WTF", "100"), init("lp1", "WTF,LOL", "5", "10"))
    story.until(930_011)
    judged = story.block()
    lp1, lp2 = address("lp1", MAINNET), address("lp2", MAINNET)
    locked, fee = Decimal("1818.18181818"), Decimal("0.54545455")
    assert events(judged) == [
        ("expiry_accumulated", "LOL", POOL, Decimal(-100)),
        ("expiry", "LOL", lp2, Decimal(100)),
        ("expiry_principal", "WTF", POOL, -locked),
        ("expiry_reward", "WTF", POOL, -fee),
        ("expiry", "WTF", lp2, locked + fee),
        ("expiry_principal", "WTF", POOL, Decimal(-5)),
        ("expiry", "WTF", lp1, Decimal(5)),
    ]
    own = {row["position_id"]: (row["txid"], row["vout"]) for row in judged.modules["positions"].to_pylist()}
    lines = [
        f"expiry;{own[1][0]};0;LOL;100.00000000;{POOL};{lp2}",
        f"expiry;{own[1][0]};0;WTF;{locked + fee};{POOL};{lp2}",
        f"expiry;{own[3][0]};0;WTF;5.00000000;{POOL};{lp1}",
    ]
    assert judged.blocks["event_hash"].to_pylist() == [sha256("\n".join(lines).encode()).hexdigest()]
    assert judged.balance_events["op_index"].null_count == judged.balance_events.num_rows


def two_pools(engine_class: Any) -> Story:
    """Pools LOL-WTF and LOL-XYZ alike, in both of which a position of 9000 expires at the end of block 930011."""
    story = Story(engine_class, tickers=("LOL", "WTF", "XYZ"))
    story.block(
        *(init("lp1", f"LOL,{ticker}", "1000", "20") for ticker in ("WTF", "XYZ")),
        *(init("lp1", f"{ticker},LOL", "9000") for ticker in ("WTF", "XYZ")),
        *(init("lp2", f"{ticker},LOL", "1000", "20") for ticker in ("WTF", "XYZ")),
    )
    story.until(930_010)
    return story


def rewards(judged: Judged) -> dict[str, Decimal]:
    """Paid rewards by pool."""
    settled = [row for row in judged.modules["positions"].to_pylist() if row["status"] == "expired"]
    return {row["pool"]: row["reward_b"] for row in settled}


def test_only_the_first_pool_of_a_block_is_settled_unrounded(engine_class: Any) -> None:
    """R-SWAP-STATE-5 (b): the rewards of two pools with the same trade differ by what rounding does to a share."""
    story = two_pools(engine_class)
    judged = story.block(exe("ex", "LOL,XYZ", "7"), exe("ex", "LOL,WTF", "7"))
    share = fee_of("1000", "10000", "7") / 10_000
    assert rewards(judged) == {
        "LOL-WTF": rounded(share * 9000 * MULTIPLIER),
        "LOL-XYZ": rounded(rounded(share) * 9000 * MULTIPLIER),
    }
    assert len(set(rewards(judged).values())) == 2


def test_after_a_claim_the_first_pool_is_settled_rounded_too(engine_class: Any) -> None:
    """R-SWAP-STATE-5 (a) and (b)."""
    story = two_pools(engine_class)
    program = {"type": "linear", "lock": "100", "stakes": ["LOL"]}
    deploy = deploy_text("CRV", "1000", curve=program).replace("deployer:546", "deployer:0 | deployer:0")
    stake = swap("ex2", init="LOL,CRV", amt="100", wrap=True).replace("ex2:546", "deployer:0")
    claim = swap("ex2", exe="yLOL,CRV", amt="1")
    judged = story.block(deploy, stake, exe("ex", "LOL,WTF", "7"), claim)
    assert codes(judged) == [None] * 4
    share = fee_of("1000", "10000", "7") / 10_000
    assert rewards(judged)["LOL-WTF"] == rounded(rounded(share) * 9000 * MULTIPLIER)


def test_the_last_of_a_group_gets_what_rounding_leaves_even_less_than_nothing(engine_class: Any) -> None:
    """R-SWAP-EXP-3: three quarters of 0.6 units each round up to one, so that minus 0.6 is left for the fourth."""
    story = Story(engine_class)
    story.block(
        init("lp1", "LOL,WTF", "1000", "20"),
        *(init("lp1", "WTF,LOL", "1") for _ in range(4)),
        init("lp2", "WTF,LOL", "9996", "20"),
    )
    story.until(930_010)
    judged = story.block(exe("ex", "LOL,WTF", "0.002"))
    rewards = [story.position(number)["reward_b"] for number in range(2, 6)]
    assert rewards == [UNIT, UNIT, UNIT, -UNIT]
    paid = [(cause, change) for cause, _, _, change in events(judged) if cause == "expiry_reward"]
    assert paid == [("expiry_reward", -UNIT)] * 3
    assert story.pool()["fees_b"] == rounded(fee_of("1000", "10000", "0.002") - 3 * UNIT)


def test_rewards_are_scaled_to_the_fees_that_were_collected(engine_class: Any) -> None:
    """R-SWAP-EXP-3, D-51: multipliers promise more than there is; both get the same part of what they earned."""
    story = Story(engine_class)
    story.block(
        init("lp1", "LOL,WTF", "1000", "20"), init("lp1", "WTF,LOL", "3000"), init("lp2", "WTF,LOL", "1000", "10")
    )
    story.block(exe("ex", "LOL,WTF", "100"))
    fees = story.pool()["fees_b"]
    story.until(930_011)
    first, second = (story.position(number)["reward_b"] for number in (2, 3))
    assert first + second == fees
    assert abs(first - 3 * second) <= 2 * UNIT
    assert story.pool()["fees_b"] == 0


def test_a_pool_that_is_short_by_rounding_pays_what_it_has(engine_class: Any) -> None:
    """R-SWAP-EXP-5, D-42: nothing else in the block is touched, and the pool owes nothing any more."""
    story = Story(engine_class)
    story.block(init("lp1", "LOL,WTF", "100"), init("lp2", "WTF,LOL", "100"))
    story.block(exe("ex", "LOL,WTF", "2"), exe("ex2", "WTF,LOL", "2"))
    owed = {
        "LOL": sum(story.position(number)["accumulated_a"] for number in (1, 2)) + story.position(1)["locked"],
        "WTF": sum(story.position(number)["accumulated_b"] for number in (1, 2)) + story.position(2)["locked"],
    }
    rewards = {"LOL": story.pool()["fees_a"], "WTF": story.pool()["fees_b"]}
    held = {ticker: story.balance(POOL, ticker) for ticker in owed}
    short = {ticker: owed[ticker] + rewards[ticker] - held[ticker] for ticker in owed}
    assert max(short.values()) == UNIT, short
    story.until(930_010)
    judged = story.block(mint_text("LOL", "7", "zz"))
    assert codes(judged) == [None]
    assert story.balance("zz", "LOL") == 7
    assert [row["status"] for row in judged.modules["positions"].to_pylist()] == ["expired", "expired"]
    for ticker in owed:
        assert story.balance(POOL, ticker) == 0
        assert sum(story.balance(holder, ticker) for holder in ("lp1", "lp2", "ex", "ex2")) == 40_000


def diluted(engine_class: Any) -> Story:
    """A pool whose liquidity is a residue of 666.66666667 beside one unit: deposits get next to no units."""
    story = Story(engine_class)
    story.block(init("lp1", "LOL,WTF", "1000"), init("lp2", "WTF,LOL", "2000"))
    story.block(exe("ex", "LOL,WTF", "500"))
    story.until(930_011)
    assert (story.pool()["liquidity_b"], story.pool()["units_b"]) == (Decimal("666.66666667"), 0)
    story.block(init("lp2", "WTF,LOL", "0.00000001"))
    return story


def test_principal_and_receipts_of_a_position_without_units_are_returned(engine_class: Any) -> None:
    """R-SWAP-EXP-6, D-47: 100 WTF get 1.5·10^-9 units, that is none."""
    story = diluted(engine_class)
    story.block(init("lp1", "WTF,LOL", "100"), init("lp2", "LOL,WTF", "1000"))
    position = story.position(4)
    assert position["units_a"] == position["units_b"] == 0
    story.block(exe("ex", "LOL,WTF", "100"))
    position = story.position(4)
    received, locked = position["accumulated_a"], position["locked"]
    assert received > 0
    before = story.balance("lp1", "LOL"), story.balance("lp1", "WTF")
    story.until(930_023)
    assert (story.position(4)["status"], story.position(4)["reward_b"]) == ("expired", 0)
    assert story.balance("lp1", "LOL") - before[0] == received
    assert story.balance("lp1", "WTF") - before[1] == locked


def test_a_position_without_units_is_settled_alone(engine_class: Any) -> None:
    """R-SWAP-EXP-6, D-47."""
    story = diluted(engine_class)
    story.block(init("lp1", "WTF,LOL", "100", "15"))
    story.until(930_027)
    assert story.position(4)["status"] == "active"
    judged = story.block(init("lp1", "WTF,LOL", "1"))
    assert [(cause, change) for cause, _, _, change in events(judged)[2:]] == [
        ("expiry_principal", Decimal(-100)),
        ("expiry", Decimal(100)),
    ]
    assert (story.position(4)["status"], story.position(4)["closed_height"]) == ("expired", story.height)


def test_a_position_without_units_is_not_the_last_to_share_rewards(engine_class: Any) -> None:
    """R-SWAP-EXP-3, D-47: what rounding leaves goes to the last position that has units."""
    story = diluted(engine_class)
    story.block(init("lp2", "LOL,WTF", "1000", "30"))
    story.block(init("lp2", "WTF,LOL", "5000", "20"), init("lp1", "WTF,LOL", "100", "20"))
    with_units, without = story.position(5), story.position(6)
    assert (with_units["units_b"] > 0, without["units_b"]) == (True, 0)
    story.until(930_033)
    judged = story.block(exe("ex", "LOL,WTF", "700"))
    assert codes(judged) == [None]
    assert story.position(6)["reward_b"] == 0
    assert story.position(5)["reward_b"] > 0


def test_fees_of_a_token_go_to_those_who_provide_it(engine_class: Any) -> None:
    """R-SWAP-LP-4, R-SWAP-EXP-8: what nobody has units for stays in the pool's account."""
    story = Story(engine_class)
    story.block(init("lp1", "LOL,WTF", "1000", "20"), init("lp2", "WTF,LOL", "2000", "10"))
    story.block(exe("ex", "WTF,LOL", "100"))
    story.until(930_011)
    settled = story.position(2)
    assert settled["reward_a"] == settled["reward_b"] == 0
    assert settled["accumulated_a"] == 0
    story.until(930_021)
    assert story.position(1)["reward_a"] > 0
    assert story.position(1)["reward_a"] == rounded(fee_of("2000", "1000", "100"))


def test_positions_are_settled_once(engine_class: Any) -> None:
    """R-SWAP-EXP-1: and a pool goes on with what comes later."""
    story = Story(engine_class)
    story.block(init("lp1", "LOL,WTF", "1000"), init("lp2", "WTF,LOL", "2000"))
    story.until(930_011)
    balances = [story.balance(holder, ticker) for holder in ("lp1", "lp2") for ticker in ("LOL", "WTF")]
    assert balances == [10_000] * 4
    judged = story.block(init("lp1", "LOL,WTF", "10", "30"))
    assert judged.modules["positions"]["position_id"].to_pylist() == [3]
    story.until(930_024)
    assert story.position(3)["status"] == "active"


def test_the_shortest_and_the_longest_lock(engine_class: Any) -> None:
    """R-SWAP-INIT-1 rows 5 and 8, R-SWAP-LP-5."""
    story = Story(engine_class)
    locks = ["9", "10", "1000000", "1000001"]
    judged = story.block(*(init("lp1", "LOL,WTF", "1", lock) for lock in locks))
    assert codes(judged) == ["SWAP_LOCK_TOO_SHORT", None, None, "SWAP_INVALID_LOCK_DURATION"]
    assert [story.position(number)["multiplier"] for number in (1, 2)] == [MULTIPLIER, Decimal("2.5")]
