"""Lock outputs that W was minted against (R-WRAP-MINT-16); each counts, also where an address has several (D-12)."""

from dataclasses import dataclass
from typing import Any, Final

from engine.plain.parties import Party

ACTIVE: Final = "active"
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class Vault:
    """One lock output, from the mint on until a burn spends it (R-WRAP-BURN-3)."""

    txid: str
    """Transaction of the mint, whose output 2 is the lock output."""
    lock: Party
    initiator: str
    """Address of the mint's sender."""
    recipient: str
    """Address that was credited."""
    amount: int
    """Satoshis locked, and as many W minted."""
    delay: int
    """Blocks until liquidation, as revealed (D-13)."""
    merkle_root: str
    opened_height: int
    opened_op_index: int
    """Record of the mint in its block: tells apart two of one block."""
    status: str = ACTIVE
    closed_height: int | None = None
    closing_txid: str | None = None

    @property
    def key(self) -> str:
        return f"{self.txid}:2"

    def columns(self) -> dict[str, Any]:
        """The row of `vaults`, without height."""
        return {
            "vault": self.key,
            "txid": self.txid,
            "lock_address": self.lock.address,
            "lock_script": self.lock.script,
            "initiator_address": self.initiator,
            "recipient_address": self.recipient,
            "amount": self.amount,
            "delay": self.delay,
            "merkle_root": self.merkle_root,
            "status": self.status,
            "opened_height": self.opened_height,
            "opened_op_index": self.opened_op_index,
            "closed_height": self.closed_height,
            "closing_txid": self.closing_txid,
        }

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Vault":
        """The reverse of `columns`."""
        return cls(
            txid=row["txid"],
            lock=Party(row["lock_address"], row["lock_script"]),
            initiator=row["initiator_address"],
            recipient=row["recipient_address"],
            amount=row["amount"],
            delay=row["delay"],
            merkle_root=row["merkle_root"],
            opened_height=row["opened_height"],
            opened_op_index=row["opened_op_index"],
            status=row["status"],
            closed_height=row["closed_height"],
            closing_txid=row["closing_txid"],
        )
