"""Lakes of chains from a formula, for measurements: written as if they had been followed for long.

python -m tests.helpers.formula_lake

makes or finds the one of 50 million operations and 5 million balances, and says where it is. Lakes are kept in
SIMPLICITY_BENCH_LAKES, a folder, for the next measurement.
"""

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from engine.schemas import TOKENS
from ingest.networks import REGTEST
from ingest.source import Tip
from tests.helpers.formula_chain import FormulaChain, Plan
from tests.helpers.formula_exchange import FormulaExchange
from warehouse.folds import write_fold
from warehouse.lake import Lake
from warehouse.manifest import Segment
from warehouse.segments import write_compacted
from warehouse.tables import SCHEMA_VERSION, TABLES

HOME: Final = "SIMPLICITY_BENCH_LAKES"
WHOLE: Final = Plan(operations=50_000_000, accounts=5_000_000)


def kept_lake(plan: Plan = WHOLE) -> Path:
    """The lake of a plan, made unless it is there."""
    home = Path(os.environ.get(HOME, f"{tempfile.gettempdir()}/simplicity-bench-lakes"))
    directory = home / f"{plan.operations}-{plan.accounts}-v{SCHEMA_VERSION}"
    if not directory.exists():
        unfinished = directory.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        write_lake(unfinished, plan)
        unfinished.rename(directory)
    return directory


def write_lake(directory: Path, plan: Plan) -> None:
    """The lake of a plan: compacted segments and one fold. A chunk is written while the next one is made."""
    chain, exchange = FormulaChain(plan), FormulaExchange()
    segments: list[Segment] = []
    tokens = TOKENS.empty_table()

    def write(heights: range, tables: dict[str, pa.Table]) -> list[Segment]:
        return [
            write_compacted(directory, TABLES[name], [rows], rows.num_rows, heights.start, heights.stop - 1)
            for name, rows in tables.items()
            if rows.num_rows
        ]

    with Lake.create(directory, REGTEST.name, 0) as lake:
        with ThreadPoolExecutor(1, "write") as writer:
            writing = writer.submit(list[Segment])
            for number in range(plan.chunks):
                heights, tables = chain.heights(number), chain.chunk(number)
                tokens = tables.get("tokens", tokens)
                tables |= exchange.chunk(heights, tables["operations"])
                segments += writing.result()
                writing = writer.submit(write, heights, tables)
            segments += writing.result()
        tip = Tip(heights.stop - 1, chain.hash)
        fold = write_fold(directory, tip.height, chain.balances(), chain.supplies(), tokens)
        lake.publish(
            lambda empty: replace(
                empty.with_segments(segments), tip=tip, cumulative_hash=chain.cumulative, folds=(fold,)
            )
        )


if __name__ == "__main__":
    print(kept_lake())
