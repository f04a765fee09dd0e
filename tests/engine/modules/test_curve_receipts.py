"""Tickers that stakers hold: R-CURVE-STATE-3, R-CURVE-IDX-3, R-CURVE-XFER-*, and D-43, D-62, D-63, D-67."""

from typing import Any

import pytest

from engine.judge import Engine
from engine.plain import PlainEngine
from tests.helpers.audit import assert_same
from tests.helpers.scenarios import operation_text
from tests.helpers.staking import StakingChain, claim, curve_deploy, send, stake, steps, tx

RAY = 10**27


def staked(engine_class: Any, amount: str = "100") -> StakingChain:
    """u1 has staked in 930002."""
    chain = StakingChain(engine_class)
    chain.block(stake("u1", amount))
    return chain


def init(sender: str, pair: str, amount: str) -> str:
    return operation_text(sender, {"p": "brc-20", "op": "swap", "init": pair, "amt": amount, "lock": "10"}, sender)


def exe(sender: str, pair: str, amount: str) -> str:
    return operation_text(sender, {"p": "brc-20", "op": "swap", "exe": pair, "amt": amount, "slip": "100"}, sender)


def test_refused_transfers(engine_class: Any) -> None:
    """R-CURVE-XFER-1: the checks of any transfer in their order, a zero last."""
    chain = staked(engine_class)
    error = "op=transfer tick=yWTF amt=1 error"
    attempt = send("u1", "1", "u2").replace("in[u1]", "in[u1 sig83, a]")
    chain.expect(
        (tx("u1", {"op": "transfer", "tick": "yWTF", "amt": "1"}), f"{error}=NO_STANDARD_OUTPUT from=u1"),
        (send("u1", "1", "bare_u"), f"{error}=NO_STANDARD_OUTPUT from=u1"),
        (send("bare_u", "1", "u2"), f"{error}=NO_STANDARD_OUTPUT to=u2"),
        (send("u1", "1", "u2", "yNOP"), "op=transfer tick=yNOP amt=1 error=TICKER_NOT_DEPLOYED from=u1 to=u2"),
        (send("u1", "x", "u2", "yLOL"), "op=transfer tick=yLOL error=TICKER_NOT_DEPLOYED from=u1 to=u2 tags=D-3"),
        (send("u1", 1, "u2"), f"{error}=INVALID_AMOUNT from=u1 to=u2"),
        (send("u1", "101", "u2"), "op=transfer tick=yWTF amt=101 error=INSUFFICIENT_BALANCE from=u1 to=u2"),
        (send("u9", "1", "u2"), f"{error}=INSUFFICIENT_BALANCE from=u9 to=u2"),
        (attempt.replace('"1"', '"101"'), "op=transfer tick=yWTF amt=101 error=INSUFFICIENT_BALANCE from=u1 to=u2"),
        (attempt, f"{error}=INVALID_MARKETPLACE_TRANSACTION from=u1 to=u2"),
        (
            attempt.replace('"1"', '"0"'),
            "op=transfer tick=yWTF amt=0 error=INVALID_MARKETPLACE_TRANSACTION from=u1 to=u2",
        ),
        (send("u1", "0.000000004", "u2"), "op=transfer tick=yWTF amt=0 error=INVALID_OPERATION from=u1 to=u2"),
        (send("u9", "0", "u2"), "op=transfer tick=yWTF amt=0 error=INVALID_OPERATION from=u9 to=u2"),
    )
    assert chain.rows() == ["account CRV u1", "program CRV"]
    assert chain.events() == []


def test_a_transfer_moves_principal_with_the_balance(engine_class: Any) -> None:
    """R-CURVE-XFER-2, D-62, D-23: once, without balance events; what `YWTF` says is `yWTF` here."""
    chain = staked(engine_class)
    chain.expect(
        (send("u1", "30.000000004", "u2", "Ywtf"), "op=transfer tick=yWTF amt=30 from=u1 to=u2 tags=D-23,D-62")
    )
    assert chain.row("account CRV u1")["staked"] == "70"
    assert chain.row("account CRV u2")["staked"] == "30"
    assert chain.events() == []
    assert chain.judged[-1].supplies.num_rows == 0
    assert chain.versions("programs")[0]["total_staked"] == 100
    chain.expect((send("u2", "30", "u3"), "op=transfer tick=yWTF amt=30 error=INSUFFICIENT_BALANCE from=u2 to=u3"))
    chain.expect((send("u2", "29.99999999", "u3"), "op=transfer tick=yWTF amt=29.99999999 from=u2 to=u3 tags=D-62"))
    chain.audit()


