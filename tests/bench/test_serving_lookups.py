"""Point lookups in the mapped fold: opening it, and finding an account among five million."""

import time
from pathlib import Path
from timeit import timeit

import numpy as np
import pyarrow as pa
import pytest

from engine.schemas import AMOUNT, SUPPLIES, TOKENS
from tests.helpers.big_lake import names
from warehouse.serving_map import ServingMap
from warehouse.serving_tables import write_serving

pytestmark = pytest.mark.bench

ACCOUNTS = 5_000_000


def test_five_million_balances_open_at_once_and_answer_in_microseconds(tmp_path: Path) -> None:
    fold = names(np.arange(ACCOUNTS)).sort("ticker", "address").to_arrow()
    amounts = pa.array(np.arange(1, ACCOUNTS + 1)).cast(pa.decimal128(30, 0)).cast(AMOUNT)
    fold = fold.append_column("balance", amounts).append_column(
        "credit_height", pa.repeat(pa.scalar(7, pa.int32()), ACCOUNTS)
    )
    started = time.perf_counter()
    files = write_serving(fold, SUPPLIES.empty_table(), TOKENS.empty_table(), tmp_path)
    written = time.perf_counter()
    serving_map = ServingMap.open(tmp_path)
    opened = time.perf_counter()
    row = fold.slice(ACCOUNTS // 3, 1).to_pylist()[0]
    lookups = {
        "account": lambda: serving_map.account(row["ticker"], row["address"]),
        "accounts_of": lambda: list(serving_map.accounts_of(row["address"])),
        "holder": lambda: serving_map.ranking(row["ticker"]).account(0),
    }
    microseconds = {name: timeit(lookup, number=10_000) * 100 for name, lookup in lookups.items()}
    account = serving_map.account(row["ticker"], row["address"])
    assert account is not None
    assert account.balance == (ACCOUNTS // 3 + 1) * 10**8
    print(
        f"\n{ACCOUNTS} accounts: written in {written - started:.1f} s, {sum(f.stat().st_size for f in files) >> 20} MiB"
    )
    print(f"opened in {1000 * (opened - written):.1f} ms; microseconds a lookup: {microseconds}")
    assert opened - written < 0.25
    assert max(microseconds.values()) < 50
