"""The validator: what wallets ask before they lock bitcoin for W, answered from a transaction's bytes alone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.validation import address_verdict, mint_verdict
from engine.judge import Engine
from ingest.networks import MAINNET, NETWORKS, REGTEST, Network
from tests.helpers.api import running
from tests.helpers.builders import candidates, digest, headers, make_tx, op_return, operation, pay, spend
from tests.helpers.chain import Tx, TxOut, push
from tests.helpers.examples import W_MINT
from tests.helpers.recorded_chain import raw_transaction
from tests.helpers.scenarios import vectors
from tests.helpers.vaults import (
    INTERNAL,
    OPERATOR,
    Vault,
    leaf_hash,
    mint_w,
    operation_w,
    reveal_script,
    reveal_witness,
)

MINT = "/v1/validator/validate-wrap-mint"
ADDRESS = "/v1/validator/validate-address-from-witness"
ALICE = Vault("alice", 144)
CLAIMS_TOO_LITTLE = "ea404b4c1c3464e14336048b51f544646c56e371cf233be9e72ec8e5b6744a16"
"""In the recorded chain: claims 9999 W for 10000 satoshis."""


def post(client: httpx.Client, path: str, raw: str) -> dict[str, Any]:
    response = client.post(path, json={"raw_tx_hex": raw})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def mint(**changes: Any) -> Tx:
    """A mint of 1000 W from alice's vault to bob; `outputs` or single ones, `witness`, `inputs` may be others."""
    witness = changes.get("witness", ALICE.witness)
    outputs = [
        changes.get("claim", operation_w("mint", "1000")),
        changes.get("receiver", pay("bob")),
        changes.get("lock", TxOut(1000, ALICE.script)),
        *changes.get("more", []),
    ]
    return make_tx(changes.get("inputs", [spend("commit", witness)]), changes.get("outputs", outputs))


def test_a_mint_of_the_recorded_chain_is_valid(client: httpx.Client) -> None:
    """Contract: on success what is expected stays null, what was found is filled."""
    assert post(client, MINT, raw_transaction(W_MINT)) == {
        "is_valid": True,
        "reason": "VALID",
        "details": {
            "expected_address": None,
            "found_address": "bcrt1p4mquy8ljmrwh7dphd8ag65338zjxarjvjm7rlnpx7ukllcn2zdrqdfpm7q",
            "expected_amount_sats": None,
            "found_amount_sats": 10000,
        },
    }


def test_the_vault_of_a_mint_of_the_recorded_chain(client: httpx.Client) -> None:
    raw = raw_transaction(W_MINT)
    reveal = bytes.fromhex(raw[raw.index("3020") + 2 :][: 2 * 48])
    key, delay = reveal[1:33], int.from_bytes(reveal[-3:-1], "little")
    vault = Vault(f"hex_{key.hex()}", delay)
    assert vault.reveal == reveal
    multisig, liquidation, recovery = vault.scripts
    assert post(client, ADDRESS, raw) == {
        "is_valid": True,
        "reason": "VALID",
        "expected_address": vault.address(REGTEST),
        "found_address": vault.address(REGTEST),
        "crypto_details": {
            "alice_pubkey_xonly": key.hex(),
            "platform_pubkey_xonly": OPERATOR.hex(),
            "internal_key_xonly": INTERNAL.hex(),
            "multisig_script": multisig.hex(),
            "csv_script": liquidation.hex(),
            "recovery_script": recovery.hex(),
            "multisig_leaf_hash": leaf_hash(multisig).hex(),
            "csv_leaf_hash": leaf_hash(liquidation).hex(),
            "recovery_leaf_hash": leaf_hash(recovery).hex(),
            "merkle_root": vault.merkle_root.hex(),
            "output_key": vault.output_key.hex(),
            "csv_blocks": delay,
            "parity": vault.parity,
        },
    }


