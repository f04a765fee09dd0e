"""Deploys of curve programs, and mints of what they emit: R-CURVE-DEP-*, D-6, D-7, D-27, D-31."""

from typing import Any

import pytest

from tests.helpers.scenarios import deploy_text, mint_text
from tests.helpers.staking import StakingChain, claim, curve_deploy, stake, tx

REFUSED = "error=INVALID_OPERATION tags=D-7"
FEES = ("dev:3000", "dev:1000")


def deploy(ticker: str, curve: object, *outputs: str, sender: str = "dev", **members: object) -> str:
    payload = {"op": "deploy", "tick": ticker, "m": "1000", "curve": curve} | members
    return tx(sender, payload, *(outputs or FEES))


def test_refusals(engine_class: Any) -> None:
    """R-CURVE-DEP-1, R-CURVE-DEP-2, D-7: nothing is created, and the ticker stays free."""
    chain = StakingChain(engine_class)
    cases = {
        curve_deploy("R2", type="cubic"): "R2",
        curve_deploy("R2", type="Linear"): "R2",
        deploy("R2", {"lock": "1", "stakes": ["WTF"]}): "R2",
        curve_deploy("R3", lock="0"): "R3",
        curve_deploy("R3", lock="-5"): "R3",
        curve_deploy("R3", lock=0.9): "R3",
        curve_deploy("R3", lock=False): "R3",
        deploy("R3", {"type": "linear", "stakes": ["WTF"]}): "R3",
        curve_deploy("R4", stakes=[]): "R4",
        curve_deploy("R4", stakes="WTF"): "R4",
        curve_deploy("R4", stakes={"WTF": 1}): "R4",
        deploy("R4", {"type": "linear", "lock": "1"}): "R4",
        curve_deploy("R8", m="0"): "R8",
        curve_deploy("R8", m="0.000000004"): "R8",
    }
    chain.expect(*((text, f"op=deploy tick={ticker} {REFUSED} from=dev to=dev") for text, ticker in cases.items()))
    chain.expect(
        (curve_deploy("R5", sender="bare_x"), f"op=deploy tick=R5 {REFUSED} to=dev"),
        (curve_deploy("R6", "dev:3000"), f"op=deploy tick=R6 {REFUSED} from=dev to=dev"),
        (curve_deploy("R7", "zz:3000", "dev:1000"), f"op=deploy tick=R7 {REFUSED} from=dev to=zz"),
        (curve_deploy("R7", "dev:3000", "zz:1000"), f"op=deploy tick=R7 {REFUSED} from=dev to=dev"),
        (curve_deploy("R7", "dev:3000", "OP_RETURN hex:00"), f"op=deploy tick=R7 {REFUSED} from=dev to=dev"),
    )
    chain.expect(*((deploy_text(f"R{n}", "5"), f"op=deploy tick=R{n} from=deployer to=deployer") for n in range(2, 9)))
    assert chain.rows() == ["program CRV"]


@pytest.mark.parametrize(
    "curve",
    [
        "linear",
        ["linear"],
        1,
        True,
        {"type": "linear", "lock": "10.9", "stakes": ["WTF"]},
        {"type": "linear", "lock": "1e1", "stakes": ["WTF"]},
        {"type": "linear", "lock": "", "stakes": ["WTF"]},
        {"type": "linear", "lock": None, "stakes": ["WTF"]},
        {"type": "linear", "lock": [5], "stakes": ["WTF"]},
        {"type": "linear", "lock": float("inf"), "stakes": ["WTF"]},
        {"type": "linear", "lock": float("nan"), "stakes": ["WTF"]},
        {"type": "linear", "lock": 10**19, "stakes": ["WTF"]},
        {"type": "linear", "lock": "1", "stakes": [5, "WTF"]},
        {"type": "linear", "lock": "1", "stakes": [None]},
        {"type": "linear", "lock": "1", "stakes": [["WTF"]]},
        {"type": "linear", "lock": "1", "stakes": ["W\0F"]},
        {"type": "linear", "lock": "1", "stakes": ["W\ud800F"]},
        {"type": ["linear"], "lock": "1", "stakes": ["WTF"]},
    ],
)
def test_wrong_types_are_refused(engine_class: Any, curve: object) -> None:
    """R-CURVE-DEP-4 with D-7; a lock or a stake that cannot be stored is refused too."""
    chain = StakingChain(engine_class)
    chain.expect((deploy("NEW", curve), f"op=deploy tick=NEW {REFUSED} from=dev to=dev"))
    assert chain.rows() == ["program CRV"]


