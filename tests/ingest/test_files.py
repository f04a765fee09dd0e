"""Block files as a source: whatever their order and state, the best chain's blocks or an error with a name."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import (
    ChainMoved,
    CorruptBlock,
    CorruptFiles,
    IngestError,
    MissingPrevouts,
    NoBlockFiles,
    Pruned,
    WrongNetwork,
)
from ingest.files import BlockFiles
from ingest.networks import MAINNET, REGTEST, SIGNET, Network
from ingest.scan import Scanned, scan_blocks
from ingest.source import RawBlock, Source, Tip
from tests.helpers import recorded_chain
from tests.helpers.blockfiles import (
    KEY,
    BlockAndSpent,
    append_block,
    apply_key,
    block_record,
    end_of_records,
    undo_record,
    write_block_files,
)
from tests.helpers.chain import Block, Tx, TxIn, TxOut, make_block, make_tx, op_return, sha256d

TIP = 147
BLK = "blk00000.dat"
REV = "rev00000.dat"
PAYLOAD = b'{"p":"brc-20","op":"mint","tick":"WTF","amt":"1"}'
keys = pytest.mark.parametrize("key", [None, KEY], ids=["plain", "xor"])


def pairs(blocks: list[RawBlock] | None = None) -> list[BlockAndSpent]:
    return [(bytes(block.raw), bytes(block.spent)) for block in blocks or recorded_chain.blocks()]


def made(blocks: list[Block]) -> list[BlockAndSpent]:
    return [(block.raw, block.spent) for block in blocks]


def write(path: Path, blocks: list[BlockAndSpent], key: bytes | None = None, **layout: Any) -> Path:
    write_block_files(path, blocks, network=REGTEST, xor=key, **layout)
    return path


def scan(source: Source, start: int = 0) -> Scanned:
    return scan_blocks(source.blocks(start, source.tip().height + 1))


def content(directory: Path, network: Network = REGTEST) -> Scanned:
    """Everything that a source over the folder serves."""
    with closing(BlockFiles(directory, network)) as source:
        return scan(source)


@pytest.fixture(scope="module")
def expected() -> Scanned:
    """What the same chain gives as the node's JSON describes it."""
    return scan_blocks(recorded_chain.blocks())


Opener = Callable[[Path], BlockFiles]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens sources, and closes them in the end."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(closing(BlockFiles(folder, REGTEST)))


@pytest.fixture
def genesis() -> BlockAndSpent:
    return pairs()[0]


def assert_equal(found: Scanned, expected: Scanned) -> None:
    assert found.headers.equals(expected.headers)
    assert found.candidates.equals(expected.candidates)


def branch(length: int, *, on: Block | None = None, tag: bytes = b"", seed: int = 1) -> list[Block]:
    """Blocks on top of one, or of the genesis block, each with a mint that spends outputs of all compressed forms."""
    blocks: list[Block] = []
    hash_, below = (on.hash, on.height) if on else (REGTEST.genesis_hash, 0)
    for height in range(below + 1, below + length + 1):
        blocks.append(make_block(hash_, height, [mint(height, random.Random(f"{seed} {height} {tag!r}"))], tag=tag))
        hash_ = blocks[-1].hash
    return blocks


def mint(height: int, random: random.Random) -> Tx:
    key_hash, script_hash = (
        b"\x76\xa9\x14" + random.randbytes(20) + b"\x88\xac",
        b"\xa9\x14" + random.randbytes(20) + b"\x87",
    )
    scripts = [key_hash, script_hash, b"\x00\x14" + random.randbytes(20), b"\x51", b"", random.randbytes(300)]
    spent = [TxOut(random.choice([0, 546, 10**8, random.randrange(21 * 10**14)]), script) for script in scripts]
    inputs = [TxIn("11" * 32, i, output, witness=[random.randbytes(64)]) for i, output in enumerate(spent)]
    return make_tx(inputs, [TxOut(0, op_return(PAYLOAD)), TxOut(height, scripts[2])])


