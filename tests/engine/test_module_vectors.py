"""The vectors about modules that are no scenarios, through whole blocks of real transactions.

Functions of the predecessor gave them one by one; here a lock, a trade, a stake or a mint of W asks for each.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pytest

from engine.schemas import Judged
from ingest.candidates import CANDIDATES, Kind
from ingest.networks import MAINNET
from tests.helpers.audit import assert_conserved
from tests.helpers.builders import address, candidates, headers, pay
from tests.helpers.module_states import assert_state, expected_rows, state_rows
from tests.helpers.scenarios import (
    WRAP,
    deploy_text,
    labels_in,
    mint_text,
    operation_text,
    reveal,
    transactions,
    vectors,
)

Vector = Mapping[str, Any]

FIRST: Final = 930_000
OUT_OF_RANGE: Final = {"VAULT-016": "0100", "VAULT-017": "03ffff00"}
"""Delays 0 and 65535, as pushed (R-WRAP-MINT-7)."""
REFUSED_TRADES: Final = (
    "SWAP_INVALID_CALCULATION",
    "SWAP_NO_MATCHING_POSITIONS",
    "SWAP_INVALID_AMOUNT",
    "SWAP_INVALID_SLIPPAGE",
)
TOO_LARGE: Final = {"SWAPCALC-027": "10^30 of a token cannot be locked (R-SWAP-INIT-1)"}


def each(group: str, *left_out: str) -> pytest.MarkDecorator:
    chosen = [vector for vector in vectors(group) if vector["id"] not in left_out]
    return pytest.mark.parametrize("vector", chosen, ids=[vector["id"] for vector in chosen])


def swap(sender: str, **members: object) -> str:
    return operation_text(sender, {"p": "brc-20", "op": "swap"} | members, sender)


def program_text(ticker: str, maximum: str, staked: str, lock: str, kind: str = "linear") -> str:
    """A program without fees."""
    text = deploy_text(ticker, maximum, curve={"type": kind, "lock": lock, "stakes": [staked]})
    return text.replace("deployer:546", "deployer:0 | deployer:0")


def stake_text(sender: str, pair: str, amount: str) -> str:
    return swap(sender, init=pair, amt=amount, wrap=True).replace(f"{sender}:546", "deployer:0")


def judge(engine: Any, texts: Mapping[int, Sequence[str]]) -> Judged:
    blocks = transactions(texts)
    judged: Judged = engine.judge(headers(blocks), candidates(blocks))
    return judged


def judge_all(engine: Any, *blocks: Sequence[str]) -> Judged:
    judged = judge(engine, dict(enumerate(blocks, start=FIRST)))
    assert_conserved(judged)
    return judged


def pair(**holders: str) -> list[str]:
    """Tokens AAA and BBB, of each of which the holders have as much as is given."""
    everything = str(10**29)
    deploys = [deploy_text(ticker, everything, everything) for ticker in ("AAA", "BBB")]
    return deploys + [
        mint_text(ticker, amount, holder) for holder, amount in holders.items() for ticker in ("AAA", "BBB")
    ]


@each("SWAPCALC", *TOO_LARGE)
def test_trades_between_two_positions(engine_class: Any, vector: Vector) -> None:
    """R-SWAP-CALC-1, R-SWAP-EXE-6: reserves locked by two positions, then one trade."""
    given, expected = vector["input"], vector["expected"]
    source = given["token_in"]
    destination = "BBB" if source == "AAA" else "AAA"
    sides = (("AAA", "BBB", given["reserve_a"]), ("BBB", "AAA", given["reserve_b"]))
    locks = [swap("lp", init=f"{src},{dst}", amt=amount, lock="10") for src, dst, amount in sides if Decimal(amount)]
    trade = swap("ex", exe=f"{source},{destination}", amt=given["amount_in"], slip=given["slip"])
    judged = judge_all(engine_class(MAINNET), pair(lp=str(10**28), ex=str(10**27)), locks, [trade])
    record = judged.operations.to_pylist()[-1]
    executions = judged.modules["executions"].to_pylist()
    if expected["ok"] != "true":
        assert executions == []
        assert record["code"] in REFUSED_TRADES
        return
    (execution,) = executions
    assert record["code"] is None
    assert record["amount"] == execution["used"] == Decimal(expected["stored8_amount_in"])
    assert execution["received"] == Decimal(expected["stored8_amount_out_before_fees"])
    assert execution["fee"] == Decimal(expected["stored8_fee"])
    assert execution["partial"] == (expected["is_partial_fill"] == "true")


@each("MULT")
def test_multipliers(engine_class: Any, vector: Vector) -> None:
    """R-SWAP-LP-5; shorter locks than 10 blocks are refused (R-SWAP-INIT-1 row 5)."""
    lock = vector["input"]["lock_blocks"]
    judged = judge_all(engine_class(MAINNET), pair(lp="5"), [swap("lp", init="AAA,BBB", amt="5", lock=lock)])
    multipliers = judged.modules["positions"]["multiplier"].to_pylist()
    if int(lock) < 10:
        assert (judged.operations.to_pylist()[-1]["code"], multipliers) == ("SWAP_LOCK_TOO_SHORT", [])
    else:
        assert multipliers == [Decimal(vector["expected"]["stored8"])]


@each("POOLID")
def test_pool_ids(engine_class: Any, vector: Vector) -> None:
    """R-SWAP-POOL-1; D-68: `YWTF` is never deployed, `yWTF` is once WTF is staked; D-49: one ticker twice."""
    source, destination = vector["input"]["src"], vector["input"]["dst"]
    bases = sorted({name.removeprefix("y").upper() for name in (source, destination) if not name.startswith("Y")})
    opening = [text for base in bases for text in (deploy_text(base, "100", "100"), mint_text(base, "100", "lp"))]
    for name in (source, destination):
        if name.startswith("y"):
            opening += [program_text("R", "100", name[1:], "10"), stake_text("lp", f"{name[1:]},R", "50")]
    engine = engine_class(MAINNET)
    judged = judge_all(engine, opening, [swap("lp", init=f"{source},{destination}", amt="5", lock="10")])
    record = judged.operations.to_pylist()[-1]
    pools = [(row["pool"], row["token_a"], row["token_b"]) for row in judged.modules["pools"].to_pylist()]
    names = tuple(vector["expected"][name] for name in ("pool_id", "token_a", "token_b"))
    if source.startswith("Y"):
        assert (record["code"], record["ticker"], pools) == ("TICKER_NOT_DEPLOYED", source, [])
    elif source == destination:
        assert (record["code"], record["divergence"], pools) == ("INVALID_OPERATION", "D-49", [])
    else:
        assert (record["code"], pools) == (None, [names])


@each("TICKER")
def test_members_of_pairs(engine_class: Any, vector: Vector) -> None:
    """R-CORE-TICK-2, as the ticker of a refused init."""
    member = json.loads(vector["input"]["string_json_escaped"])
    judged = judge_all(engine_class(MAINNET), [swap("lp", init=f"{member},Q", amt="5", lock="10")])
    (record,) = judged.operations.to_pylist()
    assert record["code"] == "TICKER_NOT_DEPLOYED"
    assert record["ticker"] == json.loads(vector["expected"]["swap_pair_member"])


def spans() -> list[Vector]:
    """EMIT vectors within reach of a chain of a thousand blocks that begins with the program."""

    def reachable(given: Mapping[str, str]) -> bool:
        start, first, last = (int(given[name]) for name in ("start_block", "from_block", "to_block"))
        return start <= first < last <= start + 1000

    return [vector for vector in vectors("EMIT") if reachable(vector["input"])]


@pytest.mark.parametrize("vector", spans(), ids=[vector["id"] for vector in spans()])
def test_emission_in_one_step(engine_class: Any, vector: Vector) -> None:
    """R-CURVE-EMIT-1, R-CURVE-EMIT-2 by R-CURVE-IDX-1: as much of S exists as is emitted, so that rho is 1.

    Idle blocks do not advance the index; the first stake after them does, in one step (R-CURVE-IDX-2).
    """
    given = vector["input"]
    start, first, last = (int(given[name]) for name in ("start_block", "from_block", "to_block"))
    supply = Decimal(given["max_supply"])
    amount = min(Decimal(1), supply)
    opening = [
        deploy_text("S", given["max_supply"], given["max_supply"]),
        mint_text("S", given["max_supply"], "u"),
        program_text("R", given["max_supply"], "S", given["lock"], given["type"]),
    ]
    stake = stake_text("u", "S,R", f"{amount:f}")
    engine, height = engine_class(MAINNET), start

    def until(end: int, *texts: str) -> Decimal:
        """Judge up to `end` with the texts in its block; the index afterwards over RAY."""
        nonlocal height
        blocks: dict[int, list[str]] = {number: [] for number in range(height, end)} | {end: list(texts)}
        height = end + 1
        judge(engine, blocks)
        return Decimal(state_rows(engine.state(), {})["program R"]["index"]).scaleb(-27)

    until(start, *opening)
    before = Decimal(1)
    if first > start:
        before = until(first + 1, stake)
        if last > first + 1:
            # The stake forfeited the growth of its block (R-CURVE-IDX-3); a little too much is all (R-CURVE-CLAIM-2).
            everything = f"{amount * Decimal('1.0000001'):f}"
            until(first + 2, swap("u", exe="yS,R", amt=everything).replace("u:546", "deployer:0"))
    after = until(last + 1, *([] if first > start and last == first + 1 else [stake]))
    assert f"{(after - before) * amount:.8f}" == vector["expected"]["stored8"]


def w_mint(amount: str, lock: str, witness: str) -> str:
    payload = {"p": "brc-20", "op": "mint", "tick": "W", "amt": amount}
    return operation_text(f"init {witness}", payload, "bob").replace("bob:546", f"bob:546 | {lock}:{amount}")


@each("VAULT")
def test_vaults(engine_class: Any, vector: Vector) -> None:
    """R-WRAP-TREE-1, R-WRAP-TREE-2."""
    expected = vector["expected"]
    key = vector["input"]["user_key_xonly"]
    if expected["ok"] == "true":
        lock, script, code = f"hex_5120{expected['output_key']}", expected["reveal_script"], None
    else:
        lock, code = f"hex_5120{key}", "UNKNOWN_PROCESSING_ERROR"
        script = f"20{key}ac006307575f50524f4f46{OUT_OF_RANGE[vector['id']]}68"
    text = w_mint("1000", lock, reveal(script))
    engine = engine_class(MAINNET)
    judged = judge_all(engine, *WRAP, [text])
    assert judged.operations.to_pylist()[-1]["code"] == code
    vault = f"vault 1 amount=1000 delay={vector['input']['csv_blocks']} root={expected.get('merkle_root')} lock={lock}"
    assert_state(engine.state(), labels_in([text], MAINNET), expected_rows([] if code else [vault]))
    if code is None:
        assert address(lock, MAINNET) == expected["address"]


REVEALED: Final = {
    # Delay 0 and -16: out of range (R-WRAP-MINT-7).
    "WREVEAL-004": "UNKNOWN_PROCESSING_ERROR",
    "WREVEAL-005": "UNKNOWN_PROCESSING_ERROR",
}
OTHER_KEY: Final = "425c8757540e821053fe5584c129582b6b2784aa890f1b2b3267546c7d747514"
"""Output key of R-WRAP-TREE-1 for the key of WREVEAL-012 and 144 blocks."""


@each("WREVEAL")
def test_reveal_scripts(engine_class: Any, vector: Vector) -> None:
    """R-WRAP-ENV-1: an accepted script mints from the vault of its key and delay, any other is no structure."""
    vault = next(each["expected"] for each in vectors("VAULT") if each["id"] == "VAULT-006")
    key = OTHER_KEY if vector["id"] == "WREVEAL-012" else vault["output_key"]
    text = w_mint("1000", f"hex_5120{key}", reveal(vector["input"]["script_hex"]))
    judged = judge_all(engine_class(MAINNET), *WRAP, [text])
    code = None if vector["expected"]["accepted"] == "true" else "INVALID_WRAP_STRUCTURE"
    assert judged.operations.to_pylist()[-1]["code"] == REVEALED.get(vector["id"], code)


@each("WTX")
def test_recorded_mints_of_mainnet(engine_class: Any, vector: Vector) -> None:
    """D-33: both are refused under the current rules."""
    blocks = transactions({FIRST: WRAP[0], FIRST + 1: ["in[x] out[x:546]"]})
    row = {
        "height": FIRST + 1,
        "tx_index": 1,
        "txid": b"\x01" * 32,
        "kind": int(Kind.JSON),
        "raw": bytes.fromhex(vector["input"]["raw_tx"]),
        "prevouts": pay("p2tr_commit").raw,
    }
    table = pa.concat_tables([candidates(blocks), pa.Table.from_pylist([row], CANDIDATES)])
    judged = engine_class(MAINNET).judge(headers(blocks), table)
    record = judged.operations.to_pylist()[-1]
    assert record["code"] == vector["expected"]["error_code"]
    assert record["to_address"] == vector["expected"]["receiver_address"]
    assert record["payload"].decode() == vector["expected"]["payload"]
