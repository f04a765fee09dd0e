"""Transfers that wait in a node's mempool, found by reading its transactions once each.

A mempool has no bound of its own, so the reading has several: one look tells how many transactions there are, a pass
ends after some seconds and the next goes on where it ended, and a mempool that is not known to its end is never said
to hold nothing.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, Final

from api.errors import Busy, MempoolUnread, NoNode
from engine.errors import MalformedCandidate
from engine.plain.payloads import Operation, parse_payload
from engine.plain.transactions import (
    Transaction,
    multi_transfer_steps,
    parse_transaction,
    protocol_output,
    protocol_payload,
)
from ingest.addresses import address_of
from ingest.errors import BadAnswer, IngestError, NodeInInitialDownload, NodeRefused, WrongNetwork
from ingest.networks import MAX_PAYLOAD, REGTEST, Network
from ingest.rpc import Rpc

MOST: Final = 500_000
"""Transactions of the largest mempool that is read: more than a node of default settings keeps."""

AT_ONCE: Final = 200
"""Transactions asked for in one call."""

PASS: Final = 3.0
"""Seconds after which a pass ends, whatever is left."""

FRESH: Final = 3.0
"""Seconds for which a pass that came to the end answers questions."""

MOST_ASKING: Final = 64
"""Questions that may wait for a pass to end; more are turned away."""

UNKNOWN: Final = -5
"""RPC error for a transaction that the node does not have."""

MARKER: Final = b"brc-20"

Transfer = tuple[str, str]
"""Address of the sender and normalised ticker."""


class Mempool:
    """What waits in one node's mempool. For one thread at a time."""

    def __init__(self, rpc: Rpc, network: Network, clock: Callable[[], float] = time.monotonic) -> None:
        self._rpc = rpc
        self._network = network
        self._clock = clock
        self._known: dict[str, tuple[Transfer, ...]] = {}
        """Transfers by transaction; most have none."""
        self._transfers_waiting: frozenset[Transfer] = frozenset()
        self._size = 0
        self._read_at: float | None = None
        """When the last pass came to the end; None while none has."""

    def has_transfer(self, address: str, ticker: str) -> bool:
        """Whether a transfer of the ticker by the address waits. Raises MempoolUnread and IngestError."""
        now = self._clock()
        if self._read_at is None or now - self._read_at > FRESH:
            try:
                self._read(now + PASS)
            finally:
                self._transfers_waiting = frozenset(chain.from_iterable(self._known.values()))
        if (address, ticker) in self._transfers_waiting:
            return True
        if self._read_at is None:
            raise MempoolUnread(f"{len(self._known)} of {self._size} transactions are read: ask again")
        return False

    def close(self) -> None:
        """End the connection."""
        self._rpc.close()

    def _read(self, deadline: float) -> None:
        """Forget what left the mempool and read what came, until the deadline."""
        self._read_at = None
        self._check_node()
        waiting = self._waiting()
        self._known = {txid: self._known[txid] for txid in waiting if txid in self._known}
        new = [txid for txid in waiting if txid not in self._known]
        for start in range(0, len(new), AT_ONCE):
            if self._clock() > deadline:
                return
            part = new[start : start + AT_ONCE]
            for txid, raw in zip(part, self._transactions(part), strict=True):
                self._known[txid] = () if raw is None else tuple(self._transfers(raw))
        self._read_at = self._clock()

    def _check_node(self) -> None:
        """Raises what speaks against the node's mempool being the network's."""
        name = self._asked("getblockchaininfo", "chain", str)
        if name != self._network.chain:
            raise WrongNetwork(f"{self._rpc.name} is on {name}, not on {self._network.chain}")
        if self._network != REGTEST and self._asked("getblockchaininfo", "initialblockdownload", bool):
            raise NodeInInitialDownload(f"{self._rpc.name} has no mempool before it has the chain")
        if not self._asked("getmempoolinfo", "loaded", bool):
            raise MempoolUnread("the node is still loading its mempool: ask again")
        self._size = self._asked("getmempoolinfo", "size", int)
        if self._size > MOST:
            raise MempoolUnread(f"the mempool holds {self._size} transactions; no more than {MOST} are read")

    def _asked(self, method: str, name: str, type_: type) -> Any:
        answer = self._rpc.call(method)
        value = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(value, type_):
            raise BadAnswer(f"{self._rpc.name} answered {method} without {name}")
        return value

    def _waiting(self) -> list[str]:
        txids = self._rpc.call("getrawmempool")
        if not isinstance(txids, list) or not all(isinstance(txid, str) for txid in txids):
            raise BadAnswer(f"{self._rpc.name} did not list its mempool")
        return txids

    def _transactions(self, txids: Sequence[str]) -> list[bytes | None]:
        """Raw transactions; None for one that left the mempool meanwhile."""
        try:
            answers = self._rpc.batch("getrawtransaction", [[txid] for txid in txids])
        except NodeRefused as error:
            if error.code != UNKNOWN:
                raise
            return [self._transaction(txid) for txid in txids]
        return list(map(_bytes, answers))

    def _transaction(self, txid: str) -> bytes | None:
        try:
            return _bytes(self._rpc.call("getrawtransaction", txid))
        except NodeRefused as error:
            if error.code != UNKNOWN:
                raise
            return None

    def _transfers(self, raw: bytes) -> Iterator[Transfer]:
        """Transfers that the transaction asks for, by the owner of what its first input spends (R-CORE-ADDR-2)."""
        if MARKER not in raw:
            return
        try:
            transaction = parse_transaction(raw, b"")
        except MalformedCandidate as error:
            raise BadAnswer(f"{self._rpc.name} has a transaction that cannot be read ({error})") from error
        tickers = {operation.ticker for operation in _operations(transaction) if operation.name == "transfer"}
        if tickers and (sender := self._owner(*_first_spent(raw))):
            yield from ((sender, ticker) for ticker in sorted(ticker for ticker in tickers if ticker))

    def _owner(self, txid: str, vout: int) -> str | None:
        """Whose output that is: one of the chain, or of a transaction that waits itself."""
        coin = self._rpc.call("gettxout", txid, vout, False)
        if isinstance(coin, dict):
            script = coin.get("scriptPubKey")
            hex_ = script.get("hex") if isinstance(script, dict) else None
            return address_of(_bytes(hex_), self._network)
        parent = self._transaction(txid)
        if parent is None:
            return None
        outputs = parse_transaction(parent, b"").outputs
        return address_of(outputs[vout].script, self._network) if vout < len(outputs) else None


