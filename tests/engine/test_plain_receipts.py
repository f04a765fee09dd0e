"""Receipts (`y` tokens) and what several operations of a block do to one account, on the plain path."""

from decimal import Decimal
from typing import Any

import pytest

from tests.helpers.curve_texts import (
    claim_text,
    of,
    op_return,
    program_text,
    running,
    short,
    stake_text,
    tokens,
    transfer_text,
)
from tests.helpers.scenarios import deploy_text, mint_text, operation_text
from tests.helpers.stepping import SteppedChain

RAY = Decimal(10) ** 27
NO_DURATIONS: list[Any] = ["0", "-1", "", "10.9", "1e2", "abc", 0, 0.9, -3, False, None, [100], {"a": 1}]
NO_DURATIONS += [float("nan"), float("inf"), float("-inf"), 2**63, str(2**63), 1e300]
NO_STAKES: list[Any] = [[], {}, "WTF", None, 1, [1], [None], [["WTF"]], ["A\0"], ["A\ud800"]]


# Transfers of receipts.


def test_a_transfer_moves_scaled_balance_and_principal() -> None:
    """R-CURVE-XFER-2: shares in proportion, once (D-62); what leaves one side arrives at the other."""
    chain = running()
    chain.block(stake_text("u1", "100"))
    record = chain.one(transfer_text("u1", "v", "60", "YWTF"))
    assert short(record) == ("transfer", "yWTF", "60", None, "D-62")
    assert (of(chain, "u1").staked, of(chain, "v").staked) == (Decimal(40), Decimal(60))
    assert chain.balance("yWTF", "v") == "59.99999999"
    chain.block(claim_text("v", "60"))
    assert chain.balance("WTF", "v") == "60.00000000"
    chain.audit()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("in[u1] out[{payload}]", "NO_STANDARD_OUTPUT"),
        ("in[u1] out[v:546 | {payload}]", "NO_STANDARD_OUTPUT"),
        ("in[p2pk_u1] out[{payload} | v:546]", "NO_STANDARD_OUTPUT"),
    ],
)
def test_a_transfer_needs_its_parties(text: str, code: str) -> None:
    """R-CURVE-XFER-1: R-CORE-ORDER-2 and R-CORE-XFER-1 first."""
    chain = running()
    payload = op_return({"p": "brc-20", "op": "transfer", "tick": "yNOP", "amt": "x"})
    assert chain.one(text.replace("{payload}", payload))["code"] == code


@pytest.mark.parametrize(
    ("ticker", "amount", "code"),
    [
        ("yNOP", "x", "TICKER_NOT_DEPLOYED"),
        ("yCRV", "1", "TICKER_NOT_DEPLOYED"),
        ("yWTF", "1e1", "INVALID_AMOUNT"),
        ("yWTF", "100.00000001", "INSUFFICIENT_BALANCE"),
        ("yWTF", "0", "INVALID_OPERATION"),
        ("yWTF", "0.000000004", "INVALID_OPERATION"),
    ],
)
def test_a_refused_transfer(ticker: str, amount: str, code: str) -> None:
    """R-CURVE-XFER-1: the checks of R-CORE-XFER, then zero."""
    chain = running()
    chain.block(stake_text("u1", "100"))
    before = of(chain, "u1")
    record = chain.one(transfer_text("u1", "v", amount, ticker))
    assert (record["code"], record["divergence"]) == (code, "D-3" if amount == "x" else None)
    assert chain.account("v") is None
    assert of(chain, "u1") == before


def test_a_marketplace_attempt_is_refused_before_zero_is() -> None:
    """R-CURVE-XFER-1 after R-CORE-XFER-5."""
    chain = running()
    chain.block(stake_text("u1", "100"))
    for amount in ("0", "5"):
        record = chain.one(transfer_text("u1 sig83", "v", amount))
        assert record["code"] == "INVALID_MARKETPLACE_TRANSACTION"


