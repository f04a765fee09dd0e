"""The arithmetic of curve programs, away from any ledger: R-CURVE-STATE-*, R-CURVE-IDX-*, R-CURVE-CLAIM-2."""

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from typing import Any

import pytest

from engine.modules.decimals import FIFTY_DIGITS, floor8, q8, q27
from engine.modules.program import RAY, Claim, Holding, Program, holding_of, program_of
from engine.modules.registry import Account, Token

D = Decimal
U1, U2, U3 = (Account(name, name.encode()) for name in ("u1", "u2", "u3"))
WTF = Token(D(2_000_000), None, 900_000, False)


@pytest.fixture(autouse=True)
def fifty_digits() -> Iterator[None]:
    """What the module's entry points see to."""
    with localcontext(FIFTY_DIGITS):
        yield


def program(token: Token | None = WTF, **changes: Any) -> Program:
    """CRV: a million in 100 blocks to who stakes WTF."""
    given: dict[str, Any] = {
        "ticker": "CRV",
        "deploy_txid": "ab" * 32,
        "type": "linear",
        "duration": 100,
        "staking": "WTF",
        "max_supply": D(1_000_000),
        "init_fee": 3000,
        "exe_fee": 1000,
        "genesis": Account("dev", b"dev"),
        "start": 930_001,
        "last": 930_001,
    }
    made = Program(**(given | changes))
    made.meet(token)
    return made


def end(of: Program, height: int, token: Token | None = WTF) -> None:
    """The end of a block."""
    of.end_block(height - 1, token, keeps_y=True)
    of.close_block()


def claimed(of: Program, account: Account, amount: str) -> Claim:
    """A claim that succeeds, carried out."""
    claim = of.quote(account, D(amount))
    assert claim is not None
    of.pay(account, claim)
    of.touched.add(account)
    return claim


def staked(of: Program, account: Account, amount: str) -> Decimal:
    of.touched.add(account)
    return of.stake(account, D(amount))


def test_the_worked_example() -> None:
    """Section 8 of the curve rules, and the rows of SCENARIO-040 after it."""
    crv = program()
    for height in range(930_001, 930_007):
        end(crv, height)
    assert (crv.index, crv.last) == (RAY, 930_001)
    staked(crv, U1, "100")
    end(crv, 930_007)
    assert (crv.index, crv.last) == (RAY * 1001, 930_006)
    assert crv.accounts[U1] == Holding(D(100), D("0.099900099900099900099900099"))
    assert crv.balance(U1) == D("99.99999999")
    end(crv, 930_008)
    assert crv.index == RAY * 1201
    assert crv.balance(U1) == D("119.98001998")
    staked(crv, U2, "300")
    end(crv, 930_009)
    assert crv.index == RAY * 1251
    assert crv.balance(U2) == D("299.99999999")
    end(crv, 930_010)
    assert crv.index == RAY * 1301
    claim = claimed(crv, U1, "100")
    assert (q8(claim.principal), q8(claim.reward)) == (D("76.94081476"), D("11.52959262"))
    assert crv.accounts[U1].staked == D("23.05918524")
    end(crv, 930_011)
    assert crv.index == D("1362908160837903560608880832327.5767573095981723773")
    assert (crv.staked, crv.scaled) == (D("323.05918524"), D("100.172927889326150831263467992"))
    assert crv.accounts[U1] == Holding(D("23.05918524"), D("0.021989764850754652268426261"))
    assert crv.accounts[U2] == Holding(D(300), D("0.239808153477218225419664268"))


def test_scaled_balances_are_rounded_before_a_balance_is_derived() -> None:
    """R-CURVE-STATE-5: at an index of 101/63 a stake of 250000.5 reads 250000.5, unrounded it would not."""
    crv = program(index=q27(RAY * 101 / 63))
    unrounded = (D("250000.5") * RAY) / crv.index
    assert floor8((unrounded * crv.index) / RAY) == D("250000.49999999")
    crv.stake(U1, D("250000.5"))
    assert crv.balance(U1) == D("250000.5")


def test_staked_amounts_are_rounded_half_away_from_zero() -> None:
    """R-CURVE-STATE-5: accounts and totals stay equal to the unit."""
    crv = program()
    assert staked(crv, U1, "0.000000005") == D("0.00000001")
    assert staked(crv, U1, "0.0000000049") == 0
    assert staked(crv, U2, "7.123456785") == D("7.12345679")
    assert crv.staked == sum(holding.staked for holding in crv.accounts.values()) == D("7.12345680")
    assert crv.accounts[U1].scaled == D("0.0000000099")


