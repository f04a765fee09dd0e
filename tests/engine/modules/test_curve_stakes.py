"""Stakes and claims: R-CURVE-STAKE-*, R-CURVE-CLAIM-*, R-SWAP-ROUTE-4, and D-27, D-60, D-61, D-65, D-69, D-76."""

from typing import Any

import pytest

from engine.judge import Engine
from ingest.networks import MAINNET
from tests.helpers.builders import candidates, headers
from tests.helpers.scenarios import mint_text, records_of, transactions
from tests.helpers.staking import StakingChain, claim, curve_deploy, send, stake, tx

RAY = 10**27


def test_refused_stakes(engine_class: Any) -> None:
    """R-CURVE-STAKE-1, in its order, with the rows of R-SWAP-INIT-1 that apply; there is no `lock`."""
    chain = StakingChain(engine_class)
    init = "op=swap_init error"
    chain.expect(
        (stake("u1", "5", "WTF"), f"{init}=SWAP_MISSING_FIELDS from=u1"),
        (stake("u1", "x", "WTF"), f"{init}=SWAP_MISSING_FIELDS from=u1"),
        (stake("u1", 0), f"{init}=SWAP_MISSING_FIELDS from=u1"),
        (stake("u1", None), f"{init}=SWAP_MISSING_FIELDS from=u1"),
        (
            tx("u1", {"op": "swap", "init": 7, "amt": "5", "wrap": True}),
            "op=swap error=UNKNOWN_PROCESSING_ERROR from=u1",
        ),
        (stake("u1", "5", "WTF,C\0V"), "op=swap error=UNKNOWN_PROCESSING_ERROR from=u1"),
        (stake("u1", "x"), f"{init}=SWAP_INVALID_AMOUNT from=u1"),
        (stake("u1", [5]), f"{init}=SWAP_INVALID_AMOUNT from=u1"),
        (stake("u1", "0"), f"{init}=SWAP_INVALID_AMOUNT amt=0 from=u1"),
        (stake("u1", "-1"), f"{init}=SWAP_INVALID_AMOUNT amt=-1 from=u1"),
        (stake("u1", "1e28"), f"{init}=SWAP_INVALID_AMOUNT amt=1e28 from=u1"),
        (stake("u1", "Infinity"), f"{init}=SWAP_INVALID_AMOUNT from=u1"),
        (stake("u1", "NaN"), "op=swap error=UNKNOWN_PROCESSING_ERROR from=u1"),
        (stake("bare_u", "5"), f"{init}=NO_VALID_RECEIVER tick=WTF amt=5"),
        (stake("u1", "5", "WTF,NOP"), f"{init}=TICKER_NOT_DEPLOYED tick=WTF amt=5 from=u1"),
        (stake("u1", "5", "NOP,LOL"), f"{init}=TICKER_NOT_DEPLOYED tick=NOP amt=5 from=u1"),
        (stake("u1", "5", "LOL,CRV"), f"{init}=INVALID_OPERATION tick=LOL amt=5 from=u1"),
        (stake("u1", "5", "yWTF,CRV"), f"{init}=INVALID_OPERATION tick=yWTF amt=5 from=u1"),
        (stake("u1", "5").replace(" | dev:3000", ""), f"{init}=INVALID_OPERATION tick=WTF amt=5 from=u1"),
        (stake("u1", "5", fee="dev:3001"), f"{init}=INVALID_OPERATION tick=WTF amt=5 from=u1"),
        (stake("u1", "5", fee="zz:3000"), f"{init}=INVALID_OPERATION tick=WTF amt=5 from=u1"),
        (stake("u1", "5", fee="bare_x:3000"), f"{init}=INVALID_OPERATION tick=WTF amt=5 from=u1"),
        (stake("u1", "10000.000000001"), f"{init}=SWAP_INSUFFICIENT_BALANCE tick=WTF amt=10000 from=u1"),
        (stake("u9", "1"), f"{init}=SWAP_INSUFFICIENT_BALANCE tick=WTF amt=1 from=u9"),
    )
    assert chain.rows() == ["program CRV"]
    assert chain.versions("programs") == []
    chain.audit()