def test_the_folder_that_the_node_left_gives_what_its_json_gives(tmp_path: Path, expected: Scanned) -> None:
    """Bitcoin Core's own files, XORed and padded: byte-identical candidates through either source."""
    assert_equal(content(recorded_chain.unpack(tmp_path)), expected)
    assert expected.candidates.num_rows > 50


@keys
@pytest.mark.parametrize("order", ["kept", "reversed", "shuffled"])
@pytest.mark.parametrize("per_file", [1_000, 37], ids=["one-file", "several-files"])
def test_order_key_and_number_of_files_do_not_matter(
    tmp_path: Path, expected: Scanned, key: bytes | None, order: str, per_file: int
) -> None:
    blocks = pairs()
    undo_order = list(range(len(blocks)))
    if order == "reversed":
        blocks.reverse()
    if order == "shuffled":
        random.Random(5).shuffle(blocks)
        random.Random(6).shuffle(undo_order)
    assert_equal(content(write(tmp_path, blocks, key, per_file=per_file, undo_order=undo_order)), expected)


def test_a_block_stored_twice_counts_once(tmp_path: Path, expected: Scanned) -> None:
    blocks = pairs()
    assert_equal(content(write(tmp_path, [*blocks[:50], *blocks[20:], blocks[3]])), expected)


def test_padding_of_every_length_is_no_record(tmp_path: Path, genesis: BlockAndSpent) -> None:
    blocks = [genesis, *made(branch(2))]
    for padding in [*range(10), 5000]:
        folder = write(tmp_path / str(padding), blocks, KEY, padding=padding)
        assert content(folder).headers.num_rows == 3


def test_the_branch_with_more_work_wins_though_it_is_shorter(
    tmp_path: Path, opened: Opener, genesis: BlockAndSpent
) -> None:
    easy = branch(3, tag=b"easy")
    hard = [make_block(REGTEST.genesis_hash, 1, tag=b"hard", bits=0x201FFFFF)]
    assert hard[0].work > sum(block.work for block in easy)
    folder = write(tmp_path, [genesis, *made(easy + hard)])
    assert opened(folder).tip() == Tip(1, hard[0].hash)


def test_a_stale_branch_is_passed_over_until_it_has_more_work(
    tmp_path: Path, opened: Opener, genesis: BlockAndSpent
) -> None:
    """Equal work does not displace what was seen first; more work does."""
    main = branch(5)
    stale = branch(3, on=main[2], tag=b"stale")
    folder = write(tmp_path, [genesis, *made([*stale[:1], *main])], KEY)
    source = opened(folder)
    assert source.tip() == Tip(5, main[4].hash)
    assert [block.hash for block in source.blocks(1, 6)] == [block.hash for block in main]

    append_block(folder, made(stale)[1], network=REGTEST)
    assert source.tip() == Tip(5, main[4].hash)

    append_block(folder, made(stale)[2], network=REGTEST)
    view = source.blocks(3, 6)
    assert source.tip() == Tip(6, stale[2].hash)
    assert [block.hash for block in source.blocks(1, 7)] == [block.hash for block in main[:3] + stale]
    assert [source.hash_at(height) for height in (3, 4, 7)] == [main[2].hash, stale[0].hash, None]
    assert [block.hash for block in view] == [block.hash for block in main[2:]], "one view of the chain"


def test_blocks_appear_as_the_node_writes_them(tmp_path: Path, opened: Opener, expected: Scanned) -> None:
    blocks = pairs()
    folder = write(tmp_path, blocks[:100], KEY)
    source = opened(folder)
    assert source.tip().height == 99
    for height in range(100, 120):
        append_block(folder, blocks[height], network=REGTEST)
        assert source.tip().height == height
    write_block_files(folder, blocks[120:], network=REGTEST, xor=KEY, first_file=1)
    assert_equal(scan(source), expected)


def test_a_block_waits_for_its_parent(tmp_path: Path, opened: Opener) -> None:
    blocks = pairs()
    folder = write(tmp_path, [*blocks[:90], *blocks[91:]])
    source = opened(folder)
    assert source.tip().height == 89
    append_block(folder, blocks[90], network=REGTEST)
    assert source.tip().height == TIP


