"""Transactions that mint and burn W, with real scripts.

The trees are computed apart from the engine: by Python's own hash functions and another library's curve.

    vault = Vault("alice", 144)                        # alice's key, liquidation after 144 blocks
    mint = mint_w(vault, 1000, "bob")                  # reveals the vault's script, locks 1000 sats, credits bob
    burn = burn_w("bob", 1000, unlocks=vault)          # bob burns; the last input spends a lock output of the vault
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from typing import Final

from ecdsa import SECP256k1
from ecdsa.ellipticcurve import PointJacobi

from ingest.addresses import address_of
from ingest.networks import MAINNET, Network
from tests.helpers.builders import digest, make_tx, op_return, pay, script_of, spend
from tests.helpers.chain import Tx, TxIn, TxOut, compact_size, push

OPERATOR: Final = bytes.fromhex("d22eaaa259553e25fcdd2bba871702ca2c305bdf4384ce6b90db139700949fb5")
INTERNAL: Final = bytes.fromhex("50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee96802ac071")
SIGNATURE: Final = b"\x30" * 64
"""Stands for a signature, which the protocol does not examine."""


def tagged_hash(tag: str, data: bytes) -> bytes:
    """BIP-340's hash of `data` for one purpose."""
    prefix = sha256(tag.encode()).digest()
    return sha256(prefix + prefix + data).digest()


def leaf_hash(script: bytes) -> bytes:
    return tagged_hash("TapLeaf", b"\xc0" + compact_size(len(script)) + script)


def branch_hash(one: bytes, other: bytes) -> bytes:
    return tagged_hash("TapBranch", b"".join(sorted([one, other])))


def lift_x(key: bytes) -> PointJacobi:
    """The point of even y with that x. Raises ValueError when the curve has none."""
    x, p = int.from_bytes(key, "big"), SECP256k1.curve.p()
    square = (pow(x, 3, p) + 7) % p
    y = pow(square, (p + 1) // 4, p)
    if x >= p or y * y % p != square:
        raise ValueError("no point has this x")
    return PointJacobi(SECP256k1.curve, x, p - y if y % 2 else y, 1)


@cache
def tweaked(root: bytes) -> tuple[bytes, int]:
    """Output key and parity of the internal key that commits to a Merkle root."""
    tweak = int.from_bytes(tagged_hash("TapTweak", INTERNAL + root), "big")
    point = lift_x(INTERNAL) + SECP256k1.generator * tweak
    return point.x().to_bytes(32, "big"), point.y() % 2


@cache
def user_key(label: str) -> bytes:
    """The x-only public key of a label; `hex_` and 64 digits stand for themselves."""
    if label.startswith("hex_"):
        return bytes.fromhex(label.removeprefix("hex_"))
    x: int = (SECP256k1.generator * int.from_bytes(digest(label), "big")).x()
    return x.to_bytes(32, "big")


def script_number(value: int) -> bytes:
    """The shortest script number; the highest bit of the last byte is the sign."""
    if value == 0:
        return b""
    digits = bytearray(abs(value).to_bytes(abs(value).bit_length() // 8 + 1, "little"))
    digits[-1] |= 0x80 * (value < 0)
    return bytes(digits)


def push_number(value: int) -> bytes:
    """The shortest push of a number."""
    return bytes([0x50 + value]) if 1 <= value <= 16 else push(script_number(value))


def reveal_script(key: bytes, delay: bytes, marker: bytes = b"W_PROOF") -> bytes:
    """R-WRAP-ENV-1 with the delay as pushed."""
    return push(key) + b"\xac\x00\x63" + push(marker) + delay + b"\x68"


@dataclass(frozen=True)
class Vault:
    """A vault of the label's key with a delay in blocks."""

    user: str
    delay: int = 256

    @cached_property
    def key(self) -> bytes:
        return user_key(self.user)

    @cached_property
    def scripts(self) -> tuple[bytes, bytes, bytes]:
        """Multisig, liquidation, recovery."""
        user, operator = push(self.key), push(OPERATOR)
        return (
            user + b"\xac" + operator + b"\xba\x52\x87",
            push_number(self.delay) + b"\xb2\x75" + operator + b"\xac",
            push_number(65534) + b"\xb2\x75" + user + b"\xac",
        )

    @cached_property
    def merkle_root(self) -> bytes:
        multisig, liquidation, recovery = map(leaf_hash, self.scripts)
        return branch_hash(branch_hash(multisig, recovery), liquidation)

    @property
    def output_key(self) -> bytes:
        return tweaked(self.merkle_root)[0]

    @property
    def parity(self) -> int:
        return tweaked(self.merkle_root)[1]

    @property
    def script(self) -> bytes:
        """Script of the lock output."""
        return b"\x51\x20" + self.output_key

    @property
    def label(self) -> str:
        """The lock output's script as a label of `tests.helpers.builders`."""
        return f"hex_{self.script.hex()}"

    def address(self, network: Network = MAINNET) -> str:
        text = address_of(self.script, network)
        assert text is not None
        return text

    @cached_property
    def reveal(self) -> bytes:
        """The script that a mint reveals."""
        return reveal_script(self.key, push(script_number(self.delay)))

    @property
    def witness(self) -> Sequence[bytes]:
        """Spends an output that commits to nothing but the reveal script."""
        return reveal_witness(self.reveal)

    @property
    def commit(self) -> bytes:
        """Script of the output that the mint spends."""
        return b"\x51\x20" + tweaked(leaf_hash(self.reveal))[0]


def reveal_witness(script: bytes) -> Sequence[bytes]:
    """Signature, script and control block of a script path of one leaf."""
    _, parity = tweaked(leaf_hash(script))
    return SIGNATURE, script, bytes([0xC0 | parity]) + INTERNAL


def operation_w(name: str, amount: object, ticker: str = "W") -> TxOut:
    """The protocol output of a mint or a burn."""
    payload = {"p": "brc-20", "op": name, "tick": ticker, "amt": amount}
    return op_return(json.dumps(payload, separators=(",", ":")))


def mint_w(vault: Vault, sats: int, recipient: str, *, amount: object = None, salt: int = 0) -> Tx:
    """Lock so many satoshis and mint as many W, or what `amount` says. The initiator is the commit output's address."""
    commit = TxIn("22" * 32, 0, TxOut(sats + 10_000, vault.commit), witness=vault.witness)
    claim = operation_w("mint", str(sats) if amount is None else amount)
    return make_tx([commit], [claim, pay(recipient), TxOut(sats, vault.script)], salt)


def burn_w(sender: str, sats: int, *, unlocks: Vault | None = None, amount: object = None, salt: int = 0) -> Tx:
    """Burn so many W, or what `amount` says; the last of two inputs spends a lock output of `unlocks`."""
    locks = [] if unlocks is None else [TxIn("33" * 32, 2, TxOut(sats, unlocks.script), witness=(SIGNATURE,))]
    outputs = [operation_w("burn", str(sats) if amount is None else amount), TxOut(sats, script_of(sender))]
    return make_tx([spend(sender), *locks], outputs, salt)
