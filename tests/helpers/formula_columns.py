"""Arrow columns of numbers that a formula gives, made without a loop."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from engine.schemas import AMOUNT
from ingest.addresses import addresses_of
from ingest.networks import REGTEST

Numbers = npt.NDArray[np.signedinteger]


def amounts(units: Numbers) -> pa.Array:
    """Amounts in tokens of numbers of 10^-8 units."""
    limbs = np.stack((units, units >> 63), axis=1)
    return pa.Array.from_buffers(AMOUNT, len(units), [None, pa.py_buffer(limbs)])


def named(names: list[str], numbers: Numbers) -> pa.Array:
    """The name of each number."""
    return pa.array(names).take(pa.array(numbers))


def hex_texts(random: np.random.Generator, count: int) -> pa.Array:
    """Texts of 64 random hex digits."""
    digits = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint16)
    offsets = np.arange(0, 64 * count + 1, 64, dtype=np.int32)
    data = digits[random.integers(0, 256, 32 * count, np.uint8)]
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def people(count: int) -> tuple[pa.Array, pa.Array]:
    """Scripts and addresses of witness keys."""
    programs = np.random.default_rng(0).integers(0, 256, (count, 22), np.uint8)
    programs[:, 0], programs[:, 1] = 0, 20
    offsets = np.arange(0, 22 * count + 1, 22, dtype=np.int32)
    scripts = pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(offsets), pa.py_buffer(programs)])
    return scripts, addresses_of(scripts, REGTEST).cast(pa.string())
