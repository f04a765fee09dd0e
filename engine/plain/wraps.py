"""W, minted against bitcoin locked in a vault, and burned (wrap rules 4, 5).

State lives in `block.ledger.modules["vaults"]`. Effects of a refused operation are taken back by whoever calls. The
parts: `taproot`, `vault_scripts`, `vaults`.
"""

import json
import re
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from typing import Final

from engine.plain.cases import Case, Verdict, refused
from engine.plain.ledger import BlockInProgress, Ledger
from engine.plain.numbers import is_missing, number, recorded
from engine.plain.parties import owner_of_input, owner_of_output, party_of
from engine.plain.payloads import nesting
from engine.plain.vault_scripts import INTERNAL_KEY, Reveal, UnusableVault, VaultScripts, parse_reveal
from engine.plain.vaults import ACTIVE, CLOSED, Vault
from engine.plain.versions import Versions
from engine.verdicts import Code
from ingest.networks import MAX_NESTING

WRAP: Final = "W"
_RECORDED_DELAY: Final = 256
"""What the predecessor records for every vault (D-13)."""


def mint_w(block: BlockInProgress, case: Case) -> Verdict:
    """R-WRAP-MINT-1, and R-WRAP-MINT-15, -16 for what passes; for any wrap ticker, of which only W can be minted."""
    if case.ticker != WRAP:
        return refused(Code.TICKER_NOT_SUPPORTED_NOW)
    reveal = _revealed(case)
    if reveal is None:
        verdict = refused(Code.INVALID_WRAP_STRUCTURE)
    else:
        try:
            verdict = _mint_against(block, case, VaultScripts(reveal.user_key, reveal.delay))
        except UnusableVault:
            verdict = refused(Code.UNKNOWN_PROCESSING_ERROR)
    is_deploying_block = block.ledger.tokens[WRAP].height == block.height
    return verdict.tagged("D-11") if is_deploying_block else verdict


def _revealed(case: Case) -> Reveal | None:
    """R-WRAP-MINT-3 to R-WRAP-MINT-6: one input, whose witness shows the envelope under the internal key."""
    inputs, outputs = case.transaction.inputs, case.transaction.outputs
    if len(inputs) != 1 or len(outputs) < 3 or len(inputs[0].witness) != 3:
        return None
    _, script, control_block = inputs[0].witness
    return parse_reveal(script) if control_block[1:33] == INTERNAL_KEY else None


def _mint_against(block: BlockInProgress, case: Case, scripts: VaultScripts) -> Verdict:
    """R-WRAP-MINT-8 on. Rows -9, -11 and -12 are one row at the place of -11 (D-10)."""
    lock = case.transaction.outputs[2]
    if lock.script[:2] != b"\x51\x20" or len(lock.script) != 34:
        return refused(Code.INVALID_WRAP_STRUCTURE)
    passes = (
        lock.script == scripts.script
        and _states(case, lock.value)
        and case.sender is not None
        and case.recipient is not None
    )
    code = None if passes else Code.INVALID_WRAP_STRUCTURE
    verdict = _open_vault(block, case, scripts) if passes else refused(Code.INVALID_WRAP_STRUCTURE)
    return verdict.tagged("D-10") if _predecessors_code(case, scripts) != code else verdict


def _states(case: Case, sats: int) -> bool:
    """Whether output 0 is the protocol output and its `amt` says so many satoshis in ASCII digits."""
    amt = case.amt
    return case.vout == 0 and isinstance(amt, str) and bool(re.fullmatch(r"[0-9]+", amt)) and int(amt) == sats


