"""What parties have in curve programs, and which programs and accounts there are.

State lives in `block.ledger.modules["programs"]` and `["accounts"]`.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from engine.plain.decimals import ZERO, floor27, plain_text, q8, q27
from engine.plain.ledger import BlockInProgress, Ledger
from engine.plain.parties import Party
from engine.plain.programs import Program
from engine.plain.versions import Versions


@dataclass(frozen=True, slots=True)
class Account:
    """What one party has in one program (R-CURVE-STATE-2): tokens staked, 8 decimals, and a scaled balance, 27."""

    ticker: str
    """The program's reward token."""
    party: Party
    staked: Decimal = ZERO
    scaled: Decimal = ZERO
    touched: int | None = field(default=None, compare=False)
    """Last block in which an operation touched its `y` balance (R-CURVE-IDX-3, D-60)."""

    @property
    def key(self) -> tuple[str, str]:
        return self.ticker, self.party.address

    def changed(self, staked: Decimal, scaled: Decimal) -> "Account":
        """By so much, rounded as stored (R-CURVE-STATE-5)."""
        return replace(self, staked=q8(self.staked + staked), scaled=q27(self.scaled + scaled))

    def rescaled(self, before: Program, after: Program) -> "Account":
        """Worth under the advanced index what it was worth before, rounded down (R-CURVE-IDX-3)."""
        return replace(self, scaled=floor27(after.scaled(before.worth(self.scaled))))

    def columns(self) -> dict[str, Any]:
        """The row of `accounts`, without height."""
        return {
            "ticker": self.ticker,
            "address": self.party.address,
            "script": self.party.script,
            "staked": self.staked,
            "scaled": plain_text(q27(self.scaled)),
        }

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Account":
        """The reverse of `columns`."""
        party = Party(row["address"], row["script"])
        return cls(row["ticker"], party, row["staked"], Decimal(row["scaled"]))


def programs(ledger: Ledger) -> Versions[str, Program]:
    """Programs by reward ticker."""
    return ledger.modules["programs"]


def accounts(ledger: Ledger) -> Versions[tuple[str, str], Account]:
    """Accounts by reward ticker and address."""
    return ledger.modules["accounts"]


def keeper(ledger: Ledger, ticker: str) -> Program | None:
    """The program whose accounts hold the balances of a `y` ticker: the oldest that stakes its base (D-69)."""
    stakers = [program for program in programs(ledger).values() if "y" + program.staking_ticker == ticker]
    return min(stakers, key=lambda program: program.seniority, default=None)


def keeps_balances(ledger: Ledger, program: Program) -> bool:
    """Whether the program's accounts hold the `y` balances of its staking ticker; a younger one's are never shown."""
    oldest = keeper(ledger, "y" + program.staking_ticker)
    return oldest is not None and oldest.ticker == program.ticker


def account_of(ledger: Ledger, program: Program, party: Party) -> Account:
    """The party's account in a program, empty where there is none yet."""
    return accounts(ledger).get((program.ticker, party.address), Account(program.ticker, party))


def write(block: BlockInProgress, account: Account) -> None:
    """Store an account that an operation touched (R-CURVE-IDX-3)."""
    accounts(block.ledger)[account.key] = replace(account, touched=block.height)
