"""Curve programs and their accounts: state, and the arithmetic of stakes, claims and moves, as rows and back.

Methods count on a context of 50 digits (`decimals.fifty_digits`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from engine.modules.decimals import ZERO, floor8, floor27, is_storable, q8, q27
from engine.modules.emission import emission
from engine.modules.registry import Account, Token

RAY: Final = q27(Decimal(10) ** 27)

_ONE: Final = Decimal(1)
_NEARLY: Final = Decimal("0.999999")
_OUT_OF_REACH: Final = Decimal(10) ** 100
"""More than any account can be worth, and little enough for products of it not to overflow."""


class Holding(NamedTuple):
    """What an account of a program holds (R-CURVE-STATE-2)."""

    staked: Decimal = ZERO
    scaled: Decimal = ZERO


class Claim(NamedTuple):
    """What a claim gives up and gets (R-CURVE-CLAIM-2)."""

    burned: Decimal
    """Scaled balance."""
    principal: Decimal
    reward: Decimal
    is_capped: bool
    """Less than earned was left of the program's supply (D-65)."""


@dataclass(slots=True, eq=False)
class Program:
    """One curve program (R-CURVE-STATE-1). Staked and scaled amounts always have their stored precision
    (R-CURVE-STATE-5)."""

    ticker: str
    deploy_txid: str
    type: str
    duration: int
    staking: str
    max_supply: Decimal
    init_fee: int
    exe_fee: int
    genesis: Account
    start: int
    last: int
    """Last block whose emission is in the index."""
    staking_max: Decimal | None = None
    rho: Decimal | None = None
    """Unrounded in the block that fills it (D-66)."""
    index: Decimal = RAY
    staked: Decimal = ZERO
    scaled: Decimal = ZERO
    paid: Decimal = ZERO
    """Rewards so far, unrounded."""
    accounts: dict[Account, Holding] = field(default_factory=dict)
    touched: set[Account] = field(default_factory=set)
    """Accounts that stop earning for the block in progress (R-CURVE-IDX-3)."""
    _before: dict[Account, Holding | None] = field(default_factory=dict)
    """What accounts that the block wrote to were before it."""
    _written: dict[str, Any] = field(default_factory=dict)
    """The latest version."""

    @property
    def rate(self) -> Decimal:
        """Rewards for each token of growth: rho as far as it is known and storable, then the quotient, then 1."""
        return self.rho or (self.max_supply / self.staking_max if self.staking_max else _ONE)

    def balance(self, account: Account) -> Decimal:
        """What the account holds of the `y` ticker (R-CURVE-STATE-3)."""
        return floor8((self.accounts.get(account, Holding()).scaled * self.index) / RAY)

    def stake(self, account: Account, amount: Decimal) -> Decimal:
        """R-CURVE-STAKE-2; the change of what is staked."""
        old = self.accounts.get(account, Holding())
        added = (amount * RAY) / self.index
        return self._change(account, old, Holding(q8(old.staked + amount), q27(old.scaled + added)))

    def quote(self, account: Account, amount: Decimal) -> Claim | None:
        """What a claim comes to; None without an account or with too little in it (R-CURVE-CLAIM-2).

        What is within the balance exceeds the scaled balance in the last of 50 digits at most.
        """
        holding = self.accounts.get(account)
        if holding is None or amount > _OUT_OF_REACH:
            return None
        real = (holding.scaled * self.index) / RAY
        if real < amount * _NEARLY:
            return None
        amount = min(amount, real)
        burned = min((amount * RAY) / self.index, holding.scaled)
        ratio = amount / real if real else ZERO
        principal = holding.staked * ratio
        earned = max(ZERO, amount - principal) * self.rate
        left = self.max_supply - self.paid
        return Claim(burned, principal, min(earned, left), earned > left)

    def pay(self, account: Account, claim: Claim) -> Decimal:
        """R-CURVE-CLAIM-3; the change of what is staked."""
        old = self.accounts[account]
        self.paid += claim.reward
        staked, scaled = max(ZERO, old.staked - claim.principal), old.scaled - claim.burned
        return self._change(account, old, Holding(q8(staked), q27(scaled)))

    def move(self, sender: Account, recipient: Account, amount: Decimal) -> Callable[[], None]:
        """Move so much of the `y` ticker, which the sender holds; what is returned takes it back (R-CURVE-XFER-2).

        What leaves one account arrives at the other.
        """
        olds = {account: self.accounts.get(account) for account in (sender, recipient)}
        newly_touched = olds.keys() - self.touched
        self.touched |= newly_touched
        if sender != recipient:
            source, target = olds[sender] or Holding(), olds[recipient] or Holding()
            part = min((amount * RAY) / self.index, source.scaled)
            share = source.staked * (part / source.scaled) if source.scaled else ZERO
            left = Holding(q8(source.staked - share), q27(source.scaled - part))
            self._write(sender, left)
            moved = Holding(source.staked - left.staked, source.scaled - left.scaled)
            self._write(recipient, Holding(target.staked + moved.staked, q27(target.scaled + moved.scaled)))

        def undo() -> None:
            self.touched -= newly_touched
            for account, old in olds.items():
                if old is None:
                    del self.accounts[account]
                else:
                    self.accounts[account] = old

        return undo

    def advance(self, height: int, staking_token: Token | None) -> None:
        """Bring the emission up to a block into the index (R-CURVE-IDX-1). Without supply of the staking token it
        stays where it is (R-CURVE-DEP-6)."""
        if height <= self.last:
            return
        if self.rho is None and staking_token is not None:
            if not staking_token.max_supply:
                return
            self.meet(staking_token)
        if self.staked:
            emitted = emission(self.type, self.max_supply, self.duration, self.start, self.last, height)
            growth = emitted / self.rate
            self.index = q27(self.index + (growth / self.staked) * RAY)
        self.last = height

    def meet(self, staking_token: Token | None) -> None:
        """Learn what the staking token's supply is, if it exists (R-CURVE-DEP-6)."""
        if staking_token is not None:
            self.staking_max = staking_token.max_supply
            self.rho = self.max_supply / self.staking_max if self.staking_max else None

    def end_block(self, last_block: int, staking_token: Token | None, keeps_y: bool) -> None:
        """Advance the index to the last finished block, and take the growth from touched accounts, whose balances are
        those at the old index (R-CURVE-IDX-2, R-CURVE-IDX-3)."""
        balances = [(account, self.balance(account)) for account in self.touched] if keeps_y else []
        if self.staked:
            self.advance(last_block, staking_token)
        for account, balance in balances:
            scaled = floor27((balance * RAY) / self.index)
            self._write(account, self.accounts[account]._replace(scaled=scaled))

    def close_block(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Versions of the program and of its accounts that the block changed; what follows is the next block."""
        if self.rho is not None:
            self.rho = q8(self.rho) if is_storable(self.rho) else None
        row = self.row()
        changed = [] if row == self._written else [row]
        accounts = [
            self._account_row(account, self.accounts[account])
            for account, before in self._before.items()
            if self.accounts.get(account, before) != before
        ]
        self._written = row
        self._before.clear()
        self.touched.clear()
        return changed, accounts

    def row(self) -> dict[str, Any]:
        """The program's version in PROGRAMS, without height."""
        return {
            "ticker": self.ticker,
            "deploy_txid": self.deploy_txid,
            "type": self.type,
            "duration": self.duration,
            "staking_ticker": self.staking,
            "max_supply": self.max_supply,
            "staking_max_supply": self.staking_max,
            "rho": self.rho,
            "init_fee": self.init_fee,
            "exe_fee": self.exe_fee,
            "genesis_address": self.genesis.address,
            "genesis_script": self.genesis.script,
            "start_height": self.start,
            "last_reward_height": self.last,
            "index": _with_27_decimals(self.index),
            "total_staked": self.staked,
            "total_scaled": _with_27_decimals(self.scaled),
            "rewards_paid": _shortest(self.paid),
        }

    def _account_row(self, account: Account, holding: Holding) -> dict[str, Any]:
        return {
            "ticker": self.ticker,
            "address": account.address,
            "script": account.script,
            "staked": holding.staked,
            "scaled": _with_27_decimals(holding.scaled),
        }

    def _change(self, account: Account, old: Holding, new: Holding) -> Decimal:
        """Change an account, and the totals by just as much; the change of what is staked."""
        self._write(account, new)
        self.staked += new.staked - old.staked
        self.scaled = max(ZERO, self.scaled + (new.scaled - old.scaled))
        return new.staked - old.staked

    def _write(self, account: Account, holding: Holding) -> None:
        self._before.setdefault(account, self.accounts.get(account))
        self.accounts[account] = holding


def program_of(row: Mapping[str, Any]) -> Program:
    """The program that a row of PROGRAMS describes, still without accounts."""
    program = Program(
        ticker=row["ticker"],
        deploy_txid=row["deploy_txid"],
        type=row["type"],
        duration=row["duration"],
        staking=row["staking_ticker"],
        max_supply=row["max_supply"],
        init_fee=row["init_fee"],
        exe_fee=row["exe_fee"],
        genesis=Account(row["genesis_address"], row["genesis_script"]),
        start=row["start_height"],
        last=row["last_reward_height"],
        staking_max=row["staking_max_supply"],
        rho=row["rho"],
        index=Decimal(row["index"]),
        staked=row["total_staked"],
        scaled=Decimal(row["total_scaled"]),
        paid=Decimal(row["rewards_paid"]),
    )
    program.close_block()
    return program


def holding_of(row: Mapping[str, Any]) -> Holding:
    """What a row of ACCOUNTS says that the account holds."""
    return Holding(row["staked"], Decimal(row["scaled"]))


def _with_27_decimals(value: Decimal) -> str:
    return f"{value:.27f}"


def _shortest(value: Decimal) -> str:
    """Plain notation without superfluous zeros, so that equal values have equal texts."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