def test_a_block_counts_once_the_node_has_connected_it(tmp_path: Path, opened: Opener, genesis: BlockAndSpent) -> None:
    """Its undo data tells. A block that the node refuses never gets any."""
    blocks = [genesis, *made(branch(3))]
    folder = write(tmp_path, blocks, undo_order=[0, 1, 2])
    source = opened(folder)
    assert source.tip().height == 2
    assert source.hash_at(3) is None
    with pytest.raises(ChainMoved, match="ends at height 2"):
        source.blocks(1, 4)
    write_block_files(folder, blocks, network=REGTEST)
    assert source.tip().height == 3


@keys
@pytest.mark.parametrize("padding", [0, 3, 5000])
def test_a_record_half_written_is_not_there_yet(
    tmp_path: Path, opened: Opener, genesis: BlockAndSpent, key: bytes | None, padding: int
) -> None:
    """Cut everywhere in its head and header, and at places in its transactions."""
    (last,) = made(branch(1, tag=b"last", on=(first := branch(1)[0])))
    block = block_record(last[0], REGTEST)
    folder = write(tmp_path, [genesis, *made([first])], key, padding=0)
    whole = (folder / BLK).read_bytes()
    written = len(block.rstrip(b"\x00"))  # What zeros follow cannot be told from padding.
    for cut in [*range(1, 100), *range(100, written, 41), written - 1]:
        (folder / BLK).write_bytes(whole + apply_key(block[:cut], key, len(whole)) + bytes(padding))
        source = opened(folder)
        assert source.tip() == Tip(1, first.hash), cut
        (folder / BLK).write_bytes(whole + bytes(padding))
        append_block(folder, last, network=REGTEST)
        assert scan(source).headers.num_rows == 3


@keys
def test_undo_data_half_written_is_not_there_yet(
    tmp_path: Path, opened: Opener, genesis: BlockAndSpent, key: bytes | None
) -> None:
    """Cut everywhere in its head and at places behind; the same source sees it completed."""
    blocks = [genesis, *made(branch(3))]
    folder = write(tmp_path, blocks, key)
    (whole, end) = (folder / REV).read_bytes(), end_of_records(folder / REV, key)
    first = end - len(undo_record(*blocks[3], REGTEST))
    for cut in [*range(first, first + 30), *range(first + 30, end, 17), end - 1]:
        (folder / REV).write_bytes(whole[:cut] + bytes(len(whole) - cut))
        source = opened(folder)
        assert source.tip().height == 2
        (folder / REV).write_bytes(whole)
        assert source.tip().height == 3
        assert scan(source).candidates.num_rows == 3


def test_the_last_block_damaged_is_not_there_yet(tmp_path: Path, opened: Opener) -> None:
    folder = write(tmp_path, pairs(), padding=0)
    data = bytearray((folder / BLK).read_bytes())
    data[-3] ^= 1
    (folder / BLK).write_bytes(data)
    assert opened(folder).tip().height == TIP - 1


