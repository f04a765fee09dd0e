"""Burns of W and the vaults that they close: R-WRAP-BURN-* on whole blocks, and decisions D-9 and D-14."""

import json
from decimal import Decimal

import pytest

from tests.helpers.builders import address, make_tx, op_return, pay, script_of, spend
from tests.helpers.chain import Tx, TxIn, TxOut
from tests.helpers.vaults import Vault, burn_w, mint_w, operation_w
from tests.helpers.wrapping import (
    ALICE,
    IWS,
    SLOW,
    Chain,
    deploy,
    parties,
    verdict,
)


def test_a_burn_burns_once() -> None:
    """R-WRAP-BURN-2, R-WRAP-BURN-4, R-WRAP-BURN-5, D-9."""
    chain = Chain(deploy())
    chain.block(mint_w(ALICE, 1000, "bob"))
    record = chain.one(burn_w("bob", 600))
    assert verdict(record) == (None, "D-9")
    assert (record["operation"], record["ticker"], record["amount"]) == ("burn", "W", Decimal(600))
    assert parties(record) == (address("bob"), None)
    assert chain.events() == [("wrap_burn", address("bob"), -600)]
    assert (chain.balance("bob"), chain.supply()) == (400, (1000, 600))
    assert chain.statuses() == ["active"]


def test_a_burn_of_nothing_does_nothing() -> None:
    """R-WRAP-BURN-5."""
    chain = Chain(deploy())
    for amount in ('"0"', '"-0"', '"0.000"'):
        claim = op_return(f'{{"p":"brc-20","op":"burn","tick":"W","amt":{amount}}}')
        record = chain.one(make_tx([spend("bob")], [claim, pay("bob", 0)]))
        assert (verdict(record), record["amount"]) == ((None, None), Decimal(0))
        assert chain.events() == []


BURN = {"p": "brc-20", "op": "burn", "tick": "W"}
CLAIM = operation_w("burn", "10")
NOT_BURNS: list[tuple[str, str, list[TxOut], str]] = [
    ("one output", "bob", [CLAIM], IWS),
    ("output 0 no OP_RETURN", "bob", [pay("bob", 10), CLAIM], IWS),
    ("output 1 without address", "bob", [CLAIM, pay("bare_bob", 10)], IWS),
    ("output 1 an OP_RETURN", "bob", [CLAIM, TxOut(10, b"\x6a")], IWS),
    ("amt missing", "bob", [op_return(json.dumps(BURN)), pay("bob", 10)], IWS),
    ("amt no number", "bob", [operation_w("burn", ""), pay("bob", 0)], IWS),
    ("amt not the satoshis", "bob", [CLAIM, pay("bob", 11)], IWS),
    ("output 1 another's", "bob", [CLAIM, pay("carol", 10)], IWS),
    ("the same key, another script", "bob", [CLAIM, pay("p2pkh_bob", 10)], IWS),
    ("no sender", "p2pk_bob", [CLAIM, pay("bob", 10)], IWS),
    ("no sender, no address", "p2pk_bob", [CLAIM, pay("p2pk_bob", 10)], IWS),
    ("too little W", "carol", [CLAIM, pay("carol", 10)], "INSUFFICIENT_WRAP_BALANCE"),
    ("too little W, another's output", "carol", [CLAIM, pay("bob", 10)], IWS),
]


@pytest.mark.parametrize(("outputs", "sender", "code"), [pytest.param(o, s, c, id=i) for i, s, o, c in NOT_BURNS])
def test_refused_burns(outputs: list[TxOut], sender: str, code: str) -> None:
    """R-WRAP-BURN-1, in order."""
    chain = Chain(deploy())
    chain.block(mint_w(ALICE, 1000, "bob"))
    unlock = TxIn("33" * 32, 2, TxOut(10, ALICE.script), witness=(b"\x30" * 64,))
    (record,) = chain.block(make_tx([spend(sender), unlock], outputs))
    assert (record["code"], record["divergence"] in (None, "D-3")) == (code, True)
    sending = None if sender.startswith("p2pk_") else address(sender)
    assert parties(record) == (sending, None)
    assert (chain.balance("bob"), chain.events(), chain.statuses()) == (1000, [], ["active"])


BURNED: list[tuple[str, str | None, str | None, str]] = [
    ('"10"', None, "D-9", "10"),
    ('"10.0"', None, "D-9", "10"),
    ('"1e1"', None, "D-9", "10"),
    ('" 10 "', None, "D-9", "10"),
    ('"+10"', None, "D-9", "10"),
    ("10", None, "D-9", "10"),
    ("1E1", None, "D-9", "10"),
    ("10.0", None, "D-9", "10"),
    ('"1_0"', None, "D-3,D-9", "10"),
    ('"１０"', None, "D-3,D-9", "10"),
    ('"10.5"', IWS, None, "10.5"),
    ('"10.000000000000000000000000000000001"', IWS, None, "10"),
    ('"-10"', IWS, None, "-10"),
    ("0", IWS, None, "0"),
    ("null", IWS, None, "-"),
    ("true", IWS, "D-3", "-"),
    ('"sNaN"', IWS, "D-3", "-"),
    ('"NaN"', IWS, "D-3", "-"),
    ('"Infinity"', IWS, "D-3", "-"),
    ('"1e999999999999"', IWS, "D-3", "-"),
    ('{"a":1}', IWS, "D-3", "-"),
]


