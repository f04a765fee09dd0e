r"""Chains and expectations in the one-line notation of the vectors, which the rule files extend.

A transaction reads `in[bob sig83, x] out[OP_RETURN {…} | carol:546]`.

- Input: a label, then optionally `sig83` (witness item 0 ends in 0x83), `legacy` (no witness) or `wit:aa,bb` (witness
  items as hex, an empty one between commas).
- Output: `label:sats` (the label `hex_5120…` stands for that script), or `OP_RETURN` followed by a payload. A payload
  is text as it stands, or one of: `script:6a5d` (the whole script, hex), `hex:…` (payload, hex), `bytes:…` (payload
  with `\xff` escapes), `pad:2000 …` (text filled with blanks to that many bytes), `nest:511 …` (the word NEST in the
  text becomes that many nested arrays), `push:4e …` (text pushed by that opcode), `tail:ff …` (text, then these bytes
  of script).

A record reads `op=mint tick=ABC amt=1 error=EXCEEDS_MINT_LIMIT from=alice to=bob vout=0`. What is left out means: none;
valid when no error is given; output 0; not a marketplace transfer. Values with blanks are quoted.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from engine.schemas import Judged, State
from ingest.addresses import address_of
from ingest.networks import MAINNET, Network
from tests.helpers.builders import SIG83, Blocks, make_tx, op_return, pay, script_of, spend
from tests.helpers.chain import Tx, TxIn, TxOut
from tests.helpers.module_states import Fields, fields

VECTORS: Final = Path(__file__).parent.parent / "data" / "vectors.json"

_TX: Final = re.compile(r"in\[(?P<inputs>.*?)\] out\[(?P<outputs>.*)\]", re.DOTALL)
_DEFAULTS: Final = {
    "op": None,
    "tick": "-",
    "amt": "-",
    "valid": None,
    "error": "-",
    "from": "-",
    "to": "-",
    "market": "false",
    "step": "-",
    "step_error": "-",
    "vout": "0",
    "tags": "-",
}


def vectors(group: str) -> list[dict[str, Any]]:
    """The vectors of one group, in order."""
    return [vector for vector in json.loads(VECTORS.read_text())["vectors"] if vector["group"] == group]


@dataclass(frozen=True)
class Scenario:
    """A chain of blocks, and what should come out of it."""

    name: str
    network: Network
    blocks: Blocks
    first_judged: int
    """Height from which records are compared."""
    records: Sequence[str]
    balances: Mapping[tuple[str, str], Decimal]
    """By (label, ticker); accounts left out hold nothing."""
    tokens: frozenset[str]
    state: Mapping[str, Fields]
    """Rows of the modules' tables in the notation of `module_states`."""
    labels: Mapping[str, str]
    """Label of every address."""


def parse_tx(text: str, salt: int) -> Tx:
    match = _TX.fullmatch(text)
    assert match, text
    return make_tx(
        [_input(part) for part in match["inputs"].split(", ")],
        [_output(part) for part in match["outputs"].split(" | ")],
        salt,
    )


def _input(text: str) -> TxIn:
    label, _, signature = text.partition(" ")
    if signature == "sig83":
        return spend(label, SIG83)
    if signature == "legacy":
        return spend(label, ())
    if signature.startswith("wit:"):
        return spend(label, [bytes.fromhex(item) for item in signature.removeprefix("wit:").split(",")])
    assert not signature, text
    return spend(label)


