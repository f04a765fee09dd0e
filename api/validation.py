"""Whether a transaction, which nobody need have seen yet, mints W: the rules asked of its bytes alone, without a node.

What only the chain knows is taken for granted: that the spent output exists and has an address (R-WRAP-MINT-13), and
that W is deployed.
"""

from binascii import unhexlify
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from engine.errors import MalformedCandidate
from engine.modules.vault import INTERNAL_KEY, LOCKED, OPERATOR_KEY, Refused, Vault, is_worth, revealed_vault
from engine.modules.wrap import W
from engine.plain.parties import recipient
from engine.plain.payloads import Operation, parse_payload
from engine.plain.transactions import Transaction, parse_transaction, protocol_output, protocol_payload
from ingest.addresses import address_of
from ingest.networks import MAX_PAYLOAD, Network

VALID: Final = "VALID"
SHORTEST: Final = 100
"""Hex digits, fewer than any transaction has."""
LARGEST_NUMBER: Final = 2**63 - 1


class RawTransaction(BaseModel):
    """What is to be examined."""

    raw_tx_hex: Annotated[str, Field(description="The serialised transaction with its witness, in hex.")]


class MintDetails(TypedDict):
    """What was compared: addresses always, amounts once the addresses agree. Expected is null where it was found."""

    expected_address: Annotated[str | None, Field(description="The vault of the revealed key and delay.")]
    found_address: Annotated[str | None, Field(description="Address of output 2.")]
    expected_amount_sats: Annotated[int | None, Field(description="What output 0 claims.")]
    found_amount_sats: Annotated[int | None, Field(description="Value of output 2.")]


class MintVerdict(TypedDict):
    """Whether W would be minted."""

    is_valid: bool
    reason: Annotated[str, Field(description="VALID, or what is wrong.")]
    details: Annotated[MintDetails | None, Field(description="Null when nothing could be compared.")]


class CryptoDetails(TypedDict):
    """The vault of the revealed key and delay; bytes are in hex."""

    alice_pubkey_xonly: Annotated[str, Field(description="The user's key.")]
    platform_pubkey_xonly: Annotated[str, Field(description="The operator's key.")]
    internal_key_xonly: str
    multisig_script: str
    csv_script: Annotated[str, Field(description="The liquidation leaf.")]
    recovery_script: str
    multisig_leaf_hash: str
    csv_leaf_hash: str
    recovery_leaf_hash: str
    merkle_root: str
    output_key: str
    csv_blocks: Annotated[int, Field(description="Blocks until liquidation.")]
    parity: Annotated[int, Field(description="Of the output key's y: 0 even, 1 odd.")]


class AddressVerdict(TypedDict):
    """Whether output 2 pays to the vault that the witness reveals."""

    is_valid: bool
    reason: Annotated[str, Field(description="VALID, or what is wrong.")]
    expected_address: Annotated[str | None, Field(description="The vault's; null when none is revealed.")]
    found_address: Annotated[str | None, Field(description="Output 2's; null when no vault is revealed.")]
    crypto_details: CryptoDetails | None


class Unfit(Exception):
    """The transaction cannot be examined, or claims nothing. The message says why."""


def mint_verdict(raw: str, network: Network) -> MintVerdict:
    """R-WRAP-MINT-1 without rows 2 and 13."""
    try:
        transaction, vault = _examined(raw)
    except (Unfit, Refused) as refusal:
        return MintVerdict(is_valid=False, reason=str(refusal), details=None)
    lock = transaction.outputs[LOCKED]
    found = address_of(lock.script, network)
    if lock.script != vault.script:
        expected = address_of(vault.script, network)
        details = MintDetails(
            expected_address=expected, found_address=found, expected_amount_sats=None, found_amount_sats=None
        )
        return MintVerdict(is_valid=False, reason=_elsewhere(expected, found), details=details)
    details = MintDetails(
        expected_address=None, found_address=found, expected_amount_sats=None, found_amount_sats=lock.value
    )
    try:
        amount = _claimed_amount(transaction)
    except Unfit as refusal:
        return MintVerdict(is_valid=False, reason=str(refusal), details=details)
    if not is_worth(amount, lock.value):
        details["expected_amount_sats"] = _number(amount)
        reason = f"`amt` is not text of digits worth the {lock.value} satoshis of output 2"
        return MintVerdict(is_valid=False, reason=reason, details=details)
    if recipient(transaction, network) is None:
        return MintVerdict(is_valid=False, reason="output 1, which is to receive W, has no address", details=details)
    return MintVerdict(is_valid=True, reason=VALID, details=details)