def test_a_transfer_to_oneself_touches_and_changes_nothing() -> None:
    """R-CURVE-XFER-2, R-CURVE-IDX-3: the block's growth is forfeited all the same."""
    chain = running()
    chain.block(stake_text("u1", "100"))
    assert chain.one(transfer_text("u1", "u1", "7"))["valid"]
    assert of(chain, "u1").staked == 100
    assert chain.program().index == 201 * RAY
    assert of(chain, "u1").scaled == Decimal("0.497512437810945273631840796")


def multi_text(sender: str, *steps: tuple[str, str, str]) -> str:
    outputs = [
        f"{op_return({'p': 'brc-20', 'op': 'transfer', 'tick': ticker, 'amt': amount})} | {recipient}:546"
        for ticker, amount, recipient in steps
    ]
    return f"in[{sender}] out[{' | '.join(outputs)}]"


def test_steps_of_a_multi_transfer_are_judged_like_single_transfers() -> None:
    """D-67: a step of zero is refused and stops nothing, one without cover stops the rest."""
    chain = running()
    chain.block(stake_text("u1", "100"))
    steps = [("yWTF", "30", "v"), ("YWTF", "0", "w"), ("yWTF", "20", "w"), ("yWTF", "51", "x"), ("yWTF", "1", "v")]
    records = chain.block(multi_text("u1", *steps))
    assert [(r["valid"], r["step_code"], "D-67" in (r["divergence"] or "")) for r in records] == [
        (True, None, True),
        (False, "INVALID_OPERATION", False),
        (True, None, True),
        (False, "INSUFFICIENT_BALANCE", False),
        (False, "INSUFFICIENT_BALANCE", False),
    ]
    assert [of(chain, label).staked for label in ("u1", "v", "w")] == [50, 30, 20]
    chain.audit()


# What the block does to itself.


def test_every_operation_sees_and_leaves_the_true_balance() -> None:
    """D-60: stake and claim in one block leave nothing behind; a second stake counts."""
    chain = running()
    records = chain.block(stake_text("u1", "1000"), claim_text("u1", "1000"))
    assert [r["divergence"] for r in records] == [None, "D-60"]
    assert chain.balance("WTF", "u1") == "10000.00000000"
    assert chain.one(claim_text("u1", "1000"))["code"] == "UNKNOWN_PROCESSING_ERROR"
    records = chain.block(stake_text("u1", "100"), stake_text("u1", "50"), stake_text("u2", "1"))
    assert [r["divergence"] for r in records] == [None, "D-60", None]
    assert of(chain, "u1").staked == 150
    assert of(chain, "u1").scaled > of(chain, "u2").scaled * 149
    records = chain.block(transfer_text("u2", "u3", "0.5"), stake_text("u3", "5"))
    assert [r["divergence"] for r in records] == ["D-62", "D-60"]
    records = chain.block(claim_text("u2", "999"), stake_text("u2", "5"))
    assert [r["divergence"] for r in records] == [None, None], "a refused claim touches nothing"
    chain.audit()


def test_a_program_is_visible_at_once() -> None:
    """D-27: refused or not, a stake or claim that finds a program of its own block says so."""
    chain = SteppedChain()
    chain.block(*tokens())
    records = chain.block(
        stake_text("u1", "5"),
        program_text(),
        stake_text("u1", "5"),
        stake_text("u1", "99999"),
        claim_text("u1", "2"),
        claim_text("u1", "2", pays="u1:1"),
        stake_text("u1", "x"),
    )
    assert [(r["code"], r["divergence"]) for r in records] == [
        ("TICKER_NOT_DEPLOYED", None),
        (None, None),
        (None, "D-27"),
        ("SWAP_INSUFFICIENT_BALANCE", "D-27"),
        (None, "D-27,D-60"),
        ("INVALID_OPERATION", "D-27"),
        ("SWAP_INVALID_AMOUNT", None),
    ]
    chain.audit()