@settings(deadline=None)
@given(data=st.data())
def test_damage_is_an_error_or_leaves_the_data_right(
    tmp_path_factory: pytest.TempPathFactory, expected: Scanned, data: st.DataObject
) -> None:
    """Bytes of any file changed anywhere: the blocks served are the right ones, or the error has a name."""
    folder = write(tmp_path_factory.mktemp("damaged"), pairs(), KEY, padding=64)
    name = data.draw(st.sampled_from([BLK, BLK, REV, "xor.dat"]))
    damaged = bytearray((folder / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / name).write_bytes(damaged)
    try:
        found = content(folder)
    except IngestError:
        return
    count = found.headers.num_rows
    if found.headers["hash"][-1] != expected.headers["hash"][count - 1]:
        # Half of all changed headers still meet regtest's target; what follows such a one finds no parent.
        count -= 1
    assert found.headers[:count].equals(expected.headers[:count])
    assert below(found, count).equals(below(expected, count))


def below(scanned: Scanned, height: int) -> Any:
    return scanned.candidates.filter(pc.less(scanned.candidates["height"], height))


@pytest.mark.parametrize("where", ["transaction", "witness"])
def test_damage_within_a_block_names_the_block(tmp_path: Path, genesis: BlockAndSpent, where: str) -> None:
    blocks = branch(3)
    folder = write(tmp_path, [genesis, *made(blocks)])
    data = bytearray((folder / BLK).read_bytes())
    mark = PAYLOAD if where == "transaction" else blocks[1].txs[1].inputs[0].witness[0]
    data[data.index(mark, data.index(blocks[1].header))] ^= 1
    (folder / BLK).write_bytes(data)
    with pytest.raises(CorruptBlock, match=rf"{blocks[1].hash} at height 2: .*(merkle root|commitment).*reindex"):
        content(folder)


@pytest.mark.parametrize("field", ["magic", "size", "previous", "zeros"])
def test_damage_between_blocks_names_the_file_and_place(tmp_path: Path, opened: Opener, field: str) -> None:
    folder = write(tmp_path, pairs(), KEY)
    position = sum(len(raw) + 8 for raw, _ in pairs()[:60])
    data = bytearray((folder / BLK).read_bytes())
    at, value = {"magic": (1, b"?"), "size": (7, b"\x01"), "previous": (20, b"!"), "zeros": (0, bytes(8))}[field]
    data[position + at : position + at + len(value)] = value
    if field == "previous":
        # Changed until the header lacks its work: that is one in two on regtest, nearly always elsewhere.
        while int.from_bytes(hash_at(data, position), "little") <= 0x7FFFFF << 232:
            data[position + at] = (data[position + at] + 1) % 256
    (folder / BLK).write_bytes(data)
    with pytest.raises(CorruptFiles, match=rf"{BLK}.* byte {position + (8 if field == 'previous' else 0)}\b"):
        opened(folder).tip()


def hash_at(data: bytearray, position: int) -> bytes:
    return sha256d(apply_key(bytes(data), KEY)[position + 8 : position + 88])


def test_only_the_newest_file_may_end_in_the_middle_of_a_block(tmp_path: Path, opened: Opener) -> None:
    folder = write(tmp_path, pairs(), per_file=100, padding=0)
    for name, complaint in (("blk00001.dat", None), (BLK, "ends in the middle")):
        (folder / name).write_bytes((folder / name).read_bytes()[:-10])
        if complaint is None:
            assert opened(folder).tip().height == TIP - 1
        else:
            with pytest.raises(CorruptFiles, match=complaint):
                opened(folder).tip()


def test_missing_undo_data_matters_where_a_candidate_needs_it(tmp_path: Path, expected: Scanned) -> None:
    """Of the recorded chain, height 115 holds candidates and 50 does not."""
    folder = write(tmp_path / "plain", pairs(), undo_order=[i for i in range(TIP + 1) if i != 50])
    assert_equal(content(folder), expected)
    folder = write(tmp_path / "needed", pairs(), undo_order=[i for i in range(TIP + 1) if i != 115])
    with pytest.raises(MissingPrevouts, match=r"at height 115 .*rev"):
        content(folder)


def test_a_folder_without_undo_files_is_told_at_once(tmp_path: Path, opened: Opener) -> None:
    folder = write(tmp_path, pairs()[:20])
    (folder / REV).unlink()
    with pytest.raises(CorruptFiles, match=r"rev\*\.dat"):
        opened(folder).tip()


def test_a_partial_copy_begins_where_its_blocks_say(tmp_path: Path, opened: Opener, expected: Scanned) -> None:
    """BIP 34 heights. A piece cut off by the copy's start, here heights 97 and 98, does not count."""
    blocks = pairs()
    folder = write(tmp_path, [blocks[97], blocks[98], *blocks[100:]], KEY, first_file=7)
    source = opened(folder)
    assert source.tip().height == TIP
    found = scan(source, 100)
    assert found.headers.equals(expected.headers[100:])
    assert found.candidates.equals(expected.candidates)
    for call in (lambda: source.hash_at(99), lambda: source.blocks(99, 110)):
        with pytest.raises(Pruned, match="begin at height 100, above 99"):
            call()


def test_a_partial_copy_whose_blocks_do_not_tell_their_height_is_refused(tmp_path: Path, opened: Opener) -> None:
    hashes = (Block(5, "ab" * 32, 0, nonce, make_block("ab" * 32, 5).txs, version=1) for nonce in range(100))
    old = next(block for block in hashes if block.hash < "7fffff")
    folder = write(tmp_path, made([old]))
    with pytest.raises(CorruptFiles, match="does not tell its height"):
        opened(folder).tip()


def folders() -> Iterator[Any]:
    yield pytest.param(lambda path: None, NoBlockFiles, "is no folder", id="absent")
    yield pytest.param(lambda path: path.mkdir(), NoBlockFiles, "holds no blk", id="empty")
    yield pytest.param(lambda path: path.write_text(""), NoBlockFiles, "is no folder", id="a-file")
    yield pytest.param(lambda path: write(path, []), NoBlockFiles, "no block yet", id="no-blocks")
    yield pytest.param(lambda path: (path / BLK).mkdir(parents=True), CorruptFiles, "cannot be read", id="unreadable")
    yield pytest.param(
        lambda path: write_block_files(path, pairs(), network=SIGNET), WrongNetwork, "blocks of signet", id="magic"
    )
    yield pytest.param(
        lambda path: write(path, made([make_block("00" * 32, 0)])), WrongNetwork, "genesis block", id="genesis"
    )
    yield pytest.param(
        lambda path: (write(path, pairs(), KEY) / "xor.dat").unlink(), CorruptFiles, "xor.dat may be", id="no-key"
    )
    yield pytest.param(
        lambda path: (write(path, pairs()) / "xor.dat").write_bytes(b"123"),
        CorruptFiles,
        "3 bytes long",
        id="short-key",
    )


@pytest.mark.parametrize(("make", "error", "message"), list(folders()))
def test_what_cannot_be_indexed_is_told_with_advice(
    tmp_path: Path, opened: Opener, make: Callable[[Path], object], error: type[IngestError], message: str
) -> None:
    folder = tmp_path / "blocks"
    make(folder)
    with pytest.raises(error, match=message) as caught:
        opened(folder).tip()
    assert caught.value.advice
    assert not caught.value.retry


def test_files_that_vanish_or_shrink_in_use_are_told(tmp_path: Path, opened: Opener) -> None:
    folder = write(tmp_path, pairs(), per_file=20)
    source = opened(folder)
    assert source.tip().height == TIP
    source.close()
    (folder / "blk00002.dat").write_bytes(b"")
    with pytest.raises(CorruptFiles, match="became shorter"):
        list(source.blocks(40, 41))
    (folder / "blk00001.dat").unlink()
    with pytest.raises(Pruned, match=r"blk00001\.dat is not there"):
        list(source.blocks(20, 21))


def test_a_header_must_claim_the_work_that_its_network_asks(tmp_path: Path) -> None:
    """Blocks of regtest's difficulty under mainnet's magic."""
    write_block_files(tmp_path, pairs()[1:], network=MAINNET)
    with pytest.raises(CorruptFiles, match="lacks its proof of work"), closing(BlockFiles(tmp_path, MAINNET)) as source:
        source.tip()


def test_the_mainnet_block_can_be_served_alone(tmp_path: Path) -> None:
    raw = recorded_chain.mainnet_block()
    write_block_files(tmp_path, [(raw, b"\x01\x00")], network=MAINNET)
    with closing(BlockFiles(tmp_path, MAINNET)) as source:
        tip = source.tip()
    assert tip.hash == recorded_chain.MAINNET_HASH
    assert b"\x03" + tip.height.to_bytes(3, "little") in raw[:200]
