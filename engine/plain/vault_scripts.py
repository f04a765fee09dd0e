"""Scripts of the vault that W is minted against, and the envelope that reveals them (wrap rules 3, 4)."""

from dataclasses import dataclass
from typing import Final

from engine.plain.taproot import branch_hash, leaf_hash, lift_x, output_key

OPERATOR_KEY: Final = bytes.fromhex("d22eaaa259553e25fcdd2bba871702ca2c305bdf4384ce6b90db139700949fb5")
"""R-WRAP-CONST-1."""
INTERNAL_KEY: Final = bytes.fromhex("50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee96802ac071")
"""R-WRAP-CONST-2."""
RECOVERY_DELAY: Final = 65534
"""Blocks after which the user alone can spend (R-WRAP-CONST-3); also the longest liquidation delay (R-WRAP-CONST-4)."""
MARKER: Final = b"W_PROOF"
"""R-WRAP-CONST-5."""
LEAF_VERSION: Final = 0xC0
"""R-WRAP-CONST-6."""

_CHECKSIG, _CHECKSIGADD, _EQUAL, _DROP, _CHECKSEQUENCEVERIFY = b"\xac", b"\xba", b"\x87", b"\x75", b"\xb2"
_FALSE, _IF, _ENDIF, _PUSHDATA1 = b"\x00", b"\x63", b"\x68", 0x4C
_TWO = b"\x52"


class UnusableVault(ValueError):
    """No vault exists for this key or delay (R-WRAP-TREE-2, R-WRAP-MINT-7)."""


@dataclass(frozen=True, slots=True)
class Reveal:
    """What the witness script of a mint says: the user's key and the liquidation delay in blocks (R-WRAP-ENV-1)."""

    user_key: bytes
    delay: int


@dataclass(frozen=True, slots=True)
class VaultScripts:
    """The script tree of one user and delay (R-WRAP-TREE-1)."""

    user_key: bytes
    delay: int

    def __post_init__(self) -> None:
        if not 1 <= self.delay <= RECOVERY_DELAY or lift_x(self.user_key) is None:
            raise UnusableVault("the delay is out of range, or the key is no point of the curve")

    @property
    def multisig(self) -> bytes:
        """User and operator together."""
        user, operator = _push(self.user_key), _push(OPERATOR_KEY)
        return user + _CHECKSIG + operator + _CHECKSIGADD + _TWO + _EQUAL

    @property
    def liquidation(self) -> bytes:
        """The operator alone, after the delay."""
        return _after(self.delay, OPERATOR_KEY)

    @property
    def recovery(self) -> bytes:
        """The user alone, after the recovery delay."""
        return _after(RECOVERY_DELAY, self.user_key)

    @property
    def root(self) -> bytes:
        """Merkle root of the three leaves; the user's two are the deeper ones."""
        multisig, liquidation, recovery = (
            leaf_hash(LEAF_VERSION, script) for script in (self.multisig, self.liquidation, self.recovery)
        )
        return branch_hash(branch_hash(multisig, recovery), liquidation)

    @property
    def script(self) -> bytes:
        """Output script of the lock output: witness version 1 and the output key."""
        return b"\x51" + _push(output_key(INTERNAL_KEY, self.root))


def parse_reveal(script: bytes) -> Reveal | None:
    """R-WRAP-ENV-1: `20 U ac 00 63 push(W_PROOF) push(number) 68` and nothing else; None for any other script."""
    head, rest = script[:36], script[36:]
    if head[:1] + head[33:] != b"\x20" + _CHECKSIG + _FALSE + _IF:
        return None
    marker, rest = _take_push(rest)
    number, rest = _take_push(rest)
    if marker != MARKER or number is None or rest != _ENDIF:
        return None
    return Reveal(head[1:33], _script_number(number))


def _after(delay: int, key: bytes) -> bytes:
    return _push_number(delay) + _CHECKSEQUENCEVERIFY + _DROP + _push(key) + _CHECKSIG


def _push(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _push_number(number: int) -> bytes:
    """N(d): an opcode of its own up to 16, else little endian with room for the sign bit."""
    return bytes([0x50 + number]) if number <= 16 else _push(number.to_bytes(number.bit_length() // 8 + 1, "little"))


def _take_push(script: bytes) -> tuple[bytes | None, bytes]:
    """The data that a script pushes first and what follows; None for what is no push that an envelope may use.

    Those are up to 75 bytes directly, OP_PUSHDATA1 and the empty push OP_0; OP_1 to OP_16 are not among them.
    """
    opcode = script[0] if script else 0xFF
    if opcode == _PUSHDATA1 and len(script) > 1:
        start, length = 2, script[1]
    elif opcode < _PUSHDATA1:
        start, length = 1, opcode
    else:
        return None, script
    data = script[start : start + length]
    return (data if len(data) == length else None), script[start + length :]


def _script_number(data: bytes) -> int:
    """Little endian of any length; the top bit of the last byte is the sign."""
    magnitude = int.from_bytes(data, "little")
    sign = 1 << max(8 * len(data) - 1, 0)
    return magnitude if magnitude < sign or not data else sign - magnitude
