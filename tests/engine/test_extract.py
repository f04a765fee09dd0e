"""The compiled walk over archived transactions."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.compiled import compiled
from engine.errors import MalformedCandidate
from engine.extract import JSON, MULTI, NOTHING, STONES, Extracted, extract
from engine.marketplace import INVALID_MARKETPLACE, MARKETPLACE, SIMPLE
from engine.script import contains, has_address, is_nulldata, is_utf8
from ingest.addresses import address_of
from ingest.networks import MAINNET, REGTEST, Network
from tests.helpers import builders
from tests.helpers.builders import SIG83, candidates, make_tx, op_return, pay, script_of, spend
from tests.helpers.chain import Tx, TxOut

TRANSFER = '{"p":"brc-20","op":"transfer","tick":"ABC","amt":"1"}'
MARKER = np.frombuffer(b'"p":"brc-20"', np.uint8)


@compiled
def ask(data: Any, marker: Any, results: Any) -> None:
    """Helpers have no door of their own for Python; this is one."""
    results[0] = contains(data, 0, data.size, marker)
    results[1] = is_utf8(data, 0, data.size)
    results[2] = is_nulldata(data, 0, data.size)
    results[3] = data.size > 0 and has_address(data, 0, data.size)


def answers(data: bytes) -> list[bool]:
    results = np.zeros(4, np.bool_)
    ask(np.frombuffer(data, np.uint8), MARKER, results)
    return results.tolist()


def extracted(tx: Tx, height: int = 930_000, network: Network = REGTEST) -> Extracted:
    return extract(candidates({height: [tx]}), network)


def script(ex: Extracted, role: str) -> bytes:
    data = ex.raw if role == "recipient" else ex.prevouts
    start, size = (getattr(ex.transactions, f"{role}_{part}")[0] for part in ("at", "size"))
    return data[start : start + size].tobytes()


JUNK = st.sampled_from(
    [b"\xff", b"\xc3", b"\x80", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x90\x80", b"\xc3\xa9", b"p", b""]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(JUNK, st.integers(0, 12)), max_size=4), st.binary(max_size=6))
def test_text_search_is_that_of_a_lenient_decoder(insertions: list[tuple[bytes, int]], around: bytes) -> None:
    """R-CORE-OPR-2.3: undecodable bytes are dropped, then the marker is sought."""
    data = b'"p":"brc-20"'
    for junk, place in insertions:
        data = data[:place] + junk + data[place:]
    data = around + data + around[::-1]
    found, is_text, _, _ = answers(data)
    assert found == ('"p":"brc-20"' in data.decode(errors="ignore"))
    try:
        data.decode()
    except UnicodeDecodeError:
        assert not is_text
    else:
        assert is_text


@settings(deadline=None)
@given(st.binary(max_size=12))
def test_utf8_is_what_the_decoder_takes(data: bytes) -> None:
    """R-CORE-JSON-1 step 1."""
    assert answers(data)[1] == (data.decode(errors="ignore").encode() == data)


@settings(deadline=None)
@given(st.binary(max_size=12).map(b"\x6a".__add__) | st.lists(st.integers(0, 0x61), max_size=90).map(bytes))
def test_nulldata_is_what_parses_as_pushes(data: bytes) -> None:
    assert answers(data)[2] == builders.is_nulldata(data)


PROGRAMS = st.builds(
    lambda v, n: bytes([v, n]) + bytes(n), st.sampled_from([0, 0x50, 0x51, 0x60, 0x61]), st.integers(0, 45)
)


@settings(deadline=None)
@given(st.sampled_from([script_of(label) for label in ("a", *builders.LABEL_FORMS)]) | PROGRAMS, st.integers(0, 5))
def test_an_address_is_known_where_one_is_written(data: bytes, cut: int) -> None:
    """R-CORE-ADDR-1: the engine asks for addresses of exactly the scripts that have one."""
    data = data[: len(data) - cut]
    assert answers(data)[3] == (address_of(data, REGTEST) is not None)


def test_forms() -> None:
    """R-CORE-OPR-2 to R-CORE-OPR-6, R-CORE-MULTI-1, R-CORE-STONE-6, R-CORE-CONST-1."""
    rune, text = TxOut(0, b"\x6a\x5d\x01\x02"), op_return(TRANSFER)
    to = pay("bob")
    alice = [spend("alice")]
    forms = {
        JSON: [[text, to], [to, op_return("hi"), text], [op_return(TRANSFER.ljust(2000))]],
        STONES: [[rune, to], [to, rune], [op_return(b"\x5dbrc-20 or so"), to]],
        MULTI: [[text, to, text, to], [rune, text, op_return("hi"), text]],
        NOTHING: [
            [op_return("brc-20, only"), to],
            [rune, text],
            [rune, rune],
            [op_return(TRANSFER.ljust(2001)), to],
            [op_return(TRANSFER.replace(":", ": ")), to] * 2,
        ],
    }
    for form, shapes in forms.items():
        for outputs in shapes:
            assert extracted(make_tx(alice, outputs)).transactions.form[0] == form, outputs
    early = extracted(make_tx(alice, [text, to]), MAINNET.genesis_height - 1, MAINNET)
    assert early.transactions.form[0] == NOTHING


def test_parties() -> None:
    """R-CORE-ADDR-2, R-CORE-ADDR-3, D-17, R-CORE-STONE-3."""
    text = op_return(TRANSFER)
    ex = extracted(make_tx([spend("alice"), spend("zoe")], [op_return("hi"), pay("bob"), text, pay("carol")]))
    assert (script(ex, "sender"), script(ex, "recipient")) == (script_of("alice"), script_of("bob"))
    ex = extracted(make_tx([spend("p2pk_alice")], [pay("bob"), text, pay("bare_carol")]))
    assert (script(ex, "sender"), script(ex, "recipient")) == (b"", b"")
    rune = TxOut(0, b"\x6a\x5d")
    ex = extracted(make_tx([spend("alice")], [pay("bob"), rune, pay("carol")]))
    assert (script(ex, "recipient"), ex.transactions.differs[0]) == (script_of("carol"), True)
    ex = extracted(make_tx([spend("alice")], [pay("bob"), rune, pay("p2pk_carol")]))
    assert (script(ex, "recipient"), ex.transactions.differs[0]) == (script_of("bob"), False)


@pytest.mark.parametrize(
    ("labels", "signed", "early", "late"),
    [
        (["a", "b", "c"], [], SIMPLE, SIMPLE),
        (["a", "b", "c"], [2], MARKETPLACE, INVALID_MARKETPLACE),
        (["a", "b"], [0, 1], INVALID_MARKETPLACE, INVALID_MARKETPLACE),
        (["a", "b", "a"], [0, 1], INVALID_MARKETPLACE, INVALID_MARKETPLACE),
        (["a", "p2pk_b", "c"], [0, 1], INVALID_MARKETPLACE, INVALID_MARKETPLACE),
        (["a", "a", "b", "c"], [0, 1], MARKETPLACE, MARKETPLACE),
        (["a", "a", "b", "c"], [0, 2], MARKETPLACE, INVALID_MARKETPLACE),
        (["a", "b", "b", "c"], [0, 1], MARKETPLACE, INVALID_MARKETPLACE),
        (["p2pk_a", "p2pk_a", "b", "c", "d"], [0, 1], MARKETPLACE, INVALID_MARKETPLACE),
    ],
)
def test_marketplace_templates(labels: list[str], signed: list[int], early: int, late: int) -> None:
    """R-CORE-MKT-2 to R-CORE-MKT-5."""
    inputs = [spend(label, SIG83 if index in signed else builders.ORDINARY) for index, label in enumerate(labels)]
    tx = make_tx(inputs, [op_return(TRANSFER), pay("bob")])
    for height, expected in ((MAINNET.template_height - 1, early), (MAINNET.template_height, late)):
        assert extracted(tx, height, MAINNET).transactions.market[0] == expected


def test_emergency_range_has_another_sender() -> None:
    """R-CORE-MKT-7: input 1, and no condition on equal addresses, in the inclusive range only."""
    network = replace(REGTEST, emergency_range=(10, 11))
    inputs = [spend(label, SIG83) for label in ("a", "b", "c")]
    tx = make_tx(inputs, [op_return(TRANSFER), pay("bob")])
    for height, market, buyer in ((9, INVALID_MARKETPLACE, b""), (10, MARKETPLACE, script_of("b"))):
        ex = extracted(tx, height, network)
        assert (ex.transactions.market[0], script(ex, "buyer")) == (market, buyer)
    inputs[1] = spend("p2pk_b", SIG83)
    assert script(extracted(make_tx(inputs, tx.outputs), 11, network), "buyer") == script_of("a")


def test_damage_is_named_and_never_read_beyond() -> None:
    """Every cut, and every single byte changed, either reads as a transaction or is refused by name."""
    inputs = [spend(label, SIG83) for label in ("a", "a", "b", "c")]
    step = op_return(TRANSFER)
    table = candidates({5: [make_tx(inputs, [step, pay("bob"), step, pay("carol")])]})
    whole = {name: table[name][0].as_py() for name in ("raw", "prevouts")}
    for name, data in whole.items():
        for size in range(len(data)):
            with pytest.raises(MalformedCandidate, match="block 5, transaction 1"):
                extract(changed(table, name, data[:size]), REGTEST)
        with pytest.raises(MalformedCandidate):
            extract(changed(table, name, data + b"\x00"), REGTEST)
        for place in range(len(data)):
            for byte in (0x00, 0x01, 0x6A, 0xFD, 0xFE, 0xFF):
                try:
                    extract(changed(table, name, data[:place] + bytes([byte]) + data[place + 1 :]), REGTEST)
                except MalformedCandidate:
                    continue


def changed(table: pa.Table, name: str, data: bytes) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), pa.array([data], pa.binary()))
