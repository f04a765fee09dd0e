"""Candidates from labels: what the engine's tests are written with.

An address is a label such as `bob`; it stands for a P2WPKH script made of the label's hash. Labels that begin with a
key of `LABEL_FORMS` stand for another form of script, so that a test can ask for an output without an address.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

import pyarrow as pa

from ingest.addresses import address_of
from ingest.candidates import CANDIDATES, HEADERS, Kind
from ingest.networks import REGTEST, Network
from tests.helpers import chain
from tests.helpers.chain import Tx, TxIn, TxOut

Blocks = Mapping[int, Sequence[Tx]]
"""Transactions by height, without coinbase; heights are consecutive."""

START_OF_TIME: Final = datetime(2024, 1, 1, tzinfo=UTC)
ORDINARY: Final = (b"\x30\x44\x01", b"\x02" * 33)
"""A witness whose signature commits to everything."""
SIG83: Final = (b"\x30\x44\x83", b"\x02" * 33)
"""A witness whose item 0 ends in SINGLE | ANYONECANPAY (R-CORE-MKT-1)."""


def digest(label: str) -> bytes:
    return sha256(label.encode()).digest()


LABEL_FORMS: Final[dict[str, Callable[[str], bytes]]] = {
    "p2pkh_": lambda label: b"\x76\xa9\x14" + digest(label)[:20] + b"\x88\xac",
    "p2sh_": lambda label: b"\xa9\x14" + digest(label)[:20] + b"\x87",
    "p2wsh_": lambda label: b"\x00\x20" + digest(label),
    "p2tr_": lambda label: b"\x51\x20" + digest(label),
    "p2pk_": lambda label: b"\x21\x02" + digest(label) + b"\xac",
    "bare_": lambda label: b"\x51\x21\x02" + digest(label) + b"\x51\xae",
    "hex_": lambda label: bytes.fromhex(label.removeprefix("hex_")),
}
WITHOUT_ADDRESS: Final = ("p2pk_", "bare_")


def script_of(label: str) -> bytes:
    """The script that a label stands for."""
    for prefix, script in LABEL_FORMS.items():
        if label.startswith(prefix):
            return script(label)
    return b"\x00\x14" + digest(label)[:20]


def address(label: str, network: Network = REGTEST) -> str:
    """The address of a label that has one."""
    text = address_of(script_of(label), network)
    assert text is not None, label
    return text


def pay(label: str, value: int = 546) -> TxOut:
    return TxOut(value, script_of(label))


def op_return(payload: str | bytes) -> TxOut:
    """An OP_RETURN output with one push of the payload."""
    return TxOut(0, chain.op_return(payload.encode() if isinstance(payload, str) else payload))


def spend(label: str, witness: Sequence[bytes] = ORDINARY) -> TxIn:
    """An input that spends an output of the label; which one does not matter to the engine."""
    return TxIn("11" * 32, 0, pay(label, 10_000), witness=witness)


def make_tx(inputs: Sequence[TxIn], outputs: Sequence[TxOut], salt: int = 0) -> Tx:
    """A transaction; `salt` tells apart two that are otherwise equal."""
    return Tx(inputs, outputs, locktime=salt)


def operation(payload: str | bytes, sender: str = "alice", recipient: str = "bob", salt: int = 0) -> Tx:
    """The usual shape: input 0 sends, output 0 is the payload, output 1 receives."""
    return make_tx([spend(sender)], [op_return(payload), pay(recipient)], salt)


def kind_of(tx: Tx) -> Kind | None:
    """What the prefilter makes of a transaction (R-CORE-BLK-3); None when it is no candidate."""
    nulldata = [output.script.hex() for output in tx.outputs if is_nulldata(output.script)]
    if any(len(script) >= 20 and b"brc-20".hex() in script for script in nulldata):
        return Kind.JSON
    return Kind.RUNESTONE if any(script.startswith("6a5d") for script in nulldata) else None


def is_nulldata(script: bytes) -> bool:
    """Whether a node calls the script `nulldata`; written apart from the engine's and the scanner's own."""
    if script[:1] != b"\x6a":
        return False
    rest = script[1:]
    while rest:
        opcode, rest = rest[0], rest[1:]
        if opcode > 0x60:
            return False
        width = {0x4C: 1, 0x4D: 2, 0x4E: 4}.get(opcode, 0)
        length = int.from_bytes(rest[:width], "little") if width else opcode * (opcode < 0x4C)
        if len(rest) < width + length:
            return False
        rest = rest[width + length :]
    return True


def block_hash(height: int, branch: str = "") -> str:
    return digest(f"block {height} {branch}").hex()


def headers(blocks: Blocks, branch: str = "") -> pa.Table:
    """HEADERS of the blocks; another `branch` makes other hashes."""
    return pa.Table.from_pylist(
        [
            {
                "height": height,
                "hash": block_hash(height, branch),
                "previous_hash": block_hash(height - 1, branch),
                "time": START_OF_TIME + timedelta(minutes=10 * height),
                "tx_count": len(txs) + 1,
            }
            for height, txs in blocks.items()
        ],
        HEADERS,
    )


def candidates(blocks: Blocks) -> pa.Table:
    """CANDIDATES of the blocks: what the prefilter lets through, each kind as the scanner archives it."""
    return pa.Table.from_pylist(
        [
            row
            for height, txs in blocks.items()
            for tx_index, tx in enumerate(txs, start=1)
            for row in _candidate_rows(height, tx_index, tx)
        ],
        CANDIDATES,
    )


def _candidate_rows(height: int, tx_index: int, tx: Tx) -> Iterable[dict[str, object]]:
    kind = kind_of(tx)
    if kind is None:
        return
    whole = kind is Kind.JSON
    yield {
        "height": height,
        "tx_index": tx_index,
        "txid": bytes.fromhex(tx.txid)[::-1],
        "kind": int(kind),
        "raw": tx.raw if whole else tx.stripped,
        "prevouts": b"".join(txin.spent.raw for txin in tx.inputs if txin.spent) if whole else b"",
    }
