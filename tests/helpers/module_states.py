"""The state of modules in the one-line notation of the vectors.

A line names a row, then some of its fields: `pool LOL-WTF units_a=5 fps_a=0`, `position 1 owner=lp1 locked=3`,
`program CRV last=930001 rho=unknown`, `account CRV u1 staked=5`, `vault 1 amount=1000 status=active`. What is null
reads `-` (a rate: `unknown`). Vaults are numbered by height, then amount.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.schemas import State

Fields = Mapping[str, str]
_POOL = {"liquidity": "liquidity", "units": "units", "fees": "fees", "fps": "fee_per_share", "reserve": "reserve"}
_POSITION = {
    "src": "source",
    "dst": "destination",
    "amount": "amount",
    "locked": "locked",
    "lock": "lock_blocks",
    "start": "start_height",
    "unlock": "unlock_height",
    "status": "status",
    "closed": "closed_height",
    "multiplier": "multiplier",
    "index": "index_at_lock",
}
_PROGRAM = {
    "type": "type",
    "duration": "duration",
    "staking": "staking_ticker",
    "max": "max_supply",
    "staking_max": "staking_max_supply",
    "init_fee": "init_fee",
    "exe_fee": "exe_fee",
    "start": "start_height",
    "last": "last_reward_height",
    "index": "index",
    "staked": "total_staked",
    "scaled": "total_scaled",
    "paid": "rewards_paid",
}
_VAULT = {
    "amount": "amount",
    "delay": "delay",
    "root": "merkle_root",
    "status": "status",
    "opened": "opened_height",
    "closed": "closed_height",
}
_RAY_TEXT = re.compile(r"\d+\.\d{27}")


def state_rows(state: State, labels: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Fields of every row by its name. `labels` maps addresses to labels."""

    def label(address: str | None) -> str:
        return "-" if address is None else labels.get(address, address)

    rows: dict[str, dict[str, str]] = {}
    for row in _table(state, "pools"):
        rows[f"pool {row['pool']}"] = _sides(row, _POOL)
    for row in _table(state, "positions"):
        names = {name: name for name in ("units", "reward", "accumulated", "entry")}
        own = {"owner": label(row["owner_address"])}
        rows[f"position {row['position_id']}"] = own | _fields(row, _POSITION) | _sides(row, names)
    for row in _table(state, "programs"):
        assert all(_RAY_TEXT.fullmatch(row[name]) for name in ("index", "total_scaled")), row
        rho = "unknown" if row["rho"] is None else str(row["rho"])
        own = {"rho": rho, "genesis": label(row["genesis_address"])}
        rows[f"program {row['ticker']}"] = own | _fields(row, _PROGRAM)
    for row in _table(state, "accounts"):
        assert _RAY_TEXT.fullmatch(row["scaled"]), row
        rows[f"account {row['ticker']} {label(row['address'])}"] = _fields(
            row, {"staked": "staked", "scaled": "scaled"}
        )
    vaults = sorted(_table(state, "vaults"), key=lambda row: (row["opened_height"], row["amount"], row["vault"]))
    for number, row in enumerate(vaults, start=1):
        people = {name: label(row[f"{name}_address"]) for name in ("lock", "initiator", "recipient")}
        rows[f"vault {number}"] = people | _fields(row, _VAULT)
    return rows


def assert_state(state: State, labels: Mapping[str, str], expected: Mapping[str, Fields]) -> None:
    """Assert that exactly these rows exist, with these values of the fields that are given."""
    rows = state_rows(state, labels)
    assert sorted(rows) == sorted(expected)
    for name, fields in expected.items():
        given = {key: _value(rows[name][key]) for key in fields}
        assert given == {key: _value(value) for key, value in fields.items()}, name


def expected_rows(lines: Sequence[str]) -> dict[str, Fields]:
    """Lines of the notation by the name of their row."""
    rows: dict[str, Fields] = {}
    for line in lines:
        words = line.split()
        name = " ".join(word for word in words if "=" not in word)
        assert name not in rows, line
        rows[name] = fields(" ".join(word for word in words if "=" in word))
    return rows


def fields(text: str) -> dict[str, str]:
    """`a=1 b=2` as a mapping."""
    return dict(part.split("=", 1) for part in text.split())


def _table(state: State, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = state.modules[name].to_pylist() if name in state.modules else []
    return rows


def _fields(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    return {short: "-" if row[name] is None else str(row[name]) for short, name in names.items()}


def _sides(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    return {f"{short}_{side}": str(row[f"{name}_{side}"]) for short, name in names.items() for side in "ab"}


def _value(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text