@pytest.mark.parametrize("vector", vectors("VAULT"), ids=lambda vector: vector["id"])
def test_the_vaults_of_the_vectors(vector: dict[str, Any]) -> None:
    """R-WRAP-TREE-1, R-WRAP-TREE-2; addresses of the vectors are those of mainnet."""
    given, expected = vector["input"], vector["expected"]
    key = bytes.fromhex(given["user_key_xonly"])
    if expected["ok"] == "true":
        script, lock = bytes.fromhex(expected["reveal_script"]), b"\x51\x20" + bytes.fromhex(expected["output_key"])
    else:
        script, lock = reveal_script(key, push(int(given["csv_blocks"]).to_bytes(3, "little"))), ALICE.script
    tx = mint(witness=reveal_witness(script), lock=TxOut(1000, lock))
    verdict = address_verdict(tx.raw.hex(), MAINNET)
    assert verdict["is_valid"] is (expected["ok"] == "true")
    assert verdict["expected_address"] == verdict["found_address"] == expected.get("address")
    details = verdict["crypto_details"]
    if details is None:
        assert f"the delay of {given['csv_blocks']} blocks" in verdict["reason"]
        return
    names = {
        "multisig_script": "multisig_script",
        "csv_script": "csv_script",
        "recovery_script": "recovery_script",
        "multisig_leaf_hash": "leaf_multisig",
        "csv_leaf_hash": "leaf_csv",
        "recovery_leaf_hash": "leaf_recovery",
        "merkle_root": "merkle_root",
        "output_key": "output_key",
    }
    shown = {name: value for name, value in details.items() if name in names}
    assert shown == {name: expected[field] for name, field in names.items()}
    assert str(details["parity"]) == expected["output_key_parity"]


def test_real_mints_of_mainnet_are_refused() -> None:
    """WTX-001, WTX-002, D-33."""
    older, elsewhere = (vector["input"]["raw_tx"] for vector in vectors("WTX"))
    verdict = mint_verdict(older, MAINNET)
    assert (verdict["is_valid"], verdict["details"]) == (False, None)
    assert "envelope" in verdict["reason"]
    assert address_verdict(older, MAINNET)["crypto_details"] is None
    expected = vectors("WTX")[1]["expected"]
    addresses = {"expected_address": expected["expected_address"], "found_address": expected["lock_address_found"]}
    verdict = mint_verdict(elsewhere, MAINNET)
    assert verdict["details"] == addresses | {"expected_amount_sats": None, "found_amount_sats": None}
    shown: Mapping[str, Any] = address_verdict(elsewhere, MAINNET)
    assert {name: shown[name] for name in addresses} == addresses
    assert not shown["is_valid"]
    for reason in (verdict["reason"], shown["reason"]):
        assert all(address in reason for address in addresses.values())
    details = shown["crypto_details"]
    assert details is not None
    assert (details["alice_pubkey_xonly"], details["csv_blocks"]) == (expected["user_key"], 256)


def test_amounts_that_differ_are_shown_as_numbers(client: httpx.Client) -> None:
    """Contract, defect 21: the predecessor ends in a 500 here."""
    body = post(client, MINT, raw_transaction(CLAIMS_TOO_LITTLE))
    assert not body["is_valid"]
    assert (body["details"]["expected_amount_sats"], body["details"]["found_amount_sats"]) == (9999, 10000)
    assert post(client, ADDRESS, raw_transaction(CLAIMS_TOO_LITTLE))["is_valid"], "the amount is not its question"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("1001", 1001),
        ("0", 0),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("9" * 1500, None),
        ("1000.0", None),
        ("-1000", None),
        ("１０００", None),
        ("²", None),
        (1000, None),
        (None, None),
        ([1], None),
    ],
)
def test_amounts_that_are_not_the_locks(client: httpx.Client, amount: object, shown: int | None) -> None:
    """R-WRAP-MINT-11, D-10."""
    claim = op_return(json.dumps({"p": "brc-20", "op": "mint", "tick": "W", "amt": amount}))
    body = post(client, MINT, mint(claim=claim).raw.hex())
    assert not body["is_valid"]
    assert body["details"] == {
        "expected_address": None,
        "found_address": ALICE.address(REGTEST),
        "expected_amount_sats": shown,
        "found_amount_sats": 1000,
    }


