"""The canonical text of blocks: what a reader can recompute with sha256sum."""

from decimal import Context, Decimal
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.amounts import limbs
from engine.event_hash import Scratch, block_hashes, cumulative_hash
from engine.journal import Records, open_journal, open_record, set_amount, trimmed
from engine.tickers import Tickers
from engine.verdicts import Code
from engine.vocabulary import INVALID, MINT, TRANSFER, code_number

ALICE, BOB = "bcrt1qalice", "bcrt1qbob"
TXIDS = [sha256(b"%d" % n).hexdigest() for n in range(3)]


def digest(*lines: str) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()


def records_of_three_blocks(tickers: Tickers) -> Records:
    """A mint and a refused step in block 0, an invalid record in block 2."""
    records = open_journal(3).records
    n = open_record(records, 0, 0, 0, 300, MINT)
    records.valid[n] = True
    records.text[n] = tickers.number("é\U0001f600")
    set_amount(records, n, np.array(limbs(123456789), np.uint64))
    n = open_record(records, 0, 1, 1, 2, TRANSFER)
    records.step[n] = 1
    records.step_code[n] = code_number(Code.INSUFFICIENT_BALANCE)
    records.text[n] = tickers.number("abc")
    set_amount(records, n, np.array(limbs(-1), np.uint64))
    n = open_record(records, 2, 2, 2, 0, INVALID)
    records.code[n] = code_number(Code.MISSING_OPERATION)
    whole: Records = trimmed(records)
    return whole


def test_lines() -> None:
    tickers = Tickers()
    records = records_of_three_blocks(tickers)
    txids = np.frombuffer("".join(TXIDS).encode(), np.uint8)
    senders, recipients = pa.array([None, ALICE, None], pa.string()), pa.array([BOB, BOB, None], pa.string())
    with np.errstate(over="ignore"):
        events, lines = block_hashes(
            Scratch(), records, txids, senders, recipients, tickers, 4, {0: "rounding;;;A;0.1;;x", 1: "e"}
        )
    assert events == [
        digest(f"mint;{TXIDS[0]};300;é\U0001f600;1.23456789;;{BOB}", "rounding;;;A;0.1;;x"),
        digest("e"),
        digest(""),
        digest(""),
    ]
    assert lines == [
        digest(
            events[0],
            "1;;;",
            f"0;1;;INSUFFICIENT_BALANCE;transfer;{TXIDS[1]};2;abc;-0.00000001;{ALICE};{BOB}",
        ),
        digest(events[1]),
        digest(events[2], f"0;;MISSING_OPERATION;;invalid;{TXIDS[2]};0;;;;"),
        digest(events[3]),
    ]


@settings(deadline=None)
@given(st.integers(1 - 2**127, 2**127 - 1) | st.integers(-(10**20), 10**20) | st.sampled_from([2**64, 2**64 - 1, 0]))
def test_amounts_have_eight_decimals(units: int) -> None:
    tickers, records = Tickers(), open_journal(1).records
    records.valid[open_record(records, 0, 0, 0, 0, MINT)] = True
    set_amount(records, 0, np.array(limbs(units), np.uint64))
    nobody = pa.nulls(1, pa.string())
    with np.errstate(over="ignore"):
        txids = np.frombuffer(TXIDS[0].encode(), np.uint8)
        events, _ = block_hashes(Scratch(), records, txids, nobody, nobody, tickers, 1, {})
    text = f"{Decimal(units).scaleb(-8, Context(prec=60)):.8f}"
    assert events == [digest(f"mint;{TXIDS[0]};0;;{text};;")]


@pytest.mark.parametrize("previous", ["", "ab" * 32])
def test_cumulative_hash_is_of_text(previous: str) -> None:
    assert cumulative_hash(previous, "cd" * 32) == sha256((previous + "cd" * 32).encode()).hexdigest()
