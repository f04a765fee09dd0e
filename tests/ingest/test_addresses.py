"""Addresses as the node prints them (R-CORE-ADDR-1)."""

import json
from typing import Any

import base58
import bech32
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.addresses import BadAddress, address_of, address_to_script, addresses_of
from ingest.networks import MAINNET, NETWORKS, REGTEST, SIGNET, TESTNET4, Network
from tests.helpers import recorded_chain
from tests.helpers.recorded_chain import DATA

P2PKH = bytes.fromhex("76a914") + bytes(20) + bytes.fromhex("88ac")
P2SH = bytes.fromhex("a914") + bytes(20) + b"\x87"
ANCHOR = bytes.fromhex("51024e73")

networks = st.sampled_from(list(NETWORKS.values()))
hashes = st.binary(min_size=20, max_size=20) | st.integers(0, 19).map(
    lambda zeros: bytes(zeros) + b"\xff" * (20 - zeros)
)
witness_scripts = st.builds(
    lambda version, program: bytes([version, len(program)]) + program,
    st.sampled_from([0, *range(0x50, 0x62)]),
    st.binary(max_size=42) | st.binary(min_size=20, max_size=20) | st.binary(min_size=32, max_size=32),
)
scripts = (
    st.binary(max_size=80)
    | witness_scripts
    | hashes.map(lambda h: P2PKH[:3] + h + P2PKH[23:])
    | hashes.map(lambda h: P2SH[:2] + h + P2SH[22:])
)


def column(*values: bytes | None, network: Network = MAINNET) -> list[str | None]:
    found: list[str | None] = addresses_of(pa.array(values, pa.binary()), network).to_pylist()
    return found


def vectors() -> list[Any]:
    every = json.loads((DATA / "vectors.json").read_text())["vectors"]
    return [pytest.param(vector, id=vector["id"]) for vector in every if vector["group"] == "ADDR"]


@pytest.mark.parametrize("vector", vectors())
def test_vectors_get_the_normative_address(vector: dict[str, Any]) -> None:
    """R-CORE-ADDR-1."""
    script = bytes.fromhex(vector["input"]["script_hex"])
    expected = vector["expected"]["normative_address"]
    expected = None if expected == "none" else expected
    assert address_of(script, MAINNET) == expected
    assert column(script) == [expected]
    if expected is not None:
        assert address_to_script(expected, MAINNET) == script


def test_every_recorded_output_has_the_address_that_the_node_printed() -> None:
    """R-CORE-ADDR-1, over all outputs and spent outputs of the recorded chain."""
    printed: dict[bytes, str | None] = {}
    for block in recorded_chain.descriptions():
        for tx in block["tx"]:
            for output in [*tx["vout"], *(txin["prevout"] for txin in tx["vin"] if "prevout" in txin)]:
                script = output["scriptPubKey"]
                printed[bytes.fromhex(script["hex"])] = script.get("address")
    assert column(*printed, network=REGTEST) == list(printed.values())
    assert [address_of(script, REGTEST) for script in printed] == list(printed.values())
    addressed = {script: address for script, address in printed.items() if address is not None}
    assert {address_to_script(address, REGTEST) for address in addressed.values()} == set(addressed)
    assert len(addressed) > 20
    assert len(printed) > len(addressed)


