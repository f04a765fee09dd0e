"""Blocks of the size and mix that mainnet has had since 2024, for measurements. The mix is stated in `MIX`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from random import Random

from tests.helpers.blockfiles import BlockAndSpent
from tests.helpers.chain import Tx, TxIn, TxOut, make_block, make_tx, op_return, push

BLOCK_SIZE = 1_650_000
RUNESTONES, JSONS, INSCRIPTIONS = 0.25, 0.01, 0.03
MIX = (
    f"blocks of {BLOCK_SIZE / 1e6} MB, {RUNESTONES:.0%} of transactions runestones, {JSONS:.0%} JSON operations, "
    f"{INSCRIPTIONS:.0%} with a large witness, 1 to 8 inputs, 1 to 6 outputs"
)
_TEMPLATES = 1_500


def make_blocks(number: int, seed: int = 1) -> Iterator[BlockAndSpent]:
    """Linked blocks from height 1 on top of regtest's genesis block, which is not among them."""
    random = Random(seed)
    templates = [_transaction(random) for _ in range(_TEMPLATES)]
    locktimes = count(1)
    previous = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
    for height in range(1, number + 1):
        txs, size = [], 0
        while size < BLOCK_SIZE:
            # Distinct by locktime: drawing everything anew would take minutes.
            txs.append(replace(random.choice(templates), locktime=next(locktimes)))
            size += len(txs[-1].raw)
        block = make_block(previous, height, txs)
        previous = block.hash
        yield block.raw, block.spent


def _transaction(random: Random) -> Tx:
    inputs = [_input(random) for _ in range(random.choices(range(1, 9), (55, 22, 8, 5, 4, 3, 2, 1))[0])]
    outputs = [
        TxOut(random.randrange(546, 10**9), _script(random))
        for _ in range(random.choices(range(1, 7), (30, 45, 12, 6, 4, 3))[0])
    ]
    draw = random.random()
    if draw < RUNESTONES:
        outputs.append(TxOut(0, b"\x6a\x5d" + push(random.randbytes(random.randrange(4, 24)))))
    elif draw < RUNESTONES + JSONS:
        outputs.insert(
            0, TxOut(0, op_return(b'{"p":"brc-20","op":"mint","tick":"WTF%d","amt":"1000"}' % random.randrange(9)))
        )
    elif draw < RUNESTONES + JSONS + INSCRIPTIONS:
        inputs[0] = replace(inputs[0], witness=[random.randbytes(64), random.randbytes(random.randrange(400, 9000))])
    return make_tx(inputs, outputs)


def _script(random: Random) -> bytes:
    forms: Sequence[tuple[bytes, int, bytes]] = (
        (b"\x00\x14", 20, b""),
        (b"\x51\x20", 32, b""),
        (b"\x76\xa9\x14", 20, b"\x88\xac"),
        (b"\xa9\x14", 20, b"\x87"),
        (b"\x00\x20", 32, b""),
    )
    head, size, tail = random.choices(forms, (42, 35, 10, 10, 3))[0]
    return head + random.randbytes(size) + tail


def _input(random: Random) -> TxIn:
    spent = TxOut(random.randrange(546, 10**9), _script(random))
    signature_and_key = [random.randbytes(72), random.randbytes(33)]
    script_sig, witness = b"", signature_and_key
    if spent.script[0] == 0x51:
        witness = [random.randbytes(64)]
    elif spent.script[0] == 0x76:
        script_sig, witness = b"".join(push(item) for item in signature_and_key), []
    elif spent.script[0] == 0xA9:
        script_sig = push(b"\x00\x14" + random.randbytes(20))
    return TxIn(random.randbytes(32).hex(), random.randrange(4), spent, script_sig, witness)
