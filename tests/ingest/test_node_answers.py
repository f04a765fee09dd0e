"""A node that answers otherwise than it documents: an error by its name, or the other way to ask."""

from collections.abc import Callable
from typing import Any

import pytest

from ingest.errors import BadAnswer, ChainMoved, IngestError, MissingPrevouts, NodeRefused, Pruned
from tests.helpers.node import FakeNode, RpcError, recorded_chain
from tests.helpers.node_client import blocks_of, node_of


class OddNode(FakeNode):
    """Answers some RPC methods and REST resources otherwise."""

    def __init__(
        self,
        rpc: dict[str, str | RpcError] | None = None,
        rest: Callable[[FakeNode, str], bytes | None] | None = None,
    ) -> None:
        super().__init__(20, rest=rest is not None)
        self._odd_rpc = rpc or {}
        self._odd_rest = rest

    def answer(self, method: str, params: list[Any]) -> str:
        odd = self._odd_rpc.get(method)
        if isinstance(odd, RpcError):
            raise odd
        return odd or super().answer(method, params)

    def resource(self, path: str) -> bytes | None:
        return self._odd_rest(self, path) if self._odd_rest else super().resource(path)


@pytest.mark.parametrize(
    ("rpc", "error"),
    [
        ({"getblockchaininfo": "[]"}, BadAnswer),
        ({"getblockchaininfo": '{"chain":"regtest"}'}, BadAnswer),
        ({"getblockhash": '"00"'}, BadAnswer),
        ({"getblockhash": "null"}, BadAnswer),
        ({"getblockhash": RpcError(-1, "disk")}, NodeRefused),
        ({"getblock": RpcError(-5, "Block not found")}, ChainMoved),
        ({"getblock": RpcError(-1, "Block not available (pruned data)")}, Pruned),
        ({"getblock": RpcError(-32603, "Undo data expected but can't be read.")}, MissingPrevouts),
        ({"getblock": RpcError(-1, "Can't read block from disk")}, NodeRefused),
    ],
)
def test_odd_answers_are_named(rpc: dict[str, str | RpcError], error: type[IngestError]) -> None:
    with OddNode(rpc) as fake, pytest.raises(error):
        blocks_of(fake)


def test_odd_headers_are_named() -> None:
    for odd, error in (("[]", BadAnswer), ('{"chainwork":"1"}', BadAnswer), (RpcError(-1, "disk"), NodeRefused)):
        with OddNode({"getblockheader": odd}) as fake:
            node = node_of(fake)
            with pytest.raises(error):
                node.chain_work(fake.tip_hash)
            node.close()


def another_block(fake: FakeNode, path: str) -> bytes:
    return fake.best[3].raw if "/block/" in path else fake.best[3].spent


def other_spent_outputs(fake: FakeNode, path: str) -> bytes:
    return fake.known[path[-68:-4]].raw if "/block/" in path else b"\x07\x00"


def no_spent_outputs(fake: FakeNode, path: str) -> bytes | None:
    """Before version 30."""
    return fake.known[path[-68:-4]].raw if "/block/" in path else None


@pytest.mark.parametrize("rest", [another_block, other_spent_outputs, no_spent_outputs, lambda fake, path: b"<html>"])
def test_rest_that_is_not_the_nodes_is_not_used(rest: Callable[[FakeNode, str], bytes | None]) -> None:
    with OddNode(rest=rest) as fake:
        assert [block.hash for block in blocks_of(fake)] == [known.hash for known in recorded_chain()[:20]]
        assert fake.count("getblock") > 0


@pytest.mark.parametrize("rest", [another_block, other_spent_outputs])
def test_rest_that_turns_odd_is_named(rest: Callable[[FakeNode, str], bytes | None]) -> None:
    with OddNode(rest=FakeNode.resource) as fake:
        node = node_of(fake)
        node.tip()
        fake._odd_rest = rest
        with pytest.raises(BadAnswer, match="another block"):
            list(node.blocks(10, 20))
        node.close()
