"""Bitcoin Core behind the door of `ingest.source`: blocks by REST where the node has it, else by JSON-RPC."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final, TypeVar

from ingest.batches import BatchSize, in_batches
from ingest.blockjson import HEADER_SIZE, block_from_json, hash_of, parent_of
from ingest.breaker import CircuitBreaker
from ingest.errors import (
    AccessForbidden,
    AnswerTooLarge,
    BadAnswer,
    ChainMoved,
    IngestError,
    MissingPrevouts,
    NodeInInitialDownload,
    NodeRefused,
    Pruned,
    WrongCredentials,
    WrongNetwork,
)
from ingest.lookahead import look_ahead
from ingest.networks import REGTEST, Network
from ingest.patience import Patience
from ingest.rpc import Credentials, Heard, Rpc, unheard
from ingest.source import RawBlock, SpentFormat, Tip

T = TypeVar("T")

NOT_FOUND: Final = -5
"""RPC error for a block hash that the node does not know."""

OUT_OF_RANGE: Final = -8
"""RPC error for a height above the node's tip."""

LOOK_AHEAD: Final = 2
"""Batches that may be ready before they are asked for."""


class Node:
    """A node reached over HTTP. Does nothing until the first call, which also checks that the network is the right one.

    Every call is retried as `patience` says. One thread may call at a time, beside the thread that fetches ahead.
    """

    def __init__(
        self,
        url: str,
        network: Network,
        credentials: Credentials | None = None,
        *,
        patience: Patience | None = None,
        breaker: CircuitBreaker | None = None,
        on_call: Heard = unheard,
        timeout: float = 60.0,
        batch_blocks: int = 16,
    ) -> None:
        """`url`: http or https, possibly with user and password. `timeout`: seconds that the node may be silent.

        `batch_blocks`: most blocks asked for in one call. Raises `BadNodeAddress`.
        """
        self._rpc = Rpc(url, credentials or Credentials(), timeout=timeout, breaker=breaker, on_call=on_call)
        self._network = network
        self._patience = patience or Patience()
        self._rest: bool | None = None
        self._hashes_at_once = BatchSize(1000, 1000)
        self._blocks_at_once = BatchSize(min(4, batch_blocks), batch_blocks)

    def tip(self) -> Tip:
        """End of the node's best chain. Waits while the node is in its initial download."""
        return self._patience.call(self._tip)

    def network_height(self) -> int:
        """Height of the best header that the node knows: above its tip while it is catching up."""
        return self._patience.call(lambda: _field(self._info(), "headers", int))

    def hash_at(self, height: int) -> str | None:
        """Hash of the best chain's block at `height`, or None above the tip."""
        return self._patience.call(lambda: self._hash_at(self._met(), height))

    def chain_work(self, hash_: str) -> int | None:
        """Work of the chain that ends in the block, best chain or not; None when the node does not know the block."""
        return self._patience.call(lambda: self._chain_work(hash_))

    def blocks(self, start: int, stop: int) -> Iterator[RawBlock]:
        """Blocks of heights `start` to `stop - 1`, each the parent of the next, fetched ahead in the background.

        Raises `Pruned` at once, and `ChainMoved` where the chain no longer joins or ends below `stop`.
        """
        self._patience.call(lambda: self._check_pruning(start))
        parent: str | None = None
        with closing(look_ahead(self._fetch(start, stop), LOOK_AHEAD, self._patience.stop)) as batches:
            for batch in batches:
                for block in batch:
                    if parent is not None and parent_of(block) != parent:
                        raise ChainMoved(f"Block {block.hash} at height {block.height} does not join the one below")
                    yield block
                    parent = block.hash

    def close(self) -> None:
        self._rpc.close()

    def _info(self) -> dict[str, Any]:
        """The node's account of its chain, which must be a chain of our network."""
        info = self._rpc.call("getblockchaininfo")
        if not isinstance(info, dict):
            raise BadAnswer(f"{self._rpc.name} does not describe its chain")
        if (chain := _field(info, "chain", str)) != self._network.chain:
            raise WrongNetwork(f"{self._rpc.name} is on {chain}, not on {self._network.chain}")
        if self._rest is None:
            if (genesis := self._hash_at(self._rpc, 0)) != self._network.genesis_hash:
                raise WrongNetwork(f"{self._rpc.name} has the genesis block {genesis}, not {self._network.name}'s")
            self._rest = self._has_rest(_tip_of(info))
        return info

    def _met(self) -> Rpc:
        """The connection, once the node behind it was seen to be of our network."""
        if self._rest is None:
            self._info()
        return self._rpc

    def _tip(self) -> Tip:
        info = self._info()
        tip, headers = _tip_of(info), _field(info, "headers", int)
        # A regtest node believes to be in its initial download whenever its last block is a day old.
        if _field(info, "initialblockdownload", bool) and (self._network != REGTEST or tip.height < headers):
            progress = info.get("verificationprogress")
            raise NodeInInitialDownload(
                f"{self._rpc.name} has {tip.height} of at least {headers} blocks (verified {progress} of 1)"
            )
        return tip

    def _hash_at(self, rpc: Rpc, height: int) -> str | None:
        try:
            return _checked_hash(rpc.call("getblockhash", height))
        except NodeRefused as error:
            if error.code == OUT_OF_RANGE:
                return None
            raise

    def _chain_work(self, hash_: str) -> int | None:
        try:
            header = self._met().call("getblockheader", hash_)
        except NodeRefused as error:
            if error.code == NOT_FOUND:
                return None
            raise
        if not isinstance(header, dict):
            raise BadAnswer(f"{self._rpc.name} does not describe block {hash_}")
        return int(_checked_hash(header.get("chainwork")), 16)

    def _check_pruning(self, start: int) -> None:
        info = self._info()
        lowest = _field(info, "pruneheight", int) if "pruneheight" in info else 0
        if start < lowest:
            raise Pruned(f"{self._rpc.name} has deleted the blocks below {lowest}, and {start} is needed")

    def _fetch(self, start: int, stop: int) -> Iterator[list[RawBlock]]:
        heights = range(start, stop)
        for hashes in in_batches(heights, self._hashes, self._hashes_at_once, self._patience):
            named = list(zip(heights, hashes, strict=False))
            heights = heights[len(hashes) :]
            ask = self._by_rest if self._rest else self._by_rpc
            yield from in_batches(named, ask, self._blocks_at_once, self._patience)

    def _hashes(self, heights: Sequence[int]) -> list[str]:
        try:
            return [_checked_hash(answer) for answer in self._rpc.batch("getblockhash", [[h] for h in heights])]
        except NodeRefused as error:
            if error.code == OUT_OF_RANGE:
                raise ChainMoved(f"The best chain now ends below height {heights[-1]}") from error
            raise

    def _by_rpc(self, named: Sequence[tuple[int, str]]) -> list[RawBlock]:
        try:
            answers = self._rpc.batch("getblock", [[hash_, 3] for _, hash_ in named])
        except NodeRefused as error:
            raise _why_no_block(error) from error
        return [block_from_json(answer, *name) for answer, name in zip(answers, named, strict=True)]

    def _by_rest(self, named: Sequence[tuple[int, str]]) -> list[RawBlock]:
        # What REST does not have, RPC explains: pruned, unknown, or without undo data.
        return [self._rest_block(*name) or self._by_rpc([name])[0] for name in named]

    def _rest_block(self, height: int, hash_: str) -> RawBlock | None:
        raw = self._rpc.get(f"block/{hash_}.bin")
        spent = self._rpc.get(f"spenttxouts/{hash_}.bin") if raw else None
        if not raw or not spent:
            return None
        if hash_of(raw[:HEADER_SIZE]) != hash_:
            raise BadAnswer(f"{self._rpc.name} answered with another block than {hash_}")
        if _count(raw, HEADER_SIZE) != _count(spent, 0):
            raise BadAnswer(f"{self._rpc.name} answered with the spent outputs of another block than {hash_}")
        return RawBlock(height, hash_, raw, spent, SpentFormat.TXOUTS)

    def _has_rest(self, tip: Tip) -> bool:
        """Whether the node serves blocks and spent outputs in binary (rest=1, Bitcoin Core 30 or newer)."""
        try:
            return self._rest_block(tip.height, tip.hash) is not None
        except (AccessForbidden, WrongCredentials, BadAnswer, AnswerTooLarge):
            return False


def _why_no_block(error: NodeRefused) -> IngestError:
    """What the refusal of a block of the best chain means."""
    if error.code == NOT_FOUND:
        return ChainMoved(error.what)
    if "pruned" in error.what:
        return Pruned(error.what)
    if "ndo data" in error.what:
        return MissingPrevouts(error.what)
    return error


def _count(data: bytes, at: int) -> bytes:
    """The compact size at an offset, as its bytes."""
    return data[at : at + {0xFD: 3, 0xFE: 5, 0xFF: 9}.get(data[at], 1)]


def _tip_of(info: dict[str, Any]) -> Tip:
    return Tip(_field(info, "blocks", int), _checked_hash(info.get("bestblockhash")))


def _checked_hash(value: object) -> str:
    if isinstance(value, str) and len(value) == 64 and all(digit in "0123456789abcdef" for digit in value):
        return value
    raise BadAnswer("The node answered with something else where 64 hex digits belong")


def _field(info: dict[str, Any], name: str, type_: type[T]) -> T:
    value = info.get(name)
    if not isinstance(value, type_):
        raise BadAnswer(f"The node describes its chain without {name}")
    return value
