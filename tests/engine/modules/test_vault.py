"""Vaults and the scripts that reveal them, against the vectors and against a second library (R-WRAP-TREE-*)."""

from typing import Any

import pytest
from btclib_secp256k1.hashes import tagged_sha256
from btclib_secp256k1.xonly import tweak_add
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.amounts import Integer, Real
from engine.modules.transaction import read_transaction
from engine.modules.vault import Refused, derive, is_worth, read_reveal, revealed_vault
from engine.verdicts import Code
from ingest.addresses import address_of
from ingest.networks import MAINNET, NETWORKS, Network
from tests.helpers import vaults
from tests.helpers.chain import push
from tests.helpers.scenarios import vectors

KEY = vaults.user_key("alice")
OFF_CURVE = bytes(31) + b"\x05"
"""5 is not the x coordinate of any point."""
FIELD_SIZE = ((1 << 256) - (1 << 32) - 977).to_bytes(32, "big")
"""As a number it is 0 in the field, but no coordinate is written like this."""


def ids(group: str) -> list[Any]:
    return [pytest.param(vector["input"], vector["expected"], id=vector["id"]) for vector in vectors(group)]


@pytest.mark.parametrize(("given", "expected"), ids("VAULT"))
def test_vaults_of_the_vectors(given: dict[str, str], expected: dict[str, str]) -> None:
    """R-WRAP-TREE-1, R-WRAP-TREE-2, R-WRAP-CONST-*."""
    key, delay = bytes.fromhex(given["user_key_xonly"]), int(given["csv_blocks"])
    if expected["ok"] == "false":
        with pytest.raises(Refused) as error:
            derive(key, delay)
        assert error.value.code == expected["error_code"]
        return
    vault = derive(key, delay)
    leaves = {"multisig": vault.multisig, "csv": vault.liquidation, "recovery": vault.recovery}
    for name, leaf in leaves.items():
        assert leaf.script.hex() == expected[f"{name}_script"]
        assert leaf.hash.hex() == expected[f"leaf_{name}"]
    assert vault.merkle_root.hex() == expected["merkle_root"]
    assert (vault.output_key.hex(), str(vault.parity)) == (expected["output_key"], expected["output_key_parity"])
    assert address_of(vault.script, MAINNET) == expected["address"]
    assert read_reveal(bytes.fromhex(expected["reveal_script"])) == (key, delay)


@pytest.mark.parametrize(("given", "expected"), ids("WREVEAL"))
def test_reveal_scripts_of_the_vectors(given: dict[str, str], expected: dict[str, str]) -> None:
    """R-WRAP-ENV-1."""
    reveal = read_reveal(bytes.fromhex(given["script_hex"]))
    if expected["accepted"] == "false":
        assert reveal is None
    else:
        assert reveal == (bytes.fromhex(expected["user_key"]), int(expected["csv_blocks"]))


