"""SHA-256 within kernels equals hashlib's."""

import hashlib

import numba.core.config
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import sha256

INTERPRETED = bool(vars(numba.core.config)["DISABLE_JIT"])

ways = [sha256.double_hash_by_hashlib]
if not INTERPRETED:  # Arithmetic wraps around in compiled code only.
    ways += [sha256.double_hash_portably] + [sha256.double_hash_by_instruction] * sha256.HAS_INSTRUCTIONS


@settings(deadline=None)
@given(st.binary(max_size=300) | st.integers(0, 300).map(bytes))
def test_every_way_of_hashing_twice_agrees(message: bytes) -> None:
    assert sha256.double_hash in ways
    expected = hashlib.sha256(hashlib.sha256(message).digest()).digest()
    assert sha256.double_sha256(message) == expected
    data = np.frombuffer(message + b"\xff" * sha256.PADDING_ROOM, np.uint8).copy()
    blocks = sha256.pad(data, len(message))
    for way in ways:
        out = np.zeros(33, np.uint8)
        way(data, blocks, out[:32])
        assert out.tobytes() == expected + b"\x00"
    assert data[: len(message)].tobytes() == message