def address_verdict(raw: str, network: Network) -> AddressVerdict:
    """R-WRAP-MINT-3 to R-WRAP-MINT-8 and R-WRAP-MINT-10."""
    try:
        transaction, vault = _examined(raw)
    except (Unfit, Refused) as refusal:
        return AddressVerdict(
            is_valid=False, reason=str(refusal), expected_address=None, found_address=None, crypto_details=None
        )
    lock = transaction.outputs[LOCKED].script
    expected, found = address_of(vault.script, network), address_of(lock, network)
    return AddressVerdict(
        is_valid=lock == vault.script,
        reason=VALID if lock == vault.script else _elsewhere(expected, found),
        expected_address=expected,
        found_address=found,
        crypto_details=_crypto_details(vault),
    )


def _examined(raw: str) -> tuple[Transaction, Vault]:
    """The transaction and the vault that it reveals. Raises Unfit and Refused."""
    if len(raw) < SHORTEST:
        raise Unfit(f"raw_tx_hex has {len(raw)} characters; no transaction has fewer than {SHORTEST}")
    try:
        transaction = parse_transaction(unhexlify(raw), b"")
    except ValueError as error:
        raise Unfit("raw_tx_hex is not pairs of hex digits") from error
    except MalformedCandidate as error:
        raise Unfit(f"raw_tx_hex is not a transaction: it {error}") from error
    witnesses = [spent.witness for spent in transaction.inputs]
    return transaction, revealed_vault(witnesses, [output.script for output in transaction.outputs])


def _claimed_amount(transaction: Transaction) -> Any:
    """`amt` of the mint of W that output 0 carries (D-10). Raises Unfit."""
    output = transaction.outputs[0]
    if protocol_output(transaction) != 0 or not output.is_nulldata:
        raise Unfit("output 0 is not the one output with a BRC-20 operation")
    payload = protocol_payload(output)
    operation = parse_payload(payload) if len(payload) <= MAX_PAYLOAD else None
    if not isinstance(operation, Operation) or (operation.name, operation.ticker) != ("mint", W):
        raise Unfit(f"output 0 does not carry a mint of {W}")
    return operation.members.get("amt")


def _number(amount: object) -> int | None:
    """The number that digits write, None for other text and for numbers that few programs read."""
    if not isinstance(amount, str) or not amount.isascii() or not amount.isdigit():
        return None
    number = int(amount)
    return number if number <= LARGEST_NUMBER else None


def _elsewhere(expected: str | None, found: str | None) -> str:
    return f"output 2 pays to {found}, not to {expected}, the vault of the revealed key and delay"


def _crypto_details(vault: Vault) -> CryptoDetails:
    return CryptoDetails(
        alice_pubkey_xonly=vault.user_key.hex(),
        platform_pubkey_xonly=OPERATOR_KEY.hex(),
        internal_key_xonly=INTERNAL_KEY.hex(),
        multisig_script=vault.multisig.script.hex(),
        csv_script=vault.liquidation.script.hex(),
        recovery_script=vault.recovery.script.hex(),
        multisig_leaf_hash=vault.multisig.hash.hex(),
        csv_leaf_hash=vault.liquidation.hash.hex(),
        recovery_leaf_hash=vault.recovery.hash.hex(),
        merkle_root=vault.merkle_root.hex(),
        output_key=vault.output_key.hex(),
        csv_blocks=vault.delay,
        parity=vault.parity,
    )