USABLE_BY_NOBODY = bytes(31) + b"\x05"
REFUSALS: list[tuple[str, Tx]] = [
    ("2 inputs and 3 outputs", mint(inputs=[spend("commit", ALICE.witness), spend("bob")])),
    ("1 inputs and 2 outputs", mint(outputs=[operation_w("mint", "1000"), pay("bob")])),
    ("the witness has 2 items", mint(witness=(b"\x30" * 64, b"\x02" * 33))),
    ("the witness has 4 items", mint(witness=(*ALICE.witness, b"\x50"))),
    ("the witness has 0 items", mint(witness=())),
    ("internal key", mint(witness=(b"", ALICE.reveal, b"\xc0" + INTERNAL[:-1]))),
    ("internal key", mint(witness=(b"", ALICE.reveal, b"\xc0" + digest("other")))),
    ("envelope", mint(witness=reveal_witness(ALICE.reveal + b"\x51"))),
    ("between 1 and 65534", mint(witness=reveal_witness(reveal_script(ALICE.key, b"\x00")))),
    ("point of the curve", mint(witness=reveal_witness(reveal_script(USABLE_BY_NOBODY, b"\x01\x10")))),
    ("not a Taproot output", mint(lock=pay("bob", 1000))),
]


@pytest.mark.parametrize(("reason", "tx"), REFUSALS, ids=[f"{n} {each[0]}" for n, each in enumerate(REFUSALS)])
def test_what_reveals_no_vault(client: httpx.Client, reason: str, tx: Tx) -> None:
    """R-WRAP-MINT-3 to R-WRAP-MINT-8: 200, with the reason in words and nothing to compare."""
    body = post(client, MINT, tx.raw.hex())
    assert (body["is_valid"], body["details"]) == (False, None)
    assert reason in body["reason"]
    body = post(client, ADDRESS, tx.raw.hex())
    assert (body["is_valid"], body["crypto_details"]) == (False, None)
    assert (body["expected_address"], body["found_address"]) == (None, None)
    assert reason in body["reason"]


def test_a_lock_elsewhere_shows_both_addresses(client: httpx.Client) -> None:
    """R-WRAP-MINT-10; contract, defect 21: the address check keeps nothing back."""
    other = Vault("alice", 145)
    tx = mint(lock=TxOut(1000, other.script))
    expected, found = ALICE.address(REGTEST), other.address(REGTEST)
    body = post(client, MINT, tx.raw.hex())
    assert (body["details"]["expected_address"], body["details"]["found_address"]) == (expected, found)
    body = post(client, ADDRESS, tx.raw.hex())
    assert (body["is_valid"], body["expected_address"], body["found_address"]) == (False, expected, found)
    assert body["crypto_details"]["csv_blocks"] == 144


NO_CLAIMS: list[tuple[str, Tx]] = [
    ("output 0 is not the one output", mint(claim=op_return("hello"))),
    ("output 0 is not the one output", mint(claim=op_return('{"amt":"1000"}'), more=[operation_w("mint", "1000")])),
    ("output 0 is not the one output", mint(more=[operation_w("mint", "1000")])),
    ("output 0 is not the one output", mint(more=[TxOut(0, b"\x6a\x5d")])),
    ("output 0 is not the one output", mint(claim=TxOut(0, operation_w("mint", "1000").script + b"\x61"))),
    ("output 0 does not carry a mint of W", mint(claim=operation_w("burn", "1000"))),
    ("output 0 does not carry a mint of W", mint(claim=operation_w("mint", "1000", "WW"))),
    ("output 0 does not carry a mint of W", mint(claim=operation_w("mint", "0" * 2000 + "1000"))),
    ("output 0 does not carry a mint of W", mint(claim=op_return('{"p":"brc-20","op":"mint","tick":"W"'))),
    ("output 1, which is to receive W, has no address", mint(receiver=pay("bare_bob"))),
    ("output 1, which is to receive W, has no address", mint(receiver=op_return("hello"))),
]