@pytest.mark.parametrize("wrap", [True, 1, 1.0, "true"])
def test_what_makes_an_init_a_stake(engine_class: Any, wrap: object) -> None:
    """R-SWAP-ROUTE-4; an `exe` beside the `init` has no meaning (R-SWAP-ROUTE-1), nor has a `lock`."""
    chain = StakingChain(engine_class)
    chain.expect((stake("u1", "5", wrap=wrap, exe="yWTF,CRV", lock="x"), "op=swap_init tick=WTF amt=5 from=u1"))
    assert chain.row("account CRV u1")["staked"] == "5"


@pytest.mark.parametrize("wrap", [False, None, 0, 2, 1.5, "1", "True", "TRUE", " true", [True], {}])
def test_what_does_not(engine_class: Any, wrap: object) -> None:
    """R-SWAP-ROUTE-4: an ordinary `init` wants a `lock`."""
    chain = StakingChain(engine_class)
    chain.expect((stake("u1", "5", wrap=wrap), "op=swap_init error=SWAP_MISSING_FIELDS from=u1"))


def test_what_a_stake_does(engine_class: Any) -> None:
    """R-CURVE-STAKE-2, R-CURVE-STAKE-3: members of the pair are trimmed; amounts follow R-SWAP-NUM-1."""
    chain = StakingChain(engine_class)
    chain.expect((stake("u1", " 1_0.5e1 ", " wtf , crv "), "op=swap_init tick=WTF amt=105 from=u1"))
    assert chain.events() == [("stake", "WTF", "u1", "-105")]
    assert chain.row("account CRV u1") == {"staked": "105", "scaled": "105"}
    assert chain.balance("u1", "WTF") == "9895"
    assert chain.judged[-1].supplies.num_rows == 0
    chain.audit()


def test_the_fee_is_paid_after_the_first_op_return(engine_class: Any) -> None:
    """R-CURVE-STAKE-1, R-CURVE-CLAIM-1, R-CORE-ADDR-3."""
    chain = StakingChain(engine_class)
    foreign = stake("u1", "5").replace("out[", "out[OP_RETURN hex:00 | dev:3000 | ").replace("dev:3000]", "zz:9]")
    chain.expect((foreign, "op=swap_init tick=WTF amt=5 from=u1 vout=2"))
    foreign = claim("u1", "5").replace("out[", "out[dev:1000 | OP_RETURN hex:00 | zz:1 | ")
    chain.expect((foreign, "op=swap_exe tick=yWTF amt=5 error=INVALID_OPERATION from=u1 vout=3"))


def test_a_fee_of_zero(engine_class: Any) -> None:
    """D-70: a stake still pays it, a claim asks for no output."""
    chain = StakingChain(engine_class)
    chain.block(curve_deploy("NEW", "dev:0", "dev:0"))
    nothing = stake("u1", "5", "WTF,NEW").replace(" | dev:3000", "")
    chain.expect(
        (nothing, "op=swap_init tick=WTF amt=5 error=INVALID_OPERATION from=u1"),
        (stake("u1", "5", "WTF,NEW", "zz:0"), "op=swap_init tick=WTF amt=5 error=INVALID_OPERATION from=u1"),
        (stake("u1", "5", "WTF,NEW", "dev:0"), "op=swap_init tick=WTF amt=5 from=u1"),
    )
    chain.expect((claim("u1", "5", "yWTF,NEW").replace(" | dev:1000", ""), "op=swap_exe tick=yWTF amt=5 from=u1"))


