"""Blocks to headers and candidates: what is kept, byte for byte, and what is refused."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.candidates import CANDIDATES, HEADERS, Kind
from ingest.errors import CorruptBlock, MissingPrevouts
from ingest.scan import Scanned, scan_blocks, transaction_hashes, transaction_rows, witness_commitment
from ingest.source import RawBlock, SpentFormat
from tests.helpers import recorded_chain
from tests.helpers.blockfiles import compress, compress_amount, compress_script, varint
from tests.helpers.chain import (
    Block,
    Tx,
    TxIn,
    TxOut,
    compact_size,
    display,
    make_block,
    make_coinbase,
    make_tx,
    op_return,
    push,
    sha256d,
)

JSON = op_return(b'{"p":"brc-20","op":"mint","tick":"WTF","amt":"1"}')
RUNESTONE = b"\x6a\x5d" + push(b"\x14\x01\x14\x02")
PREVIOUS = "ab" * 32
X = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798
Y = 0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8
FIELD = 2**256 - 2**32 - 977


def bare_key(x: int, y: int) -> bytes:
    return b"\x41\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big") + b"\xac"


SPENT_SCRIPTS = [
    b"\x76\xa9\x14" + bytes(range(20)) + b"\x88\xac",
    b"\xa9\x14" + bytes(range(20)) + b"\x87",
    b"\x00\x14" + bytes(range(20)),
    b"\x51\x20" + bytes(range(32)),
    b"\x21\x02" + bytes(range(32)) + b"\xac",
    b"\x21\x03" + bytes(range(32)) + b"\xac",
    bare_key(X, Y),
    bare_key(X, FIELD - Y),
    b"",
    b"\x51",
    bytes(246),
    bytes(247),
    bytes(253),
    bytes(10_000),
    b"\x76\xa9\x14" + bytes(20) + b"\x88\xad",
    b"\xa9\x15" + bytes(20) + b"\x87",
    b"\x21\x05" + bytes(32) + b"\xac",
]
spent_outputs = st.builds(
    TxOut,
    st.sampled_from([0, 1, 9, 10, 10**8, 21 * 10**14]) | st.integers(0, 21 * 10**14),
    st.sampled_from(SPENT_SCRIPTS) | st.binary(max_size=70),
)
transactions = st.builds(
    lambda spent, scripts, witness, version: make_tx(
        [TxIn("cd" * 32, i, output, b"\x51" * (i % 3), [b"\x01"] * witness) for i, output in enumerate(spent)],
        [TxOut(i, script) for i, script in enumerate(scripts)],
        version=version,
    ),
    st.lists(spent_outputs, min_size=1, max_size=4),
    st.lists(st.sampled_from([JSON, RUNESTONE, b"\x51", b"", bytes(300), op_return(b"hello")]), min_size=1, max_size=4),
    st.integers(0, 3),
    st.sampled_from([1, 2, -1]),
)


def raw_block(block: Block, form: SpentFormat = SpentFormat.TXOUTS) -> RawBlock:
    spent = block.spent if form is SpentFormat.TXOUTS else compress(block.spent)
    return RawBlock(block.height, block.hash, block.raw, spent, form)


def expected_candidates(block: Block) -> list[dict[str, Any]]:
    """R-CORE-BLK-2 and R-CORE-BLK-3 on the builder's objects."""
    rows = []
    for index, tx in enumerate(block.txs[1:], 1):
        scripts = [output.script for output in tx.outputs]
        if JSON in scripts:
            kind, raw, prevouts = Kind.JSON, tx.raw, b"".join(txin.spent.raw for txin in tx.inputs if txin.spent)
        elif RUNESTONE in scripts:
            kind, raw, prevouts = Kind.RUNESTONE, tx.stripped, b""
        else:
            continue
        txid = bytes.fromhex(tx.txid)[::-1]
        rows.append(dict(zip(CANDIDATES.names, (block.height, index, txid, kind, raw, prevouts), strict=True)))
    return rows


def spend(script: bytes = JSON, *, spent: Sequence[TxOut] = (TxOut(5, b"\x51"),), witness: Sequence[bytes] = ()) -> Tx:
    return make_tx([TxIn("cd" * 32, i, output, b"", witness) for i, output in enumerate(spent)], [TxOut(0, script)])


