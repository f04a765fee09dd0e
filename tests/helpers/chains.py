"""Long chains of ordinary traffic, made fast: what benchmarks and the memory test judge.

Both are deterministic in their arguments. Transactions have one input and two outputs, the payload and a recipient;
ids are numbers, not hashes of the transactions. Blocks hold `BLOCK` transactions.

`runestone_chain`: 95 % runestone mints of STONES to 200,000 addresses, 5 % JSON mints of one token.
`mixed_chain`: 60 % mints, 39 % transfers, 1 % refused transfers of 200 tokens, each held by a twentieth of the
addresses: 2,500,000 balances at most by default. A transfer spends what an earlier mint gave; amounts have 800
spellings a token, so that 160,600 payloads are distinct.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.candidates import CANDIDATES, HEADERS, Kind
from ingest.compiled import compiled

BLOCK: Final = 4_000
FIRST_HEIGHT: Final = 1
TOKENS: Final = 200
_SPELLINGS: Final = 800

Batch = tuple[pa.Table, pa.Table]
Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

_INPUT: Final = b"\x02\x00\x00\x00" + b"\x01" + bytes(36) + b"\x00" + b"\xfd\xff\xff\xff" + b"\x02"
_SEGWIT_INPUT: Final = b"\x02\x00\x00\x00\x00\x01" + _INPUT[4:]
_RECIPIENT: Final = b"\x22\x02" + bytes(6) + b"\x16\x00\x14"
_WITNESS: Final = b"\x02\x47" + b"\x30" * 70 + b"\x01" + b"\x21" + b"\x02" * 33
_RUNESTONE: Final = bytes(8) + b"\x0b\x6a\x5d\x08\x14\x01\x16\x02\x14\x03\x16\x04"


def runestone_chain(operations: int, batch: int = 100_000, addresses: int = 200_000) -> Iterator[Batch]:
    """(HEADERS, CANDIDATES) batch by batch; the first block deploys the token."""
    random = np.random.default_rng(1)
    programs = random.integers(0, 256, (addresses, 20), np.uint8)
    yield _batch(0, _catalogue([_deploy(0)]), np.zeros(1, np.int64), programs, np.zeros(1, int), np.zeros(1, int))
    catalogue = _catalogue([f'{{"p":"brc-20","op":"mint","tick":"{_ticker(0)}","amt":"1000"}}'])
    done = BLOCK
    while done < operations:
        rows = min(batch, operations - done)
        payloads = np.where(random.random(rows) < 0.95, -1, 0)
        parties = random.integers(0, addresses, (2, rows))
        yield _batch(done, catalogue, payloads, programs, *parties)
        done += -(-rows // BLOCK) * BLOCK


def mixed_chain(operations: int, batch: int = 100_000, addresses: int = 250_000) -> Iterator[Batch]:
    """(HEADERS, CANDIDATES) batch by batch; the first block deploys the tokens."""
    random = np.random.default_rng(2)
    programs = random.integers(0, 256, (addresses, 20), np.uint8)
    deploys = np.arange(TOKENS)
    yield _batch(0, _catalogue([_deploy(n) for n in range(TOKENS)]), deploys, programs, deploys, deploys)
    catalogue = _catalogue(
        [f'{{"p":"brc-20","op":"mint","tick":"{_ticker(n)}","amt":"1000"}}' for n in range(TOKENS)]
        + [
            f'{{"p":"brc-20","op":"transfer","tick":"{_ticker(n)}","amt":"{k / 1000}"}}'
            for n in range(TOKENS)
            for k in range(1, _SPELLINGS + 1)
        ]
        + [f'{{"p":"brc-20","op":"transfer","tick":"{_ticker(n)}","amt":"1000000000"}}' for n in range(TOKENS)]
    )
    refused = TOKENS * (1 + _SPELLINGS)
    minted: list[tuple[Numbers, Numbers]] = []
    done = BLOCK
    while done < operations:
        rows = min(batch, operations - done)
        tokens = (TOKENS * random.random(rows) ** 2).astype(np.int64)
        senders = random.integers(0, addresses, rows)
        fate = random.random(rows)
        payloads = tokens.copy()
        spends = np.flatnonzero(fate >= 0.6)
        if minted:
            earlier_tokens, earlier_owners = minted[random.integers(len(minted))]
            chosen = random.integers(0, len(earlier_tokens), len(spends))
            tokens[spends], senders[spends] = earlier_tokens[chosen], earlier_owners[chosen]
            spelling = random.integers(0, _SPELLINGS, len(spends))
            payloads[spends] = TOKENS + tokens[spends] * _SPELLINGS + spelling
            payloads[fate >= 0.99] = refused + tokens[fate >= 0.99]
        recipients = (tokens * 7919 + random.integers(0, addresses // 20, rows)) % addresses
        mints = fate < 0.6
        if len(minted) < 64:
            minted.append((tokens[mints], recipients[mints]))
        yield _batch(done, catalogue, payloads, programs, senders, recipients)
        done += -(-rows // BLOCK) * BLOCK


def _ticker(number: int) -> str:
    return f"TOK{number:03d}"


def _deploy(number: int) -> str:
    return f'{{"p":"brc-20","op":"deploy","tick":"{_ticker(number)}","m":"100000000000","l":"1000"}}'


def _catalogue(texts: list[str]) -> tuple[Bytes, Numbers]:
    """Outputs that carry the texts, one after the other, and where each begins."""
    outputs = [
        bytes(8) + bytes([len(script)]) + script for script in (b"\x6a" + _push(text.encode()) for text in texts)
    ]
    sizes = np.array([0, *map(len, outputs)], np.int64)
    return np.frombuffer(b"".join(outputs), np.uint8), np.cumsum(sizes)


def _push(data: bytes) -> bytes:
    return (b"" if len(data) < 76 else b"\x4c") + bytes([len(data)]) + data


def _batch(
    done: int, catalogue: tuple[Bytes, Numbers], payloads: Any, programs: Bytes, senders: Any, recipients: Any
) -> Batch:
    """One batch of transactions; a payload of -1 is a runestone."""
    rows = len(payloads)
    first = done // BLOCK + FIRST_HEIGHT
    outputs, starts = catalogue
    is_json = payloads >= 0
    known = np.maximum(payloads, 0)
    fixed = len(_RECIPIENT) + 20 + 4
    sizes = np.where(
        is_json,
        len(_SEGWIT_INPUT) + starts[known + 1] - starts[known] + len(_WITNESS) + fixed,
        len(_INPUT) + len(_RUNESTONE) + fixed,
    )
    raw_offsets = np.append(0, np.cumsum(sizes)).astype(np.int32)
    raw = np.empty(int(raw_offsets[-1]), np.uint8)
    spent_offsets = np.append(0, np.cumsum(is_json * (len(_RECIPIENT) + 20))).astype(np.int32)
    spent = np.empty(int(spent_offsets[-1]), np.uint8)
    parts = [
        np.frombuffer(part, np.uint8) for part in (_INPUT, _SEGWIT_INPUT, _RUNESTONE, _RECIPIENT, _WITNESS, bytes(4))
    ]
    _write(raw, raw_offsets, spent, spent_offsets, payloads, senders, recipients, outputs, starts, programs, *parts)
    txids = np.zeros((rows, 4), "<u8")
    txids[:, 0] = np.arange(done, done + rows)
    txids[:, 1:] = (txids[:, :1] + 1) * np.array([0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F], "<u8")
    places = np.arange(rows)
    candidates = pa.Table.from_arrays(
        [
            pa.array((first + places // BLOCK).astype(np.int32)),
            pa.array((1 + places % BLOCK).astype(np.int32)),
            pa.Array.from_buffers(pa.binary(32), rows, [None, pa.py_buffer(txids)]),
            pa.array(np.where(is_json, np.uint8(Kind.JSON), np.uint8(Kind.RUNESTONE))),
            pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(raw_offsets), pa.py_buffer(raw)]),
            pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(spent_offsets), pa.py_buffer(spent)]),
        ],
        schema=CANDIDATES,
    )
    return _headers(first, -(-rows // BLOCK)), candidates


def _headers(first: int, blocks: int) -> pa.Table:
    heights = range(first, first + blocks)
    return pa.Table.from_arrays(
        [
            pa.array(heights, pa.int32()),
            pa.array([_hash(height) for height in heights]),
            pa.array([_hash(height - 1) for height in heights]),
            pa.array([1_700_000_000 + 600 * height for height in heights], pa.timestamp("s", tz="UTC")),
            pa.array(np.full(blocks, BLOCK + 1, np.int32)),
        ],
        schema=HEADERS,
    )


def _hash(height: int) -> str:
    return sha256(b"block %d" % height).hexdigest()


@compiled
def _write(
    raw: Any,
    raw_offsets: Any,
    spent: Any,
    spent_offsets: Any,
    payloads: Any,
    senders: Any,
    recipients: Any,
    outputs: Any,
    starts: Any,
    programs: Any,
    plain_input: Any,
    segwit_input: Any,
    runestone: Any,
    recipient: Any,
    witness: Any,
    locktime: Any,
) -> None:
    for row in range(payloads.size):
        at = np.int64(raw_offsets[row])
        payload = payloads[row]
        if payload < 0:
            at = _put(raw, at, plain_input, 0, plain_input.size)
            at = _put(raw, at, runestone, 0, runestone.size)
        else:
            at = _put(raw, at, segwit_input, 0, segwit_input.size)
            at = _put(raw, at, outputs, starts[payload], starts[payload + 1])
        at = _put(raw, at, recipient, 0, recipient.size)
        at = _put(raw, at, programs[recipients[row]], 0, 20)
        if payload >= 0:
            at = _put(raw, at, witness, 0, witness.size)
            here = _put(spent, np.int64(spent_offsets[row]), recipient, 0, recipient.size)
            _put(spent, here, programs[senders[row]], 0, 20)
        _put(raw, at, locktime, 0, locktime.size)


@compiled
def _put(target: Any, at: Any, source: Any, first: Any, last: Any) -> Any:
    for k in range(first, last):
        target[at + k - first] = source[k]
    return at + last - first