@pytest.mark.parametrize(("given", "expected"), ids("WTX"))
def test_recorded_mints_of_mainnet_reveal_no_vault_that_they_lock_in(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    """D-33: an older envelope, and a lock elsewhere."""
    inputs, outputs = read_transaction(bytes.fromhex(given["raw_tx"]), b"")
    witnesses, scripts = [spent.witness for spent in inputs], [output.script for output in outputs]
    assert scripts[2].hex() == expected["lock_script"]
    if not expected["csv_blocks"]:
        with pytest.raises(Refused, match="envelope") as error:
            revealed_vault(witnesses, scripts)
        assert error.value.code == expected["error_code"]
        return
    vault = revealed_vault(witnesses, scripts)
    assert (vault.user_key.hex(), str(vault.delay)) == (expected["user_key"], expected["csv_blocks"])
    assert address_of(vault.script, MAINNET) == expected["expected_address"]
    assert vault.script != scripts[2]


@given(label=st.text(max_size=8), delay=st.integers(1, 65534))
@settings(deadline=None, max_examples=60)
def test_two_libraries_derive_one_vault(label: str, delay: int) -> None:
    """R-WRAP-TREE-1: libsecp256k1 against arithmetic in pure Python, and hashes computed twice."""
    other = vaults.Vault(label, delay)
    vault = derive(other.key, delay)
    assert (vault.multisig.script, vault.liquidation.script, vault.recovery.script) == other.scripts
    assert vault.merkle_root == other.merkle_root
    assert (vault.output_key, vault.parity) == (other.output_key, other.parity)
    assert vault.script == other.script


@given(key=st.binary(min_size=32, max_size=32))
@settings(deadline=None, max_examples=60)
def test_two_libraries_know_the_same_keys(key: bytes) -> None:
    """R-WRAP-MINT-7: a key is usable when a point of the curve has that x."""
    try:
        vaults.lift_x(key)
    except ValueError:
        with pytest.raises(Refused) as error:
            derive(key, 144)
        assert error.value.code is Code.UNKNOWN_PROCESSING_ERROR
    else:
        assert derive(key, 144).user_key == key


@pytest.mark.parametrize("key", [OFF_CURVE, bytes(32), b"\xff" * 32, FIELD_SIZE], ids=["5", "0", "2^256-1", "p"])
def test_a_key_without_a_point_has_no_vault(key: bytes) -> None:
    """R-WRAP-MINT-7."""
    with pytest.raises(Refused, match="curve") as error:
        derive(key, 144)
    assert error.value.code is Code.UNKNOWN_PROCESSING_ERROR


@pytest.mark.parametrize("delay", [0, -1, 65535, 1 << 31, -(1 << 2000)])
def test_a_delay_out_of_range_has_no_vault(delay: int) -> None:
    """R-WRAP-TREE-2."""
    with pytest.raises(Refused, match="between 1 and 65534") as error:
        derive(KEY, delay)
    assert error.value.code is Code.UNKNOWN_PROCESSING_ERROR


@given(value=st.one_of(st.integers(-(1 << 80), 1 << 80), st.sampled_from([0, 127, 128, -127, -128, 255, 256, 65534])))
def test_a_delay_is_read_as_a_script_number(value: int) -> None:
    """R-WRAP-ENV-1: little endian with a sign, as the shortest push of it says."""
    script = vaults.reveal_script(KEY, push(vaults.script_number(value)))
    assert read_reveal(script) == (KEY, value)


PUSHES = [
    ("00", 0),
    ("0190", -16),
    ("0180", 0),
    ("03900000", 144),
    ("03900080", -144),
    ("4c029000", 144),
    ("4c00", 0),
    ("4b90" + "00" * 74, 144),
    ("4c5090" + "00" * 79, 144),
    ("4cff90" + "00" * 254, 144),
    ("0110", 16),
    ("51", None),
    ("60", None),
    ("4f", None),
    ("4d02009000", None),
    ("4e020000009000", None),
    ("4c", None),
    ("4c0290", None),
    ("029000" + "00", None),
    ("", None),
]


@pytest.mark.parametrize(("delay", "value"), PUSHES, ids=[pair[0][:14] for pair in PUSHES])
def test_forms_of_the_delay(delay: str, value: int | None) -> None:
    """R-WRAP-ENV-1: direct pushes, OP_PUSHDATA1 and OP_0; neither number opcodes nor longer lengths."""
    reveal = read_reveal(vaults.reveal_script(KEY, bytes.fromhex(delay)))
    assert reveal == (None if value is None else (KEY, value))


def test_every_other_byte_of_the_form_is_fixed() -> None:
    """R-WRAP-ENV-1: whatever byte of key length, opcodes or marker changes, or goes, the script reveals nothing."""
    script = vaults.Vault("alice", 144).reveal
    assert read_reveal(script) == (KEY, 144)
    variable = {*range(1, 33), *range(45, 47)}
    for place in set(range(len(script))) - variable:
        changed = bytearray(script)
        changed[place] ^= 0x01
        assert read_reveal(bytes(changed)) is None, place
        assert read_reveal(script[:place]) is None, place
        assert read_reveal(script[:place] + script[place + 1 :]) is None, place
    assert read_reveal(script + b"\x00") is None
    assert read_reveal(b"\x4c" + script) is None


@given(script=st.binary(max_size=120))
def test_no_bytes_are_too_strange_to_be_read(script: bytes) -> None:
    """R-WRAP-ENV-1."""
    assert read_reveal(script) is None or script.endswith(b"\x68")


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_only_the_prefix_of_the_address_depends_on_the_network(network: Network) -> None:
    """R-WRAP-CONST-1, R-WRAP-CONST-2: the keys do not."""
    address = address_of(derive(KEY, 144).script, network)
    assert address is not None
    assert address.startswith(f"{network.bech32_prefix}1p")
    assert address == vaults.Vault("alice", 144).address(network)


def test_a_real_mint_spends_an_output_that_commits_to_what_it_reveals() -> None:
    """R-WRAP-MINT-18: consensus checks this, not the indexer; the helpers build transactions that would pass."""
    vault = vaults.Vault("alice", 144)
    (txin,) = vaults.mint_w(vault, 1000, "bob").inputs
    assert txin.spent is not None
    _, script, control = txin.witness
    output_key, parity = tweak_add(control[1:33], tagged_sha256(b"TapTweak", control[1:33] + vaults.leaf_hash(script)))
    assert txin.spent.script == b"\x51\x20" + output_key
    assert control[0] == 0xC0 | parity


SATOSHIS = [
    ("1000", 1000, True),
    ("01000", 1000, True),
    ("0" * 5000 + "1000", 1000, True),
    ("9" * 5000, 1000, False),
    ("1001", 1000, False),
    ("10000", 1000, False),
    ("0", 0, True),
    ("000", 0, True),
    ("", 0, False),
    ("", 1000, False),
    ("+1000", 1000, False),
    ("-0", 0, False),
    ("1000.0", 1000, False),
    ("1e3", 1000, False),
    (" 1000", 1000, False),
    ("1000\n", 1000, False),
    ("1_000", 1000, False),
    ("１０００", 1000, False),
    ("²", 2, False),
    (Integer("1000"), 1000, False),
    (Real("1000.0"), 1000, False),
    (None, 0, False),
    (False, 0, False),
    (["1000"], 1000, False),
]


@pytest.mark.parametrize(("amount", "satoshis", "worth"), SATOSHIS)
def test_the_amount_of_a_mint_is_text_of_digits(amount: object, satoshis: int, worth: bool) -> None:
    """R-WRAP-MINT-11, D-10."""
    assert is_worth(amount, satoshis) is worth
