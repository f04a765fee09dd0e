"""SHA-256 within kernels equals hashlib's."""

import hashlib

import numba.core.config
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import sha256

INTERPRETED = bool(vars(numba.core.config)["DISABLE_JIT"])


@settings(deadline=None)
@given(st.binary(max_size=300) | st.integers(0, 300).map(bytes))
def test_double_digest_is_sha256_twice(message: bytes) -> None:
    data = np.zeros(len(message) + sha256.PADDING_ROOM, np.uint8)
    data[: len(message)] = np.frombuffer(message, np.uint8)
    out = np.zeros(8, np.uint32)
    sha256.double_digest(data, len(message), np.empty(8, np.uint32), out)
    assert out.tobytes() == hashlib.sha256(hashlib.sha256(message).digest()).digest() == sha256.double_sha256(message)


@pytest.mark.skipif(INTERPRETED, reason="arithmetic wraps around in compiled code only")
@settings(deadline=None)
@given(st.binary(min_size=64, max_size=64), st.integers(1, 5))
def test_both_compressions_agree_with_hashlib(block: bytes, blocks: int) -> None:
    """A message of whole blocks, followed by the block of its padding."""
    padding = b"\x80" + bytes(55) + (512 * blocks).to_bytes(8, "big")
    data = np.frombuffer(block * blocks + padding, np.uint8)
    expected = hashlib.sha256(block * blocks).digest()
    ways = [sha256.compress_portably] + [sha256.compress_by_instruction] * sha256.HAS_INSTRUCTIONS
    for compress in ways:
        state = sha256.INITIAL_STATE.copy()
        compress(state, data, blocks + 1)
        assert state.astype(">u4").tobytes() == expected
