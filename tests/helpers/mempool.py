"""A node with transactions that are in no block yet, as Bitcoin Core's documentation describes it."""

import json
from collections.abc import Sequence
from typing import Any

from ingest.rpc import Credentials, Rpc
from tests.helpers.node import LOGIN, FakeNode, RpcError
from tests.helpers.recorded_chain import descriptions


class MempoolNode(FakeNode):
    """The whole recorded chain, some of whose transactions are taken to wait still.

    `waiting` may be changed at any time; what waiting transactions spend counts as unspent in the chain.
    """

    def __init__(self, waiting: Sequence[str] = ()) -> None:
        super().__init__(148)
        self.transactions = {str(tx["txid"]): tx for block in descriptions() for tx in block["tx"]}
        self.raw = {txid: str(tx["hex"]) for txid, tx in self.transactions.items()}
        self.waiting = list(waiting)
        self.listed: list[str] = []
        """Listed as waiting, and gone when they are asked for."""
        self.loaded = True
        self.size: int | None = None

    def connect(self) -> Rpc:
        """A new connection to it."""
        user, _, password = LOGIN.partition(":")
        return Rpc(self.url, Credentials(user, password), timeout=5.0)

    def answer(self, method: str, params: list[Any]) -> str:
        match method, params:
            case "getmempoolinfo", []:
                size = len(self.waiting) if self.size is None else self.size
                return json.dumps({"loaded": self.loaded, "size": size})
            case "getrawmempool", []:
                return json.dumps([*self.waiting, *self.listed])
            case "getrawtransaction", [str(txid)]:
                if txid not in self.waiting:
                    raise RpcError(-5, "No such mempool transaction")
                return json.dumps(self.raw[txid])
            case "gettxout", [str(txid), int(vout), False]:
                if txid in self.waiting or txid not in self.transactions:
                    return "null"
                output = self.transactions[txid]["vout"][vout]
                return json.dumps({"scriptPubKey": {"hex": output["scriptPubKey"]["hex"]}})
        return super().answer(method, params)
