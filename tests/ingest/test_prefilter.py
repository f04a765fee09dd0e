"""Which outputs make a transaction a candidate (R-CORE-BLK-3), against the rule spelled out on hex text."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.candidates import Kind
from ingest.prefilter import is_nulldata, mentions_protocol, output_kind
from tests.helpers.chain import op_return, push
from tests.helpers.recorded_chain import DATA

TEXT = "6272632d3230"
SHIFTED = bytes.fromhex("a" + TEXT + "b")
NONSTANDARD = {9, 15, 18, 19, 31}
"""SCRIPT vectors that a node does not classify as nulldata, though their bytes have the text."""

protocol_bytes = st.lists(
    st.sampled_from([b"brc-20", b"brc-2", b"BRC-20", SHIFTED, b"\x6b\x27\x26\x32\xd3\x23\x0f", b"bbrc-20"])
    | st.binary(max_size=4)
).map(b"".join)
scripts = (
    protocol_bytes.map(lambda data: b"\x6a" + data)
    | protocol_bytes.map(op_return)
    | st.lists(protocol_bytes.map(push) | st.integers(0x4F, 0x62).map(lambda op: bytes([op]))).map(
        lambda pushes: b"\x6a" + b"".join(pushes)
    )
    | st.tuples(st.sampled_from([0x4C, 0x4D, 0x4E]), st.binary(max_size=5), protocol_bytes).map(
        lambda parts: b"\x6a" + bytes([parts[0]]) + parts[1] + parts[2]
    )
    | protocol_bytes
)


def as_array(script: bytes) -> Any:
    return np.frombuffer(script, np.uint8)


def spelled_out_nulldata(script: bytes) -> bool:
    """0x6a, then pushes only."""
    if script[:1] != b"\x6a":
        return False
    rest = script[1:]
    while rest:
        opcode, rest = rest[0], rest[1:]
        if opcode > 0x60:
            return False
        size = opcode if opcode < 0x4C else 0
        if (width := {0x4C: 1, 0x4D: 2, 0x4E: 4}.get(opcode, 0)) > len(rest):
            return False
        if width:
            size, rest = int.from_bytes(rest[:width], "little"), rest[width:]
        if size > len(rest):
            return False
        rest = rest[size:]
    return True


def spelled_out_kind(script: bytes) -> int:
    if not spelled_out_nulldata(script):
        return 0
    digits = script.hex().upper()
    if len(digits) >= 20 and TEXT.upper() in digits:
        return Kind.JSON
    return Kind.RUNESTONE if script[1:2] == b"\x5d" else 0


@settings(deadline=None, max_examples=500)
@given(scripts)
@example(b"\x6a\x5d")
@example(b"\x6a")
@example(b"")
@example(op_return(SHIFTED))
@example(op_return(b"brc-20") + b"\x00")
@example(op_return(b"brc-20"))
@example(b"\x6a\x4e\xff\xff\xff\xff")
def test_outputs_are_judged_as_the_rule_says(script: bytes) -> None:
    """R-CORE-BLK-3, including text at an odd hex digit, which the rule's wording covers."""
    assert is_nulldata(as_array(script)) == spelled_out_nulldata(script)
    assert output_kind(as_array(script)) == spelled_out_kind(script)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        pytest.param(op_return(b"xxbrc-20"), Kind.JSON, id="text-at-an-even-digit"),
        pytest.param(op_return(b"xx" + SHIFTED), Kind.JSON, id="text-at-an-odd-digit"),
        pytest.param(op_return(b"xbrc-20"), 0, id="18-digits"),
        pytest.param(op_return(b"xxxBRC-20"), 0, id="capital-letters-are-another-text"),
        pytest.param(b"\x6a\x5d", Kind.RUNESTONE, id="runestone"),
        pytest.param(b"\x6a\x5d" + push(b"xxbrc-20"), Kind.JSON, id="both"),
        pytest.param(b"\x6a\x01\x5d", 0, id="pushed-tag"),
        pytest.param(b"\x6a\x5d\x05abc", 0, id="runestone-overrun"),
        pytest.param(op_return(b"xxbrc-20") + b"\xac", 0, id="opcode-behind"),
        pytest.param(push(b"xxbrc-20"), 0, id="no-op-return"),
    ],
)
def test_examples(script: bytes, kind: int) -> None:
    """R-CORE-BLK-3."""
    assert output_kind(as_array(script)) == kind


def vectors() -> list[Any]:
    every = json.loads((DATA / "vectors.json").read_text())["vectors"]
    return [pytest.param(vector, id=vector["id"]) for vector in every if vector["group"] == "SCRIPT"]


@pytest.mark.parametrize("vector", vectors())
def test_vectors_pass_the_prefilter_as_stated(vector: dict[str, Any]) -> None:
    """R-CORE-BLK-3: (a) and (b) as the vector says, and nulldata as the rule adds."""
    script = bytes.fromhex(vector["input"]["script_hex"])
    number = int(vector["id"].split("-")[1])
    passes = vector["expected"]["passes_block_prefilter"] == "true"
    assert (output_kind(as_array(script)) != 0) == (passes and number not in NONSTANDARD)
    assert (script[1:2] == b"\x5d" or mentions_protocol(as_array(script))) == passes
