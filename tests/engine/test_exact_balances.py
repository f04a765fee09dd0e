"""Balances with digits beyond the eighth: what modules leave inside a block, held to a model of a few lines."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.judge import Engine
from engine.modules.exact import recorded_units, shown_changes, slack, text, whole
from engine.schemas import Judged
from ingest.networks import REGTEST
from tests.helpers.audit import assert_same
from tests.helpers.builders import address, candidates, headers, make_tx, op_return, operation, pay, spend
from tests.helpers.chain import Tx
from tests.helpers.puppet import PUPPETS, Call, swap

FIFTY = Context(prec=50)
PEOPLE = ("alice", "bob", "POOL::A-B")
TICKERS = ("ABC", "XYZ")
THIRD = "0.3333333333333333333333333333333333333333333333333"
PLAIN = ("1", "2.5", "0.00000001", "0", "100")
FINE = (
    *("0.000000005", "0.0000000049", THIRD, "1.00000000666666666666666666666666666666666666", "0.1", "1"),
    *("99999999999999999999.123456789", "0.99999999999999999999999999999999999999999999999"),
)

Key = tuple[str, str]


@dataclass
class Model:
    """The ledger as the rules describe it, slow and in the open."""

    exact: dict[Key, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    shown: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    minted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    burned: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    held: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    rounding: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    events: list[tuple[str, str, int, int, str]] = field(default_factory=list)

    def plain(self, ticker: str, who: str, amount: Decimal, cause: str) -> None:
        self.exact[ticker, who] = FIFTY.add(self.exact[ticker, who], amount)
        self._show(ticker, who, int(amount.scaleb(8)), cause)

    def unit(self, calls: Sequence[Call], cause: str) -> bool:
        """One unit of work; False, and nothing done, when a debit is not covered."""
        exact, changes = dict(self.exact), []
        totals: dict[str, dict[str, Decimal]] = {name: defaultdict(Decimal) for name in ("mint", "burn", "hold")}
        for name, ticker, *people, amount_text in calls:
            amount = Decimal(amount_text)
            if name in totals:
                totals[name][ticker] = FIFTY.add(totals[name][ticker], amount)
            signs = {"move": (-1, 1), "debit": (-1,), "burn": (-1,), "hold": ()}.get(name, (1,))
            for who, sign in zip(people, signs, strict=True):
                if sign < 0 and exact.get((ticker, who), Decimal(0)) < amount:
                    return False
                if amount:
                    change = amount if sign > 0 else amount.copy_negate()
                    exact[ticker, who] = FIFTY.add(exact.get((ticker, who), Decimal(0)), change)
                    changes.append((ticker, who, change))
        self.exact.update(exact)
        self._write(changes, {ticker: _total(totals, ticker) for ticker in TICKERS}, cause)
        for name, sums in (("mint", self.minted), ("burn", self.burned), ("hold", self.held)):
            for ticker, amount in totals[name].items():
                sums[ticker] += q8(amount)
        return True

    def _write(self, changes: list[tuple[str, str, Decimal]], totals: dict[str, int], cause: str) -> None:
        sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)])
        for place, (ticker, who, amount) in enumerate(changes):
            sums[ticker].append(FIFTY.add(sums[ticker][-1], amount))
            is_last = all(other != ticker for other, _, _ in changes[place + 1 :])
            before, after = (q8(total) for total in sums[ticker][-2:])
            self._show(ticker, who, (totals[ticker] if is_last else after) - before, cause)

    def _show(self, ticker: str, who: str, delta: int, cause: str) -> None:
        self.shown[ticker, who] += delta
        holder = who if who.startswith("POOL::") else address(who)
        self.events.append((ticker, holder, delta, self.shown[ticker, who], cause))

    def round(self) -> None:
        by_address = {(t, who if who.startswith("POOL::") else address(who)): (t, who) for t, who in self.exact}
        for _, (ticker, who) in sorted(by_address.items()):
            delta = q8(self.exact[ticker, who]) - self.shown[ticker, who]
            self.exact[ticker, who] = Decimal(q8(self.exact[ticker, who])).scaleb(-8, FIFTY)
            if delta:
                self.rounding[ticker] += delta
                self._show(ticker, who, delta, "rounding")


def q8(amount: Decimal) -> int:
    with localcontext(Context(prec=100)):
        return int(amount.quantize(Decimal("1E-8"), ROUND_HALF_UP).scaleb(8))


def _total(totals: dict[str, dict[str, Decimal]], ticker: str) -> int:
    minted, burned, held = (q8(totals[name][ticker]) for name in ("mint", "burn", "hold"))
    return minted - burned - held


@st.composite
def calls(draw: st.DrawFn, name: str) -> list[Call]:
    """Calls that create or destroy nothing by themselves; what is put aside is on the grid."""
    ticker, amount = draw(st.sampled_from(TICKERS)), draw(st.sampled_from(FINE))
    people = [draw(st.sampled_from(PEOPLE)) for _ in range(2 if name == "move" else 1)]
    aside = {"debit": 1, "credit": -1}.get(name, 0) * q8(Decimal(amount))
    return [[name, ticker, *people, amount], *([["hold", ticker, text(aside)]] if aside else [])]


@st.composite
def deeds(draw: st.DrawFn) -> tuple[str, Any]:
    """A transfer or multi-transfer of plain amounts, a unit of work, or mints for the block's end."""
    kind = draw(st.sampled_from(["transfer", "multi", "unit", "unit", "unit", "later"]))
    if kind == "transfer":
        return kind, [*draw(st.tuples(*[st.sampled_from(("alice", "bob"))] * 2)), draw(st.sampled_from(PLAIN))]
    if kind == "multi":
        return kind, draw(st.lists(st.tuples(st.sampled_from(("alice", "bob")), st.sampled_from(PLAIN)), min_size=2))
    names = ["mint"] if kind == "later" else ["credit", "debit", "move", "move", "mint", "burn"]
    return kind, [call for name in draw(st.lists(st.sampled_from(names), max_size=8)) for call in draw(calls(name))]