def test_refused_claims(engine_class: Any) -> None:
    """R-CURVE-CLAIM-1, in its order; D-61 follows on the number."""
    chain = StakingChain(engine_class)
    chain.block(stake("u1", "100"))
    exe, claimed = "op=swap_exe error", "op=swap_exe tick=yWTF amt"
    chain.expect(
        (claim("u1", "5", "yWTF"), f"{exe}=SWAP_MISSING_FIELDS from=u1"),
        (claim("u1", 0), f"{exe}=SWAP_MISSING_FIELDS from=u1"),
        (claim("u1", ""), f"{exe}=SWAP_MISSING_FIELDS from=u1"),
        (claim("u1", "5", "yW\0F,CRV"), "op=swap error=UNKNOWN_PROCESSING_ERROR from=u1"),
        (claim("u1", "x"), f"{exe}=SWAP_INVALID_AMOUNT from=u1"),
        (claim("u1", True), f"{exe}=SWAP_INVALID_AMOUNT from=u1"),
        (claim("u1", "0"), f"{claimed}=0 error=SWAP_INVALID_AMOUNT from=u1 tags=D-61"),
        (claim("u1", "-0"), f"{claimed}=0 error=SWAP_INVALID_AMOUNT from=u1 tags=D-61"),
        (claim("u1", -3), f"{claimed}=-3 error=SWAP_INVALID_AMOUNT from=u1 tags=D-61"),
        (claim("u1", "nan"), f"{exe}=SWAP_INVALID_AMOUNT tick=yWTF from=u1 tags=D-61"),
        (claim("u1", "sNaN"), f"{exe}=SWAP_INVALID_AMOUNT tick=yWTF from=u1 tags=D-61"),
        (claim("u1", "-Infinity"), f"{exe}=SWAP_INVALID_AMOUNT tick=yWTF from=u1 tags=D-61"),
        (claim("bare_u", "5"), f"{claimed}=5 error=NO_VALID_RECEIVER"),
        (claim("u1", "5", "y,CRV"), f"{exe}=INVALID_OPERATION tick=y amt=5 from=u1"),
        (claim("u1", "5", "yWTF,NOP"), f"{claimed}=5 error=TICKER_NOT_DEPLOYED from=u1"),
        (claim("u1", "5", "yLOL,CRV"), f"{exe}=INVALID_OPERATION tick=yLOL amt=5 from=u1"),
        (claim("u1", "5").replace(" | dev:1000", ""), f"{claimed}=5 error=INVALID_OPERATION from=u1"),
        (claim("u1", "5", fee="dev:999"), f"{claimed}=5 error=INVALID_OPERATION from=u1"),
        (claim("u1", "5", fee="zz:1000"), f"{claimed}=5 error=INVALID_OPERATION from=u1"),
        (claim("u9", "5"), f"{claimed}=5 error=UNKNOWN_PROCESSING_ERROR from=u9"),
        (claim("u1", "100.00010001"), f"{claimed}=100.00010001 error=UNKNOWN_PROCESSING_ERROR from=u1"),
        (claim("u1", "Infinity"), f"{exe}=UNKNOWN_PROCESSING_ERROR tick=yWTF from=u1"),
        (claim("u1", "1e999999999"), f"{exe}=UNKNOWN_PROCESSING_ERROR tick=yWTF from=u1"),
    )
    assert chain.versions("accounts") == []
    assert chain.events() == []
    chain.audit()


def test_claims_by_other_spellings(engine_class: Any) -> None:
    """R-SWAP-ROUTE-4: a lower-case `y` claims always and needs no `slip`; an upper-case one is a trade."""
    chain = StakingChain(engine_class)
    chain.block(stake("u1", "100"))
    chain.expect(
        (claim("u1", 1.5, " ywtf , crv "), "op=swap_exe tick=yWTF amt=1.5 from=u1"),
        (claim("u1", "1", "YWTF,CRV"), "op=swap_exe error=SWAP_MISSING_FIELDS from=u1"),
        (claim("u1", "1", "YWTF,CRV", slip="1"), "op=swap_exe tick=YWTF amt=1 error=TICKER_NOT_DEPLOYED from=u1"),
        (claim("u1", "1", ["yWTF", "CRV"]), "op=swap_exe error=SWAP_MISSING_FIELDS from=u1"),  # type: ignore[arg-type]  # a list is what is refused
        (claim("u1", "1", init=""), "op=swap_init error=SWAP_MISSING_FIELDS from=u1"),
        (claim("u1", "1", init=None), "op=swap_exe tick=yWTF amt=1 from=u1 tags=D-60"),
    )