def test_an_idle_span_is_credited_to_who_was_there_before() -> None:
    """R-CURVE-IDX-2, D-63, D-64: the first staker forfeits it, a leftover scaled balance gains by it."""
    crv = program()
    staked(crv, U1, "1")
    crv.accounts[U1] = Holding(D(0), D("0.5"))
    crv.staked = D(0)
    for height in range(930_002, 930_050):
        end(crv, height)
    assert (crv.index, crv.last) == (RAY, 930_001)
    staked(crv, U2, "100")
    end(crv, 930_050)
    assert (crv.index, crv.last) == (RAY * (1 + 9600), 930_049)
    assert crv.balance(U1) == D("4800.5")
    assert crv.balance(U2) == D("99.99999999")


def test_an_advance_with_nothing_staked_voids_the_emission() -> None:
    """R-CURVE-IDX-1: that is what an `init` of a `y` ticker could do."""
    crv = program()
    crv.advance(930_031, WTF)
    assert (crv.index, crv.last) == (RAY, 930_031)


def test_an_advance_backwards_does_nothing() -> None:
    """R-CURVE-IDX-1: n <= L."""
    crv = program(staked=D(100))
    crv.advance(930_003, WTF)
    index = crv.index
    crv.advance(930_003, WTF)
    crv.advance(930_002, WTF)
    assert (crv.index, crv.last) == (index, 930_003)


def test_an_advance_within_a_block_leaves_nothing_to_its_end() -> None:
    """R-CURVE-IDX-2, R-CURVE-IDX-3: accounts are rescaled all the same, at the index after the advance."""
    crv = program(staked=D(100))
    crv.accounts[U1] = Holding(D(100), D("33.33"))
    crv.accounts[U2] = Holding(D(0), D("0.000000000016"))
    crv.touched |= {U1, U2}
    crv.advance(930_002, WTF)
    end(crv, 930_002)
    assert (crv.index, crv.last) == (RAY * 201, 930_002)
    assert crv.accounts[U1].scaled == D("33.33")
    assert crv.accounts[U2].scaled == 0


def test_the_index_keeps_27_decimals() -> None:
    """R-CURVE-STATE-5; of a quotient of 50 digits, 28 of them before the point."""
    crv = program(None, staked=D(7), max_supply=D(1), duration=3)
    crv.advance(930_002, None)
    assert crv.row()["index"] == "1047619047619047619047619047.619047619047619047619000000"


def test_rho_is_exact_in_its_block_and_has_8_decimals_from_then_on() -> None:
    """D-66."""
    crv = program(Token(D(3_000_000), None, 930_000, False))
    assert crv.rho == D(1) / 3
    end(crv, 930_001)
    assert crv.rho == D("0.33333333")
    crv.stake(U1, D(1))
    crv.accounts[U1] = Holding(D(1), D(4))
    claim = crv.quote(U1, D(4))
    assert claim is not None
    assert claim.reward == D("0.99999999")


def test_a_rho_that_rounds_to_zero_falls_back_to_the_quotient() -> None:
    """R-CURVE-IDX-1, R-CURVE-CLAIM-2, D-66."""
    crv = program(max_supply=D("0.004"))
    end(crv, 930_001)
    assert crv.row()["rho"] == 0
    assert crv.rate == D("2E-9")
    staked(crv, U1, "100")
    end(crv, 930_003)
    assert crv.index == RAY * 201


def test_a_rho_that_cannot_be_stored_stays_unknown_and_the_quotient_counts() -> None:
    """R-CORE-CONST-8: no row ever holds 10^30."""
    smallest = Token(D("0.00000001"), None, 930_000, False)
    crv = program(smallest, max_supply=D(10) ** 29)
    end(crv, 930_001)
    assert crv.row()["rho"] is None
    assert crv.rate == D(10) ** 37
    staked(crv, U1, "0.00000001")
    end(crv, 930_003, smallest)
    assert crv.index == RAY * D("1.01")
    assert (crv.row()["rho"], crv.row()["staking_max_supply"]) == (None, D("0.00000001"))


def test_rho_is_1_until_the_staking_token_exists() -> None:
    """R-CURVE-DEP-6, D-76: it is filled at the first advance after that."""
    crv = program(None)
    staked(crv, U1, "100")
    end(crv, 930_003, None)
    assert (crv.index, crv.rho) == (RAY * 101, None)
    end(crv, 930_004, WTF)
    assert (crv.index, crv.rho, crv.staking_max) == (RAY * 301, D("0.5"), D(2_000_000))