CHAINS = st.lists(st.lists(deeds(), max_size=8), min_size=1, max_size=4)


def chain_of(blocks: list[list[tuple[str, Any]]]) -> dict[int, list[Tx]]:
    """The deeds as transactions, after a block that deploys both tokens and mints some to alice."""
    first = [
        operation(f'{{"p":"brc-20","op":"{op}","tick":"{ticker}",{rest}}}', "alice", "alice")
        for ticker in TICKERS
        for op, rest in (("deploy", '"m":"5000","l":"5000"'), ("mint", '"amt":"150"'))
    ]
    made = {5: first}
    for height, block in enumerate(blocks, start=6):
        made[height] = [_tx(kind, what, salt) for salt, (kind, what) in enumerate(block)]
    return made


def _tx(kind: str, what: Any, salt: int) -> Tx:
    if kind == "unit":
        return swap(*what, salt=salt)
    if kind == "later":
        return swap(later=what, salt=salt)
    if kind == "transfer":
        sender, recipient, amount = what
        return operation(f'{{"p":"brc-20","op":"transfer","tick":"ABC","amt":"{amount}"}}', sender, recipient, salt)
    outputs = []
    for recipient, amount in what:
        outputs += [op_return(f'{{"p":"brc-20","op":"transfer","tick":"ABC","amt":"{amount}"}}'), pay(recipient)]
    return make_tx([spend("alice")], outputs, salt)


