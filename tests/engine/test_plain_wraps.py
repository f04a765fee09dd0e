"""W on the plain path: minting against a vault and burning, row by row, and our decisions on them."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from engine.plain.transactions import parse_transaction
from engine.plain.vault_scripts import INTERNAL_KEY, VaultScripts
from ingest.networks import MAINNET
from tests.helpers.builders import address, make_tx, op_return, pay, script_of, spend
from tests.helpers.chain import Tx, TxIn, TxOut
from tests.helpers.scenarios import deploy_text, mint_text, operation_text, vectors
from tests.helpers.stepping import Record, SteppedChain

USER = bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
SIGNATURE = bytes(64)
CONTROL = b"\xc0" + INTERNAL_KEY + bytes(32)


def reveal(delay: str = "029000", user: bytes = USER) -> bytes:
    """The envelope; the delay as the push that carries it, 144 unless told."""
    return b"\x20" + user + b"\xac\x00\x63\x07W_PROOF" + bytes.fromhex(delay) + b"\x68"


def payload(amt: Any, op: str = "mint", tick: str = "W") -> str:
    members = {"p": "brc-20", "op": op, "tick": tick} | ({} if amt is None else {"amt": amt})
    return json.dumps(members, separators=(",", ":"))


def mint_tx(
    amt: Any = "1000",
    sats: int = 1000,
    *,
    delay: int = 144,
    witness: Sequence[bytes] | None = None,
    inputs: Sequence[TxIn] | None = None,
    outputs: Sequence[TxOut] | None = None,
    lock: bytes | None = None,
    sender: str = "init",
    recipient: str = "bob",
    salt: int = 0,
) -> Tx:
    """A mint of W by its usual shape, except for what is given."""
    witness = (SIGNATURE, reveal(), CONTROL) if witness is None else witness
    inputs = [spend(sender, witness)] if inputs is None else inputs
    lock = VaultScripts(USER, delay).script if lock is None else lock
    outputs = [op_return(payload(amt)), pay(recipient), TxOut(sats, lock)] if outputs is None else outputs
    return make_tx(inputs, outputs, salt)


def burn_tx(amt: Any, sats: int, *, owner: str = "bob", spends: TxIn | None = None, salt: int = 0) -> Tx:
    """A burn of W by bob, whose last input may spend a lock output."""
    inputs = [spend("bob"), *([spends] if spends else [])]
    return make_tx(inputs, [op_return(payload(amt, "burn")), pay(owner, sats)], salt)


def lock_input(delay: int = 144) -> TxIn:
    return TxIn("22" * 32, 2, TxOut(1000, VaultScripts(USER, delay).script))


def deployed() -> SteppedChain:
    """W is a wrap ticker since 930000; the next block is 930001."""
    chain = SteppedChain()
    assert chain.one(deploy_text("W", "0", "0"))["valid"]
    return chain


def short(record: Record) -> tuple[Any, ...]:
    amount = record["amount"]
    shown = None if amount is None else f"{amount.normalize():f}"
    return shown, record["code"], record["divergence"]


def test_a_mint() -> None:
    """R-WRAP-MINT-15, -16, -17: the recipient has as many W as satoshis are locked; the real delay is kept (D-13)."""
    chain = deployed()
    record = chain.one(mint_tx("001000"))
    assert short(record) == ("1000", None, "D-13")
    assert (record["from_address"], record["to_address"]) == (None, address("bob", MAINNET))
    assert chain.balance("W", "bob") == "1000.00000000"
    (vault,) = chain.vaults()
    assert vault.lock.script == VaultScripts(USER, 144).script
    assert (vault.key, vault.amount, vault.delay, vault.status) == (f"{record['txid']}:2", 1000, 144, "active")
    assert (vault.initiator, vault.recipient) == (address("init", MAINNET), address("bob", MAINNET))
    assert vault.merkle_root == VaultScripts(USER, 144).root.hex()
    assert [(e["cause"], e["delta"]) for e in chain.events] == [("wrap_mint", Decimal(1000))]
    chain.audit()


def test_the_delay_of_the_predecessors_records_is_not_tagged() -> None:
    """D-13."""
    record = deployed().one(mint_tx(delay=256, witness=(SIGNATURE, reveal("020001"), CONTROL)))
    assert short(record) == ("1000", None, None)


@pytest.mark.parametrize(
    ("witness", "code"),
    [
        ((SIGNATURE, reveal()), "INVALID_WRAP_STRUCTURE"),
        ((SIGNATURE, reveal(), CONTROL, b"\x50"), "INVALID_WRAP_STRUCTURE"),
        ((), "INVALID_WRAP_STRUCTURE"),
        ((SIGNATURE, reveal(), CONTROL[:32]), "INVALID_WRAP_STRUCTURE"),
        ((SIGNATURE, reveal(), b"\xc0" + USER + bytes(32)), "INVALID_WRAP_STRUCTURE"),
        ((SIGNATURE, reveal("60"), CONTROL), "INVALID_WRAP_STRUCTURE"),
        ((SIGNATURE, reveal("00"), CONTROL), "UNKNOWN_PROCESSING_ERROR"),
        ((SIGNATURE, reveal("0190"), CONTROL), "UNKNOWN_PROCESSING_ERROR"),
        ((SIGNATURE, reveal("03ffff00"), CONTROL), "UNKNOWN_PROCESSING_ERROR"),
        ((SIGNATURE, reveal(user=(5).to_bytes(32)), CONTROL), "UNKNOWN_PROCESSING_ERROR"),
        ((SIGNATURE, reveal("0191"), CONTROL), "UNKNOWN_PROCESSING_ERROR"),
        ((SIGNATURE, reveal("020001"), CONTROL), "INVALID_WRAP_STRUCTURE"),
        ((b"", reveal(), b"\x00" + INTERNAL_KEY), None),
        ((SIGNATURE, reveal("0590000000 00".replace(" ", "")), CONTROL), None),
    ],
)
def test_what_the_witness_must_show(witness: Sequence[bytes], code: str | None) -> None:
    """R-WRAP-MINT-4 to R-WRAP-MINT-7, R-WRAP-MINT-10, R-WRAP-MINT-18."""
    chain = deployed()
    record = chain.one(mint_tx(witness=witness))
    assert short(record) == ("1000", code, None if code else "D-13")
    assert len(chain.vaults()) == (not code)
    chain.audit()


def test_the_shape_of_the_transaction() -> None:
    """R-WRAP-MINT-3, R-WRAP-MINT-8, R-WRAP-MINT-10, R-WRAP-MINT-13, R-WRAP-MINT-14."""
    chain = deployed()
    lock = TxOut(1000, VaultScripts(USER, 144).script)
    witness = (SIGNATURE, reveal(), CONTROL)
    wrong = [
        mint_tx(inputs=[spend("init", witness), spend("x")]),
        mint_tx(outputs=[op_return(payload("1000")), pay("bob")]),
        mint_tx(lock=script_of("bob")),
        mint_tx(lock=script_of("p2wsh_x")),
        mint_tx(lock=b"\x52\x20" + lock.script[2:]),
        mint_tx(lock=script_of("p2tr_x")),
        mint_tx(lock=VaultScripts(USER, 145).script),
        mint_tx(sender="p2pk_init"),
        mint_tx(recipient="p2pk_bob"),
    ]
    for salt, tx in enumerate(wrong):
        record = chain.one(make_tx(tx.inputs, tx.outputs, salt))
        assert short(record) == ("1000", "INVALID_WRAP_STRUCTURE", None), salt
        assert record["from_address"] is None
    assert not chain.vaults()
    assert chain.one(mint_tx(outputs=[op_return(payload("1000")), pay("bob"), lock, pay("change")]))["valid"]
    chain.audit()


@pytest.mark.parametrize(
    ("amt", "sats", "recorded", "code", "tags"),
    [
        ("1001", 1000, "1001", "INVALID_WRAP_STRUCTURE", None),
        ("999", 1000, "999", "INVALID_WRAP_STRUCTURE", None),
        ("-1000", 1000, "-1000", "INVALID_WRAP_STRUCTURE", None),
        ("1000.9", 1000, "1000.9", "INVALID_WRAP_STRUCTURE", "D-10"),
        ("1000.0", 1000, "1000", "INVALID_WRAP_STRUCTURE", "D-10"),
        ("1e3", 1000, "1000", "INVALID_WRAP_STRUCTURE", "D-10"),
        (" 1000", 1000, "1000", "INVALID_WRAP_STRUCTURE", "D-10"),
        ("+1000", 1000, "1000", "INVALID_WRAP_STRUCTURE", "D-10"),
        ("1000\n", 1000, "1000", "INVALID_WRAP_STRUCTURE", "D-10"),
        ("1_000", 1000, None, "INVALID_WRAP_STRUCTURE", "D-3,D-10"),
        ("１０００", 1000, None, "INVALID_WRAP_STRUCTURE", "D-3,D-10"),
        (1000, 1000, "1000", "INVALID_WRAP_STRUCTURE", "D-10"),
        (1000.5, 1000, "1000.5", "INVALID_WRAP_STRUCTURE", "D-10"),
        ("x", 1000, None, "INVALID_WRAP_STRUCTURE", "D-3,D-10"),
        ("NaN", 1000, None, "INVALID_WRAP_STRUCTURE", "D-3,D-10"),
        ("1e999999999", 1000, None, "INVALID_WRAP_STRUCTURE", "D-3"),
        ("-0.5", 0, "-0.5", "INVALID_WRAP_STRUCTURE", "D-10"),
        (None, 1000, None, "INVALID_WRAP_STRUCTURE", None),
        (0, 0, "0", "INVALID_WRAP_STRUCTURE", None),
        ("0", 0, "0", None, "D-13"),
    ],
)
def test_the_amount_is_the_locked_satoshis_in_digits(
    amt: Any, sats: int, recorded: str | None, code: str | None, tags: str | None
) -> None:
    """D-10, in the place of R-WRAP-MINT-9, -11, -12; tagged where the predecessor says otherwise."""
    chain = deployed()
    assert short(chain.one(mint_tx(amt, sats))) == (recorded, code, tags)
    assert chain.balance("W", "bob") == ("0" if code or not sats else f"{sats}.00000000")
    chain.audit()


def test_the_amount_is_that_of_output_0() -> None:
    """D-10: an innocent JSON at output 0 cannot vouch for a payload elsewhere; the form of the push does not matter."""
    chain = deployed()
    lock = TxOut(1000, VaultScripts(USER, 144).script)
    innocent = op_return('{"amt":"1000"}')
    elsewhere = [innocent, pay("bob"), lock, op_return(payload("100000000000"))]
    record = chain.one(mint_tx(outputs=elsewhere))
    assert (record["vout"], *short(record)) == (3, "100000000000", "INVALID_WRAP_STRUCTURE", "D-10")
    assert chain.balance("W", "bob") == "0"

    not_json = [pay("bob"), op_return(payload("1000")), lock, pay("carol")]
    assert short(chain.one(mint_tx(outputs=not_json))) == ("1000", "INVALID_WRAP_STRUCTURE", "D-10")

    text = payload("1000").encode()
    pushdata = TxOut(0, b"\x6a\x4c" + bytes([len(text)]) + text)
    assert short(chain.one(mint_tx(outputs=[pushdata, pay("bob"), lock]))) == ("1000", None, "D-10,D-13")
    chain.audit()


def test_a_wrap_ticker_is_one_from_its_deploy_on() -> None:
    """D-11: the mint in the deploying block counts, or is refused for its own reasons."""
    chain = SteppedChain()
    _, mint, wrong = chain.block(deploy_text("W", "0", "0"), mint_tx(), mint_tx("1001", salt=1))
    assert short(mint) == ("1000", None, "D-11,D-13")
    assert short(wrong) == ("1001", "INVALID_WRAP_STRUCTURE", "D-11")
    chain.audit()


def test_every_lock_output_counts() -> None:
    """D-12: the same vault can be locked into again, also after it was closed."""
    chain = deployed()
    first, second = chain.block(mint_tx(), mint_tx(salt=1))
    assert (first["divergence"], second["divergence"]) == ("D-13", "D-12,D-13")
    assert chain.balance("W", "bob") == "2000.00000000"
    assert len(chain.vaults()) == 2
    assert chain.one(mint_tx(delay=256, witness=(SIGNATURE, reveal("020001"), CONTROL)))["divergence"] is None
    chain.audit()


def test_other_wrap_tickers_are_not_supported() -> None:
    """R-WRAP-TICK-2, D-14: neither minted, whatever the outputs, nor burned where W would be."""
    chain = deployed()
    chain.block(deploy_text("Z", "0", "0"), mint_tx())
    burn = operation_text("bob", json.loads(payload("1000", "burn", "Z")), "bob").replace("bob:546", "bob:1000")
    alone = "in[bob] out[OP_RETURN " + payload("1", "mint", "Z") + "]"
    mint, no_output, burned, bare = chain.block(
        mint_text("Z", "1", "carol"), alone, burn, alone.replace("mint", "burn")
    )
    assert (mint["code"], mint["divergence"]) == ("TICKER_NOT_SUPPORTED_NOW", None)
    assert (mint["from_address"], mint["to_address"]) == (address("minter", MAINNET), address("carol", MAINNET))
    assert no_output["code"] == "TICKER_NOT_SUPPORTED_NOW"
    assert (burned["code"], burned["divergence"]) == ("TICKER_NOT_SUPPORTED_NOW", "D-14")
    assert (burned["from_address"], burned["to_address"]) == (address("bob", MAINNET), address("bob", MAINNET))
    assert bare["code"] == "NO_STANDARD_OUTPUT"
    assert chain.balance("W", "bob") == "1000.00000000"
    chain.audit()


def test_w_deployed_otherwise_is_minted_like_any_token() -> None:
    """R-WRAP-TICK-3, R-WRAP-TICK-4: an ordinary mint; burns run all the same, once, and make room for new mints."""
    chain = SteppedChain()
    assert chain.one(mint_text("W", "1", "bob"))["code"] == "TICKER_NOT_DEPLOYED"
    assert short(chain.one(burn_tx("0", 0))) == ("0", "TICKER_NOT_DEPLOYED", None)
    assert short(chain.one(burn_tx("1", 1, salt=1))) == ("1", "INSUFFICIENT_WRAP_BALANCE", None)
    chain.block(deploy_text("W", "1000", "1000"))
    record = chain.one(mint_text("W", "1000", "bob"))
    assert (record["valid"], record["from_address"]) == (True, address("minter", MAINNET))
    record = chain.one(burn_tx("400", 400))
    assert (*short(record), record["from_address"], record["to_address"]) == (
        "400",
        None,
        None,
        address("bob", MAINNET),
        None,
    )
    assert chain.one(mint_text("W", "401", "bob"))["code"] == "EXCEEDS_MAX_SUPPLY"
    assert chain.one(mint_text("W", "400", "bob"))["valid"]
    chain.audit()


@pytest.mark.parametrize(
    ("amt", "sats", "recorded", "code"),
    [
        ("400", 400, "400", None),
        ("400.0", 400, "400", None),
        ("4e2", 400, "400", None),
        (" 400 ", 400, "400", None),
        ("4_00", 400, "400", None),
        (400, 400, "400", None),
        ("400", 399, "400", "INVALID_WRAP_STRUCTURE"),
        ("400.5", 400, "400.5", "INVALID_WRAP_STRUCTURE"),
        ("x", 400, None, "INVALID_WRAP_STRUCTURE"),
        ("NaN", 400, None, "INVALID_WRAP_STRUCTURE"),
        ("sNaN", 400, None, "INVALID_WRAP_STRUCTURE"),
        ("Infinity", 400, None, "INVALID_WRAP_STRUCTURE"),
        (None, 400, None, "INVALID_WRAP_STRUCTURE"),
        (0, 0, "0", "INVALID_WRAP_STRUCTURE"),
        ("1001", 1001, "1001", "INSUFFICIENT_WRAP_BALANCE"),
    ],
)
def test_a_burn(amt: Any, sats: int, recorded: str | None, code: str | None) -> None:
    """R-WRAP-BURN-1, R-WRAP-BURN-2, D-9: once; the amount by R-SWAP-NUM-1."""
    chain = deployed()
    chain.block(mint_tx())
    record = chain.one(burn_tx(amt, sats))
    assert short(record)[:2] == (recorded, code)
    assert ("D-9" in (record["divergence"] or "")) == record["valid"]
    assert chain.balance("W", "bob") == ("600.00000000" if record["valid"] else "1000.00000000")
    supply = chain.engine.ledger.supply("W")
    assert (supply.minted, supply.burned) == (10**11, 4 * 10**10 if record["valid"] else 0)
    chain.audit()


def test_the_shape_of_a_burn() -> None:
    """R-WRAP-BURN-1: output 0 is an OP_RETURN output, not necessarily the payload's; output 1 pays the sender."""
    chain = deployed()
    chain.block(mint_tx())
    burn = payload("400", "burn")
    wrong = [
        f"in[bob] out[OP_RETURN {burn}]",
        f"in[bob] out[bob:400 | OP_RETURN {burn}]",
        f"in[bob] out[bob:400 | bob:400 | OP_RETURN {burn}]",
        f"in[bob] out[OP_RETURN {burn} | p2pk_bob:400]",
        f"in[bob] out[OP_RETURN {burn} | carol:400]",
        f"in[p2pk_bob] out[OP_RETURN {burn} | bob:400]",
        f"in[carol, bob] out[OP_RETURN {burn} | bob:400]",
    ]
    for text in wrong:
        assert short(chain.one(text)) == ("400", "INVALID_WRAP_STRUCTURE", None)
    assert chain.one(f"in[bob] out[OP_RETURN foreign | bob:400 | OP_RETURN {burn}]")["valid"]
    record = chain.one(f"in[bob] out[OP_RETURN {payload('0', 'burn')} | bob:0]")
    assert (*short(record), chain.events) == ("0", None, None, [])
    chain.audit()


