"""`simplicity trail` alone, and what it is told to remove."""

import json
import re
from functools import partial
from pathlib import Path

from typer.testing import CliRunner

from simplicity import app
from warehouse.trail import NAME, actions


def test_the_command_shows_by_itself_and_prunes_when_told(tmp_path: Path) -> None:
    for day in range(1, 5):
        line = {"time": f"2020-01-0{day}T12:00:00Z", "by": "somebody", "action": "rollback", "to": day - 1}
        with (tmp_path / NAME).open("a") as file:
            file.write(json.dumps(line) + "\n")
    run = partial(CliRunner().invoke, app)
    pruned = run(["trail", "prune", "--data", str(tmp_path), "--before", "2020-01-03"])
    assert (pruned.exit_code, "removed 2 actions" in pruned.stderr) == (0, True), pruned.output
    shown = run(["trail", "--data", str(tmp_path)])
    assert shown.exit_code == 0
    assert shown.stdout == run(["trail", "show", "--data", str(tmp_path)]).stdout
    assert re.findall(r" (rollback|prune trail) +(.*)", shown.stdout) == [
        ("rollback", "to=2"),
        ("rollback", "to=3"),
        ("prune trail", "before=2020-01-03 removed=2"),
    ]
    assert json.loads(run(["trail", "--data", str(tmp_path), "--json"]).stdout) == actions(tmp_path)
    assert run(["trail", "prune", "--data", str(tmp_path), "--before", "soon"]).exit_code == 2
    assert run(["trail", "prune", "--data", str(tmp_path)]).exit_code == 2
    assert "prune" in run(["trail", "--help"]).stdout