def scan_made(*txs: Tx, form: SpentFormat = SpentFormat.TXOUTS) -> Scanned:
    return scan_blocks([raw_block(make_block(PREVIOUS, 5, txs), form)])


@settings(deadline=None)
@given(st.lists(transactions, max_size=6))
def test_candidates_are_kept_byte_for_byte_whichever_form_the_spent_outputs_had(txs: list[Tx]) -> None:
    """R-CORE-BLK-2, R-CORE-BLK-3: whole with spent outputs, or stripped without."""
    block = make_block(PREVIOUS, 7, [replace(tx, locktime=i) for i, tx in enumerate(txs)])
    for form in SpentFormat:
        found = scan_blocks([raw_block(block, form)])
        assert found.candidates.schema.equals(CANDIDATES, check_metadata=True)
        assert found.candidates.to_pylist() == expected_candidates(block)


def test_headers_are_those_that_the_node_describes() -> None:
    found = scan_blocks(recorded_chain.blocks()).headers
    assert found.schema.equals(HEADERS, check_metadata=True)
    for row, block in zip(found.to_pylist(), recorded_chain.descriptions(), strict=True):
        assert row == {
            "height": block["height"],
            "hash": block["hash"],
            "previous_hash": block.get("previousblockhash", "00" * 32),
            "time": datetime.datetime.fromtimestamp(block["time"], datetime.UTC),
            "tx_count": block["nTx"],
        }


def test_every_recorded_txid_wtxid_and_commitment_is_reproduced() -> None:
    for raw, block in zip(recorded_chain.blocks(), recorded_chain.descriptions(), strict=True):
        data = np.frombuffer(raw.raw, np.uint8)
        rows = transaction_rows(data)
        assert not isinstance(rows, int)
        for whole, name in ((False, "txid"), (True, "hash")):
            hashes = transaction_hashes(data, rows, whole=whole).reshape(-1, 32)
            assert [display(hash_.tobytes()) for hash_ in hashes] == [tx[name] for tx in block["tx"]]
        if block["height"] > 0:
            committed, made = witness_commitment(data, rows)
            assert committed == made is not None


def test_the_mainnet_block_has_its_merkle_root_and_witness_commitment() -> None:
    raw = recorded_chain.mainnet_block()
    (row,) = scan_blocks(
        [RawBlock(1, recorded_chain.MAINNET_HASH, raw, b"", SpentFormat.UNDO)]
    ).headers.to_pylist()  # The scan compares the merkle root.
    data = np.frombuffer(raw, np.uint8)
    rows = transaction_rows(data)
    assert not isinstance(rows, int)
    assert len(rows) == row["tx_count"] == 2500
    committed, made = witness_commitment(data, rows)
    assert committed == made is not None
    changed = data.copy()
    changed[rows[7, 2] + 5] ^= 1
    assert witness_commitment(changed, rows) != (committed, made)


def test_no_block_gives_empty_tables_and_several_join() -> None:
    assert scan_blocks([]).headers.schema.equals(HEADERS)
    assert scan_blocks([]).candidates.schema.equals(CANDIDATES)
    first = make_block(PREVIOUS, 5, [spend()])
    second = make_block(first.hash, 6, [spend(RUNESTONE), spend(b"\x51"), spend()])
    found = scan_blocks(raw_block(block) for block in (first, second))
    assert found.headers["height"].to_pylist() == [5, 6]
    assert found.candidates.to_pylist() == expected_candidates(first) + expected_candidates(second)


def test_the_coinbase_is_never_a_candidate() -> None:
    """R-CORE-BLK-2."""
    assert scan_made(make_coinbase(5, [TxOut(1, JSON), TxOut(0, RUNESTONE)])).candidates.num_rows == 0


def test_missing_spent_outputs_matter_to_json_candidates_only() -> None:
    plain = raw_block(make_block(PREVIOUS, 5, [spend(RUNESTONE)]))
    assert scan_blocks([replace(plain, spent=b"")]).candidates.num_rows == 1
    block = raw_block(make_block(PREVIOUS, 5, [spend()]))
    with pytest.raises(MissingPrevouts, match=f"{block.hash} at height 5"):
        scan_blocks([replace(block, spent=b"")])