def test_a_recipient_may_see_less_than_was_sent(engine_class: Any) -> None:
    """R-CURVE-XFER-2: at an index of 601 RAY 7.5 arrive as 7.49999999."""
    chain = staked(engine_class)
    chain.empty(930_005)
    chain.expect(
        (send("u1", "7.5", "u2"), "op=transfer tick=yWTF amt=7.5 from=u1 to=u2 tags=D-62"),
        (send("u2", "7.5", "u3"), "op=transfer tick=yWTF amt=7.5 error=INSUFFICIENT_BALANCE from=u2 to=u3"),
        (send("u2", "7.49999999", "u3"), "op=transfer tick=yWTF amt=7.49999999 from=u2 to=u3 tags=D-62"),
    )
    chain.audit()


def test_marketplace_transfers_come_first(engine_class: Any) -> None:
    """R-CORE-BLK-4, R-CORE-MKT-6: before the stake that stands before them."""
    chain = staked(engine_class)
    market = send("u2", "5", "u3").replace("in[u2]", "in[u2 sig83, u2 sig83, a, b]")
    records = chain.block(stake("u2", "5"), market)
    assert [(record["op"], record["market"], record["error"]) for record in records] == [
        ("transfer", "false", "INSUFFICIENT_BALANCE"),
        ("swap_init", "false", "-"),
    ]
    (record,) = chain.block(market.replace('"5"', '"4.9"'))
    assert (record["valid"], record["market"], record["tags"]) == ("true", "true", "D-62")


def test_steps_are_single_transfers(engine_class: Any) -> None:
    """D-67: each against what the one before left; a zero does not stop the others, a shortage does."""
    chain = staked(engine_class)
    records = chain.block(
        steps("u1", ("60", "u2"), ("0", "u3"), ("1e1", "u3"), ("1", "bare_u"), ("39", "u1"), ("41", "u3"), ("1", "u3"))
    )
    assert [(record["step"], record["valid"], record["error"], record["step_error"]) for record in records] == [
        ("0", "true", "-", "-"),
        ("1", "false", "-", "INVALID_OPERATION"),
        ("2", "false", "-", "INVALID_AMOUNT"),
        ("3", "false", "-", "NO_STANDARD_OUTPUT"),
        ("4", "true", "-", "-"),
        ("5", "false", "-", "INSUFFICIENT_BALANCE"),
        ("6", "false", "-", "INSUFFICIENT_BALANCE"),
    ]
    assert [record["tags"].split(",")[-1] for record in records if record["valid"] == "true"] == ["D-67", "D-67"]
    assert chain.row("account CRV u2")["staked"] == "60"
    assert chain.row("account CRV u1")["staked"] == "40"
    chain.audit()


def test_steps_of_a_ticker_that_nobody_stakes(engine_class: Any) -> None:
    """R-CORE-XFER-2, R-CORE-MULTI-5: the raw text is recorded."""
    chain = staked(engine_class)
    records = chain.block(steps("u1", ("1", "u2"), ("2", "u2"), tick="Ylol"))
    assert [(record["tick"], record["step_error"]) for record in records] == [("Ylol", "TICKER_NOT_DEPLOYED")] * 2


def test_a_step_by_another_name_is_a_transfer(engine_class: Any) -> None:
    """R-CORE-MULTI-5: recorded as `mint`, without `from`."""
    chain = staked(engine_class)
    text = steps("u1", ("30", "u2"), ("20", "u3")).replace('"amt":"30"', '"amt":"30","op":"mint"')
    records = chain.block(text)
    assert [(record["op"], record["from"], record["valid"]) for record in records] == [
        ("mint", "-", "true"),
        ("transfer", "u1", "true"),
    ]
    assert chain.row("account CRV u1")["staked"] == "50"


