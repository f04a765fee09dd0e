"""Payload bytes to parsed operations, each distinct payload once."""

import numpy as np
import pytest

from engine.amounts import Integer, Real
from engine.payloads import SILENT, Payloads, is_truthy, parse
from engine.tickers import Tickers
from engine.verdicts import Code
from engine.vocabulary import CODES


def code_of(payload: bytes) -> str | None:
    """The code of a payload, `silent`, or None when it parses."""
    code = parse(payload, Tickers()).code
    return None if code == 0 else "silent" if code == SILENT else CODES[code - 1].value


MINT = b'{"p":"brc-20","op":"mint","tick":"abc","amt":"1"}'


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (MINT, None),
        (MINT.replace(b'":"brc', b'": "brc'), None),
        (b" \t\r\n" + MINT + b"\n", None),
        (MINT + b"\xff", "silent"),
        (MINT + b",", "silent"),
        (b"\xef\xbb\xbf" + MINT, "silent"),
        (b"[" + MINT + b"]", "silent"),
        (b'"\\"p\\"" "p":"brc-20"', "silent"),
        (MINT.replace(b"abc", b"a\nc"), "silent"),
        (MINT.replace(b"abc", b"a\\u0000"), "silent"),
        (MINT.replace(b"abc", b"\\ud800"), "silent"),
        (b"[W|BTC|M]brc-20", Code.INVALID_PROTOCOL),
        (b'{"a":' + MINT + b"}", Code.MISSING_PROTOCOL),
        (MINT[:-1] + b',"p":null}', Code.MISSING_PROTOCOL),
        (MINT[:-1] + b',"p":"BRC-20"}', Code.INVALID_PROTOCOL),
        (MINT[:-1] + b',"p":20}', Code.INVALID_PROTOCOL),
        (b'{"p":"brc-20"}', Code.MISSING_OPERATION),
        (MINT.replace(b'"mint"', b"null"), Code.MISSING_OPERATION),
        (MINT.replace(b'"mint"', b'["mint"]'), Code.INVALID_OPERATION),
        (MINT.replace(b'"mint"', b'"Mint"'), Code.INVALID_OPERATION),
        (MINT.replace(b'"mint"', b'"test_opi"'), Code.INVALID_OPERATION),
        (MINT.replace(b'"mint"', b"1"), Code.INVALID_OPERATION),
        (MINT.replace(b'"abc"', b"null"), Code.MISSING_TICKER),
        (b'{"p":"brc-20","op":"mint"}', Code.MISSING_TICKER),
        (MINT.replace(b'"abc"', b'""'), Code.EMPTY_TICKER),
        (MINT.replace(b'"abc"', b"7"), Code.EMPTY_TICKER),
        (b'{"p":"brc-20","op":"swap","tick":7}', "silent"),
        (b'{"p":"brc-20","op":"swap","tick":0.0}', None),
        (b'{"p":"brc-20","op":"swap","tick":"\\u0000"}', None),
        (MINT[:-1] + b',"n":' + b"[" * 511 + b"]" * 511 + b"}", None),
        (MINT[:-1] + b',"n":' + b"[" * 512 + b"]" * 512 + b"}", "silent"),
        (MINT[:-1] + b',"n":"' + b"[{" * 512 + b'\\""}', None),
        (MINT[:-1] + b',"n":' + b"9" * 5000 + b"}", None),
    ],
)
def test_acceptance(payload: bytes, code: Code | str | None) -> None:
    """R-CORE-JSON-1, R-CORE-JSON-2, R-CORE-JSON-4, R-CORE-REC-5, D-2, D-20."""
    assert code_of(payload) == code


def test_equal_payloads_are_parsed_once_and_forgotten_beyond_the_bound() -> None:
    tickers = Tickers()
    payloads = Payloads(tickers, most_remembered=2)
    texts = [MINT, MINT.replace(b"abc", b"xyz"), MINT, b"", MINT.replace(b"abc", b"ABC")]
    starts = np.cumsum([0, *map(len, texts)])[:-1]
    sizes = np.array([len(text) for text in texts], np.int32)
    with np.errstate(over="ignore"):
        numbers = payloads.numbers(np.frombuffer(b"".join(texts), np.uint8), starts, sizes)
    assert numbers.tolist() == [0, 1, 0, -1, 2]
    rows = payloads.rows[numbers[[0, 1, 4]]]
    assert [tickers.text(number) for number in rows["ticker"]] == ["ABC", "XYZ", "ABC"]
    assert [tickers.text(number) for number in rows["text"]] == ["abc", "xyz", "ABC"]
    assert rows["amount"].tolist() == [[10**8, 0]] * 3
    assert payloads.members(0)["amt"] == "1"
    payloads.forget_surplus()
    with np.errstate(over="ignore"):
        again = payloads.numbers(np.frombuffer(texts[1], np.uint8), starts[:1], sizes[1:2])
    assert again.tolist() == [0]
    assert tickers.text(payloads.rows[0]["ticker"]) == "XYZ"


def test_truth_of_json_values() -> None:
    """R-CURVE-DEP-3: a curve that is null, false, zero or empty is none."""
    false: list[object] = [
        None,
        False,
        "",
        [],
        {},
        Integer("0"),
        Integer("-0"),
        Real("0.0"),
        Real("-0e5"),
        Real("1e-999"),
    ]
    true: list[object] = [True, "0", [0], {"a": 0}, Integer("-1"), Real("NaN"), Real("1e-300")]
    assert not any(map(is_truthy, false))
    assert all(map(is_truthy, true))
