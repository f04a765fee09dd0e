"""The seam for modules, with a toy that pays swaps out of a pool."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import pyarrow as pa

from engine.judge import Engine
from engine.modules.registry import Operation, Outcome, Phase, Registry, Writer
from engine.schemas import Judged
from engine.verdicts import Code
from ingest.networks import REGTEST, Network
from tests.helpers.builders import address, candidates, headers, operation
from tests.helpers.chain import Tx

DEPLOY = '{"p":"brc-20","op":"deploy","tick":"ABC","m":"1000","l":"1000"}'
MINT = '{"p":"brc-20","op":"mint","tick":"ABC","amt":"10"}'
TRANSFER = '{"p":"brc-20","op":"transfer","tick":"ABC","amt":"4"}'
INIT = '{"p":"brc-20","op":"swap","init":"ABC,XYZ","amt":"3"}'
EXE = '{"p":"brc-20","op":"swap","exe":"ABC,XYZ","amt":"1"}'
BURN = '{"p":"brc-20","op":"burn","tick":"W","amt":"1"}'


class Deposits:
    """Takes what `init` locks into a pool, and returns one unit to nobody in particular at each block's end."""

    name = "deposits"
    priority = 10
    causes: Sequence[str] = ("deposit", "return")

    def __init__(self, phase: Phase = Phase.EXPIRY) -> None:
        self.phase = phase
        self.seen: list[Operation] = []
        self.owner: int | None = None

    def claims(self, operation: Operation) -> bool:
        return operation.name == "swap_init"

    def apply(self, operation: Operation, ledger: Writer, network: Network) -> Outcome:
        self.seen.append(operation)
        ticker = ledger.ticker("ABC")
        units = int(operation.members["amt"]) * 10**8
        assert operation.sender is not None
        if ledger.balance(ticker, operation.sender) < units:
            return Outcome(Code.INSUFFICIENT_BALANCE, ticker, units, operation.sender)
        self.owner = operation.sender
        ledger.debit(ticker, operation.sender, units, "deposit")
        ledger.credit(ticker, ledger.pool("ABC-XYZ"), units, "deposit")
        return Outcome(None, ticker, units, operation.sender)

    def end_of_block(self, height: int, ledger: Writer, network: Network) -> Sequence[str]:
        if self.owner is None:
            return []
        ticker, pool = ledger.ticker("ABC"), ledger.pool("ABC-XYZ")
        ledger.debit(ticker, pool, 1, "return")
        ledger.credit(ticker, self.owner, 1, "return")
        return [f"expiry;{height}"]

    def tables(self) -> Mapping[str, pa.Table]:
        return {"deposits": pa.table({"seen": [len(self.seen)]})}


def judged(registry: Registry, *blocks: list[Tx]) -> Judged:
    chain = {5 + n: txs for n, txs in enumerate(blocks)}
    return Engine(REGTEST, None, registry).judge(headers(chain), candidates(chain))


def txs(*texts: str) -> list[Tx]:
    """The texts as operations of alice, who is also the recipient."""
    return [operation(text, "alice", "alice", salt) for salt, text in enumerate(texts)]


def verdicts(result: Judged) -> list[tuple[str, str | None]]:
    return [(row["operation"], row["code"]) for row in result.operations.to_pylist()]


def test_without_modules_their_operations_are_refused() -> None:
    assert verdicts(judged(Registry(), txs(INIT, EXE, BURN))) == [
        ("swap_init", "INVALID_OPERATION"),
        ("swap_exe", "INVALID_OPERATION"),
        ("burn", "INVALID_OPERATION"),
    ]


def test_a_module_judges_what_it_claims_in_its_place() -> None:
    """R-CORE-BLK-5: it sees earlier operations of the block, and later ones see it; what it leaves alone is refused."""
    module = Deposits()
    result = judged(Registry([module]), txs(DEPLOY, INIT, MINT, INIT, EXE, TRANSFER, INIT, INIT, TRANSFER, BURN))
    assert verdicts(result) == [
        ("deploy", None),
        ("swap_init", "INSUFFICIENT_BALANCE"),
        ("mint", None),
        ("swap_init", None),
        ("swap_exe", "INVALID_OPERATION"),
        ("transfer", None),
        ("swap_init", None),
        ("swap_init", None),
        ("transfer", "INSUFFICIENT_BALANCE"),
        ("burn", "INVALID_OPERATION"),
    ]
    row = result.operations.to_pylist()[3]
    assert (row["ticker"], row["amount"], row["from_address"], row["to_address"]) == ("ABC", 3, address("alice"), None)
    first = module.seen[0]
    assert (first.name, first.ticker, first.height, first.vout) == ("swap_init", None, 5, 0)
    assert first.members["init"] == "ABC,XYZ"
    assert first.raw == txs(DEPLOY, INIT)[1].raw
    assert len(first.prevouts) == 31


def test_module_effects_are_events_with_its_causes_and_end_of_block_has_no_record() -> None:
    result = judged(Registry([Deposits()]), txs(DEPLOY, MINT, INIT), [], txs(INIT))
    rows = [
        (row["height"], row["op_index"], row["tx_index"], row["cause"], row["address"], int(row["delta"] * 10**8))
        for row in result.balance_events.to_pylist()
    ]
    alice, pool = address("alice"), "POOL::ABC-XYZ"
    ends = [
        [(height, None, None, "return", pool, -1), (height, None, None, "return", alice, 1)] for height in (5, 6, 7)
    ]
    assert rows == [
        (5, 1, 2, "mint", alice, 10 * 10**8),
        (5, 2, 3, "deposit", alice, -3 * 10**8),
        (5, 2, 3, "deposit", pool, 3 * 10**8),
        *ends[0],
        *ends[1],
        (7, 0, 1, "deposit", alice, -3 * 10**8),
        (7, 0, 1, "deposit", pool, 3 * 10**8),
        *ends[2],
    ]
    assert [row["script"] is None for row in result.balance_events.to_pylist()] == [row[4] == pool for row in rows]
    holders = [(row["height"], row["holders"]) for row in result.supplies.to_pylist()]
    assert holders == [(5, 2)]


def test_lines_of_the_end_of_block_enter_the_event_hash() -> None:
    result = judged(Registry([Deposits()]), txs(DEPLOY, MINT, INIT), [])
    assert result.blocks["event_hash"].to_pylist()[1] == sha256(b"expiry;6").hexdigest()


def test_modules_are_asked_by_priority_and_act_at_the_end_by_phase() -> None:
    """R-CORE-BLK-6: curve indices before expiries, whoever is asked first."""
    order: list[str] = []

    class Named(Deposits):
        def __init__(self, name: str, priority: int, phase: Phase) -> None:
            super().__init__(phase)
            self.name, self.priority = name, priority

        def end_of_block(self, height: int, ledger: Writer, network: Network) -> Sequence[str]:
            order.append(self.name)
            return []

    late, early = Named("expiry", 1, Phase.EXPIRY), Named("indices", 2, Phase.INDICES)
    registry = Registry([early, late])
    judged(registry, txs(DEPLOY, MINT, INIT))
    assert (len(late.seen), len(early.seen)) == (1, 0)
    assert order == ["indices", "expiry"]
    assert registry.tables()["deposits"].num_rows == 1
    assert registry.causes[-2:] == ("deposit", "return")


def test_a_module_at_work_changes_nothing_for_plain_operations() -> None:
    blocks = [txs(DEPLOY, MINT, TRANSFER, MINT), [], txs(TRANSFER, BURN)]
    with_module, without = judged(Registry([Deposits()]), *blocks), judged(Registry(), *blocks)
    assert with_module == without
