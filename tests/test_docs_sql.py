"""Every example of docs/sql.md that says in which language it is runs on the recorded chain."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.recorded import recorded_lake
from warehouse.catalogue import write_catalogue
from warehouse.manifest import read_manifest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/sql.md").read_text()
EXAMPLES = re.findall(r"^```(sh|python)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    lake = recorded_lake(tmp_path_factory.mktemp("home"))
    write_catalogue(lake, read_manifest(lake))
    programs = Path(sys.executable).parent
    return {**os.environ, "LAKE": str(lake), "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def test_every_tool_has_an_example() -> None:
    text = "".join(example for _, example in EXAMPLES)
    for tool in ("simplicity sql", "simplicity shell", "simplicity export", "duckdb -readonly", "polars", "pandas"):
        assert tool in text


@pytest.mark.parametrize(("language", "example"), EXAMPLES, ids=[text.split("\n")[0] for _, text in EXAMPLES])
def test_the_example_runs_and_shows_rows(
    language: str, example: str, environment: dict[str, str], tmp_path: Path
) -> None:
    command = ["bash", "-euc", example] if language == "sh" else [sys.executable, "-W", "error", "-c", example]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout or all(file.stat().st_size > 100 for file in tmp_path.iterdir())
    assert done.stdout or list(tmp_path.iterdir())
    assert "float" not in done.stdout.lower()