def test_other_checks_of_a_deploy_come_first(engine_class: Any) -> None:
    """R-CURVE-DEP-1: R-CORE-DEP-2; then the `y`, which is never deployed (D-6)."""
    chain = StakingChain(engine_class)
    cubic = {"type": "cubic"}
    chain.expect(
        (curve_deploy("WTF"), "op=deploy tick=WTF error=TICKER_ALREADY_EXISTS from=dev to=dev"),
        (curve_deploy("CRV"), "op=deploy tick=CRV error=TICKER_ALREADY_EXISTS from=dev to=dev"),
        (deploy("NEW", cubic, m="x"), "op=deploy tick=NEW error=INVALID_AMOUNT from=dev to=dev"),
        (deploy("NEW", cubic, m=None), "op=deploy tick=NEW error=INVALID_AMOUNT from=dev to=dev"),
        (deploy("NEW", cubic, l="-1"), "op=deploy tick=NEW error=INVALID_AMOUNT from=dev to=dev"),
        (curve_deploy("Ynew"), "op=deploy tick=yNEW error=INVALID_OPERATION tags=D-6,D-7 from=dev to=dev"),
        (curve_deploy("yWTF"), "op=deploy tick=yWTF error=INVALID_OPERATION tags=D-6,D-7 from=dev to=dev"),
        (deploy("yNEW", cubic, m="x"), "op=deploy tick=yNEW error=INVALID_AMOUNT from=dev to=dev"),
    )


@pytest.mark.parametrize("curve", [{}, "", False, None, 0, 0.0, []])
def test_an_empty_curve_is_an_ordinary_deploy(engine_class: Any, curve: object) -> None:
    """R-CURVE-DEP-3."""
    chain = StakingChain(engine_class, [])
    chain.expect(
        (deploy("NEW", curve, "zz:1", l="5"), "op=deploy tick=NEW from=dev to=zz"),
        (mint_text("NEW", "5", "bob"), "op=mint tick=NEW amt=5 from=minter to=bob"),
    )
    assert chain.rows() == []


