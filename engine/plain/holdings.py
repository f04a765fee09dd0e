"""Balances of any ticker: those of `y` tickers follow from curve accounts, all others stand in the ledger."""

from decimal import Decimal

from engine.plain import curves
from engine.plain.ledger import BlockInProgress, Ledger
from engine.plain.parties import Party


def is_kept(ticker: str) -> bool:
    """Whether the ticker belongs to curve programs (R-CORE-TICK-3)."""
    return ticker.startswith("y")


def is_deployed(ledger: Ledger, ticker: str) -> bool:
    """Whether a deploy created the token, or, of a `y` ticker, whether a program stakes its base (R-CURVE-STATE-4)."""
    return curves.exists(ledger, ticker) if is_kept(ticker) else ticker in ledger.tokens


def balance(ledger: Ledger, ticker: str, party: Party) -> Decimal:
    """Exact balance in tokens (of a `y` ticker: R-CURVE-STATE-3)."""
    return curves.balance_of(ledger, ticker, party) if is_kept(ticker) else ledger.balance(ticker, party)


def move(
    block: BlockInProgress, ticker: str, sender: Party, recipient: Party, amount: Decimal, causes: tuple[str, str]
) -> None:
    """Debit, then credit; a `y` ticker has no events. Raises Uncovered."""
    if is_kept(ticker):
        curves.move_y(block, ticker, sender, recipient, amount)
    else:
        block.debit(ticker, sender, amount, causes[0])
        block.credit(ticker, recipient, amount, causes[1])