def test_a_block_under_another_name_is_refused() -> None:
    with pytest.raises(CorruptBlock, match="header has another hash"):
        scan_blocks([replace(raw_block(make_block(PREVIOUS, 5)), hash="00" * 32)])


def test_a_repeated_transaction_is_refused_though_the_merkle_root_is_right() -> None:
    """Three transactions and the third once more hash to the same root."""
    txs = [spend(b"\x51"), spend(RUNESTONE)]
    block = make_block(PREVIOUS, 5, txs)
    doubled = Block(5, PREVIOUS, block.time, block.nonce, [*block.txs, block.txs[-1]])
    assert doubled.hash == block.hash
    with pytest.raises(CorruptBlock, match="merkle root"):
        scan_blocks([raw_block(doubled)])


def test_a_witness_without_or_against_its_commitment_is_refused() -> None:
    """Neither header nor merkle root covers witnesses, and the marketplace rules read them (R-CORE-MKT-1)."""
    block = make_block(PREVIOUS, 5, [spend(witness=[b"signature"])])
    assert scan_blocks([raw_block(block)]).candidates.num_rows == 1
    changed = block.raw.replace(b"signature", b"Signature")
    with pytest.raises(CorruptBlock, match="commitment"):
        scan_blocks([replace(raw_block(block), raw=changed)])
    with pytest.raises(CorruptBlock, match="commitment"):
        scan_blocks([raw_block(Block(5, PREVIOUS, 0, 0, [make_coinbase(5), spend(witness=[b"signature"])]))])


def sample(form: SpentFormat) -> RawBlock:
    many = [TxOut(10**i, script) for i, script in enumerate(SPENT_SCRIPTS[:13])]
    return raw_block(make_block(PREVIOUS, 5, [spend(spent=many, witness=[b"w"]), spend(RUNESTONE), spend()]), form)


@pytest.mark.parametrize("form", SpentFormat)
def test_every_truncation_and_any_appendix_is_refused(form: SpentFormat) -> None:
    block = sample(form)
    raw, spent = bytes(block.raw), bytes(block.spent)
    cut_raw = [replace(block, raw=raw[:cut]) for cut in range(len(raw))]
    cut_spent = [replace(block, spent=spent[:cut]) for cut in range(1, len(spent))]
    for damaged in cut_raw + cut_spent:
        with pytest.raises(CorruptBlock, match="at height 5"):
            scan_blocks([damaged])
    for damaged in (replace(block, raw=raw + b"\x00"), replace(block, spent=spent + b"\x00")):
        with pytest.raises(CorruptBlock, match="bytes follow its last field"):
            scan_blocks([damaged])


@settings(deadline=None)
@given(data=st.data(), form=st.sampled_from(list(SpentFormat)))
def test_any_change_of_a_block_is_refused(data: st.DataObject, form: SpentFormat) -> None:
    """Of the block itself, everything is covered by a hash."""
    block = sample(form)
    raw = bytearray(block.raw)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=9))
    if bytes(raw) != block.raw:
        with pytest.raises(CorruptBlock):
            scan_blocks([replace(block, raw=bytes(raw))])


