"""Chains of whole blocks with W, and what their records say."""

import json
from dataclasses import replace
from typing import Any

from engine.judge import Engine
from engine.schemas import Judged
from ingest.networks import REGTEST
from tests.helpers.audit import assert_conserved
from tests.helpers.builders import address, candidates, headers, operation
from tests.helpers.chain import Tx
from tests.helpers.vaults import Vault

IWS = "INVALID_WRAP_STRUCTURE"
UPE = "UNKNOWN_PROCESSING_ERROR"
ALICE = Vault("alice")
SLOW = Vault("alice", 65534)
Row = dict[str, Any]


def plain_operation(op: str, tick: str, sender: str = "carol", recipient: str = "bob", **members: object) -> Tx:
    return operation(json.dumps({"p": "brc-20", "op": op, "tick": tick} | members), sender, recipient)


def deploy(tick: str = "W", maximum: str = "0", limit: str = "0") -> Tx:
    return plain_operation("deploy", tick, m=maximum, l=limit)


class Chain:
    """Blocks on the compiled path, audited as they come."""

    def __init__(self, *first: Tx) -> None:
        self.engine = Engine(REGTEST)
        self.height = -1
        self.judged: Judged
        self.txids: list[str] = []
        self.block(*first)

    def block(self, *txs: Tx) -> list[Row]:
        """Judge a block; its records. Transactions that are equal are told apart."""
        self.height += 1
        salted = [replace(tx, locktime=1000 * self.height + place) for place, tx in enumerate(txs)]
        self.txids = [tx.txid for tx in salted]
        opening = self.engine.state()
        self.judged = self.engine.judge(headers({self.height: salted}), candidates({self.height: salted}))
        assert_conserved(self.judged, opening=opening)
        records: list[Row] = self.judged.operations.to_pylist()
        return records

    def one(self, tx: Tx) -> Row:
        (record,) = self.block(tx)
        return record

    def restart(self) -> None:
        """Go on from the state alone."""
        self.engine = Engine(REGTEST, self.engine.state())

    def balance(self, label: str, ticker: str = "W") -> int:
        rows = self.engine.state().balances.to_pylist()
        held = {(row["ticker"], row["address"]): row["balance"] for row in rows}
        return int(held.get((ticker, address(label)), 0))

    def supply(self) -> tuple[int, int]:
        """Minted and burned of W."""
        (row,) = [row for row in self.engine.state().supplies.to_pylist() if row["ticker"] == "W"]
        return int(row["minted"]), int(row["burned"])

    def events(self) -> list[tuple[str, str, int]]:
        """Cause, address and change of the last block's balance events."""
        rows = self.judged.balance_events.to_pylist()
        return [(row["cause"], row["address"], int(row["delta"])) for row in rows]

    def vaults(self) -> list[Row]:
        """Latest version of every vault, oldest first."""
        rows: list[Row] = self.engine.state().modules["vaults"].to_pylist()
        return sorted(rows, key=lambda row: (row["opened_height"], row["opened_op_index"]))

    def statuses(self) -> list[str]:
        return [row["status"] for row in self.vaults()]


def verdict(record: Row) -> tuple[str | None, str | None]:
    """Code and divergences."""
    return record["code"], record["divergence"]


def own_tags(record: Row) -> str | None:
    """Divergences but D-12, which depends on what was minted before."""
    tags = [tag for tag in (record["divergence"] or "").split(",") if tag and tag != "D-12"]
    return ",".join(tags) or None


def parties(record: Row) -> tuple[str | None, str | None]:
    return record["from_address"], record["to_address"]
