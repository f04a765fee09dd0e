"""Chains of stakes, claims and `y` transfers in the notation of `tests.helpers.scenarios`, judged block by block."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from engine.schemas import Judged
from ingest.networks import MAINNET
from tests.helpers.audit import assert_conserved
from tests.helpers.builders import candidates, headers
from tests.helpers.module_states import state_rows
from tests.helpers.scenarios import balances_of, expected_record, labels_in, program, records_of, transactions

START: Final = 930_000
"""Block of the tokens WTF and LOL; the next one deploys the program CRV."""


def tx(sender: str, payload: Mapping[str, object], *outputs: str) -> str:
    text = json.dumps({"p": "brc-20", **payload}, separators=(",", ":"))
    return f"in[{sender}] out[{' | '.join([f'OP_RETURN {text}', *outputs])}]"


def curve_deploy(ticker: str, *outputs: str, sender: str = "dev", m: str = "1000000", **curve: object) -> str:
    """A deploy of a linear program of 100 blocks for stakers of WTF; `curve` changes members of it."""
    given = {"type": "linear", "lock": "100", "stakes": ["WTF"]} | curve
    payload = {"op": "deploy", "tick": ticker, "m": m, "curve": given}
    return tx(sender, payload, *(outputs or ("dev:3000", "dev:1000")))


def stake(sender: str, amount: object, pair: str = "WTF,CRV", fee: str = "dev:3000", **members: object) -> str:
    return tx(sender, {"op": "swap", "init": pair, "amt": amount, "wrap": True} | members, fee)


def claim(sender: str, amount: object, pair: str = "yWTF,CRV", fee: str = "dev:1000", **members: object) -> str:
    return tx(sender, {"op": "swap", "exe": pair, "amt": amount} | members, fee)


def send(sender: str, amount: object, recipient: str, tick: str = "yWTF") -> str:
    return tx(sender, {"op": "transfer", "tick": tick, "amt": amount}, f"{recipient}:546")


def steps(sender: str, *parts: tuple[object, str], tick: str = "yWTF") -> str:
    """A multi-transfer of (amount, recipient) each."""
    outputs = [
        text
        for amount, recipient in parts
        for text in (send(sender, amount, recipient, tick).partition("out[")[2].removesuffix("]").split(" | "))
    ]
    return f"in[{sender}] out[{' | '.join(outputs)}]"


def plain(text: str) -> str:
    """A number in plain notation without superfluous zeros; any other text as it is."""
    try:
        number = f"{Decimal(text):f}"
    except InvalidOperation:
        return text
    return number.rstrip("0").rstrip(".") if "." in number else number


class StakingChain:
    """Consecutive blocks of mainnet, judged by engines of a class. With `restarts` every block has a new engine that
    knows the state only."""

    def __init__(
        self, engine_class: Any, setup: Sequence[Sequence[str]] | None = None, *, restarts: bool = False
    ) -> None:
        self._class = engine_class
        self._restarts = restarts
        self.engine = engine_class(MAINNET)
        self.height = START - 1
        self.judged: list[Judged] = []
        self.labels: dict[str, str] = {}
        for texts in program() if setup is None else setup:
            self.block(*texts)

    def block(self, *texts: str) -> list[dict[str, str]]:
        """Judge one block; its records in the notation."""
        if self._restarts and self.judged:
            state = self.engine.state()
            self.engine = self._class(MAINNET)
            self.engine.restore(state)
        self.height += 1
        self.labels |= labels_in(texts, MAINNET)
        blocks = transactions({self.height: texts})
        self.judged.append(self.engine.judge(headers(blocks), candidates(blocks)))
        return records_of(self.judged[-1], self.height, self.labels)

    def expect(self, *cases: tuple[str, str]) -> None:
        """Judge one block of transactions that leave one record each, and assert those records."""
        records = self.block(*(text for text, _ in cases))
        for (text, record), found in zip(cases, records, strict=True):
            assert found == expected_record(record), text

    def empty(self, until: int) -> None:
        """Judge blocks without transactions up to a height."""
        while self.height < until:
            self.block()

    def row(self, name: str) -> dict[str, str]:
        """A row of the modules' state: `program CRV`, `account CRV u1`. Numbers are without superfluous zeros."""
        return {field: plain(text) for field, text in state_rows(self.engine.state(), self.labels)[name].items()}

    def rows(self) -> list[str]:
        """Names of all of them."""
        return sorted(state_rows(self.engine.state(), self.labels))

    def balance(self, label: str, ticker: str) -> str:
        return plain(str(balances_of(self.engine.state(), self.labels).get((label, ticker), 0)))

    def events(self) -> list[tuple[str, str, str, str]]:
        """Balance events of the last block: cause, ticker, label, delta."""
        return [
            (row["cause"], row["ticker"], self.labels.get(row["address"], row["address"]), plain(str(row["delta"])))
            for row in self.judged[-1].balance_events.to_pylist()
        ]

    def versions(self, table: str) -> list[dict[str, Any]]:
        """Rows that the last block wrote."""
        rows: list[dict[str, Any]] = self.judged[-1].modules[table].to_pylist()
        return rows

    def audit(self) -> None:
        """Everything so far conserves supply."""
        assert_conserved(*self.judged)