def test_without_supply_of_the_staking_token_a_program_never_advances() -> None:
    """R-CURVE-DEP-6: stakes and claims only move principal."""
    wrapped = Token(D(0), D(0), 900_000, True)
    crv = program(wrapped)
    staked(crv, U1, "100")
    for height in range(930_002, 930_010):
        end(crv, height, wrapped)
    assert (crv.index, crv.last, crv.rho) == (RAY, 930_001, None)
    assert claimed(crv, U1, "100") == Claim(D(100), D(100), D(0), is_capped=False)


def test_after_the_duration_claims_go_on() -> None:
    """R-CURVE-EMIT-3."""
    crv = program()
    staked(crv, U1, "100")
    for height in range(930_002, 930_110):
        end(crv, height)
    assert (crv.index, crv.last) == (RAY * 20_001, 930_108)
    claim = claimed(crv, U1, "2000100")
    assert (claim.principal, claim.reward, claim.is_capped) == (D(100), D(1_000_000), False)


def test_rewards_end_with_the_supply() -> None:
    """D-65: what was paid counts unrounded, and then there is nothing left."""
    crv = program()
    crv.accounts[U1] = Holding(D(0), D(3_000_000))
    assert crv.quote(U1, D("1.00000000000001")) == Claim(D("1.00000000000001"), D(0), D("0.500000000000005"), False)
    claimed(crv, U1, "1.00000000000001")
    rest = claimed(crv, U1, "2500000")
    assert (rest.reward, rest.is_capped) == (D("999999.499999999999995"), True)
    assert crv.paid == D(1_000_000)
    assert claimed(crv, U1, "1").reward == 0
    assert crv.row()["rewards_paid"] == "1000000"


def test_a_claim_may_miss_a_millionth() -> None:
    """R-CURVE-CLAIM-2: up to that, everything is claimed."""
    crv = program()
    crv.stake(U1, D("99.9999"))
    assert crv.quote(U1, D("100.00000001")) is None
    assert crv.quote(U1, D(100)) == Claim(D("99.9999"), D("99.9999"), D(0), is_capped=False)


def test_a_claim_never_burns_more_than_there_is() -> None:
    """R-CURVE-CLAIM-2: quotients of 50 digits can exceed the scaled balance."""
    crv = program(index=q27(RAY * 101 / 63))
    crv.stake(U1, D("250000.5"))
    claim = crv.quote(U1, D("250000.5000000000000001"))
    assert claim is not None
    assert claim.burned == crv.accounts[U1].scaled
    crv.pay(U1, claim)
    assert crv.accounts[U1] == Holding(D(0), D(0))


@pytest.mark.parametrize("amount", ["Infinity", "1E+400", "1E+999999999", "9" * 80])
def test_a_claim_of_more_than_can_be_is_refused(amount: str) -> None:
    """R-CURVE-CLAIM-1."""
    crv = program()
    crv.stake(U1, D(100))
    assert crv.quote(U1, D(amount)) is None


def test_without_an_account_there_is_nothing_to_claim() -> None:
    """R-CURVE-CLAIM-1; an empty one yields to amounts below any number of 50 digits (R-CURVE-CLAIM-2, ratio 0)."""
    crv = program()
    assert crv.quote(U1, D("1E-1000100")) is None
    crv.stake(U1, D(1))
    claimed(crv, U1, "1")
    assert crv.quote(U1, D("0.00000001")) is None
    assert crv.quote(U1, D("1E-1000100")) == Claim(D(0), D(0), D(0), is_capped=False)


def test_a_claim_of_less_than_the_principal_earns_nothing() -> None:
    """R-CURVE-CLAIM-2: the yield is not negative."""
    crv = program()
    crv.accounts[U1] = Holding(D(100), D(50))
    assert crv.quote(U1, D(25)) == Claim(D(25), D(50), D(0), is_capped=False)


def test_what_leaves_one_account_arrives_at_the_other() -> None:
    """R-CURVE-XFER-2, R-CURVE-STATE-5: ties of rounding included."""
    crv = program(index=RAY * 3)
    crv.stake(U1, D("0.00000003"))
    crv.stake(U2, D(100))
    total = crv.staked, crv.scaled
    crv.move(U1, U2, D("0.00000001"))
    assert crv.accounts[U1] == Holding(D("0.00000002"), D("0.000000006666666666666666667"))
    crv.move(U1, U3, D("0.000000005"))
    assert crv.accounts[U3].staked == D("0.00000000")
    assert sum(holding.staked for holding in crv.accounts.values()) == crv.staked == total[0]
    assert sum(holding.scaled for holding in crv.accounts.values()) == crv.scaled == total[1]


