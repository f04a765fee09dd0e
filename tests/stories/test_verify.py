"""Two indexers that indexed by themselves find the block and the operation where they part, or agree."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.networks import REGTEST
from ingest.node import Node
from simplicity import app
from tests.helpers.api import serving
from tests.helpers.builders import operation
from tests.helpers.chain import Tx
from tests.helpers.indexing import index, open_or_create
from tests.helpers.node import FakeNode
from tests.helpers.traffic import Traffic

LENGTH = 60


def verify(ours: Path, theirs: object) -> Result:
    return CliRunner().invoke(app, ["verify", "--data", str(ours), "--against", str(theirs)])


def traffic() -> list[list[Tx]]:
    """Transactions of a chain's blocks; every time the same."""
    source = Traffic(8)
    return [source.txs(3) for _ in range(LENGTH)]


def indexed(lake: Path, blocks: list[list[Tx]]) -> Path:
    with FakeNode() as node:
        for txs in blocks:
            node.mine(txs=txs)
        index(lake, Node(node.url, REGTEST), batch=7)
    return lake


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return indexed(tmp_path_factory.mktemp("ours"), traffic())


def test_two_indexers_of_one_node_agree_through_files_and_through_the_api(ours: Path, tmp_path: Path) -> None:
    """One of them was rewound and is shorter: it agrees on what it has."""
    theirs = indexed(tmp_path, traffic())
    with open_or_create(theirs) as lake:
        lake.rewind(LENGTH - 9)
    with serving(theirs) as client:
        for other in (theirs, client.base_url):
            result = verify(ours, other)
            assert (result.exit_code, result.stdout) == (0, ""), result.output
            assert "both agree" in result.stderr


def test_one_other_transaction_is_found_and_shown(ours: Path, tmp_path: Path) -> None:
    """From height 41 on the other node has other blocks; the same text comes through files and through the API."""
    blocks = traffic()
    deploy = operation('{"p":"brc-20","op":"deploy","tick":"other","m":"1","l":"1"}')
    blocks[40] = [deploy, *blocks[40]]
    theirs = indexed(tmp_path, blocks)
    with serving(theirs) as client:
        found = [verify(ours, other) for other in (theirs, client.base_url)]
    assert [result.exit_code for result in found] == [1, 1]
    assert found[0].stdout == found[1].stdout
    lines = found[0].stdout.splitlines()
    assert lines[0] == "height 41: the chains have another block here"
    with open_or_create(ours) as our, open_or_create(theirs) as their:
        assert lines[1].split() == ["!", "hash", "ours", our.block_hash(41)]
        assert lines[2].split() == ["theirs", their.block_hash(41)]
    first = lines.index("first valid operation that differs:")
    assert lines[first + 2].split() == ["theirs", "deploy"]
    assert lines[first + 4].split() == ["theirs", f"{deploy.txid}:0"]
