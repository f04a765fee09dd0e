"""Accounts: output scripts by number, with the address of each written once."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.arena import Arena, Bytes, blobs
from engine.interner import Interner
from ingest.addresses import addresses_of
from ingest.networks import Network

Numbers = npt.NDArray[np.int32]


class Accounts:
    """Numbers of scripts that have an address, and of pool accounts, whose key is their name instead of a script.

    A pool's name begins with the letter P, which as an opcode begins no script with an address.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._keys = Interner()
        self._pools: list[int] = []
        self.addresses = Arena()

    def numbers(self, data: Bytes, starts: npt.NDArray[np.int64], sizes: Numbers) -> Numbers:
        """Numbers of the scripts `data[start : start + size]`, -1 where the size is 0."""
        if not sizes.any():
            return np.full(len(sizes), -1, np.int32)
        known = self._keys.count
        numbers = self._keys.intern(data, starts, sizes)
        if self._keys.count > known:
            self.addresses.extend(addresses_of(self._keys.arrow(pa.large_binary(), known), self._network))
        return numbers

    def number(self, address: str, script: bytes | None) -> int:
        """Number of one account; without script it is a pool's (R-SWAP-STATE-2)."""
        text = address.encode()
        number = self._keys.intern_one(text if script is None else script)
        if number == self.addresses.count:
            self.addresses.append(text)
            if script is None:
                self._pools.append(number)
        return number

    def account(self, number: int) -> tuple[str, bytes | None]:
        """(address, script) of the account so numbered."""
        address, key = self.addresses[number], self._keys[number]
        return address.decode(), None if key == address else key

    def restore(self, scripts: pa.ChunkedArray, addresses: pa.ChunkedArray) -> Numbers:
        """Numbers of accounts given by script, or by address where the script is null."""
        keys = pc.coalesce(scripts.cast(pa.large_binary()), addresses.cast(pa.large_binary()))
        data, offsets = blobs(keys)
        known = self._keys.count
        numbers = self._keys.intern(data, offsets[:-1], np.diff(offsets))
        _, first_rows = np.unique(numbers, return_index=True)
        new = first_rows[numbers[first_rows] >= known]
        self.addresses.extend(addresses.take(pa.array(new)).combine_chunks())
        pools = pc.is_null(scripts).to_numpy()
        self._pools.extend(numbers[new[pools[new]]].tolist())
        return numbers

    def take_addresses(self, numbers: Numbers) -> pa.Array:
        """Addresses as strings, null for negative numbers."""
        return self.addresses.take(numbers, pa.string())

    def take_scripts(self, numbers: Numbers) -> pa.Array:
        """Scripts as bytes, null for negative numbers and pool accounts."""
        if self._pools:
            numbers = np.where(np.isin(numbers, self._pools), np.int32(-1), numbers)
        return self._keys.take(numbers, pa.binary())
