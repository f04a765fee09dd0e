"""Vault scripts, addresses and reveal envelopes of the plain path, by the published vectors."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest

from engine.plain.taproot import branch_hash, leaf_hash, lift_x, output_key, tagged_hash
from engine.plain.transactions import parse_transaction
from engine.plain.vault_scripts import INTERNAL_KEY, Reveal, UnusableVault, VaultScripts, parse_reveal
from ingest.addresses import address_of
from ingest.networks import MAINNET
from tests.helpers.scenarios import vectors

USER = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


def each(group: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors(group), ids=[vector["id"] for vector in vectors(group)])


@each("VAULT")
def test_scripts_hashes_and_address_of_a_vault(vector: Mapping[str, Any]) -> None:
    """R-WRAP-TREE-1, R-WRAP-TREE-2, byte for byte."""
    given, expected = vector["input"], vector["expected"]
    key, delay = bytes.fromhex(given["user_key_xonly"]), int(given["csv_blocks"])
    if expected["ok"] != "true":
        with pytest.raises(UnusableVault):
            VaultScripts(key, delay)
        return
    vault = VaultScripts(key, delay)
    leaves = {"multisig": vault.multisig, "csv": vault.liquidation, "recovery": vault.recovery}
    hashes = {name: leaf_hash(0xC0, script) for name, script in leaves.items()}
    assert {name: script.hex() for name, script in leaves.items()} == {
        name: expected[f"{name}_script"] for name in leaves
    }
    assert {name: value.hex() for name, value in hashes.items()} == {name: expected[f"leaf_{name}"] for name in leaves}
    assert branch_hash(hashes["multisig"], hashes["recovery"]).hex() == expected["branch_multisig_recovery"]
    assert vault.root.hex() == expected["merkle_root"]
    assert vault.script.hex() == "5120" + expected["output_key"]
    assert address_of(vault.script, MAINNET) == expected["address"]
    assert parse_reveal(bytes.fromhex(expected["reveal_script"])) == Reveal(key, delay)


@each("WREVEAL")
def test_reveal_scripts(vector: Mapping[str, Any]) -> None:
    """R-WRAP-ENV-1."""
    expected = vector["expected"]
    reveal = parse_reveal(bytes.fromhex(vector["input"]["script_hex"]))
    if expected["accepted"] == "true":
        assert reveal == Reveal(bytes.fromhex(expected["user_key"]), int(expected["csv_blocks"]))
    else:
        assert reveal is None


@pytest.mark.parametrize(
    ("number", "delay"),
    [
        ("00", 0),
        ("0100", 0),
        ("0180", 0),
        ("0181", -1),
        ("020080", 0),
        ("03ffff7f", 2**23 - 1),
        ("03ffffff", -(2**23 - 1)),
        ("4c00", 0),
        ("4c0110", 16),
        ("4b90" + "00" * 74, 144),
        ("4cff90" + "00" * 254, 144),
        ("4c", None),
        ("4c0290", None),
        ("0290", None),
        ("4d010090", None),
        ("4f", None),
        ("51", None),
        ("", None),
    ],
)
def test_the_delay_is_any_script_number_in_an_understood_push(number: str, delay: int | None) -> None:
    """R-WRAP-ENV-1: any length, minimal or not, sign honoured; OP_PUSHDATA2, OP_1NEGATE, OP_1 are not understood."""
    script = bytes.fromhex(f"20{USER}ac006307575f50524f4f46{number}68")
    assert parse_reveal(script) == (None if delay is None else Reveal(bytes.fromhex(USER), delay))


def test_a_key_off_the_curve_has_no_vault() -> None:
    """R-WRAP-MINT-7: x = 5 is the smallest that no point has, the field's prime is too large for one."""
    prime = 2**256 - 2**32 - 977
    for number in (0, 5, prime, prime + 1, 2**256 - 1):
        assert lift_x(number.to_bytes(32)) is None
        with pytest.raises(UnusableVault):
            VaultScripts(number.to_bytes(32), 144)
    assert lift_x((1).to_bytes(32)) is not None


def test_the_internal_key_must_be_on_the_curve() -> None:
    assert len(output_key(INTERNAL_KEY, bytes(32))) == 32
    with pytest.raises(ValueError, match="internal key"):
        output_key((5).to_bytes(32), bytes(32))


def test_tagged_hashes_begin_with_the_hash_of_their_tag_twice() -> None:
    """BIP 340, said with the library's own hash function."""
    tag = sha256(b"TapLeaf").digest()
    assert tagged_hash("TapLeaf", b"data") == sha256(tag + tag + b"data").digest()
    assert leaf_hash(0xC0, b"\x51") == tagged_hash("TapLeaf", b"\xc0\x01\x51")


@each("WTX")
def test_real_mints_read_as_the_rules_say(vector: Mapping[str, Any]) -> None:
    """Wrap rules 6: the first reveals an older envelope; the second parses, but its lock output is another one."""
    transaction = parse_transaction(bytes.fromhex(vector["input"]["raw_tx"]), b"")
    reveal = parse_reveal(transaction.inputs[0].witness[1])
    if vector["id"] == "WTX-001":
        assert reveal is None
    else:
        assert reveal is not None
        assert reveal.delay == 256
        assert VaultScripts(reveal.user_key, reveal.delay).script != transaction.outputs[2].script
    assert json.loads(vector["expected"]["payload"])["tick"] == "W"