@pytest.mark.parametrize(("amount", "code", "tags", "recorded"), BURNED, ids=[each[0] for each in BURNED])
def test_amounts_of_burns_are_read_liberally(amount: str, code: str | None, tags: str | None, recorded: str) -> None:
    """R-WRAP-BURN-1 by R-SWAP-NUM-1; refused ones are recorded by R-CORE-AMT-5."""
    chain = Chain(deploy())
    chain.block(mint_w(ALICE, 1000, "bob"))
    claim = op_return(f'{{"p":"brc-20","op":"burn","tick":"W","amt":{amount}}}')
    record = chain.one(make_tx([spend("bob")], [claim, pay("bob", 10)]))
    assert verdict(record) == (code, tags)
    assert record["amount"] == (None if recorded == "-" else Decimal(recorded))
    assert chain.balance("bob") == (990 if code is None else 1000)


def test_the_claim_of_a_burn_may_stand_elsewhere() -> None:
    """R-WRAP-BURN-1 asks of output 0 only that it is an OP_RETURN; D-10 is about mints."""
    chain = Chain(deploy())
    chain.block(mint_w(ALICE, 1000, "bob"))
    record = chain.one(make_tx([spend("bob")], [op_return("hello"), pay("bob", 10), CLAIM]))
    assert (verdict(record), record["vout"]) == ((None, "D-9"), 2)


def closing(chain: Chain, *locks: TxOut) -> Tx:
    """A burn of 1000 W by bob whose further inputs spend the given outputs."""
    inputs = [TxIn("44" * 32, n, lock, witness=(b"\x30" * 64,)) for n, lock in enumerate(locks)]
    return make_tx([spend("bob"), *inputs], [operation_w("burn", "1000"), pay("bob", 1000)])


def test_the_last_of_several_inputs_closes_a_vault() -> None:
    """R-WRAP-BURN-3: by address and amount, whatever the first input spends."""
    lock, slow = TxOut(1000, ALICE.script), TxOut(1000, SLOW.script)
    chain = Chain(deploy())
    chain.block(mint_w(ALICE, 1000, "bob"), mint_w(SLOW, 1000, "bob"), mint_w(ALICE, 999, "bob"))
    chain.block(mint_w(Vault("dave"), 10_000, "bob"))
    assert verdict(chain.one(closing(chain, lock, pay("bob")))) == (None, "D-9")
    assert chain.statuses() == ["active"] * 4, "the last input spends no vault"
    chain.one(closing(chain, pay("bob"), slow))
    assert chain.statuses() == ["active", "closed", "active", "active"]
    chain.one(closing(chain, slow))
    assert chain.statuses() == ["active", "closed", "active", "active"], "none is left there: the burn stands"
    chain.one(closing(chain, TxOut(5, ALICE.script)))
    assert chain.statuses() == ["closed", "closed", "active", "active"]
    closed = chain.vaults()[0]
    assert (closed["closed_height"], closed["closing_txid"]) == (chain.height, chain.txids[0])
    assert (closed["height"], closed["opened_height"]) == (chain.height, 1)


def test_an_input_alone_closes_nothing() -> None:
    """R-WRAP-BURN-3: also where bob's own address is the vault's."""
    chain = Chain(deploy())
    chain.block(mint_w(ALICE, 1000, ALICE.label))
    record = chain.one(burn_w(ALICE.label, 1000))
    assert (verdict(record), chain.statuses()) == ((None, "D-9"), ["active"])


@pytest.mark.parametrize("restarts", [False, True])
def test_the_oldest_vault_closes_first(restarts: bool) -> None:
    """R-WRAP-BURN-3: by height, then in processing order, whatever the txids are and wherever judging resumed."""
    lock = TxOut(1000, ALICE.script)
    chain = Chain(deploy())
    chain.block(mint_w(ALICE, 5, "bob"), *(mint_w(ALICE, 1000, "bob") for _ in range(12)))
    chain.block(mint_w(ALICE, 1000, "bob"))
    opened = [row["vault"] for row in chain.vaults()]
    assert opened[1:13] != sorted(opened[1:13])
    for place in range(1, 14):
        if restarts:
            chain.restart()
        chain.one(closing(chain, lock))
        assert chain.statuses() == ["active"] + ["closed"] * place + ["active"] * (13 - place)
    assert verdict(chain.one(closing(chain, lock)))[0] == "INSUFFICIENT_WRAP_BALANCE"
    assert chain.balance("bob") == 5


def test_a_vault_opens_and_closes_in_one_block() -> None:
    """One version a block, with the block's last word."""
    chain = Chain(deploy())
    mint, burn = chain.block(mint_w(ALICE, 1000, "bob"), closing(chain, TxOut(1000, ALICE.script)))
    assert (verdict(mint), verdict(burn)) == ((None, None), (None, "D-9"))
    (row,) = chain.judged.modules["vaults"].to_pylist()
    assert (row["status"], row["opened_height"], row["closed_height"]) == ("closed", 1, 1)
    chain.block()
    assert chain.judged.modules["vaults"].num_rows == 0


def test_a_refused_burn_closes_nothing() -> None:
    """D-29."""
    chain = Chain(deploy())
    chain.block(mint_w(ALICE, 1000, "carol"))
    assert verdict(chain.one(closing(chain, TxOut(1000, ALICE.script))))[0] == "INSUFFICIENT_WRAP_BALANCE"
    assert chain.statuses() == ["active"]


def test_marketplace_signatures_do_not_matter() -> None:
    """R-CORE-MKT-8: a burn is never a marketplace operation."""
    chain = Chain(deploy())
    chain.block(mint_w(ALICE, 1000, "bob"))
    sig83 = (b"\x30\x44\x83", b"\x02" * 33)
    record = chain.one(make_tx([spend("bob", sig83)] * 3, [CLAIM, TxOut(10, script_of("bob"))]))
    assert (verdict(record), record["marketplace"]) == ((None, "D-9"), False)