def _output(text: str) -> TxOut:
    if not text.startswith("OP_RETURN"):
        label, _, sats = text.partition(":")
        return pay(label, int(sats))
    payload = text.removeprefix("OP_RETURN ")
    form, _, rest = payload.partition(":")
    number, _, body = rest.partition(" ")
    match form:
        case "script":
            return TxOut(0, bytes.fromhex(rest))
        case "hex":
            return op_return(bytes.fromhex(rest))
        case "bytes":
            return op_return(rest.encode("latin-1").decode("unicode_escape").encode("latin-1"))
        case "pad":
            return op_return(body.encode().ljust(int(number)))
        case "nest":
            return op_return(body.replace("NEST", "[" * int(number) + "]" * int(number)))
        case "tail":
            return TxOut(0, op_return(body).script + bytes.fromhex(number))
        case "push":
            return TxOut(0, b"\x6a" + bytes.fromhex(number) + _length(number, body) + body.encode())
    return op_return(payload)


def _length(opcode: str, body: str) -> bytes:
    return len(body.encode()).to_bytes({"4c": 1, "4d": 2, "4e": 4}[opcode], "little")


def expected_record(text: str) -> dict[str, str]:
    """Every field of a record in the notation, defaults filled in."""
    given = dict(part.split("=", 1) for part in shlex.split(text) if not part.startswith("height="))
    record = _DEFAULTS | given
    if record["valid"] is None:
        record["valid"] = "true" if record["error"] == "-" and record["step_error"] == "-" else "false"
    texts = {key: str(value) for key, value in record.items()}
    return texts | ({} if texts["amt"] == "-" else {"amt": f"{Decimal(texts['amt']):.8f}"})


def records_of(judged: Judged, from_height: int, labels: Mapping[str, str]) -> list[dict[str, str]]:
    """The operations table from a height on, in the form of `expected_record`. `labels` maps addresses to labels."""
    return [record_fields(row, labels) for row in judged.operations.to_pylist() if row["height"] >= from_height]


def record_fields(row: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, str]:
    """A row of the operations table in the form of `expected_record`."""

    def text(value: object) -> str:
        return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    return {
        "op": row["operation"],
        "tick": text(row["ticker_text"]),
        "amt": "-" if row["amount"] is None else f"{row['amount']:.8f}",
        "valid": text(row["valid"]),
        "error": text(row["code"]),
        "from": "-" if row["from_address"] is None else labels[row["from_address"]],
        "to": "-" if row["to_address"] is None else labels[row["to_address"]],
        "market": text(row["marketplace"]),
        "step": text(row["step"]),
        "step_error": text(row["step_code"]),
        "vout": text(row["vout"]),
        "tags": text(row["divergence"]),
    }


def labels_in(texts: Iterable[str], network: Network) -> dict[str, str]:
    """Address of every label that the transactions mention, mapped to the label."""
    words = {word for text in texts for word in re.findall(r"(?:in\[|, |\| |out\[)([A-Za-z0-9_]+)", text)}
    addresses = {word: address_of(script_of(word), network) for word in words}
    return {address: word for word, address in addresses.items() if address is not None}


def balances_of(state: State, labels: Mapping[str, str]) -> dict[tuple[str, str], Decimal]:
    """Balances above zero by (label, ticker); an account of a pool is its own label."""
    return {
        (row["address"] if row["script"] is None else labels[row["address"]], row["ticker"]): row["balance"]
        for row in state.balances.to_pylist()
        if row["balance"]
    }


def operation_text(sender: str, payload: Mapping[str, object], recipient: str) -> str:
    return f"in[{sender}] out[OP_RETURN {json.dumps(payload, separators=(',', ':'))} | {recipient}:546]"


def deploy_text(ticker: str, maximum: str, limit: str | None = None, **members: object) -> str:
    payload = {"p": "brc-20", "op": "deploy", "tick": ticker, "m": maximum}
    return operation_text("deployer", payload | ({} if limit is None else {"l": limit}) | members, "deployer")


def mint_text(ticker: str, amount: str, recipient: str) -> str:
    return operation_text("minter", {"p": "brc-20", "op": "mint", "tick": ticker, "amt": amount}, recipient)


