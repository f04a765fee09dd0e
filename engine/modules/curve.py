"""Curve programs: a reward token for those who stake another, and the `y` tickers that they hold (R-CURVE-*)."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

import pyarrow as pa

from engine.modules.decimals import ZERO, fifty_digits, recorded
from engine.modules.orders import SWAP, Refusal
from engine.modules.program import Program
from engine.modules.programs import Programs
from engine.modules.registry import Account, Ledger, Market, Operation, Outcome, Phase, StateTable, Token, Uncovered
from engine.modules.stakes import (
    RECEIPT,
    Request,
    amount_of,
    is_claim,
    is_stake,
    read_claim,
    read_program,
    read_stake,
    recorded_amount,
)
from engine.payloads import is_truthy
from engine.schemas import AMOUNT
from engine.verdicts import Code
from ingest.candidates import column
from ingest.networks import Network

_HEIGHT: Final = column("height", pa.int32(), "Height after which the row holds.")

PROGRAMS: Final = StateTable(
    "programs",
    "a curve program in each block that changed it",
    pa.schema(
        [
            _HEIGHT,
            column("ticker", pa.string(), "Reward ticker R, which names the program."),
            column("deploy_txid", pa.string(), "Transaction of the deploy, 64 hex digits."),
            column("type", pa.string(), "linear or exponential (R-CURVE-EMIT-1, R-CURVE-EMIT-2)."),
            column("duration", pa.int64(), "Blocks in which rewards are emitted (`lock`)."),
            column("staking_ticker", pa.string(), "Staking ticker S; `y` followed by it is what stakers hold."),
            column("max_supply", AMOUNT, "Maximum supply of R, emitted over the duration."),
            column(
                "staking_max_supply",
                AMOUNT,
                "Maximum supply of S that the program reckons with; null while unknown (R-CURVE-DEP-6).",
                nullable=True,
            ),
            column(
                "rho",
                AMOUNT,
                "`max_supply` / `staking_max_supply`, null while unknown (R-CURVE-DEP-6) or where it reaches 10^30.",
                nullable=True,
            ),
            column("init_fee", pa.int64(), "Fee of a stake in satoshis."),
            column("exe_fee", pa.int64(), "Fee of a claim in satoshis; zero: none is asked for (D-70)."),
            column("genesis_address", pa.string(), "Sender of the deploy, to whom fees are paid."),
            column("genesis_script", pa.binary(), "Output script of that address."),
            column("start_height", pa.int32(), "Height of the deploy."),
            column("last_reward_height", pa.int32(), "Last block whose emission is in the index."),
            column("index", pa.string(), "Liquidity index, 27 decimals; 10^27 at first (R-CURVE-IDX-1)."),
            column("total_staked", AMOUNT, "Sum of what is staked."),
            column("total_scaled", pa.string(), "Total of scaled balances, 27 decimals; not adjusted by rescaling."),
            column("rewards_paid", pa.string(), "Rewards minted so far, as a decimal, before rounding (D-65)."),
        ]
    ),
    ("ticker",),
)

ACCOUNTS: Final = StateTable(
    "accounts",
    "an account of a curve program in each block that changed it",
    pa.schema(
        [
            _HEIGHT,
            column("ticker", pa.string(), "Reward ticker of the program."),
            column("address", pa.string(), "Whose account it is: an address, or `POOL::` and a pool id."),
            column("script", pa.binary(), "Output script of the address, null for a pool account.", nullable=True),
            column("staked", AMOUNT, "Principal in the staking ticker."),
            column("scaled", pa.string(), "Scaled balance, 27 decimals: times the index, it is what `y` shows."),
        ]
    ),
    ("ticker", "address"),
)

_STAKE: Final = "swap_init"
_CLAIM: Final = "swap_exe"

_Y_DEPLOY: Final = 6
_REFUSED_DEPLOY: Final = 7
_DEPLOYED_IN_THE_BLOCK: Final = 27
_REWARD_MINT: Final = 31
_TOUCHED_BEFORE: Final = 60
_ONCE: Final = 62
_CAPPED: Final = 65
_STEP: Final = 67


class Curve:
    """The curve module, keeper of `y` tickers."""

    name = "curve"
    priority = 1
    phase: Phase | None = Phase.INDICES
    causes: Mapping[str, str] = {
        "stake": "Principal staked in a program: out of the balance, into the staker's account.",
        "unstake": "Principal that a claim took out of the account, into the balance.",
        "reward": "Reward that a claim minted.",
    }
    tables: Sequence[StateTable] = (PROGRAMS, ACCOUNTS)

    def __init__(self, network: Network) -> None:
        self._activation = network.swap_exe_height
        self._programs = Programs()
        self._token: Callable[[str], Token | None] = lambda _: None
        """Tokens of the ledger in use, for other modules that ask for an advance."""

    def claims(self, operation: Operation, ledger: Ledger) -> bool:
        """Stakes and claims, deploys of programs, mints of rewards, mints and transfers of `y` tickers."""
        self._token = ledger.token
        if operation.ticker is None:
            return operation.name == SWAP and (is_stake(operation.members) or is_claim(operation.members))
        if operation.name == "transfer":
            return self.keeps(operation.ticker)
        if operation.name == "mint":
            return self.keeps(operation.ticker) or self.governs(operation.ticker)
        return operation.name == "deploy" and is_truthy(operation.members.get("curve"))

    @fifty_digits
    def apply(self, operation: Operation, ledger: Ledger) -> Outcome:
        """Judge a claimed operation."""
        if operation.ticker is None:
            return self._swap(operation, ledger)
        if operation.name == "transfer":
            return self._transfer(operation, operation.ticker)
        if operation.name == "mint":
            return self._mint(operation, operation.ticker)
        return self._deploy(operation, operation.ticker, ledger)

    @fifty_digits
    def end_of_block(self, ledger: Ledger) -> Sequence[str]:
        """Advance indices and rescale touched accounts (R-CORE-BLK-6)."""
        self._programs.end_block(ledger)
        return ()

    def round(self) -> None:
        """Staked and scaled amounts have their stored precision at any time (R-CURVE-STATE-5)."""

    @fifty_digits
    def drain(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Rows of the block just finished."""
        return self._programs.drain()

    @fifty_digits
    def restore(self, tables: Mapping[str, pa.Table]) -> None:
        """Continue from the latest versions of programs and accounts."""
        self._programs.restore(tables)

    def keeps(self, ticker: str) -> bool:
        """Whether the ticker is one of receipts (R-CORE-TICK-3)."""
        return ticker.startswith(RECEIPT)

    def governs(self, ticker: str) -> bool:
        """Whether the ticker is the reward of a program (R-CORE-MINT-7)."""
        return self._programs.of_reward(ticker) is not None

    def exists(self, ticker: str) -> bool:
        """Whether a program stakes what the `y` ticker stands for (R-CURVE-STATE-4)."""
        return self._programs.exists(ticker)

    @fifty_digits
    def balance(self, ticker: str, account: Account) -> Decimal:
        """What the account holds of a `y` ticker (R-CURVE-STATE-3)."""
        return self._programs.keeper(ticker).balance(account) if self.exists(ticker) else ZERO

    @fifty_digits
    def move(self, ticker: str, sender: Account, recipient: Account, amount: Decimal) -> Callable[[], None]:
        """Move `y` tokens (R-CURVE-XFER-2); what is returned takes it back. Raises Uncovered."""
        if self.balance(ticker, sender) < amount:
            raise Uncovered
        program = self._programs.keeper(ticker)
        self._programs.note(program)
        return program.move(sender, recipient, amount)

    def index(self, ticker: str) -> Decimal:
        """The liquidity index of a `y` ticker that exists, with 27 decimals."""
        return self._programs.keeper(ticker).index

    @fifty_digits
    def advance(self, ticker: str, height: int) -> None:
        """Bring the emission up to a block into the index of a `y` ticker that exists (R-CURVE-IDX-1)."""
        program = self._programs.keeper(ticker)
        self._programs.note(program)
        program.advance(height, self._token(program.staking))

    def _deploy(self, operation: Operation, ticker: str, ledger: Ledger) -> Outcome:
        """R-CURVE-DEP-*, after the checks of any deploy."""
        outcome = partial(Outcome, ticker=ticker, sender=operation.sender, recipient=operation.recipient)
        if self.keeps(ticker):
            return outcome(Code.INVALID_OPERATION, tags=frozenset({_Y_DEPLOY, _REFUSED_DEPLOY}))
        program = read_program(operation, ticker)
        if program is None:
            return outcome(Code.INVALID_OPERATION, tags=frozenset({_REFUSED_DEPLOY}))
        ledger.deploy(ticker, program.max_supply, amount_of(operation, "l"), operation.sender)
        program.meet(ledger.token(program.staking))
        self._programs.enter(program)
        return outcome()

    def _mint(self, operation: Operation, ticker: str) -> Outcome:
        """Rewards are minted by claims alone (D-31), `y` tokens by nothing (R-CORE-MINT-1)."""
        if not self.keeps(ticker):
            code = Code.INVALID_OPERATION
        elif not self.exists(ticker):
            code = Code.TICKER_NOT_DEPLOYED
        else:
            code = Code.INVALID_AMOUNT if amount_of(operation) is None else Code.INVALID_OPERATION
        tags = frozenset[int]() if self.keeps(ticker) else frozenset({_REWARD_MINT})
        amount = recorded_amount(operation)
        return Outcome(code, None, ticker, amount, operation.sender, operation.recipient, tags)

    def _transfer(self, operation: Operation, ticker: str) -> Outcome:
        """R-CURVE-XFER-*, of a single transfer or of a step (D-62, D-67)."""
        sender, recipient, amount = operation.sender, operation.recipient, amount_of(operation)
        outcome = partial(Outcome, ticker=ticker, amount=recorded_amount(operation), sender=sender, recipient=recipient)
        if sender is None or recipient is None:
            return outcome(Code.NO_STANDARD_OUTPUT)
        if not self.exists(ticker):
            return outcome(Code.TICKER_NOT_DEPLOYED)
        if amount is None:
            return outcome(Code.INVALID_AMOUNT)
        if self.balance(ticker, sender) < amount:
            return outcome(Code.INSUFFICIENT_BALANCE)
        if operation.market is Market.INVALID:
            return outcome(Code.INVALID_MARKETPLACE_TRANSACTION)
        if not amount:
            return outcome(Code.INVALID_OPERATION)
        self.move(ticker, sender, recipient, amount)
        return outcome(tags=frozenset({_ONCE if operation.step is None else _STEP}))

    def _swap(self, operation: Operation, ledger: Ledger) -> Outcome:
        """A stake or a claim."""
        name, judge = (_STAKE, self._stake) if is_stake(operation.members) else (_CLAIM, self._claim)
        try:
            return judge(operation, ledger)
        except Refusal as refusal:
            amount = None if refusal.amount is None else recorded(refusal.amount)
            tags = frozenset(refusal.tags)
            name = refusal.operation or name
            return Outcome(refusal.code, name, refusal.ticker, amount, operation.sender, tags=tags)

    def _stake(self, operation: Operation, ledger: Ledger) -> Outcome:
        """R-CURVE-STAKE-*. Raises Refusal."""
        stake = read_stake(operation.members)
        sender = _sender(stake, operation)
        program = self._program(stake)
        tags = _tags(program, operation)
        refuse = partial(Refusal, ticker=stake.ticker, amount=stake.amount, tags=tags)
        if stake.ticker != program.staking or not _pays(operation, program.genesis, program.init_fee):
            raise refuse(Code.INVALID_OPERATION)
        if ledger.balance(stake.ticker, sender) < stake.amount:
            raise refuse(Code.SWAP_INSUFFICIENT_BALANCE)
        ledger.debit(stake.ticker, sender, stake.amount, "stake")
        ledger.hold(stake.ticker, program.stake(sender, stake.amount))
        tags |= self._touch(program, sender)
        return Outcome(None, _STAKE, stake.ticker, stake.amount, sender, tags=tags)

    def _claim(self, operation: Operation, ledger: Ledger) -> Outcome:
        """R-CURVE-CLAIM-*. Raises Refusal."""
        if operation.height < self._activation:
            raise Refusal(Code.SWAP_NOT_ACTIVATED)
        claim = read_claim(operation.members)
        sender = _sender(claim, operation)
        staking = claim.ticker.removeprefix(RECEIPT)
        if not staking:
            raise Refusal(Code.INVALID_OPERATION, claim.ticker, claim.amount)
        program = self._program(claim)
        tags = _tags(program, operation)
        refuse = partial(Refusal, ticker=claim.ticker, amount=claim.amount, tags=tags)
        fee_paid = not program.exe_fee or _pays(operation, program.genesis, program.exe_fee)
        if staking != program.staking or not fee_paid:
            raise refuse(Code.INVALID_OPERATION)
        payout = program.quote(sender, claim.amount)
        if payout is None:
            raise refuse(Code.UNKNOWN_PROCESSING_ERROR)
        ledger.credit(staking, sender, payout.principal, "unstake")
        ledger.hold(staking, program.pay(sender, payout))
        ledger.mint(program.ticker, sender, payout.reward, "reward")
        tags |= self._touch(program, sender) | ({_CAPPED} if payout.is_capped else set())
        return Outcome(None, _CLAIM, claim.ticker, claim.amount, sender, tags=tags, rounds=True)

    def _program(self, request: Request) -> Program:
        """The program of a stake or claim. Raises Refusal."""
        program = self._programs.of_reward(request.reward)
        if program is None:
            raise Refusal(Code.TICKER_NOT_DEPLOYED, request.ticker, request.amount)
        return program

    def _touch(self, program: Program, account: Account) -> frozenset[int]:
        """Note what a stake or claim changed; the tag for an account that the block had touched before (D-60)."""
        again = account in program.touched
        if self._programs.is_keeper(program):
            program.touched.add(account)
        self._programs.note(program)
        return frozenset({_TOUCHED_BEFORE} if again else ())


def _sender(request: Request, operation: Operation) -> Account:
    """Who stakes or claims. Raises Refusal."""
    if operation.sender is None:
        raise Refusal(Code.NO_VALID_RECEIVER, request.ticker, request.amount)
    return operation.sender


def _tags(program: Program, operation: Operation) -> frozenset[int]:
    """Whether the predecessor may not see the program yet (D-27)."""
    return frozenset({_DEPLOYED_IN_THE_BLOCK} if program.start == operation.height else ())


def _pays(operation: Operation, account: Account, fee: int) -> bool:
    """Whether the output after the first OP_RETURN output pays an account exactly the fee."""
    output = operation.after_op_return(1)
    return output is not None and output.value == fee and operation.account(output.script) == account


MODULE = Curve
