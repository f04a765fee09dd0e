"""The rules of single operations, compiled: each function judges one, applies it if valid, and tells (code, tags).

Code 0 is valid. RESERVED means that the operation is for a module (swap, curve, wrap) to judge.
"""

from typing import Any, Final

import numpy as np

from engine.amounts import add, exceeds, limbs
from engine.compiled import compiled, helper
from engine.ledger import available, credit, debit
from engine.marketplace import INVALID_MARKETPLACE
from engine.supplies import is_mintable, issue
from engine.verdicts import Code
from engine.vocabulary import (
    CAUSE_CREDIT,
    CAUSE_DEBIT,
    CAUSE_MINT,
    CAUSE_STONES,
    D3,
    D6,
    D7,
    D8,
    D16,
    D23,
    code_number,
)
from ingest.networks import AMOUNT_LIMIT

RESERVED: Final = 254

NO_STANDARD_OUTPUT: Final = code_number(Code.NO_STANDARD_OUTPUT)
TICKER_ALREADY_EXISTS: Final = code_number(Code.TICKER_ALREADY_EXISTS)
TICKER_NOT_DEPLOYED: Final = code_number(Code.TICKER_NOT_DEPLOYED)
INVALID_AMOUNT: Final = code_number(Code.INVALID_AMOUNT)
INVALID_OPERATION: Final = code_number(Code.INVALID_OPERATION)
INSUFFICIENT_BALANCE: Final = code_number(Code.INSUFFICIENT_BALANCE)
_LARGEST_LOW, _LARGEST_HIGH = (np.uint64(limb) for limb in limbs(AMOUNT_LIMIT - 1))
_EXCEEDS_MINT_LIMIT: Final = code_number(Code.EXCEEDS_MINT_LIMIT)
_EXCEEDS_MAX_SUPPLY: Final = code_number(Code.EXCEEDS_MAX_SUPPLY)
_INVALID_MARKETPLACE: Final = code_number(Code.INVALID_MARKETPLACE_TRANSACTION)


@helper
def deploy(books: Any, place: Any, payload: Any) -> Any:
    """R-CORE-DEP-*."""
    token = books.tokens[payload["ticker"]]
    if token["is_deployed"]:
        return TICKER_ALREADY_EXISTS, 0
    if not payload["has_supply"] or payload["bad_limit"]:
        return INVALID_AMOUNT, D3 if payload["unstorable"] else 0
    if payload["has_curve"]:
        return RESERVED, D6 | D7 if payload["is_receipt"] else D7
    if payload["is_receipt"]:
        return INVALID_OPERATION, D6
    create(token, place.height, payload["supply"], payload["limit"], payload["has_limit"])
    return 0, D23 if payload["excess_supply"] else 0


@compiled
def create(token: Any, height: Any, supply: Any, limit: Any, has_limit: Any) -> Any:
    """Make the ticker a token. Without supply and limit it is a wrap ticker at once (R-CORE-DEP-3, D-11)."""
    for k in range(2):
        token["maximum"][k] = supply[k]
        token["limit"][k] = limit[k]
    token["has_limit"] = has_limit
    token["is_wrap"] = has_limit and supply[0] | supply[1] | limit[0] | limit[1] == np.uint64(0)
    token["is_deployed"] = True
    token["deployed"] = height


@helper
def mint(books: Any, events: Any, place: Any, payload: Any, recipient: Any, handover: Any) -> Any:
    """R-CORE-MINT-*, after R-CORE-ORDER-2. `handover`: a module may want mints of `y` tickers, which else fail here."""
    token = books.tokens[payload["ticker"]]
    amount = payload["amount"]
    if token["is_wrap"] or (payload["is_receipt"] and handover):
        return RESERVED, 0
    if recipient < 0:
        return NO_STANDARD_OUTPUT, 0
    if not token["is_deployed"]:
        return TICKER_NOT_DEPLOYED, 0
    if not payload["has_amount"]:
        return INVALID_AMOUNT, 0
    if not token["has_limit"]:
        return INVALID_OPERATION, 0
    if exceeds(amount[0], amount[1], token["limit"][0], token["limit"][1]):
        return _EXCEEDS_MINT_LIMIT, 0
    if not is_mintable(token, amount[0], amount[1]):
        return _EXCEEDS_MAX_SUPPLY, 0
    if token["is_governed"]:
        return RESERVED, 0
    issue(books, place, payload["ticker"], amount[0], amount[1])
    credit(books, events, place, payload["ticker"], recipient, amount[0], amount[1], CAUSE_MINT)
    return 0, D23 if payload["excess"] else 0


@helper
def transfer(books: Any, events: Any, place: Any, payload: Any, sender: Any, recipient: Any, market: Any) -> Any:
    """R-CORE-XFER-*, after R-CORE-ORDER-2."""
    if payload["is_receipt"]:
        return RESERVED, 0
    if recipient < 0 or sender < 0:
        return NO_STANDARD_OUTPUT, 0
    code = transfer_refusal(books, payload, sender)
    if code:
        return code, 0
    if market == INVALID_MARKETPLACE:
        return _INVALID_MARKETPLACE, 0
    move(books, events, place, payload, sender, recipient)
    return 0, D23 if payload["excess"] else 0


@helper
def transfer_refusal(books: Any, payload: Any, sender: Any) -> Any:
    """Code of R-CORE-XFER-2 to R-CORE-XFER-4, 0 if they pass."""
    ticker = payload["ticker"]
    if not books.tokens[ticker]["is_deployed"]:
        return TICKER_NOT_DEPLOYED
    if not payload["has_amount"]:
        return INVALID_AMOUNT
    low, high = available(books.entries, ticker, sender)
    if exceeds(payload["amount"][0], payload["amount"][1], low, high):
        return INSUFFICIENT_BALANCE
    return 0


@helper
def move(books: Any, events: Any, place: Any, payload: Any, sender: Any, recipient: Any) -> Any:
    """Debit, then credit (R-CORE-XFER-6)."""
    ticker = payload["ticker"]
    low = payload["amount"][0]
    high = payload["amount"][1]
    debit(books, events, place, ticker, sender, low, high, CAUSE_DEBIT)
    credit(books, events, place, ticker, recipient, low, high, CAUSE_CREDIT)


@helper
def burn(books: Any, payload: Any, has_standard: Any) -> Any:
    """R-CORE-BURN-*: only modules know burns that do anything."""
    if payload["is_wrapped"] or books.tokens[payload["ticker"]]["is_wrap"]:
        return RESERVED, 0
    if not has_standard:
        return NO_STANDARD_OUTPUT, 0
    return INVALID_OPERATION, D8


@helper
def mint_stones(books: Any, events: Any, place: Any, ticker: Any, recipient: Any, differs: Any, unit: Any) -> Any:
    """R-CORE-STONE-3, R-CORE-STONE-4, and no total beyond R-CORE-CONST-8; `unit` is one token."""
    if recipient < 0:
        return NO_STANDARD_OUTPUT, 0
    minted = books.tokens[ticker]["minted"]
    low, high = add(minted[0], minted[1], unit, np.uint64(0))
    if exceeds(low, high, _LARGEST_LOW, _LARGEST_HIGH):
        return _EXCEEDS_MAX_SUPPLY, D3
    issue(books, place, ticker, unit, np.uint64(0))
    credit(books, events, place, ticker, recipient, unit, np.uint64(0), CAUSE_STONES)
    return 0, D16 if differs else 0
