"""Protocol transactions by chance, from a seed: what stories put into mined blocks."""

import json
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Final

from tests.helpers.builders import SIG83, make_tx, op_return, operation, pay, spend
from tests.helpers.chain import Tx, TxOut
from tests.helpers.vaults import Vault, burn_w, mint_w

PEOPLE: Final = ("alice", "bob", "carol", "p2tr_dave", "p2pkh_erin", "p2sh_frank", "p2pk_nobody")
TICKERS: Final = ("abc", "DEF", "ghi", "%_", "STONES")
AMOUNTS: Final = ("1", "2.5", "10", "0.00000001", "0", "100", "1e3", "0.123456789")
PAIRS: Final = ("ABC,DEF", "DEF,ABC", "DEF,ABC", "ABC,DEF", "W,ABC", "ABC,W", "yABC,DEF", "DEF,yABC", "ABC,ABC")
PARTS: Final = ("1", "2.5", "7", "0.000000004", "0.1234567891", "30", "3.33333333333333333333333333333333333333333")
VAULTS: Final = tuple(Vault(label, delay) for label in ("alice", "bob") for delay in (144, 256))


class Traffic:
    """Endless transactions; the same seed gives the same ones. Most succeed, some fail in every way that is cheap.

    The first ones give alice, bob and carol tokens to trade, a program for stakers of ABC, and pools.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.count = seed << 20
        """Number of the transaction, no other seed's: it keeps transaction ids apart."""
        self._first = self._founding()

    def txs(self, number: int) -> list[Tx]:
        """The next `number` transactions."""
        return [self._tx() for _ in range(number)]

    def _tx(self) -> Tx:
        self.count += 1
        if founding := next(self._first, None):
            return founding
        kinds: dict[Callable[[], Tx], int] = {
            self._deploy: 1,
            self._mint: 6,
            self._transfer: 7,
            self._market: 2,
            self._multi: 2,
            self._stones: 3,
            self._init: 4,
            self._exe: 7,
            self._stake: 2,
            self._claim: 2,
            self._receipt: 2,
            self._wrap: 2,
            self._unwrap: 1,
        }
        return self.random.choices(list(kinds), list(kinds.values()))[0]()

    def _founding(self) -> Iterator[Tx]:
        for ticker in ("abc", "def"):
            yield self._operation({"op": "deploy", "tick": ticker, "m": "2000", "l": "100"})
            for person in ("alice", "bob", "carol"):
                yield self._operation({"op": "mint", "tick": ticker, "amt": "100"}, recipient=person)
        yield self._operation({"op": "deploy", "tick": "w", "m": "0", "l": "0"})
        curve = {"type": self.random.choice(["linear", "exponential"]), "lock": "60", "stakes": ["abc"]}
        outputs = [op_return(self._text({"op": "deploy", "tick": "crv", "m": "900.5", "curve": curve}))]
        yield make_tx([spend("alice")], [*outputs, pay("alice", 3000), pay("alice", 1000)], self.count)
        for pair in PAIRS[:2]:
            yield self._operation({"op": "swap", "init": pair, "amt": "50", "lock": "15"}, "bob")

    def _text(self, members: Mapping[str, object]) -> str:
        return json.dumps({"p": "brc-20", **members}, separators=(",", ":"))

    def _operation(self, members: Mapping[str, object], sender: str = "alice", recipient: str = "bob") -> Tx:
        return operation(self._text(members), sender, recipient, self.count)

    def _amount(self) -> str:
        return self.random.choice(AMOUNTS)

    def _people(self) -> tuple[str, str]:
        sender, recipient = self.random.choices(PEOPLE, k=2)
        return sender, recipient

    def _trader(self) -> str:
        return self.random.choice([*PEOPLE[:3] * 3, *PEOPLE])

    def _plain(self, op: str, **members: str) -> Tx:
        return self._operation({"op": op, "tick": self.random.choice(TICKERS), **members}, *self._people())

    def _deploy(self) -> Tx:
        return self._plain("deploy", m="2000", l="100")

    def _mint(self) -> Tx:
        return self._plain("mint", amt=self._amount())

    def _transfer(self) -> Tx:
        return self._plain("transfer", amt=self._amount())

    def _market(self) -> Tx:
        seller, buyer = self._people()
        inputs = [spend(seller, SIG83), spend(seller, SIG83), spend(buyer), spend(self.random.choice(PEOPLE))]
        members = {"op": "transfer", "tick": self.random.choice(TICKERS), "amt": self._amount()}
        return make_tx(inputs, [op_return(self._text(members)), pay(buyer)], self.count)

    def _multi(self) -> Tx:
        sender = self.random.choice(PEOPLE)
        ticker = self.random.choice([*TICKERS, "yabc"])
        outputs: list[TxOut] = []
        for _ in range(self.random.randint(2, 3)):
            step = {"op": "transfer", "tick": ticker, "amt": self._amount()}
            outputs += [op_return(self._text(step)), pay(self.random.choice(PEOPLE))]
        return make_tx([spend(sender)], outputs, self.count)

    def _stones(self) -> Tx:
        sender, recipient = self._people()
        return make_tx([spend(sender)], [TxOut(0, b"\x6a\x5d\x02\x01\x02"), pay(recipient)], self.count)

    def _init(self) -> Tx:
        pair, lock = self.random.choice(PAIRS), str(self.random.choice([10, 10, 11, 12, 15, 9, 16_000]))
        amount = self.random.choice(PARTS)
        return self._operation({"op": "swap", "init": pair, "amt": amount, "lock": lock}, self._trader())

    def _exe(self) -> Tx:
        pair, slip = self.random.choice(PAIRS), self.random.choice(["100", "100", "60", "10", "1.5", "0"])
        amount = self.random.choice(PARTS)
        return self._operation({"op": "swap", "exe": pair, "amt": amount, "slip": slip}, self._trader())

    def _stake(self) -> Tx:
        return self._with_fee({"op": "swap", "init": "ABC,CRV", "amt": self.random.choice(PARTS), "wrap": True}, 3000)

    def _claim(self) -> Tx:
        return self._with_fee({"op": "swap", "exe": "yABC,CRV", "amt": self.random.choice(PARTS)}, 1000)

    def _with_fee(self, members: Mapping[str, object], fee: int) -> Tx:
        outputs = [op_return(self._text(members)), pay("alice", fee)]
        return make_tx([spend(self._trader())], outputs, self.count)

    def _receipt(self) -> Tx:
        members = {"op": "transfer", "tick": "yabc", "amt": self.random.choice(PARTS)}
        return self._operation(members, self._trader(), self._trader())

    def _wrap(self) -> Tx:
        vault, sats = self.random.choice(VAULTS), self.random.choice([20, 20, 50])
        return mint_w(vault, sats, self._trader(), salt=self.count)

    def _unwrap(self) -> Tx:
        vault, sats = self.random.choice([*VAULTS, None]), self.random.choice([20, 20, 50])
        return burn_w(self._trader(), sats, unlocks=vault, salt=self.count)
