"""What became of a transaction, in words: for every record of the recorded chain, every code and every decision."""

import re
from pathlib import Path
from typing import Any

import duckdb
import httpx

from api.explanations import CODES, DECISIONS, OTHERWISE, STEP, VALID, WITHOUT_CODE, explained
from engine.verdicts import Code

ROOT = Path(__file__).parents[2]
OPERATIONS = "/v1/indexer/brc20/operations"


def test_every_record_is_told_with_its_verdict(client: httpx.Client, sql: duckdb.DuckDBPyConnection) -> None:
    """Refused ones too, those without a ticker too, all records of a transaction in processing order."""
    columns = (
        "txid, vout, step, operation, ticker, ticker_text, amount, valid, code, step_code, divergence, multi, payload"
    )
    rows = sql.sql(f"SELECT {columns.replace('amount', 'amount::VARCHAR')} FROM operations ORDER BY height, op_index")
    found: dict[str, list[tuple[Any, ...]]] = {}
    for txid, *rest in rows.fetchall():
        found.setdefault(txid, []).append(tuple(rest))
    assert len(found) > 40
    for txid, records in found.items():
        answers = client.get(f"{OPERATIONS}/{txid.upper()}").json()
        assert [
            (
                row["vout"],
                row["step"],
                row["op"],
                row["ticker"],
                row["ticker_text"],
                row["amount"],
                row["valid"],
                row["code"],
                row["step_code"],
                ",".join(decision["id"] for decision in row["divergence"]) or None,
                row["is_multi"],
                row["payload"].encode(),
            )
            for row in answers
        ] == [(*record[:-1], record[-1].decode(errors="replace").encode()) for record in records]
        for row in answers:
            assert row["verdict"] == ("valid" if row["valid"] else "refused")
            assert row["explanation"] == explained(row["valid"], row["code"], row["step_code"])
            assert (row["explanation"] == VALID) == row["valid"]
            assert all(decision["explanation"] == DECISIONS[decision["id"]] for decision in row["divergence"])


def test_a_transaction_without_operation_is_not_found(client: httpx.Client) -> None:
    response = client.get(f"{OPERATIONS}/{'ab' * 32}")
    assert (response.status_code, response.json()["code"]) == (404, "TRANSACTION_NOT_FOUND")
    assert client.get(f"{OPERATIONS}/{'xy' * 32}").status_code == 422


def test_every_code_is_one_sentence() -> None:
    assert set(CODES) == set(Code)
    assert len(set(CODES.values())) == len(Code)
    for text in [*CODES.values(), *DECISIONS.values(), OTHERWISE, WITHOUT_CODE, VALID]:
        assert re.fullmatch(r"[A-Z`].*\.", text), text


def test_every_decision_by_which_operations_are_tagged_is_explained() -> None:
    """Those that the rules' examples show, and the pages of rules know all that are explained."""
    examples = "".join(path.read_text() for path in (ROOT / "tests/rules").glob("*.toml"))
    tagged = set(re.findall(r"D-\d+", " ".join(re.findall(r"tags=(\S+)", examples))))
    assert len(tagged) > 15
    assert tagged <= set(DECISIONS)
    page = (ROOT / "docs/protocol.md").read_text()
    assert all(f"| {number} |" in page for number in DECISIONS)


def test_a_refused_step_is_told_as_one() -> None:
    told = explained(False, None, "INSUFFICIENT_BALANCE")
    assert told.startswith(STEP)
    assert explained(False, None, None) == WITHOUT_CODE