def test_a_burn_closes_the_oldest_vault_that_its_last_input_may_have_spent() -> None:
    """R-WRAP-BURN-3: of the address and the amount; none found, the burn stands."""
    chain = deployed()
    chain.block(mint_tx("1000"), mint_tx("500", 500, salt=1))
    chain.block(mint_tx("500", 500, salt=2), mint_tx("500", 500, salt=3))
    chain.block(
        burn_tx("500", 500, salt=0),
        burn_tx("500", 500, spends=spend("bob"), salt=1),
        burn_tx("400", 400, spends=lock_input(), salt=2),
    )
    assert {vault.status for vault in chain.vaults()} == {"active"}
    (record,) = chain.block(burn_tx("500", 500, spends=lock_input(), salt=3))
    assert [(v.amount, v.status, v.closed_height, v.closing_txid) for v in chain.vaults()] == [
        (1000, "active", None, None),
        (500, "closed", chain.height, record["txid"]),
        (500, "active", None, None),
        (500, "active", None, None),
    ]
    assert chain.balance("W", "bob") == "600.00000000"
    chain.block(burn_tx("500", 500, spends=lock_input(), salt=4))
    assert [vault.status for vault in chain.vaults()] == ["active", "closed", "closed", "active"]
    middle = make_tx([spend("bob"), lock_input(), spend("bob")], [op_return(payload("100", "burn")), pay("bob", 100)])
    assert chain.one(middle)["valid"]
    chain.audit()


def test_w_moves_like_any_token() -> None:
    """R-WRAP-TICK-5."""
    chain = deployed()
    chain.block(mint_tx())
    text = operation_text("bob", {"p": "brc-20", "op": "transfer", "tick": "w", "amt": "0.5"}, "carol")
    assert chain.one(text)["valid"]
    assert (chain.balance("W", "bob"), chain.balance("W", "carol")) == ("999.50000000", "0.50000000")
    chain.audit()


@pytest.mark.parametrize("vector", vectors("WTX"), ids=[vector["id"] for vector in vectors("WTX")])
def test_real_mints_are_refused(vector: Mapping[str, Any]) -> None:
    """Wrap rules 6 (D-33): what the transactions show, in a block where W is deployed."""
    raw = parse_transaction(bytes.fromhex(vector["input"]["raw_tx"]), b"")
    inputs = [spend("init", spent.witness) for spent in raw.inputs]
    record = deployed().one(make_tx(inputs, [TxOut(output.value, output.script) for output in raw.outputs]))
    expected = vector["expected"]
    assert (record["code"], record["divergence"]) == (expected["error_code"], None)
    assert (record["to_address"], record["amount"]) == (expected["receiver_address"], Decimal(expected["lock_sats"]))
