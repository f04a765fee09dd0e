"""Vaults: Taproot outputs that W is minted against, and the script that reveals one (R-WRAP-CONST-*, R-WRAP-TREE-*).

Pure: bytes in, bytes out. Keys are x-only, of 32 bytes. The protocol's own keys are the same on every network and no
setting changes them (D-82).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from btclib_secp256k1.hashes import tagged_sha256
from btclib_secp256k1.xonly import pubkey_verify, tweak_add

from engine.verdicts import Code

OPERATOR_KEY: Final = bytes.fromhex("d22eaaa259553e25fcdd2bba871702ca2c305bdf4384ce6b90db139700949fb5")
INTERNAL_KEY: Final = bytes.fromhex("50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee96802ac071")
LONGEST_DELAY: Final = 65534
"""Blocks; also the delay after which the user recovers what he locked (R-WRAP-CONST-3, R-WRAP-CONST-4)."""

LOCKED: Final = 2
"""The output of a mint that locks bitcoin."""

_LEAF_VERSION: Final = b"\xc0"
_KEY_SIZE: Final = 32
_KEY: Final = b"\x20"
_CHECKSIG: Final = b"\xac"
_CHECKSIGADD_TWO_EQUAL: Final = b"\xba\x52\x87"
_CHECKSEQUENCEVERIFY_DROP: Final = b"\xb2\x75"
_ZERO_IF: Final = b"\x00\x63"
_ENDIF: Final = b"\x68"
_PUSHDATA1: Final = 0x4C
_MARKER: Final = b"W_PROOF"
_TAPROOT: Final = b"\x51\x20"


class Refused(Exception):
    """The transaction locks nothing as R-WRAP-MINT-1 demands. The message says why."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Reveal(NamedTuple):
    """What a reveal script says."""

    user_key: bytes
    delay: int
    """As written: any integer."""


class Leaf(NamedTuple):
    """One way to spend a vault."""

    script: bytes
    hash: bytes


class Vault(NamedTuple):
    """The script tree of a user's key and a delay in blocks, and the output that commits to it."""

    user_key: bytes
    delay: int
    multisig: Leaf
    liquidation: Leaf
    recovery: Leaf
    merkle_root: bytes
    output_key: bytes
    parity: int
    """Of the output key's y: 0 even, 1 odd."""

    @property
    def script(self) -> bytes:
        """The output script."""
        return _TAPROOT + self.output_key


def derive(user_key: bytes, delay: int) -> Vault:
    """The vault of a key and a delay (R-WRAP-TREE-1). Raises Refused when there is none (R-WRAP-MINT-7)."""
    if not 1 <= delay <= LONGEST_DELAY:
        raise Refused(
            Code.UNKNOWN_PROCESSING_ERROR, f"the delay of {delay} blocks is not between 1 and {LONGEST_DELAY}"
        )
    if not pubkey_verify(user_key):
        raise Refused(Code.UNKNOWN_PROCESSING_ERROR, "the revealed key is not the x coordinate of a point of the curve")
    multisig = _leaf(_KEY + user_key + _CHECKSIG + _KEY + OPERATOR_KEY + _CHECKSIGADD_TWO_EQUAL)
    liquidation = _leaf(_delayed(delay, OPERATOR_KEY))
    recovery = _leaf(_delayed(LONGEST_DELAY, user_key))
    root = _branch(_branch(multisig.hash, recovery.hash), liquidation.hash)
    output_key, parity = tweak_add(INTERNAL_KEY, tagged_sha256(b"TapTweak", INTERNAL_KEY + root))
    return Vault(user_key, delay, multisig, liquidation, recovery, root, output_key, parity)


def _delayed(delay: int, key: bytes) -> bytes:
    return _number(delay) + _CHECKSEQUENCEVERIFY_DROP + _KEY + key + _CHECKSIG


def _number(value: int) -> bytes:
    """The shortest push of a positive number."""
    if value <= 16:
        return bytes([0x50 + value])
    digits = value.to_bytes(value.bit_length() // 8 + 1, "little")
    return bytes([len(digits)]) + digits


def _leaf(script: bytes) -> Leaf:
    return Leaf(script, tagged_sha256(b"TapLeaf", _LEAF_VERSION + bytes([len(script)]) + script))


def _branch(one: bytes, other: bytes) -> bytes:
    return tagged_sha256(b"TapBranch", min(one, other) + max(one, other))


def read_reveal(script: bytes) -> Reveal | None:
    """What the script reveals, None when it is not of the form of R-WRAP-ENV-1."""
    user_key, rest = script[1 : 1 + _KEY_SIZE], script[1 + _KEY_SIZE :]
    opening = _CHECKSIG + _ZERO_IF
    if script[:1] != _KEY or not rest.startswith(opening):
        return None
    marker, rest = _push(rest.removeprefix(opening))
    number, rest = _push(rest)
    if marker != _MARKER or number is None or rest != _ENDIF:
        return None
    return Reveal(user_key, _signed(number))


def _push(script: bytes) -> tuple[bytes | None, bytes]:
    """The data that the script begins by pushing, None when it does not, and what follows."""
    start = 2 if script[:1] == bytes([_PUSHDATA1]) else 1
    if len(script) < start or (start == 1 and script[0] >= _PUSHDATA1):
        return None, b""
    end = start + script[start - 1]
    return (script[start:end], script[end:]) if end <= len(script) else (None, b"")


def _signed(digits: bytes) -> int:
    """A script number: little endian, the highest bit is the sign."""
    if not digits:
        return 0
    magnitude = int.from_bytes(digits[:-1] + bytes([digits[-1] & 0x7F]), "little")
    return -magnitude if digits[-1] & 0x80 else magnitude


def revealed_vault(witnesses: Sequence[Sequence[bytes]], scripts: Sequence[bytes]) -> Vault:
    """The vault that a mint reveals: R-WRAP-MINT-3 to R-WRAP-MINT-8. Raises Refused.

    Of the transaction it takes the witness of each input and the script of each output. That something is locked in
    that vault is R-WRAP-MINT-10.
    """
    if len(witnesses) != 1 or len(scripts) <= LOCKED:
        raise _malformed(f"there are {len(witnesses)} inputs and {len(scripts)} outputs, not 1 and at least 3")
    witness = witnesses[0]
    if len(witness) != 3:
        raise _malformed(f"the witness has {len(witness)} items, not signature, script and control block")
    _, script, control = witness
    if len(control) < 1 + _KEY_SIZE or control[1 : 1 + _KEY_SIZE] != INTERNAL_KEY:
        raise _malformed("the control block does not name the protocol's internal key")
    reveal = read_reveal(script)
    if reveal is None:
        raise _malformed("the revealed script is not key, CHECKSIG and an envelope of W_PROOF and a delay")
    vault = derive(*reveal)
    lock = scripts[LOCKED]
    if len(lock) != len(_TAPROOT) + _KEY_SIZE or not lock.startswith(_TAPROOT):
        raise _malformed("output 2 is not a Taproot output")
    return vault


def _malformed(reason: str) -> Refused:
    return Refused(Code.INVALID_WRAP_STRUCTURE, reason)


def is_worth(amount: object, satoshis: int) -> bool:
    """Whether the `amt` of a mint is text of ASCII digits that says so many satoshis (R-WRAP-MINT-11, D-10)."""
    if type(amount) is not str or not amount.isascii() or not amount.isdigit():
        return False
    return amount.lstrip("0") == str(satoshis).lstrip("0")
