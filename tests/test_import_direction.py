"""A data item travels ingest → engine → warehouse → api: imports never run back up, and never in a circle."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LADDER = ["ingest", "engine", "warehouse", "api"]
MODULES = sorted(path for package in LADDER for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path) for path in MODULES}


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports relatively"
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            # Whoever takes modules out of a package, takes nothing of the package itself.
            found |= inside if inside <= NAMES else inside | {node.module}
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_package_imports_only_what_is_below_it(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    above = {*LADDER[LADDER.index(package) + 1 :], "simplicity", "tests"}
    wrong = {name for name in imports_of(path) if name.split(".")[0] in above}
    assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)} from above"


def test_no_module_imports_itself_through_others() -> None:
    graph = {name_of(path): (imports_of(path) & NAMES) - {name_of(path)} for path in MODULES}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())