def test_who_moves_forfeits_the_growth_of_the_block(engine_class: Any) -> None:
    """R-CURVE-IDX-3, D-63: stakers, claimants, senders and recipients; who does nothing, does not."""
    chain = staked(engine_class)
    chain.block(stake("u2", "100"), stake("u3", "100"))
    assert chain.row("program CRV")["index"] == "67666666666666666666666666666.666666666666666666667"
    assert chain.row("account CRV u1")["scaled"] == "100"
    assert chain.row("account CRV u2")["scaled"] == "1.477832512315270935960591133"
    chain.block(send("u3", "1", "u3"), claim("u2", "1"))
    index = chain.row("program CRV")["index"]
    row = chain.row("account CRV u3")
    assert (row["staked"], row["scaled"] < "1.47") == ("100", True)
    assert index == "134556298773690078037904124860.64659977703455964326"
    assert chain.row("account CRV u1")["scaled"] == "100"
    chain.audit()


def test_accounts_are_rescaled_even_when_the_index_stays(engine_class: Any) -> None:
    """R-CURVE-IDX-3: what is below a unit of the balance goes."""
    chain = staked(engine_class, "0.000000019")
    assert chain.row("account CRV u1") == {"staked": "0.00000002", "scaled": "0.00000001"}
    assert chain.row("program CRV")["scaled"] == "0.000000019"


def test_only_changed_accounts_are_written(engine_class: Any) -> None:
    """A version of an account for each block that changed it; of a program while something is staked in it."""
    chain = staked(engine_class)
    chain.block(stake("u2", "100"))
    labels = [chain.labels[row["address"]] for row in chain.versions("accounts")]
    assert labels == ["u2"]
    chain.block()
    assert chain.versions("accounts") == []
    assert [row["last_reward_height"] for row in chain.versions("programs")] == [930_003]
    chain.block(claim("u2", "99"), claim("u2", "1"))
    chain.block(claim("u1", "20000000"))
    chain.block()
    assert [row["height"] for row in chain.versions("programs")] == [chain.height]


def test_a_deposit_of_y_advances_the_index_to_its_block(engine_class: Any) -> None:
    """R-CURVE-IDX-2, R-SWAP-INIT-2: the end of the block adds nothing, and the pool's account earns from then on."""
    chain = staked(engine_class)
    chain.block()
    chain.expect((init("u1", "yWTF,LOL", "40"), "op=swap_init tick=yWTF amt=40 from=u1 tags=D-43"))
    assert (chain.row("program CRV")["index"], chain.row("program CRV")["last"]) == (str(601 * RAY), "930004")
    assert chain.row("position 1")["index"] == str(601 * RAY)
    # 40/601 moves; the balance that the block ends with is floor8(39.99...), of which 1/601 is scaled
    pool = chain.row("account CRV POOL::LOL-yWTF")
    assert pool == {"staked": "0.06655574", "scaled": "0.066555740415973377703826955"}
    chain.block()
    chain.block()
    assert chain.row("program CRV")["last"] == "930005"
    chain.audit()


def test_a_refused_trade_leaves_accounts_as_they_were(engine_class: Any) -> None:
    """D-29, R-SWAP-EXE-8: so little arrives that the fee is not covered, after the tokens were moved."""
    chain = staked(engine_class)
    chain.block(init("u1", "yWTF,LOL", "40"), init("u2", "LOL,yWTF", "40"))
    before = chain.engine.state().modules["accounts"]
    chain.expect(
        (
            exe("ex", "LOL,yWTF", "0.000000001"),
            "op=swap_exe tick=LOL amt=0 error=UNKNOWN_PROCESSING_ERROR from=ex",
        )
    )
    assert chain.engine.state().modules["accounts"].equals(before)
    assert chain.versions("accounts") == []
    chain.expect((exe("ex", "LOL,yWTF", "10"), "op=swap_exe tick=LOL amt=10 from=ex tags=D-43"))
    assert chain.row("account CRV ex")["staked"] != "0"
    chain.audit()