def test_rewards_end_with_the_maximum_supply() -> None:
    """D-65: scaled balances whose principal rounds to nothing grow with the next stake; M is all that is ever paid."""
    holders = ("u1", "u2", "u3")
    chain = running()
    chain.block(*(stake_text(label, "100") for label in holders))
    chain.block()
    worths = {label: Decimal(chain.balance("yWTF", label)) for label in holders}
    nearly = {label: (worth * (1 - Decimal("4e-11"))).quantize(Decimal("1e-8")) for label, worth in worths.items()}
    chain.block(*(claim_text(label, str(amount)) for label, amount in nearly.items()))
    assert chain.program().total_staked == 0
    assert chain.program().total_scaled > 0
    chain.empty(930_100)
    chain.block(mint_text("WTF", "0.00000001", "u4"), stake_text("u4", "0.00000001"))
    chain.block()
    records = chain.block(*(claim_text(label, chain.balance("yWTF", label)) for label in holders))
    assert [(r["code"], r["divergence"]) for r in records] == [(None, None), (None, None), (None, "D-65")]
    assert chain.program().rewards_paid == chain.program().max_supply
    rewards = [Decimal(chain.balance("CRV", label)) for label in holders]
    assert rewards[0] == rewards[1] > rewards[2]
    assert abs(sum(rewards, Decimal(-1_000_000))) <= Decimal("0.00000003"), "what was paid is counted before rounding"
    record = chain.one(claim_text("u4", chain.balance("yWTF", "u4")))
    assert (record["code"], record["divergence"], chain.balance("CRV", "u4")) == (None, "D-65", "0")
    chain.audit()


def test_a_reward_token_cannot_be_minted() -> None:
    """R-CORE-MINT-7 (D-31): after the checks of any mint, and not counted."""
    chain = running(l="1000")
    records = chain.block(mint_text("CRV", "1001", "u1"), mint_text("CRV", "x", "u1"), mint_text("CRV", "10", "u1"))
    assert [(r["code"], r["divergence"]) for r in records] == [
        ("EXCEEDS_MINT_LIMIT", None),
        ("INVALID_AMOUNT", "D-3"),
        ("INVALID_OPERATION", "D-31"),
    ]
    assert chain.balance("CRV", "u1") == "0"
    chain.audit()


def test_receipts_are_no_tokens_of_their_own() -> None:
    """R-CORE-MINT-1, R-CORE-DEP-5, R-CORE-BURN-2: never minted, deployed or burned."""
    chain = running()
    burn = operation_text("u1", {"p": "brc-20", "op": "burn", "tick": "yWTF", "amt": "1"}, "v")
    records = chain.block(
        mint_text("yNOP", "1", "v"),
        mint_text("yWTF", "x", "v"),
        mint_text("yWTF", "1", "v"),
        burn,
        deploy_text("yWTF", "1"),
    )
    assert [(r["code"], r["divergence"]) for r in records] == [
        ("TICKER_NOT_DEPLOYED", None),
        ("INVALID_AMOUNT", "D-3"),
        ("INVALID_OPERATION", None),
        ("INVALID_OPERATION", "D-8"),
        ("INVALID_OPERATION", "D-6"),
    ]


def test_the_oldest_program_keeps_the_receipts() -> None:
    """D-69: stakers of a second program show no `y` balance and cannot transfer, but they claim; they touch nothing."""
    chain = running()
    chain.block(program_text("CV2"))
    records = chain.block(stake_text("u1", "100", pair="WTF,CV2"), stake_text("u1", "50", pair="WTF,CV2"))
    assert [r["divergence"] for r in records] == [None, None]
    assert chain.balance("yWTF", "u1") == "0.00000000"
    assert of(chain, "u1", "CV2").scaled == 150
    assert chain.one(transfer_text("u1", "v", "1"))["code"] == "INSUFFICIENT_BALANCE"
    chain.one(claim_text("u1", "1", pair="yWTF,CV2"))
    assert Decimal(chain.balance("CV2", "u1")) > 0
    chain.audit()