def test_claims_are_refused_before_their_height() -> None:
    """R-CURVE-CLAIM-1, R-CORE-CONST-4: stakes are not."""
    texts = {height: [claim("u1", "x")] for height in (926_479, 926_480)}
    texts[926_479].append(stake("u1", "5"))
    blocks = transactions(texts)
    judged = Engine(MAINNET).judge(headers(blocks), candidates(blocks))
    records = records_of(judged, 0, {row["from_address"]: "u1" for row in judged.operations.to_pylist()})
    assert [(record["op"], record["error"]) for record in records] == [
        ("swap_exe", "SWAP_NOT_ACTIVATED"),
        ("swap_init", "TICKER_NOT_DEPLOYED"),
        ("swap_exe", "SWAP_INVALID_AMOUNT"),
    ]


def test_the_worked_example(engine_class: Any) -> None:
    """Section 8 of the curve rules, through whole blocks."""
    chain = StakingChain(engine_class)
    chain.empty(930_006)
    chain.block(stake("u1", "100"))
    assert chain.row("program CRV")["index"] == str(1001 * RAY)
    assert chain.row("account CRV u1")["scaled"] == "0.099900099900099900099900099"
    chain.block()
    assert chain.row("program CRV")["index"] == str(1201 * RAY)
    chain.block(stake("u2", "300"))
    assert chain.row("program CRV")["index"] == str(1251 * RAY)
    chain.block()
    chain.expect((claim("u1", "100"), "op=swap_exe tick=yWTF amt=100 from=u1"))
    assert chain.events() == [
        ("unstake", "WTF", "u1", "76.94081476"),
        ("reward", "CRV", "u1", "11.52959262"),
    ]
    assert chain.row("account CRV u1")["staked"] == "23.05918524"
    assert chain.row("program CRV") | {"index": ""} == {
        "type": "linear",
        "duration": "100",
        "staking": "WTF",
        "max": "1000000",
        "staking_max": "2000000",
        "rho": "0.5",
        "init_fee": "3000",
        "exe_fee": "1000",
        "genesis": "dev",
        "start": "930001",
        "last": "930010",
        "index": "",
        "staked": "323.05918524",
        "scaled": "100.172927889326150831263467992",
        "paid": "11.529592621060722521137586125326287471176018447348",
    }
    assert chain.balance("u1", "CRV") == "11.52959262"
    chain.audit()


def test_a_stake_and_a_claim_in_one_block_leave_nothing(engine_class: Any) -> None:
    """D-60, SCENARIO-041: every operation sees and leaves the account's true balance."""
    chain = StakingChain(engine_class)
    chain.expect(
        (stake("u1", "1000"), "op=swap_init tick=WTF amt=1000 from=u1"),
        (claim("u1", "400"), "op=swap_exe tick=yWTF amt=400 from=u1 tags=D-60"),
        (stake("u1", "1"), "op=swap_init tick=WTF amt=1 from=u1 tags=D-60"),
        (claim("u1", "601"), "op=swap_exe tick=yWTF amt=601 from=u1 tags=D-60"),
        (claim("u1", "1"), "op=swap_exe tick=yWTF amt=1 error=UNKNOWN_PROCESSING_ERROR from=u1"),
        (send("u1", "1", "u2"), "op=transfer tick=yWTF amt=1 error=INSUFFICIENT_BALANCE from=u1 to=u2"),
    )
    assert chain.row("account CRV u1") == {"staked": "0", "scaled": "0"}
    assert chain.balance("u1", "WTF") == "10000"
    chain.audit()


def test_whoever_an_earlier_operation_touched_is_tagged(engine_class: Any) -> None:
    """D-60: sender and recipient of a `y` transfer too, until the block ends."""
    chain = StakingChain(engine_class)
    chain.block(stake("u1", "1000"))
    chain.expect(
        (send("u1", "1", "u2"), "op=transfer tick=yWTF amt=1 from=u1 to=u2 tags=D-62"),
        (send("u3", "1", "u3"), "op=transfer tick=yWTF amt=1 error=INSUFFICIENT_BALANCE from=u3 to=u3"),
        (stake("u2", "1"), "op=swap_init tick=WTF amt=1 from=u2 tags=D-60"),
        (claim("u1", "1"), "op=swap_exe tick=yWTF amt=1 from=u1 tags=D-60"),
        (stake("u3", "1"), "op=swap_init tick=WTF amt=1 from=u3"),
    )
    chain.expect((stake("u2", "1"), "op=swap_init tick=WTF amt=1 from=u2"))


