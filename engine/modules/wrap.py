"""W: minted against bitcoin that a vault locks, burned when it is given back (R-WRAP-*)."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

import pyarrow as pa

from engine.amounts import Integer, read_recorded
from engine.modules.decimals import fifty_digits
from engine.modules.numbers import is_missing, read_decimal
from engine.modules.registry import Account, Ledger, Operation, Outcome, Output, Phase, StateTable
from engine.modules.vault import LOCKED, Refused, Vault, is_worth, revealed_vault
from engine.payloads import read_object
from engine.verdicts import Code
from ingest.candidates import column
from ingest.networks import DECIMALS, Network

W: Final = "W"
MINT: Final = "wrap_mint"
BURN: Final = "wrap_burn"
ACTIVE: Final = "active"
CLOSED: Final = "closed"

VAULTS: Final = StateTable(
    "vaults",
    "an output that locks bitcoin for W, in each block that opened or closed it",
    pa.schema(
        [
            column("height", pa.int32(), "Height after which the row holds."),
            column("vault", pa.string(), "The lock output: txid of the mint, a colon, 2."),
            column("txid", pa.string(), "Transaction of the mint, 64 hex digits."),
            column("lock_address", pa.string(), "Address of the lock output (R-WRAP-TREE-1); several may share it."),
            column("lock_script", pa.binary(), "Script of the lock output."),
            column("initiator_address", pa.string(), "Sender of the mint."),
            column("recipient_address", pa.string(), "Who was credited."),
            column("amount", pa.int64(), "Satoshis locked, and W minted."),
            column("delay", pa.int32(), "Blocks until liquidation, as revealed (D-13)."),
            column("merkle_root", pa.string(), "Root of the script tree, 64 hex digits."),
            column("status", pa.string(), "active, or closed by a burn (R-WRAP-BURN-3)."),
            column("opened_height", pa.int32(), "Height of the mint."),
            column("opened_op_index", pa.int32(), "Record of the mint in its block; of two vaults the older closes."),
            column("closed_height", pa.int32(), "Height of the burn that closed it.", nullable=True),
            column("closing_txid", pa.string(), "Transaction of that burn, 64 hex digits.", nullable=True),
        ]
    ),
    ("vault",),
)

_OP_RETURN: Final = b"\x6a"
_DEFAULT_DELAY: Final = 256
"""Delay of every vault in the predecessor's books (D-13)."""

_FAR: Final = 1 << 64
"""More satoshis than an output can say."""

_BURNED_ONCE: Final = 9
_WORTH_WHAT_IS_LOCKED: Final = 10
_DEPLOYED_IN_THE_BLOCK: Final = 11
_LOCKED_AGAIN: Final = 12
_OTHER_DELAY: Final = 13
_OTHER_TICKER: Final = 14


@dataclass(slots=True)
class Lock:
    """A lock output that W was minted against: the columns of VAULTS after `height`."""

    vault: str
    txid: str
    lock_address: str
    lock_script: bytes
    initiator_address: str
    recipient_address: str
    amount: int
    delay: int
    merkle_root: str
    opened_height: int
    opened_op_index: int
    status: str = ACTIVE
    closed_height: int | None = None
    closing_txid: str | None = None


class Parties(NamedTuple):
    """Accounts of a mint."""

    lock: Account
    sender: Account
    recipient: Account