class MempoolReader:
    """One worker's mempool: asked by many, read by one thread."""

    def __init__(self, connect: Callable[[], Rpc] | None) -> None:
        """`connect` reaches the node, None when there is none."""
        self._connect = connect
        self._thread = ThreadPoolExecutor(1, "mempool")
        self._asking = 0
        self._mempool: Mempool | None = None

    async def has_transfer(self, network: Network, address: str, ticker: str) -> bool:
        """Whether a transfer of the ticker by the address waits. Raises NoNode, MempoolUnread and Busy."""
        if self._connect is None:
            raise NoNode("no node was given to the server, and only a node knows what waits")
        if self._asking >= MOST_ASKING:
            raise Busy("too many questions about the mempool are waiting: ask again in a second")
        self._asking += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._has_transfer, self._connect, network, address, ticker
            )
        except IngestError as error:
            raise NoNode(str(error)) from error
        finally:
            self._asking -= 1

    def close(self) -> None:
        """Give up what is still being asked."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._mempool is not None:
            self._mempool.close()

    def _has_transfer(self, connect: Callable[[], Rpc], network: Network, address: str, ticker: str) -> bool:
        if self._mempool is None:
            self._mempool = Mempool(connect(), network)
        return self._mempool.has_transfer(address, ticker)


def _operations(transaction: Transaction) -> Iterator[Operation]:
    """What the transaction asks for: the steps of a multi-transfer, or its one operation."""
    vout = protocol_output(transaction)
    places = multi_transfer_steps(transaction) or ([] if vout is None else [vout])
    for place in places:
        payload = protocol_payload(transaction.outputs[place])
        parsed = parse_payload(payload) if len(payload) <= MAX_PAYLOAD else None
        if isinstance(parsed, Operation):
            yield parsed


def _first_spent(raw: bytes) -> tuple[str, int]:
    """The output that the first input spends."""
    at = 6 if raw[4:6] == b"\x00\x01" else 4
    at += {0xFD: 3, 0xFE: 5, 0xFF: 9}.get(raw[at], 1)
    return raw[at : at + 32][::-1].hex(), int.from_bytes(raw[at + 32 : at + 36], "little")


def _bytes(hex_: object) -> bytes:
    try:
        return bytes.fromhex(hex_ if isinstance(hex_, str) else "?")
    except ValueError:
        raise BadAnswer("The node answered with something else where hex digits belong") from None
