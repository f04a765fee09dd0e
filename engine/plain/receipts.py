"""Balances of `y` tickers, the receipts of stakers: they follow from accounts and grow with the index."""

from decimal import Decimal

from engine.plain.accounts import account_of, keeper, programs, write
from engine.plain.decimals import ZERO, tokens
from engine.plain.ledger import BlockInProgress, Ledger, Uncovered
from engine.plain.parties import Party
from engine.plain.programs import Program


def exists(ledger: Ledger, ticker: str) -> bool:
    """Whether a `y` ticker counts as deployed (R-CURVE-STATE-4)."""
    return keeper(ledger, ticker) is not None


def balance_of(ledger: Ledger, ticker: str, party: Party) -> Decimal:
    """R-CURVE-STATE-3; zero where there is no program or account."""
    program = keeper(ledger, ticker)
    return ZERO if program is None else program.worth(account_of(ledger, program, party).scaled)


def move_y(block: BlockInProgress, ticker: str, sender: Party, recipient: Party, amount: Decimal) -> None:
    """R-CURVE-XFER-2; nothing for an amount of zero. Raises Uncovered when the sender has less than `amount`."""
    program = keeper(block.ledger, ticker)
    if amount > balance_of(block.ledger, ticker, sender):
        raise Uncovered
    if program is None or not amount:
        return
    source = account_of(block.ledger, program, sender)
    part = min(program.scaled(amount), source.scaled)
    rest = source.changed(-(source.staked * (part / source.scaled)), -part)
    if sender == recipient:
        rest = source
    else:
        target = account_of(block.ledger, program, recipient)
        write(block, target.changed(source.staked - rest.staked, source.scaled - rest.scaled))
    write(block, rest)


def index_of(ledger: Ledger, ticker: str) -> Decimal:
    """Stored index of the program that keeps a `y` ticker; RAY at its start."""
    program = keeper(ledger, ticker)
    assert program is not None
    return program.index


def advance_to(block: BlockInProgress, ticker: str) -> None:
    """Advance the index of the program that keeps a `y` ticker to the block's height (R-SWAP-INIT-2, R-CURVE-IDX-1)."""
    program = keeper(block.ledger, ticker)
    assert program is not None
    advance(block, program, block.height)


def advance(block: BlockInProgress, program: Program, height: int) -> None:
    """Advance one program's index; STONES may be staked before they are a token (D-76)."""
    base = block.ledger.tokens.get(program.staking_ticker)
    advanced = program.advanced(height, None if base is None else tokens(base.max_supply))
    programs(block.ledger)[program.ticker] = advanced
