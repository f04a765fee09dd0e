"""Random blocks of programs, stakes, claims, `y` transfers and trades: both paths say the same, and supply adds up."""

import json
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.helpers.scenarios import deploy_text, mint_text
from tests.helpers.stepping import TwoPaths

PARTIES = ("u1", "u2", "u3", "dev")
PROGRAMS = ("CRV", "CV2", "CV3")
AMOUNTS: list[Any] = ["0", "-5", "x", "", 5, 5.5, 0, True, [], "1e1", " 7 ", "1_0", "1e-9", "0.000000004", "0.00000001"]
AMOUNTS += ["NaN", "Infinity", "1e30", "1e999999999", "1e-999999999", "1e27", "1000000000000000000000000001"]
SHARES = [
    Decimal(text) for text in ("1", "0.5", "0.999999999", "1.0000005", "1.000001", "0.3333333333", "0.99999999999")
]


def tx(sender: str, payload: dict[str, Any], output: str) -> str:
    text = json.dumps({"p": "brc-20"} | payload, separators=(",", ":"))
    return f"in[{sender}] out[OP_RETURN {text} | {output}]"


def amount(random: Random, worth: Decimal) -> Any:
    """Something about what an account is worth, something ordinary, or something odd."""
    kind = random.random()
    if worth and kind < 0.4:
        return f"{worth * random.choice(SHARES):.8f}"
    if kind < 0.9:
        places = random.choice([0, 2, 8, 12, 30])
        return f"{random.random() * random.choice([1, 10, 1000, 30000]):.{places}f}"
    return random.choice(AMOUNTS)


def program(random: Random, reward: str) -> str:
    curve = {
        "type": random.choice(["linear", "exponential"]),
        "lock": random.choice(["100", "7", "10", "1", "3", 20.5, "1000000", "9"]),
        "stakes": [random.choice(["WTF", "WTF", "WTF", "LOL", "NOPE", "CRV", "Z"])],
    }
    maximum = random.choice(["1000000", "1", "0.00000001", "100", "99999999999999", "123.456"])
    payload = {"op": "deploy", "tick": reward, "m": maximum, "l": "1000", "curve": curve}
    init_fee, exe_fee = random.choice([(0, 0), (3000, 1000), (1, 0)])
    return tx("dev", payload, f"dev:{init_fee} | dev:{exe_fee}")


class Stakers:
    """What the parties do, with an eye on the chain so that most of it is possible."""

    def __init__(self, random: Random, chain: TwoPaths) -> None:
        self.random, self.chain = random, chain

    def setup(self) -> list[str]:
        maximum = self.random.choice(["2000000", "3000000", "1000000000000", "20999999.99999999"])
        deploys = [
            deploy_text("WTF", maximum, "1000000"),
            deploy_text("LOL", "1000000", "1000"),
            deploy_text("Z", "0", "1"),
        ]
        mints = [mint_text(ticker, "1000", party) for ticker in ("WTF", "LOL") for party in PARTIES]
        return [*deploys, *mints, program(self.random, "CRV")]

    def act(self) -> str:
        random, programs = self.random, self.chain.engine.ledger.modules["programs"]
        party, reward = random.choice(PARTIES), random.choice(list(programs) or PROGRAMS)
        if random.random() < 0.05:
            return program(random, random.choice(PROGRAMS))
        if reward not in programs:
            return mint_text(random.choice(("yNOPE", "WTF")), "1", party)
        running = self.chain.program(reward)
        account = self.chain.account(party, reward)
        worth = Decimal(0) if account is None else running.worth(account.scaled)
        staked, other = running.staking_ticker, random.choice(PARTIES)
        pays_init, pays_exe = f"dev:{running.init_fee}", f"dev:{running.exe_fee}"
        acts = {
            "stake": tx(party, self.stake(f"{staked},{reward}"), pays_init),
            "claim": tx(party, {"op": "swap", "exe": f"y{staked},{reward}", "amt": amount(random, worth)}, pays_exe),
            "send": tx(
                party, {"op": "transfer", "tick": f"y{staked}", "amt": str(amount(random, worth))}, f"{other}:546"
            ),
            "lock": tx(party, self.swap("init", (f"y{staked},LOL", f"LOL,y{staked}"), lock="10"), "x:1"),
            "buy": tx(party, self.swap("exe", (f"LOL,y{staked}", "LOL,WTF"), slip="100"), "x:1"),
            "batch": self.batch(party, f"y{staked}"),
            "mint": mint_text(reward, "1", party),
        }
        weights = {"stake": 6, "claim": 6, "send": 4, "lock": 2, "buy": 2, "batch": 2, "mint": 1}
        return acts[random.choices(list(weights), list(weights.values()))[0]]

    def stake(self, pair: str) -> dict[str, Any]:
        wrap = self.random.choice([True, True, True, 1, "true", "True"])
        return {"op": "swap", "init": pair, "amt": amount(self.random, Decimal(0)), "wrap": wrap}

    def swap(self, kind: str, pairs: tuple[str, ...], **members: str) -> dict[str, Any]:
        return {"op": "swap", kind: self.random.choice(pairs), "amt": str(self.random.randint(1, 60))} | members

    def batch(self, party: str, ticker: str) -> str:
        steps = [
            tx(party, {"op": "transfer", "tick": ticker, "amt": text}, f"{self.random.choice(PARTIES)}:546")
            for text in self.random.choices(["1", "5.5", "0.00000001", "0", "40", "x"], [6, 3, 2, 1, 1, 1], k=3)
        ]
        return f"in[{party}] out[{' | '.join(step.partition('out[')[2].removesuffix(']') for step in steps)}]"


def walk(seed: int, blocks: int) -> None:
    random, chain = Random(seed), TwoPaths()
    stakers = Stakers(random, chain)
    chain.block(*stakers.setup())
    for _ in range(blocks):
        chain.block(*(stakers.act() for _ in range(random.choice([0, 0, 1, 2, 3, 6]))))
        if random.random() < 0.2:
            chain.exchange()
    chain.audit()


@pytest.mark.parametrize("seed", range(12))
def test_stakes_on_both_paths(seed: int) -> None:
    """Curve rules 2 to 7, also from states that the other path left."""
    walk(seed, 25)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_many_stakes_on_both_paths(seed: int) -> None:
    """The same for longer."""
    walk(seed, 40)