def test_rewards_are_capped(engine_class: Any) -> None:
    """D-65. Stakes that round to nothing leave a scaled balance without principal, which earns 4.9 times what u2 does:
    4.9 times the supply."""
    chain = StakingChain(engine_class)
    chain.block(curve_deploy("NEW", m="100", lock="10"))
    chain.block(*(stake("u1", "0.0000000049", "WTF,NEW") for _ in range(10)))
    assert chain.row("account NEW u1") == {"staked": "0", "scaled": "0.000000049"}
    chain.block(stake("u2", "0.00000001", "WTF,NEW"))
    chain.empty(930_020)
    assert chain.row("program NEW")["index"] == str((1 + 2 * 10**14) * RAY)
    chain.expect((claim("u1", "1000000", "yWTF,NEW"), "op=swap_exe tick=yWTF amt=1000000 from=u1"))
    assert chain.events() == [("reward", "NEW", "u1", "50")]
    chain.expect(
        (claim("u1", "1500000", "yWTF,NEW"), "op=swap_exe tick=yWTF amt=1500000 from=u1 tags=D-65"),
        (claim("u1", "1", "yWTF,NEW"), "op=swap_exe tick=yWTF amt=1 from=u1 tags=D-65"),
    )
    assert chain.events() == [("reward", "NEW", "u1", "50")]
    assert chain.row("program NEW")["paid"] == "100"
    chain.audit()


def test_a_second_program_pays_but_shows_no_balance(engine_class: Any) -> None:
    """D-69: `yWTF` is the first program's; stakers of the second can claim, not send, and forfeit nothing."""
    chain = StakingChain(engine_class)
    chain.block(curve_deploy("NEW", "dev:0", "dev:0"))
    chain.block(stake("u1", "100", "WTF,NEW", "dev:0"), stake("u1", "1", "WTF,NEW", "dev:0"))
    assert chain.judged[-1].operations["divergence"].to_pylist() == [None, None]
    assert chain.row("account NEW u1")["scaled"] == "101"
    chain.expect(
        (send("u1", "1", "u2"), "op=transfer tick=yWTF amt=1 error=INSUFFICIENT_BALANCE from=u1 to=u2"),
        (claim("u1", "101", "yWTF,CRV"), "op=swap_exe tick=yWTF amt=101 error=UNKNOWN_PROCESSING_ERROR from=u1"),
        (claim("u1", "101", "yWTF,NEW", "dev:0"), "op=swap_exe tick=yWTF amt=101 from=u1"),
    )
    chain.block(stake("u2", "50"), stake("u1", "50", "WTF,NEW", "dev:0"))
    chain.expect((send("u2", "20", "u1"), "op=transfer tick=yWTF amt=20 from=u2 to=u1 tags=D-62"))
    assert chain.rows() == [
        "account CRV u1",
        "account CRV u2",
        "account NEW u1",
        "program CRV",
        "program NEW",
    ]
    chain.audit()


def test_of_programs_of_one_block_the_lowest_txid_shows_the_balance(engine_class: Any) -> None:
    """R-CURVE-STATE-3, R-CURVE-XFER-2."""
    chain = StakingChain(engine_class)
    names = ["PA", "PB", "PC", "PD"]
    chain.block(*(curve_deploy(name, "dev:0", "dev:0", stakes=["LOL"]) for name in names))
    txids = dict(zip(names, chain.judged[-1].operations["txid"].to_pylist(), strict=True))
    first = min(names, key=txids.__getitem__)
    chain.block(*(stake(f"u{n}", "10", f"LOL,{name}", "dev:0") for n, name in enumerate(names[:3], start=1)))
    chain.block(stake("ex", "10", "LOL,PD", "dev:0"))
    holder = {"PA": "u1", "PB": "u2", "PC": "u3", "PD": "ex"}[first]
    for sender in ("u1", "u2", "u3", "ex"):
        record = chain.block(send(sender, "1", "zz", "yLOL"))[0]
        assert record["valid"] == ("true" if sender == holder else "false")


