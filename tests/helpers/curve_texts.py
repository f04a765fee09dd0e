"""Texts of curve operations, and chains on the plain path on which a program runs."""

import json
from collections.abc import Mapping
from typing import Any

from engine.plain.accounts import Account
from tests.helpers.scenarios import deploy_text, mint_text, operation_text
from tests.helpers.stepping import Record, SteppedChain

LINEAR: dict[str, Any] = {"type": "linear", "lock": "100", "stakes": ["WTF"]}
FEES = "dev:3000 | dev:1000"


def program_text(reward: str = "CRV", maximum: str = "1000000", outputs: str = FEES, **members: Any) -> str:
    """Deploy of a program by dev."""
    payload = {"p": "brc-20", "op": "deploy", "tick": reward, "m": maximum, "curve": LINEAR} | members
    return f"in[dev] out[{op_return(payload)} | {outputs}]"


def op_return(payload: Mapping[str, Any]) -> str:
    return f"OP_RETURN {json.dumps(payload, separators=(',', ':'))}"


def stake_text(sender: str, amount: Any, pair: str = "WTF,CRV", pays: str = "dev:3000", **members: Any) -> str:
    payload = {"p": "brc-20", "op": "swap", "init": pair, "amt": amount, "wrap": True} | members
    return f"in[{sender}] out[{op_return(payload)} | {pays}]"


def claim_text(sender: str, amount: Any, pair: str = "yWTF,CRV", pays: str = "dev:1000") -> str:
    payload = {"p": "brc-20", "op": "swap", "exe": pair, "amt": amount}
    return f"in[{sender}] out[{op_return(payload)} | {pays}]"


def transfer_text(sender: str, recipient: str, amount: str, ticker: str = "yWTF") -> str:
    return operation_text(sender, {"p": "brc-20", "op": "transfer", "tick": ticker, "amt": amount}, recipient)


def tokens(maximum: str = "2000000", *holders: str, ticker: str = "WTF") -> list[str]:
    """A token of which every holder has 10000."""
    holders = holders or ("u1", "u2", "u3")
    return [deploy_text(ticker, maximum, "10000"), *(mint_text(ticker, "10000", holder) for holder in holders)]


def running(**members: Any) -> SteppedChain:
    """Tokens in 930000, program CRV in 930001; the next block is 930002."""
    chain = SteppedChain()
    chain.block(*tokens())
    assert chain.one(program_text(**members))["valid"]
    return chain


def short(record: Record) -> tuple[Any, ...]:
    """Operation, ticker, amount, code and decisions of a record."""
    amount = record["amount"]
    shown = None if amount is None else f"{amount.normalize():f}"
    return record["operation"], record["ticker"], shown, record["code"], record["divergence"]


def of(chain: SteppedChain, label: str, reward: str = "CRV") -> Account:
    account = chain.account(label, reward)
    assert account is not None
    return account
