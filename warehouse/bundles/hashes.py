"""Hashes of a state, calculated from its tables alone (docs/protocol.md, section 16)."""

from contextlib import closing
from hashlib import sha256

from warehouse.histories import Histories
from warehouse.lake_store import LakeStore, open_database
from warehouse.past import Past
from warehouse.snapshot import Snapshot


def cumulative_hash(snapshot: Snapshot) -> str:
    """Of the newest block, from the event hashes of all blocks."""
    cumulative = ""
    for event_hash in snapshot.rows("blocks", ["event_hash"])["event_hash"].to_pylist():
        cumulative = sha256((cumulative + event_hash).encode()).hexdigest()
    return cumulative


def balances_hash(snapshot: Snapshot) -> str:
    """Of all balances after the newest block."""
    with closing(open_database()) as database:
        histories = Histories(LakeStore(database.cursor(), snapshot))
        return Past(histories, snapshot.manifest.next_height - 1).balances_hash()[0]