def test_the_staking_token_may_not_exist_yet(engine_class: Any) -> None:
    """D-76, R-CURVE-DEP-6: rho is filled at the first advance after it exists."""
    chain = StakingChain(engine_class)
    chain.block(curve_deploy("NEW", stakes=["LATE"]))
    chain.expect(
        (stake("u1", "5", "LATE,NEW"), "op=swap_init tick=LATE amt=5 error=SWAP_INSUFFICIENT_BALANCE from=u1"),
        (send("u1", "1", "u2", "yLATE"), "op=transfer tick=yLATE amt=1 error=INSUFFICIENT_BALANCE from=u1 to=u2"),
    )
    chain.block(tx("zz", {"op": "deploy", "tick": "LATE", "m": "3000000", "l": "1000"}), mint_text("LATE", "10", "u1"))
    assert chain.row("program NEW")["rho"] == "unknown"
    chain.block(stake("u1", "5", "LATE,NEW"))
    row = chain.row("program NEW")
    assert (row["rho"], row["staking_max"], row["last"]) == ("0.33333333", "3000000", "930004")
    # 2 blocks of 10000; in the block that fills rho, it is the unrounded third (D-66): 1 + 20000 / (1/3) / 5
    assert row["index"] == "12001000000000000000000000000000"
    chain.block()
    assert chain.row("program NEW")["index"] == "18001000060000000600000006000000.060000000600000006"


def test_stones_can_be_staked_before_they_are_a_token(engine_class: Any) -> None:
    """D-76, R-CORE-STONE-4: meanwhile rho counts as 1."""
    chain = StakingChain(engine_class)
    chain.block(curve_deploy("NEW", stakes=["STONES"]), "in[zz] out[OP_RETURN script:6a5d | u1:546]")
    chain.expect((stake("u1", "1", "STONES,NEW"), "op=swap_init tick=STONES amt=1 from=u1"))
    chain.block()
    assert (chain.row("program NEW")["rho"], chain.row("program NEW")["last"]) == ("unknown", "930003")
    assert chain.row("program NEW")["index"] == str(10001 * RAY)
    chain.block(tx("zz", {"op": "deploy", "tick": "STONES", "m": "500000", "l": "1"}))
    assert chain.row("program NEW")["rho"] == "2"
    assert chain.row("program NEW")["index"] == str(15001 * RAY)
    chain.audit()


def test_a_program_whose_staking_token_has_no_supply_stands_still(engine_class: Any) -> None:
    """R-CURVE-DEP-6: rho stays unknown for ever, I = RAY and L = B; stakes and claims move principal."""
    chain = StakingChain(engine_class)
    zero = tx("zz", {"op": "deploy", "tick": "STONES", "m": "0", "l": "0"})
    chain.block(zero, curve_deploy("NEW", stakes=["STONES"]), "in[zz] out[OP_RETURN script:6a5d | u1:546]")
    chain.block(stake("u1", "1", "STONES,NEW"))
    chain.empty(930_010)
    row = chain.row("program NEW")
    assert (row["rho"], row["staking_max"], row["last"], row["index"]) == ("unknown", "0", "930002", str(RAY))
    assert chain.row("account NEW u1") == {"staked": "1", "scaled": "1"}
    chain.expect((claim("u1", "0.4", "ySTONES,NEW"), "op=swap_exe tick=ySTONES amt=0.4 from=u1"))
    assert chain.events() == [("unstake", "STONES", "u1", "0.4")]
    assert (chain.row("program NEW")["last"], chain.balance("u1", "STONES")) == ("930002", "0.4")
    chain.audit()


def test_the_smallest_amounts_are_conserved(engine_class: Any) -> None:
    """R-CURVE-STATE-5: what is staked is rounded at once, what is left of the balance at the block's end."""
    chain = StakingChain(engine_class)
    chain.block(*(stake("u1", "0.000000005") for _ in range(3)), stake("u1", "0.0000000149"))
    assert chain.row("account CRV u1")["staked"] == "0.00000004"
    assert chain.balance("u1", "WTF") == "9999.99999997"
    chain.block(claim("u1", "0.000000011"), claim("u1", "0.000000011"))
    chain.audit()
    chain.block(claim("u1", "0.00000001"))
    chain.audit()
