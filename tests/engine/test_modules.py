"""The seam for modules, with a puppet that does what payloads tell it to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from engine.judge import Engine
from engine.modules.registry import Ledger, Market, Outcome, Phase, Registry, StateTable, Token
from engine.verdicts import Code
from ingest.networks import REGTEST
from tests.helpers.audit import assert_same
from tests.helpers.builders import SIG83, address, candidates, headers, make_tx, op_return, operation, pay, spend
from tests.helpers.chain import TxOut
from tests.helpers.puppet import (
    PUPPETS,
    Puppet,
    Row,
    engine_and_facts,
    judged,
    multi,
    person,
    puppet_of,
    rows,
    swap,
    txs,
    verdicts,
    without_recipient,
)

DEPLOY = '{"p":"brc-20","op":"deploy","tick":"ABC","m":"1000","l":"1000"}'
MINT = '{"p":"brc-20","op":"mint","tick":"ABC","amt":"10"}'
TRANSFER = '{"p":"brc-20","op":"transfer","tick":"ABC","amt":"4"}'
INIT = '{"p":"brc-20","op":"swap","init":"ABC,XYZ","amt":"3"}'
EXE = '{"p":"brc-20","op":"swap","exe":"ABC,XYZ","amt":"1"}'
BURN = '{"p":"brc-20","op":"burn","tick":"W","amt":"1"}'
W_MINT = '{"p":"brc-20","op":"mint","tick":"W","amt":"1"}'
W_DEPLOY = '{"p":"brc-20","op":"deploy","tick":"W","m":"0","l":"0"}'
Y_MINT = '{"p":"brc-20","op":"mint","tick":"yABC","amt":"1"}'
Y_TRANSFER = '{"p":"brc-20","op":"transfer","tick":"yABC","amt":"1"}'
CURVE = '{"p":"brc-20","op":"deploy","tick":"CRV","m":"5","l":"5","curve":{"type":"linear"}}'
CRV_MINT = '{"p":"brc-20","op":"mint","tick":"CRV","amt":"1"}'


def test_without_modules_their_operations_are_refused() -> None:
    """Dispatch comes before R-CORE-ORDER-2, except where a mint is an ordinary one."""
    result = judged(
        Registry(),
        txs(INIT, EXE, BURN, W_MINT, CURVE, without_recipient(Y_TRANSFER), Y_MINT, W_DEPLOY, W_MINT, CRV_MINT),
    )
    assert verdicts(result) == [
        ("swap_init", "INVALID_OPERATION"),
        ("swap_exe", "INVALID_OPERATION"),
        ("burn", "INVALID_OPERATION"),
        ("mint", "TICKER_NOT_DEPLOYED"),
        ("deploy", "INVALID_OPERATION"),
        ("transfer", "INVALID_OPERATION"),
        ("mint", "TICKER_NOT_DEPLOYED"),
        ("deploy", None),
        ("mint", "INVALID_OPERATION"),
        ("mint", "TICKER_NOT_DEPLOYED"),
    ]
    records = rows(result)
    assert [records[n]["from_address"] for n in (3, 8)] == [address("alice"), None]
    assert [row["divergence"] for row in records] == [None, None, None, None, "D-7", *[None] * 5]
    assert result.modules == {}


def test_what_a_module_leaves_alone_ends_as_without_modules() -> None:
    texts = [json.dumps(json.loads(text) | {"leave": 1}) for text in (INIT, EXE, BURN, W_MINT, CURVE, Y_MINT)]
    blocks = txs(*texts, without_recipient(json.dumps(json.loads(Y_TRANSFER) | {"leave": 1})), MINT)
    with_module, without = judged(PUPPETS, blocks), judged(Registry(), blocks)
    assert with_module.operations.equals(without.operations)
    assert with_module.blocks.equals(without.blocks)


def test_a_module_judges_what_it_claims_in_its_place() -> None:
    """R-CORE-BLK-5: it sees earlier operations of the block, and later ones see it."""
    pull = ["move", "ABC", "alice", "POOL::A-B", "8"]
    result = judged(PUPPETS, txs(DEPLOY, swap(pull), MINT, swap(pull, salt=1), TRANSFER, MINT, TRANSFER))
    assert verdicts(result) == [
        ("deploy", None),
        ("swap", "UNKNOWN_PROCESSING_ERROR"),
        ("mint", None),
        ("swap_init", None),
        ("transfer", "INSUFFICIENT_BALANCE"),
        ("mint", None),
        ("transfer", None),
    ]


def test_a_module_is_told_everything_about_the_operation() -> None:
    engine, _ = engine_and_facts(PUPPETS, txs(MINT, MINT), txs(MINT, swap(salt=9, amt="1.5")))
    seen = puppet_of(engine).seen[0]
    tx = swap(salt=9, amt="1.5")
    assert (seen.name, seen.ticker, seen.height, seen.vout, seen.op_index) == ("swap", None, 6, 0, 1)
    assert (seen.sender, seen.recipient, seen.market, seen.step) == (person("alice"),) * 2 + (Market.SIMPLE, None)
    assert (seen.txid, seen.raw, seen.time.isoformat()) == (tx.txid, tx.raw, "2024-01-01T01:00:00+00:00")
    assert [(output.value, output.script) for output in seen.outputs] == [(o.value, o.script) for o in tx.outputs]
    assert [(i.witness, i.spent_script) for i in seen.inputs] == [
        (tuple(i.witness), i.spent.script) for i in tx.inputs if i.spent
    ]
    assert seen.after_op_return(1) == seen.outputs[1]
    assert seen.after_op_return(2) is None
    assert seen.account(seen.outputs[1].script) == person("alice")
    assert seen.account(seen.outputs[0].script) is None


def test_which_operations_are_handed_over() -> None:
    """W and wrap tickers from their deploy on; deploys with a curve and mints of what they made after the core."""
    engine, result = engine_and_facts(
        PUPPETS,
        txs(
            *(W_MINT, BURN, W_DEPLOY, W_MINT),
            *(CURVE, CURVE, CURVE.replace("CRV", "BAD").replace('"5"', '"x"', 1)),
            *(CRV_MINT, CRV_MINT.replace('"1"', '"101"'), CRV_MINT.replace('"1"', '"x"')),
        ),
    )
    assert [(seen.name, seen.ticker) for seen in puppet_of(engine).seen] == [
        ("burn", "W"),
        ("mint", "W"),
        ("deploy", "CRV"),
        ("mint", "CRV"),
    ]
    assert [row["code"] for row in rows(result)] == [
        *("TICKER_NOT_DEPLOYED", None, None, "INVALID_OPERATION"),
        *(None, "TICKER_ALREADY_EXISTS", "INVALID_AMOUNT"),
        *("INVALID_OPERATION", "EXCEEDS_MINT_LIMIT", "INVALID_AMOUNT"),
    ]
    token = result.tokens.to_pylist()[-1]
    assert (token["ticker"], token["max_supply"], token["limit_per_mint"]) == ("CRV", 1000, 100)
    assert token["deployer_address"] == address("alice")


def test_a_governed_token_stays_governed_after_restore() -> None:
    """D-31: its mints go to the module, whose tag the record carries."""
    engine, _ = engine_and_facts(PUPPETS, txs(CURVE))
    restored = Engine(REGTEST, engine.state(), PUPPETS)
    chain = {6: txs(CRV_MINT)}
    result = restored.judge(headers(chain), candidates(chain))
    assert [(row["code"], row["divergence"]) for row in rows(result)] == [("INVALID_OPERATION", "D-31")]


def test_kept_tickers_need_a_recipient_before_the_module_is_asked() -> None:
    """R-CORE-ORDER-2.2."""
    engine, result = engine_and_facts(PUPPETS, txs(*map(without_recipient, (Y_TRANSFER, Y_MINT))))
    assert puppet_of(engine).seen == []
    assert [(r["code"], r["ticker"], r["amount"], r["from_address"], r["to_address"]) for r in rows(result)] == [
        ("NO_STANDARD_OUTPUT", "yABC", 1, address("alice"), None)
    ] * 2


@pytest.mark.parametrize(("third", "flag", "market"), [("carol", True, "MARKETPLACE"), ("bob", False, "INVALID")])
def test_a_transfer_of_a_kept_ticker_is_classified(third: str, flag: bool, market: str) -> None:
    """R-CORE-MKT-3, R-CORE-BLK-4: executed before the rest of the block, and flagged."""
    inputs = [spend("alice", SIG83), spend("alice", SIG83), spend("bob"), spend(third)]
    sale = make_tx(inputs, [op_return(Y_TRANSFER), pay("bob")])
    engine, result = engine_and_facts(PUPPETS, txs(swap(["give", "yABC", "alice", "3"])), txs(MINT, sale))
    sold = next(row for row in rows(result) if row["ticker"] == "yABC")
    assert puppet_of(engine).seen[-1].market is Market[market]
    assert (sold["marketplace"], sold["op_index"], sold["valid"]) == (flag, 0 if flag else 1, True)


def test_steps_of_a_kept_ticker_are_judged_one_by_one() -> None:
    """D-67: an insufficient balance stops the rest. Asking for more than there was is D-1 here too."""
    give = swap(["give", "yABC", "alice", "5"])
    sent = multi("2", "9", "1", "9", "1", recipients=("bob", "bob", "p2pk_x", "bob", "bob"))
    engine, result = engine_and_facts(PUPPETS, txs(give, sent))
    steps = rows(result)[1:]
    assert [(row["step"], row["valid"], row["step_code"]) for row in steps] == [
        (0, True, None),
        (1, False, "INSUFFICIENT_BALANCE"),
        (2, False, "INSUFFICIENT_BALANCE"),
        (3, False, "INSUFFICIENT_BALANCE"),
        (4, False, "INSUFFICIENT_BALANCE"),
    ]
    assert [row["divergence"] for row in steps] == ["D-1,D-62", *["D-1"] * 4]
    assert [(row["ticker"], row["ticker_text"], row["amount"]) for row in steps[:1]] == [("yABC", "yABC", 2)]
    seen = puppet_of(engine).seen[1:]
    assert [(operation.step, operation.vout, operation.op_index) for operation in seen] == [(0, 0, 1), (1, 2, 2)]
    assert result.balance_events.num_rows == 0


@pytest.mark.parametrize(
    ("amounts", "recipients", "tag"),
    [
        (("2", "3"), ("bob", "carol"), None),
        (("2", "3"), ("bob", "bob"), None),
        (("2", "3.00000001"), ("bob", "carol"), "D-1"),
        (("2", "1"), ("bob", "alice"), "D-1"),
        (("2", "0"), ("bob", "alice"), None),
    ],
)
def test_steps_that_the_predecessor_would_execute_otherwise_are_tagged(
    amounts: Sequence[str], recipients: Sequence[str], tag: str | None
) -> None:
    """D-1: more than the balance before the transaction, or something to oneself."""
    give = swap(["give", "yABC", "alice", "5"])
    _, result = engine_and_facts(PUPPETS, txs(give, multi(*amounts, recipients=recipients)))
    assert ["D-1" in (row["divergence"] or "") for row in rows(result)[1:]] == [tag is not None] * 2


def test_a_step_without_recipient_does_not_reach_the_module() -> None:
    give = swap(["give", "yABC", "alice", "5"])
    _, result = engine_and_facts(PUPPETS, txs(give, multi("2", "1", recipients=("p2pk_x", "bob"))))
    assert [(row["valid"], row["step_code"]) for row in rows(result)[1:]] == [
        (False, "NO_STANDARD_OUTPUT"),
        (True, None),
    ]


def test_steps_that_no_module_wants_are_refused_and_stop_nothing() -> None:
    result = judged(Registry(), txs(multi("2", "1")))
    assert [(row["valid"], row["step_code"]) for row in rows(result)] == [(False, "INVALID_OPERATION")] * 2


def test_names_that_agree_in_upper_case_only_are_judged_each_by_its_own_rules() -> None:
    """R-CORE-MULTI-4 compares in upper case, where the letter of a `y` ticker and one that is none can agree."""
    outputs: list[TxOut] = []
    for ticker in ("y\u030aA", "\u1e99A", "\u1e99A"):
        text = json.dumps({"p": "brc-20", "op": "transfer", "tick": ticker, "amt": "3"}, separators=(",", ":"))
        outputs += [op_return(text), pay("bob")]
    mixed = make_tx([spend("alice")], outputs)
    plain = "Y\u030aA"
    prepared = txs(*(json.dumps(json.loads(text) | {"tick": "\u1e99A"}) for text in (DEPLOY, MINT)))
    give = swap(["give", "y\u030aA", "alice", "5"])
    _, result = engine_and_facts(PUPPETS, [*prepared, give, mixed])
    assert [(row["ticker"], row["valid"]) for row in rows(result)[3:]] == [
        ("y\u030aA", True),
        (plain, True),
        (plain, True),
    ]


def test_the_engine_adds_the_tags_that_follow_from_the_payload() -> None:
    """D-3, D-5 and D-23, whoever judges; others come from the module."""
    texts = [
        Y_TRANSFER.replace("yABC", "yA_C"),
        Y_TRANSFER.replace('"1"', '"0.000000001"'),
        Y_MINT.replace('"1"', '"x"'),
        BURN.replace('"1"', "[]"),
        CURVE.replace('"5"', '"5.000000001"', 1),
    ]
    result = judged(PUPPETS, txs(swap(["give", "yA_C", "alice", "1"], ["give", "yABC", "alice", "1"], tag=1), *texts))
    assert [row["divergence"] for row in rows(result)] == ["D-60", "D-5,D-62", "D-23,D-62", "D-3,D-31", "D-3", "D-23"]


def test_recorded_amounts_are_rounded_and_left_out_where_they_cannot_be_stored() -> None:
    amounts = [
        "0.000000005",
        "-0.000000015",
        "1e29",
        "1e30",
        "999999999999999999999999999999.999999995",
        "NaN",
        "1e999",
    ]
    result = judged(PUPPETS, [swap(amt=amount, salt=n) for n, amount in enumerate(amounts)])
    recorded = [Decimal("1E-8"), Decimal("-2E-8"), Decimal(10**29), None, None, None, None]
    assert [row["amount"] for row in rows(result)] == recorded


def test_effects_are_events_with_the_modules_causes() -> None:
    pull, release = ["move", "ABC", "alice", "POOL::A-B", "3"], ["move", "ABC", "POOL::A-B", "alice", "1"]
    result = judged(PUPPETS, txs(DEPLOY, MINT, swap(pull, later=[release])), [], txs(swap(pull)))
    events = [
        (row["height"], row["op_index"], row["tx_index"], row["cause"], row["address"], row["delta"])
        for row in result.balance_events.to_pylist()
    ]
    alice, pool = address("alice"), "POOL::A-B"
    assert events == [
        (5, 1, 2, "mint", alice, 10),
        (5, 2, 3, "pulled", alice, -3),
        (5, 2, 3, "pulled", pool, 3),
        (5, None, None, "released", pool, -1),
        (5, None, None, "released", alice, 1),
        (7, 0, 1, "pulled", alice, -3),
        (7, 0, 1, "pulled", pool, 3),
    ]
    assert [row["script"] is None for row in result.balance_events.to_pylist()] == [row[4] == pool for row in events]
    assert [(row["height"], row["holders"]) for row in result.supplies.to_pylist()] == [(5, 2)]


def test_refused_operations_leave_nothing() -> None:
    """D-29: neither effects nor moves of kept tickers, whether the module says so or the ledger."""
    pulls = [["move", "yABC", "alice", "bob", "1"], ["mint", "ABC", "bob", "1"], ["move", "ABC", "alice", "bob", "1"]]
    refused = [swap(*pulls, refuse="INVALID_AMOUNT"), swap(*pulls, ["debit", "ABC", "carol", "1"])]
    give = swap(["give", "yABC", "alice", "5"], salt=1)
    engine, result = engine_and_facts(PUPPETS, txs(DEPLOY, MINT, give, *refused))
    assert [row["code"] for row in rows(result)[3:]] == ["INVALID_AMOUNT", "UNKNOWN_PROCESSING_ERROR"]
    assert [row["cause"] for row in result.balance_events.to_pylist()] == ["mint"]
    assert puppet_of(engine).balance("yABC", person("alice")) == 5
    assert [(row["minted"], row["holders"]) for row in result.supplies.to_pylist()] == [(10, 1)]


def test_a_multi_transfer_after_an_effect_of_a_module_is_tagged() -> None:
    """D-1: the sender's entry had an event earlier in this block."""
    plain = multi("1", "1", ticker="ABC", recipients=("bob", "carol"))
    pull = swap(["move", "ABC", "alice", "dave", "1"])
    for between, tag in (([], None), ([pull], "D-1")):
        result = judged(PUPPETS, txs(DEPLOY, MINT), txs(*between, plain))
        assert [row["divergence"] for row in rows(result)[-2:]] == [tag] * 2


