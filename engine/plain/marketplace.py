"""What kind of transfer a transaction makes by its signatures and template (section 9)."""

from enum import Enum

from engine.plain.parties import Party, owner_of_input
from engine.plain.transactions import Transaction
from ingest.networks import Network


class Kind(Enum):
    """R-CORE-MKT-2, R-CORE-MKT-3."""

    SIMPLE = "simple"
    MARKETPLACE = "marketplace"
    INVALID_MARKETPLACE = "invalid marketplace"


def classify(transaction: Transaction, height: int, network: Network) -> Kind:
    """The kind of the transfer in a block of this height."""
    if not any(spent.counts_as_marketplace_signature for spent in transaction.inputs):
        return Kind.SIMPLE
    template = _early_template if height < network.template_height else _new_template
    return Kind.MARKETPLACE if template(transaction, height, network) else Kind.INVALID_MARKETPLACE


def transfer_sender(transaction: Transaction, kind: Kind, height: int, network: Network) -> Party | None:
    """Input 0, except that in the emergency range input 1 sends what carries marketplace signatures (R-CORE-MKT-7)."""
    first = owner_of_input(transaction, 0, network)
    if kind is Kind.SIMPLE or not in_emergency_range(height, network):
        return first
    return owner_of_input(transaction, 1, network) or first


def in_emergency_range(height: int, network: Network) -> bool:
    """R-CORE-CONST-11: no range on a network means that no height lies in it (D-24)."""
    bounds = network.emergency_range
    return bounds is not None and bounds[0] <= height <= bounds[1]


def _early_template(transaction: Transaction, height: int, network: Network) -> bool:
    """R-CORE-MKT-4; that a signature counts is known already."""
    return len(transaction.inputs) >= 3 and _distinct_owners(transaction, network) >= 3


def _new_template(transaction: Transaction, height: int, network: Network) -> bool:
    """R-CORE-MKT-5."""
    inputs = transaction.inputs
    if len(inputs) < 3 or not all(spent.counts_as_marketplace_signature for spent in inputs[:2]):
        return False
    first, second = (owner_of_input(transaction, index, network) for index in (0, 1))
    same_owner = first is not None and first == second
    return (same_owner or in_emergency_range(height, network)) and _distinct_owners(transaction, network) >= 3


def _distinct_owners(transaction: Transaction, network: Network) -> int:
    owners = {owner_of_input(transaction, index, network) for index in range(len(transaction.inputs))}
    return len(owners - {None})