def _open_vault(block: BlockInProgress, case: Case, scripts: VaultScripts) -> Verdict:
    """R-WRAP-MINT-15, R-WRAP-MINT-16."""
    output = case.transaction.outputs[2]
    lock = party_of(output.script, case.network)
    assert lock is not None
    assert case.sender is not None
    assert case.recipient is not None
    vault = Vault(
        txid=case.txid,
        lock=lock,
        initiator=case.sender.address,
        recipient=case.recipient.address,
        amount=output.value,
        delay=scripts.delay,
        merkle_root=scripts.root.hex(),
        opened_height=block.height,
        opened_op_index=block.op_index,
    )
    vaults = _vaults(block.ledger)
    decisions = ["D-12"] if any(other.lock == lock for other in vaults.values()) else []
    decisions += ["D-13"] if scripts.delay != _RECORDED_DELAY else []
    block.create(WRAP, case.recipient, Decimal(output.value), "wrap_mint")
    vaults[vault.key] = vault
    return Verdict(decisions=frozenset(decisions))


def _predecessors_code(case: Case, scripts: VaultScripts) -> Code | None:
    """What the predecessor makes of a mint that passed R-WRAP-MINT-8: rows -9 to -14 as it has them (D-10)."""
    output_0, _, lock = case.transaction.outputs[:3]
    locked = _integer_part_of_amt(output_0.script[2:])
    if locked is None:
        return Code.UNKNOWN_PROCESSING_ERROR
    has_amount = not is_missing(case.amt) and number(case.amt) is not None
    has_parties = case.sender is not None and case.recipient is not None
    if lock.script == scripts.script and locked == lock.value and has_amount and has_parties:
        return None
    return Code.INVALID_WRAP_STRUCTURE


def _integer_part_of_amt(text: bytes) -> Decimal | None:
    """Of the `amt` of a JSON object, -1 if it has none; None when it is no object, or `amt` no finite number."""
    try:
        decoded = text.decode("utf-8")
        members = json.loads(decoded, parse_int=Decimal) if nesting(decoded) <= MAX_NESTING else None
    except ValueError:
        return None
    if not isinstance(members, dict):
        return None
    amount = number(members.get("amt", Decimal(-1)))
    return amount.to_integral_value(ROUND_DOWN) if amount is not None and amount.is_finite() else None


def burn_w(block: BlockInProgress, case: Case) -> Verdict:
    """R-WRAP-BURN-1 to R-WRAP-BURN-3, once (D-9), for W however it is deployed, or not at all."""
    outputs = case.transaction.outputs
    burner = owner_of_output(case.transaction, 1, case.network)
    amount = None if is_missing(case.amt) else number(case.amt)
    if (
        burner is None
        or burner != case.sender
        or not outputs[0].is_op_return
        or amount is None
        or not amount.is_finite()
        or amount != outputs[1].value
    ):
        return refused(Code.INVALID_WRAP_STRUCTURE)
    if block.ledger.balance(WRAP, burner) < amount:
        return refused(Code.INSUFFICIENT_WRAP_BALANCE)
    if WRAP not in block.ledger.tokens:
        return refused(Code.TICKER_NOT_DEPLOYED)
    block.destroy(WRAP, burner, amount, "wrap_burn")
    _close_vault(block, case, outputs[1].value)
    is_twice = amount > 0 and block.ledger.is_wrap(WRAP)
    return Verdict(amount=recorded(amount), decisions=frozenset({"D-9"} if is_twice else ()))


def _close_vault(block: BlockInProgress, case: Case, amount: int) -> None:
    """R-WRAP-BURN-3: of the vaults that the last of several inputs may have spent, the oldest is closed."""
    inputs, vaults = case.transaction.inputs, _vaults(block.ledger)
    if len(inputs) < 2:
        return
    spent = owner_of_input(case.transaction, len(inputs) - 1, case.network)
    matching = [v for v in vaults.values() if v.status == ACTIVE and v.lock == spent and v.amount == amount]
    if matching:
        oldest = min(matching, key=lambda vault: (vault.opened_height, vault.opened_op_index))
        closed = replace(oldest, status=CLOSED, closed_height=block.height, closing_txid=case.txid)
        vaults[closed.key] = closed


def _vaults(ledger: Ledger) -> Versions[str, Vault]:
    return ledger.modules["vaults"]
