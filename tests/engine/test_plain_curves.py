"""Curve programs on the plain path: the rules of the curve extension one by one, and our decisions on them."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from engine.plain.emission import emission
from tests.helpers.curve_texts import (
    LINEAR,
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
from tests.helpers.scenarios import deploy_text, mint_text, vectors
from tests.helpers.stepping import SteppedChain, party

RAY = Decimal(10) ** 27
NO_DURATIONS: list[Any] = ["0", "-1", "", "10.9", "1e2", "abc", 0, 0.9, -3, False, None, [100], {"a": 1}]
NO_DURATIONS += [float("nan"), float("inf"), float("-inf"), 2**63, str(2**63), 1e300]
NO_STAKES: list[Any] = [[], {}, "WTF", None, 1, [1], [None], [["WTF"]], ["A\0"], ["A\ud800"]]


@pytest.mark.parametrize("vector", vectors("EMIT"), ids=[vector["id"] for vector in vectors("EMIT")])
def test_emission(vector: Mapping[str, Any]) -> None:
    """R-CURVE-EMIT-1 to R-CURVE-EMIT-3, digit for digit (D-75)."""
    given = vector["input"]
    interval = (int(given[f"{name}_block"]) for name in ("start", "from", "to"))
    emitted = emission(given["type"], Decimal(given["max_supply"]), int(given["lock"]), *interval)
    assert str(emitted) == vector["expected"]["emission"]


# The worked example of section 8.


def test_worked_example() -> None:
    """Section 8, to the last digit that it gives (R-CURVE-IDX-2, R-CURVE-IDX-3, R-CURVE-CLAIM-2)."""
    chain = running()
    assert chain.program().rho == Decimal("0.5")
    chain.empty(930_006)
    assert (chain.program().index, chain.program().last_reward_height) == (RAY, 930_001)

    assert short(chain.one(stake_text("u1", "100"))) == ("swap_init", "WTF", "100", None, None)
    assert (chain.program().index, chain.program().last_reward_height) == (1001 * RAY, 930_006)
    assert of(chain, "u1").scaled == Decimal("0.099900099900099900099900099")
    assert chain.balance("yWTF", "u1") == "99.99999999"
    assert chain.balance("WTF", "u1") == "9900.00000000"

    chain.block()
    assert chain.program().index == 1201 * RAY
    assert chain.balance("yWTF", "u1") == "119.98001998"
    assert chain.one(stake_text("u2", "300"))["valid"]
    assert chain.program().index == 1251 * RAY
    chain.block()
    assert chain.program().index == 1301 * RAY

    assert short(chain.one(claim_text("u1", "100"))) == ("swap_exe", "yWTF", "100", None, None)
    assert [(e["ticker"], e["cause"], e["delta"]) for e in chain.events] == [
        ("WTF", "unstake", Decimal("76.94081476")),
        ("CRV", "reward", Decimal("11.52959262")),
    ]
    assert of(chain, "u1").staked == Decimal("23.05918524")
    assert chain.balance("CRV", "u1") == "11.52959262"
    assert chain.program().last_reward_height == 930_010
    chain.audit()


# Deploy.


@pytest.mark.parametrize(
    ("lock", "duration"),
    [
        ("100", 100),
        (" 1_00 ", 100),
        ("１００", 100),
        (10, 10),
        (10.9, 10),
        (1e2, 100),
        (True, 1),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_duration_of_a_program(lock: Any, duration: int) -> None:
    """R-CURVE-DEP-1 row 3, R-CURVE-DEP-4: integer text, a JSON number cut off, true as 1."""
    chain = running(curve=LINEAR | {"lock": lock})
    assert chain.program().duration == duration


@pytest.mark.parametrize(
    "members",
    [
        {"curve": LINEAR | {"type": "cubic"}},
        {"curve": LINEAR | {"type": "Linear"}},
        {"curve": LINEAR | {"type": ["linear"]}},
        {"curve": {"lock": "100", "stakes": ["WTF"]}},
        {"curve": {"type": "linear", "stakes": ["WTF"]}},
        *({"curve": LINEAR | {"lock": lock}} for lock in NO_DURATIONS),
        *({"curve": LINEAR | {"stakes": stakes}} for stakes in NO_STAKES),
        {"curve": {"type": "linear", "lock": "100"}},
        {"curve": "x"},
        {"curve": [1]},
        {"curve": 1},
        {"curve": True},
        {"maximum": "0"},
        {"maximum": "0.000000004"},
        {"outputs": "dev:3000"},
        {"outputs": "u1:3000 | dev:1000"},
        {"outputs": "dev:3000 | u1:1000"},
        {"outputs": "p2pk_dev:3000 | dev:1000"},
    ],
    ids=str,
)
def test_a_refused_curve_deploy_leaves_the_ticker_free(members: dict[str, Any]) -> None:
    """R-CURVE-DEP-1, R-CURVE-DEP-2, R-CURVE-DEP-4: one code for all reasons (D-7)."""
    chain = SteppedChain()
    record = chain.one(program_text(**members))
    assert short(record) == ("deploy", "CRV", None, "INVALID_OPERATION", "D-7")
    assert not chain.engine.ledger.modules["programs"]
    assert chain.one(program_text())["valid"]
    chain.audit()


def test_a_curve_deploy_needs_a_sender() -> None:
    """R-CURVE-DEP-1 row 5."""
    text = program_text().replace("in[dev]", "in[p2pk_dev]")
    assert short(SteppedChain().one(text)) == ("deploy", "CRV", None, "INVALID_OPERATION", "D-7")


def test_the_fees_stand_behind_the_first_op_return() -> None:
    """Curve rules 2, and 5: behind the first OP_RETURN output, even a foreign one (D-17)."""
    chain = SteppedChain()
    chain.block(*tokens())
    payload = op_return({"p": "brc-20", "op": "deploy", "tick": "CRV", "m": "1000000", "curve": LINEAR})
    assert chain.one(f"in[dev] out[x:1 | OP_RETURN foreign | dev:7 | dev:0 | {payload}]")["valid"]
    assert (chain.program().init_fee, chain.program().exe_fee) == (7, 0)
    stake = stake_text("u1", "1").removeprefix("in[u1] out[").removesuffix(" | dev:3000]")
    assert chain.one(f"in[u1] out[OP_RETURN foreign | dev:7 | {stake}]")["valid"]
    assert chain.one(f"in[u1] out[OP_RETURN foreign | u1:7 | {stake} | dev:7]")["code"] == "INVALID_OPERATION"


def test_core_checks_come_before_those_of_the_curve() -> None:
    """R-CURVE-DEP-1: first R-CORE-DEP-2; a `y` ticker is refused with both decisions (D-6, D-7)."""
    chain = SteppedChain()
    wrong: dict[str, Any] = {"curve": {"type": "cubic"}}
    records = chain.block(
        deploy_text("CRV", "1"),
        program_text(**wrong),
        program_text("OTHER", "x", **wrong),
        program_text("OTHER", **wrong, l="x"),
        program_text("yOTHER"),
        program_text("YOTHER"),
    )
    assert [(r["code"], r["divergence"]) for r in records] == [
        (None, None),
        ("TICKER_ALREADY_EXISTS", None),
        ("INVALID_AMOUNT", None),
        ("INVALID_AMOUNT", None),
        ("INVALID_OPERATION", "D-6,D-7"),
        ("INVALID_OPERATION", "D-6,D-7"),
    ]


@pytest.mark.parametrize("curve", [{}, "", False, None, 0, 0.0, []])
def test_an_empty_curve_is_an_ordinary_deploy(curve: Any) -> None:
    """R-CURVE-DEP-3."""
    chain = SteppedChain()
    assert short(chain.one(program_text(curve=curve))) == ("deploy", "CRV", None, None, None)
    assert not chain.engine.ledger.modules["programs"]


def test_what_a_program_stores() -> None:
    """R-CURVE-DEP-5, R-CURVE-DEP-6: only the first stake, in upper case; its token need not exist."""
    chain = SteppedChain()
    chain.block(deploy_text("WTF", "3000000"), program_text(curve=LINEAR | {"stakes": ["wtf", 5]}), program_text("C2"))
    chain.block(program_text("C3", curve=LINEAR | {"stakes": ["ß"], "type": "exponential"}, l="5"))
    program, other = chain.program(), chain.program("C3")
    assert (program.staking_ticker, program.staking_max_supply, program.rho) == (
        "WTF",
        Decimal(3_000_000),
        Decimal("0.33333333"),
    )
    assert (program.genesis, program.start_height, program.last_reward_height) == (party("dev"), 930_000, 930_000)
    assert (program.max_supply, program.index, program.rewards_paid) == (Decimal(1_000_000), RAY, Decimal(0))
    assert (other.staking_ticker, other.staking_max_supply, other.rho, other.kind) == ("SS", None, None, "exponential")
    token = chain.engine.ledger.tokens["C3"]
    assert (token.max_supply, token.limit) == (10**14, 5 * 10**8)


# Stake.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (stake_text("u1", "5", pair="WTFCRV"), ("swap_init", None, None, "SWAP_MISSING_FIELDS", None)),
        (stake_text("u1", "", pair="WTF,CRV"), ("swap_init", None, None, "SWAP_MISSING_FIELDS", None)),
        (stake_text("u1", "x"), ("swap_init", None, None, "SWAP_INVALID_AMOUNT", None)),
        (stake_text("u1", "0"), ("swap_init", None, "0", "SWAP_INVALID_AMOUNT", None)),
        (stake_text("u1", "-5"), ("swap_init", None, "-5", "SWAP_INVALID_AMOUNT", None)),
        (stake_text("u1", "NaN"), ("swap", None, None, "UNKNOWN_PROCESSING_ERROR", None)),
        (stake_text("u1", "1e28"), ("swap_init", None, f"1{28 * '0'}", "SWAP_INVALID_AMOUNT", None)),
        (stake_text("u1", "Infinity"), ("swap_init", None, None, "SWAP_INVALID_AMOUNT", None)),
        (stake_text("p2pk_u1", "5"), ("swap_init", "WTF", "5", "NO_VALID_RECEIVER", None)),
        (stake_text("u1", "5", pair="WTF,NOP"), ("swap_init", "WTF", "5", "TICKER_NOT_DEPLOYED", None)),
        (stake_text("u1", "5", pair="LOL,CRV"), ("swap_init", "LOL", "5", "INVALID_OPERATION", None)),
        (stake_text("u1", "5", pair="yWTF,CRV"), ("swap_init", "yWTF", "5", "INVALID_OPERATION", None)),
        (stake_text("u1", "5").replace(" | dev:3000", ""), ("swap_init", "WTF", "5", "INVALID_OPERATION", None)),
        (stake_text("u1", "5", pays="dev:2999"), ("swap_init", "WTF", "5", "INVALID_OPERATION", None)),
        (stake_text("u1", "5", pays="dev:3001"), ("swap_init", "WTF", "5", "INVALID_OPERATION", None)),
        (stake_text("u1", "5", pays="u1:3000"), ("swap_init", "WTF", "5", "INVALID_OPERATION", None)),
        (stake_text("u1", "10000.00000001"), ("swap_init", "WTF", "10000.00000001", "SWAP_INSUFFICIENT_BALANCE", None)),
        (stake_text("nobody", "5"), ("swap_init", "WTF", "5", "SWAP_INSUFFICIENT_BALANCE", None)),
        (stake_text("u1", 5), ("swap_init", "WTF", "5", None, None)),
        (stake_text("u1", " 1_0.5 ", pair=" wtf , crv "), ("swap_init", "WTF", "10.5", None, None)),
        (stake_text("u1", "10000"), ("swap_init", "WTF", "10000", None, None)),
        (stake_text("u1", "5", wrap=1), ("swap_init", "WTF", "5", None, None)),
        (stake_text("u1", "5", wrap="true"), ("swap_init", "WTF", "5", None, None)),
        (stake_text("u1", "5", lock="x"), ("swap_init", "WTF", "5", None, None)),
    ],
)
def test_a_stake(text: str, expected: tuple[Any, ...]) -> None:
    """R-CURVE-STAKE-1, R-CURVE-STAKE-3: checks in their order, and what the record says."""
    chain = running()
    record = chain.one(text)
    assert short(record) == expected
    assert record["to_address"] is None
    assert bool(chain.account("u1")) == record["valid"]
    assert chain.program().total_staked == (record["amount"] if record["valid"] else 0)
    chain.audit()


def test_an_init_fee_of_zero_is_asked_for_and_an_exe_fee_of_zero_is_not() -> None:
    """R-CURVE-STAKE-1 rows 3 to 5, R-CURVE-CLAIM-1 (D-70)."""
    chain = running(outputs="dev:0 | dev:0")
    assert chain.one(stake_text("u1", "5", pays="u1:0"))["code"] == "INVALID_OPERATION"
    assert chain.one(stake_text("u1", "5", pays="dev:1"))["code"] == "INVALID_OPERATION"
    assert chain.one(stake_text("u1", "5", pays="dev:0"))["valid"]
    assert chain.one(claim_text("u1", "1", pays="u1:600"))["valid"]


def test_amounts_are_rounded_inside_the_block() -> None:
    """R-CURVE-STATE-5: 8 decimals of what is staked, 27 of what is scaled; the balance keeps its residue until the end.

    What left the balance shows as what was staked; the block's end rounds the balance by an event of its own.
    """
    chain = running()
    records = chain.block(stake_text("u1", "100.000000004"), stake_text("u1", "0.000000004"))
    assert [r["valid"] for r in records] == [True, True]
    account = of(chain, "u1")
    assert account.staked == Decimal(100)
    assert chain.program().total_staked == Decimal(100)
    assert account.scaled == Decimal("100.000000000")
    assert chain.program().total_scaled == Decimal("100.000000008")
    assert [(e["cause"], e["delta"], e["balance_after"]) for e in chain.events] == [
        ("stake", Decimal("-100.00000000"), Decimal("9900.00000000")),
        ("stake", Decimal("0E-8"), Decimal("9900.00000000")),
        ("rounding", Decimal("-0.00000001"), Decimal("9899.99999999")),
    ]
    chain.audit()


# Claim.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (claim_text("u1", "", pair="yWTF,CRV"), (None, None, "SWAP_MISSING_FIELDS", None)),
        (claim_text("u1", "5", pair="yWTF"), (None, None, "SWAP_MISSING_FIELDS", None)),
        (claim_text("u1", "x"), (None, None, "SWAP_INVALID_AMOUNT", None)),
        (claim_text("u1", "0"), ("yWTF", "0", "SWAP_INVALID_AMOUNT", "D-61")),
        (claim_text("u1", "-5000"), ("yWTF", "-5000", "SWAP_INVALID_AMOUNT", "D-61")),
        (claim_text("u1", "NaN"), ("yWTF", None, "SWAP_INVALID_AMOUNT", "D-61")),
        (claim_text("u1", "sNaN"), ("yWTF", None, "SWAP_INVALID_AMOUNT", "D-61")),
        (claim_text("u1", "-Infinity"), ("yWTF", None, "SWAP_INVALID_AMOUNT", "D-61")),
        (claim_text("p2pk_u1", "0"), ("yWTF", "0", "SWAP_INVALID_AMOUNT", "D-61")),
        (claim_text("p2pk_u1", "5", pair="y,CRV"), ("y", "5", "NO_VALID_RECEIVER", None)),
        (claim_text("u1", "5", pair="y,NOP"), ("y", "5", "INVALID_OPERATION", None)),
        (claim_text("u1", "5", pair="yLOL,NOP"), ("yLOL", "5", "TICKER_NOT_DEPLOYED", None)),
        (claim_text("u1", "5", pair="yLOL,CRV"), ("yLOL", "5", "INVALID_OPERATION", None)),
        (claim_text("u1", "5").replace(" | dev:1000", ""), ("yWTF", "5", "INVALID_OPERATION", None)),
        (claim_text("u1", "5", pays="dev:999"), ("yWTF", "5", "INVALID_OPERATION", None)),
        (claim_text("u1", "5", pays="u1:1000"), ("yWTF", "5", "INVALID_OPERATION", None)),
        (claim_text("u9", "5"), ("yWTF", "5", "UNKNOWN_PROCESSING_ERROR", None)),
        (claim_text("u9", "1e-999999999"), ("yWTF", "0", "UNKNOWN_PROCESSING_ERROR", None)),
        (claim_text("u1", "20101"), ("yWTF", "20101", "UNKNOWN_PROCESSING_ERROR", None)),
        (claim_text("u1", "Infinity"), ("yWTF", None, "UNKNOWN_PROCESSING_ERROR", None)),
        (claim_text("u1", "1e999999"), ("yWTF", None, "UNKNOWN_PROCESSING_ERROR", None)),
        (claim_text("u1", "1e999999999"), ("yWTF", None, "UNKNOWN_PROCESSING_ERROR", None)),
        (claim_text("u1", " 5 ", pair=" ywtf , crv "), ("yWTF", "5", None, None)),
        (claim_text("u1", 5.5), ("yWTF", "5.5", None, None)),
        (claim_text("u1", "1e-999999999"), ("yWTF", "0", None, None)),
    ],
)
def test_a_claim(text: str, expected: tuple[Any, ...]) -> None:
    """R-CURVE-CLAIM-1: checks in their order with D-61 behind the second, and what the record says."""
    chain = running()
    chain.block(stake_text("u1", "100"))
    chain.block()
    before = of(chain, "u1"), chain.program()
    record = chain.one(text)
    assert short(record) == ("swap_exe", *expected)
    assert record["to_address"] is None
    if not record["valid"]:
        assert of(chain, "u1") == before[0]
        assert chain.program().total_staked == before[1].total_staked
    chain.audit()


def test_a_claim_waits_for_its_height() -> None:
    """R-CURVE-CLAIM-1: before anything else."""
    chain = SteppedChain(926_477)
    chain.block(*tokens(), program_text())
    chain.block(stake_text("u1", "100"))
    assert short(chain.one(claim_text("u1", "x"))) == ("swap_exe", None, None, "SWAP_NOT_ACTIVATED", None)
    assert short(chain.one(claim_text("u1", "100"))) == ("swap_exe", "yWTF", "100", None, None)


@pytest.mark.parametrize("lock", ["100", "7"])
def test_a_claim_of_a_millionth_too_much_takes_everything(lock: str) -> None:
    """R-CURVE-CLAIM-2: the record keeps what was asked; an index without end makes shares that are a digit too long."""
    chain = running(curve=LINEAR | {"lock": lock})
    chain.block(stake_text("u1", "100"))
    chain.block()
    worth = Decimal(chain.balance("yWTF", "u1"))
    assert chain.one(claim_text("u1", f"{worth * Decimal('1.00000101'):.4f}"))["code"] == "UNKNOWN_PROCESSING_ERROR"
    worth = Decimal(chain.balance("yWTF", "u1"))
    record = chain.one(claim_text("u1", str(worth + Decimal("0.04"))))
    assert (record["code"], record["amount"]) == (None, worth + Decimal("0.04"))
    assert of(chain, "u1").staked == of(chain, "u1").scaled == 0
    assert chain.balance("WTF", "u1") == "10000.00000000"
    chain.audit()


def test_an_amount_too_small_for_the_arithmetic_is_claimed_from_nothing() -> None:
    """R-CURVE-CLAIM-2 to the letter: a millionth less than it counts as zero, and zero of zero is a share of zero."""
    chain = running()
    chain.block(stake_text("u1", "100"), claim_text("u1", "100"))
    assert of(chain, "u1").scaled == 0
    assert chain.one(claim_text("u1", "1e-99"))["code"] == "UNKNOWN_PROCESSING_ERROR"
    assert short(chain.one(claim_text("u1", "1e-999999999"))) == ("swap_exe", "yWTF", "0", None, None)
    assert chain.events == []
    chain.audit()


def test_principal_comes_back_by_share() -> None:
    """R-CURVE-CLAIM-2, R-CURVE-CLAIM-3: half the `y` balance returns half the stake and rho times what it grew."""
    chain = running()
    chain.block(stake_text("u1", "100"))
    chain.block()
    chain.one(claim_text("u1", "10050"))
    assert [(e["ticker"], e["delta"]) for e in chain.events] == [("WTF", Decimal(50)), ("CRV", Decimal(5000))]
    assert of(chain, "u1").staked == Decimal(50)
    assert chain.program().total_staked == Decimal(50)
    assert chain.program().rewards_paid == Decimal(5000)
    chain.audit()


# The index.


def test_growth_of_a_touched_block_is_forfeited() -> None:
    """R-CURVE-IDX-3 (D-63): u2's transfer of 10 costs both parties the block's growth; u1 has it."""
    chain = running()
    chain.block(stake_text("u1", "100"), stake_text("u2", "100"))
    chain.block(transfer_text("u2", "v", "10"))
    chain.block()
    index = chain.program().index / RAY
    assert [chain.balance("yWTF", label) for label in ("u1", "u2", "v")] == [
        f"{100 * index:.8f}",
        f"{index / 101 * 90:.8f}"[:-1] + chain.balance("yWTF", "u2")[-1],
        chain.balance("yWTF", "v"),
    ]
    assert of(chain, "u1").scaled == 100
    assert of(chain, "u2").scaled == Decimal("0.891089108910891089108910891")
    assert of(chain, "v").scaled == Decimal("0.099009900990099009900990099")
    assert chain.program().total_scaled == 200


def test_an_idle_span_goes_to_whoever_is_there_when_somebody_stakes() -> None:
    """R-CURVE-IDX-2 (D-64): without stake the index stands still; the first block with one gets the whole span."""
    chain = running()
    chain.empty(930_049)
    assert chain.program().last_reward_height == 930_001
    chain.block(stake_text("u1", "100"))
    assert chain.program().last_reward_height == 930_049
    assert chain.program().index == RAY + 48 * 10_000 * 2 * RAY / 100


def test_nothing_is_emitted_after_the_last_block() -> None:
    """R-CURVE-EMIT-3: stakes and claims go on, and the whole of M was emitted."""
    chain = running(curve=LINEAR | {"lock": "3"})
    chain.block(stake_text("u1", "100"))
    chain.empty(930_006)
    index = chain.program().index
    assert index == RAY + 1_000_000 * 2 * RAY / 100
    chain.block(stake_text("u2", "100"))
    chain.empty(930_010)
    assert chain.program().index == index
    assert chain.program().last_reward_height == 930_009
    chain.one(claim_text("u1", "2000100"))
    assert chain.balance("CRV", "u1") == "1000000.00000000"
    chain.audit()


def test_a_token_without_supply_never_advances_a_program() -> None:
    """R-CURVE-DEP-6: rho stays unknown, the index stands; whoever holds the token stakes and claims principal only."""
    chain = SteppedChain()
    chain.block(deploy_text("ZERO", "0", "1"), program_text(curve=LINEAR | {"stakes": ["ZERO"]}))
    assert (chain.program().rho, chain.program().staking_max_supply) == (None, Decimal(0))
    chain.block(mint_text("ZERO", "0", "u1"), stake_text("u1", "1", pair="ZERO,CRV"))
    chain.empty(930_009)
    assert (chain.program().index, chain.program().last_reward_height) == (RAY, 930_000)


def test_rho_is_found_once_the_staked_token_exists() -> None:
    """R-CURVE-DEP-6: at the first advance; until then it counts as 1 (D-76)."""
    chain = SteppedChain()
    chain.block(program_text())
    chain.block(*tokens("4000000"), stake_text("u1", "100"))
    assert (chain.program().rho, chain.program().staking_max_supply) == (None, None)
    chain.block()
    assert (chain.program().rho, chain.program().staking_max_supply) == (Decimal("0.25"), Decimal(4_000_000))
    assert chain.program().index == RAY + 10_000 * 4 * RAY / 100


def test_a_rho_that_rounds_to_zero_gives_way_to_the_exact_quotient() -> None:
    """R-CURVE-IDX-1 (D-66)."""
    chain = SteppedChain()
    chain.block(*tokens("1000000000"), program_text(maximum="1"))
    assert chain.program().rho == 0
    chain.block(stake_text("u1", "100"))
    chain.block()
    assert chain.program().index == RAY + Decimal("0.01") * 1_000_000_000 * RAY / 100


def test_in_the_deploying_block_rho_is_not_rounded_yet() -> None:
    """D-66: a residue claimed at once earns by the exact quotient, in later blocks by 8 decimals."""
    chain = SteppedChain()
    chain.block(*tokens("3000000"), program_text(), stake_text("u1", "1.000000004"), claim_text("u1", "1.000000004"))
    residue = Fraction("0.000000004")
    assert abs(Fraction(chain.program().rewards_paid) - residue / 3) < Fraction("1e-50")
    chain.block(stake_text("u1", "1.000000004"), claim_text("u1", "1.000000004"))
    assert abs(Fraction(chain.program().rewards_paid) - residue / 3 - residue * Fraction("0.33333333")) < Fraction(
        "1e-50"
    )
    assert chain.program().rho == Decimal("0.33333333")
