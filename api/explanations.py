"""Why an operation was refused, and by which decision it is judged otherwise than the predecessor would, in words."""

from typing import Final

from engine.verdicts import Code

CODES: Final = {
    Code.MISSING_PROTOCOL: "The payload has no member `p`.",
    Code.INVALID_PROTOCOL: "The member `p` is not the text brc-20.",
    Code.MISSING_OPERATION: "The payload has no member `op`.",
    Code.INVALID_OPERATION: "No such operation exists, or the operation is not allowed for this token.",
    Code.MISSING_TICKER: "The payload has no member `tick`.",
    Code.EMPTY_TICKER: "The member `tick` is empty.",
    Code.TICKER_ALREADY_EXISTS: "The token was deployed before.",
    Code.TICKER_NOT_DEPLOYED: "The token had not been deployed.",
    Code.INVALID_AMOUNT: "The amount is missing, is not text of a plain decimal number, or is out of range.",
    Code.EXCEEDS_MINT_LIMIT: "The amount is above what one mint may create.",
    Code.EXCEEDS_MAX_SUPPLY: "The mint would have passed the maximum supply; mints are never filled in part.",
    Code.INSUFFICIENT_BALANCE: "The sender had less than the amount.",
    Code.NO_STANDARD_OUTPUT: "There was nobody to send or to receive: the transaction lacks an output with an address.",
    Code.INVALID_MARKETPLACE_TRANSACTION: (
        "Inputs are signed as a marketplace signs them, but the transaction does not have the form of a sale."
    ),
    Code.INVALID_OUTPUT_POSITION: "A step of the multi-transfer does not have its recipient's output behind it.",
    Code.NO_RECEIVER_OUTPUT: "A step of the multi-transfer has no output behind it that could receive.",
    Code.MULTI_TRANSFER_MIXED_TICKERS: "The steps of the multi-transfer are not all of one token.",
    Code.NO_VALID_RECEIVER: "The sender has no address.",
    Code.SWAP_MISSING_FIELDS: "A member that the swap needs is missing.",
    Code.SWAP_NOT_ACTIVATED: "Trades were not active yet at this height.",
    Code.SWAP_INVALID_AMOUNT: "The amount of the swap is no positive decimal number, or is too large.",
    Code.SWAP_INVALID_LOCK_DURATION: "The lock is no whole number of blocks, or is too long.",
    Code.SWAP_LOCK_TOO_SHORT: "The lock is shorter than the least number of blocks.",
    Code.SWAP_INVALID_SLIPPAGE: "The slippage is no number from 0 to 100.",
    Code.SWAP_INSUFFICIENT_BALANCE: "The sender had less than was to be locked, staked or sold.",
    Code.SWAP_NO_MATCHING_POSITIONS: "No active position offers what was to be bought.",
    Code.SWAP_INVALID_CALCULATION: "The trade came to nothing: within the slippage there was nothing to buy.",
    Code.INVALID_WRAP_STRUCTURE: "The transaction does not lock bitcoin in the vault that a mint of W needs.",
    Code.INSUFFICIENT_WRAP_BALANCE: "The sender had less W than was to be burned.",
    Code.TICKER_NOT_SUPPORTED_NOW: "Of wrapped tokens only W can be minted and burned.",
    Code.UNKNOWN_PROCESSING_ERROR: "The amounts cannot be reckoned with, or the operation has no known form.",
}
"""Every code in one sentence; the rules are in docs/protocol.md, section 12."""

WITHOUT_CODE: Final = "It was refused for a reason that the rules give no code."
VALID: Final = "It took effect."
STEP: Final = "This step of the multi-transfer was refused"

DECISIONS: Final = {
    "D-1": "Steps of a multi-transfer are checked one after the other against the balance that the steps before left.",
    "D-2": "The operation test_opi is refused.",
    "D-3": "An amount that cannot be stored is left out of the record, and no block is lost for it.",
    "D-4": "The operation leaves a record where the predecessor would drop it.",
    "D-5": "The ticker is compared as text, never as a pattern.",
    "D-6": "A deploy of a `y` ticker is recorded as refused.",
    "D-7": "A bad deploy of a curve program is recorded as refused.",
    "D-8": "A burn of an ordinary token is recorded as refused.",
    "D-9": "A burn of W happens once.",
    "D-10": "W is minted for exactly what output 2 locks, by a payload in output 0 that says so.",
    "D-11": "A wrap ticker is one from its deploy on, in the same block too.",
    "D-12": "A vault's address may be used again, and mints again.",
    "D-13": "The vault's real delay is written down.",
    "D-14": "Burns of wrapped tokens other than W are refused.",
    "D-16": "The record of STONES names the party that was credited.",
    "D-23": "The amount was rounded to 8 decimals when it was read.",
    "D-27": "The curve program exists for the later operations of the block that deploys it.",
    "D-28": "A token can be locked in the block that deploys it.",
    "D-29": "The operation happens as a whole or not at all.",
    "D-31": "A mint of a curve program's reward is refused and not counted.",
    "D-42": "Positions are settled one by one; a pool that is short pays what it has.",
    "D-43": "A position in a `y` token is worth its amount times the growth of the index, and buyers get an account.",
    "D-49": "A pair of one token with itself is refused.",
    "D-60": "The stake or claim sees and leaves the true account, also when it is not the block's first.",
    "D-61": "A claim must be above zero.",
    "D-62": "A transfer of `y` tokens moves once.",
    "D-65": "Rewards end where the program's supply is paid out.",
    "D-67": "Steps of `y` tokens are judged like single transfers.",
}
"""Decisions that operations are tagged with; all of them are in docs/protocol.md, section 15."""

OTHERWISE: Final = "Judged otherwise than by the predecessor: see section 15 of the protocol's rules."


def explained(valid: bool, code: str | None, step_code: str | None) -> str:
    """What became of an operation, for people."""
    if valid:
        return VALID
    if code is not None:
        return CODES[Code(code)]
    if step_code is not None:
        reason = CODES[Code(step_code)]
        return f"{STEP}: {reason[:1].lower()}{reason[1:]}"
    return WITHOUT_CODE
