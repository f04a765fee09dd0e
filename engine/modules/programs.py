"""All curve programs: which one keeps a `y` ticker, which ones earn, which ones a block changed."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from engine.modules.program import Program, holding_of, program_of
from engine.modules.registry import Account, Ledger
from engine.modules.stakes import RECEIPT


class Programs:
    """Programs by reward ticker. Methods count on a context of 50 digits (`decimals.fifty_digits`)."""

    def __init__(self) -> None:
        self._programs: dict[str, Program] = {}
        self._keepers: dict[str, Program] = {}
        """By staking ticker."""
        self._earning: dict[str, Program] = {}
        """Programs in which something is staked, by reward ticker."""
        self._changed: dict[str, Program] = {}
        """Programs that the block may have changed, or accounts of theirs."""

    def of_reward(self, ticker: str) -> Program | None:
        """The program that emits the ticker."""
        return self._programs.get(ticker)

    def exists(self, ticker: str) -> bool:
        """Whether a program stakes what the `y` ticker stands for (R-CURVE-STATE-4)."""
        return ticker.removeprefix(RECEIPT) in self._keepers

    def keeper(self, ticker: str) -> Program:
        """The program whose accounts a `y` ticker that exists shows: the oldest that stakes its base ticker
        (R-CURVE-STATE-3)."""
        return self._keepers[ticker.removeprefix(RECEIPT)]

    def is_keeper(self, program: Program) -> bool:
        """Whether the accounts of the program are those that its `y` ticker shows (D-69)."""
        return self._keepers[program.staking] is program

    def enter(self, program: Program) -> None:
        """Add a program."""
        self._programs[program.ticker] = program
        rival = self._keepers.get(program.staking, program)
        self._keepers[program.staking] = min(program, rival, key=lambda each: (each.start, each.deploy_txid))
        self.note(program)

    def note(self, program: Program) -> None:
        """Remember that the block may have changed a program, and whether something is staked in it."""
        self._changed[program.ticker] = program
        if program.staked:
            self._earning[program.ticker] = program
        else:
            self._earning.pop(program.ticker, None)

    def end_block(self, ledger: Ledger) -> None:
        """Advance indices to the last finished block and rescale touched accounts (R-CURVE-IDX-2, R-CURVE-IDX-3)."""
        self._changed |= self._earning
        for program in self._changed.values():
            token = ledger.token(program.staking) if program.rho is None else None
            program.end_block(ledger.height - 1, token, self.is_keeper(program))

    def drain(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Rows of the block just finished, by table."""
        rows: dict[str, list[dict[str, Any]]] = {"programs": [], "accounts": []}
        for program in self._changed.values():
            versions, accounts = program.close_block()
            rows["programs"] += versions
            rows["accounts"] += accounts
        self._changed = {}
        return rows

    def restore(self, tables: Mapping[str, pa.Table]) -> None:
        """Enter programs and accounts as their latest versions say."""
        for row in tables["programs"].to_pylist():
            self.enter(program_of(row))
        for row in tables["accounts"].to_pylist():
            account = Account(row["address"], row["script"])
            self._programs[row["ticker"]].accounts[account] = holding_of(row)
        self._changed = {}
