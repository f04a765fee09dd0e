"""W on whole blocks of real transactions: R-WRAP-MINT-*, R-WRAP-BURN-*, R-WRAP-TICK-* and decisions D-9 to D-14.

Codes: IWS is INVALID_WRAP_STRUCTURE, UPE is UNKNOWN_PROCESSING_ERROR.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from ingest.networks import REGTEST
from tests.helpers.builders import address, make_tx, op_return, pay, spend
from tests.helpers.chain import Tx, TxIn, TxOut, push
from tests.helpers.vaults import INTERNAL, Vault, burn_w, mint_w, operation_w, reveal_script, reveal_witness
from tests.helpers.wrapping import ALICE, IWS, SLOW, UPE, Chain, deploy, own_tags, parties, plain_operation, verdict


@dataclass
class Mint:
    """A mint to be spoiled before it is built."""

    script: bytes = ALICE.reveal
    control: bytes | None = None
    witness: Callable[[bytes, bytes], Sequence[bytes]] = lambda script, control: (b"\x30" * 64, script, control)
    spent: str = "initiator"
    more_inputs: list[TxIn] = field(default_factory=list)
    first: TxOut = field(default_factory=lambda: operation_w("mint", "1000"))
    receiver: TxOut = field(default_factory=lambda: pay("bob"))
    lock: TxOut = field(default_factory=lambda: TxOut(1000, ALICE.script))
    more_outputs: list[TxOut] = field(default_factory=list)
    outputs_kept: int = 9

    def build(self) -> Tx:
        _, _, control = reveal_witness(self.script)
        witness = self.witness(self.script, control if self.control is None else self.control)
        outputs = [self.first, self.receiver, self.lock, *self.more_outputs][: self.outputs_kept]
        return make_tx([spend(self.spent, witness), *self.more_inputs], outputs)


Fault = dict[str, Any]
USABLE_BY_NOBODY = bytes(31) + b"\x05"

FAULTS: list[tuple[str, str, Fault]] = [
    ("R-WRAP-MINT-3", IWS, {"more_inputs": [spend("alice")]}),
    ("R-WRAP-MINT-3", IWS, {"outputs_kept": 2}),
    ("R-WRAP-MINT-4", IWS, {"witness": lambda script, control: (script, control)}),
    ("R-WRAP-MINT-4", IWS, {"witness": lambda script, control: ()}),
    ("R-WRAP-MINT-4", IWS, {"witness": lambda script, control: (b"\x30" * 64, script, control, b"\x50")}),
    ("R-WRAP-MINT-5", IWS, {"control": b""}),
    ("R-WRAP-MINT-5", IWS, {"control": (b"\xc0" + INTERNAL)[:32]}),
    ("R-WRAP-MINT-5", IWS, {"control": b"\xc0" + bytes(32)}),
    ("R-WRAP-MINT-5", IWS, {"control": INTERNAL + b"\xc0"}),
    ("R-WRAP-MINT-6", IWS, {"script": b""}),
    ("R-WRAP-MINT-6", IWS, {"script": ALICE.reveal + b"\x51"}),
    ("R-WRAP-MINT-6", IWS, {"script": reveal_script(ALICE.key, b"\x02\x00\x01", b"W_PROOG")}),
    ("R-WRAP-MINT-7", UPE, {"script": reveal_script(ALICE.key, b"\x00")}),
    ("R-WRAP-MINT-7", UPE, {"script": reveal_script(ALICE.key, b"\x03\xff\xff\x00")}),
    ("R-WRAP-MINT-7", UPE, {"script": reveal_script(ALICE.key, b"\x02\x00\x81")}),
    ("R-WRAP-MINT-7", UPE, {"script": reveal_script(USABLE_BY_NOBODY, b"\x02\x00\x01")}),
    ("R-WRAP-MINT-8", IWS, {"lock": pay("p2wsh_lock", 1000)}),
    ("R-WRAP-MINT-8", IWS, {"lock": TxOut(1000, b"\x52\x20" + ALICE.output_key)}),
    ("R-WRAP-MINT-8", IWS, {"lock": TxOut(1000, ALICE.script + b"\x51")}),
    ("R-WRAP-MINT-10", IWS, {"lock": TxOut(1000, SLOW.script)}),
    ("R-WRAP-MINT-10", IWS, {"lock": TxOut(1000, Vault("carol").script)}),
    ("R-WRAP-MINT-11", IWS, {"first": operation_w("mint", "1001")}),
    ("R-WRAP-MINT-11", IWS, {"lock": TxOut(999, ALICE.script)}),
    ("R-WRAP-MINT-13", IWS, {"spent": "p2pk_initiator"}),
    ("R-WRAP-MINT-14", IWS, {"receiver": pay("bare_bob")}),
    ("R-WRAP-MINT-14", IWS, {"receiver": op_return("hello")}),
]


@pytest.fixture(scope="module")
def minting() -> Chain:
    """A chain where W is a wrap ticker since the block before; mints of this module do not depend on each other."""
    return Chain(deploy())


@pytest.mark.parametrize("sats", [0, 1, 1000, 21_000_000 * 10**8])
def test_a_mint_credits_what_is_locked(sats: int) -> None:
    """R-WRAP-MINT-15, R-WRAP-MINT-16, R-WRAP-MINT-17: one W a satoshi, written down as a vault."""
    chain = Chain(deploy())
    record = chain.one(mint_w(ALICE, sats, "bob"))
    assert verdict(record) == (None, None)
    assert (record["operation"], record["ticker"], record["amount"], record["vout"]) == ("mint", "W", Decimal(sats), 0)
    assert parties(record) == (None, address("bob"))
    assert chain.balance("bob") == sats
    assert chain.events() == ([("wrap_mint", address("bob"), sats)] if sats else [])
    (vault,) = chain.vaults()
    assert vault == {
        "height": 1,
        "vault": f"{chain.txids[0]}:2",
        "txid": chain.txids[0],
        "lock_address": ALICE.address(REGTEST),
        "lock_script": ALICE.script,
        "initiator_address": address(f"hex_{ALICE.commit.hex()}"),
        "recipient_address": address("bob"),
        "amount": sats,
        "delay": 256,
        "merkle_root": ALICE.merkle_root.hex(),
        "status": "active",
        "opened_height": 1,
        "opened_op_index": 0,
        "closed_height": None,
        "closing_txid": None,
    }


@pytest.mark.parametrize(("rule", "code", "fault"), FAULTS, ids=[f"{each[0]}-{n}" for n, each in enumerate(FAULTS)])
def test_each_row_refuses(minting: Chain, rule: str, code: str, fault: Fault) -> None:
    """R-WRAP-MINT-1: one fault at a time; nothing is credited and no vault opened (D-29)."""
    before = minting.engine.state()
    tx = replace(Mint(), **fault).build()
    record = minting.one(tx)
    assert verdict(record) == (code, None), rule
    has_recipient = "receiver" not in fault
    assert parties(record) == (None, address("bob") if has_recipient else None)
    assert record["amount"] == (Decimal(1001) if fault.get("first") else Decimal(1000))
    after = minting.engine.state()
    assert not minting.events()
    assert after.balances.equals(before.balances)
    assert after.modules["vaults"].equals(before.modules["vaults"])


@pytest.mark.parametrize("out_of_range", [fault for rule, _, fault in FAULTS if rule == "R-WRAP-MINT-7"][:1])
@pytest.mark.parametrize(("rule", "fault"), [(rule, fault) for rule, _, fault in FAULTS if "script" not in fault])
def test_a_delay_out_of_range_is_refused_after_the_witness_and_before_the_outputs(
    minting: Chain, rule: str, fault: Fault, out_of_range: Fault
) -> None:
    """R-WRAP-MINT-1: the only row with a code of its own shows the order."""
    record = minting.one(replace(Mint(), **out_of_range, **fault).build())
    assert record["code"] == (IWS if rule in ("R-WRAP-MINT-3", "R-WRAP-MINT-4", "R-WRAP-MINT-5") else UPE)
    assert record["divergence"] is None


def test_control_block_and_commitment_are_not_examined(minting: Chain) -> None:
    """R-WRAP-MINT-5, R-WRAP-MINT-18: neither its first byte nor its path, nor that the spent output commits to it."""
    for control in (b"\x00" + INTERNAL, b"\xc1" + INTERNAL + bytes(32), b"\xff" + INTERNAL + b"junk"):
        record = minting.one(Mint(control=control).build())
        assert record["code"] is None


def test_any_push_of_the_payload_will_do(minting: Chain) -> None:
    """R-WRAP-MINT-9 and D-10: the predecessor reads behind two bytes, so that it refuses every other push."""
    payload = operation_w("mint", "1000").script[2:]
    padded = payload + b" " * (76 - len(payload))
    forms = {
        "one byte": (b"\x6a" + push(payload), None),
        "OP_PUSHDATA1": (b"\x6a\x4c" + bytes([len(payload)]) + payload, "D-10"),
        "OP_PUSHDATA2": (b"\x6a\x4d" + len(payload).to_bytes(2, "little") + payload, "D-10"),
        "76 bytes": (b"\x6a" + push(padded), "D-10"),
        "a second push": (b"\x6a" + push(payload) + b"\x01\x20", "D-10"),
    }
    for name, (script, tags) in forms.items():
        record = minting.one(Mint(first=TxOut(0, script)).build())
        assert (record["code"], own_tags(record)) == (None, tags), name


AMOUNTS: list[tuple[str, str | None, str | None]] = [
    ('"1000"', None, None),
    ('"01000"', None, None),
    ('"1000.0"', IWS, "D-10"),
    ('"1000.9"', IWS, "D-10"),
    ('"1e3"', IWS, "D-10"),
    ('" 1000 "', IWS, "D-10"),
    ('"+1000"', IWS, "D-10"),
    ('"1_000"', IWS, "D-3,D-10"),
    ('"１０００"', IWS, "D-3,D-10"),
    ("1000", IWS, "D-10"),
    ("1000.5", IWS, "D-10"),
    ('"1001"', IWS, None),
    ('"999.9"', IWS, None),
    ('"-1000"', IWS, None),
    ('"1e999999999999"', IWS, "D-3"),
    ('"-1e999999999999"', IWS, "D-3"),
    ('"1e-999999999999"', IWS, None),
    ("1001", IWS, None),
    ("0", IWS, None),
    ('"abc"', IWS, "D-3,D-10"),
    ('""', IWS, "D-3,D-10"),
    ("null", IWS, "D-10"),
    ("true", IWS, "D-3,D-10"),
    ('["1000"]', IWS, "D-3,D-10"),
    ('"NaN"', IWS, "D-3,D-10"),
    ('"sNaN"', IWS, "D-3,D-10"),
    ('"-Infinity"', IWS, "D-3,D-10"),
]


@pytest.mark.parametrize(("amount", "code", "tags"), AMOUNTS, ids=[each[0] for each in AMOUNTS])
def test_the_amount_is_digits_worth_the_lock(minting: Chain, amount: str, code: str | None, tags: str | None) -> None:
    """R-WRAP-MINT-11, D-10: tagged where the predecessor mints, or says UPE (R-WRAP-MINT-9)."""
    payload = f'{{"p":"brc-20","op":"mint","tick":"W","amt":{amount}}}'
    record = minting.one(Mint(first=op_return(payload)).build())
    assert (record["code"], own_tags(record)) == (code, tags)


def test_a_missing_amount(minting: Chain) -> None:
    """R-WRAP-MINT-11: missing counts as -1, in the predecessor too."""
    record = minting.one(Mint(first=op_return('{"p":"brc-20","op":"mint","tick":"W"}')).build())
    assert verdict(record) == (IWS, None)
    assert record["amount"] is None


ELSEWHERE: list[tuple[str, str, str | None]] = [
    # Output 0, amount of the protocol output at output 3, divergences.
    ('{"amt":"1000"}', '"1000"', "D-10"),
    ('{"amt":"1000"}', '"100000000000"', "D-10"),
    ('{"amt":1000.7}', '"-5"', "D-10"),
    ('{"amt":"1000"}', '"abc"', "D-3"),
    ('{"amt":"1000"}', "0", None),
    ('{"amt":"1001"}', '"1000"', None),
    ('{"other":1}', '"1000"', None),
    ("[1000]", '"1000"', "D-10"),
    ("hello", '"1000"', "D-10"),
    ("\xff", '"1000"', "D-10"),
    ('{"amt":"1001","a":' + "[" * 511 + "]" * 511 + "}", '"1000"', None),
    ('{"amt":"1001","a":' + "[" * 512 + "]" * 512 + "}", '"1000"', "D-10"),
    ("[" * 100_000, '"1000"', "D-10"),
]


@pytest.mark.parametrize(("first", "amount", "tags"), ELSEWHERE, ids=[each[0][:20] + each[1] for each in ELSEWHERE])
def test_the_protocol_output_is_output_0(minting: Chain, first: str, amount: str, tags: str | None) -> None:
    """R-WRAP-MINT-15, D-10: an amount claimed elsewhere than at output 0 mints nothing."""
    claim = op_return(f'{{"p":"brc-20","op":"mint","tick":"W","amt":{amount}}}')
    script = b"\x6a" + bytes([min(len(first), 75)]) + first.encode("latin-1")
    record = minting.one(Mint(first=TxOut(0, script), more_outputs=[claim]).build())
    assert verdict(record) == (IWS, tags)
    assert record["vout"] == 3


def test_a_claim_elsewhere_and_another_fault(minting: Chain) -> None:
    """D-10: what the predecessor refuses anyway, with the same code, is no divergence."""
    claim: Fault = {"first": op_return('{"amt":"1000"}'), "more_outputs": [operation_w("mint", "1000")]}
    for rule in ("R-WRAP-MINT-10", "R-WRAP-MINT-13", "R-WRAP-MINT-14"):
        fault = next(fault for name, _, fault in FAULTS if name == rule)
        assert verdict(minting.one(replace(Mint(), **(claim | fault)).build())) == (IWS, None), rule
    unread: Fault = claim | {"first": op_return("hello"), "lock": TxOut(1000, SLOW.script)}
    assert verdict(minting.one(replace(Mint(), **unread).build())) == (IWS, "D-10")


def test_the_recipient_follows_the_first_op_return(minting: Chain) -> None:
    """R-WRAP-MINT-14 by R-CORE-ADDR-3: output 0 is an OP_RETURN output, so that output 1 receives."""
    record = minting.one(Mint(receiver=pay("p2pkh_carol")).build())
    assert parties(record) == (None, address("p2pkh_carol"))
    assert minting.balance("p2pkh_carol") == 1000


def test_every_mint_to_one_address_counts() -> None:
    """D-12, D-13: the same address locks again, in the same block and later, also once a vault there is closed."""
    chain = Chain(deploy())
    first, second = chain.block(mint_w(ALICE, 700, "bob"), mint_w(ALICE, 300, "carol"))
    assert [verdict(first), verdict(second)] == [(None, None), (None, "D-12")]
    assert verdict(chain.one(mint_w(SLOW, 5, "bob"))) == (None, "D-13")
    chain.restart()
    assert verdict(chain.one(mint_w(SLOW, 5, "bob"))) == (None, "D-12,D-13")
    chain.block(burn_w("bob", 700, unlocks=ALICE), burn_w("carol", 300, unlocks=ALICE))
    chain.restart()
    assert verdict(chain.one(mint_w(ALICE, 1, "bob"))) == (None, "D-12")
    assert [row["delay"] for row in chain.vaults()] == [256, 256, 65534, 65534, 256]
    assert chain.statuses() == ["closed", "closed", "active", "active", "active"]
    assert chain.supply() == (1011, 1000)


def test_w_is_a_wrap_ticker_from_its_deploy_on() -> None:
    """R-WRAP-TICK-1, D-11."""
    chain = Chain()
    before, deployed, valid, refused = chain.block(
        mint_w(ALICE, 1000, "bob"), deploy(), mint_w(ALICE, 1000, "bob"), mint_w(ALICE, 1000, "bob", amount="1001")
    )
    assert verdict(before) == ("TICKER_NOT_DEPLOYED", None)
    assert verdict(deployed) == (None, None)
    assert [verdict(valid), verdict(refused)] == [(None, "D-11"), (IWS, "D-11")]
    assert verdict(chain.one(mint_w(SLOW, 1, "bob"))) == (None, "D-13")
    assert chain.balance("bob") == 1001


def test_other_wrap_tickers_are_not_supported() -> None:
    """R-WRAP-MINT-2, R-WRAP-TICK-2, D-14; R-CORE-ORDER-2 comes first for burns alone."""
    chain = Chain(deploy(), deploy("V"))
    chain.block(mint_w(ALICE, 1000, "bob"))
    foreign = mint_w(SLOW, 5, "bob")
    vault = make_tx(foreign.inputs, [operation_w("mint", "5", "v"), *foreign.outputs[1:]])
    record = chain.one(vault)
    assert verdict(record) == ("TICKER_NOT_SUPPORTED_NOW", None)
    assert (record["ticker"], record["amount"]) == ("V", Decimal(5))
    assert parties(record) == (address(f"hex_{SLOW.commit.hex()}"), address("bob"))
    nowhere = chain.one(make_tx([spend("bob")], [operation_w("mint", "5", "V")]))
    assert (verdict(nowhere), parties(nowhere)) == (("TICKER_NOT_SUPPORTED_NOW", None), (address("bob"), None))
    burn = make_tx([spend("bob")], [operation_w("burn", "5", "V"), pay("bob", 5)])
    record = chain.one(burn)
    assert verdict(record) == ("TICKER_NOT_SUPPORTED_NOW", "D-14")
    assert (record["operation"], record["amount"]) == ("burn", Decimal(5))
    assert parties(record) == (address("bob"), address("bob"))
    record = chain.one(make_tx([spend("bob")], [operation_w("burn", "5", "V"), op_return("x")]))
    assert (verdict(record), parties(record)) == (("NO_STANDARD_OUTPUT", None), (address("bob"), None))
    assert (chain.balance("bob"), len(chain.vaults())) == (1000, 1)


def test_w_deployed_otherwise_is_an_ordinary_token_that_burns() -> None:
    """R-WRAP-TICK-3, R-WRAP-BURN-2: what is burned may be minted again; nothing is a wrap, so D-9 does not apply."""
    chain = Chain(deploy("W", "1000", "1000"))
    ordinary = plain_operation("mint", "W", amt="1000")
    assert verdict(chain.one(ordinary)) == (None, None)
    assert chain.events() == [("mint", address("bob"), 1000)]
    assert verdict(chain.one(ordinary)) == ("EXCEEDS_MAX_SUPPLY", None)
    record = chain.one(burn_w("bob", 400))
    assert (verdict(record), chain.balance("bob")) == ((None, None), 600)
    assert chain.supply() == (1000, 400)
    assert verdict(chain.one(plain_operation("mint", "W", amt="401"))) == ("EXCEEDS_MAX_SUPPLY", None)
    assert verdict(chain.one(plain_operation("mint", "W", amt="400"))) == (None, None)
    assert chain.balance("bob") == 1000
    assert chain.vaults() == []


def test_without_w_there_is_nothing_to_mint_or_burn() -> None:
    """R-WRAP-TICK-4: the balance is checked before the deploy."""
    chain = Chain()
    assert verdict(chain.one(mint_w(ALICE, 1000, "bob"))) == ("TICKER_NOT_DEPLOYED", None)
    assert verdict(chain.one(burn_w("bob", 1000))) == ("INSUFFICIENT_WRAP_BALANCE", None)
    record = chain.one(burn_w("bob", 0))
    assert (verdict(record), record["amount"]) == (("TICKER_NOT_DEPLOYED", None), Decimal(0))


def test_transfers_of_w_are_ordinary() -> None:
    """R-WRAP-TICK-5."""
    chain = Chain(deploy())
    chain.block(mint_w(ALICE, 1000, "bob"))
    assert verdict(chain.one(plain_operation("transfer", "W", "bob", "carol", amt="0.5"))) == (None, None)
    record = chain.one(burn_w("bob", 1000))
    assert verdict(record) == ("INSUFFICIENT_WRAP_BALANCE", None)
    assert verdict(chain.one(burn_w("bob", 999))) == (None, "D-9")
