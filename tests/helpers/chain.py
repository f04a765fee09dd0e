"""Transactions and blocks in pure Python, serialised as the consensus rules say; valid merkle roots and proof of work.

Ids and hashes are 64 hex digits in display order, values are satoshi. Nothing here is shared with the code under test.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

REGTEST_BITS = 0x207FFFFF
COINBASE_TXID = "00" * 32
SUBSIDY = 50 * 10**8


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def display(digest: bytes) -> str:
    """A 32-byte digest in display order."""
    return digest[::-1].hex()


def compact_size(n: int) -> bytes:
    if n < 0xFD:
        return bytes([n])
    if n <= 0xFFFF:
        return b"\xfd" + struct.pack("<H", n)
    if n <= 0xFFFFFFFF:
        return b"\xfe" + struct.pack("<I", n)
    return b"\xff" + struct.pack("<Q", n)


def push(data: bytes) -> bytes:
    """The script that pushes `data` with the shortest of the length-prefixed opcodes."""
    if len(data) <= 75:
        return bytes([len(data)]) + data
    if len(data) <= 0xFF:
        return b"\x4c" + bytes([len(data)]) + data
    return b"\x4d" + struct.pack("<H", len(data)) + data


def op_return(payload: bytes) -> bytes:
    """Output script OP_RETURN followed by one push."""
    return b"\x6a" + push(payload)


@dataclass(frozen=True)
class TxOut:
    value: int
    script: bytes

    @property
    def raw(self) -> bytes:
        return struct.pack("<q", self.value) + compact_size(len(self.script)) + self.script


@dataclass(frozen=True)
class TxIn:
    """`spent` is the output that the outpoint names; None only in a coinbase."""

    txid: str
    vout: int
    spent: TxOut | None
    script_sig: bytes = b""
    witness: Sequence[bytes] = ()
    sequence: int = 0xFFFFFFFD

    @property
    def raw(self) -> bytes:
        outpoint = bytes.fromhex(self.txid)[::-1] + struct.pack("<I", self.vout)
        return outpoint + compact_size(len(self.script_sig)) + self.script_sig + struct.pack("<I", self.sequence)


@dataclass(frozen=True)
class Tx:
    inputs: Sequence[TxIn]
    outputs: Sequence[TxOut]
    version: int = 2
    locktime: int = 0

    @cached_property
    def stripped(self) -> bytes:
        """Serialisation without witness: what the txid hashes."""
        return struct.pack("<i", self.version) + self._body + struct.pack("<I", self.locktime)

    @cached_property
    def raw(self) -> bytes:
        if not any(txin.witness for txin in self.inputs):
            return self.stripped
        stacks = b"".join(
            compact_size(len(txin.witness)) + b"".join(compact_size(len(item)) + item for item in txin.witness)
            for txin in self.inputs
        )
        return struct.pack("<i", self.version) + b"\x00\x01" + self._body + stacks + struct.pack("<I", self.locktime)

    @property
    def _body(self) -> bytes:
        inputs = compact_size(len(self.inputs)) + b"".join(txin.raw for txin in self.inputs)
        return inputs + compact_size(len(self.outputs)) + b"".join(txout.raw for txout in self.outputs)

    @cached_property
    def txid(self) -> str:
        return display(sha256d(self.stripped))

    @cached_property
    def wtxid(self) -> str:
        return display(sha256d(self.raw))

    @property
    def is_coinbase(self) -> bool:
        return self.inputs[0].txid == COINBASE_TXID

    def spend(self, vout: int, *, script_sig: bytes = b"", witness: Sequence[bytes] = ()) -> TxIn:
        """An input that spends output `vout` of this transaction."""
        return TxIn(self.txid, vout, self.outputs[vout], script_sig, witness)


def make_tx(inputs: Sequence[TxIn], outputs: Sequence[TxOut | tuple[int, bytes]], **fields: int) -> Tx:
    """A transaction; outputs may be (value, script) pairs, `fields` are version and locktime."""
    return Tx(inputs, [txout if isinstance(txout, TxOut) else TxOut(*txout) for txout in outputs], **fields)


def make_coinbase(height: int, outputs: Sequence[TxOut | tuple[int, bytes]] = (), tag: bytes = b"") -> Tx:
    """A coinbase that states its height (BIP-34); `tag` tells branches apart."""
    stated = push(height.to_bytes((height.bit_length() // 8) + 1, "little"))
    coinbase = TxIn(COINBASE_TXID, 0xFFFFFFFF, None, stated + push(tag), sequence=0xFFFFFFFF)
    return make_tx([coinbase], outputs or [TxOut(SUBSIDY, b"\x51")])


def merkle_root(ids: Sequence[str]) -> str:
    """Merkle root of txids or wtxids."""
    row = [bytes.fromhex(id_)[::-1] for id_ in ids]
    while len(row) > 1:
        if len(row) % 2:
            row.append(row[-1])
        row = [sha256d(left + right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return display(row[0])


@dataclass(frozen=True)
class Block:
    height: int
    previous_hash: str
    time: int
    nonce: int
    txs: Sequence[Tx]
    version: int = 0x20000000
    bits: int = REGTEST_BITS

    @cached_property
    def merkle_root(self) -> str:
        return merkle_root([tx.txid for tx in self.txs])

    @cached_property
    def header(self) -> bytes:
        links = bytes.fromhex(self.previous_hash)[::-1] + bytes.fromhex(self.merkle_root)[::-1]
        return struct.pack("<i", self.version) + links + struct.pack("<III", self.time, self.bits, self.nonce)

    @cached_property
    def hash(self) -> str:
        return display(sha256d(self.header))

    @cached_property
    def raw(self) -> bytes:
        return self.header + compact_size(len(self.txs)) + b"".join(tx.raw for tx in self.txs)

    @cached_property
    def spent(self) -> bytes:
        """Outputs spent, as the REST call `spenttxouts` answers (`SpentFormat.TXOUTS`)."""
        lists = [[] if tx.is_coinbase else [txin.spent for txin in tx.inputs] for tx in self.txs]
        return compact_size(len(lists)) + b"".join(spent_list(spent) for spent in lists)

    @property
    def work(self) -> int:
        return work_of(self.bits)


def spent_list(spent: Sequence[TxOut | None]) -> bytes:
    """One transaction's part of `Block.spent`."""
    outputs = [txout for txout in spent if txout is not None]
    if len(outputs) != len(spent):
        raise ValueError("an input that is not a coinbase's needs the output it spends")
    return compact_size(len(outputs)) + b"".join(txout.raw for txout in outputs)


