"""Asking the fake node as the indexer does."""

from typing import Any

from ingest.networks import REGTEST, Network
from ingest.node import Node
from ingest.patience import Patience
from ingest.source import RawBlock
from tests.helpers.node import FakeNode

AT_ONCE = Patience(deadline=0)


def node_of(fake: FakeNode, network: Network = REGTEST, patience: Patience = AT_ONCE, **options: Any) -> Node:
    return Node(fake.url, network, patience=patience, **{"timeout": 5.0, **options})


def blocks_of(
    fake: FakeNode, start: int = 0, stop: int | None = None, *, patience: Patience = AT_ONCE
) -> list[RawBlock]:
    node = node_of(fake, patience=patience)
    try:
        return list(node.blocks(start, fake.height + 1 if stop is None else stop))
    finally:
        node.close()