def test_a_recipient_may_see_less_than_was_sent() -> None:
    """R-CURVE-XFER-2: both read their accounts again."""
    crv = program(index=RAY * 7)
    crv.stake(U1, D("250000.5"))
    crv.move(U1, U2, D("7.5"))
    assert crv.balance(U2) == D("7.49999999")


def test_all_of_a_balance_moves_all_of_the_account_or_all_but_a_trace() -> None:
    """R-CURVE-XFER-2: `part` is never more than the scaled balance."""
    crv = program(index=q27(RAY * 101 / 63))
    crv.stake(U1, D("250000.5"))
    assert (crv.balance(U1) * RAY) / crv.index <= crv.accounts[U1].scaled
    crv.move(U1, U2, crv.balance(U1))
    assert crv.accounts[U1].staked == 0
    assert crv.accounts[U2].staked == D("250000.5")


def test_a_move_to_oneself_changes_nothing_but_touches() -> None:
    """R-CURVE-XFER-2, R-CURVE-IDX-3."""
    crv = program()
    crv.stake(U1, D(100))
    before = dict(crv.accounts)
    crv.move(U1, U1, D(40))
    assert crv.accounts == before
    assert crv.touched == {U1}


def test_a_move_can_be_taken_back() -> None:
    """D-29: as if it had not been, also for the block's end and the rows."""
    crv = program()
    crv.stake(U1, D(100))
    crv.close_block()
    first = crv.move(U1, U2, D(40))
    after_one = dict(crv.accounts)
    second = crv.move(U2, U3, D(15))
    second()
    assert (crv.accounts, crv.touched) == (after_one, {U1, U2})
    first()
    assert (crv.accounts, crv.touched) == ({U1: Holding(D(100), D(100))}, set())
    assert crv.close_block() == ([], [])


def test_versions_are_of_what_the_block_changed() -> None:
    """One row for each program and account whose values differ from before the block, and none for the others."""
    crv = program()
    versions, accounts = crv.close_block()
    assert (len(versions), accounts) == (1, [])
    assert crv.close_block() == ([], [])
    crv.stake(U1, D(100))
    crv.stake(U2, D(50))
    versions, accounts = crv.close_block()
    assert [row["total_staked"] for row in versions] == [150]
    assert [(row["address"], row["staked"], row["scaled"]) for row in accounts] == [
        ("u1", D(100), "100.000000000000000000000000000"),
        ("u2", D(50), "50.000000000000000000000000000"),
    ]
    crv.move(U1, U1, D(1))
    assert crv.close_block() == ([], [])
    claimed(crv, U2, "50")
    _, accounts = crv.close_block()
    assert [(row["address"], row["scaled"]) for row in accounts] == [("u2", "0.000000000000000000000000000")]


def test_a_program_can_be_read_back_from_its_rows() -> None:
    """Continuing from versions is continuing."""
    crv = program(max_supply=D("1234567.00000001"))
    staked(crv, U1, "100.12345678")
    end(crv, 930_005)
    claimed(crv, U1, "37")
    row = crv.row()
    end(crv, 930_006)
    again = program_of(crv.row())
    assert crv.row() != row
    assert again.row() == crv.row()
    assert again.close_block() == ([], [])
    holding = {"staked": crv.accounts[U1].staked, "scaled": f"{crv.accounts[U1].scaled:.27f}"}
    assert holding_of(holding) == crv.accounts[U1]


def test_indices_beyond_50_digits_keep_their_decimals() -> None:
    """R-CORE-CONST-8: the smallest stake in the largest program."""
    largest = D(10) ** 30 - D("0.00000001")
    crv = program(Token(largest, None, 930_000, False), max_supply=largest, duration=1)
    staked(crv, U1, "0.00000001")
    end(crv, 930_003)
    assert len(crv.row()["index"]) == len("1" + "0" * 65 + "." + "0" * 27)
    assert program_of(crv.row()).index == crv.index
    with localcontext(Context(prec=28, rounding=ROUND_FLOOR)):
        assert crv.row()["index"] == f"{crv.index:f}"