def target_of(bits: int) -> int:
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    return mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)


def work_of(bits: int) -> int:
    """Expected hashes that a block of this difficulty takes: what chains are compared by."""
    return 2**256 // (target_of(bits) + 1)


def make_block(
    previous_hash: str,
    height: int,
    txs: Sequence[Tx] = (),
    time: int = 0,
    *,
    tag: bytes = b"",
    bits: int = REGTEST_BITS,
) -> Block:
    """A block that hashes below its target. A coinbase is put first unless `txs` begins with one; where a transaction
    has a witness the coinbase commits to it (BIP-141). Without `time`, one minute a block from a fixed start."""
    coinbase, rest = (txs[0], txs[1:]) if txs and txs[0].is_coinbase else (make_coinbase(height, tag=tag), txs)
    if any(tx.raw != tx.stripped for tx in rest):
        coinbase = _committed(coinbase, rest)
    nonce = 0
    while True:
        block = Block(height, previous_hash, time or 1_700_000_000 + 60 * height, nonce, [coinbase, *rest], bits=bits)
        if int(block.hash, 16) <= target_of(bits):
            return block
        nonce += 1


def _committed(coinbase: Tx, rest: Sequence[Tx]) -> Tx:
    root = bytes.fromhex(merkle_root([COINBASE_TXID, *(tx.wtxid for tx in rest)]))[::-1]
    reserved = b"\x00" * 32
    commitment = TxOut(0, b"\x6a\x24\xaa\x21\xa9\xed" + sha256d(root + reserved))
    first = coinbase.inputs[0]
    witnessed = TxIn(first.txid, first.vout, None, first.script_sig, [reserved], first.sequence)
    return Tx([witnessed], [*coinbase.outputs, commitment], coinbase.version, coinbase.locktime)
