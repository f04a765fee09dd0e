"""Keys and hashes of Taproot outputs (BIP 340, BIP 341), as far as a vault's address needs them.

Integers modulo a prime and nothing else: the curve is y² = x³ + 7, its arithmetic that of a schoolbook.
"""

from hashlib import sha256
from typing import Final

Point = tuple[int, int]

_P: Final = 2**256 - 2**32 - 977
"""The field's prime."""
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_GENERATOR: Final[Point] = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def lift_x(key: bytes) -> Point | None:
    """The point with this x and an even y; None when the curve has none, so that the 32 bytes are no public key."""
    x = int.from_bytes(key)
    square = (pow(x, 3, _P) + 7) % _P
    y = pow(square, (_P + 1) // 4, _P)
    if x >= _P or y * y % _P != square:
        return None
    return x, y if y % 2 == 0 else _P - y


def tagged_hash(tag: str, data: bytes) -> bytes:
    """SHA-256 that no hash for another purpose collides with."""
    prefix = sha256(tag.encode()).digest()
    return sha256(prefix + prefix + data).digest()


def leaf_hash(version: int, script: bytes) -> bytes:
    """Hash of a leaf; its script is shorter than 253 bytes, so that its length takes one byte."""
    return tagged_hash("TapLeaf", bytes([version, len(script)]) + script)


def branch_hash(one: bytes, other: bytes) -> bytes:
    """Hash of two children, in whichever order they are given."""
    return tagged_hash("TapBranch", min(one, other) + max(one, other))


def output_key(internal: bytes, root: bytes) -> bytes:
    """x of the internal key tweaked by a script tree's root. Raises ValueError for an internal key off the curve."""
    base = lift_x(internal)
    if base is None:
        raise ValueError("the internal key is no point of the curve")
    tweak = int.from_bytes(tagged_hash("TapTweak", internal + root)) % _ORDER
    tweaked = _add(base, _multiply(_GENERATOR, tweak))
    assert tweaked is not None, "a hash would have to be the negative of the internal key's logarithm"
    return tweaked[0].to_bytes(32)


def _add(one: Point | None, other: Point | None) -> Point | None:
    """Sum of two points; None is the point at infinity."""
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    slope = 3 * x1 * x1 * pow(2 * y1, -1, _P) if one == other else (y2 - y1) * pow(x2 - x1, -1, _P)
    x3 = (slope * slope - x1 - x2) % _P
    return x3, (slope * (x1 - x3) - y1) % _P


def _multiply(point: Point, factor: int) -> Point | None:
    """Doubling and adding, bit by bit."""
    total: Point | None = None
    addend: Point | None = point
    while factor:
        if factor & 1:
            total = _add(total, addend)
        addend = _add(addend, addend)
        factor >>= 1
    return total