@pytest.mark.parametrize(("reason", "tx"), NO_CLAIMS, ids=[f"{n} {each[0]}" for n, each in enumerate(NO_CLAIMS)])
def test_what_locks_but_does_not_mint(client: httpx.Client, reason: str, tx: Tx) -> None:
    """D-10, R-WRAP-MINT-14."""
    body = post(client, MINT, tx.raw.hex())
    assert not body["is_valid"]
    assert reason in body["reason"]
    assert post(client, ADDRESS, tx.raw.hex())["is_valid"]


@pytest.mark.parametrize(
    "tx",
    [
        mint(),
        mint_w(ALICE, 0, "bob"),
        mint(claim=operation_w("mint", "001000", "w")),
        mint(claim=TxOut(0, b"\x6a\x4c\x32" + operation_w("mint", "1000").script[2:])),
        mint(receiver=TxOut(0, Vault("bob").script), more=[op_return("hello"), pay("change")]),
        *(tx for _, tx in REFUSALS + NO_CLAIMS),
    ],
)
def test_the_validator_says_what_the_indexer_will_say(tx: Tx) -> None:
    """The same transaction in a block after the deploy of W."""
    deploy = operation('{"p":"brc-20","op":"deploy","tick":"W","m":"0","l":"0"}')
    blocks = {0: [deploy], 1: [tx]}
    judged = Engine(REGTEST).judge(headers(blocks), candidates(blocks))
    records = [row for row in judged.operations.to_pylist() if row["height"] == 1]
    minted = [row["valid"] and (row["operation"], row["ticker"]) == ("mint", "W") for row in records]
    assert mint_verdict(tx.raw.hex(), REGTEST)["is_valid"] is (minted == [True])


RAW = mint().raw.hex()
MALFORMED: list[tuple[str, str]] = [
    ("", "0 characters"),
    ("00" * 49, "98 characters"),
    ("zz" * 50, "hex digits"),
    ("０" * 100, "hex digits"),
    (RAW[:-1], "hex digits"),
    (f" {RAW} ", "hex digits"),
    (RAW[:40] + "\n" + RAW[41:], "hex digits"),
    (RAW[:-2], "ends 1 bytes early"),
    (RAW + "00", "1 bytes too many"),
    ("00" * 50, "bytes"),
    ("ff" * 50, "early"),
    ("02000000" + "fe" + "ffffffff" + "00" * 60, "early"),
    (mint().stripped.hex(), "the witness has 0 items"),
]


@pytest.mark.parametrize(("raw", "reason"), MALFORMED, ids=[f"{n} {each[1]}" for n, each in enumerate(MALFORMED)])
def test_what_is_no_transaction(client: httpx.Client, raw: str, reason: str) -> None:
    """Contract: 200 for input that cannot be read, too."""
    for path in (MINT, ADDRESS):
        body = post(client, path, raw)
        assert (body["is_valid"], reason in body["reason"]) == (False, True), body


@given(data=st.data())
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_no_bytes_are_too_strange(data: st.DataObject) -> None:
    """Cut, spoiled and foreign bytes are answered in words."""
    raw = bytearray(data.draw(st.sampled_from([mint().raw, bytes.fromhex(vectors("WTX")[0]["input"]["raw_tx"])])))
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    size = data.draw(st.one_of(st.just(len(raw)), st.integers(0, len(raw))))
    text = bytes(raw[:size]).hex()
    assert mint_verdict(text, REGTEST)["reason"]
    assert address_verdict(text, REGTEST)["reason"]


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_addresses_are_those_of_the_network(network: Network) -> None:
    verdict = address_verdict(RAW, network)
    assert verdict["expected_address"] == ALICE.address(network)


