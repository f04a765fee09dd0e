"""A node that mines and forgets: Bitcoin Core's RPC and REST over real HTTP on loopback.

It serves the recorded chain (`getblock <hash> 3` word for word while the chain is as it was recorded) and blocks mined
here. Beyond those recorded answers it was written from the node's documentation, not compared with a running node:
JSON-RPC 1.x with its HTTP statuses and error codes, `rest=1` as of version 30, and what a node says while it starts,
downloads, prunes or refuses. `FakeNode.script` sees each request first and may misbehave or move the chain.
"""

import base64
import gzip
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingest.networks import REGTEST, Network
from tests.helpers.chain import REGTEST_BITS, Block, Tx, TxOut, compact_size, make_block, spent_list

RECORDED = Path(__file__).parents[1] / "data" / "regtest" / "rpc.jsonl.gz"
LOGIN = "simple:s3cr3t"


class Fault(Enum):
    """What a node or its network does to one answer."""

    CUT = "the connection ends in the middle of the body"
    GARBAGE = "a web page where JSON belongs"
    WRONG_JSON = "JSON that answers nothing"
    SLOW = "no answer before the client gives up"
    FORBIDDEN = 403
    TOO_LARGE = 413
    LIMITED = 429
    BUSY = 503


@dataclass(frozen=True)
class Request:
    """One HTTP request: the RPC methods that it calls with their parameters, or the REST path."""

    path: str
    calls: Sequence[tuple[str, list[Any]]]

    def asks(self, method: str) -> bool:
        return any(name == method for name, _ in self.calls)


@dataclass(frozen=True)
class Known:
    """A block that the node knows, on its best chain or not."""

    height: int
    hash: str
    previous_hash: str
    raw: bytes
    spent: bytes
    chain_work: int
    description: str
    """Answer of `getblock <hash> 3`, with the confirmations and the next block of the time it was made."""


