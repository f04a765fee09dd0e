"""Changes the rule files one place at a time and reports the changes that no test notices: `make mutants`.

Each mutant lives in its own copy of the tree, runs with the compiler off, and is killed by a red test or by a time-out.
Survivors that change nothing observable are listed with their reason in `tests/mutants.toml`; any other survivor, and
any listed reason that no longer applies, ends the run with exit code 1.
"""

import argparse
import ast
import copy
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parent.parent
TREE = ("ingest", "engine", "warehouse", "api", "tests", "simplicity.py", "pyproject.toml")
TIMEOUT = 300

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
LOGIC: dict[type[ast.boolop], type[ast.boolop]] = {ast.And: ast.Or, ast.Or: ast.And}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed place. The name tells it apart by function and order, so that moving lines does not rename it."""

    path: Path
    line: int
    name: str
    source: str


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """Copies of `node` with one thing changed in itself, its children left alone."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            other = copy.copy(node)
            other.ops = [COMPARISONS[type(op)]()]
            yield other
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            other_sum = copy.copy(node)
            other_sum.op = ARITHMETIC[type(op)]()
            yield other_sum
        case ast.BoolOp(op=op):
            other_logic = copy.copy(node)
            other_logic.op = LOGIC[type(op)]()
            yield other_logic
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool() as truth):
            yield ast.copy_location(ast.Constant(not truth), node)
        case ast.Constant(value=int() as number):
            yield ast.copy_location(ast.Constant(number + 1), node)
        case ast.Attribute(value=ast.Name(id="Code"), attr=name) if name != "INVALID_JSON":
            other_code = copy.copy(node)
            other_code.attr = "MISSING_PROTOCOL" if name != "MISSING_PROTOCOL" else "EMPTY_TICKER"
            yield other_code


class Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self.target, self.replacement = target, replacement

    def visit(self, node: ast.AST) -> ast.AST:
        return self.replacement if node is self.target else self.generic_visit(node)


def mutants_of(path: Path) -> Iterator[Mutant]:
    text = path.read_text()
    tree = ast.parse(text)
    annotations = {
        inner
        for node in ast.walk(tree)
        for field in ("annotation", "returns")
        if (part := getattr(node, field, None)) is not None
        for inner in ast.walk(part)
    }
    seen: Counter[str] = Counter()
    for scope, node in scoped(tree, ""):
        if node in annotations:
            continue
        for replacement in changed(node):
            before = " ".join((ast.get_source_segment(text, node) or "").split())
            name = f"{path.relative_to(ROOT)} {scope or 'module'}: {before} → {ast.unparse(replacement)}"
            seen[name] += 1
            mutated = ast.unparse(Replace(node, replacement).visit(copy_with(tree, node)))
            yield Mutant(path, getattr(node, "lineno", 0), f"{name} #{seen[name]}", mutated)


def scoped(node: ast.AST, scope: str) -> Iterator[tuple[str, ast.AST]]:
    """Every node below `node` with the name of the function or class that it stands in."""
    for child in ast.iter_child_nodes(node):
        inner = f"{scope}.{child.name}".lstrip(".") if isinstance(child, ast.FunctionDef | ast.ClassDef) else scope
        yield scope, child
        yield from scoped(child, inner)


def copy_with(tree: ast.AST, kept: ast.AST) -> ast.AST:
    """A deep copy of `tree` in which `kept` is still the same object, so that it can be found and replaced."""
    return copy.deepcopy(tree, {id(kept): kept})


def survives(mutant: Mutant, workspace: Path, tests: list[str]) -> bool:
    target = workspace / mutant.path.relative_to(ROOT)
    original = target.read_text()
    target.write_text(mutant.source)
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-x",
                "-q",
                "-p",
                "no:benchmark",
                "-o",
                "addopts=--import-mode=importlib -m 'not slow'",
                *tests,
            ],
            cwd=workspace,
            env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        target.write_text(original)
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout.decode()}\n{done.stderr.decode()}")
    return done.returncode == 0


def main() -> int:
    with (ROOT / "tests/mutants.toml").open("rb") as file:
        settings = tomllib.load(file)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=settings["files"], help="rule files; all of them when left out")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--every", type=int, default=1, help="try only every n-th mutant")
    arguments = parser.parse_args()
    explained = {item["mutant"]: item["reason"] for item in settings.get("survivor", [])}
    mutants = [mutant for file in arguments.files for mutant in mutants_of(ROOT / file)][:: arguments.every]

    with tempfile.TemporaryDirectory() as folder:
        workspaces: Queue[Path] = Queue()
        for number in range(arguments.jobs):
            workspace = Path(folder) / str(number)
            for name in TREE:
                source = ROOT / name
                if source.is_dir():
                    shutil.copytree(source, workspace / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(source, workspace / name)
            workspaces.put(workspace)

        def outcome(mutant: Mutant) -> bool:
            workspace = workspaces.get()
            try:
                alive = survives(mutant, workspace, settings["tests"])
            finally:
                workspaces.put(workspace)
            if alive:
                print(
                    f"{'explained' if mutant.name in explained else 'SURVIVED'}  line {mutant.line}  {mutant.name}",
                    flush=True,
                )
            return alive

        with ThreadPoolExecutor(arguments.jobs) as pool:
            alive = {mutant.name for mutant, lives in zip(mutants, pool.map(outcome, mutants), strict=True) if lives}

    unexplained = alive - explained.keys()
    stale = explained.keys() - alive if arguments.every == 1 and arguments.files == settings["files"] else set()
    for name in sorted(stale):
        print(f"STALE  {name}: no longer survives, remove its reason")
    killed = len(mutants) - len(alive)
    print(f"{len(mutants)} mutants, {killed} killed, {len(alive)} alive, {len(unexplained)} unexplained")
    return 1 if unexplained or stale else 0


if __name__ == "__main__":
    sys.exit(main())
