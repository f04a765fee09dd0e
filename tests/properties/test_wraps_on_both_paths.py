"""Random mints and burns of W with something wrong here and there: both paths say the same, and supply adds up."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest

from engine.plain.vault_scripts import INTERNAL_KEY, UnusableVault, VaultScripts
from tests.helpers.builders import make_tx, op_return, pay, script_of, spend
from tests.helpers.chain import Tx, TxIn, TxOut
from tests.helpers.scenarios import deploy_text
from tests.helpers.stepping import TwoPaths

KEYS = [
    bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
    bytes.fromhex("c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"),
]
NO_KEYS = [number.to_bytes(32) for number in (0, 5, 2**256 - 2**32 - 977, 2**256 - 1)]
DELAYS = [144, 144, 256, 1, 16, 17, 65534]
NO_DELAYS = [0, -1, 65535, 70000]
AMOUNTS: list[Any] = ["999", "01000", "1000.0", "1000.5", "1e3", "+1000", " 1000 ", "1_000", "1000\n", "１０００", 1000]
AMOUNTS += [
    1000.0,
    1000.5,
    "x",
    "",
    None,
    0,
    "0",
    "-0",
    "-1",
    -0.5,
    "NaN",
    "Infinity",
    "1e999999999",
    True,
    [],
    {},
    "500",
]
INNOCENT = [
    '{"amt":"1000"}',
    '{"amt":1000}',
    '{"amt":null}',
    "{}",
    "[1]",
    '{"amt":"1000","x":NaN}',
    '{"amt":1,"amt":"x"}',
]


def payload(op: str, tick: str, amt: Any) -> str:
    return json.dumps({"p": "brc-20", "op": op, "tick": tick, "amt": amt}, separators=(",", ":"))


def script_number(number: int) -> bytes:
    """As many bytes as it takes, the sign in the top bit."""
    data = bytearray(abs(number).to_bytes(abs(number).bit_length() // 8 + 1, "little")) if number else bytearray()
    if number < 0:
        data[-1] |= 0x80
    return bytes(data)


class Wrappers:
    """Mints and burns of W. What is rare happens to about one transaction in four."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.made = 0

    def rarely(self, usual: Any, *others: Callable[[], Any]) -> Any:
        return self.random.choice(others)() if self.random.random() < 0.04 else usual

    def amount(self) -> Any:
        return "1000" if self.random.random() < 0.6 else self.random.choice(AMOUNTS)

    def salted(self, inputs: Sequence[TxIn], outputs: Sequence[TxOut]) -> Tx:
        self.made += 1
        return make_tx(inputs, outputs, self.made)

    def mint(self) -> Tx:
        random = self.random
        key = self.rarely(random.choice(KEYS), lambda: random.choice(NO_KEYS))
        delay = self.rarely(random.choice(DELAYS), lambda: random.choice(NO_DELAYS))
        try:
            lock = VaultScripts(key, delay).script
        except UnusableVault:
            lock = VaultScripts(KEYS[0], 144).script
        lock = self.rarely(lock, lambda: script_of("p2tr_x"), lambda: b"\x52" + lock[1:], lambda: lock[:-1])
        sats = self.rarely(1000, lambda: 0, lambda: 999, lambda: 500)
        text = payload("mint", random.choice(["W"] * 12 + ["w", "Z", "NO"]), self.amount())
        stated, receiver = op_return(text), pay(self.rarely("bob", lambda: "p2pk_x", lambda: "carol"))
        outputs = self.rarely(
            [stated, receiver, TxOut(sats, lock)],
            lambda: [stated, receiver],
            lambda: [receiver, stated, TxOut(sats, lock), receiver],
            lambda: [op_return(random.choice(INNOCENT)), receiver, TxOut(sats, lock), stated],
            lambda: [op_return(text + " " * 76), receiver, TxOut(sats, lock)],
            lambda: [TxOut(0, stated.script + b"\x00"), receiver, TxOut(sats, lock)],
        )
        inputs = [spend(self.rarely("init", lambda: "p2pk_x", lambda: "bob"), self.witness(key, delay))]
        return self.salted(self.rarely(inputs, lambda: [*inputs, spend("bob")]), outputs)

    def witness(self, key: bytes, delay: int) -> list[bytes]:
        number = script_number(delay)
        push = self.rarely(bytes([len(number)]), lambda: b"\x4c" + bytes([len(number)]))
        script = b"\x20" + key + b"\xac\x00\x63\x07W_PROOF" + push + number + b"\x68"
        script = self.rarely(script, lambda: script[:-1], lambda: script + b"\x00", lambda: script.replace(b"W", b"w"))
        control = b"\xc0" + INTERNAL_KEY + bytes(32)
        control = self.rarely(control, lambda: control[:33], lambda: control[:32], lambda: control[1:])
        witness = [bytes(64), script, control]
        return list(self.rarely(witness, lambda: witness[:2], lambda: [*witness, b"\x50"], list))

    def burn(self) -> Tx:
        random = self.random
        vault = VaultScripts(random.choice(KEYS), random.choice(DELAYS))
        spent = self.rarely(TxOut(1000, vault.script), lambda: pay("bob"), lambda: pay("p2pk_x"))
        inputs = [spend(self.rarely("bob", lambda: "carol", lambda: "p2pk_x"))]
        inputs += [TxIn("22" * 32, 2, spent)] * random.choice([0, 1, 1])
        stated = op_return(payload("burn", random.choice(["W"] * 9 + ["Z", "NO"]), self.amount()))
        paid = pay(self.rarely("bob", lambda: "carol", lambda: "p2pk_x"), self.rarely(1000, lambda: 0, lambda: 500))
        others = (lambda: [stated], lambda: [paid, stated], lambda: [op_return("foreign"), paid, stated])
        return self.salted(inputs, self.rarely([stated, paid], *others))

    def act(self) -> Tx:
        return self.random.choice([self.mint, self.mint, self.burn])()


def walk(seed: int, blocks: int) -> None:
    random, chain = Random(seed), TwoPaths()
    wrappers = Wrappers(random)
    supply = random.choice([("0", "0")] * 4 + [("5000", "1000"), ("0", "5")])
    deploys = [deploy_text("W", *supply), deploy_text("Z", "0", "0")]
    deployed_in = random.choice([0, 0, 3])
    for number in range(blocks):
        acts = [wrappers.act() for _ in range(random.choice([0, 1, 2, 4]))]
        chain.block(*(deploys if number == deployed_in else []), *acts)
        if random.random() < 0.2:
            chain.exchange()
    chain.audit()


@pytest.mark.parametrize("seed", range(10))
def test_wraps_on_both_paths(seed: int) -> None:
    """Wrap rules 2 to 5, also from states that the other path left."""
    walk(seed, 15)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1100))
def test_many_wraps_on_both_paths(seed: int) -> None:
    """The same for longer."""
    walk(seed, 30)
