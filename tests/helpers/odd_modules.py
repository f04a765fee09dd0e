"""Hypothesis strategies for swaps, program deploys, mints and burns of W with one thing about them that is odd."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from tests.helpers.builders import make_tx, op_return, pay, spend
from tests.helpers.chain import Tx, TxIn, TxOut
from tests.helpers.strange_chains import ODD_AMOUNTS
from tests.helpers.vaults import SIGNATURE, Vault, burn_w, mint_w, operation_w

SENDERS: Final = st.sampled_from(["alice", "bob", "carol", "p2pk_heidi"])
PAIRS: Final = [
    '"LOL"',
    '"LOL,LOL"',
    '"lol,WTF,ZZZ"',
    '",WTF"',
    '"LOL,"',
    '" LOL\\u00a0,\\n wtf "',
    '"NOP,LOL"',
    '"LOL,NOP"',
    '"yWTF,LOL"',
    '"YWTF,LOL"',
    '"yWTF,CRV"',
    '"yLOL,CRV"',
    '"y,CRV"',
    '"yWTF,NOP"',
    '"LOL,\\u0000"',
    '"LOL,\\ud800"',
    "5",
    "true",
    "NaN",
    '[","]',
    '{",":1}',
    '["LOL,WTF"]',
    '""',
    "0",
    "false",
    "null",
    "[]",
]
VALUES: Final[Mapping[str, list[str]]] = {
    "init": PAIRS,
    "exe": PAIRS,
    "lock": [
        '"10.0"',
        "10",
        "10.0",
        '"１０"',
        "true",
        '"1_0"',
        '"9"',
        "9",
        '"1000001"',
        "1e1",
        "null",
        '"-5"',
        "[]",
        '" 11\\n"',
    ],
    "slip": [
        '"0"',
        "0",
        '"100.1"',
        '"NaN"',
        "100.00000000000000001",
        '"-0"',
        "true",
        '"5_0"',
        "null",
        '"Infinity"',
        "1e-9",
    ],
    "wrap": ["true", "1", "1.0", '"true"', "false", '"1"', "[true]", "null", '"True"', "2"],
    "tick": ['"W"', '"w"', '"V"', "5", '""', "null", '"\\u0000"', '["W"]'],
    "op": ['"swap"', '"mint"', '"burn"', '"deploy"', '"transfer"'],
    "m": ['"0"', '"0.000000004"', '"5"', "5", "null"],
    "type": ['"linear"', '"exponential"', '"cubic"', "1", "null", '["linear"]'],
    "blocks": ['"10.9"', "10.9", "true", '"0"', "0.5", '" 1_0 "', '"x"', "[]", "null", "NaN", "1e400", '"-1"'],
    "stakes": ['["lol","WTF"]', "[]", '"LOL"', "[5]", "{}", "null", '["NOP"]', '["yWTF"]', '["W"]'],
    "curve": ["{}", "true", '"x"', "[1]", "0", '{"type":"linear"}', "1.5"],
}
"""Spellings by member, as JSON; those of `amt` are `tests.helpers.strange_chains.ODD_AMOUNTS`."""
TEMPLATES: Final[list[dict[str, str]]] = [
    {"op": '"swap"', "init": '"LOL,WTF"', "amt": '"5"', "lock": '"10"'},
    {"op": '"swap"', "exe": '"LOL,WTF"', "amt": '"5"', "slip": '"50"'},
    {"op": '"swap"', "init": '"WTF,CRV"', "amt": '"5"', "wrap": "true"},
    {"op": '"swap"', "exe": '"yWTF,CRV"', "amt": '"5"'},
    {"op": '"burn"', "tick": '"W"', "amt": '"546"'},
]
OUTPUTS: Final = [
    pay("dev", 3000),
    pay("dev", 1000),
    pay("dev", 2999),
    pay("alice", 3000),
    pay("alice", 546),
    pay("p2pk_dev", 3000),
]
FOREIGN: Final = TxOut(0, b"\x6a\x05hello")


def payload(members: Mapping[str, str]) -> TxOut:
    return op_return(",".join(['{"p":"brc-20"', *(f'"{name}":{value}' for name, value in members.items())]) + "}")


@st.composite
def values(draw: st.DrawFn, name: str) -> str:
    return draw(ODD_AMOUNTS if name == "amt" else st.sampled_from(VALUES[name]))


@st.composite
def swaps_and_burns(draw: st.DrawFn) -> Tx:
    members = dict(draw(st.sampled_from(TEMPLATES)))
    name = draw(st.sampled_from([*members, "wrap", "tick", "init"]))
    if name in members and draw(st.integers(0, 5)) == 0:
        del members[name]
    else:
        members[name] = draw(values(name))
    outputs = [
        payload(members),
        *draw(st.lists(st.sampled_from([*OUTPUTS, *OUTPUTS, FOREIGN]), min_size=1, max_size=2)),
    ]
    if draw(st.integers(0, 4)) == 0:
        outputs = draw(st.permutations([*outputs, FOREIGN]))
    return make_tx([spend(draw(SENDERS))], outputs)


@st.composite
def deploys(draw: st.DrawFn) -> Tx:
    curve = {"type": '"linear"', "blocks": '"5"', "stakes": '["LOL"]'}
    odd = draw(st.sampled_from([*curve, "m", "curve", "none"]))
    if odd in curve:
        curve[odd] = draw(values(odd))
    text = f'{{"type":{curve["type"]},"lock":{curve["blocks"]},"stakes":{curve["stakes"]}}}'
    members = {
        "op": '"deploy"',
        "tick": draw(st.sampled_from(['"NEW"', '"OTHER"', '"CRV"', '"yNEW"', '"W"'])),
        "m": draw(values("m")) if odd == "m" else '"100"',
        "curve": draw(values("curve")) if odd == "curve" else text,
    }
    fees = draw(st.lists(st.sampled_from([pay("dev", 0), pay("dev", 7), pay("dev", 7), pay("x"), FOREIGN]), max_size=4))
    return make_tx([spend(draw(st.sampled_from(["dev", "dev", "p2pk_heidi"])))], [payload(members), *fees])


@st.composite
def mints(draw: st.DrawFn) -> Tx:
    """A mint of W with a change of its amount, its witness, its inputs or its outputs."""
    vault, other = Vault("alice", 256), Vault("bob", 3)
    tx = mint_w(vault, 600, "bob")
    (commit,), (claim, receiver, lock) = tx.inputs, tx.outputs
    change = draw(st.integers(0, 5))
    if change == 0:
        members = {"op": '"mint"', "tick": draw(values("tick")), "amt": draw(values("amt"))}
        return replace(tx, outputs=[payload(members), receiver, lock])
    if change == 1:
        amount = draw(
            st.sampled_from(["600", "0600", "600.0", 600, "+600", " 600", "6e2", "601", "x", None, True, "６００"])
        )
        outputs = [operation_w("mint", amount), receiver, lock]
        return replace(
            tx,
            outputs=draw(st.sampled_from([outputs, [*outputs[1:], outputs[0]], [FOREIGN, receiver, lock, outputs[0]]])),
        )
    if change == 2:
        script = draw(
            st.sampled_from(
                [vault.reveal, other.reveal, b"", vault.reveal[:-1], b"\x20" + b"\x05" * 32 + vault.reveal[33:]]
            )
        )
        control = draw(st.sampled_from([b"\xc0" + commit.witness[2][1:], b"\xc0" * 33, commit.witness[2][:32]]))
        return replace(tx, inputs=[TxIn(commit.txid, 0, commit.spent, witness=[SIGNATURE, script, control])])
    if change == 3:
        extra = draw(st.sampled_from([[spend("alice")], [], [commit]]))
        witness = draw(st.sampled_from([[], commit.witness[:2], [*commit.witness, b"\x50"]]))
        first = commit if extra else TxIn(commit.txid, 0, commit.spent, witness=witness)
        return replace(tx, inputs=[first, *extra])
    if change == 4:
        outputs = draw(
            st.sampled_from(
                [
                    [claim, lock],
                    [claim, receiver, pay("bob", 600)],
                    [claim, FOREIGN, lock],
                    [claim, receiver, TxOut(600, other.script)],
                ]
            )
        )
        return replace(tx, outputs=outputs)
    return burn_w("bob", 600, unlocks=vault, amount=draw(st.sampled_from(["600", "600.0", "6e2", "599", True, None])))


ODD: Final = st.one_of(swaps_and_burns(), swaps_and_burns(), deploys(), mints())
