"""A chain that the plain path judges block by block, with its objects to look at in between."""

from collections.abc import Mapping
from typing import Any

from engine.judge import Engine
from engine.plain import PlainEngine
from engine.plain.accounts import Account
from engine.plain.decimals import precisely
from engine.plain.holdings import balance
from engine.plain.parties import Party
from engine.plain.programs import Program
from engine.plain.vaults import Vault
from engine.schemas import Judged
from ingest.networks import MAINNET
from tests.helpers.audit import assert_conserved, assert_same
from tests.helpers.builders import Blocks, address, candidates, headers, script_of
from tests.helpers.chain import Tx
from tests.helpers.scenarios import parse_tx

Record = dict[str, Any]


def party(label: str) -> Party:
    """The holder that a label stands for; `POOL::` and a pool id stand for themselves."""
    return Party(label, None) if label.startswith("POOL::") else Party(address(label, MAINNET), script_of(label))


class SteppedChain:
    """Consecutive blocks of mainnet from `height` on. Transactions are in the notation of `tests.helpers.scenarios`."""

    def __init__(self, height: int = 930_000) -> None:
        self.engine = PlainEngine(MAINNET)
        self.height = height - 1
        self.judged: list[Judged] = []

    def block(self, *transactions: str | Tx) -> list[Record]:
        """Judge one block; its records."""
        self.height += 1
        salts = range(self.height * 1000, self.height * 1000 + len(transactions))
        txs = [parse_tx(tx, salt) if isinstance(tx, str) else tx for tx, salt in zip(transactions, salts, strict=True)]
        records: list[Record] = self.judge({self.height: txs}).operations.to_pylist()
        return records

    def judge(self, blocks: Blocks) -> Judged:
        self.judged.append(self.engine.judge(headers(blocks), candidates(blocks)))
        return self.judged[-1]

    def one(self, transaction: str | Tx) -> Record:
        """Judge a block of one transaction that leaves one record."""
        (record,) = self.block(transaction)
        return record

    def empty(self, until: int) -> None:
        """Judge blocks without transactions up to a height."""
        while self.height < until:
            self.block()

    def audit(self) -> None:
        """Everything so far conserves supply."""
        assert_conserved(*self.judged)

    @property
    def events(self) -> list[Record]:
        """Balance events of the last block."""
        events: list[Record] = self.judged[-1].balance_events.to_pylist()
        return events

    def balance(self, ticker: str, label: str) -> str:
        """What a label holds, `y` tickers included."""
        with precisely():
            return f"{balance(self.engine.ledger, ticker, party(label)):f}"

    def program(self, reward: str = "CRV") -> Program:
        program: Program = self.engine.ledger.modules["programs"][reward]
        return program

    def account(self, label: str, reward: str = "CRV") -> Account | None:
        accounts: Mapping[tuple[str, str], Account] = self.engine.ledger.modules["accounts"]
        return accounts.get((reward, party(label).address))

    def vaults(self) -> list[Vault]:
        """In the order in which they were opened."""
        return list(self.engine.ledger.modules["vaults"].values())


class TwoPaths(SteppedChain):
    """Judged by the compiled path too, which must say the same of every block."""

    def __init__(self, height: int = 930_000) -> None:
        super().__init__(height)
        self.compiled = Engine(MAINNET)

    def judge(self, blocks: Blocks) -> Judged:
        plain = super().judge(blocks)
        assert_same(plain, self.compiled.judge(headers(blocks), candidates(blocks)))
        return plain

    def exchange(self) -> None:
        """Each path goes on from the other's state."""
        of_plain, of_compiled = self.engine.state(), self.compiled.state()
        for name, table in of_plain.modules.items():
            assert table.equals(of_compiled.modules[name]), name
        self.engine.restore(of_compiled)
        self.compiled = Engine(MAINNET, state=of_plain)
