"""Who sends and who receives (section 7)."""

from dataclasses import dataclass

from engine.plain.transactions import Output, Transaction
from ingest.addresses import address_of
from ingest.networks import Network


@dataclass(frozen=True, slots=True)
class Party:
    """The holder of an account: an address as a node prints it (R-CORE-ADDR-1) and the script it stands for.

    `script` is None for a pool account.
    """

    address: str
    script: bytes | None


def party_of(script: bytes | None, network: Network) -> Party | None:
    """Who owns an output with this script, None when it has no address."""
    address = None if script is None else address_of(script, network)
    return None if address is None else Party(address, script)


def owner_of_input(transaction: Transaction, index: int, network: Network) -> Party | None:
    """Owner of the output that an input spends; input 0 is the sender of an operation (R-CORE-ADDR-2)."""
    inputs = transaction.inputs
    return party_of(inputs[index].spent_script, network) if index < len(inputs) else None


def owner_of_output(transaction: Transaction, index: int, network: Network) -> Party | None:
    """Owner of an output, None when there is no such output."""
    outputs = transaction.outputs
    return party_of(outputs[index].script, network) if index < len(outputs) else None


def output_behind_op_return(transaction: Transaction, distance: int) -> Output | None:
    """The output so many places behind the first OP_RETURN output, whichever the protocol output is (D-17)."""
    outputs = transaction.outputs
    first = next((index for index, output in enumerate(outputs) if output.is_op_return), len(outputs))
    return outputs[first + distance] if first + distance < len(outputs) else None


def recipient(transaction: Transaction, network: Network) -> Party | None:
    """Owner of the output behind the first OP_RETURN output (R-CORE-ADDR-3)."""
    output = output_behind_op_return(transaction, 1)
    return None if output is None else party_of(output.script, network)


def stones_recipient(transaction: Transaction, vout: int, network: Network) -> Party | None:
    """Owner of the output behind the runestone, otherwise of output 0 (R-CORE-STONE-3)."""
    return owner_of_output(transaction, vout + 1, network) or owner_of_output(transaction, 0, network)


def has_standard_output(transaction: Transaction) -> bool:
    """Whether any output is not an OP_RETURN output (R-CORE-ORDER-2.1)."""
    return any(not output.is_op_return for output in transaction.outputs)