def modelled(blocks: list[list[tuple[str, Any]]]) -> tuple[Model, list[bool]]:
    """The model after the blocks, and the verdict on every operation."""
    model, verdicts = Model(), [True] * 4
    for ticker in TICKERS:
        model.minted[ticker] = 150 * 10**8
        model.plain(ticker, "alice", Decimal(150), "mint")
    for block in blocks:
        later: list[Call] = []
        for kind, what in block:
            if kind == "unit":
                verdicts.append(model.unit(what, "pulled"))
            elif kind == "later":
                verdicts.append(True)
                later += what
            else:
                steps = [("alice", *step) for step in what] if kind == "multi" else [what]
                verdicts += _transfers(model, steps)
        model.round()
        for step in later:
            assert model.unit([step], "released")
        model.round()
    return model, verdicts


def _transfers(model: Model, steps: Sequence[Sequence[str]]) -> list[bool]:
    verdicts: list[bool] = []
    for sender, recipient, amount_text in steps:
        amount = Decimal(amount_text)
        covered = all(verdicts) and amount <= model.exact["ABC", sender]
        verdicts.append(covered)
        if covered:
            model.plain("ABC", sender, -amount, "transfer_debit")
            model.plain("ABC", recipient, amount, "transfer_credit")
    return verdicts


def events_of(result: Judged) -> list[tuple[str, str, int, int, str]]:
    return [
        (row["ticker"], row["address"], q8(row["delta"]), q8(row["balance_after"]), row["cause"])
        for row in result.balance_events.to_pylist()
    ]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHAINS)
def test_events_verdicts_and_supplies_follow_the_model(blocks: list[list[tuple[str, Any]]]) -> None:
    """R-CORE-BLK-7, R-CORE-CONST-9, D-23: plain operations compare exactly; shown amounts conserve in every unit."""
    chain = chain_of(blocks)
    engine = Engine(REGTEST, None, PUPPETS)
    result = engine.judge(headers(chain), candidates(chain))
    model, verdicts = modelled(blocks)
    assert result.operations["valid"].to_pylist() == verdicts
    assert events_of(result) == model.events
    supplies = {row["ticker"]: row for row in engine.state().supplies.to_pylist()}
    for ticker in TICKERS:
        balances = [units for (held, _), units in model.shown.items() if held == ticker]
        row = supplies[ticker]
        assert [q8(row[name]) for name in ("minted", "burned", "rounding")] == [
            getattr(model, name)[ticker] for name in ("minted", "burned", "rounding")
        ]
        assert row["holders"] == sum(units > 0 for units in balances)
        total = model.minted[ticker] - model.burned[ticker] - model.held[ticker] + model.rounding[ticker]
        assert sum(balances) == total
    for (ticker, who), units in model.shown.items():
        assert q8(model.exact[ticker, who]) == units >= 0


def test_a_plain_operation_rounds_the_exact_balance_to_fifty_digits() -> None:
    """D-55: a rest in the last digits fails an exact spend, until a deposit leaves no room for it."""
    rest = "50." + "0" * 46 + "1"
    for deposit, verdicts in (("", [False]), ("4000", [True, True]), ("40", [True, False])):
        mints = (
            [operation(f'{{"p":"brc-20","op":"mint","tick":"ABC","amt":"{deposit}"}}', "bob", "alice")]
            if deposit
            else []
        )
        total = Decimal(100) + Decimal(deposit or 0)
        chain = chain_of([])
        chain[6] = [swap(["move", "ABC", "alice", "bob", rest]), *mints, _tx("transfer", ("alice", "bob", total), 7)]
        result = Engine(REGTEST, None, PUPPETS).judge(headers(chain), candidates(chain))
        assert result.operations["valid"].to_pylist()[5:] == verdicts


def test_steps_follow_each_other_exactly() -> None:
    """The sender's balance is compared as it exactly is before each step of a multi-transfer."""
    chain = chain_of([])
    dust = ["move", "ABC", "alice", "bob", "0.000000001"]
    steps = [("bob", "100"), ("bob", "49.99999999"), ("bob", "0.00000001")]
    chain[6] = [swap(dust), _tx("multi", steps, 1)]
    result = Engine(REGTEST, None, PUPPETS).judge(headers(chain), candidates(chain))
    assert result.operations["valid"].to_pylist()[5:] == [True, True, False]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHAINS)
