"""Upper case and digits do not depend on the interpreter's Unicode (R-CORE-TICK-1, R-SWAP-NUM-1)."""

import unicodedata
from hashlib import sha256

from engine.unicode14 import has_later_digit, upper

ALL = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
DIGEST = "f10715554a7dd2a023341a44944be3d1f2bc03d3638c69ca522eb2f4cbc90c8d"
"""Of the upper case of every character, and of all digits, made with an interpreter of Unicode 14.0."""


def digest() -> str:
    digits = "".join(character for character in ALL if character.isdecimal() and not has_later_digit(character))
    return sha256("\n".join(map(upper, ALL)).encode() + digits.encode()).hexdigest()


def test_mappings_are_those_of_version_14() -> None:
    assert digest() == DIGEST


def test_an_interpreter_of_version_14_agrees() -> None:
    if unicodedata.unidata_version == "14.0.0":
        assert [upper(character) for character in ALL] == [character.upper() for character in ALL]
        assert not any(map(has_later_digit, ALL))


def test_examples_of_the_full_mapping() -> None:
    assert [upper(text) for text in ("straße", "ı", "é", "µ", "ŉ", "ﬁ", "ordi")] == [
        "STRASSE",
        "I",
        "É",
        "Μ",
        "ʼN",
        "FI",
        "ORDI",
    ]


def test_what_got_a_case_or_a_value_later_has_none() -> None:
    """U+019B got an upper case in version 16, U+11F51 is a digit since version 15."""
    assert upper("\u019b") == "\u019b"
    assert has_later_digit("1\U00011f51") == "\U00011f51".isdecimal()
