"""The words that questions are written in: SQL that DuckDB and ClickHouse both understand.

Where the two name a function differently, questions use ClickHouse's name, and DuckDB learns it here: `max_by`, `hex`,
`concat_ws`, `FILTER (WHERE …)`, `QUALIFY` and the rest mean the same in both. Parameters are `$name`.
"""

from typing import Final

import duckdb

from ingest.networks import DECIMALS

_MACROS: Final = {
    "startsWith(text, beginning)": "starts_with(text, beginning)",
    "toUnixTimestamp(moment)": "epoch(moment)::BIGINT",
    # By arithmetic, whatever the session's time zone is.
    "toDate(moment)": "make_date((epoch(moment)::BIGINT // 86400)::INTEGER)",
    "toDecimalString(amount, decimals)": "amount::VARCHAR",
    "arrayJoin(items)": "unnest(items)",
    "arrayZip(items, others)": "list_zip(items, others)",
    "tupleElement(items, place)": "struct_extract(items, place)",
}


def teach(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the database behind a connection understand the questions."""
    for name, meaning in _MACROS.items():
        connection.execute(f"CREATE OR REPLACE MACRO {name} AS {meaning}")


def text_of(amount: str) -> str:
    """SQL for an amount of 8 decimals as plain text with all of them; null stays null."""
    return f"toDecimalString({amount}, {DECIMALS})"


def one_of(parameter: str) -> str:
    """SQL for the rows of a list parameter, to stand behind IN."""
    return f"(SELECT arrayJoin(${parameter}))"


def pair_of(parameter: str, other: str) -> str:
    """SQL for the pairs of two list parameters, to stand behind IN."""
    return f"(SELECT arrayJoin(arrayZip(${parameter}, ${other})))"
