"""A module that is dropped into the engine brings its tables along: nothing of the warehouse knows it."""

import subprocess
import sys
from pathlib import Path

MODULE = """
import pyarrow as pa

from engine.modules.registry import StateTable
from engine.schemas import AMOUNT
from ingest.candidates import column


class Loans:
    name, priority, phase = "loans", 9, None
    causes = {"loan": "Tokens lent."}
    tables = (
        StateTable(
            "loans",
            "a loan in each block that changed it",
            pa.schema(
                [
                    column("height", pa.int32(), "Height after which the row holds."),
                    column("lender", pa.string(), "Who lends."),
                    column("number", pa.int64(), "Number of the lender's loan."),
                    column("script", pa.binary(), "Output script of the lender.", nullable=True),
                    column("amount", AMOUNT, "Amount lent, in tokens."),
                ]
            ),
            ("lender", "number"),
        ),
        StateTable(
            "repayments",
            "a repayment",
            pa.schema(
                [
                    column("height", pa.int32(), "Height of the block."),
                    column("op_index", pa.int32(), "Record in its block."),
                    column("whole", pa.bool_(), "Whether nothing is left."),
                ]
            ),
            ("height", "op_index"),
            is_log=True,
        ),
    )


MODULE = Loans
"""

SCRIPT = """
import sys
from pathlib import Path

import engine.modules

engine.modules.__path__.append(sys.argv[1])

from tests.helpers.judged import FactMaker
from tests.helpers.lakes import assert_same_state, content, facts_of
from warehouse.compact import compact_step
from warehouse.lake import Lake
from warehouse.tables import TABLES, document

assert TABLES["loans"].sort == ("height", "lender", "number")
assert TABLES["loans"].repetitive == ("height", "lender", "script")
assert TABLES["loans"].searched == ("lender",)
assert TABLES["repayments"].key == ("height", "op_index")
page = document()
assert "A loan in each block that changed it." in page
assert "The view `current_loans` has the newest row of each `lender`, `number`." in page
assert "current_repayments" not in page
assert "| `loan` | loans | Tokens lent. |" in page

maker = FactMaker(seed=2, modules=True)
with Lake.create(Path(sys.argv[2]), "regtest", 100) as lake:
    for _ in range(40):
        lake.commit(*maker.extend(1))
    while compact_step(lake):
        pass
    assert len(lake.manifest.of("loans")) == 1
    lake.rewind(130)
    maker.rewind(130)
    assert content(lake.snapshot) == facts_of(maker)
    for height in (99, 104, 130):
        assert_same_state(lake.state(height), maker.state(height))
    rows = maker.state(110).modules["loans"].to_pylist()
    with lake.snapshot.connect(110) as sql:
        found = sql.sql("FROM current_loans ORDER BY lender, number").to_arrow_table().to_pylist()
    assert found == rows and len(rows) > 3
"""


def test_tables_of_a_new_module_are_kept_compacted_rewound_described_and_queried(tmp_path: Path) -> None:
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "loans.py").write_text(MODULE)
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(folder), str(tmp_path / "lake")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