@pytest.mark.parametrize(
    ("script", "address"),
    [
        pytest.param("00141111", None, id="overrun"),
        pytest.param("0015" + "11" * 21, None, id="version-0-of-21-bytes"),
        pytest.param("000211 11".replace(" ", ""), None, id="version-0-of-2-bytes"),
        pytest.param("6a0b68656c6c6f20776f726c64", None, id="op-return"),
        pytest.param("21" + "02" * 33 + "ac", None, id="bare-key"),
        pytest.param("5101ff", None, id="program-of-1-byte"),
        pytest.param("5129" + "11" * 41, None, id="program-of-41-bytes"),
        pytest.param("4f0211 11".replace(" ", ""), None, id="version-below-0"),
        pytest.param("5014" + "11" * 20, None, id="reserved-opcode"),
        pytest.param("61021111", None, id="version-17"),
        pytest.param("", None, id="empty"),
        pytest.param("51024e73", "bc1pfeessrawgf", id="anchor"),
        pytest.param("6002751e", "bc1sw50qgdz25j", id="version-16"),
        pytest.param("5210751e76e8199196d454941c45d1b3a323", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", id="version-2"),
    ],
)
def test_only_admitted_forms_have_an_address(script: str, address: str | None) -> None:
    """R-CORE-ADDR-1. The last two are examples of BIP 350."""
    assert address_of(bytes.fromhex(script), MAINNET) == address
    assert column(bytes.fromhex(script)) == [address]


def test_each_network_writes_its_own_form() -> None:
    """D-82: prefix and versions are constants of the network."""
    assert {address_of(ANCHOR, network) for network in (TESTNET4, SIGNET)} == {"tb1pfees9rn5nz"}
    assert address_of(ANCHOR, REGTEST) == "bcrt1pfeesnyr2tx"
    assert address_of(P2PKH, MAINNET) == "1111111111111111111114oLvT2"
    assert address_of(P2SH, REGTEST) == base58.b58encode_check(b"\xc4" + bytes(20)).decode()


@settings(deadline=None)
@given(st.lists(st.none() | scripts, max_size=20), networks, st.integers(0, 3))
@example([None, P2PKH, P2SH, ANCHOR], MAINNET, 0)
def test_columns_and_single_scripts_agree(values: list[bytes | None], network: Network, skipped: int) -> None:
    """R-CORE-ADDR-1: compiled against library; also for slices, nulls and either width of offsets."""
    expected = [None if script is None else address_of(script, network) for script in values][skipped:]
    for kind in (pa.binary(), pa.large_binary()):
        written = addresses_of(pa.array(values, kind)[skipped:], network)
        assert written.type == pa.string()
        assert written.to_pylist() == expected


@settings(deadline=None)
@given(scripts, networks)
def test_an_address_leads_back_to_its_script(script: bytes, network: Network) -> None:
    address = address_of(script, network)
    if address is not None:
        assert address_to_script(address, network) == script
        if address.startswith(f"{network.bech32_prefix}1"):
            assert address_to_script(address.upper(), network) == script


@settings(deadline=None)
@given(scripts, networks, st.data())
def test_a_changed_character_is_noticed(script: bytes, network: Network, data: st.DataObject) -> None:
    address = address_of(script, network)
    if address is None:
        return
    at = data.draw(st.integers(0, len(address) - 1))
    other = data.draw(
        st.characters(min_codepoint=33, max_codepoint=300).filter(lambda c: c.lower() != address[at].lower())
    )
    with pytest.raises(BadAddress):
        address_to_script(address[:at] + other + address[at + 1 :], network)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "base 58", id="empty"),
        pytest.param("bcrt1pfeesnyr2tx", "another network", id="witness-of-regtest"),
        pytest.param("mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8", "another network", id="hash-of-regtest"),
        pytest.param("bc1pfeessrawgF", "mixes", id="mixed-case"),
        pytest.param("bc1pfeessrawgg", "checksum", id="checksum"),
        pytest.param("bc1qfeessrawgf", "checksum", id="version-0-with-the-other-checksum"),
        pytest.param("bc1" + "q" * 100, "too long", id="long"),
        pytest.param("bc1p", "too short", id="short"),
        pytest.param(base58.b58encode_check(bytes(22)).decode(), "as long", id="hash-of-21-bytes"),
        pytest.param("BC1SW50QGDZ25J ", "holds characters", id="trailing-blank"),
        pytest.param("ｂｃ１", "holds characters", id="wide-letters"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadAddress, match=reason):
        address_to_script(text, MAINNET)


@pytest.mark.parametrize(("version", "size"), [(1, 1), (1, 41), (17, 32), (0, 21)])
def test_a_witness_program_that_does_not_exist_is_refused(version: int, size: int) -> None:
    """Its checksum is right."""
    data = [version, *(bech32.convertbits(bytes(size), 8, 5) or ())]
    constant = 0x2BC830A3 if version else 1
    checksum = bech32.bech32_polymod([*bech32.bech32_hrp_expand("bc"), *data, *[0] * 6]) ^ constant
    digits = data + [(checksum >> 5 * (5 - i)) & 31 for i in range(6)]
    with pytest.raises(BadAddress, match="version or length"):
        address_to_script("bc1" + "".join(bech32.CHARSET[digit] for digit in digits), MAINNET)