@pytest.mark.parametrize(
    ("lock", "duration"),
    [
        ("100", 100),
        (" +1_0\u00a0", 10),
        ("\uff11\u0660", 10),
        ("007", 7),
        (100, 100),
        (10.9, 10),
        (1e3, 1000),
        (True, 1),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_spellings_of_the_duration(engine_class: Any, lock: object, duration: int) -> None:
    """R-CURVE-DEP-1 row 3, R-CURVE-DEP-4."""
    chain = StakingChain(engine_class, [])
    chain.expect((curve_deploy("NEW", lock=lock), "op=deploy tick=NEW from=dev to=dev"))
    assert chain.row("program NEW")["duration"] == str(duration)


def test_what_a_program_remembers(engine_class: Any) -> None:
    """R-CURVE-DEP-5, R-CURVE-DEP-6: outputs count from the first OP_RETURN; only the first stake has a meaning."""
    chain = StakingChain(engine_class)
    payload = curve_deploy("NEW", type="exponential", lock="7", stakes=["wtf", 5, "LOL"], m="123.456789019")
    text = payload.replace("out[", "out[zz:9 | ").replace("dev:3000 | dev:1000", "dev:0 | dev:77 | zz:1")
    chain.expect((text, "op=deploy tick=NEW from=dev to=dev vout=1 tags=D-23"))
    assert chain.row("program NEW") == chain.row("program CRV") | {
        "type": "exponential",
        "duration": "7",
        "max": "123.45678902",
        "rho": "0.00006173",
        "init_fee": "0",
        "exe_fee": "77",
        "start": "930002",
        "last": "930002",
    }
    row = chain.engine.state().modules["programs"].to_pylist()[1]
    assert row["deploy_txid"] == chain.judged[-1].operations["txid"][0].as_py()
    assert (row["height"], row["rewards_paid"]) == (930_002, "0")


def test_a_staked_y_ticker_never_exists(engine_class: Any) -> None:
    """R-CURVE-DEP-5: `yWTF` is staked as `YWTF`."""
    chain = StakingChain(engine_class)
    chain.expect((curve_deploy("NEW", stakes=["yWTF"]), "op=deploy tick=NEW from=dev to=dev"))
    assert chain.row("program NEW")["staking"] == "YWTF"
    assert chain.row("program NEW")["rho"] == "unknown"


def test_a_program_may_stake_what_it_emits(engine_class: Any) -> None:
    """R-CURVE-DEP-5, R-CURVE-DEP-6: the token is there before the program."""
    chain = StakingChain(engine_class, [])
    chain.expect((curve_deploy("NEW", stakes=["new"]), "op=deploy tick=NEW from=dev to=dev"))
    assert (chain.row("program NEW")["staking_max"], chain.row("program NEW")["rho"]) == (
        "1000000",
        "1",
    )


def test_a_program_is_visible_in_its_block(engine_class: Any) -> None:
    """R-CURVE-DEP-8, D-27: also to what is refused."""
    chain = StakingChain(engine_class)
    chain.expect(
        (curve_deploy("NEW"), "op=deploy tick=NEW from=dev to=dev"),
        (stake("u1", "5", "LOL,NEW"), "op=swap_init tick=LOL amt=5 error=INVALID_OPERATION from=u1 tags=D-27"),
        (stake("u1", "5", "WTF,NEW", "dev:1"), "op=swap_init tick=WTF amt=5 error=INVALID_OPERATION from=u1 tags=D-27"),
        (
            stake("u1", "99999", "WTF,NEW"),
            "op=swap_init tick=WTF amt=99999 error=SWAP_INSUFFICIENT_BALANCE from=u1 tags=D-27",
        ),
        (stake("u1", "5", "WTF,NEW"), "op=swap_init tick=WTF amt=5 from=u1 tags=D-27"),
        (claim("u1", "1", "yLOL,NEW"), "op=swap_exe tick=yLOL amt=1 error=INVALID_OPERATION from=u1 tags=D-27"),
        (claim("u2", "1", "yWTF,NEW"), "op=swap_exe tick=yWTF amt=1 error=UNKNOWN_PROCESSING_ERROR from=u2 tags=D-27"),
        (claim("u1", "5", "yWTF,NEW"), "op=swap_exe tick=yWTF amt=5 from=u1 tags=D-27"),
    )
    chain.expect((stake("u1", "5", "WTF,NEW"), "op=swap_init tick=WTF amt=5 from=u1"))


def test_rewards_are_minted_by_claims_alone(engine_class: Any) -> None:
    """R-CORE-MINT-7, D-31: after the checks of any mint; what is refused is not counted."""
    chain = StakingChain(engine_class)
    chain.expect(
        (
            deploy("NEW", {"type": "linear", "lock": "1", "stakes": ["WTF"]}, l="10"),
            "op=deploy tick=NEW from=dev to=dev",
        ),
        (mint_text("NEW", "10", "bob"), "op=mint tick=NEW amt=10 error=INVALID_OPERATION from=minter to=bob tags=D-31"),
        (mint_text("NEW", "10.1", "bob"), "op=mint tick=NEW amt=10.1 error=EXCEEDS_MINT_LIMIT from=minter to=bob"),
        (mint_text("NEW", "x", "bob"), "op=mint tick=NEW error=INVALID_AMOUNT from=minter to=bob tags=D-3"),
        (mint_text("NEW", "1", "bare_bob"), "op=mint tick=NEW amt=1 error=NO_STANDARD_OUTPUT from=minter"),
        (mint_text("CRV", "1", "bob"), "op=mint tick=CRV amt=1 error=INVALID_OPERATION from=minter to=bob"),
    )
    chain.block(mint_text("NEW", "10", "bob"))
    assert chain.balance("bob", "NEW") == "0"
    assert chain.judged[-1].supplies.num_rows == 0
    chain.audit()


def test_y_tickers_are_minted_by_nothing(engine_class: Any) -> None:
    """R-CORE-MINT-1: a `y` ticker whose base is staked counts as deployed, without limit (R-CORE-MINT-3)."""
    chain = StakingChain(engine_class)
    chain.expect(
        (mint_text("yLOL", "1", "bob"), "op=mint tick=yLOL amt=1 error=TICKER_NOT_DEPLOYED from=minter to=bob"),
        (mint_text("YWTF", "1", "bob"), "op=mint tick=yWTF amt=1 error=INVALID_OPERATION from=minter to=bob"),
        (mint_text("yWTF", "-1", "bob"), "op=mint tick=yWTF amt=-1 error=INVALID_AMOUNT from=minter to=bob"),
        (mint_text("yWTF", "1", "bare_bob"), "op=mint tick=yWTF amt=1 error=NO_STANDARD_OUTPUT from=minter"),
        (
            tx("u1", {"op": "burn", "tick": "yWTF", "amt": "1"}, "u1:1"),
            "op=burn tick=yWTF amt=1 error=INVALID_OPERATION from=u1 to=u1 tags=D-8",
        ),
    )