class Wrap:
    """The wrap module."""

    name = "wrap"
    priority = 3
    phase: Phase | None = None
    causes: Mapping[str, str] = {
        MINT: "W for bitcoin that a vault locks, to the recipient.",
        BURN: "W that ceased to exist, from the burner.",
    }
    tables: Sequence[StateTable] = (VAULTS,)

    def __init__(self, network: Network) -> None:
        self._active: dict[tuple[bytes | None, int], deque[Lock]] = defaultdict(deque)
        """By lock script and amount, oldest first."""
        self._scripts: set[bytes] = set()
        """Scripts that ever locked."""
        self._changed: dict[str, Lock] = {}

    def claims(self, operation: Operation, ledger: Ledger) -> bool:
        """Mints and burns of wrap tickers, and burns of W whatever it is (R-WRAP-TICK-1 to R-WRAP-TICK-4)."""
        if operation.name not in ("mint", "burn") or operation.ticker is None:
            return False
        token = ledger.token(operation.ticker)
        return (token is not None and token.is_wrap) or (operation.name == "burn" and operation.ticker == W)

    @fifty_digits
    def apply(self, operation: Operation, ledger: Ledger) -> Outcome:
        """Judge a mint or a burn."""
        if operation.ticker != W:
            return _other_ticker(operation)
        return self._mint(operation, ledger) if operation.name == "mint" else self._burn(operation, ledger)

    def _mint(self, operation: Operation, ledger: Ledger) -> Outcome:
        """R-WRAP-MINT-*, after R-WRAP-MINT-2."""
        token = ledger.token(W)
        tags = {_DEPLOYED_IN_THE_BLOCK} if token is not None and token.height == ledger.height else set()
        try:
            witnesses = [spent.witness for spent in operation.inputs]
            vault = revealed_vault(witnesses, [output.script for output in operation.outputs])
        except Refused as refused:
            return _refused_mint(operation, refused.code, tags)
        parties = _parties(operation, vault)
        if _predecessors_code(operation, vault) is not (None if parties else Code.INVALID_WRAP_STRUCTURE):
            tags.add(_WORTH_WHAT_IS_LOCKED)
        if parties is None:
            return _refused_mint(operation, Code.INVALID_WRAP_STRUCTURE, tags)
        lock = _lock(vault, operation, parties)
        ledger.mint(W, parties.recipient, Decimal(lock.amount), MINT)
        if lock.lock_script in self._scripts:
            tags.add(_LOCKED_AGAIN)
        if lock.delay != _DEFAULT_DELAY:
            tags.add(_OTHER_DELAY)
        self._enter(lock)
        self._changed[lock.vault] = lock
        return Outcome(None, None, W, Decimal(lock.amount), None, parties.recipient, frozenset(tags))

    def _burn(self, operation: Operation, ledger: Ledger) -> Outcome:
        """R-WRAP-BURN-*."""
        sender = operation.sender
        code = _burn_code(operation, ledger)
        if code is not None or sender is None:
            return Outcome(code, None, W, _recorded(operation), sender)
        amount = operation.outputs[1].value
        ledger.burn(W, sender, Decimal(amount), BURN)
        self._close(operation, amount)
        token = ledger.token(W)
        tags = {_BURNED_ONCE} if amount and token is not None and token.is_wrap else ()
        return Outcome(None, None, W, Decimal(amount), sender, tags=frozenset(tags))

    def _enter(self, lock: Lock) -> None:
        """Let a lock output be known, after all older ones."""
        self._scripts.add(lock.lock_script)
        if lock.status == ACTIVE:
            self._active[lock.lock_script, lock.amount].append(lock)

    def _close(self, operation: Operation, amount: int) -> None:
        """Close the oldest vault of that amount at the address that the last of several inputs spends
        (R-WRAP-BURN-3)."""
        locks = self._active.get((operation.inputs[-1].spent_script, amount))
        if len(operation.inputs) < 2 or not locks:
            return
        lock = locks.popleft()
        lock.status, lock.closed_height, lock.closing_txid = CLOSED, operation.height, operation.txid
        self._changed[lock.vault] = lock

    def end_of_block(self, ledger: Ledger) -> Sequence[str]:
        """Nothing happens to vaults by themselves."""
        return ()

    def round(self) -> None:
        """Satoshis are whole."""

    def drain(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Vaults that the block opened or closed."""
        changed, self._changed = self._changed, {}
        return {VAULTS.name: [asdict(lock) for lock in changed.values()]}

    def restore(self, tables: Mapping[str, pa.Table]) -> None:
        """Continue from the latest versions of all vaults."""
        order = [(name, "ascending") for name in ("opened_height", "opened_op_index")]
        for row in tables[VAULTS.name].drop_columns("height").sort_by(order).to_pylist():
            self._enter(Lock(**row))


def _other_ticker(operation: Operation) -> Outcome:
    """A mint or burn of a wrap ticker other than W (R-WRAP-TICK-2, D-14)."""
    code, tags = Code.TICKER_NOT_SUPPORTED_NOW, frozenset[int]()
    if operation.name == "burn":
        if all(_is_op_return(output) for output in operation.outputs):
            code = Code.NO_STANDARD_OUTPUT
        else:
            tags = frozenset({_OTHER_TICKER})
    amount = _recorded(operation)
    return Outcome(code, None, operation.ticker, amount, operation.sender, operation.recipient, tags)


def _refused_mint(operation: Operation, code: Code, tags: set[int]) -> Outcome:
    return Outcome(code, None, W, _recorded(operation), None, operation.recipient, frozenset(tags))


def _parties(operation: Operation, vault: Vault) -> Parties | None:
    """Who takes part in a mint; None when R-WRAP-MINT-10 to R-WRAP-MINT-14 refuse it, D-10 in the place of -11."""
    output = operation.outputs[LOCKED]
    is_claimed = operation.vout == 0 and is_worth(operation.members.get("amt"), output.value)
    lock, sender, recipient = operation.account(vault.script), operation.sender, operation.recipient
    if output.script != vault.script or not is_claimed or lock is None or sender is None or recipient is None:
        return None
    return Parties(lock, sender, recipient)


def _predecessors_code(operation: Operation, vault: Vault) -> Code | None:
    """R-WRAP-MINT-9 to R-WRAP-MINT-14 as the predecessor has them: for the tag of D-10."""
    claim = _claim(operation.outputs[0])
    if claim is None:
        return Code.UNKNOWN_PROCESSING_ERROR
    output, amount = operation.outputs[LOCKED], operation.members.get("amt")
    is_claimed = -_FAR < claim < _FAR and int(claim) == output.value
    is_number = not is_missing(amount) and read_decimal(amount) is not None
    is_complete = operation.sender is not None and operation.recipient is not None
    is_sound = output.script == vault.script and is_claimed and is_number and is_complete
    return None if is_sound else Code.INVALID_WRAP_STRUCTURE


def _claim(output: Output) -> Decimal | None:
    """`amt` of the JSON object behind the output's first two bytes, -1 when it has none; None if it cannot be read."""
    try:
        members = read_object(output.script[2:].decode())
    except UnicodeDecodeError:
        return None
    amount = None if members is None else read_decimal(members.get("amt", Integer("-1")))
    return amount if amount is not None and amount.is_finite() else None


def _burn_code(operation: Operation, ledger: Ledger) -> Code | None:
    """R-WRAP-BURN-1."""
    outputs, sender, amount = operation.outputs, operation.sender, operation.members.get("amt")
    if len(outputs) < 2 or not _is_op_return(outputs[0]):
        return Code.INVALID_WRAP_STRUCTURE
    burned = None if is_missing(amount) else read_decimal(amount)
    if burned is None or not burned.is_finite() or burned != outputs[1].value:
        return Code.INVALID_WRAP_STRUCTURE
    if sender is None or operation.account(outputs[1].script) != sender:
        return Code.INVALID_WRAP_STRUCTURE
    if ledger.balance(W, sender) < burned:
        return Code.INSUFFICIENT_WRAP_BALANCE
    return None if ledger.is_deployed(W) else Code.TICKER_NOT_DEPLOYED


def _is_op_return(output: Output) -> bool:
    return output.script.startswith(_OP_RETURN)


def _lock(vault: Vault, operation: Operation, parties: Parties) -> Lock:
    """What a valid mint locks (R-WRAP-MINT-16)."""
    return Lock(
        vault=f"{operation.txid}:{LOCKED}",
        txid=operation.txid,
        lock_address=parties.lock.address,
        lock_script=vault.script,
        initiator_address=parties.sender.address,
        recipient_address=parties.recipient.address,
        amount=operation.outputs[LOCKED].value,
        delay=vault.delay,
        merkle_root=vault.merkle_root.hex(),
        opened_height=operation.height,
        opened_op_index=operation.op_index,
    )


def _recorded(operation: Operation) -> Decimal | None:
    """The amount that a refused operation carries (R-CORE-AMT-5)."""
    units = read_recorded(operation.members.get("amt"))
    return None if units is None else Decimal(units).scaleb(-DECIMALS)


MODULE = Wrap