ABC: Final = [[deploy_text("ABC", "100000", "1000"), mint_text("ABC", "100", "bob")]]
WRAP: Final = [[deploy_text("W", "0", "0")]]
_CURVE: Final = {"type": "linear", "lock": "100", "stakes": ["WTF"]}
INTERNAL_KEY: Final = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee96802ac071"
"""R-WRAP-CONST-2."""
_MODULE_ROWS: Final = ("position", "pool", "program", "account")


def pair(maximum: str, *holders: str) -> list[str]:
    """Two tokens of which every holder has 10000."""
    deploys = [deploy_text(ticker, maximum, "10000") for ticker in ("LOL", "WTF")]
    return deploys + [mint_text(ticker, "10000", holder) for holder in holders for ticker in ("LOL", "WTF")]


def program(limit: str | None = None) -> list[list[str]]:
    """The two tokens, then a program CRV that dev deploys: 1000000 in 100 blocks to who stakes WTF."""
    payload = deploy_text("CRV", "1000000", limit, curve=_CURVE)
    deploy = payload.replace("in[deployer]", "in[dev]").replace("deployer:546", "dev:3000 | dev:1000")
    return [pair("2000000", "u1", "u2", "u3", "ex"), [deploy]]


def _setup(text: str) -> list[list[str]]:
    """The blocks before a vector's own: its `setup` in words, as transactions."""
    if text == "none":
        return []
    if "W deployed m=0 l=0" in text:
        return WRAP
    if "ABC deployed" in text:
        return ABC
    if "program CRV" in text:
        return program("1000" if "with l=1000" in text else None)
    return [pair("1000000", *(("lp1", "ex") if "lp1 and ex hold" in text else ("lp1", "lp2", "ex", "ex2")))]


def reveal(script: str, internal_key: str = INTERNAL_KEY) -> str:
    """Witness of an input that reveals a script (hex) by script path, in the notation."""
    return f"wit:{'30' * 64},{script},c0{internal_key}{'00' * 32}"


def _w_mint(text: str) -> str:
    """A transaction with the vault that all vectors about W share in place of its address, and its reveal."""
    vault = next(each for each in vectors("VAULT") if each["id"] == "VAULT-006")["expected"]
    if vault["address"] not in text:
        return text
    locked = text.replace(vault["address"], f"hex_5120{vault['output_key']}")
    return locked.replace("in[init]", f"in[init {reveal(vault['reveal_script'])}]")


def vector_scenario(vector: Mapping[str, Any]) -> Scenario:
    """A SCENARIO vector with the values that the predecessor computes."""
    given, expected = vector["input"], vector["expected"]
    texts: dict[int, list[str]] = {}
    for key, text in given.items():
        if match := re.match(r"block (\d+)", key):
            texts.setdefault(int(match[1]), [])
            if text != "empty":
                texts[int(match[1])].append(_w_mint(text))
    first = min(texts)
    setup = _setup(given["setup"])
    for height, block in enumerate(setup, start=first - len(setup)):
        texts[height] = block
    balances = {
        (key.split(" ", 2)[1], key.split(" ", 2)[2]): Decimal(value)
        for key, value in expected.items()
        if key.startswith("balance ")
    }
    tokens = expected["tokens deployed"]
    return Scenario(
        name=vector["id"],
        network=MAINNET,
        blocks=transactions(texts),
        first_judged=first,
        records=[value for key, value in expected.items() if key.startswith("record ")],
        balances={account: balance for account, balance in balances.items() if balance},
        tokens=frozenset(tokens.split(",")) if tokens != "none" else frozenset(),
        state={key: fields(value) for key, value in expected.items() if key.startswith(_MODULE_ROWS)},
        labels=labels_in([text for block in texts.values() for text in block], MAINNET),
    )


def transactions(texts: Mapping[int, Sequence[str]]) -> dict[int, list[Tx]]:
    """Blocks by height; every transaction gets a txid of its own."""
    return {
        height: [parse_tx(text, height * 1000 + index) for index, text in enumerate(texts[height])]
        for height in sorted(texts)
    }
