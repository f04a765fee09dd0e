"""What a source of blocks can do wrong, and what the operator does about it.

IngestError
├── NodeFailing            the call itself failed (counted by the circuit breaker)
│   ├── NodeUnreachable    nobody answers at the address
│   ├── ConnectionCut      the connection ended in the middle of an answer
│   ├── NodeTooSlow        no answer within the time limit
│   └── NodeBusy           the node or its proxy turns calls away for now
├── CircuitOpen            too many failures in a row: not asked again before a pause
├── AnswerTooLarge         one answer exceeds what is accepted at once
├── BadAnswer              an answer that is not what the node documents
├── NodeRefused            the node answered with an error of its own
├── BadNodeAddress         the URL or header given for the node cannot be used
├── MissingCookie          the node's cookie file is not there
├── WrongCredentials       the node does not accept the credentials
├── AccessForbidden        the node does not serve this client or this method
├── NodeWarmingUp          the node is starting
├── NodeInInitialDownload  the node does not have the chain yet
├── NodeBehind             the node's chain ends below what is indexed
├── WrongNetwork           the source holds another network's chain
├── Pruned                 the node no longer has the blocks that are needed
├── MissingPrevouts        the node cannot tell which outputs a block spends
├── ChainMoved             the best chain changed while it was being read
├── CorruptBlock           a block's bytes contradict themselves
├── NoBlockFiles           the folder holds no block files
├── CorruptFiles           the folder's files are damaged, incomplete or cannot be read
└── Stopped                a wait was ended because a stop was asked for
"""

from typing import ClassVar


class IngestError(Exception):
    """Base of all. `retry` says whether the same call may succeed later, `advice` what the operator does."""

    retry: ClassVar[bool] = False
    advice: ClassVar[str] = ""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"{self.what}. {self.advice}".rstrip()


class NodeFailing(IngestError):
    """The call did not get an answer."""

    retry = True


class NodeUnreachable(NodeFailing):
    """Nobody answers at the address, or no secure connection can be made."""

    advice = "Start Bitcoin Core with server=1, or correct the node's address and port."


class ConnectionCut(NodeFailing):
    """The connection ended before the answer was complete."""

    advice = "If this lasts, look into the node's log and at what stands between."


class NodeTooSlow(NodeFailing):
    """No answer within the time limit."""

    advice = "Give the node less other work, or more rpcthreads."


class NodeBusy(NodeFailing):
    """The node's work queue is full, or a hosted node limits the rate."""

    advice = "Raise rpcworkqueue and rpcthreads of the node, or the limits of the hosted plan."


class CircuitOpen(IngestError):
    """The node failed so often in a row that it is left alone for a while."""

    retry = True
    advice = "It is asked again after a pause; the cause is the last failure named here."


class AnswerTooLarge(IngestError):
    """An answer exceeds the accepted size; batches shrink on it."""

    advice = "A single block never is this large: check what answers at the node's address."


class BadAnswer(IngestError):
    """The answer is not JSON, or not of the documented form."""

    retry = True
    advice = "Check that the address is Bitcoin Core's RPC port and that no proxy alters its answers."


class NodeRefused(IngestError):
    """The node answered with an RPC error. `code` is its number."""

    advice = "The node's log says more."

    def __init__(self, what: str, code: int) -> None:
        super().__init__(what)
        self.code = code


class BadNodeAddress(IngestError):
    """The URL or header cannot be used."""

    advice = "Give http://host:port or https://host:port, and headers as 'name: value'."


class MissingCookie(IngestError):
    """The cookie file does not exist; the node writes it when it starts and removes it when it stops."""

    retry = True
    advice = "Start the node, or give the path of .cookie in its data directory, readable for this user."


class WrongCredentials(IngestError):
    """HTTP 401."""

    advice = "Correct the user and password, the cookie file or the token given for the node."


class AccessForbidden(IngestError):
    """HTTP 403."""

    advice = "Allow this client with rpcallowip, and the read-only methods with rpcwhitelist, in bitcoin.conf."


class NodeWarmingUp(IngestError):
    """RPC error -28: the node is loading its index or rewinding."""

    retry = True
    advice = "Nothing to do: it is asked again until it is ready."


class NodeInInitialDownload(IngestError):
    """The node is still fetching or checking the chain."""

    retry = True
    advice = "Nothing to do: indexing goes on once the node has caught up."


class NodeBehind(IngestError):
    """The node's chain ends below what is indexed, without a better branch. This is not a reorganisation."""

    retry = True
    advice = "Wait for the node to catch up, or give a node that has. To index less, use `simplicity rollback`."


class WrongNetwork(IngestError):
    """Chain name or genesis hash are those of another network."""

    advice = "Give the --network of the node, or the node of this network; each network has its own data directory."


class Pruned(IngestError):
    """Blocks at or above the height that is needed were deleted by the node."""

    advice = "Use a node that is not pruned (prune=0), or a copy of its block files that reaches far enough back."


class MissingPrevouts(IngestError):
    """A block came without the outputs that it spends."""

    advice = "Bitcoin Core 23 or newer is needed, with its undo files (rev*.dat) in place; reindex if they are damaged."


class ChainMoved(IngestError):
    """The best chain changed between two calls: what was read does not join.

    The same call cannot succeed later; whoever follows the chain looks at it again.
    """

    advice = "Nothing to do: the new chain is read."


class CorruptBlock(IngestError):
    """A block's bytes do not hash to its name, or contradict themselves."""

    advice = "Check the disk, then let the node fetch the chain again (-reindex)."


class NoBlockFiles(IngestError):
    """The folder given for block files does not exist, or holds no `blk*.dat`."""

    advice = "Give the `blocks` folder of the node's data directory, or a copy with its blk*.dat, rev*.dat and xor.dat."


class CorruptFiles(IngestError):
    """A block file is damaged in its middle, ends too early, or cannot be read."""

    advice = "Copy the file again from the node, together with xor.dat; if the node's own is damaged, use -reindex."


class Stopped(IngestError):
    """Not a failure: the wait ended because a stop was asked for."""