@settings(deadline=None, max_examples=300)
@given(data=st.data(), form=st.sampled_from(list(SpentFormat)))
def test_hostile_spent_outputs_end_in_a_table_or_an_error_with_a_name(data: st.DataObject, form: SpentFormat) -> None:
    """Sources check them; the walk must still never leave its arrays."""
    block = sample(form)
    spent = bytearray(block.spent)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(spent) - 1))
        spent[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    try:
        found = scan_blocks([replace(block, spent=bytes(spent))])
    except (CorruptBlock, MissingPrevouts):
        return
    assert found.candidates.num_rows == 3


def undo(*fields: bytes) -> bytes:
    """Undo data of a block whose one candidate has one input."""
    return b"\x01\x01" + b"".join(fields)


@pytest.mark.parametrize(
    ("spent", "reason"),
    [
        pytest.param(undo(varint(2), varint(0), varint(9), b"\x04", bytes(32)), "not on the curve", id="no-point"),
        pytest.param(undo(varint(2), varint(0), varint(9), b"\x05", b"\xff" * 32), "not on the curve", id="no-field"),
        pytest.param(undo(varint(2), varint(0), varint(2**63), b"\x06"), "out of range", id="amount"),
        pytest.param(undo(b"\xff" * 12), "out of range", id="endless-number"),
        pytest.param(undo(varint(2), varint(0), varint(9), varint(10_007)), "longer than any", id="script"),
        pytest.param(b"\x02\x01", "not as many", id="transactions"),
        pytest.param(b"\x01\x02", "not as many", id="inputs"),
        pytest.param(b"\xfd\x01\x00", "shortest form", id="length"),
        pytest.param(b"\xfe" + b"\xff" * 4, "not as many", id="absurd-count"),
        pytest.param(b"\xff" * 9, "reaches beyond", id="absurder-count"),
    ],
)
def test_undo_data_that_cannot_be_is_refused(spent: bytes, reason: str) -> None:
    block = raw_block(make_block(PREVIOUS, 5, [spend()]), SpentFormat.UNDO)
    with pytest.raises(CorruptBlock, match=reason):
        scan_blocks([replace(block, spent=spent)])


def malformed() -> Iterator[Any]:
    """Transactions behind the coinbase that no node would accept."""
    outpoint, end = b"\xcd" * 32 + bytes(4), bytes(4)
    one_input = b"\x01" + outpoint + b"\x00" + b"\xff" * 4
    output = bytes(8) + b"\x01\x51"
    yield pytest.param(b"\x02\x00\x00\x00" + b"\x00\x02" + one_input + b"\x01" + output + end, "flag", id="flag")
    yield pytest.param(b"\x02\x00\x00\x00" + one_input + b"\x00" + bytes(20) + end, "no output", id="no-output")
    yield pytest.param(b"\x02\x00\x00\x00" + b"\x00\x01\x00" + b"\x01" + output + bytes(60), "no input", id="no-input")
    wide = b"\x02\x00\x00\x00" + one_input + b"\xfd\x01\x00" + output + end
    yield pytest.param(wide, "shortest form", id="wide-count")
    yield pytest.param(b"\x02\x00\x00\x00" + b"\xfe\xff\xff\xff\x7f" + bytes(60), "reaches beyond", id="inputs")
    yield pytest.param(
        b"\x02\x00\x00\x00" + one_input + b"\x01" + bytes(8) + b"\xff" * 9 + end, "reaches beyond", id="script"
    )


@pytest.mark.parametrize(("tx", "reason"), list(malformed()))
def test_malformed_transactions_are_refused(tx: bytes, reason: str) -> None:
    header = make_block(PREVIOUS, 5).header
    raw = header + b"\x02" + make_coinbase(5).raw + tx
    with pytest.raises(CorruptBlock, match=reason):
        scan_blocks([RawBlock(5, display(sha256d(header)), raw, b"", SpentFormat.UNDO)])


def test_an_absurd_number_of_transactions_is_refused() -> None:
    header = make_block(PREVIOUS, 5).header
    for count in (b"\x00", b"\xfe\xff\xff\xff\x7f", compact_size(2**40), b"\x03"):
        with pytest.raises(CorruptBlock):
            scan_blocks([RawBlock(5, display(sha256d(header)), header + count + bytes(70), b"", SpentFormat.UNDO)])


def test_the_helper_compresses_as_the_node_documents() -> None:
    """Else both could be wrong alike."""
    assert compress_script(SPENT_SCRIPTS[6]) == b"\x04" + X.to_bytes(32, "big")
    assert compress_script(SPENT_SCRIPTS[7]) == b"\x05" + X.to_bytes(32, "big")
    assert [compress_amount(n) for n in (0, 1, 10**6, 10**8, 50 * 10**8, 21 * 10**14)] == [0, 1, 7, 9, 50, 21_000_000]
    texts = {0: "00", 127: "7f", 128: "8000", 255: "807f", 256: "8100", 16511: "ff7f", 65535: "82fe7f"}
    assert {n: varint(n).hex() for n in texts} == texts