class RpcError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class FakeNode:
    """Listens while used as a context manager. Attributes may be changed at any time from the test's thread.

    `reply`, when set, is what every call gets instead of an answer.
    """

    def __init__(
        self, recorded: int = 1, *, network: Network = REGTEST, rest: bool = True, tls: ssl.SSLContext | None = None
    ) -> None:
        """`recorded`: blocks of the recorded chain to begin with, at most 148; at least its genesis block."""
        self.best: list[Known] = list(recorded_chain()[:recorded])
        self.known = {block.hash: block for block in self.best}
        self.chain = network.chain
        self.rest = rest
        self.prevouts = True
        self.logins = {LOGIN}
        self.token: tuple[str, str] | None = None
        self.warming_up = False
        self.initial_download = False
        self.headers_ahead = 0
        self.pruned_below = 0
        self.largest_batch: int | None = None
        self.reply: bytes | None = None
        self.script: Callable[[Request], Fault | None] = lambda _: None
        self.requests: list[Request] = []
        self.lock = threading.RLock()
        self.gave_up = threading.Event()
        self._tls = tls
        self._port = 0
        self._server: _Server | None = None
        self._mined = 0

    def __enter__(self) -> Self:
        self.appear()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.gave_up.set()
        self.vanish()

    def appear(self) -> None:
        """Listen, on the same port as before."""
        self._server = _Server(("127.0.0.1", self._port), self, self._tls)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def vanish(self) -> None:
        """Stop listening and end every connection."""
        if self._server is not None:
            self._server.shutdown()
            self._server.end_connections()
            self._server.server_close()
            self._server = None

    @property
    def address(self) -> str:
        """URL without credentials."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """URL with user and password."""
        return self.address.replace("://", f"://{LOGIN}@")

    @property
    def height(self) -> int:
        return len(self.best) - 1

    @property
    def tip_hash(self) -> str:
        return self.best[-1].hash

    def write_cookie(self, path: Path, password: str = "c00kie") -> None:
        """Start over with another cookie, as a restarted node does."""
        path.write_text(f"__cookie__:{password}")
        self.logins = {f"__cookie__:{password}"}

    def mine(self, count: int = 1, txs: Sequence[Tx] = (), *, bits: int = REGTEST_BITS) -> list[Block]:
        """Extend the best chain; `txs` go into the first block. No two blocks mined here are alike."""
        with self.lock:
            blocks: list[Block] = []
            for _ in range(count):
                self._mined += 1
                tag = struct.pack("<I", self._mined)
                block = make_block(self.tip_hash, self.height + 1, [] if blocks else txs, tag=tag, bits=bits)
                self.accept(block)
                blocks.append(block)
            return blocks

    def accept(self, block: Block) -> None:
        """Put a block on top of the best chain."""
        with self.lock:
            if block.previous_hash != self.tip_hash:
                raise ValueError("the block does not follow the tip")
            work = self.best[-1].chain_work + block.work
            known = Known(
                block.height, block.hash, block.previous_hash, block.raw, block.spent, work, describe(block, work)
            )
            self.best.append(known)
            self.known[known.hash] = known

    def forget(self, count: int) -> None:
        """Take blocks off the best chain; they stay known, as stale blocks do."""
        with self.lock:
            del self.best[len(self.best) - count :]

    def reorganise(self, depth: int, length: int | None = None, txs: Sequence[Tx] = (), **mining: int) -> list[Block]:
        """Replace the last `depth` blocks by `length` others (one more unless given), in one instant."""
        with self.lock:
            self.forget(depth)
            return self.mine(depth + 1 if length is None else length, txs, **mining)

    def fail(self, fault: Fault, times: int = 10**9, on: str | None = None) -> None:
        """Misbehave so often, at every request or at those that call the method `on`."""
        left = iter(range(times))

        def script(request: Request) -> Fault | None:
            affected = on is None or request.asks(on)
            return fault if affected and next(left, None) is not None else None

        self.script = script

    def recover(self) -> None:
        self.script = lambda _: None

    def count(self, method: str) -> int:
        """HTTP requests so far that called `method`."""
        return sum(request.asks(method) for request in self.requests)

    def answer(self, method: str, params: list[Any]) -> str:
        """Result of one call as JSON text. Raises RpcError."""
        if self.warming_up:
            raise RpcError(-28, "Loading block index…")
        match method, params:
            case "getblockchaininfo", []:
                return json.dumps(self._info())
            case "getbestblockhash", []:
                return json.dumps(self.tip_hash)
            case "getblockhash", [int(height)]:
                if not 0 <= height < len(self.best):
                    raise RpcError(-8, "Block height out of range")
                return json.dumps(self.best[height].hash)
            case "getblockheader", [str(hash_)]:
                description = json.loads(self._describe(self._find(hash_)), parse_float=float)
                return json.dumps({name: value for name, value in description.items() if name != "tx"})
            case "getblock", [str(hash_), 0]:
                return json.dumps(self._stored(hash_).raw.hex())
            case "getblock", [str(hash_), 3]:
                return self._describe(self._stored(hash_))
        raise RpcError(-32601, "Method not found")

    def resource(self, path: str) -> bytes | None:
        """Body of a REST resource, None for HTTP 404."""
        match = re.fullmatch(r"/rest/(block|spenttxouts)/([0-9a-f]{64})\.bin", path)
        block = self.known.get(match[2]) if match and self.rest else None
        if match is None or block is None or 0 < block.height < self.pruned_below:
            return None
        return block.raw if match[1] == "block" else block.spent

    def _info(self) -> dict[str, Any]:
        info = {
            "chain": self.chain,
            "blocks": self.height,
            "headers": self.height + self.headers_ahead,
            "bestblockhash": self.tip_hash,
            "verificationprogress": 0.5 if self.initial_download else 1,
            "initialblockdownload": self.initial_download,
            "chainwork": f"{self.best[-1].chain_work:064x}",
            "pruned": self.pruned_below > 0,
        }
        return info | ({"pruneheight": self.pruned_below} if self.pruned_below else {})

    def _find(self, hash_: str) -> Known:
        if hash_ not in self.known:
            raise RpcError(-5, "Block not found")
        return self.known[hash_]

    def _stored(self, hash_: str) -> Known:
        block = self._find(hash_)
        if block.height < self.pruned_below:
            raise RpcError(-1, "Block not available (pruned data)")
        return block

    def _describe(self, block: Known) -> str:
        """The description as of now: only confirmations and the next block's hash change with the chain."""
        text = block.description
        current = block.height <= self.height and self.best[block.height] is block
        confirmations = self.height - block.height + 1 if current else -1
        text = re.sub(r'("confirmations": ?)-?\d+', rf"\g<1>{confirmations}", text, count=1)
        text = re.sub(r', ?"nextblockhash": ?"[0-9a-f]{64}"', "", text, count=1)
        if current and block.height < self.height:
            following = self.best[block.height + 1].hash
            text = re.sub(r'("nTx": ?\d+.*?)(, ?"strippedsize")', rf'\1,"nextblockhash":"{following}"\2', text, count=1)
        return text if self.prevouts else text.replace('"prevout"', '"elsewhere"')


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], node: FakeNode, tls: ssl.SSLContext | None) -> None:
        super().__init__(address, _Handler)
        self.node = node
        self.connections: set[socket.socket] = set()
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news here."""

    def end_connections(self) -> None:
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        node = self.server.node
        if self._misbehaves(Request(self.path, [])):
            return
        with node.lock:
            body = node.resource(self.path)
        self._send(200, body, "application/octet-stream") if body is not None else self._send(404, b"not found\r\n")

    def do_POST(self) -> None:
        node = self.server.node
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        calls = payload if isinstance(payload, list) else [payload]
        request = Request(self.path, [(call["method"], call["params"]) for call in calls])
        if self._misbehaves(request):
            return
        if node.reply is not None:
            self._send(200, node.reply)
        elif not self._is_authorised(node):
            self._send(401, b"")
        elif isinstance(payload, list) and node.largest_batch is not None and len(payload) > node.largest_batch:
            self._send(200, b'{"id":null,"result":null,"error":{"code":-32600,"message":"batch too large"}}')
        else:
            with node.lock:
                replies = [self._reply(node, call) for call in calls]
            if isinstance(payload, list):
                self._send(200, ("[" + ",".join(text for _, text in replies) + "]").encode())
            else:
                self._send(replies[0][0], replies[0][1].encode())

    def _reply(self, node: FakeNode, call: dict[str, Any]) -> tuple[int, str]:
        id_ = json.dumps(call["id"])
        try:
            return 200, f'{{"result":{node.answer(call["method"], call["params"])},"error":null,"id":{id_}}}'
        except RpcError as error:
            problem = json.dumps({"code": error.code, "message": str(error)})
            status = {-32601: 404, -32600: 400}.get(error.code, 500)
            return status, f'{{"result":null,"error":{problem},"id":{id_}}}'

    def _is_authorised(self, node: FakeNode) -> bool:
        if node.token is not None:
            return self.headers.get(node.token[0]) == node.token[1]
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        return scheme == "Basic" and base64.b64decode(encoded).decode() in node.logins

    def _misbehaves(self, request: Request) -> bool:
        node = self.server.node
        with node.lock:
            node.requests.append(request)
            fault = node.script(request)
        match fault:
            case None:
                return False
            case Fault.CUT:
                self._send(200, b'{"result":', cut=True)
            case Fault.GARBAGE:
                self._send(200, b"<html><body>Welcome</body></html>")
            case Fault.WRONG_JSON:
                self._send(200, b"[1, 2]")
            case Fault.SLOW:
                node.gave_up.wait(10)
                self.close_connection = True
            case _:
                self._send(int(fault.value), b"try again later")
        return True

    def _send(self, status: int, body: bytes, kind: str = "application/json", *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) + 1000 * cut))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.close_connection or cut

    def log_message(self, format: str, *args: object) -> None:
        """Tests read `FakeNode.requests` instead."""


@cache
def recorded_chain() -> tuple[Known, ...]:
    """The recorded blocks, their bytes put together from the recorded descriptions."""
    with gzip.open(RECORDED, "rt", encoding="utf-8") as lines:
        return tuple(_recorded(line.strip()) for line in lines)


def _recorded(line: str) -> Known:
    block = json.loads(line, parse_float=Decimal)
    previous = block.get("previousblockhash", "00" * 32)
    header = (
        struct.pack("<i", block["version"])
        + bytes.fromhex(previous)[::-1]
        + bytes.fromhex(block["merkleroot"])[::-1]
        + struct.pack("<III", block["time"], int(block["bits"], 16), block["nonce"])
    )
    txs = block["tx"]
    raw = header + compact_size(len(txs)) + b"".join(bytes.fromhex(tx["hex"]) for tx in txs)
    spent = compact_size(len(txs)) + b"".join(spent_list(_spent_by(tx)) for tx in txs)
    return Known(block["height"], block["hash"], previous, raw, spent, int(block["chainwork"], 16), line)


def _spent_by(tx: dict[str, Any]) -> list[TxOut]:
    prevouts = [txin["prevout"] for txin in tx["vin"] if "coinbase" not in txin]
    return [TxOut(int(p["value"] * 10**8), bytes.fromhex(p["scriptPubKey"]["hex"])) for p in prevouts]


def describe(block: Block, chain_work: int) -> str:
    """`getblock <hash> 3` of a block mined here: the fields that identify it and what is needed to rebuild it."""
    description = {
        "hash": block.hash,
        "confirmations": 1,
        "height": block.height,
        "version": block.version,
        "merkleroot": block.merkle_root,
        "time": block.time,
        "nonce": block.nonce,
        "bits": f"{block.bits:08x}",
        "chainwork": f"{chain_work:064x}",
        "nTx": len(block.txs),
        "previousblockhash": block.previous_hash,
        "strippedsize": len(block.header) + 1 + sum(len(tx.stripped) for tx in block.txs),
        "size": len(block.raw),
        "tx": [_describe_tx(tx) for tx in block.txs],
    }
    return re.sub(r'"sat:(\d+)"', lambda found: coins(int(found[1])), json.dumps(description))


def _describe_tx(tx: Tx) -> dict[str, Any]:
    inputs: list[dict[str, Any]] = []
    for txin in tx.inputs:
        if txin.spent is None:
            inputs.append({"coinbase": txin.script_sig.hex(), "sequence": txin.sequence})
        else:
            prevout = {"value": f"sat:{txin.spent.value}", "scriptPubKey": {"hex": txin.spent.script.hex()}}
            inputs.append({"txid": txin.txid, "vout": txin.vout, "prevout": prevout, "sequence": txin.sequence})
    outputs = [
        {"value": f"sat:{txout.value}", "n": n, "scriptPubKey": {"hex": txout.script.hex()}}
        for n, txout in enumerate(tx.outputs)
    ]
    return {"txid": tx.txid, "hash": tx.wtxid, "vin": inputs, "vout": outputs, "hex": tx.raw.hex()}


def coins(satoshi: int) -> str:
    """Satoshi as the node prints them."""
    return f"{satoshi // 10**8}.{satoshi % 10**8:08d}"