def test_expiry_does_not_rescale(engine_class: Any) -> None:
    """R-CORE-BLK-6, R-CURVE-IDX-3: payments come after the index step, and nobody is touched in the next block."""
    chain = staked(engine_class)
    chain.block(init("u1", "yWTF,LOL", "40"))
    chain.empty(930_012)
    before = chain.row("account CRV u1")
    chain.block()
    after = chain.row("account CRV u1")
    assert chain.row("position 1")["status"] == "expired"
    assert after["scaled"] > before["scaled"]
    chain.block()
    assert chain.row("account CRV u1") == after
    assert chain.row("account CRV POOL::LOL-yWTF")["staked"] == "0"
    chain.audit()


EVENTFUL = [
    [stake("u1", "100.123456789"), stake("u2", "7")],
    [stake("u3", "0.000000005"), send("u1", "30", "u4"), curve_deploy("NEW", "dev:0", "dev:0", type="exponential")],
    [],
    [init("u1", "yWTF,LOL", "40"), init("u2", "LOL,yWTF", "500"), stake("u3", "12", "WTF,NEW", "dev:0")],
    [exe("ex", "LOL,yWTF", "50"), claim("u2", "3.3")],
    [steps("ex", ("1", "u4"), ("1", "u5")), send("u4", "5", "u4"), claim("u3", "12.5", "yWTF,NEW", "dev:0")],
    [curve_deploy("CV3", stakes=["LATE"]), curve_deploy("CV4", stakes=["LOL"])],
    [tx("zz", {"op": "deploy", "tick": "LATE", "m": "3000000", "l": "0"}), stake("u1", "77", "LOL,CV4")],
    [claim("u1", "999999"), claim("u1", "200")],
    *([] for _ in range(6)),
    [claim("u1", "100", "yLOL,CV4"), claim("u4", "10")],
    [],
]


def judged(engine_class: Any, *, restarts: bool) -> StakingChain:
    chain = StakingChain(engine_class, restarts=restarts)
    for texts in EVENTFUL:
        chain.block(*texts)
    return chain


def test_restarts_make_no_difference(engine_class: Any) -> None:
    """A new engine that knows the latest versions goes on as the old one would have, after any block."""
    once, again = judged(engine_class, restarts=False), judged(engine_class, restarts=True)
    for first, second in zip(once.judged, again.judged, strict=True):
        assert_same(first, second)
    for name, table in once.engine.state().modules.items():
        assert again.engine.state().modules[name].equals(table), name
    once.audit()


def test_both_paths_agree() -> None:
    """Row for row, digit for digit."""
    compiled, plain = judged(Engine, restarts=False), judged(PlainEngine, restarts=False)
    for first, second in zip(plain.judged, compiled.judged, strict=True):
        assert_same(first, second)
    codes = [code for part in compiled.judged for code in part.operations["code"].to_pylist() if code]
    assert sorted(codes) == ["UNKNOWN_PROCESSING_ERROR"]


@pytest.mark.parametrize("ticker", ["y", "Y"])
def test_the_bare_letter_is_a_ticker_that_only_an_empty_stake_brings_to_life(engine_class: Any, ticker: str) -> None:
    """R-CURVE-STATE-4, R-CURVE-CLAIM-1: and then nobody holds it."""
    chain = StakingChain(engine_class)
    chain.expect((send("u1", "1", "u2", ticker), "op=transfer tick=y amt=1 error=TICKER_NOT_DEPLOYED from=u1 to=u2"))
    chain.block(curve_deploy("NEW", "dev:0", "dev:0", stakes=[""]))
    chain.expect(
        (send("u1", "1", "u2", ticker), "op=transfer tick=y amt=1 error=INSUFFICIENT_BALANCE from=u1 to=u2"),
        (stake("u1", "1", ",NEW", "dev:0"), 'op=swap_init tick="" amt=1 error=SWAP_INSUFFICIENT_BALANCE from=u1'),
        (claim("u1", "1", "y,NEW", "dev:0"), "op=swap_exe tick=y amt=1 error=INVALID_OPERATION from=u1"),
    )