def test_restored_anywhere_the_engine_goes_on_as_if_nothing_had_happened(blocks: list[list[tuple[str, Any]]]) -> None:
    """Promises 2 and 3 of the design, with the tables of modules; a rewind is a restore of an older state."""
    chain = chain_of(blocks)
    engine = Engine(REGTEST, None, PUPPETS)
    states, parts = {}, {}
    for height, txs in chain.items():
        states[height] = engine.state()
        parts[height] = engine.judge(headers({height: txs}), candidates({height: txs}))
    whole_chain = Engine(REGTEST, None, PUPPETS)
    assert_same(whole_chain.judge(headers(chain), candidates(chain)), joined(list(parts.values())))
    for height in reversed(chain):
        engine.restore(states[height])
        again = engine.judge(headers({height: chain[height]}), candidates({height: chain[height]}))
        assert_same(parts[height], again)


def joined(parts: list[Judged]) -> Judged:
    names = ("blocks", "operations", "balance_events", "tokens", "supplies")
    modules = {name: pa.concat_tables([part.modules[name] for part in parts]) for name in parts[0].modules}
    tables = {name: pa.concat_tables([getattr(part, name) for part in parts]) for name in names}
    return Judged(**tables, modules=modules)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, -1]), st.sampled_from(FINE))), st.integers(-1000, 1000)
)
def test_shown_changes_add_up_and_stay_close(effects: list[tuple[int, int, str]], drift: int) -> None:
    """Whatever the amounts, a ticker's changes are its total together, and each sum is the rounded exact one."""
    signed = [
        (ticker, Decimal(amount) if sign > 0 else Decimal(amount).copy_negate()) for ticker, sign, amount in effects
    ]
    sums: dict[int, list[Decimal]] = defaultdict(lambda: [Decimal(0)])
    for ticker, amount in signed:
        sums[ticker].append(FIFTY.add(sums[ticker][-1], amount))
    totals = {ticker: q8(exact[-1]) + drift for ticker, exact in sums.items()}
    changes = shown_changes(signed, totals)
    for ticker, exact in sums.items():
        own = [change for change, (other, _) in zip(changes, signed, strict=True) if other == ticker]
        assert sum(own) == totals[ticker]
        assert list(accumulate(own))[:-1] == [q8(total) for total in exact[1:-1]]


@pytest.mark.parametrize("totals", [{0: 10**8 + 1001}, {0: 10**8, 1: 1}, {}])
def test_a_unit_of_work_that_creates_or_loses_tokens_is_an_error(totals: dict[int, int]) -> None:
    """What a module mints, burns and puts aside must be what balances changed by."""
    with pytest.raises(ValueError, match="less than was minted"):
        shown_changes([(0, Decimal(1))], totals)


@pytest.mark.parametrize(
    ("exact", "shown", "expected"),
    [
        ("1", 10**8, 0),
        ("1.000000001", 10**8, 1),
        ("0.999999999", 10**8, -1),
        ("0.99999999", 10**8, -2),
        ("1.00000002", 10**8, 4),
        ("0", -1, 2),
        ("123456789012345678901234567890.00000000" + "0" * 11 + "1", 12345678901234567890123456789000000000, 1),
    ],
)
def test_slack_counts_whole_units_twice_and_a_rest_once(exact: str, shown: int, expected: int) -> None:
    assert slack(Decimal(exact), shown) == expected


@pytest.mark.parametrize(
    ("amount", "units"), [("0.000000005", 1), ("-0.000000005", -1), ("0.0000000049", 0), ("7", 7 * 10**8)]
)
def test_amounts_are_rounded_half_away_from_zero(amount: str, units: int) -> None:
    assert whole(Decimal(amount)) == recorded_units(Decimal(amount)) == units
    assert Decimal(text(units)) == Decimal(units).scaleb(-8)
