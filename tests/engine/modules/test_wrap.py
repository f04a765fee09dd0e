"""W on whole blocks of real transactions: R-WRAP-MINT-*, R-WRAP-BURN-*, R-WRAP-TICK-* and decisions D-9 to D-14.

Codes: IWS is INVALID_WRAP_STRUCTURE, UPE is UNKNOWN_PROCESSING_ERROR.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from engine.judge import Engine
from engine.schemas import Judged
from ingest.networks import REGTEST
from tests.helpers.audit import assert_conserved
from tests.helpers.builders import address, candidates, headers, make_tx, op_return, operation, pay, script_of, spend
from tests.helpers.chain import Tx, TxIn, TxOut, push
from tests.helpers.vaults import INTERNAL, Vault, burn_w, mint_w, operation_w, reveal_script, reveal_witness

IWS = "INVALID_WRAP_STRUCTURE"
UPE = "UNKNOWN_PROCESSING_ERROR"
ALICE = Vault("alice")
SLOW = Vault("alice", 65534)
Row = dict[str, Any]


def plain_operation(op: str, tick: str, sender: str = "carol", recipient: str = "bob", **members: object) -> Tx:
    return operation(json.dumps({"p": "brc-20", "op": op, "tick": tick} | members), sender, recipient)


def deploy(tick: str = "W", maximum: str = "0", limit: str = "0") -> Tx:
    return plain_operation("deploy", tick, m=maximum, l=limit)


class Chain:
    """Blocks on the compiled path, audited as they come."""

    def __init__(self, *first: Tx) -> None:
        self.engine = Engine(REGTEST)
        self.height = -1
        self.judged: Judged
        self.txids: list[str] = []
        self.block(*first)

    def block(self, *txs: Tx) -> list[Row]:
        """Judge a block; its records. Transactions that are equal are told apart."""
        self.height += 1
        salted = [replace(tx, locktime=1000 * self.height + place) for place, tx in enumerate(txs)]
        self.txids = [tx.txid for tx in salted]
        opening = self.engine.state()
        self.judged = self.engine.judge(headers({self.height: salted}), candidates({self.height: salted}))
        assert_conserved(self.judged, opening=opening)
        records: list[Row] = self.judged.operations.to_pylist()
        return records

    def one(self, tx: Tx) -> Row:
        (record,) = self.block(tx)
        return record

    def restart(self) -> None:
        """Go on from the state alone."""
        self.engine = Engine(REGTEST, self.engine.state())

    def balance(self, label: str, ticker: str = "W") -> int:
        rows = self.engine.state().balances.to_pylist()
        held = {(row["ticker"], row["address"]): row["balance"] for row in rows}
        return int(held.get((ticker, address(label)), 0))

    def supply(self) -> tuple[int, int]:
        """Minted and burned of W."""
        (row,) = [row for row in self.engine.state().supplies.to_pylist() if row["ticker"] == "W"]
        return int(row["minted"]), int(row["burned"])

    def events(self) -> list[tuple[str, str, int]]:
        """Cause, address and change of the last block's balance events."""
        rows = self.judged.balance_events.to_pylist()
        return [(row["cause"], row["address"], int(row["delta"])) for row in rows]

    def vaults(self) -> list[Row]:
        """Latest version of every vault, oldest first."""
        rows: list[Row] = self.engine.state().modules["vaults"].to_pylist()
        return sorted(rows, key=lambda row: (row["opened_height"], row["opened_op_index"]))

    def statuses(self) -> list[str]:
        return [row["status"] for row in self.vaults()]


def verdict(record: Row) -> tuple[str | None, str | None]:
    """Code and divergences."""
    return record["code"], record["divergence"]


def own_tags(record: Row) -> str | None:
    """Divergences but D-12, which depends on what was minted before."""
    tags = [tag for tag in (record["divergence"] or "").split(",") if tag and tag != "D-12"]
    return ",".join(tags) or None


def parties(record: Row) -> tuple[str | None, str | None]:
    return record["from_address"], record["to_address"]


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
