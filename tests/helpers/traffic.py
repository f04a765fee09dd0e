"""Protocol transactions by chance, from a seed: what stories put into mined blocks."""

import json
from random import Random

from tests.helpers.builders import SIG83, make_tx, op_return, operation, pay, spend
from tests.helpers.chain import Tx, TxOut

PEOPLE = ("alice", "bob", "carol", "p2tr_dave", "p2pkh_erin", "p2sh_frank", "p2pk_nobody")
TICKERS = ("abc", "DEF", "ghi", "%_", "STONES")


class Traffic:
    """Endless transactions; the same seed gives the same ones. Most succeed, some fail in every way that is cheap."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.count = 0

    def txs(self, number: int) -> list[Tx]:
        """The next `number` transactions."""
        return [self._tx() for _ in range(number)]

    def _tx(self) -> Tx:
        self.count += 1
        kinds = {self._deploy: 1, self._mint: 8, self._transfer: 8, self._market: 2, self._multi: 2, self._stones: 3}
        return self.random.choices(list(kinds), list(kinds.values()))[0]()

    def _payload(self, op: str, **members: str) -> str:
        ticker = self.random.choice(TICKERS)
        return json.dumps({"p": "brc-20", "op": op, "tick": ticker, **members}, separators=(",", ":"))

    def _amount(self) -> str:
        return self.random.choice(["1", "2.5", "10", "0.00000001", "0", "100", "1e3", "0.123456789"])

    def _people(self) -> tuple[str, str]:
        sender, recipient = self.random.choices(PEOPLE, k=2)
        return sender, recipient

    def _deploy(self) -> Tx:
        return operation(self._payload("deploy", m="2000", l="100"), *self._people(), self.count)

    def _mint(self) -> Tx:
        return operation(self._payload("mint", amt=self._amount()), *self._people(), self.count)

    def _transfer(self) -> Tx:
        return operation(self._payload("transfer", amt=self._amount()), *self._people(), self.count)

    def _market(self) -> Tx:
        seller, buyer = self._people()
        inputs = [spend(seller, SIG83), spend(seller, SIG83), spend(buyer), spend(self.random.choice(PEOPLE))]
        return make_tx(inputs, [op_return(self._payload("transfer", amt=self._amount())), pay(buyer)], self.count)

    def _multi(self) -> Tx:
        sender = self.random.choice(PEOPLE)
        ticker = self.random.choice(TICKERS)
        outputs: list[TxOut] = []
        for _ in range(self.random.randint(2, 3)):
            step = {"p": "brc-20", "op": "transfer", "tick": ticker, "amt": self._amount()}
            outputs += [op_return(json.dumps(step, separators=(",", ":"))), pay(self.random.choice(PEOPLE))]
        return make_tx([spend(sender)], outputs, self.count)

    def _stones(self) -> Tx:
        sender, recipient = self._people()
        return make_tx([spend(sender)], [TxOut(0, b"\x6a\x5d\x02\x01\x02"), pay(recipient)], self.count)