BODIES: list[tuple[str, str, str | None]] = [
    ("{}", "INVALID_PARAMETER", "raw_tx_hex"),
    ('{"raw_tx_hex": null}', "INVALID_PARAMETER", "raw_tx_hex"),
    ('{"raw_tx_hex": 5}', "INVALID_PARAMETER", "raw_tx_hex"),
    ('{"raw_tx_hex": ["00"]}', "INVALID_PARAMETER", "raw_tx_hex"),
    ("[]", "INVALID_PARAMETER", "body"),
    ("", "INVALID_PARAMETER", "body"),
    ("{", "INVALID_PARAMETER", "body"),
]


@pytest.mark.parametrize("path", [MINT, ADDRESS])
@pytest.mark.parametrize(("content", "code", "field"), BODIES, ids=[each[0] for each in BODIES])
def test_a_body_of_another_shape(client: httpx.Client, path: str, content: str, code: str, field: str | None) -> None:
    response = client.post(path, content=content, headers={"Content-Type": "application/json"})
    body = response.json()
    assert (response.status_code, body["code"], body["field"]) == (422, code, field), body
    assert set(body) == {"detail", "code", "field", "request_id"}


@pytest.mark.parametrize("path", [MINT, ADDRESS])
def test_other_members_are_ignored_and_other_methods_refused(client: httpx.Client, path: str) -> None:
    response = client.post(path, json={"raw_tx_hex": RAW, "more": 1})
    assert response.json()["is_valid"]
    response = client.get(path)
    assert (response.status_code, response.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "POST"


def test_an_answer_names_its_block_but_is_not_for_caches(client: httpx.Client) -> None:
    """An ETag is made of height and path, and here the question stands in the body."""
    response = client.post(MINT, json={"raw_tx_hex": RAW})
    assert response.headers["x-block-height"] == "147"
    assert "etag" not in response.headers
    again = client.post(MINT, json={"raw_tx_hex": ""}, headers={"If-None-Match": "*"})
    assert (again.status_code, again.json()["is_valid"]) == (200, False)


def oversized(bytes_sent: int) -> Iterator[bytes]:
    for _ in range(0, bytes_sent, 1 << 16):
        yield b" " * (1 << 16)


@pytest.mark.parametrize("path", [MINT, ADDRESS])
def test_a_body_larger_than_any_transaction_is_refused(client: httpx.Client, path: str) -> None:
    """Whether its length is announced or not."""
    for content in (b" " * 5_000_000, oversized(5_000_000)):
        response = client.post(path, content=content, headers={"Content-Type": "application/json"})
        assert (response.status_code, response.json()["code"]) == (413, "BODY_TOO_LARGE")


def test_the_largest_transactions_are_examined(client: httpx.Client) -> None:
    """Of 400,000 weight units no wallet sends more; this one is twice as large."""
    change: Sequence[TxOut] = [pay(f"change {n}") for n in range(1000)]
    witness = (b"\x30" * 700_000, *ALICE.witness[1:])
    tx = mint(witness=witness, more=change)
    assert post(client, MINT, tx.raw.hex())["is_valid"]


def test_health(client: httpx.Client) -> None:
    body = client.get("/v1/validator/health").json()
    assert body == {"status": "healthy", "service": "validator", "version": client.get("/").json()["version"]}


def test_without_a_published_block_no_network_is_known(tmp_path: Path) -> None:
    """Contract, defect 4: a health that is always healthy tells nothing."""
    with running(create_app(tmp_path)) as client:
        answers = [client.get("/v1/validator/health"), client.post(MINT, json={"raw_tx_hex": RAW})]
    for response in answers:
        assert (response.status_code, response.json()["code"]) == (503, "NOT_READY")


def test_a_salted_mint_is_still_the_same_mint() -> None:
    """Nothing but what the rules name matters: version and lock time do not."""
    assert mint_verdict(replace(mint(), version=1, locktime=7).raw.hex(), REGTEST)["is_valid"]
