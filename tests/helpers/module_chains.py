"""Hypothesis strategies for chains in which liquidity, trades, expiries, stakes, claims, `y` tokens and W take effect.

`tests.helpers.strange_chains` makes operations that are refused for every reason; here most of them are meant to
succeed, some by a hair: amounts of any precision, requests beyond the slippage, all of a balance.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from tests.helpers.builders import SIG83, Blocks, make_tx, op_return, pay, spend
from tests.helpers.chain import Tx, TxIn
from tests.helpers.odd_modules import ODD
from tests.helpers.strange_chains import FIRST, TRANSACTIONS
from tests.helpers.strange_chains import NETWORK as STRANGE
from tests.helpers.vaults import Vault, burn_w, mint_w

NETWORK = replace(STRANGE, swap_exe_height=FIRST + 4)
PEOPLE = ("alice", "bob", "carol")
PERSON = st.sampled_from(PEOPLE)
TOKENS = ("LOL", "WTF", "ZZZ")
VAULTS = (Vault("alice", 256), Vault("alice", 144), Vault("bob", 1))
FEES = {"CRV": (3000, 1000), "TWO": (0, 0), "EXP": (5, 0)}
"""Fees in satoshis of the programs, all of which dev deploys."""
STAKED = {"CRV": "WTF", "TWO": "WTF", "EXP": "LOL"}

PAIRS = st.sampled_from(["LOL,WTF", "WTF,LOL", "LOL,WTF", "wtf, lol", "LOL,ZZZ", "ZZZ,LOL", "W,LOL"])
Y_PAIRS = st.sampled_from(["yWTF,LOL", "LOL,yWTF", "LOL,yWTF", "yWTF,yLOL"])
AMOUNTS = st.sampled_from(
    ["1", "100", "33.33333333", "250.5", "1000", "7.7777777777777", "0.00000001", "0.000000005", "1e2", "5000", "40"]
)
DUST = st.sampled_from(["0.00000001", "0.000000004", "0.000000005", "0.123456785", "1e-20"])
LOCKS = st.sampled_from(["10", "10", "11", "12", "14"])
SLIPS = st.sampled_from(["100", "50", "5", "1", "0.3", "100", "0.00000001", "0"])
PROGRAMS = st.sampled_from(["CRV", "CRV", "TWO", "EXP"])


def operation(sender: str, members: dict[str, object], output: str, sats: int = 546) -> Tx:
    payload = json.dumps({"p": "brc-20"} | members, separators=(",", ":"))
    return make_tx([spend(sender)], [op_return(payload), pay(output, sats)])


def lock(sender: str, pair: str, amount: str, blocks: str) -> Tx:
    return operation(sender, {"op": "swap", "init": pair, "amt": amount, "lock": blocks}, sender)


def trade(sender: str, pair: str, amount: str, slip: str) -> Tx:
    return operation(sender, {"op": "swap", "exe": pair, "amt": amount, "slip": slip}, sender)


def stake(sender: str, program: str, amount: str) -> Tx:
    members: dict[str, object] = {"op": "swap", "init": f"{STAKED[program]},{program}", "amt": amount, "wrap": True}
    return operation(sender, members, "dev", FEES[program][0])


def claim(sender: str, program: str, amount: str) -> Tx:
    members: dict[str, object] = {"op": "swap", "exe": f"y{STAKED[program]},{program}", "amt": amount}
    return operation(sender, members, "dev", FEES[program][1])


def transfer(sender: str, ticker: str, amount: str, recipient: str) -> Tx:
    return operation(sender, {"op": "transfer", "tick": ticker, "amt": amount}, recipient)


def batch(sender: str, ticker: str, steps: list[tuple[str, str]]) -> Tx:
    """A multi-transfer of (amount, recipient)."""
    outputs = []
    for amount, recipient in steps:
        payload = {"p": "brc-20", "op": "transfer", "tick": ticker, "amt": amount}
        outputs += [op_return(json.dumps(payload, separators=(",", ":"))), pay(recipient)]
    return make_tx([spend(sender)], outputs)


def deploy(ticker: str, maximum: str, limit: str) -> Tx:
    return operation("dev", {"op": "deploy", "tick": ticker, "m": maximum, "l": limit}, "dev")


def deploy_program(ticker: str, maximum: str, kind: str, blocks: str) -> Tx:
    curve = {"type": kind, "lock": blocks, "stakes": [STAKED[ticker]]}
    payload = {"p": "brc-20", "op": "deploy", "tick": ticker, "m": maximum, "curve": curve}
    outputs = [pay("dev", sats) for sats in FEES[ticker]]
    return make_tx([spend("dev")], [op_return(json.dumps(payload, separators=(",", ":"))), *outputs])


def opening() -> list[list[Tx]]:
    """Blocks that give everyone something to move.

    Tokens, balances, W and programs: a rate of 1/3, one above 1, and a reward of which there is little. Then stakes,
    and on both sides of two pools more positions than one, which trades fill and close. Then a pool with a `y` token.
    """
    deploys = [deploy(ticker, "3000000", "1000000") for ticker in TOKENS]
    mints = [
        operation(person, {"op": "mint", "tick": ticker, "amt": "100000"}, person)
        for ticker in TOKENS
        for person in PEOPLE
    ]
    programs = [
        deploy_program("CRV", "1000000", "linear", "20"),
        deploy_program("TWO", "9000000", "exponential", "15"),
        deploy_program("EXP", "100", "exponential", "7"),
    ]
    vaults = [mint_w(vault, 1000, person) for vault in VAULTS for person in PEOPLE]
    stakes = [stake(person, program, "1000") for program in STAKED for person in PEOPLE[:2]]
    locks = [
        lock(person, pair, amount, blocks)
        for pair in ("LOL,WTF", "WTF,LOL", "LOL,ZZZ", "ZZZ,LOL")
        for person, amount, blocks in (("alice", "5", "11"), ("bob", "33.33333333", "10"), ("carol", "200", "12"))
    ]
    return [
        [*deploys, *mints, deploy("W", "0", "0"), *vaults, *programs],
        [*stakes, *locks],
        [
            lock("alice", "yWTF,LOL", "40", "10"),
            lock("bob", "yWTF,LOL", "7.77777777", "11"),
            lock("bob", "LOL,yWTF", "90", "12"),
        ],
    ]


@st.composite
def swaps(draw: st.DrawFn) -> Tx:
    sender, pair = draw(PERSON), draw(st.integers(0, 2).flatmap(lambda n: Y_PAIRS if n == 0 else PAIRS))
    if draw(st.integers(0, 4)) < 2:
        return lock(sender, pair, draw(AMOUNTS | DUST), draw(LOCKS))
    return trade(sender, pair.replace("yWTF,", "WTF,"), draw(AMOUNTS), draw(SLIPS))


@st.composite
def stakes(draw: st.DrawFn) -> Tx:
    sender, program = draw(PERSON), draw(PROGRAMS)
    amount = draw(AMOUNTS | DUST)
    kind = draw(st.integers(0, 6))
    if kind < 2:
        return stake(sender, program, amount)
    if kind < 5:
        return claim(sender, program, amount)
    ticker = draw(st.sampled_from(["yWTF", "YWTF", "yLOL"]))
    if kind == 5:
        return transfer(sender, ticker, amount, draw(st.sampled_from([*PEOPLE, "p2tr_dave"])))
    steps = draw(st.lists(st.tuples(AMOUNTS, st.sampled_from([*PEOPLE, "erin"])), min_size=2, max_size=3))
    return batch(sender, ticker, steps)


@st.composite
def wraps(draw: st.DrawFn) -> Tx:
    sender, vault, sats = draw(PERSON), draw(st.sampled_from(VAULTS)), draw(st.sampled_from([1000, 1000, 546, 9000]))
    kind = draw(st.integers(0, 5))
    if kind < 2:
        return mint_w(vault, sats, sender)
    if kind < 5:
        return burn_w(sender, sats, unlocks=vault if kind < 4 else None)
    return transfer(sender, "W", draw(AMOUNTS), draw(PERSON))


@st.composite
def transfers(draw: st.DrawFn) -> Tx:
    """Plain traffic between, now and then on a marketplace."""
    ticker = draw(st.sampled_from([*TOKENS, "CRV", "EXP", "yWTF"]))
    tx = transfer(draw(PERSON), ticker, draw(AMOUNTS), draw(PERSON))
    if draw(st.integers(0, 3)):
        return tx
    seller = [TxIn(txin.txid, txin.vout, txin.spent, witness=SIG83) for txin in tx.inputs]
    return make_tx([*seller, *seller, spend("buyer"), spend("fees")], tx.outputs)


MODULES = {"swap": swaps(), "curve": stakes(), "wrap": wraps()}
TRAFFIC = st.one_of(*[swaps()] * 3, *[stakes()] * 3, *[wraps()] * 2, transfers(), TRANSACTIONS, ODD)


@st.composite
def chains(draw: st.DrawFn, traffic: st.SearchStrategy[Tx] = TRAFFIC) -> Blocks:
    """Long enough for locks to end: up to 24 blocks, later ones mostly quiet. Lock times tell transactions apart."""
    busy = draw(st.lists(st.lists(traffic, min_size=2, max_size=5), min_size=4, max_size=8))
    quiet = draw(st.lists(st.lists(traffic, max_size=1), min_size=6, max_size=11))
    return numbered([*opening(), *busy, *quiet])


@st.composite
def odd_chains(draw: st.DrawFn) -> Blocks:
    """One or two blocks of operations that are mostly refused."""
    return numbered([*opening(), [], *draw(st.lists(st.lists(ODD, min_size=1, max_size=14), min_size=1, max_size=2))])


def numbered(blocks: Sequence[Sequence[Tx]]) -> Blocks:
    return {
        FIRST + n: [replace(tx, locktime=100 * n + place) for place, tx in enumerate(txs)]
        for n, txs in enumerate(blocks)
    }