def test_ranges_of_blocks_are_judged_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many blocks a pass takes, modules and their rows do not notice."""
    dust = ["move", "ABC", "alice", "bob", "0.000000004"]
    give = ["give", "yABC", "alice", "5"]
    blocks = [
        txs(DEPLOY, MINT, swap(give, dust)),
        [swap(dust)],
        [],
        txs(swap(dust), multi("1", "2"), CURVE),
        [swap(dust)],
    ]
    expected = judged(PUPPETS, *blocks)
    monkeypatch.setattr("engine.judge._MOST_ROWS", 0)
    assert_same(judged(PUPPETS, *blocks), expected)


def test_the_ledger_grows_under_a_module() -> None:
    """Entries are found again when the table had to become larger in the middle of an operation, or between two."""
    returns = [["move", "ABC", f"POOL::{number}", "alice", "0.3333333333"] for number in (0, 1, 2999, 5999)]
    crowds = [swap(["crowd", "ABC", str(count)], salt=count) for count in (3_000, 6_000)]
    mints = [operation(MINT, "alice", f"holder {number}", number) for number in range(3_000)]
    late = ["burn", "ABC", "POOL::2999", "0.1"]
    result = judged(PUPPETS, txs(DEPLOY, *crowds, swap(*returns), *mints, swap(*returns[:2]), swap(late, salt=1)))
    verdicts_of_swaps = [row["valid"] for row in rows(result) if row["operation"].startswith("swap")]
    assert verdicts_of_swaps == [True, True, True, True, True]
    balances = {row["address"]: row["balance_after"] for row in result.balance_events.to_pylist()}
    left = [balances[f"POOL::{number}"] for number in (0, 7, 2999, 5999)]
    assert left == [0, Decimal("0.66666667"), Decimal("0.23333333"), 0]


def test_the_emergency_range_changes_the_sender_of_kept_tickers() -> None:
    """R-CORE-MKT-7: input 1 sends what classifies as a marketplace transfer."""
    inputs = [spend("carol", SIG83), spend("alice", SIG83), spend("bob")]
    sale = make_tx(inputs, [op_return(Y_TRANSFER), pay("bob")])
    network = replace(REGTEST, emergency_range=(6, 6))
    chain = {5: [swap(["give", "yABC", "alice", "3"])], 6: [sale], 7: [make_tx(inputs, sale.outputs, 1)]}
    result = Engine(network, None, PUPPETS).judge(headers(chain), candidates(chain))
    found = [(row["from_address"], row["marketplace"], row["code"]) for row in rows(result)[1:]]
    assert found == [(address("alice"), True, None), (address("carol"), False, "INSUFFICIENT_BALANCE")]


def test_modules_round_when_an_outcome_says_so() -> None:
    """R-SWAP-STATE-5 (a)."""
    engine, _ = engine_and_facts(PUPPETS, txs(swap(rounds=1), swap(salt=1)))
    assert puppet_of(engine).rounded == 1


def test_lines_of_the_end_of_block_enter_the_event_hash_in_order() -> None:
    """Indices, rounding, expiries, rounding; after the lines of the records."""

    class Indices(Puppet):
        name = "indices"
        phase: Phase | None = Phase.INDICES
        tables: Sequence[StateTable] = ()

        def end_of_block(self, ledger: Ledger) -> list[str]:
            if ledger.height == 5:
                ledger.mint("ABC", person("alice"), Decimal("0.000000001"), "pulled")
            return ["indices"]

        def claims(self, operation: Any, ledger: Ledger) -> bool:
            return False

        def drain(self) -> dict[str, list[Row]]:
            return {}

        def restore(self, tables: object) -> None:
            pass

    dust = ["mint", "ABC", "alice", "0.000000004"]
    result = judged(Registry([Puppet, Indices]), txs(swap(dust, later=[dust, dust])), [])
    lines = [
        f"swap_init;{swap(dust, later=[dust, dust]).txid};0;;;{address('alice')};",
        "indices",
        f"rounding;;;ABC;0.00000001;;{address('alice')}",
        *[f"expiry;{';'.join(dust)}"] * 2,
        f"rounding;;;ABC;0.00000001;;{address('alice')}",
    ]
    assert result.blocks["event_hash"].to_pylist() == [
        sha256("\n".join(lines).encode()).hexdigest(),
        sha256(b"indices").hexdigest(),
    ]
    causes = [(row["cause"], row["delta"], row["op_index"]) for row in result.balance_events.to_pylist()]
    assert causes == [
        ("pulled", 0, 0),
        ("pulled", 0, None),
        ("rounding", Decimal("0.00000001"), None),
        *[("released", 0, None)] * 2,
        ("rounding", Decimal("0.00000001"), None),
    ]
    assert [row["rounding"] for row in result.supplies.to_pylist()] == [Decimal("0.00000002")]


def test_the_ledger_answers_what_modules_ask() -> None:
    answers: list[object] = []

    class Asking(Puppet):
        def apply(self, operation: Any, ledger: Ledger) -> Outcome:
            ledger.deploy("NEW", Decimal(7), None, None)
            answers.extend(ledger.token(ticker) for ticker in ("ABC", "W", "NEW", "QQ"))
            answers.extend(ledger.is_deployed(ticker) for ticker in ("ABC", "QQ", "yA", "yB"))
            answers.extend(ledger.is_kept(ticker) for ticker in ("ABC", "yA"))
            answers.extend(ledger.balance(ticker, person("alice")) for ticker in ("ABC", "QQ", "yA"))
            answers.append(ledger.balance("ABC", person("POOL::nobody")))
            with pytest.raises(TypeError, match="can only be moved"):
                ledger.credit("yA", person("alice"), Decimal(1), "pulled")
            return Outcome(Code.INVALID_OPERATION)

        def exists(self, ticker: str) -> bool:
            return ticker == "yA"

    chain = {5: txs(DEPLOY, MINT, W_DEPLOY), 6: [swap()], 7: [operation(MINT.replace("ABC", "NEW"))]}
    result = Engine(REGTEST, None, Registry([Asking])).judge(headers(chain), candidates(chain))
    thousand = Decimal(1000)
    tokens = [
        Token(thousand, thousand, 5, False),
        Token(Decimal(0), Decimal(0), 5, True),
        Token(Decimal(7), None, 6, False),
    ]
    assert answers == [*tokens, None, True, False, True, False, False, True, 10, 0, 0, 0]
    assert rows(result)[-1]["code"] == "TICKER_NOT_DEPLOYED"


def test_modules_are_asked_by_priority_and_know_each_other() -> None:
    class Early(Puppet):
        name = "early"
        priority = 0
        tables: Sequence[StateTable] = ()
        causes: Mapping[str, str] = {"early": "Nothing."}

        def claims(self, operation: Any, ledger: Ledger) -> bool:
            return isinstance(ledger.other("puppet"), Puppet) and operation.members.get("amt") == "7"

        def drain(self) -> dict[str, list[Row]]:
            return {}

    registry = Registry([Puppet, Early])
    assert registry.causes[-3:] == ("early", "pulled", "released")
    engine, _ = engine_and_facts(registry, txs(swap(amt="7"), swap(salt=1)))
    seen = [len(module.seen) for module in engine._modules if isinstance(module, Puppet)]
    assert seen == [1, 1]


def test_tables_of_modules_are_complete_and_sorted() -> None:
    """Versions by key within a block; a module that wrote nothing has its tables too."""
    gives = [["give", "yB", "bob", "1"], ["give", "yA", "bob", "2"], ["give", "yB", "bob", "3"]]
    engine, result = engine_and_facts(PUPPETS, [swap(*gives)], [], [swap(["give", "yA", "alice", "4"])])
    kept = [(row["height"], row["ticker"], row["balance"]) for row in result.modules["kept"].to_pylist()]
    assert kept == [(5, "yA", 2), (5, "yB", 3), (7, "yA", 4)]
    assert [(row["height"], row["calls"]) for row in result.modules["deeds"].to_pylist()] == [(5, 3), (7, 1)]
    assert (result.modules["governed"].num_rows, set(engine.state().modules)) == (0, {"kept", "governed"})
    chain = {8: [swap(["give", "yA", "bob", "0"])]}
    engine.judge(headers(chain), candidates(chain))
    latest = [(row["height"], row["ticker"], row["address"]) for row in engine.state().modules["kept"].to_pylist()]
    assert latest == sorted(
        [(7, "yA", address("alice")), (8, "yA", address("bob")), (5, "yB", address("bob"))], key=key
    )
    empty = Engine(REGTEST, None, PUPPETS).judge(headers({}), candidates({}))
    assert {name: table.num_rows for name, table in empty.modules.items()} == {"kept": 0, "deeds": 0, "governed": 0}


def key(row: tuple[int, str, str]) -> tuple[str, str]:
    return row[1:]


def test_a_module_at_work_changes_nothing_for_plain_operations() -> None:
    blocks = [txs(DEPLOY, MINT, TRANSFER, MINT), [], txs(TRANSFER, MINT)]
    assert_same(replace(judged(PUPPETS, *blocks), modules={}), judged(Registry(), *blocks))
