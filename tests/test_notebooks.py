"""Every notebook runs on the recorded chain and shows what is checked in."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def run_anew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the notebooks as they are after a run. In a process of its own: kernels leave sockets behind."""
    folder = tmp_path_factory.mktemp("notebooks")
    command = [sys.executable, "-m", "tests.helpers.notebooks", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["cells"]
    return found


def texts(path: Path) -> dict[str, list[str]]:
    """What each cell prints or shows, without pictures: those depend on the fonts of the machine."""
    shown: dict[str, list[str]] = {}
    for cell in cells(path):
        for output in cell.get("outputs", []):
            data = {"text": output.get("text"), **output.get("data", {})}
            shown.setdefault(cell["id"], []).extend(
                "".join(text) for kind, text in data.items() if kind.startswith("text") and text
            )
    return shown


def test_there_is_a_first_look() -> None:
    assert ROOT / "notebooks/01_first_look.ipynb" in NOTEBOOKS


@every_notebook
def test_it_runs_and_shows_what_is_checked_in(path: Path, run_anew: Path) -> None:
    """To write the outputs anew: `python -m tests.helpers.notebooks`."""
    assert texts(path)
    assert texts(run_anew / path.name) == texts(path)


@every_notebook
def test_it_was_run_from_top_to_bottom(path: Path) -> None:
    counts = [cell["execution_count"] for cell in cells(path) if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))


@every_notebook
def test_nothing_that_it_compares_differs(path: Path) -> None:
    """Notebooks check what they claim: they write `equal` or DIFFERENT, and tables have a column `equal`."""
    for text in (text for shown in texts(path).values() for text in shown):
        assert "DIFFERENT" not in text
        assert not ("equal" in text and "false" in text)


@every_notebook
def test_it_names_no_place_of_a_machine(path: Path) -> None:
    written = ["".join(cell["source"]) for cell in cells(path)]
    written += [text for shown in texts(path).values() for text in shown]
    for place in (str(ROOT), str(Path.home()), "/tmp/", "/home/", "/Users/"):
        assert not [text for text in written if place in text]
